//! Values on a device.

use super::{Argument, Gpu, Operand};
use half::{bf16, f16};
use std::ops::Range;

/// How values are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    F32,
    F16,
    Bf16,
    F64,
    U32,
}

impl Kind {
    /// Bytes of a value.
    pub fn bytes(self) -> usize {
        match self {
            Kind::F16 | Kind::Bf16 => 2,
            Kind::F32 | Kind::U32 => 4,
            Kind::F64 => 8,
        }
    }
}

/// A row of values on a device. It goes back to the device when it is dropped, and the next that fits takes it: all work
/// is done in order, so that whatever still reads from it does so first.
#[derive(Debug)]
pub struct Memory {
    gpu: Gpu,
    pub(super) pointer: u64,
    bytes: usize,
    pub(super) kind: Kind,
    len: usize,
}

impl Memory {
    /// Room for `len` values; what is in it is what its last owner left.
    pub fn of(gpu: &Gpu, kind: Kind, len: usize) -> Memory {
        let (pointer, bytes) = gpu.take(class(len * kind.bytes()));
        let memory = Memory {
            gpu: gpu.clone(),
            pointer,
            bytes,
            kind,
            len,
        };
        #[cfg(test)]
        memory.bound();
        memory
    }

    /// In tests, marks what lies behind the values: a checked GPU (`tests/gpu/checks.h`) finds who reaches there.
    #[cfg(test)]
    fn bound(&self) {
        const BEYOND: u8 = 0xfe;
        let wanted = self.len * self.kind.bytes();
        if self.pointer != 0 && self.bytes > wanted {
            let (begin, rest) = (self.pointer + wanted as u64, self.bytes - wanted);
            self.gpu
                .attempt("marking", |driver| driver.fill(begin, BEYOND, rest));
        }
    }

    /// Zeros.
    pub fn zeros(gpu: &Gpu, kind: Kind, len: usize) -> Memory {
        let memory = Memory::of(gpu, kind, len);
        memory.clear();
        memory
    }

    /// A copy of values.
    pub fn from_f32(gpu: &Gpu, values: &[f32]) -> Memory {
        let memory = Memory::of(gpu, Kind::F32, values.len());
        memory.write(as_bytes(values));
        memory
    }

    /// A copy of numbers.
    pub fn from_u32(gpu: &Gpu, values: &[u32]) -> Memory {
        let memory = Memory::of(gpu, Kind::U32, values.len());
        memory.write(as_bytes(values));
        memory
    }

    /// A copy of values of f64.
    pub fn from_f64(gpu: &Gpu, values: &[f64]) -> Memory {
        let memory = Memory::of(gpu, Kind::F64, values.len());
        memory.write(as_bytes(values));
        memory
    }

    fn write(&self, bytes: &[u8]) {
        if !bytes.is_empty() {
            self.gpu.attempt("copying to the device", |driver| {
                driver.copy_in(self.pointer, bytes)
            });
        }
    }

    /// Makes them all zero.
    pub fn clear(&self) {
        let bytes = self.len * self.kind.bytes();
        if bytes > 0 {
            self.gpu
                .attempt("clearing", |driver| driver.fill(self.pointer, 0, bytes));
        }
    }

    /// A copy of its own.
    pub fn copy(&self) -> Memory {
        let copy = Memory::of(&self.gpu, self.kind, self.len);
        copy.copy_from(self);
        copy
    }

    /// Makes the first values those of another row, which is no longer.
    pub fn copy_from(&self, other: &Memory) {
        self.copy_part(0, other, 0..other.len);
    }

    /// Makes the values from `first` on those of a part of another row.
    pub fn copy_part(&self, first: usize, other: &Memory, part: Range<usize>) {
        assert!(self.kind == other.kind && self.len >= first + part.len());
        assert!(part.end <= other.len);
        let each = self.kind.bytes() as u64;
        let bytes = part.len() * self.kind.bytes();
        if bytes > 0 {
            let to = self.pointer + first as u64 * each;
            let from = other.pointer + part.start as u64 * each;
            self.gpu.attempt("copying on the device", |driver| {
                driver.copy(to, from, bytes)
            });
        }
    }

