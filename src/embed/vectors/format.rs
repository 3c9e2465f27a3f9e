//! The formats of word vectors, by name, by extension and by content.
//!
//! ```text
//! vec           N DIM \n, then WORD v₁ … v_DIM \n for each word    word2vec's text, and fastText's .vec
//! bin           N DIM \n, then WORD ' ' and DIM little-endian f32   word2vec's binary; '\n' after each row or not
//! glove         WORD v₁ … v_DIM \n                                  no header
//! safetensors   tensors `vectors`, `words`, `ends` [and `scales`]   see `container`
//! ```

use std::path::Path;

/// A format of word vectors.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Format {
    /// word2vec's text: a header, then a word and its values a line; fastText's .vec too
    #[value(name = "vec", alias = "txt")]
    Word2vec,
    /// word2vec's binary
    #[value(name = "bin")]
    Word2vecBinary,
    /// GloVe's text: as vec, without the header
    Glove,
    /// safetensors: memory-mapped, of f32, f16 or int8
    Safetensors,
}

impl Format {
    /// The format that a file's name asks for, a .gz or .zst at its end left aside: .bin, .glove, .safetensors; text of
    /// word2vec for .vec and .txt; none for others.
    pub fn from_path(path: &Path) -> Option<Format> {
        let mut extension = path.extension()?.to_str()?;
        if matches!(extension, "gz" | "zst") {
            extension = Path::new(path.file_stem()?).extension()?.to_str()?;
        }
        match extension {
            "vec" | "txt" => Some(Format::Word2vec),
            "bin" => Some(Format::Word2vecBinary),
            "glove" => Some(Format::Glove),
            "safetensors" => Some(Format::Safetensors),
            _ => None,
        }
    }

    /// The format of a file by its first bytes, decompressed.
    pub fn detect(head: &[u8]) -> Format {
        // A safetensors file starts with the length of its JSON header.
        if head.len() > 8 && head[7] == 0 && head[8] == b'{' {
            return Format::Safetensors;
        }
        let end = memchr::memchr(b'\n', head).unwrap_or(head.len());
        if header(&head[..end]).is_none() {
            return Format::Glove;
        }
        // Numbers in binary have bytes that text never has; in the first row none but ASCII stands behind the word.
        let rows = head.get(end + 1..).unwrap_or_default();
        let first = rows.split(|byte| *byte == b'\n').next().unwrap_or(rows);
        let mut values = first.iter().skip_while(|byte| !byte.is_ascii_whitespace());
        let is_control = |byte: &u8| matches!(byte, 0..=8 | 14..=31);
        match rows.iter().any(is_control) || values.any(|byte| !byte.is_ascii()) {
            true => Format::Word2vecBinary,
            false => Format::Word2vec,
        }
    }
}

/// The numbers of a header: words and dimensions.
pub(super) fn header(line: &[u8]) -> Option<(usize, usize)> {
    let mut fields = std::str::from_utf8(line).ok()?.split_ascii_whitespace();
    let (words, dim) = (fields.next()?.parse().ok()?, fields.next()?.parse().ok()?);
    fields.next().is_none().then_some((words, dim))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_asks_for_a_format_also_when_compressed() {
        let format = |name: &str| Format::from_path(Path::new(name));
        assert_eq!(format("a.vec.gz"), Some(Format::Word2vec));
        assert_eq!(format("a.bin"), Some(Format::Word2vecBinary));
        assert_eq!(format("a/b.glove.zst"), Some(Format::Glove));
        assert_eq!(format("a.safetensors"), Some(Format::Safetensors));
        assert_eq!(format("gz"), None);
    }

    #[test]
    fn content_tells_the_format() {
        assert_eq!(Format::detect(b"2 2\na 1 2\nb 3 4\n"), Format::Word2vec);
        assert_eq!(Format::detect(b"a 1 2\nb 3 4\n"), Format::Glove);
        assert_eq!(
            Format::detect(b"1 1\na \x00\x00\x80\x3f"),
            Format::Word2vecBinary
        );
    }
}
