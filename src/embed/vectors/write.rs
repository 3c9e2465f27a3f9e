//! Writes vectors in each format, row by row, from a matrix whose rows may be padded.
//!
//! Numbers of text are the shortest that read back as the same f32.

use super::View;
use super::container::{self, Precision};
use super::format::Format;
use rayon::prelude::*;
use std::io::{Error, ErrorKind, Result, Write};

/// Rows that are made text at a time, by one worker.
const ROWS: usize = 256;

/// Writes all rows; safetensors as f32.
///
/// # Errors
/// When `out` fails; when a value is not finite, or a word has white space that the format would lose.
pub fn write(view: &View, format: Format, out: &mut dyn Write) -> Result<()> {
    match format {
        Format::Word2vec => {
            writeln!(out, "{} {}", view.words.len(), view.dim)?;
            text(view, is_any_space, out)
        }
        // Its reader knows the values by their number: spaces inside a word do no harm.
        Format::Glove => text(view, is_line_end, out),
        Format::Word2vecBinary => binary(view, out),
        Format::Safetensors => container::write(view, Precision::F32, out),
    }
}

fn text(view: &View, splits: fn(char) -> bool, out: &mut dyn Write) -> Result<()> {
    let block = ROWS * rayon::current_num_threads();
    for start in (0..view.words.len()).step_by(block) {
        let end = (start + block).min(view.words.len());
        let pieces: Vec<usize> = (start..end).step_by(ROWS).collect();
        let pieces: Vec<_> = (pieces.into_par_iter())
            .map(|from| lines(view, from..(from + ROWS).min(end), splits))
            .collect();
        for piece in pieces {
            out.write_all(&piece?)?;
        }
    }
    Ok(())
}

fn lines(view: &View, rows: std::ops::Range<usize>, splits: fn(char) -> bool) -> Result<Vec<u8>> {
    let mut lines = Vec::new();
    let mut buffer = zmij::Buffer::new();
    for row in rows {
        let word = word(view, row, splits)?;
        lines.extend_from_slice(word.as_bytes());
        for value in view.row(row) {
            lines.push(b' ');
            let printed = buffer.format_finite(*value);
            // As the C programs print whole numbers.
            lines.extend_from_slice(printed.strip_suffix(".0").unwrap_or(printed).as_bytes());
        }
        lines.push(b'\n');
    }
    Ok(lines)
}

fn binary(view: &View, out: &mut dyn Write) -> Result<()> {
    writeln!(out, "{} {}", view.words.len(), view.dim)?;
    let mut bytes = Vec::new();
    for row in 0..view.words.len() {
        bytes.clear();
        bytes.extend_from_slice(word(view, row, is_any_space)?.as_bytes());
        bytes.push(b' ');
        bytes.extend(view.row(row).iter().flat_map(|value| value.to_le_bytes()));
        bytes.push(b'\n');
        out.write_all(&bytes)?;
    }
    Ok(())
}

fn is_any_space(c: char) -> bool {
    c.is_ascii_whitespace()
}

fn is_line_end(c: char) -> bool {
    c == '\n' || c == '\r'
}

/// The word of a row that can be written.
fn word<'a>(view: &View<'a>, row: usize, splits: fn(char) -> bool) -> Result<&'a str> {
    must_be_finite(view, row)?;
    let word = view.words[row].as_str();
    match word.is_empty() || word.contains(splits) {
        false => Ok(word),
        true => Err(invalid(format!(
            "word {}, {word:?}, is empty or has white space in it, which this format cannot keep: write .safetensors",
            row + 1
        ))),
    }
}

/// An error for values that no reader takes.
pub(super) fn must_be_finite(view: &View, row: usize) -> Result<()> {
    match view.row(row).iter().all(|value| value.is_finite()) {
        true => Ok(()),
        false => Err(invalid(format!(
            "the vector of {:?} has a value that is not finite",
            view.words[row]
        ))),
    }
}

pub(super) fn invalid(problem: String) -> Error {
    Error::new(ErrorKind::InvalidData, problem)
}

#[cfg(test)]
mod tests {
    use super::super::read::{Options, read};
    use super::*;
    use compact_str::CompactString;
    use proptest::prelude::*;

    /// Words with a matrix whose rows are padded by what must never be written.
    fn padded() -> impl Strategy<Value = (Vec<CompactString>, usize, Vec<f32>)> {
        let word = "[a-zäß🦀0-9._-]{1,30}";
        // Fewer numbers could, as binary, by chance look like text.
        (3..8usize).prop_flat_map(move |dim| {
            let value = any::<i32>().prop_map(|bits| f32::from_bits(bits as u32));
            let value = value.prop_map(|value| if value.is_finite() { value } else { 0.25 });
            let rows = proptest::collection::btree_map(
                word,
                proptest::collection::vec(value, dim),
                2..20usize,
            );
            rows.prop_map(move |rows| {
                let words = rows.keys().map(|word| format!("w{word}").into()).collect();
                let padded = |row: &Vec<f32>| [&row[..], &[f32::NAN; 3]].concat();
                (words, dim, rows.values().flat_map(padded).collect())
            })
        })
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_back((words, dim, data) in padded()) {
            let view = View { words: &words, dim, stride: dim + 3, data: &data };
            for format in [Format::Word2vec, Format::Word2vecBinary, Format::Glove, Format::Safetensors] {
                let mut bytes = Vec::new();
                write(&view, format, &mut bytes).unwrap();
                let vectors = read(&bytes[..], Options::default()).unwrap();
                let back = vectors.view();
                prop_assert_eq!(back.words, &words[..]);
                for row in 0..words.len() {
                    let bits = |row: &[f32]| row.iter().map(|v| v.to_bits()).collect::<Vec<_>>();
                    prop_assert_eq!(bits(back.row(row)), bits(view.row(row)), "{:?}", format);
                }
            }
        }
    }

    #[test]
    fn words_that_a_format_cannot_keep_are_refused() {
        let words = ["New York".into()];
        let view = View {
            words: &words,
            dim: 1,
            stride: 1,
            data: &[1.0],
        };
        let mut out = Vec::new();
        assert!(write(&view, Format::Word2vec, &mut out).is_err());
        assert!(write(&view, Format::Word2vecBinary, &mut out).is_err());
        out.clear();
        write(&view, Format::Glove, &mut out).unwrap();
        assert_eq!(out, b"New York 1\n");
    }
}