    /// The values, when all is done that makes them; zeros from a device that has failed.
    pub fn to_f32(&self) -> Vec<f32> {
        match self.kind {
            Kind::F16 => self.to_u16().map(|b| f16::from_bits(b).to_f32()).collect(),
            Kind::Bf16 => self.to_u16().map(|b| bf16::from_bits(b).to_f32()).collect(),
            Kind::F32 => {
                let mut values = vec![0.0f32; self.len];
                self.read(as_bytes_mut(&mut values));
                values
            }
            Kind::F64 | Kind::U32 => panic!("no kind of activations"),
        }
    }

    fn to_u16(&self) -> impl Iterator<Item = u16> {
        let mut bits = vec![0u16; self.len];
        self.read(as_bytes_mut(&mut bits));
        bits.into_iter()
    }

    /// The values of a row of numbers.
    pub fn to_u32(&self) -> Vec<u32> {
        assert_eq!(self.kind, Kind::U32);
        let mut values = vec![0u32; self.len];
        self.read(as_bytes_mut(&mut values));
        values
    }

    /// The values of a row of f64.
    pub fn to_f64(&self) -> Vec<f64> {
        assert_eq!(self.kind, Kind::F64);
        let mut values = vec![0.0f64; self.len];
        self.read(as_bytes_mut(&mut values));
        values
    }

    /// Copies values of f32 out.
    pub fn read_into(&self, values: &mut [f32]) {
        assert_eq!(self.len, values.len());
        self.read_part(0, values);
    }

    /// Copies those from the value `first` on out, as many as there is room for.
    pub fn read_part(&self, first: usize, values: &mut [f32]) {
        assert!(self.kind == Kind::F32 && self.len >= first + values.len());
        self.read_from(first * self.kind.bytes(), as_bytes_mut(values));
    }

    fn read(&self, bytes: &mut [u8]) {
        self.read_from(0, bytes);
    }

    fn read_from(&self, first: usize, bytes: &mut [u8]) {
        if !bytes.is_empty() {
            self.gpu.attempt("copying from the device", |driver| {
                driver.copy_out(bytes, self.pointer + first as u64)
            });
        }
    }

    pub fn gpu(&self) -> &Gpu {
        &self.gpu
    }

    pub fn len(&self) -> usize {
        self.len
    }

    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Where the value `index` lies.
    ///
    /// # Panics
    /// When there is none: kernels check nothing.
    pub fn at(&self, index: usize) -> Argument<'_> {
        assert!(index <= self.len);
        (self.pointer + (index * self.kind.bytes()) as u64).into()
    }

    /// A matrix in rows of so many columns, from the value `index` on.
    pub fn matrix(&self, index: usize, columns: usize) -> Operand<'_> {
        Operand {
            place: self.at(index),
            kind: self.kind,
            stride: columns,
            is_transposed: false,
        }
    }
}

impl<'m> From<&'m Memory> for Argument<'m> {
    fn from(memory: &'m Memory) -> Argument<'m> {
        memory.at(0)
    }
}

impl Drop for Memory {
    fn drop(&mut self) {
        self.gpu.give(self.pointer, self.bytes);
    }
}

/// The size that is asked for when so many bytes are wanted: rounded up to an eighth of its power of two, so that batches
/// of slightly different length share, and to what the device aligns to.
fn class(bytes: usize) -> usize {
    let step = (bytes.next_power_of_two() / 16).max(512);
    bytes.div_ceil(step).max(1) * step
}

/// Numbers whose every bit pattern is one.
trait Plain: Copy {}
impl Plain for f32 {}
impl Plain for f64 {}
impl Plain for u16 {}
impl Plain for u32 {}

fn as_bytes<T: Plain>(values: &[T]) -> &[u8] {
    // SAFETY: the bytes of numbers.
    unsafe { std::slice::from_raw_parts(values.as_ptr().cast(), size_of_val(values)) }
}

fn as_bytes_mut<T: Plain>(values: &mut [T]) -> &mut [u8] {
    // SAFETY: the bytes of numbers, any of which make a number.
    unsafe { std::slice::from_raw_parts_mut(values.as_mut_ptr().cast(), size_of_val(values)) }
}
