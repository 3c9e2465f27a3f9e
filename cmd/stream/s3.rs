//! Objects of S3 in the place of files: `s3://bucket/key`.
//!
//! | file | what is in it |
//! |---|---|
//! | `s3/store` | objects, by the crate object_store: the feature `s3` |
//! | `s3/absent` | builds without it: an address is refused, and is never the name of a file |

#[cfg(not(feature = "s3"))]
#[path = "s3/absent.rs"]
mod store;
#[cfg(feature = "s3")]
mod store;

use super::failure::Failure;
use std::path::Path;
pub use store::{Object, Upload, abort_all};

/// What addresses begin with.
const SCHEME: &str = "s3://";

/// Whether a path is an address.
pub fn is_address(path: &Path) -> bool {
    path.as_os_str()
        .as_encoded_bytes()
        .starts_with(SCHEME.as_bytes())
}

/// Whether there is a file or an object.
///
/// # Errors
/// When that cannot be told.
pub fn exists(path: &Path) -> Result<bool, Failure> {
    match is_address(path) {
        true => Object::at(path)?.exists(),
        false => Ok(path.exists()),
    }
}

/// Removes a file or an object.
///
/// # Errors
/// When it cannot be removed.
pub fn remove(path: &Path) -> Result<(), Failure> {
    match is_address(path) {
        true => Object::at(path)?.remove(),
        false => std::fs::remove_file(path)
            .map_err(|error| Failure::of_file(&path.display().to_string(), error.to_string())),
    }
}

/// Refuses an address where there must be a file of this machine, because it is mapped or written in several places.
///
/// # Errors
/// When it is one.
pub fn refuse(path: &Path) -> Result<(), Failure> {
    match is_address(path) {
        false => Ok(()),
        true => Err(Failure::of_file(
            &path.display().to_string(),
            "must be a file or folder of this machine",
        )
        .hint("`aws s3 cp` and `aws s3 sync` copy from S3 and to it")),
    }
}
