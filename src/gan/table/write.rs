//! Rows as CSV, in the format of the file they are like: its names, its order, its delimiter.
//!
//! Fields are quoted where they have to be; lines end with LF.

use super::schema::Schema;
use csv::{QuoteStyle, WriterBuilder};
use std::io::{self, Write};

/// Writes one row after the other.
pub struct TableWriter<W: Write> {
    output: csv::Writer<W>,
}

impl<W: Write> TableWriter<W> {
    /// Begins with the names, where the file has some.
    ///
    /// # Errors
    /// When writing fails.
    pub fn new(output: W, schema: &Schema) -> io::Result<TableWriter<W>> {
        let mut output = WriterBuilder::new()
            .delimiter(schema.format.delimiter)
            .quote_style(QuoteStyle::Necessary)
            .from_writer(output);
        if schema.format.header {
            output.write_record(schema.columns.iter().map(|column| &column.name))?;
        }
        Ok(TableWriter { output })
    }

    /// Writes a row of as many texts as there are columns.
    ///
    /// # Errors
    /// When writing fails.
    pub fn row(&mut self, texts: &[String]) -> io::Result<()> {
        Ok(self.output.write_record(texts)?)
    }

    /// Hands over what is still in memory.
    ///
    /// # Errors
    /// When writing fails.
    pub fn flush(&mut self) -> io::Result<()> {
        self.output.flush()
    }
}
