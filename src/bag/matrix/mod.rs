//! Sparse matrices, a document a row and a term a column, in the formats that others read.
//!
//! | format | a row | rows and columns count from |
//! |---|---|---|
//! | svmlight | `label column:value …` (libsvm, liblinear, SVMlight) | 1 |
//! | mtx | Matrix Market, coordinate: `row column value` under a header | 1 |
//! | csv | `doc,term,value` a cell; dense: a document a line | — |
//! | tsv | `doc ⇥ term ⇥ value` a cell | — |
//! | jsonl | `{"id":…,"label":…,"terms":{term:value,…}}` | — |
//! | npz | SciPy's CSR arrays in a zip archive | 0 |

mod npz;
mod text;

pub use npz::{NpzWriter, Places};

use std::collections::BTreeMap;
use std::io::Write;

/// The formats of matrices, by the names `--to` knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum MatrixFormat {
    /// A document a line, as libsvm and liblinear read them: label column:value …
    Svmlight,
    /// Matrix Market, coordinate format
    Mtx,
    /// Lines doc,term,value; with --dense a document a line, a column a term
    Csv,
    /// Lines of document, term and value, tab-separated
    Tsv,
    /// A JSON object a document
    Jsonl,
    /// SciPy's compressed sparse rows, for scipy.sparse.load_npz
    Npz,
}

impl MatrixFormat {
    /// The format a file name asks for by its ending, before `.gz` or `.zst`.
    pub fn of_name(name: &str) -> Option<MatrixFormat> {
        let name = name.strip_suffix(".gz").unwrap_or(name);
        let name = name.strip_suffix(".zst").unwrap_or(name);
        Some(match name.rsplit_once('.')?.1 {
            "svm" | "svmlight" | "libsvm" => MatrixFormat::Svmlight,
            "mtx" => MatrixFormat::Mtx,
            "csv" => MatrixFormat::Csv,
            "tsv" => MatrixFormat::Tsv,
            "jsonl" => MatrixFormat::Jsonl,
            "npz" => MatrixFormat::Npz,
            _ => return None,
        })
    }

    /// Whether rows name documents and terms themselves.
    pub fn has_names(self) -> bool {
        matches!(
            self,
            MatrixFormat::Csv | MatrixFormat::Tsv | MatrixFormat::Jsonl
        )
    }
}

/// A document.
#[derive(Clone, Copy, Debug)]
pub struct MatrixRow<'a> {
    /// From 0.
    pub number: u64,
    pub id: &'a str,
    pub label: Option<&'a str>,
    /// Columns and values.
    pub cells: &'a [(u32, f64)],
}

/// Strings by column.
#[derive(Debug, Default)]
pub struct Names {
    bytes: Vec<u8>,
    ends: Vec<u64>,
}

impl Names {
    pub fn push(&mut self, name: &[u8]) {
        self.bytes.extend_from_slice(name);
        self.ends.push(self.bytes.len() as u64);
    }

    /// The name of a column.
    pub fn get(&self, column: u32) -> &[u8] {
        let column = column as usize;
        let start = match column {
            0 => 0,
            _ => self.ends[column - 1],
        };
        &self.bytes[start as usize..self.ends[column] as usize]
    }

    /// All names, one behind the other.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Where each name ends.
    pub fn ends(&self) -> &[u64] {
        &self.ends
    }

    pub fn len(&self) -> usize {
        self.ends.len()
    }

    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }
}

/// The numbers that svmlight puts in the place of labels.
#[derive(Debug, Default)]
pub struct Labels(Option<BTreeMap<String, usize>>);

impl Labels {
    /// Numbers stay as they are; other labels are numbered from 0 in the order they are given.
    pub fn new(labels: &[String]) -> Labels {
        let is_number = |label: &String| label.parse().is_ok_and(f64::is_finite);
        if labels.iter().all(is_number) {
            return Labels(None);
        }
        Labels(Some(labels.iter().cloned().zip(0..).collect()))
    }

