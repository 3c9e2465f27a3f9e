//! Named arrays in a safetensors file: written one after the other, mapped when read.
//!
//! Numbers are taken out of the mapped bytes one by one, little-endian, so that neither alignment nor byte order of the
//! machine matters; compilers make a plain load of it.

use super::IndexError;
use memmap2::Mmap;
use safetensors::{Dtype, SafeTensors};
use serde_json::{Map, Value, json};
use std::collections::HashMap;
use std::fs::File;
use std::io::{Result, Write};
use std::ops::Range;
use std::path::Path;

/// An array to be written.
pub struct Array<'a> {
    pub name: &'static str,
    pub kind: Dtype,
    pub bytes: &'a [u8],
}

/// Writes arrays, those of wide numbers first, and metadata.
///
/// # Errors
/// When `out` cannot be written.
pub fn write(arrays: &[Array], metadata: &[(&str, String)], mut out: impl Write) -> Result<()> {
    let mut header = Map::new();
    let metadata: Map<_, _> = (metadata.iter())
        .map(|(name, value)| ((*name).to_owned(), Value::from(value.as_str())))
        .collect();
    header.insert("__metadata__".to_owned(), metadata.into());
    let mut offset = 0;
    for array in arrays {
        let end = offset + array.bytes.len();
        let count = array.bytes.len() * 8 / array.kind.bitsize();
        let entry = json!({
            "dtype": array.kind.to_string(),
            "shape": [count],
            "data_offsets": [offset, end],
        });
        header.insert(array.name.to_owned(), entry);
        offset = end;
    }
    let mut header = Value::from(header).to_string();
    header.extend(std::iter::repeat_n(
        ' ',
        header.len().next_multiple_of(8) - header.len(),
    ));
    out.write_all(&(header.len() as u64).to_le_bytes())?;
    out.write_all(header.as_bytes())?;
    arrays
        .iter()
        .try_for_each(|array| out.write_all(array.bytes))
}

/// The arrays of a file.
pub struct Arrays {
    map: Mmap,
    /// Where each array lies.
    places: HashMap<String, (Dtype, Range<usize>)>,
    metadata: HashMap<String, String>,
}

impl Arrays {
    pub fn open(path: &Path) -> std::result::Result<Arrays, IndexError> {
        let file = File::open(path)?;
        // SAFETY: the map is only read. A file that another process changes in place while it is mapped could show
        // other bytes at each look; this tool never does that, it replaces files whole, and numbers taken from the map are checked
        // against the lengths of slices at every use.
        let map = unsafe { Mmap::map(&file)? };
        let container =
            |error: safetensors::SafeTensorError| IndexError::Container(error.to_string());
        let (size, header) = SafeTensors::read_metadata(&map).map_err(container)?;
        SafeTensors::deserialize(&map).map_err(container)?;
        let place = |(name, info): (String, &safetensors::tensor::TensorInfo)| {
            let (start, end) = info.data_offsets;
            (name, (info.dtype, 8 + size + start..8 + size + end))
        };
        Ok(Arrays {
            places: header.tensors().into_iter().map(place).collect(),
            metadata: header.metadata().clone().unwrap_or_default(),
            map,
        })
    }

    pub fn metadata(&self, name: &str) -> Option<&str> {
        self.metadata.get(name).map(String::as_str)
    }

    /// An array of bytes; an array that is missing or of another type is empty.
    pub fn bytes(&self, name: &str) -> &[u8] {
        self.array(name, &[Dtype::U8])
    }

    /// An array of 32-bit numbers.
    pub fn numbers(&self, name: &str) -> Numbers<'_> {
        Numbers(self.array(name, &[Dtype::U32, Dtype::F32]))
    }

    /// An array of 64-bit numbers.
    pub fn longs(&self, name: &str) -> Longs<'_> {
        Longs(self.array(name, &[Dtype::U64]))
    }

    fn array(&self, name: &str, kinds: &[Dtype]) -> &[u8] {
        match self.places.get(name) {
            Some((kind, range)) if kinds.contains(kind) => {
                self.map.get(range.clone()).unwrap_or_default()
            }
            _ => &[],
        }
    }
}

/// 32-bit numbers.
#[derive(Clone, Copy)]
pub struct Numbers<'a>(&'a [u8]);

impl<'a> Numbers<'a> {
    pub fn len(self) -> usize {
        self.0.len() / 4
    }

    pub fn get(self, i: usize) -> u32 {
        match self.0.get(4 * i..4 * i + 4) {
            Some(bytes) => u32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]),
            None => 0,
        }
    }

    pub fn iter(self) -> impl ExactSizeIterator<Item = u32> + 'a {
        let number = |bytes: &[u8]| u32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]);
        self.0.chunks_exact(4).map(number)
    }

    /// Those of a range; none of one that is not there, as a damaged file may name it.
    pub fn slice(self, range: Range<usize>) -> Numbers<'a> {
        let bytes = range.start.saturating_mul(4)..range.end.saturating_mul(4);
        Numbers(self.0.get(bytes).unwrap_or_default())
    }

    /// How many of the numbers, which ascend, are below `limit`.
    pub fn below(self, limit: u32) -> usize {
        let (mut from, mut to) = (0, self.len());
        while from < to {
            let middle = from + (to - from) / 2;
            match self.get(middle) < limit {
                true => from = middle + 1,
                false => to = middle,
            }
        }
        from
    }
}

/// 32-bit floats.
#[derive(Clone, Copy)]
pub struct Floats<'a>(pub Numbers<'a>);

impl Floats<'_> {
    pub fn len(self) -> usize {
        self.0.len()
    }

    pub fn get(self, i: usize) -> f32 {
        f32::from_bits(self.0.get(i))
    }
}

/// 64-bit numbers.
#[derive(Clone, Copy)]
pub struct Longs<'a>(&'a [u8]);

impl Longs<'_> {
    pub fn len(self) -> usize {
        self.0.len() / 8
    }

    fn get(self, i: usize) -> u64 {
        let mut word = [0; 8];
        if let Some(bytes) = self.0.get(8 * i..8 * i + 8) {
            word.copy_from_slice(bytes);
        }
        u64::from_le_bytes(word)
    }

    /// The last number; 0 when there is none.
    pub fn last(self) -> u64 {
        self.len().checked_sub(1).map_or(0, |i| self.get(i))
    }

    /// Where thing `i` lies when the numbers say where things end.
    pub fn range(self, i: usize) -> Range<usize> {
        let start = i.checked_sub(1).map_or(0, |before| self.get(before));
        start as usize..self.get(i) as usize
    }
}
