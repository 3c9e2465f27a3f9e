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

#[cfg(test)]
mod tests {
    use super::super::read::{ReadOptions, read};
    use super::*;

    fn written(text: &str, rows: &[&[&str]]) -> String {
        let table = read("t", text.as_bytes(), &ReadOptions::default()).unwrap();
        let mut output = Vec::new();
        let mut writer = TableWriter::new(&mut output, &table.schema).unwrap();
        for row in rows {
            let row: Vec<String> = row.iter().map(|&text| text.to_owned()).collect();
            writer.row(&row).unwrap();
        }
        writer.flush().unwrap();
        drop(writer);
        String::from_utf8(output).unwrap()
    }

    #[test]
    fn rows_stand_under_the_names_and_quotes_only_where_they_have_to() {
        let text = "\"a;1\";b\n1;x\n2;y\n";
        let rows: [&[&str]; 2] = [&["3", "he said \"no\""], &["", "x,y"]];
        let expected = "\"a;1\";b\n3;\"he said \"\"no\"\"\"\n;x,y\n";
        assert_eq!(written(text, &rows), expected);
    }

    #[test]
    fn a_file_without_names_gets_none() {
        assert_eq!(written("1\tx\n2\tx\n", &[&["5", "x"]]), "5\tx\n");
    }
}
