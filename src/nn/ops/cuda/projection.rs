//! The projection to the vocabulary and its loss on a device: see `ops/projection.rs`.

use super::kernel;
use crate::nn::device::{Gpu, Kind, Memory, Product};
use crate::nn::ops::projection::Loss;
use crate::nn::parameters::{Parameter, Weights};
use crate::nn::tape::{Tape, Var};

/// Values of the logits that are there at once.
const LOGITS: usize = 1 << 26;

/// Rows of logits are a multiple of it apart: units for 16 bits take eight values at once.
const EVEN: usize = 8;

/// Threads of a block: of a row of logits, and where losses are summed.
const THREADS: u32 = 256;

/// The tokens of the loss; its sums are added to those of the weights on the device, and read when they are wanted.
pub fn loss(
    gpu: &Gpu,
    tape: &Tape,
    h: &Var,
    table: Parameter,
    targets: &[u32],
    (smoothing, weight): (f32, f32),
) -> Loss {
    let there = tape.there();
    let (d, words) = (table.columns, table.rows);
    let stride = words.next_multiple_of(EVEN);
    let tokens = (LOGITS / stride).clamp(1, targets.len().max(1));
    let logits = Memory::of(gpu, gpu.kind(), tokens * stride);
    let losses = Memory::of(gpu, Kind::F32, 2 * tokens);
    let wanted = Memory::from_u32(gpu, targets);
    let dh = tape
        .is_recording()
        .then(|| Memory::of(gpu, gpu.kind(), h.len()));
    for start in (0..targets.len()).step_by(tokens) {
        let n = tokens.min(targets.len() - start);
        let rows = h.memory().matrix(start * d, d);
        gpu.multiply(&Product {
            a: rows,
            b: there.matrix(table).transposed(),
            c: logits.matrix(0, stride),
            shape: (n, words, d),
            adds: false,
        });
        let arguments = [
            (&logits).into(),
            (&losses).into(),
            wanted.at(start),
            words.into(),
            stride.into(),
            smoothing.into(),
            weight.into(),
            tape.scale(),
        ];
        gpu.launch(
            kernel!(gpu, "softmax_and_loss"),
            (n as u32, 1),
            THREADS,
            &arguments,
        );
        let arguments = [(&there.losses).into(), (&losses).into(), n.into()];
        gpu.launch("sum_losses", (1, 1), THREADS, &arguments);
        if let (Some(dh), Some(gradients)) = (&dh, tape.gradients()) {
            gpu.multiply(&Product {
                a: logits.matrix(0, stride),
                b: there.matrix(table),
                c: dh.matrix(start * d, d),
                shape: (n, d, words),
                adds: false,
            });
            gpu.multiply(&Product {
                a: logits.matrix(0, stride).transposed(),
                b: rows,
                c: gradients.there().matrix(table.start(), d),
                shape: (words, d, n),
                adds: true,
            });
        }
    }
    if let (Some(slot), Some(dh)) = (h.slot(), dh) {
        tape.push(move |gradients| gradients.give_there(slot, dh));
    }
    Loss {
        tokens: targets.len(),
        ..Loss::default()
    }
}

/// The word with the highest logit of each row of `h`. Waits for the device.
pub fn best(gpu: &Gpu, weights: &Weights, h: &Var, table: Parameter) -> Vec<u32> {
    let found = Memory::of(gpu, Kind::U32, h.rows());
    each_part(gpu, weights, h, table, gpu.kind(), |part| {
        let arguments = [
            found.at(part.start),
            part.logits.into(),
            part.words.into(),
            part.stride.into(),
        ];
        let grid = (part.rows as u32, 1);
        gpu.launch(kernel!(gpu, "best"), grid, THREADS, &arguments);
    });
    found.to_u32()
}

/// Words that [`find`] finds for a row, at most.
pub const MOST_WORDS: usize = 64;

/// The `k` best words of each row of `h`, what their probabilities are reckoned by, and the score of a word that is asked
/// for: 2 · k + 3 values, as best_words writes them. Waits for the device.
pub fn find(
    gpu: &Gpu,
    weights: &Weights,
    (h, table): (&Var, Parameter),
    k: usize,
    asked: &[u32],
) -> Vec<f32> {
    assert!(k <= MOST_WORDS && asked.len() == h.rows());
    let each = 2 * k + 3;
    let asked = Memory::from_u32(gpu, asked);
    let found = Memory::of(gpu, Kind::F32, h.rows() * each);
    each_part(gpu, weights, h, table, Kind::F32, |part| {
        let arguments = [
            found.at(part.start * each),
            part.logits.into(),
            asked.at(part.start),
            part.words.into(),
            part.stride.into(),
            k.into(),
        ];
        gpu.launch("best_words", (part.rows as u32, 1), THREADS, &arguments);
    });
    found.to_f32()
}

/// All scores of each row of `h`, (rows, words), on the host.
pub fn scores(gpu: &Gpu, weights: &Weights, h: &Var, table: Parameter) -> Vec<f32> {
    let mut all = Vec::with_capacity(h.rows() * table.rows);
    each_part(gpu, weights, h, table, Kind::F32, |part| {
        let logits = part.logits.to_f32();
        let rows = logits.chunks_exact(part.stride).take(part.rows);
        rows.for_each(|row| all.extend_from_slice(&row[..part.words]));
    });
    all
}

/// Logits of some rows.
struct Part<'l> {
    logits: &'l Memory,
    /// The first of these rows, and how many they are.
    start: usize,
    rows: usize,
    words: usize,
    stride: usize,
}

/// Goes over the logits of all rows, as many at a time as there is room for, kept in a kind of their own: what is compared
/// wants more digits than 16 bits have.
fn each_part(
    gpu: &Gpu,
    weights: &Weights,
    h: &Var,
    table: Parameter,
    kind: Kind,
    mut look: impl FnMut(Part),
) {
    let there = weights.there().expect("weights on the device");
    let (d, words) = (table.columns, table.rows);
    let stride = words.next_multiple_of(EVEN);
    let most = (LOGITS / stride).clamp(1, h.rows().max(1));
    let logits = Memory::of(gpu, kind, most * stride);
    for start in (0..h.rows()).step_by(most) {
        let rows = most.min(h.rows() - start);
        gpu.multiply(&Product {
            a: h.memory().matrix(start * d, d),
            b: there.matrix(table).transposed(),
            c: logits.matrix(0, stride),
            shape: (rows, words, d),
            adds: false,
        });
        look(Part {
            logits: &logits,
            start,
            rows,
            words,
            stride,
        });
    }
}
