//! SciPy's compressed sparse rows: five arrays of NumPy's format 1.0 in a zip archive without compression.
//!
//! `indices` and `data` hold the columns and values of all cells, row after row; row i has those from `indptr[i]` to
//! `indptr[i + 1]`. Column numbers are 32 bits where they fit, `indptr` too; `data` is int64 for counts, else float64.

use super::{Encoded, MatrixRow};
use std::io::{Error, Read, Result, Write};
use zip::write::{SimpleFileOptions, StreamWriter};
use zip::{CompressionMethod, ZipWriter};

/// Appends a row.
pub fn row(counts: bool, row: &MatrixRow, out: &mut Encoded) {
    out.columns.reserve(4 * row.cells.len());
    out.body.reserve(8 * row.cells.len());
    for &(column, value) in row.cells {
        out.columns.extend(column.to_le_bytes());
        match counts {
            true => out.body.extend((value as i64).to_le_bytes()),
            false => out.body.extend(value.to_le_bytes()),
        }
    }
    out.lengths.push(row.cells.len() as u64);
}

/// Writes a matrix as SciPy's `load_npz` reads it: the values first, then what says where they stand.
pub struct NpzWriter<W: Write> {
    archive: ZipWriter<StreamWriter<W>>,
    /// Cells announced.
    cells: u64,
}

/// The arrays that say where the values stand.
pub struct Places<C, L> {
    /// [`Encoded::columns`], as `u32`.
    pub columns: C,
    /// The number of cells of each row, as `u64`.
    pub lengths: L,
    pub rows: u64,
    pub width: u64,
    pub cells: u64,
}

impl<W: Write> NpzWriter<W> {
    /// Begins a matrix of so many values, which are counts or weights.
    ///
    /// # Errors
    /// When `out` cannot be written.
    pub fn new(out: W, counts: bool, cells: u64) -> Result<NpzWriter<W>> {
        let mut archive = ZipWriter::new_stream(out);
        let values = if counts { "<i8" } else { "<f8" };
        begin(&mut archive, "data", values, &cells.to_string())?;
        Ok(NpzWriter { archive, cells })
    }

    /// Appends values as [`Encoded::body`] has them.
    ///
    /// # Errors
    /// When they cannot be written.
    pub fn values(&mut self, bytes: &[u8]) -> Result<()> {
        self.archive.write_all(bytes)
    }

    /// The same from a stream.
    ///
    /// # Errors
    /// When they cannot be read or written.
    pub fn values_from(&mut self, mut values: impl Read) -> Result<()> {
        std::io::copy(&mut values, &mut self.archive).map(drop)
    }

    /// Writes the other arrays and gives the output back.
    ///
    /// # Errors
    /// When an array cannot be read or the archive not be written, and when another number of cells was announced.
    pub fn finish<C: Read, L: Read>(mut self, mut places: Places<C, L>) -> Result<W> {
        if places.cells != self.cells {
            let problem = format!("{} values of {}", places.cells, self.cells);
            return Err(Error::other(problem));
        }
        let archive = &mut self.archive;
        let wide_columns = places.width > i32::MAX as u64;
        let length = places.cells.to_string();
        begin(archive, "indices", integer(wide_columns), &length)?;
        match wide_columns {
            false => drop(std::io::copy(&mut places.columns, archive)?),
            true => each::<4>(&mut places.columns, places.cells, |bytes| {
                let column = u64::from(u32::from_le_bytes(bytes));
                archive.write_all(&column.to_le_bytes())
            })?,
        }
        let wide_cells = places.cells > i32::MAX as u64;
        let length = (places.rows + 1).to_string();
        begin(archive, "indptr", integer(wide_cells), &length)?;
        let mut end = 0u64;
        let mut put = |end: u64| match wide_cells {
            true => archive.write_all(&end.to_le_bytes()),
            false => archive.write_all(&(end as u32).to_le_bytes()),
        };
        put(end)?;
        each::<8>(&mut places.lengths, places.rows, |bytes| {
            end += u64::from_le_bytes(bytes);
            put(end)
        })?;
        begin(archive, "format", "|S3", "")?;
        archive.write_all(b"csr")?;
        begin(archive, "shape", "<i8", "2")?;
        for size in [places.rows, places.width] {
            archive.write_all(&size.to_le_bytes())?;
        }
        Ok(self.archive.finish()?.into_inner())
    }
}

fn integer(wide: bool) -> &'static str {
    if wide { "<i8" } else { "<i4" }
}

/// Begins an array of a type and a length; no length is a single value.
fn begin<W: Write>(
    archive: &mut ZipWriter<StreamWriter<W>>,
    name: &str,
    kind: &str,
    length: &str,
) -> Result<()> {
    let options = SimpleFileOptions::default()
        .compression_method(CompressionMethod::Stored)
        // The same bytes on every day.
        .last_modified_time(zip::DateTime::default())
        .large_file(true);
    archive.start_file(format!("{name}.npy"), options)?;
    let comma = if length.is_empty() { "" } else { "," };
    let mut header =
        format!("{{'descr': '{kind}', 'fortran_order': False, 'shape': ({length}{comma}), }}");
    // Magic, version, length of the header, and the header up to its line end fill a multiple of 64 bytes.
    let open = 10 + header.len() + 1;
    header.extend(std::iter::repeat_n(' ', open.next_multiple_of(64) - open));
    header.push('\n');
    archive.write_all(b"\x93NUMPY\x01\x00")?;
    archive.write_all(&(header.len() as u16).to_le_bytes())?;
    archive.write_all(header.as_bytes())
}

