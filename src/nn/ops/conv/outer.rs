//! The gradient of a window's weights: sums of outer products over all places of all images.
//!
//! ```text
//! G[o, j] = G[o, j] + Σ_r Y[r, o] · S(X)[r, j]
//! ```
//!
//! Columns j are cut into panels of 32, each a task that sums over r in order: the bytes are the same on one thread and
//! on many. Where there are few panels and many rows, the rows are cut into eight parts, too.

use super::Window;
use crate::nn::buffer::Buffer;
use crate::nn::matmul::{Into, PANEL, Shared, Tile};
use crate::simd::{Lanes, Level, dispatch};
use rayon::prelude::*;

/// Rows that are worked on together: a panel so long fills half of the first cache.
const CHUNK: usize = 128;

/// Parts of the rows where there are few panels.
const PARTS: usize = 8;

/// What all tasks read.
#[derive(Clone, Copy)]
struct Sides<'a> {
    window: Window,
    y: &'a [f32],
    images: &'a [f32],
    /// Columns of Y.
    n: usize,
}

/// Adds to G (n, values seen), given Y (places, n) and the images.
///
/// # Panics
/// When the shapes do not go together.
pub fn add(window: Window, y: &[f32], images: &[f32], g: &mut [f32]) {
    let k = window.values();
    let (n, places) = (g.len() / k, images.len() / window.image() * window.count());
    assert!(
        g.len() == n * k && y.len() == places * n && images.len().is_multiple_of(window.image())
    );
    if y.is_empty() {
        return;
    }
    let sides = Sides {
        window,
        y,
        images,
        n,
    };
    let panels = k.div_ceil(PANEL);
    if panels >= PARTS || places < PARTS * CHUNK {
        return panels_of(sides, 0..places, g);
    }
    let size = places.div_ceil(PARTS);
    // Of this thread alone: what several threads took and one gave back would never be taken again.
    let mut parts = Buffer::zeros(PARTS * n * k);
    parts
        .par_chunks_mut(n * k)
        .enumerate()
        .for_each(|(i, part)| {
            let rows = (i * size).min(places)..((i + 1) * size).min(places);
            panels_of(sides, rows, part);
        });
    for part in parts.chunks_exact(n * k) {
        g.iter_mut().zip(part).for_each(|(g, p)| *g += p);
    }
}

fn panels_of(sides: Sides, rows: std::ops::Range<usize>, g: &mut [f32]) {
    let k = sides.window.values();
    let columns = Shared::of(g);
    (0..k.div_ceil(PANEL)).into_par_iter().for_each(|j| {
        let mut panel = Buffer::of(CHUNK * PANEL);
        // SAFETY: the shapes were checked in `add`, this task alone writes these columns, and the level is that of
        // this processor.
        unsafe {
            let to = columns.at(j * PANEL);
            panel_of(
                Level::best(),
                sides,
                rows.clone(),
                j * PANEL,
                to,
                &mut panel,
            );
        }
    });
}

dispatch!(unsafe fn panel_of(
    sides: Sides, rows: std::ops::Range<usize>, first: usize, g: *mut f32, panel: &mut [f32]
) = panel_in);

/// # Safety
/// Y and the images have all rows, `g` points to column `first` of G, `panel` is a chunk.
#[inline(always)]
unsafe fn panel_in<L: Lanes>(
    sides: Sides,
    rows: std::ops::Range<usize>,
    first: usize,
    g: *mut f32,
    panel: &mut [f32],
) {
    let Sides { window, n, .. } = sides;
    let (k, count, size) = (window.values(), window.count(), window.image());
    let (width, tall) = (PANEL.min(k - first), if L::REGISTERS < 32 { 6 } else { 8 });
    for start in rows.clone().step_by(CHUNK) {
        let depth = CHUNK.min(rows.end - start);
        for (r, to) in panel.as_chunks_mut::<PANEL>().0[..depth]
            .iter_mut()
            .enumerate()
        {
            let (image, place) = ((start + r) / count, (start + r) % count);
            let image = &sides.images[image * size..][..size];
            if window.is_whole() {
                let row = &image[place * k + first..][..width];
                match row.first_chunk::<PANEL>() {
                    // A copy of known length is two registers, not a call.
                    Some(row) => *to = *row,
                    None => to[..width].copy_from_slice(row),
                }
            } else {
                window.look(image, place, first..first + width, to);
            }
        }
        for i in (0..n).step_by(tall) {
            let tile = Tile {
                a: sides.y[start * n + i..].as_ptr(),
                a_row: 1,
                a_step: n,
                b: panel.as_ptr(),
                b_step: PANEL,
                depth,
            };
            // SAFETY: as the caller promised; past `width` the panel holds old values, which are not kept.
            unsafe { tile.run::<L>((tall.min(n - i), width), g.add(i * k), k, Into::Add) };
        }
    }
}
