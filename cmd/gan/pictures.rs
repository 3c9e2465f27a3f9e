//! Pictures of samples: grids of images, points of the plane.

use super::source::{Made, Source};
use anyhow::Result;
use wordmill::gan::images::grid::Grid;
use wordmill::gan::images::picture::Picture;
use wordmill::gan::images::scatter::scatter;

/// Images in a grid, or points beside real ones; nothing of rows.
pub fn picture(source: &Source, made: &Made) -> Option<Picture> {
    match made {
        Made::Images { shape, pixels } => {
            let images: Vec<&[u8]> = pixels.chunks_exact(shape.values()).collect();
            Some(Grid::default().draw(*shape, &images))
        }
        Made::Points(points) => Some(scatter(source.points(), points)),
        Made::Rows(_) => None,
    }
}

/// The bytes of a PNG file.
pub fn png(picture: &Picture) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    picture.write_png(&mut bytes)?;
    Ok(bytes)
}
