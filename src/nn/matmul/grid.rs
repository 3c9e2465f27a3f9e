//! Products of few rows and many columns, cut both ways among threads.

use super::{Into, PANEL, Panels, Rows, multiply_all, multiply_columns};
use rayon::prelude::*;

/// C (m, n) = A (m, k) · B (k, n) on all threads, each with rows and columns of its own; the rows of C stand together.
///
/// # Panics
/// When a slice is shorter than the shapes say.
pub fn multiply_grid(a: Rows, m: usize, b: &Panels, c: &mut [f32], into: Into) {
    /// Rows and panels of a task.
    const TASK: (usize, usize) = (64, 4);
    let panels = b.n.div_ceil(PANEL);
    if m > 4 * TASK.0 || panels <= TASK.1 || b.k == 0 {
        return multiply_all(a, m, b, c, into);
    }
    if m == 0 {
        return;
    }
    assert!(c.len() >= m * b.n);
    let to = Shared::of(c);
    (0..panels.div_ceil(TASK.1) * m.div_ceil(TASK.0))
        .into_par_iter()
        .for_each(|task| {
            let (i, j) = (task % m.div_ceil(TASK.0), task / m.div_ceil(TASK.0));
            let first = i * TASK.0;
            let values = &a.values[first * a.stride..];
            let own = j * TASK.1..panels.min((j + 1) * TASK.1);
            let rows = TASK.0.min(m - first);
            // SAFETY: C was checked above, and every task writes rows or columns of its own.
            unsafe {
                let c = to.at(first * b.n + own.start * PANEL);
                multiply_columns(Rows { values, ..a }, rows, b, own, c, b.n, into);
            }
        });
}

/// Memory that tasks write parts of, each its own.
pub struct Shared(*mut f32);

// SAFETY: whoever writes says that no two tasks write the same.
unsafe impl Sync for Shared {}

impl Shared {
    pub fn of(values: &mut [f32]) -> Shared {
        Shared(values.as_mut_ptr())
    }

    /// The n-th value.
    ///
    /// # Safety
    /// It lies within the memory.
    pub unsafe fn at(&self, n: usize) -> *mut f32 {
        // SAFETY: the caller's promise.
        unsafe { self.0.add(n) }
    }
}