    /// The number of a label as text; of none, 0. Nothing for a name that has no number.
    fn number(&self, label: Option<&str>, out: &mut Vec<u8>) -> Option<()> {
        match (label, &self.0) {
            (None, _) => out.push(b'0'),
            (Some(label), Some(numbers)) => {
                text::put_value(*numbers.get(label)? as f64, out);
            }
            (Some(label), None) => {
                label
                    .parse::<f64>()
                    .ok()
                    .filter(|number| number.is_finite())?;
                out.extend_from_slice(label.as_bytes());
            }
        }
        Some(())
    }
}

/// Why a row could not be written.
#[derive(Debug, thiserror::Error)]
pub enum MatrixError {
    /// svmlight has numbers for labels.
    #[error("the label {0:?} is no number")]
    Label(String),
    /// A term that is not UTF-8 stands in no JSON.
    #[error("a term is not UTF-8")]
    Utf8,
}

/// Rows that were encoded: what is appended to the matrix.
#[derive(Debug, Default)]
pub struct Encoded {
    /// Text; the values of npz.
    pub body: Vec<u8>,
    /// The columns of npz.
    pub columns: Vec<u8>,
    /// The number of cells of each row, for npz.
    pub lengths: Vec<u64>,
    pub rows: u64,
    pub cells: u64,
    /// The lines of documents: id and label.
    pub documents: Vec<u8>,
}

/// Turns rows into what a format has for them.
pub struct Encoder {
    pub format: MatrixFormat,
    /// CSV has a document a line.
    pub dense: bool,
    /// Values are counts; npz has integers for them.
    pub counts: bool,
    /// Names of the columns; hashed columns have none and go by number.
    pub names: Option<Names>,
    pub columns: u64,
    pub labels: Labels,
    /// The lines of documents are wanted too.
    pub lists_documents: bool,
}

impl Encoder {
    /// What stands before the first row; of mtx what comes before the sizes.
    pub fn head(&self) -> Vec<u8> {
        match self.format {
            MatrixFormat::Csv => text::csv_head(self),
            MatrixFormat::Mtx if self.counts => {
                b"%%MatrixMarket matrix coordinate integer general\n".to_vec()
            }
            MatrixFormat::Mtx => b"%%MatrixMarket matrix coordinate real general\n".to_vec(),
            _ => Vec::new(),
        }
    }

    /// Appends a row.
    ///
    /// # Errors
    /// When the format cannot show a label or a term.
    pub fn row(&self, row: &MatrixRow, out: &mut Encoded) -> Result<(), MatrixError> {
        out.rows += 1;
        out.cells += row.cells.len() as u64;
        if self.lists_documents {
            super::counts::escape(row.id.as_bytes(), &mut out.documents);
            if let Some(label) = row.label {
                out.documents.push(b'\t');
                super::counts::escape(label.as_bytes(), &mut out.documents);
            }
            out.documents.push(b'\n');
        }
        match self.format {
            MatrixFormat::Svmlight => text::svmlight(&self.labels, row, &mut out.body)?,
            MatrixFormat::Mtx => text::mtx(row, &mut out.body),
            MatrixFormat::Csv if self.dense => text::csv_dense(self, row, &mut out.body),
            MatrixFormat::Csv => text::csv(self, row, &mut out.body),
            MatrixFormat::Tsv => text::tsv(self, row, &mut out.body),
            MatrixFormat::Jsonl => text::jsonl(self, row, &mut out.body)?,
            MatrixFormat::Npz => npz::row(self.counts, row, out),
        }
        Ok(())
    }

    /// Appends the name of a column, or its number.
    fn name(&self, column: u32, out: &mut Vec<u8>) {
        match &self.names {
            Some(names) => out.extend_from_slice(names.get(column)),
            // Writing to a vector never fails.
            None => drop(write!(out, "{column}")),
        }
    }
}
