//! Folders of PNG and JPEG files.
//!
//! Files count whose names end in .png, .jpg or .jpeg, in folders at any depth, in the order of their paths; hidden ones
//! and others are left out and counted. When every picture lies in a sub-folder, the first one on its way is its class.
//! A link to a folder is followed unless it leads back to where it came from.

use super::decode::{self, DecodeError};
use super::idx::Labels;
use super::open::{Opened, Options, Problem};
use super::picture::Picture;
use super::{Images, ImagesError, Shape, resize};
use crate::spill::Spill;
use rayon::prelude::*;
use std::collections::BTreeSet;
use std::io::Write;
use std::path::{Path, PathBuf};

/// Pictures that are decoded at a time, for each thread: enough to share out, few enough for memory when they are large.
const BATCH: usize = 8;

/// Opens the pictures of a folder.
///
/// # Errors
/// There are none, one cannot be used, or their sizes differ and none is asked for.
pub fn open(folder: &Path, options: &Options) -> Result<Opened, ImagesError> {
    let mut listing = Listing::default();
    listing.add(folder, Path::new(""))?;
    listing.files.sort();
    if listing.files.is_empty() {
        return Err(ImagesError::NoPictures {
            folder: folder.to_owned(),
            left_out: listing.left_out,
        });
    }
    read(folder, &listing.files, listing.left_out, options)
}

/// Opens one picture.
///
/// # Errors
/// It cannot be used.
pub fn open_one(file: &Path, options: &Options) -> Result<Opened, ImagesError> {
    if let Labels::File(_) = options.labels {
        return Err(ImagesError::LabelsOfFolder {
            path: file.to_owned(),
        });
    }
    let picture = picture(file, options).map_err(|error| ImagesError::Picture {
        file: file.to_owned(),
        error,
    })?;
    Ok(Opened {
        images: Images::of_pixels(picture.shape, picture.pixels)?,
        problems: Vec::new(),
        left_out: 0,
    })
}

/// What there is in a folder.
#[derive(Default)]
struct Listing {
    /// Pictures, by their way from the folder.
    files: Vec<PathBuf>,
    left_out: usize,
}

impl Listing {
    fn add(&mut self, root: &Path, way: &Path) -> Result<(), ImagesError> {
        let folder = root.join(way);
        let failure = |error| ImagesError::Io {
            path: folder.clone(),
            error,
        };
        for entry in std::fs::read_dir(&folder).map_err(failure)? {
            let entry = entry.map_err(failure)?;
            let way = way.join(entry.file_name());
            let path = entry.path();
            if entry.file_name().as_encoded_bytes().starts_with(b".") {
                self.left_out += usize::from(!path.is_dir());
            } else if path.is_dir() {
                let is_link = entry.file_type().map_err(failure)?.is_symlink();
                if !(is_link && leads_back(&folder, &path).map_err(failure)?) {
                    self.add(root, &way)?;
                }
            } else if is_picture(&path) {
                self.files.push(way);
            } else {
                self.left_out += 1;
            }
        }
        Ok(())
    }
}

fn leads_back(folder: &Path, link: &Path) -> std::io::Result<bool> {
    Ok(folder.canonicalize()?.starts_with(link.canonicalize()?))
}

fn is_picture(path: &Path) -> bool {
    let ending = path.extension().unwrap_or_default();
    ["png", "jpg", "jpeg"]
        .iter()
        .any(|known| ending.eq_ignore_ascii_case(known))
}

