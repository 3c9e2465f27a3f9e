//! IDX files, the format of MNIST and its relatives (LeCun, Cortes and Burges 1998), plain or as .gz or .zst.
//!
//! ```text
//! 0  0  type  d      type 8 is u8, the only one that images have; d dimensions
//! n₁ … n_d           u32 each, the highest byte first: count, height, width, and channels when d is 4
//! values             the last dimension changes fastest
//! ```
//!
//! A plain file is mapped, not read; a compressed one is unpacked into memory, or into a temporary file when it is large.

use super::{Images, ImagesError, Shape};
use crate::spill::{Bytes, Spill};
use memmap2::Mmap;
use std::fs::File;
use std::io::{Cursor, ErrorKind, Read};
use std::path::{Path, PathBuf};

pub const GZIP: &[u8] = &[0x1f, 0x8b];
pub const ZSTD: &[u8] = &[0x28, 0xb5, 0x2f, 0xfd];

/// Why a file is no IDX file of images or labels.
#[derive(Debug, thiserror::Error)]
pub enum IdxError {
    #[error("no IDX file: it begins with {0:02x?}")]
    Magic(Vec<u8>),
    #[error("ends within its header")]
    Header,
    #[error("holds numbers of type {0}, images and labels are u8")]
    Type(String),
    #[error("has {found} dimension{}, {expected}", if *found == 1 { "" } else { "s" })]
    Dimensions { found: u8, expected: &'static str },
    #[error("images have {0} channels, only 1 and 3 are known (count × height × width × channels)")]
    Channels(usize),
    #[error("holds no images, or images of no size: its dimensions are {0:?}")]
    Empty(Vec<usize>),
    #[error("cut short: the header promises {expected} bytes of values, there are {found}")]
    Short { expected: u64, found: u64 },
    #[error("{} bytes are left over: the header promises {expected} bytes of values, there are {found}", found - expected)]
    Long { expected: u64, found: u64 },
    #[error("the compressed data end too early: the file is cut short")]
    Cut,
    #[error("{0}")]
    Io(std::io::Error),
}

/// Where the labels of an IDX file of images come from.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Labels {
    /// From the file that lies beside it under the usual name, if there is one: `train-images-idx3-ubyte.gz` has
    /// `train-labels-idx1-ubyte.gz`, compressed or not.
    #[default]
    Beside,
    File(PathBuf),
    None,
}

/// Opens a file of images, with up to `memory` bytes of them in memory.
///
/// # Errors
/// It is broken, or its labels are, or are not as many.
pub fn open(file: &Path, labels: &Labels, memory: u64) -> Result<Images, ImagesError> {
    let values = Values::of(file, memory)?;
    let (height, width, channels) = match values.dimensions[..] {
        [_, height, width] => (height, width, 1),
        [_, height, width, channels @ (1 | 3)] => (height, width, channels),
        [_, _, _, channels] => return Err(failure(file, IdxError::Channels(channels))),
        _ => {
            let expected = "images have 3 (count, height, width), or 4 (and channels)";
            return Err(failure(file, values.dimensions_other_than(expected)));
        }
    };
    if values.dimensions.contains(&0) {
        return Err(failure(file, IdxError::Empty(values.dimensions)));
    }
    let shape = Shape {
        height,
        width,
        channels,
    };
    let images = Images::new(shape, values.bytes, values.start)?;
    let beside = match labels {
        Labels::Beside => beside(file),
        Labels::File(name) => Some(name.clone()),
        Labels::None => None,
    };
    let Some(name) = beside else {
        return Ok(images);
    };
    let labels = read_labels(&name)?;
    if labels.len() != images.len() {
        return Err(ImagesError::LabelFile {
            file: name,
            labels: labels.len(),
            of: file.to_owned(),
            images: images.len(),
        });
    }
    let classes = labels.iter().max().map_or(0, |max| max + 1);
    images.labelled(
        labels,
        (0..classes).map(|class| class.to_string()).collect(),
    )
}

/// The labels of a file.
///
/// # Errors
/// It is broken.
pub fn read_labels(file: &Path) -> Result<Vec<u32>, ImagesError> {
    let values = Values::of(file, u64::MAX)?;
    if values.dimensions.len() != 1 {
        return Err(failure(
            file,
            values.dimensions_other_than("labels have 1 (count)"),
        ));
    }
    let bytes = &values.bytes.as_slice()[values.start..];
    Ok(bytes.iter().map(|&label| u32::from(label)).collect())
}

/// The file of labels that lies beside a file of images.
fn beside(images: &Path) -> Option<PathBuf> {
    let name = images.file_name()?.to_str()?;
    if !name.contains("images") {
        return None;
    }
    let same = (name.replacen("images", "labels", 1)).replace("idx3", "idx1");
    let same = same.replace("idx4", "idx1");
    let stem = same.trim_end_matches(".gz").trim_end_matches(".zst");
    let names = [
        same.clone(),
        stem.to_owned(),
        format!("{stem}.gz"),
        format!("{stem}.zst"),
    ];
    (names.iter().map(|name| images.with_file_name(name))).find(|file| file.is_file())
}

