//! Comment lines: `# key = value`, or a bare `# key`.

use crate::text::document::{Opens, Sentence};

/// The value of a comment line with this key; empty for a bare key.
pub fn value<'a>(line: &'a str, key: &str) -> Option<&'a str> {
    let rest = line
        .strip_prefix('#')?
        .trim_start_matches([' ', '\t'])
        .strip_prefix(key)?;
    let after = rest.trim_start_matches([' ', '\t']);
    match after.strip_prefix('=') {
        Some(value) => Some(value.trim()),
        None => after.is_empty().then_some(""),
    }
}

/// Adds a comment line to a sentence, with what it says of the sentence and of the name of the document.
pub fn take_in(line: &str, sentence: &mut Sentence, document_id: &mut Option<String>) {
    if let Some(id) = value(line, "newdoc id") {
        sentence.opens = Opens::Document;
        document_id.get_or_insert_with(|| id.to_string());
    } else if value(line, "newdoc").is_some() {
        sentence.opens = Opens::Document;
    } else if value(line, "newpar").is_some() || value(line, "newpar id").is_some() {
        sentence.opens = sentence.opens.max(Opens::Paragraph);
    } else if let Some(id) = value(line, "sent_id")
        && !id.is_empty()
    {
        sentence.id.get_or_insert_with(|| id.into());
    }
    sentence.comments.push(line.to_string());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_ends_at_the_equals_sign() {
        assert_eq!(value("# newdoc id = a b", "newdoc id"), Some("a b"));
        assert_eq!(value("#newpar", "newpar"), Some(""));
        assert_eq!(value("# newpar_block = head", "newpar"), None);
        assert_eq!(value("# text_en = no", "text"), None);
    }
}
