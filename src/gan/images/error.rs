//! What can go wrong with images.

use super::decode::DecodeError;
use super::idx::IdxError;
use std::path::PathBuf;

/// What can go wrong with images.
#[derive(Debug, thiserror::Error)]
pub enum ImagesError {
    /// A file or folder could not be read.
    #[error("{}: {error}", path.display())]
    Io {
        path: PathBuf,
        error: std::io::Error,
    },
    /// A temporary file could not be written or read.
    #[error("temporary file: {0}")]
    Temporary(std::io::Error),
    /// There is nothing.
    #[error("{}: no such file or folder", path.display())]
    Missing { path: PathBuf },
    /// A file does not follow the IDX format.
    #[error("{}: {error}", file.display())]
    Idx { file: PathBuf, error: IdxError },
    /// A file of labels for other images.
    #[error(
        "{}: {labels} labels, but {} has {images} images", file.display(), of.display()
    )]
    LabelFile {
        file: PathBuf,
        labels: usize,
        of: PathBuf,
        images: usize,
    },
    /// Labels were named for images whose classes are folders.
    #[error("{}: only IDX files take a file of labels; here the sub-folders are the classes", path.display())]
    LabelsOfFolder { path: PathBuf },
    /// The only picture cannot be used.
    #[error("{}: {error}", file.display())]
    Picture { file: PathBuf, error: DecodeError },
    /// A picture of a folder cannot be used.
    #[error("{}: {error}; to go on without such files: --keep-going", file.display())]
    Broken { file: PathBuf, error: DecodeError },
    /// None of the pictures of a folder can be used.
    #[error("{}: none of its {files} pictures can be used, the first for this: {}: {error}", folder.display(), file.display())]
    AllBroken {
        folder: PathBuf,
        files: usize,
        file: PathBuf,
        error: DecodeError,
    },
    /// Pictures of different sizes, and no size to bring them to.
    #[error(
        "pictures differ in size: {} has {} × {} pixels, {} has {} × {} (height × width); \
         to bring all to one size: --size", first.display(), sizes[0].0, sizes[0].1, second.display(), sizes[1].0, sizes[1].1
    )]
    Sizes {
        first: PathBuf,
        second: PathBuf,
        /// Height and width.
        sizes: [(usize, usize); 2],
    },
    /// Images of an IDX file that are smaller than they should get.
    #[error(
        "{}: images of {} × {} pixels are smaller than {} × {}; to blow them up: --enlarge",
        file.display(), has.0, has.1, wanted.0, wanted.1
    )]
    Small {
        file: PathBuf,
        has: (usize, usize),
        wanted: (usize, usize),
    },
    /// A folder without pictures.
    #[error(
        "{}: no PNG or JPEG files{}", folder.display(), others(*left_out)
    )]
    NoPictures { folder: PathBuf, left_out: usize },
    /// A file of no known kind.
    #[error("{}: neither an IDX file nor a PNG or JPEG picture", file.display())]
    Unknown { file: PathBuf },
    /// No image at all, or images without pixels.
    #[error("no images, or images of no size")]
    NoPixels,
    /// Bytes that are not a whole number of images.
    #[error("{found} bytes are not a whole number of images of {values} bytes")]
    Pixels { found: usize, values: usize },
    #[error("{labels} labels for {images} images")]
    Labels { labels: usize, images: usize },
    #[error("label {label}, but there are {classes} classes")]
    Class { label: u32, classes: usize },
    /// A frame that is smaller than what it should hold.
    #[error("images of {} × {} pixels do not fit into {} × {}", inner.0, inner.1, outer.0, outer.1)]
    Frame {
        inner: (usize, usize),
        outer: (usize, usize),
    },
}

fn others(left_out: usize) -> String {
    match left_out {
        0 => String::new(),
        1 => " (1 file of another kind)".to_owned(),
        n => format!(" ({n} files of other kinds)"),
    }
}