/// The u8 values of an IDX file.
struct Values {
    dimensions: Vec<usize>,
    bytes: Bytes,
    /// Where they begin in `bytes`.
    start: usize,
}

impl Values {
    fn of(file: &Path, memory: u64) -> Result<Values, ImagesError> {
        Values::read(file, memory).map_err(|error| match error {
            // A file that is only read needs no room; what it is unpacked into does.
            IdxError::Io(error) if error.kind() == ErrorKind::StorageFull => {
                ImagesError::Temporary(error)
            }
            // The same words for a file that cannot be opened, whatever it should hold.
            IdxError::Io(error) => ImagesError::Io {
                path: file.to_owned(),
                error,
            },
            error => failure(file, error),
        })
    }

    fn read(path: &Path, memory: u64) -> Result<Values, IdxError> {
        let mut file = File::open(path).map_err(IdxError::Io)?;
        let mut head = Vec::new();
        let read = file.by_ref().take(4).read_to_end(&mut head);
        read.map_err(IdxError::Io)?;
        let is_packed = head.starts_with(GZIP) || head == ZSTD;
        if !is_packed && file.metadata().map_err(IdxError::Io)?.is_file() {
            return Values::map(&file);
        }
        let is_gzip = head.starts_with(GZIP);
        let stream = Cursor::new(head).chain(file);
        if !is_packed {
            Values::unpack(stream, memory)
        } else if is_gzip {
            Values::unpack(flate2::read::MultiGzDecoder::new(stream), memory)
        } else {
            let stream = zstd::stream::read::Decoder::new(stream).map_err(IdxError::Io)?;
            Values::unpack(stream, memory)
        }
    }

    fn map(file: &File) -> Result<Values, IdxError> {
        // SAFETY: the map is only read. A file that another process changes in place while it is mapped could show
        // other bytes at each look; no byte of the values is used as an index or a length, and labels are copied.
        let map = unsafe { Mmap::map(file) }.map_err(IdxError::Io)?;
        let dimensions = header(&mut &map[..])?;
        let start = 4 + 4 * dimensions.len();
        check(promised(&dimensions), (map.len() - start) as u64)?;
        Ok(Values {
            dimensions,
            bytes: Bytes::Mapped(map),
            start,
        })
    }

    fn unpack(mut stream: impl Read, memory: u64) -> Result<Values, IdxError> {
        let early = |error: std::io::Error| match error.kind() {
            ErrorKind::UnexpectedEof => IdxError::Cut,
            _ => IdxError::Io(error),
        };
        let dimensions = header(&mut stream)?;
        let expected = promised(&dimensions);
        let mut spill = Spill::new(memory);
        let found = std::io::copy(&mut stream.by_ref().take(expected), &mut spill);
        let found = found.map_err(early)?;
        let rest = std::io::copy(&mut stream, &mut std::io::sink()).map_err(early)?;
        check(expected, found + rest)?;
        Ok(Values {
            dimensions,
            bytes: spill.finish().map_err(IdxError::Io)?,
            start: 0,
        })
    }

    fn dimensions_other_than(&self, expected: &'static str) -> IdxError {
        IdxError::Dimensions {
            found: self.dimensions.len() as u8,
            expected,
        }
    }
}

/// The dimensions.
fn header(input: &mut impl Read) -> Result<Vec<usize>, IdxError> {
    let mut head = Vec::new();
    let magic = input.take(4).read_to_end(&mut head);
    magic.map_err(|error| match error.kind() {
        ErrorKind::UnexpectedEof => IdxError::Cut,
        _ => IdxError::Io(error),
    })?;
    let count = match head[..] {
        [0, 0, 8, count @ 1..=255] => count,
        [0, 0, kind, 1..=255] => return Err(IdxError::Type(name_of(kind))),
        _ => return Err(IdxError::Magic(head)),
    };
    let mut number = [0; 4];
    (0..count)
        .map(|_| {
            input
                .read_exact(&mut number)
                .map_err(|_| IdxError::Header)?;
            Ok(u32::from_be_bytes(number) as usize)
        })
        .collect()
}

fn name_of(kind: u8) -> String {
    match kind {
        0x09 => "i8".to_owned(),
        0x0b => "i16".to_owned(),
        0x0c => "i32".to_owned(),
        0x0d => "f32".to_owned(),
        0x0e => "f64".to_owned(),
        other => format!("0x{other:02x}"),
    }
}

/// The bytes that the dimensions ask for.
fn promised(dimensions: &[usize]) -> u64 {
    (dimensions.iter()).fold(1, |product: u64, &n| product.saturating_mul(n as u64))
}

fn check(expected: u64, found: u64) -> Result<(), IdxError> {
    match found.cmp(&expected) {
        std::cmp::Ordering::Less => Err(IdxError::Short { expected, found }),
        std::cmp::Ordering::Equal => Ok(()),
        std::cmp::Ordering::Greater => Err(IdxError::Long { expected, found }),
    }
}

fn failure(file: &Path, error: IdxError) -> ImagesError {
    ImagesError::Idx {
        file: file.to_owned(),
        error,
    }
}

#[cfg(test)]
mod tests;
