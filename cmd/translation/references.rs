//! Translations that are scored, read line by line beside their sources.

use super::data;
use crate::stream::Failure;
use anyhow::Result;
use std::io::BufRead;
use std::path::Path;

/// Translations to score, a line for each line.
pub struct References {
    name: String,
    lines: std::io::Lines<Box<dyn BufRead>>,
}

impl References {
    /// # Errors
    /// When the file cannot be opened.
    pub fn open(path: &Path) -> Result<References> {
        let reader: Box<dyn BufRead> = Box::new(data::lines(path)?);
        Ok(References {
            name: path.display().to_string(),
            lines: reader.lines(),
        })
    }

    /// The next line.
    ///
    /// # Errors
    /// When it cannot be read or there is none.
    pub fn next(&mut self) -> Result<String> {
        match self.lines.next() {
            Some(Ok(line)) => Ok(line.trim_end_matches('\r').to_owned()),
            Some(Err(error)) => Err(Failure::of_file(&self.name, error.to_string()).into()),
            None => Err(Failure::of_file(&self.name, "has fewer lines than the sources").into()),
        }
    }

    /// # Errors
    /// When there is another line.
    pub fn end(&mut self) -> Result<()> {
        match self.lines.next() {
            None => Ok(()),
            Some(_) => Err(Failure::of_file(&self.name, "has more lines than the sources").into()),
        }
    }
}
