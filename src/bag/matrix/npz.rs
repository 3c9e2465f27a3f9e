//! SciPy's compressed sparse rows: five arrays of NumPy's format 1.0 in a zip archive without compression.
//!
//! `indices` and `data` hold the columns and values of all cells, row after row; row i has those from `indptr[i]` to
//! `indptr[i + 1]`. Column numbers are 32 bits where they fit, `indptr` too; `data` is int64 for counts, else float64.

use super::{Encoded, MatrixRow};
use std::io::{Read, Result, Write};
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

/// The arrays of a matrix.
pub struct Arrays<D, C, L> {
    /// The values as [`Encoded::body`] has them, and whether they are counts.
    pub data: D,
    pub counts: bool,
    /// [`Encoded::columns`], as `u32`.
    pub columns: C,
    /// The number of cells of each row, as `u64`.
    pub lengths: L,
    pub rows: u64,
    pub width: u64,
    pub cells: u64,
}

/// Writes a matrix as SciPy's `load_npz` reads it.
///
/// # Errors
/// When an array cannot be read or the archive not be written.
pub fn write_npz<D: Read, C: Read, L: Read>(
    mut arrays: Arrays<D, C, L>,
    out: impl Write,
) -> Result<()> {
    let mut archive = ZipWriter::new_stream(out);
    let wide_columns = arrays.width > i32::MAX as u64;
    begin(
        &mut archive,
        "indices",
        integer(wide_columns),
        &arrays.cells.to_string(),
    )?;
    match wide_columns {
        false => drop(std::io::copy(&mut arrays.columns, &mut archive)?),
        true => each::<4>(&mut arrays.columns, arrays.cells, |bytes| {
            let column = u64::from(u32::from_le_bytes(bytes));
            archive.write_all(&column.to_le_bytes())
        })?,
    }
    let wide_cells = arrays.cells > i32::MAX as u64;
    begin(
        &mut archive,
        "indptr",
        integer(wide_cells),
        &(arrays.rows + 1).to_string(),
    )?;
    let mut end = 0u64;
    let mut put = |end: u64| match wide_cells {
        true => archive.write_all(&end.to_le_bytes()),
        false => archive.write_all(&(end as u32).to_le_bytes()),
    };
    put(end)?;
    each::<8>(&mut arrays.lengths, arrays.rows, |bytes| {
        end += u64::from_le_bytes(bytes);
        put(end)
    })?;
    begin(&mut archive, "format", "|S3", "")?;
    archive.write_all(b"csr")?;
    begin(&mut archive, "shape", "<i8", "2")?;
    for size in [arrays.rows, arrays.width] {
        archive.write_all(&size.to_le_bytes())?;
    }
    let values = if arrays.counts { "<i8" } else { "<f8" };
    begin(&mut archive, "data", values, &arrays.cells.to_string())?;
    std::io::copy(&mut arrays.data, &mut archive)?;
    archive.finish()?.into_inner().flush()
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
        let lengths: Vec<u8> = encoded
            .lengths
            .iter()
            .flat_map(|n| n.to_le_bytes())
            .collect();
        let arrays = Arrays {
            data: &encoded.body[..],
            counts: true,
            columns: &encoded.columns[..],
            lengths: &lengths[..],
            rows: 3,
            width: 3,
            cells: 3,
        };
        let mut archive = Vec::new();
        write_npz(arrays, &mut archive).unwrap();
        let mut archive = zip::ZipArchive::new(std::io::Cursor::new(archive)).unwrap();
        let mut array = |name: &str| {
            let mut bytes = Vec::new();
            let mut file = archive.by_name(&format!("{name}.npy")).unwrap();
            file.read_to_end(&mut bytes).unwrap();
            assert!(bytes.starts_with(b"\x93NUMPY\x01\x00"));
            let end = 10 + usize::from(u16::from_le_bytes([bytes[8], bytes[9]]));
            assert_eq!((end % 64, bytes[end - 1]), (0, b'\n'));
            let header = String::from_utf8(bytes[10..end].to_vec()).unwrap();
            (header.trim_end().to_owned(), bytes[end..].to_vec())
        };
        let shorts = |bytes: &[u8]| bytes.chunks(4).map(|c| c[0]).collect::<Vec<_>>();
        let (header, indices) = array("indices");
        assert_eq!(
            header,
            "{'descr': '<i4', 'fortran_order': False, 'shape': (3,), }"
        );
        assert_eq!(shorts(&indices), [0, 2, 1]);
        assert_eq!(shorts(&array("indptr").1), [0, 2, 2, 3]);
        assert_eq!(
            array("data").1.chunks(8).map(|c| c[0]).collect::<Vec<_>>(),
            [2, 5, 1]
        );
        assert_eq!(
            array("format"),
            (
                "{'descr': '|S3', 'fortran_order': False, 'shape': (), }".into(),
                b"csr".to_vec()
            )
        );
    }
}
