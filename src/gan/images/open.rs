//! Images from a path of any kind.
//!
//! | path | images |
//! |---|---|
//! | an IDX file, plain or compressed | its own, labels from the file beside it |
//! | a folder with such a file (`train-images…` before others) | the same |
//! | another folder | its PNG and JPEG files, sub-folders as classes |
//! | a PNG or JPEG file | one |
//!
//! Files are known by their first bytes.

use super::decode::{self, DecodeError};
use super::idx::{self, Labels};
use super::picture::Picture;
use super::{Images, ImagesError, Shape, folder, resize};
use crate::spill::Spill;
use std::fs::File;
use std::io::{ErrorKind, Read, Write};
use std::path::{Path, PathBuf};

/// How images should become.
#[derive(Clone, Debug)]
pub struct Options {
    /// Height and width; without it images stay as they are, and must be of one size.
    pub size: Option<(usize, usize)>,
    /// 1 or 3; without it 1 if all images are grey, else 3.
    pub channels: Option<usize>,
    /// Blows up what is smaller than `size`, which is otherwise refused.
    pub enlarge: bool,
    /// Leaves out pictures that cannot be used, and tells them as problems.
    pub keep_going: bool,
    pub labels: Labels,
    /// So many bytes of pixels stay in memory, more go to a temporary file.
    pub memory: u64,
}

impl Default for Options {
    fn default() -> Options {
        Options {
            size: None,
            channels: None,
            enlarge: false,
            keep_going: false,
            labels: Labels::Beside,
            memory: 1 << 30,
        }
    }
}

/// Images, and what is not among them.
pub struct Opened {
    pub images: Images,
    /// The pictures that cannot be used, in order.
    pub problems: Vec<Problem>,
    /// How many files are no pictures by their name, or hidden.
    pub left_out: usize,
}

/// A picture that cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("{}: {error}", file.display())]
pub struct Problem {
    pub file: PathBuf,
    pub error: DecodeError,
}

/// Opens what a path names.
///
/// # Errors
/// There is nothing, nothing that holds images, or what holds them is broken.
pub fn open(path: &Path, options: &Options) -> Result<Opened, ImagesError> {
    let metadata = std::fs::metadata(path).map_err(|error| match error.kind() {
        ErrorKind::NotFound => ImagesError::Missing {
            path: path.to_owned(),
        },
        _ => failure(path, error),
    })?;
    if metadata.is_dir() {
        return match idx_inside(path)? {
            Some(file) => open_idx(&file, options),
            None => folder::open(path, options),
        };
    }
    if metadata.is_file() {
        let mut head = Vec::new();
        let file = File::open(path).map_err(|error| failure(path, error))?;
        file.take(4)
            .read_to_end(&mut head)
            .map_err(|error| failure(path, error))?;
        if head.starts_with(decode::PNG) || head.starts_with(decode::JPEG) {
            return folder::open_one(path, options);
        }
        let is_idx = [idx::GZIP, idx::ZSTD, &[0, 0]];
        if !is_idx.iter().any(|magic| head.starts_with(magic)) {
            return Err(ImagesError::Unknown {
                file: path.to_owned(),
            });
        }
    }
    open_idx(path, options)
}

/// The first file of a folder with images of the MNIST family, those for training before others.
fn idx_inside(folder: &Path) -> Result<Option<PathBuf>, ImagesError> {
    let mut best = None;
    for entry in std::fs::read_dir(folder).map_err(|error| failure(folder, error))? {
        let path = entry.map_err(|error| failure(folder, error))?.path();
        let name = path
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        let is_idx = name.contains("images") && name.contains("idx") && !name.starts_with('.');
        if is_idx && path.is_file() {
            let rank = (!name.starts_with("train"), name, path);
            best = Some(best.map_or_else(|| rank.clone(), |best| rank.clone().min(best)));
        }
    }
    Ok(best.map(|(.., path)| path))
}

fn open_idx(file: &Path, options: &Options) -> Result<Opened, ImagesError> {
    let images = idx::open(file, &options.labels, options.memory)?;
    Ok(Opened {
        images: fitted(images, file, options)?,
        problems: Vec::new(),
        left_out: 0,
    })
}

/// Images in the size and with the channels that are asked for.
fn fitted(images: Images, file: &Path, options: &Options) -> Result<Images, ImagesError> {
    let has = (images.shape.height, images.shape.width);
    let wanted = options.size.unwrap_or(has);
    let channels = options.channels.unwrap_or(images.shape.channels);
    if (wanted, channels) == (has, images.shape.channels) {
        return Ok(images);
    }
    if !options.enlarge && (has.0 < wanted.0 || has.1 < wanted.1) {
        return Err(ImagesError::Small {
            file: file.to_owned(),
            has,
            wanted,
        });
    }
    let mut spill = Spill::new(options.memory);
    for number in 0..images.len() {
        let picture = Picture {
            shape: images.shape,
            pixels: images.image(number).to_vec(),
        };
        let picture = resize::fit(&picture.with_channels(channels), wanted);
        spill
            .write_all(&picture.pixels)
            .map_err(ImagesError::Temporary)?;
    }
    let shape = Shape {
        height: wanted.0,
        width: wanted.1,
        channels,
    };
    let pixels = spill.finish().map_err(ImagesError::Temporary)?;
    Ok(Images {
        labels: images.labels,
        classes: images.classes,
        ..Images::new(shape, pixels, 0)?
    })
}

fn failure(path: &Path, error: std::io::Error) -> ImagesError {
    ImagesError::Io {
        path: path.to_owned(),
        error,
    }
}

#[cfg(test)]
mod tests;