fn read(
    root: &Path,
    files: &[PathBuf],
    left_out: usize,
    options: &Options,
) -> Result<Opened, ImagesError> {
    if let Labels::File(_) = options.labels {
        return Err(ImagesError::LabelsOfFolder {
            path: root.to_owned(),
        });
    }
    let mut pile = Pile::new(options);
    let mut problems = Vec::new();
    let mut kept: Vec<&Path> = Vec::new();
    for batch in files.chunks(BATCH * rayon::current_num_threads()) {
        let pictures: Vec<_> = batch
            .par_iter()
            .map(|way| picture(&root.join(way), options))
            .collect();
        for (way, picture) in batch.iter().zip(pictures) {
            let file = root.join(way);
            match picture {
                Ok(picture) => {
                    pile.check(&file, kept.first().map(|way| root.join(way)), &picture)?;
                    pile.push(picture).map_err(ImagesError::Temporary)?;
                    kept.push(way);
                }
                Err(error) if options.keep_going => problems.push(Problem { file, error }),
                Err(error) => return Err(ImagesError::Broken { file, error }),
            }
        }
    }
    if kept.is_empty() {
        let files = problems.len();
        // There is at least one file, and it is not kept.
        let Problem { file, error } = problems.swap_remove(0);
        return Err(ImagesError::AllBroken {
            folder: root.to_owned(),
            files,
            file,
            error,
        });
    }
    let images = pile.finish()?;
    let images = match classes(&kept) {
        Some((labels, classes)) if options.labels != Labels::None => {
            images.labelled(labels, classes)?
        }
        _ => images,
    };
    Ok(Opened {
        images,
        problems,
        left_out,
    })
}

fn picture(file: &Path, options: &Options) -> Result<Picture, DecodeError> {
    let picture = decode::decode(&std::fs::read(file)?)?;
    let picture = match options.channels {
        Some(channels) => picture.with_channels(channels),
        None => picture,
    };
    let Some(wanted) = options.size else {
        return Ok(picture);
    };
    let has = (picture.shape.height, picture.shape.width);
    if !options.enlarge && (has.0 < wanted.0 || has.1 < wanted.1) {
        return Err(DecodeError::Small { has, wanted });
    }
    Ok(resize::fit(&picture, wanted))
}

/// The class of each picture, and the names of the classes.
fn classes(ways: &[&Path]) -> Option<(Vec<u32>, Vec<String>)> {
    let first = |way: &&Path| {
        let mut steps = way.iter();
        let folder = steps.next()?;
        steps.next().map(|_| folder.to_owned())
    };
    let of: Vec<_> = ways.iter().map(first).collect::<Option<_>>()?;
    let names: Vec<_> = of.iter().collect::<BTreeSet<_>>().into_iter().collect();
    let number = |name| names.binary_search(&name).map(|n| n as u32).ok();
    let labels = of.iter().map(number).collect::<Option<_>>()?;
    let names = names.iter().map(|name| name.to_string_lossy().into_owned());
    Some((labels, names.collect()))
}

/// Pictures of one size; grey until the first one with colours comes.
struct Pile {
    spill: Spill,
    shape: Option<Shape>,
    memory: u64,
}

impl Pile {
    fn new(options: &Options) -> Pile {
        Pile {
            spill: Spill::new(options.memory),
            shape: None,
            memory: options.memory,
        }
    }

    fn check(
        &self,
        file: &Path,
        first: Option<PathBuf>,
        picture: &Picture,
    ) -> Result<(), ImagesError> {
        let size = |shape: Shape| (shape.height, shape.width);
        match (self.shape.map(size), first) {
            (Some(shape), Some(first)) if shape != size(picture.shape) => Err(ImagesError::Sizes {
                first,
                second: file.to_owned(),
                sizes: [shape, size(picture.shape)],
            }),
            _ => Ok(()),
        }
    }

    fn push(&mut self, picture: Picture) -> std::io::Result<()> {
        let shape = *self.shape.get_or_insert(picture.shape);
        if picture.shape.channels > shape.channels {
            self.colour()?;
            self.shape = Some(picture.shape);
        }
        let channels = shape.channels.max(picture.shape.channels);
        self.spill
            .write_all(&picture.with_channels(channels).pixels)
    }

    /// Three equal channels for what was grey until now.
    fn colour(&mut self) -> std::io::Result<()> {
        let grey = std::mem::replace(&mut self.spill, Spill::new(self.memory)).finish()?;
        for part in grey.as_slice().chunks(1 << 16) {
            let three: Vec<u8> = part.iter().flat_map(|&pixel| [pixel; 3]).collect();
            self.spill.write_all(&three)?;
        }
        Ok(())
    }

    fn finish(self) -> Result<Images, ImagesError> {
        let pixels = self.spill.finish().map_err(ImagesError::Temporary)?;
        Images::new(self.shape.ok_or(ImagesError::NoPixels)?, pixels, 0)
    }
}

#[cfg(test)]
mod tests;
