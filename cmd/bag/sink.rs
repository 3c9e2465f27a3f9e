//! Where a matrix goes: rows to its file, and what names rows and columns beside it.

use crate::stream::{Failure, Output};
use anyhow::Result;
use std::fs::File;
use std::io::{BufRead, BufReader, Seek, Write};
use std::path::{Path, PathBuf};
use wordmill::bag::BagError;
use wordmill::bag::matrix::{Encoded, Encoder, MatrixFormat, NpzWriter, Places};

/// A matrix that is being written.
pub struct Sink {
    matrix: Matrix,
    documents: Option<Output>,
    counts: bool,
    rows: u64,
    cells: u64,
}

enum Matrix {
    Text(Output),
    /// mtx: its sizes stand at the front, and the rows wait for them.
    Sized(Output, File),
    Npz {
        values: Values,
        columns: File,
        lengths: File,
    },
}

/// The values of npz, whose number stands in front of them.
enum Values {
    Written(Box<NpzWriter<Output>>),
    Waiting(Box<Output>, File),
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
    /// Begins a matrix that goes to an output of a name; `folder` is for what has to wait. `cells` is the number of all
    /// cells, if it is known.
    pub fn new(
        (mut output, out): (Output, Option<&Path>),
        encoder: &Encoder,
        cells: Option<u64>,
        folder: &Path,
    ) -> Result<Sink> {
        let temporary = || tempfile::tempfile_in(folder).map_err(BagError::Temporary);
        let documents = beside(out, encoder.format).map(|(_, documents)| documents);
        // What goes wrong later takes a file back, and not what is on standard output.
        let cells = cells.filter(|_| out.is_some_and(|out| out.as_os_str() != "-"));
        output.write_bytes(&encoder.head())?;
        let matrix = match (encoder.format, cells) {
            (MatrixFormat::Mtx, _) => Matrix::Sized(output, temporary()?),
            (MatrixFormat::Npz, cells) => Matrix::Npz {
                values: match cells {
                    Some(cells) => Values::Written(npz(output, encoder.counts, cells)?),
                    None => Values::Waiting(Box::new(output), temporary()?),
                },
                columns: temporary()?,
                lengths: temporary()?,
            },
            _ => Matrix::Text(output),
        };
        Ok(Sink {
            matrix,
            documents: match documents {
                Some(path) => Some(Output::create(Some(&path), false)?),
                None => None,
            },
            counts: encoder.counts,
            rows: 0,
            cells: 0,
        })
    }

    /// Appends rows.
    pub fn put(&mut self, encoded: &Encoded) -> Result<()> {
        self.rows += encoded.rows;
        self.cells += encoded.cells;
        let temporary = BagError::Temporary;
        match &mut self.matrix {
            Matrix::Text(output) => output.write_bytes(&encoded.body)?,
            Matrix::Sized(_, body) => body.write_all(&encoded.body).map_err(temporary)?,
            Matrix::Npz {
                values,
                columns,
                lengths,
            } => {
                match values {
                    Values::Written(npz) => npz.values(&encoded.body).map_err(npz_failure)?,
                    Values::Waiting(_, file) => {
                        file.write_all(&encoded.body).map_err(temporary)?;
                    }
                }
                columns.write_all(&encoded.columns).map_err(temporary)?;
                let bytes = encoded.lengths.iter().flat_map(|n| n.to_le_bytes());
                let bytes: Vec<u8> = bytes.collect();
                lengths.write_all(&bytes).map_err(temporary)?;
            }
        }
        match &mut self.documents {
            None => Ok(()),
            Some(documents) => documents.write_bytes(&encoded.documents),
        }
    }

    /// Writes what had to wait and gives every file its name. `width` is the number of columns.
    pub fn finish(self, width: u64) -> Result<()> {
        let output = match self.matrix {
            Matrix::Text(output) => output,
            Matrix::Sized(mut output, body) => {
                output.write(&format!("{} {width} {}\n", self.rows, self.cells))?;
                let mut body = waited(body)?;
                loop {
                    let bytes = body.fill_buf().map_err(BagError::Temporary)?;
                    if bytes.is_empty() {
                        break;
                    }
                    output.write_bytes(bytes)?;
                    let read = bytes.len();
                    body.consume(read);
                }
                output
            }
            Matrix::Npz {
                values,
                columns,
                lengths,
            } => {
                let npz = match values {
                    Values::Written(npz) => npz,
                    Values::Waiting(output, values) => {
                        let mut npz = npz(*output, self.counts, self.cells)?;
                        npz.values_from(waited(values)?).map_err(npz_failure)?;
                        npz
                    }
                };
                let places = Places {
                    columns: waited(columns)?,
                    lengths: waited(lengths)?,
                    rows: self.rows,
                    width,
                    cells: self.cells,
                };
                npz.finish(places).map_err(npz_failure)?
            }
        };
        if let Some(documents) = self.documents {
            documents.finish()?;
        }
        output.finish()
    }
}

fn npz(output: Output, counts: bool, cells: u64) -> Result<Box<NpzWriter<Output>>> {
    let npz = NpzWriter::new(output, counts, cells);
    Ok(npz.map(Box::new).map_err(npz_failure)?)
}

fn npz_failure(error: std::io::Error) -> Failure {
    Failure::of_file("npz", error.to_string())
}

/// What has waited in a file, from its beginning.
fn waited(mut file: File) -> Result<BufReader<File>> {
    file.rewind().map_err(BagError::Temporary)?;
    Ok(BufReader::with_capacity(1 << 18, file))
}
