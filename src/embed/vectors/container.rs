//! Vectors as safetensors: what is fastest to open, and smallest.
//!
//! ```text
//! tensors    scales   (words) f32         of int8 only: row r is scales[r] · vectors[r]
//!            ends     (words) u32         where each word ends in `words`
//!            vectors  (words, dim)        f32, f16 or int8
//!            words    (bytes) u8          the words one behind the other, UTF-8
//! metadata   format, version, crc32 (of all tensors, in hexadecimal), wordmill (the version that wrote it)
//! ```
//!
//! f32 is used where it lies in the mapped file. int8 rounds to steps of 1/127 of the largest value of its row, f16 to
//! 11 significant bits.

use super::write::{invalid, must_be_finite};
use super::{Vectors, VectorsError, View};
use compact_str::CompactString;
use half::f16;
use memmap2::Mmap;
use rayon::prelude::*;
use safetensors::{Dtype, SafeTensors};
use serde_json::json;
use std::fs::File;
use std::io::{Result, Write};

const FORMAT: &str = "wordmill vectors";
const VERSION: &str = "1";

/// How values are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Precision {
    /// 4 bytes a value, as they are
    F32,
    /// 2 bytes a value, 11 significant bits
    F16,
    /// 1 byte a value and a scale for each row
    I8,
}

/// Writes all rows.
///
/// # Errors
/// When `out` fails, a value is not finite or does not fit, or the words have more than 4 GiB.
pub fn write(view: &View, precision: Precision, out: &mut dyn Write) -> Result<()> {
    let bytes: usize = view.words.iter().map(|word| word.len()).sum();
    if bytes > u32::MAX as usize {
        return Err(invalid("more than 4 GiB of words".to_owned()));
    }
    // The header comes first and has the checksum of what follows, which is therefore made twice.
    let mut checksum = crc32fast::Hasher::new();
    tensors(view, precision, |bytes| {
        checksum.update(bytes);
        Ok(())
    })?;
    let mut header = header(view, precision, bytes, checksum.finalize()).to_string();
    while !header.len().is_multiple_of(8) {
        header.push(' ');
    }
    out.write_all(&(header.len() as u64).to_le_bytes())?;
    out.write_all(header.as_bytes())?;
    tensors(view, precision, |bytes| out.write_all(bytes))
}

fn header(view: &View, precision: Precision, bytes: usize, checksum: u32) -> serde_json::Value {
    let (rows, dim) = (view.words.len(), view.dim);
    let (name, width) = match precision {
        Precision::F32 => ("F32", 4),
        Precision::F16 => ("F16", 2),
        Precision::I8 => ("I8", 1),
    };
    let mut end = 0;
    let mut tensor = |dtype: &str, shape: &[usize], width: usize| {
        let start = end;
        end += shape.iter().product::<usize>() * width;
        json!({"dtype": dtype, "shape": shape, "data_offsets": [start, end]})
    };
    let mut header = json!({"__metadata__": {
        "format": FORMAT,
        "version": VERSION,
        "wordmill": env!("CARGO_PKG_VERSION"),
        "crc32": format!("{checksum:08x}"),
    }});
    if precision == Precision::I8 {
        header["scales"] = tensor("F32", &[rows], 4);
    }
    header["ends"] = tensor("U32", &[rows], 4);
    header["vectors"] = tensor(name, &[rows, dim], width);
    header["words"] = tensor("U8", &[bytes], 1);
    header
}

/// Gives the bytes of all tensors in order.
fn tensors(
    view: &View,
    precision: Precision,
    mut give: impl FnMut(&[u8]) -> Result<()>,
) -> Result<()> {
    let rows = 0..view.words.len();
    if precision == Precision::I8 {
        for row in rows.clone() {
            give(&scale(view.row(row)).to_le_bytes())?;
        }
    }
    let mut end = 0;
    for word in view.words {
        end += word.len() as u32;
        give(&end.to_le_bytes())?;
    }
    let mut bytes = Vec::new();
    for row in rows {
        must_be_finite(view, row)?;
        let values = view.row(row).iter();
        bytes.clear();
        match precision {
            Precision::F32 => bytes.extend(values.flat_map(|value| value.to_le_bytes())),
            Precision::F16 => bytes.extend(values.flat_map(|v| f16::from_f32(*v).to_le_bytes())),
            Precision::I8 => {
                let scale = scale(view.row(row));
                bytes.extend(values.map(|value| (value / scale).round() as i8 as u8));
            }
        }
        if precision == Precision::F16 && view.row(row).iter().any(|v| v.abs() >= 65520.0) {
            let word = &view.words[row];
            return Err(invalid(format!(
                "the vector of {word:?} has a value above 65504, the largest of f16"
            )));
        }
        give(&bytes)?;
    }
    for word in view.words {
        give(word.as_bytes())?;
    }
    Ok(())
}