fn each<const N: usize>(
    input: &mut impl Read,
    count: u64,
    mut put: impl FnMut([u8; N]) -> Result<()>,
) -> Result<()> {
    let mut input = std::io::BufReader::with_capacity(1 << 16, input);
    for _ in 0..count {
        let mut bytes = [0; N];
        input.read_exact(&mut bytes)?;
        put(bytes)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The header and the bytes of an array of an archive.
    fn array(archive: &[u8], name: &str) -> (String, Vec<u8>) {
        let mut archive = zip::ZipArchive::new(std::io::Cursor::new(archive)).unwrap();
        let mut bytes = Vec::new();
        let mut file = archive.by_name(&format!("{name}.npy")).unwrap();
        file.read_to_end(&mut bytes).unwrap();
        assert!(bytes.starts_with(b"\x93NUMPY\x01\x00"));
        let end = 10 + usize::from(u16::from_le_bytes([bytes[8], bytes[9]]));
        assert_eq!((end % 64, bytes[end - 1]), (0, b'\n'));
        let header = String::from_utf8(bytes[10..end].to_vec()).unwrap();
        (header.trim_end().to_owned(), bytes[end..].to_vec())
    }

    fn header(kind: &str, shape: &str) -> String {
        format!("{{'descr': '{kind}', 'fortran_order': False, 'shape': {shape}, }}")
    }

    #[test]
    fn the_archive_holds_five_arrays() {
        let mut encoded = Encoded::default();
        for cells in [&[(0, 2.0), (2, 5.0)][..], &[], &[(1, 1.0)]] {
            let of = MatrixRow {
                number: 0,
                id: "",
                label: None,
                cells,
            };
            row(true, &of, &mut encoded);
        }
        let lengths = encoded.lengths.iter().flat_map(|n| n.to_le_bytes());
        let lengths: Vec<u8> = lengths.collect();
        let mut writer = NpzWriter::new(Vec::new(), true, 3).unwrap();
        writer.values(&encoded.body[..8]).unwrap();
        writer.values_from(&encoded.body[8..]).unwrap();
        let places = Places {
            columns: &encoded.columns[..],
            lengths: &lengths[..],
            rows: 3,
            width: 3,
            cells: 3,
        };
        let archive = writer.finish(places).unwrap();
        let firsts = |(header, bytes): (String, Vec<u8>), width: usize| {
            let firsts: Vec<u8> = bytes.chunks(width).map(|number| number[0]).collect();
            (header, firsts)
        };
        let of = |name: &str, width| firsts(array(&archive, name), width);
        assert_eq!(of("data", 8), (header("<i8", "(3,)"), vec![2, 5, 1]));
        assert_eq!(of("indices", 4), (header("<i4", "(3,)"), vec![0, 2, 1]));
        assert_eq!(of("indptr", 4), (header("<i4", "(4,)"), vec![0, 2, 2, 3]));
        assert_eq!(of("shape", 8), (header("<i8", "(2,)"), vec![3, 3]));
        assert_eq!(
            array(&archive, "format"),
            (header("|S3", "()"), b"csr".to_vec())
        );
    }

    /// SciPy takes 32 bits as far as they go.
    #[test]
    fn many_cells_and_columns_have_wide_numbers() {
        let written = |width: u64, cells: u64| {
            let columns = [7, 0, 0, 0].repeat(if width > 3 { 2 } else { 0 });
            let places = Places {
                columns: &columns[..],
                lengths: &cells.to_le_bytes()[..],
                rows: 1,
                width,
                cells,
            };
            let writer = NpzWriter::new(Vec::new(), false, cells).unwrap();
            writer.finish(places).unwrap()
        };
        // The values and columns of so many cells are left out.
        let most = i32::MAX as u64;
        let narrow = array(&written(3, most), "indptr");
        let ends = [0u32, most as u32].map(u32::to_le_bytes).concat();
        assert_eq!(narrow, (header("<i4", "(2,)"), ends));
        let wide = array(&written(3, 2 * most + 5), "indptr");
        let ends = [0, 2 * most + 5].map(u64::to_le_bytes).concat();
        assert_eq!(wide, (header("<i8", "(2,)"), ends));
        let columns = array(&written(most + 1, 2), "indices");
        assert_eq!(
            columns,
            (
                header("<i8", "(2,)"),
                [7u64; 2].map(u64::to_le_bytes).concat()
            )
        );
    }

    #[test]
    fn fewer_cells_than_announced_are_an_error() {
        let places = Places {
            columns: &[][..],
            lengths: &[0; 8][..],
            rows: 1,
            width: 1,
            cells: 0,
        };
        let writer = NpzWriter::new(Vec::new(), true, 1).unwrap();
        let error = writer.finish(places).unwrap_err();
        assert_eq!(error.to_string(), "0 values of 1");
    }
}
