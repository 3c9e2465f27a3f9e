//! Text without its entities: each is replaced by its label, or by a pseudonym that is the same wherever the same name
//! stands.
//!
//! ```text
//! Ann met Bob; Ann left.    [PER] met [PER]; [PER] left.    [PER-5C21E0A7] met [PER-9B03D4F2]; [PER-5C21E0A7] left.
//! ```
//!
//! A pseudonym is made of the label and 32 bits of SipHash-2-4 (Aumasson and Bernstein 2012) of the name under a key. Who
//! has the key, or knows that there was none, can try names until one fits.

use super::document::Document;
use super::entity::entities;
use siphasher::sip::SipHasher24;
use std::fmt::Write;
use std::hash::Hasher;

/// What entities are replaced by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Redaction {
    /// The label: `[PER]`
    Label,
    /// The label and a number that is the same for the same name: `[PER-5C21E0A7]`
    Pseudonym,
}

/// Replaces the entities of a document in its text, which is all that is left of it.
pub fn redact(document: &mut Document, redaction: Redaction, key: &str) {
    document.locate();
    let text = document.text.take().unwrap_or_default();
    let mut out = String::with_capacity(text.len());
    let mut done = 0;
    for sentence in &document.sentences {
        for entity in entities(sentence) {
            let span = entity.span(sentence);
            // Two entities may be of words of one token.
            if span.start < done {
                continue;
            }
            out.push_str(&text[done..span.start]);
            let name = &text[span.clone()];
            // Writing to a string cannot fail.
            let _ = match redaction {
                Redaction::Label => write!(out, "[{}]", entity.label),
                Redaction::Pseudonym => {
                    let number = number(&entity.label, name, key);
                    write!(out, "[{}-{number:08X}]", entity.label)
                }
            };
            done = span.end;
        }
    }
    out.push_str(&text[done..]);
    document.text = Some(out);
    document.sentences.clear();
}

/// The number of a name under a key; white space and case of the name do not matter.
fn number(label: &str, name: &str, key: &str) -> u32 {
    let words: Vec<String> = name.split_whitespace().map(str::to_lowercase).collect();
    let mut hasher = SipHasher24::new();
    for part in [key, label, &words.join(" ")] {
        hasher.write(part.as_bytes());
        hasher.write_u8(0xff);
    }
    hasher.finish() as u32
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::plain::parse_tokens;

    fn redacted(redaction: Redaction, key: &str) -> String {
        let mut document = parse_tokens("Ann met Bob and ANN .");
        for i in [0, 2, 4] {
            document.sentences[0].words[i].misc.set("NER", "B-PER");
        }
        redact(&mut document, redaction, key);
        assert!(document.sentences.is_empty());
        document.text.unwrap()
    }

    #[test]
    fn names_are_replaced_and_the_rest_stays() {
        assert_eq!(
            redacted(Redaction::Label, "").trim_end(),
            "[PER] met [PER] and [PER] ."
        );
    }

    #[test]
    fn a_pseudonym_is_the_same_for_the_same_name_under_the_same_key() {
        let text = redacted(Redaction::Pseudonym, "");
        let words: Vec<&str> = text.split_whitespace().collect();
        assert_eq!(words[0], words[4]);
        assert_ne!(words[0], words[2]);
        assert_eq!(words[0].len(), "[PER-12345678]".len());
        assert_ne!(redacted(Redaction::Pseudonym, "k"), text);
    }
}
