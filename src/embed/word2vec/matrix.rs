//! Rows of f32 that several threads train at once.

use crate::random::Random;
use crate::simd::padded;
use memmap2::MmapMut;

/// A matrix in pages of its own: rows begin at cache lines, and large pages save most look-ups of addresses.
pub struct Matrix {
    pages: MmapMut,
    rows: usize,
    dim: usize,
    stride: usize,
}

impl Matrix {
    /// (rows, dim) zeros.
    ///
    /// # Errors
    /// There is not so much memory.
    pub fn new(rows: usize, dim: usize) -> std::io::Result<Matrix> {
        let stride = padded(dim);
        let bytes = (rows * stride * 4).max(1);
        let pages = MmapMut::map_anon(bytes)?;
        #[cfg(target_os = "linux")]
        if bytes >= 1 << 22 {
            // Kernels without large pages refuse; nothing is lost then but speed.
            let _ = pages.advise(memmap2::Advice::HugePage);
        }
        Ok(Matrix {
            pages,
            rows,
            dim,
            stride,
        })
    }

    /// Fills the rows with numbers from −½/dim to ½/dim, as word2vec begins.
    pub fn fill(&mut self, random: &mut Random) {
        let (dim, stride) = (self.dim, self.stride);
        for row in self.values_mut().chunks_exact_mut(stride) {
            for value in &mut row[..dim] {
                *value = (random.unit() - 0.5) / dim as f32;
            }
        }
    }

    pub fn rows(&self) -> usize {
        self.rows
    }

    pub fn dim(&self) -> usize {
        self.dim
    }

    /// Values from one row to the next.
    pub fn stride(&self) -> usize {
        self.stride
    }

    /// (rows, stride), row by row.
    pub fn values(&self) -> &[f32] {
        let length = self.rows * self.stride;
        // SAFETY: pages are aligned and hold so many values, each a number whatever its bits; trainers keep no pointer
        // past the borrow of the matrix that `shared` gave out.
        unsafe { std::slice::from_raw_parts(self.pages.as_ptr().cast(), length) }
    }

    pub fn values_mut(&mut self) -> &mut [f32] {
        let length = self.rows * self.stride;
        // SAFETY: as above, and `self` is borrowed mutably.
        unsafe { std::slice::from_raw_parts_mut(self.pages.as_mut_ptr().cast(), length) }
    }

    /// The values, in this machine's order of bytes.
    pub fn bytes(&self) -> &[u8] {
        &self.pages[..self.rows * self.stride * 4]
    }

    /// Takes over values of the same number of rows.
    pub fn set_bytes(&mut self, bytes: &[u8]) {
        self.pages[..bytes.len()].copy_from_slice(bytes);
    }

    /// For threads to train on.
    pub fn shared(&mut self) -> Shared<'_> {
        Shared {
            start: self.pages.as_mut_ptr().cast(),
            rows: self.rows,
            stride: self.stride,
            matrix: std::marker::PhantomData,
        }
    }
}

/// The rows of a matrix, without claim to any of them.
#[derive(Clone, Copy)]
pub struct Shared<'a> {
    start: *mut f32,
    rows: usize,
    stride: usize,
    matrix: std::marker::PhantomData<&'a mut Matrix>,
}

// SAFETY: threads read and write rows by pointer only, without locks, as the head of `kernel` argues.
unsafe impl Send for Shared<'_> {}
// SAFETY: as above.
unsafe impl Sync for Shared<'_> {}

impl Shared<'_> {
    /// The first value of a row.
    #[inline(always)]
    pub fn row(&self, row: u32) -> *mut f32 {
        debug_assert!((row as usize) < self.rows);
        self.start.wrapping_add(row as usize * self.stride)
    }

    pub fn stride(&self) -> usize {
        self.stride
    }
}
