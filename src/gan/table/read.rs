//! CSV files as tables (RFC 4180, and what is met beside it).
//!
//! Fields may be quoted, lines end with LF or CR LF, a byte order mark is skipped, gzip and Zstandard are known by their
//! first bytes. Spaces around a field are not part of it, blank lines no rows. What delimits fields is seen in the first
//! line, and whether that has the names: when all its fields are different, none but the first is empty, none a number,
//! and none comes again in its column among the next 100 rows.

use super::gather::{Gatherer, Wanted};
use super::number;
use super::records::Records;
use super::schema::{Column, Format, Schema, Table};
use csv::ByteRecord;
use std::collections::HashSet;
use std::io::Read;
use std::sync::Arc;

/// Rows that are looked at for the fields of the first line.
const LOOK: usize = 100;

/// Texts that stand for no value, if nothing else is said.
pub const MISSING: [&str; 8] = ["", "NA", "N/A", "?", "nan", "NaN", "null", "NULL"];

/// Whether the first line has the names of the columns.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Header {
    #[default]
    Auto,
    Yes,
    No,
}

/// How a file is read.
#[derive(Clone, Debug)]
pub struct ReadOptions {
    pub header: Header,
    /// The byte between fields; none is that of comma, semicolon, tab and bar which the first line has most of.
    pub delimiter: Option<u8>,
    /// Texts that stand for no value.
    pub missing: Vec<String>,
    /// Names of columns that are categories, that are numbers, that are left out.
    pub categories: Vec<String>,
    pub numbers: Vec<String>,
    pub drop: Vec<String>,
}

impl Default for ReadOptions {
    fn default() -> ReadOptions {
        ReadOptions {
            header: Header::Auto,
            delimiter: None,
            missing: MISSING.map(str::to_owned).to_vec(),
            categories: Vec::new(),
            numbers: Vec::new(),
            drop: Vec::new(),
        }
    }
}

/// Why a file is no table.
#[derive(Debug, thiserror::Error)]
pub enum TableError {
    #[error("{file}: {error}")]
    Io {
        file: Arc<str>,
        error: std::io::Error,
    },
    #[error("{file}:{line}: expected {expected} fields, found {found}")]
    Ragged {
        file: Arc<str>,
        line: u64,
        expected: u64,
        found: u64,
    },
    #[error("{file}:{line}: invalid UTF-8 in column {column}")]
    InvalidUtf8 {
        file: Arc<str>,
        line: u64,
        column: String,
    },
    #[error(
        "{file}:{line}: column {column} has numbers, but {text:?} is none: make it a value that is missing (--missing), \
         or the column one of categories (--categories {column})"
    )]
    NotANumber {
        file: Arc<str>,
        line: u64,
        column: String,
        text: String,
    },
    #[error(
        "{file}: column {column} has {distinct} different texts in {rows} rows and is likely an identifier: leave it out \
         with --drop {column}, or keep it with --categories {column}"
    )]
    Identifier {
        file: Arc<str>,
        column: String,
        distinct: usize,
        rows: usize,
    },
    #[error("{file}: no rows")]
    NoRows { file: Arc<str> },
    #[error("{file}: two columns have the name {name:?}")]
    DuplicateName { file: Arc<str>, name: String },
    #[error("{file}: there is no column {name:?}: the columns are {}", names.join(", "))]
    NoColumn {
        file: Arc<str>,
        name: String,
        names: Vec<String>,
    },
    #[error("{file}: no column is left")]
    NoColumns { file: Arc<str> },
}

/// Reads a table. `name` is for messages.
///
/// # Errors
/// When reading fails, at a line of another number of fields and at bytes that are no UTF-8; when there are no rows, names
/// come twice or are not there; when a column is likely an identifier, and at a text in a column of numbers.
pub fn read(name: &str, input: impl Read, options: &ReadOptions) -> Result<Table, TableError> {
    let source = Source::open(name, input, options.header, options)?;
    let listed = [&options.categories, &options.numbers, &options.drop];
    for listed in listed.into_iter().flatten() {
        source.place(listed)?;
    }
    let columns = source.names.iter().enumerate();
    let columns = columns.filter(|(_, name)| !options.drop.contains(name));
    let columns = columns.map(|(place, name)| {
        let wanted = match name {
            name if options.categories.contains(name) => Wanted::Categories,
            name if options.numbers.contains(name) => Wanted::Numbers,
            _ => Wanted::Auto,
        };
        (place, Gatherer::new(wanted, &options.missing))
    });
    let columns = columns.collect();
    source.gather(columns)
}

/// Reads a table with the columns of another: found by their names, if the files have such, in the order of `schema`.
/// Numbers stay numbers; the categories of `schema` keep their numbers, and new ones come behind them. Other columns are
/// left out. Of `options` only the delimiter, the header and what is missing count.
///
/// # Errors
/// As [`read`], and when a column is not there.
pub fn read_like(
    name: &str,
    input: impl Read,
    options: &ReadOptions,
    schema: &Schema,
) -> Result<Table, TableError> {
    let header = match (options.header, schema.format.header) {
        (Header::Auto, true) => Header::Yes,
        (Header::Auto, false) => Header::No,
        (header, _) => header,
    };
    let source = Source::open(name, input, header, options)?;
    let by_name = source.format.header && schema.format.header;
    let columns = schema.columns.iter().enumerate().map(|(at, column)| {
        let place = match by_name {
            true => source.place(&column.name)?,
            false if at < source.names.len() => at,
            false => source.place(&column.name)?,
        };
        Ok((place, Gatherer::like(&column.shape, &options.missing)))
    });
    let columns = columns.collect::<Result<_, TableError>>()?;
    source.gather(columns)
}