/// What makes the largest value of a row 127.
fn scale(row: &[f32]) -> f32 {
    let largest = row.iter().fold(0f32, |most, value| most.max(value.abs()));
    // A row of zeros, or of numbers that vanish when they are divided, stays zero under any scale.
    (largest / 127.0).max(f32::MIN_POSITIVE)
}

/// Reads a file from memory.
///
/// # Errors
/// When it is broken or of another make.
pub fn read(bytes: &[u8]) -> std::result::Result<Vectors, VectorsError> {
    let found = Found::of(bytes)?;
    let values = found.values();
    Vectors::of_matrix(found.words, found.dim, values).ok_or_else(twice)
}

/// Maps a file; values that are no f32 are copied from it.
///
/// # Errors
/// When it is broken or of another make.
pub fn map(file: &File) -> std::result::Result<Vectors, VectorsError> {
    // SAFETY: the map is only read. A file that another process changes in place while it is mapped could show other
    // bytes at each look; this tool never does that, it replaces files whole, and no number taken from the matrix is
    // used as an index.
    let map = unsafe { Mmap::map(file)? };
    let found = Found::of(&map)?;
    let is_direct = found.dtype == Dtype::F32 && cfg!(target_endian = "little");
    let start = found.vectors.as_ptr() as usize - map.as_ptr() as usize;
    if !is_direct || !start.is_multiple_of(4) {
        let values = found.values();
        return Vectors::of_matrix(found.words, found.dim, values).ok_or_else(twice);
    }
    let (words, dim) = (found.words, found.dim);
    Vectors::of_map(words, dim, map, start).ok_or_else(twice)
}

fn twice() -> VectorsError {
    broken("a word stands twice")
}

fn broken(problem: impl std::fmt::Display) -> VectorsError {
    VectorsError::Container(problem.to_string())
}

/// What a file has.
struct Found<'a> {
    words: Vec<CompactString>,
    dim: usize,
    dtype: Dtype,
    vectors: &'a [u8],
    scales: Vec<f32>,
}

