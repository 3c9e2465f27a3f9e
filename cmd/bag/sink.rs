//! Where a matrix goes: rows to its file, and what names rows and columns beside it.

use crate::stream::{Failure, Output};
use anyhow::Result;
use std::fs::File;
use std::io::{BufReader, Read, Seek, Write};
use std::path::{Path, PathBuf};
use wordmill::bag::BagError;
use wordmill::bag::matrix::{Arrays, Encoded, Encoder, MatrixFormat, write_npz};

/// A matrix that is being written.
pub struct Sink {
    output: Output,
    format: MatrixFormat,
    counts: bool,
    /// Formats whose sizes stand at the front wait here for the last row.
    body: Option<File>,
    /// npz: the columns, and the lengths of rows.
    arrays: Option<(File, File)>,
    documents: Option<Output>,
    rows: u64,
    cells: u64,
}

/// The files beside `x.npz`, `x.mtx` and `x.svm`: `x.terms.tsv` and `x.docs.tsv`.
pub fn beside(out: Option<&Path>, format: MatrixFormat) -> Option<(PathBuf, PathBuf)> {
    let out = out.filter(|out| out.as_os_str() != "-" && !format.has_names())?;
    // A pipe or device has nothing beside it.
    if out.metadata().is_ok_and(|found| !found.is_file()) {
        return None;
    }
    let name = out.file_name()?.to_str()?;
    let name = name.trim_end_matches(".gz").trim_end_matches(".zst");
    let stem = name.rsplit_once('.').map_or(name, |(stem, _)| stem);
    let named = |what: &str| out.with_file_name(format!("{stem}.{what}.tsv"));
    Some((named("terms"), named("docs")))
}

impl Sink {
    /// Opens the outputs; `folder` is for what has to wait.
    pub fn create(out: Option<&Path>, encoder: &Encoder, folder: &Path) -> Result<Sink> {
        let format = encoder.format;
        let temporary = || tempfile::tempfile_in(folder).map_err(BagError::Temporary);
        let waits = matches!(format, MatrixFormat::Mtx | MatrixFormat::Npz);
        let documents = beside(out, format).map(|(_, documents)| documents);
        let mut output = Output::create(out, false)?;
        output.write_bytes(&encoder.head())?;
        Ok(Sink {
            output,
            format,
            counts: encoder.counts,
            body: waits.then(temporary).transpose()?,
            arrays: match format {
                MatrixFormat::Npz => Some((temporary()?, temporary()?)),
                _ => None,
            },
            documents: match documents {
                Some(path) => Some(Output::create(Some(&path), false)?),
                None => None,
            },
            rows: 0,
            cells: 0,
        })
    }

    /// Appends rows.
    pub fn put(&mut self, encoded: &Encoded) -> Result<()> {
        self.rows += encoded.rows;
        self.cells += encoded.cells;
        let temporary = BagError::Temporary;
        match &mut self.body {
            None => self.output.write_bytes(&encoded.body)?,
            Some(body) => body.write_all(&encoded.body).map_err(temporary)?,
        }
        if let Some((columns, lengths)) = &mut self.arrays {
            columns.write_all(&encoded.columns).map_err(temporary)?;
            let bytes: Vec<u8> = (encoded.lengths.iter())
                .flat_map(|length| length.to_le_bytes())
                .collect();
            lengths.write_all(&bytes).map_err(temporary)?;
        }
        match &mut self.documents {
            None => Ok(()),
            Some(documents) => documents.write_bytes(&encoded.documents),
        }
    }

    /// Writes what had to wait and gives every file its name. `width` is the number of columns.
    pub fn finish(mut self, width: u64) -> Result<()> {
        match (self.body.take(), self.arrays.take()) {
            (Some(body), Some((columns, lengths))) => {
                self.write_npz(width, body, columns, lengths)?
            }
            (Some(mut body), None) => {
                let sizes = format!("{} {width} {}\n", self.rows, self.cells);
                self.output.write(&sizes)?;
                body.rewind().map_err(BagError::Temporary)?;
                let mut buffer = vec![0; 1 << 16];
                loop {
                    let read = body.read(&mut buffer).map_err(BagError::Temporary)?;
                    if read == 0 {
                        break;
                    }
                    self.output.write_bytes(&buffer[..read])?;
                }
            }
            _ => {}
        }
        if let Some(documents) = self.documents {
            documents.finish()?;
        }
        self.output.finish()
    }

    fn write_npz(
        &mut self,
        width: u64,
        mut data: File,
        mut columns: File,
        mut lengths: File,
    ) -> Result<()> {
        for file in [&mut data, &mut columns, &mut lengths] {
            file.rewind().map_err(BagError::Temporary)?;
        }
        let large = |file| BufReader::with_capacity(1 << 18, file);
        let arrays = Arrays {
            data: large(data),
            counts: self.counts,
            columns: large(columns),
            lengths: large(lengths),
            rows: self.rows,
            width,
            cells: self.cells,
        };
        debug_assert_eq!(self.format, MatrixFormat::Npz);
        let written = write_npz(arrays, self.output.writer());
        Ok(written.map_err(|error| Failure::of_file("npz", error.to_string()))?)
    }
}
