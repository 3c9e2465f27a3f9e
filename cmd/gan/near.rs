//! The real images that are nearest to made ones, and a picture of both.

use super::pictures::png;
use anyhow::Result;
use wordmill::gan::images::grid::Grid;
use wordmill::gan::images::{Images, Shape};
use wordmill::gan::measure::Points;
use wordmill::gan::measure::copies::{Copies, Neighbour, copies, nearest};
use wordmill::gan::measure::floor::{choose, halves};

/// What was found near made images.
pub struct Near {
    pub copies: Copies,
    /// The nearest of each made image, among the real ones of a half.
    pub near: Vec<Neighbour>,
    pub half: Vec<usize>,
}

/// The real images that are nearest to made ones: among half of them, so that the other half tells how near others are.
pub fn near(real: &[f32], made: &[f32], dim: usize) -> Result<Option<Near>> {
    /// Images of each that are looked at: the work grows with their product.
    const MOST: usize = 5000;
    let points = Points::new(real, dim)?;
    let [half, other] = halves(points.n(), 1);
    let (half, other) = (
        &half[..half.len().min(MOST)],
        &other[..other.len().min(MOST)],
    );
    if half.is_empty() || other.is_empty() || made.is_empty() {
        return Ok(None);
    }
    let (first, second) = (choose(&points, half), choose(&points, other));
    let (first, second) = (Points::new(&first, dim)?, Points::new(&second, dim)?);
    let near = nearest(&Points::new(made, dim)?.first(MOST), &first, || ())?;
    let held_out = nearest(&second, &first, || ())?;
    Ok(Some(Near {
        copies: copies(&near, &held_out)?,
        near,
        half: half.to_vec(),
    }))
}

/// The made images that are nearest to real ones, each with its own at the right.
pub fn pairs(
    shape: Shape,
    images: &Images,
    (chosen, half): (&[usize], &[usize]),
    made: &[u8],
    near: &[Neighbour],
) -> Result<Vec<u8>> {
    const PAIRS: usize = 32;
    let mut order: Vec<usize> = (0..near.len()).collect();
    order.sort_by(|a, b| near[*a].distance.total_cmp(&near[*b].distance));
    let values = shape.values();
    let both = order.iter().take(PAIRS).flat_map(|i| {
        let own = &made[i * values..(i + 1) * values];
        [own, images.image(chosen[half[near[*i].index]])]
    });
    let both: Vec<&[u8]> = both.collect();
    let grid = Grid {
        columns: Some(8),
        ..Grid::default()
    };
    png(&grid.draw(shape, &both))
}