impl<'a> Found<'a> {
    fn of(bytes: &'a [u8]) -> std::result::Result<Found<'a>, VectorsError> {
        let (size, metadata) = SafeTensors::read_metadata(bytes).map_err(broken)?;
        let tensors = SafeTensors::deserialize(bytes).map_err(broken)?;
        let empty = Default::default();
        let said = metadata.metadata().as_ref().unwrap_or(&empty);
        let said = |key: &str| said.get(key).map_or("none", String::as_str);
        for (key, expected) in [("format", FORMAT), ("version", VERSION)] {
            if said(key) != expected {
                let found = said(key);
                return Err(broken(format!(
                    "its {key} is `{found}`, expected `{expected}`"
                )));
            }
        }
        if said("crc32") != format!("{:08x}", checksum(&bytes[8 + size..])) {
            return Err(broken("its checksum is wrong: the file is damaged"));
        }
        let get = |name: &str| tensors.tensor(name).map_err(broken);
        let (vectors, words, ends) = (get("vectors")?, get("words")?, get("ends")?);
        let &[rows, dim] = vectors.shape() else {
            return Err(broken("`vectors` is no matrix"));
        };
        let scales = match vectors.dtype() {
            Dtype::F32 | Dtype::F16 => Vec::new(),
            Dtype::I8 => numbers(get("scales")?.data(), f32::from_le_bytes),
            other => return Err(broken(format!("`vectors` is of {other:?}"))),
        };
        let ends = numbers(ends.data(), u32::from_le_bytes);
        if ends.len() != rows || (vectors.dtype() == Dtype::I8 && scales.len() != rows) || dim == 0
        {
            return Err(broken("its tensors do not fit together"));
        }
        Ok(Found {
            words: split(words.data(), &ends)?,
            dim,
            dtype: vectors.dtype(),
            vectors: vectors.data(),
            scales,
        })
    }

    fn values(&self) -> Vec<f32> {
        match self.dtype {
            Dtype::F16 => numbers(self.vectors, |two| f16::from_le_bytes(two).to_f32()),
            Dtype::I8 => {
                let rows = self.vectors.chunks_exact(self.dim).zip(&self.scales);
                rows.flat_map(|(row, scale)| row.iter().map(move |b| f32::from(*b as i8) * scale))
                    .collect()
            }
            _ => numbers(self.vectors, f32::from_le_bytes),
        }
    }
}

fn numbers<const N: usize, T>(bytes: &[u8], number: impl Fn([u8; N]) -> T) -> Vec<T> {
    let (chunks, _) = bytes.as_chunks::<N>();
    chunks.iter().map(|chunk| number(*chunk)).collect()
}

fn split(words: &[u8], ends: &[u32]) -> std::result::Result<Vec<CompactString>, VectorsError> {
    let text = std::str::from_utf8(words).map_err(broken)?;
    let mut start = 0;
    let word = |end: &u32| {
        let word = text.get(start..*end as usize)?;
        start = *end as usize;
        Some(CompactString::from(word))
    };
    let words: Option<Vec<_>> = ends.iter().map(word).collect();
    words.ok_or_else(|| broken("`ends` does not cut `words`"))
}

/// The checksum of much, by all threads.
fn checksum(bytes: &[u8]) -> u32 {
    let of = |piece: &[u8]| {
        let mut hasher = crc32fast::Hasher::new();
        hasher.update(piece);
        hasher
    };
    let pieces: Vec<_> = bytes.par_chunks(8 << 20).map(of).collect();
    let mut whole = crc32fast::Hasher::new();
    pieces.iter().for_each(|piece| whole.combine(piece));
    whole.finalize()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(precision: Precision) -> Vec<u8> {
        let words = ["a".into(), "bé".into(), "c d".into()];
        let data: Vec<f32> = (0..12).map(|i| (i as f32 * 0.7).sin()).collect();
        let view = View {
            words: &words,
            dim: 3,
            stride: 4,
            data: &data,
        };
        let mut bytes = Vec::new();
        write(&view, precision, &mut bytes).unwrap();
        bytes
    }

    #[test]
    fn rounding_stays_within_its_bound() {
        let exact = read(&written(Precision::F32)).unwrap();
        // Half a step: 2^-12 of a value for f16, 1/254 of the largest of the row for int8.
        for (precision, bound) in [(Precision::F16, 1.0 / 4096.0), (Precision::I8, 1.0 / 253.9)] {
            let rounded = read(&written(precision)).unwrap();
            assert_eq!(rounded.view().words, exact.view().words);
            for (a, b) in rounded.view().data.iter().zip(exact.view().data) {
                assert!((a - b).abs() <= bound, "{precision:?} {a} {b}");
            }
        }
    }

    #[test]
    fn a_mapped_file_is_what_was_written() {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(&written(Precision::F32)).unwrap();
        let mapped = map(&file).unwrap();
        assert_eq!(mapped.word(2), "c d");
        let exact = read(&written(Precision::F32)).unwrap();
        assert_eq!(mapped.view().data, exact.view().data);
    }

    #[test]
    fn a_changed_byte_and_a_missing_end_are_noticed() {
        let bytes = written(Precision::I8);
        let mut length = [0; 8];
        length.copy_from_slice(&bytes[..8]);
        let tensors = 8 + u64::from_le_bytes(length) as usize;
        for at in tensors..bytes.len() {
            let mut changed = bytes.clone();
            changed[at] ^= 1;
            assert!(read(&changed).is_err(), "{at}");
        }
        for length in 0..bytes.len() {
            assert!(read(&bytes[..length]).is_err(), "{length}");
        }
    }
}
