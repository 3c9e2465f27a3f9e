//! Files of tensors, in safetensors, with a checksum over all of them.

use super::{FolderError, damaged, io};
use safetensors::tensor::{Dtype, SafeTensors, TensorView};
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use std::io::Write;
use std::path::Path;

const FORMAT: &str = "wordmill-run";
const VERSION: u32 = 1;

/// What a file of tensors says about itself, as JSON under the key `wordmill`.
#[derive(Serialize, Deserialize)]
struct Header {
    format: String,
    version: u32,
    /// Of all tensors, in the model's order.
    checksum: u32,
}

/// Tensors by name, for a file.
pub type Tensors<'a> = Vec<(String, (usize, usize), &'a [f32])>;

/// Vectors have one dimension in the file, matrices two.
fn shape((rows, columns): (usize, usize)) -> Vec<usize> {
    if rows == 1 {
        vec![columns]
    } else {
        vec![rows, columns]
    }
}

/// Writes a file of tensors.
///
/// # Errors
/// When the disk does not take it.
pub fn write_tensors(path: &Path, tensors: Tensors) -> std::io::Result<()> {
    let bytes: Vec<Vec<u8>> = tensors
        .iter()
        .map(|(_, _, values)| {
            values
                .iter()
                .flat_map(|value| value.to_le_bytes())
                .collect()
        })
        .collect();
    let mut crc = crc32fast::Hasher::new();
    bytes.iter().for_each(|bytes| crc.update(bytes));
    let header = Header {
        format: FORMAT.to_owned(),
        version: VERSION,
        checksum: crc.finalize(),
    };
    // One key: the order of several would change from run to run.
    let meta = HashMap::from([("wordmill".to_owned(), serde_json::to_string(&header)?)]);
    let views: Result<Vec<_>, _> = (tensors.iter().zip(&bytes))
        .map(|((name, sizes, _), bytes)| {
            Ok((
                name.clone(),
                TensorView::new(Dtype::F32, shape(*sizes), bytes)?,
            ))
        })
        .collect();
    let whole = views.and_then(|views| safetensors::serialize(views, Some(meta)));
    let whole = whole.map_err(|error| std::io::Error::other(error.to_string()))?;
    let mut file = std::fs::File::create(path)?;
    file.write_all(&whole)?;
    file.sync_all()
}

/// Rows of a matrix in a file of tensors.
///
/// # Errors
/// When the file is damaged, or has no such matrix.
pub fn rows_of(path: &Path, name: &str) -> Result<usize, FolderError> {
    let bytes = std::fs::read(path).map_err(|error| io(path, error))?;
    let tensors =
        SafeTensors::deserialize(&bytes).map_err(|error| damaged(path, &error.to_string()))?;
    let tensor = tensors.tensor(name);
    let shape = tensor.map(|tensor| tensor.shape().to_vec());
    match shape.as_deref() {
        Ok([rows, _]) => Ok(*rows),
        Ok([_]) => Ok(1),
        _ => Err(damaged(path, &format!("has no matrix {name}"))),
    }
}

/// Tensors in the order of `expected`, whose shapes they must have; `more` comes last, where it is there.
///
/// # Errors
/// When the file is damaged, or has other tensors.
pub fn read_tensors<'a>(
    path: &Path,
    mut expected: Vec<(&'a str, (usize, usize))>,
    more: Option<(&'a str, (usize, usize))>,
) -> Result<Vec<Vec<f32>>, FolderError> {
    let bytes = std::fs::read(path).map_err(|error| io(path, error))?;
    let (_, header) =
        SafeTensors::read_metadata(&bytes).map_err(|error| damaged(path, &error.to_string()))?;
    let tensors =
        SafeTensors::deserialize(&bytes).map_err(|error| damaged(path, &error.to_string()))?;
    // Files of other tools have no header.
    let header = header
        .metadata()
        .as_ref()
        .and_then(|meta| meta.get("wordmill"));
    let header: Option<Header> = header
        .map(|text| serde_json::from_str(text))
        .transpose()
        .map_err(|error| damaged(path, &error.to_string()))?;
    if let Some(header) = header.as_ref().filter(|header| header.version != VERSION) {
        let problem = format!(
            "version {} is not one this wordmill reads ({VERSION})",
            header.version
        );
        return Err(damaged(path, &problem));
    }
    expected.extend(more.filter(|(name, _)| tensors.names().contains(name)));
    let mut crc = crc32fast::Hasher::new();
    let mut found = Vec::with_capacity(expected.len());
    for (name, sizes) in expected {
        let wrong = |found: String| FolderError::Shape {
            file: path.display().to_string(),
            tensor: name.to_owned(),
            expected: format!("{:?}", shape(sizes)),
            found,
        };
        let tensor = tensors
            .tensor(name)
            .map_err(|_| wrong("missing".to_owned()))?;
        if tensor.dtype() != Dtype::F32 || tensor.shape() != shape(sizes) {
            return Err(wrong(format!("{:?} {:?}", tensor.dtype(), tensor.shape())));
        }
        crc.update(tensor.data());
        let (values, _) = tensor.data().as_chunks::<4>();
        found.push(
            values
                .iter()
                .map(|value| f32::from_le_bytes(*value))
                .collect(),
        );
    }
    if tensors.len() != found.len() {
        return Err(damaged(
            path,
            "has tensors that the model of config.json has not",
        ));
    }
    match header {
        Some(header) if header.checksum != crc.finalize() => {
            Err(damaged(path, "the checksum is wrong"))
        }
        _ => Ok(found),
    }
}
