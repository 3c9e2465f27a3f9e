//! The operations' halves on a GPU: what is launched, forward and backward. The kernels stand beside (`*.cu`).
//!
//! | module | what is in it |
//! |---|---|
//! | [`linear`], [`norm`], [`embedding`], [`projection`] | layers of every model |
//! | [`attention`], [`context`] | attention over heads, in tiles; of one query to its sentence |
//! | [`kept`], [`query`] | rows that are kept from word to word, and attention to them |
//! | [`conv`], [`batch_norm`], [`instance_norm`], [`pixels`], [`augment`] | layers of images |
//! | [`recurrent`], `order`, [`feeding`] | layers that go through time, and in which order |
//! | [`states`] | the same from word to word |
//! | [`rows`], [`spans`] | sums, copies and masks of matrices; rows of tables |
//! | [`adversarial`], [`spectral`] | what a critic and a generator learn from, and matrices that are divided |
//! | [`learning`] | the optimizer, and what it keeps |
//!
//! Each function does what the operation of the same name does on the host, to values on the device; formulas are there.
//! Activations are kept in f32, bf16 or f16 ([`Gpu::kind`]), sums and gradients of parameters in f32. No step waits for the
//! device, but where words are guessed ([`projection::best`]) or looked for ([`projection::find`]).

pub mod adversarial;
pub mod attention;
pub mod augment;
pub mod batch_norm;
pub mod context;
pub mod conv;
pub mod embedding;
pub mod feeding;
pub mod instance_norm;
pub mod kept;
pub mod learning;
pub mod linear;
pub mod norm;
mod order;
pub mod pixels;
pub mod projection;
pub mod query;
pub mod recurrent;
pub mod rows;
pub mod spans;
pub mod spectral;
pub mod states;

use crate::nn::device::{Argument, Gpu, Kind, Memory};
use crate::nn::dropout::Mask;

/// The instance of a kernel for how activations are kept.
macro_rules! kernel {
    ($gpu:expr, $($name:literal),+) => {
        match $gpu.kind() {
            $crate::nn::device::Kind::F16 => concat!($($name,)+ "_f16"),
            $crate::nn::device::Kind::Bf16 => concat!($($name,)+ "_bf16"),
            _ => concat!($($name,)+ "_f32"),
        }
    };
}
use kernel;

impl From<Option<Mask>> for Argument<'_> {
    fn from(mask: Option<Mask>) -> Self {
        Argument::words(&Mask::words(mask))
    }
}

/// Threads of a block that sums columns.
const SUMMING: u32 = 256;

/// Values that a thread of a kernel over a matrix has at once, where they lie even.
const PACK: usize = 8;

/// Into how many shares rows are parted where columns are summed: few enough to be brought together by one thread each.
fn shares(rows: usize) -> usize {
    rows.div_ceil(256).clamp(1, 32)
}

/// to = to + Σ_rows x, of the first of so many columns.
fn add_columns(gpu: &Gpu, x: &Memory, (first, columns): (usize, usize), to: Argument) {
    let rows = x.len() / columns;
    let count = shares(rows);
    let parts = Memory::of(gpu, Kind::F32, count * columns);
    let grid = (columns.div_ceil(32) as u32, count as u32);
    let arguments = [(&parts).into(), x.into(), rows.into(), columns.into()];
    gpu.launch(kernel!(gpu, "column_shares"), grid, SUMMING, &arguments);
    add_shares(gpu, &parts, (0, count, columns), first, to);
}

/// to = to + Σ of `count` rows of f32 that are `stride` apart, from the value `first` on.
fn add_shares(
    gpu: &Gpu,
    parts: &Memory,
    (first, count, stride): (usize, usize, usize),
    columns: usize,
    to: Argument,
) {
    let grid = (columns.div_ceil(128) as u32, 1);
    let arguments = [
        to,
        parts.at(first),
        count.into(),
        stride.into(),
        columns.into(),
    ];
    gpu.launch("add_shares", grid, 128, &arguments);
}

/// Runs a kernel that has a warp for each row.
fn launch_rows(gpu: &Gpu, rows: usize, kernel: &'static str, arguments: &[Argument]) {
    const WARPS: usize = 4;
    let grid = (rows.div_ceil(WARPS) as u32, 1);
    gpu.launch(kernel, grid, 32 * WARPS as u32, arguments);
}