/// A file of which the names are known and the first rows are read.
struct Source<'a> {
    file: Arc<str>,
    format: Format,
    names: Vec<String>,
    first: Vec<ByteRecord>,
    records: Records<'a>,
}

impl<'a> Source<'a> {
    fn open(
        name: &str,
        input: impl Read + 'a,
        header: Header,
        options: &ReadOptions,
    ) -> Result<Source<'a>, TableError> {
        let file: Arc<str> = name.into();
        let mut records = Records::open(file.clone(), input, options.delimiter)?;
        let mut first = Vec::new();
        let mut record = ByteRecord::new();
        while first.len() <= LOOK && records.advance(&mut record)? {
            first.push(record.clone());
        }
        if first.is_empty() {
            return Err(TableError::NoRows { file });
        }
        let header = match header {
            Header::Yes => true,
            Header::No => false,
            Header::Auto => has_names(&first),
        };
        let names = match header {
            true => names_of(&first.remove(0), &file)?,
            false => (1..=first[0].len()).map(|i| format!("c{i}")).collect(),
        };
        Ok(Source {
            file,
            format: Format {
                delimiter: records.delimiter,
                header,
            },
            names,
            first,
            records,
        })
    }

    fn place(&self, name: &str) -> Result<usize, TableError> {
        let place = self.names.iter().position(|known| known == name);
        place.ok_or_else(|| TableError::NoColumn {
            file: self.file.clone(),
            name: name.to_owned(),
            names: self.names.clone(),
        })
    }

    fn gather(mut self, mut columns: Vec<(usize, Gatherer)>) -> Result<Table, TableError> {
        if columns.is_empty() {
            return Err(TableError::NoColumns { file: self.file });
        }
        let mut rows = 0;
        for record in std::mem::take(&mut self.first) {
            self.row(&record, &mut columns)?;
            rows += 1;
        }
        let mut record = ByteRecord::new();
        while self.records.advance(&mut record)? {
            self.row(&record, &mut columns)?;
            rows += 1;
        }
        if rows == 0 {
            return Err(TableError::NoRows { file: self.file });
        }
        let (mut kept, mut values) = (Vec::new(), Vec::new());
        for (place, column) in columns {
            let name = self.names[place].clone();
            let (shape, of_column) = column.end().map_err(|found| TableError::Identifier {
                file: self.file.clone(),
                column: name.clone(),
                distinct: found.distinct,
                rows,
            })?;
            kept.push(Column { name, shape });
            values.push(of_column);
        }
        let schema = Schema {
            format: self.format,
            columns: kept,
        };
        Ok(Table {
            schema,
            values,
            rows,
        })
    }

    fn row(
        &self,
        record: &ByteRecord,
        columns: &mut [(usize, Gatherer)],
    ) -> Result<(), TableError> {
        let line = record.position().map_or(0, csv::Position::line);
        for (place, column) in columns {
            let name = || self.names[*place].clone();
            let text = std::str::from_utf8(&record[*place]);
            let text = text.map_err(|_| TableError::InvalidUtf8 {
                file: self.file.clone(),
                line,
                column: name(),
            })?;
            column.push(text).map_err(|_| TableError::NotANumber {
                file: self.file.clone(),
                line,
                column: name(),
                text: text.to_owned(),
            })?;
        }
        Ok(())
    }
}

fn has_names(first: &[ByteRecord]) -> bool {
    let (names, rows) = (&first[0], &first[1..]);
    let mut seen = HashSet::new();
    names.iter().enumerate().all(|(place, name)| {
        let text = String::from_utf8_lossy(name);
        // The index that pandas writes before the columns has no name.
        let is_name = (place == 0 || !name.is_empty()) && number::parse(&text).is_none();
        is_name && seen.insert(name) && rows.iter().all(|row| row.get(place) != Some(name))
    })
}

fn names_of(record: &ByteRecord, file: &Arc<str>) -> Result<Vec<String>, TableError> {
    let mut names: Vec<String> = Vec::with_capacity(record.len());
    for (place, name) in record.iter().enumerate() {
        let name = std::str::from_utf8(name).map_err(|_| TableError::InvalidUtf8 {
            file: file.clone(),
            line: record.position().map_or(1, csv::Position::line),
            column: format!("c{}", place + 1),
        })?;
        let name = match name {
            "" => format!("c{}", place + 1),
            name => name.to_owned(),
        };
        if names.contains(&name) {
            let file = file.clone();
            return Err(TableError::DuplicateName { file, name });
        }
        names.push(name);
    }
    Ok(names)
}

#[cfg(test)]
mod tests;
