//! Writes word vectors.

use crate::stream::Output;
use anyhow::Result;
use wordmill::embed::vectors::View;

/// As text: the number of words and of values, then a word and its vector a line.
///
/// # Errors
/// When they cannot be written.
pub fn write(view: &View, output: &mut Output) -> Result<()> {
    use std::fmt::Write as _;
    output.write(&format!("{} {}\n", view.words.len(), view.dim))?;
    let mut line = String::new();
    for (row, word) in view.words.iter().enumerate() {
        line.clear();
        line += word;
        for value in view.row(row) {
            // A string takes all that is written to it.
            let _ = write!(line, " {value}");
        }
        line.push('\n');
        output.write(&line)?;
    }
    Ok(())
}
