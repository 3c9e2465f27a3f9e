//! Models of SentencePiece (`.model`), as the parts of a `tokenizer.json`.
//!
//! ```text
//! field 1, many   a piece: 1 text, 2 score (f32), 3 type: 1 normal, 2 unknown, 3 control, 4 user-defined, 5 unused, 6 byte
//! field 2         how it was trained: 3 model type: 1 unigram, 2 BPE; 24 whitespace as suffix; 35 byte fallback
//! field 3         normalizer: 2 table of characters, 3 dummy prefix, 4 no extra spaces, 5 spaces as ▁
//! ```
//!
//! A BPE model of SentencePiece has no merges, only scores: it joins the two neighbours whose sum has the highest. So
//! each way to make a piece of two others is a merge, in the order of the scores.
//!
//! Source: `sentencepiece_model.proto` of SentencePiece 0.2, in the wire format of Protocol Buffers.

use super::SubwordError;
use super::mixed::{Map, Set};
use serde_json::{Value, json};
use tokenizers::normalizers::precompiled::Precompiled;

/// A piece of a model.
struct Piece {
    text: String,
    score: f32,
    kind: u64,
}

const NORMAL: u64 = 1;
const UNKNOWN: u64 = 2;
const USER_DEFINED: u64 = 4;
const BYTE: u64 = 6;

/// Below the score of every text: what is no normal piece is never read in a text whose characters are known.
const NEVER: f64 = -1000.0;

/// A model, as far as it matters here.
struct File {
    pieces: Vec<Piece>,
    is_bpe: bool,
    table: Vec<u8>,
    has_prefix: bool,
    drops_spaces: bool,
}

/// The `tokenizer.json` that does what a `.model` says.
///
/// # Errors
/// When the bytes are no such model, or one of whole words or characters.
pub fn to_json(bytes: &[u8]) -> Result<String, SubwordError> {
    let file = File::read(bytes)?;
    let mut steps = Vec::new();
    if !file.table.is_empty() {
        let table = Precompiled::from(&file.table)
            .map_err(|_| refused("its table of characters is damaged"))?;
        let table = serde_json::to_value(table).map_err(|error| refused(&error.to_string()))?;
        steps.push(table);
    }
    let replace = |pattern: Value, content: &str| json!({"type": "Replace", "pattern": pattern, "content": content});
    if file.drops_spaces {
        steps.push(replace(json!({"Regex": r"\A +| +\z"}), ""));
        steps.push(replace(json!({"Regex": " {2,}"}), " "));
    }
    // A text may begin with spaces of its own, which Metaspace would take for the prefix.
    let prepends = file.has_prefix && !file.drops_spaces;
    if prepends {
        steps.push(json!({"type": "Prepend", "prepend": "▁"}));
    }
    let mut decoders = vec![
        replace(json!({"String": "▁"}), " "),
        json!({"type": "ByteFallback"}),
        json!({"type": "Fuse"}),
    ];
    if file.has_prefix {
        decoders.push(json!({"type": "Strip", "content": " ", "start": 1, "stop": 0}));
    }
    let has_inner_space = |piece: &Piece| piece.text.chars().skip(1).any(|c| c == '▁');
    let is_defined = |piece: &Piece| piece.kind == USER_DEFINED;
    let scheme = match file.has_prefix && !prepends {
        true if file.pieces.iter().any(is_defined) => "first",
        // `first` goes by the text as it was before its leading spaces were dropped.
        true => "always",
        false => "never",
    };
    let added: Vec<Value> = file
        .pieces
        .iter()
        .enumerate()
        .filter(|(_, piece)| is_defined(piece))
        .map(|(id, piece)| {
            json!({
                "id": id, "content": piece.text, "single_word": false, "lstrip": false, "rstrip": false,
                "normalized": true, "special": false,
            })
        })
        .collect();
    let whole = json!({
        "version": "1.0", "truncation": null, "padding": null, "added_tokens": added,
        "normalizer": {"type": "Sequence", "normalizers": steps},
        "pre_tokenizer": {
            "type": "Metaspace", "replacement": "▁", "prepend_scheme": scheme,
            "split": !file.pieces.iter().any(has_inner_space),
        },
        "post_processor": null,
        "decoder": {"type": "Sequence", "decoders": decoders},
        "model": if file.is_bpe { file.bpe() } else { file.unigram() },
    });
    Ok(whole.to_string())
}

fn refused(problem: &str) -> SubwordError {
    SubwordError::SentencePiece(problem.to_owned())
}

impl File {
    fn read(bytes: &[u8]) -> Result<File, SubwordError> {
        let mut file = File {
            pieces: Vec::new(),
            is_bpe: false,
            table: Vec::new(),
            has_prefix: true,
            drops_spaces: true,
        };
        for field in Fields(bytes) {
            match field? {
                (1, Field::Bytes(piece)) => file.pieces.push(Piece::read(piece)?),
                (2, Field::Bytes(trainer)) => {
                    for field in Fields(trainer) {
                        match field? {
                            (3, Field::Number(1)) => file.is_bpe = false,
                            (3, Field::Number(2)) => file.is_bpe = true,
                            (3, _) => return Err(refused("only unigram and BPE models are read")),
                            (24, Field::Number(1)) => {
                                return Err(refused("white space as a suffix is not read"));
                            }
                            _ => {}
                        }
                    }
                }
                (3, Field::Bytes(normalizer)) => {
                    for field in Fields(normalizer) {
                        match field? {
                            (2, Field::Bytes(table)) => file.table = table.to_vec(),
                            (3, Field::Number(flag)) => file.has_prefix = flag == 1,
                            (4, Field::Number(flag)) => file.drops_spaces = flag == 1,
                            (5, Field::Number(0)) => {
                                return Err(refused(
                                    "spaces that are not written as ▁ are not read",
                                ));
                            }
                            _ => {}
                        }
                    }
                }
                _ => {}
            }
        }
        let mut texts = Set::default();
        match file
            .pieces
            .iter()
            .all(|piece| texts.insert(piece.text.as_str()))
        {
            _ if file.pieces.is_empty() => Err(refused("it has no pieces")),
            true => Ok(file),
            false => Err(refused("two of its pieces are the same")),
        }
    }

    fn unknown(&self) -> Option<usize> {
        self.pieces.iter().position(|piece| piece.kind == UNKNOWN)
    }

    fn has_bytes(&self) -> bool {
        self.pieces.iter().any(|piece| piece.kind == BYTE)
    }

    fn unigram(&self) -> Value {
        let vocab = self.pieces.iter().map(|piece| match piece.kind {
            NORMAL | USER_DEFINED => json!([piece.text, piece.score]),
            _ => json!([piece.text, NEVER]),
        });
        json!({
            "type": "Unigram", "unk_id": self.unknown(), "vocab": vocab.collect::<Vec<_>>(),
            "byte_fallback": self.has_bytes(),
        })
    }

    fn bpe(&self) -> Value {
        let normal = self
            .pieces
            .iter()
            .enumerate()
            .filter(|(_, piece)| piece.kind == NORMAL);
        let scores: Map<&str, f32> = normal
            .clone()
            .map(|(_, p)| (p.text.as_str(), p.score))
            .collect();
        let mut merges: Vec<(f32, usize, &str, &str)> = Vec::new();
        for (number, piece) in normal {
            for (at, _) in piece.text.char_indices().skip(1) {
                let (left, right) = piece.text.split_at(at);
                if scores.contains_key(left) && scores.contains_key(right) {
                    merges.push((piece.score, number, left, right));
                }
            }
        }
        merges.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
        let merges: Vec<Value> = merges
            .iter()
            .map(|(_, _, left, right)| json!([left, right]))
            .collect();
        let vocab: serde_json::Map<String, Value> = self
            .pieces
            .iter()
            .zip(0..)
            .map(|(piece, number)| (piece.text.clone(), Value::from(number)))
            .collect();
        json!({
            "type": "BPE", "dropout": null, "unk_token": self.unknown().map(|at| &self.pieces[at].text),
            "continuing_subword_prefix": null, "end_of_word_suffix": null, "fuse_unk": true,
            "byte_fallback": self.has_bytes(), "ignore_merges": false, "vocab": vocab, "merges": merges,
        })
    }
}

impl Piece {
    fn read(bytes: &[u8]) -> Result<Piece, SubwordError> {
        let mut piece = Piece {
            text: String::new(),
            score: 0.0,
            kind: NORMAL,
        };
        for field in Fields(bytes) {
            match field? {
                (1, Field::Bytes(text)) => {
                    let text =
                        std::str::from_utf8(text).map_err(|_| refused("a piece is no UTF-8"))?;
                    piece.text = text.to_owned();
                }
                (2, Field::Float(score)) => piece.score = score,
                (3, Field::Number(kind)) => piece.kind = kind,
                _ => {}
            }
        }
        match piece.score.is_finite() {
            true => Ok(piece),
            false => Err(refused("a score is no number")),
        }
    }
}

/// The value of a field.
#[derive(Debug, PartialEq)]
enum Field<'b> {
    Number(u64),
    Bytes(&'b [u8]),
    Float(f32),
    /// Eight bytes, which no field here has.
    Other,
}

/// The fields of a message and their numbers.
struct Fields<'b>(&'b [u8]);

impl<'b> Fields<'b> {
    /// Seven bits a byte, the lowest first; the high bit says that more follow.
    fn number(&mut self) -> Option<u64> {
        let mut value = 0;
        for shift in (0..64).step_by(7) {
            let (&byte, rest) = self.0.split_first()?;
            self.0 = rest;
            value |= u64::from(byte & 0x7F) << shift;
            if byte < 0x80 {
                return Some(value);
            }
        }
        None
    }

    fn take(&mut self, count: usize) -> Option<&'b [u8]> {
        let (taken, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        Some(taken)
    }

    fn field(&mut self) -> Option<(u64, Field<'b>)> {
        let key = self.number()?;
        let field = match key & 7 {
            0 => Field::Number(self.number()?),
            1 => self.take(8).map(|_| Field::Other)?,
            2 => {
                let length = usize::try_from(self.number()?).ok()?;
                Field::Bytes(self.take(length)?)
            }
            5 => Field::Float(f32::from_le_bytes(self.take(4)?.try_into().ok()?)),
            _ => return None,
        };
        Some((key >> 3, field))
    }
}

impl<'b> Iterator for Fields<'b> {
    type Item = Result<(u64, Field<'b>), SubwordError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.0.is_empty() {
            return None;
        }
        let field = self.field();
        if field.is_none() {
            self.0 = &[];
        }
        Some(field.ok_or_else(|| refused("it is cut short or damaged")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::subword::Subword;

    fn bytes_field(number: u8, bytes: &[u8]) -> Vec<u8> {
        let mut field = vec![number << 3 | 2, bytes.len() as u8];
        field.extend(bytes);
        field
    }

    fn piece(text: &str, score: f32, kind: u8) -> Vec<u8> {
        let mut piece = bytes_field(1, text.as_bytes());
        piece.push(2 << 3 | 5);
        piece.extend(score.to_le_bytes());
        piece.extend([3 << 3, kind]);
        bytes_field(1, &piece)
    }

    /// A model of the type 1 (unigram) or 2 (BPE).
    fn model(kind: u8) -> Vec<u8> {
        let pieces = [
            piece("<unk>", 0.0, 2),
            piece("<s>", 0.0, 3),
            piece("▁a", -1.0, 1),
            piece("▁ab", -1.5, 1),
            piece("▁", -2.0, 1),
            piece("a", -3.0, 1),
            piece("b", -3.5, 1),
        ];
        let mut model = pieces.concat();
        model.extend(bytes_field(2, &[3 << 3, kind]));
        model
    }

    #[test]
    fn pieces_are_found_by_their_scores() {
        for kind in [1, 2] {
            let model = Subword::from_bytes(&model(kind)).unwrap();
            // Spaces at the ends are dropped, the others are one.
            let numbers = model.encode("  ab  ba ").unwrap();
            assert_eq!(numbers, [3, 4, 6, 5], "{kind}");
            assert_eq!(model.decode(&numbers).unwrap(), "ab ba", "{kind}");
            assert_eq!(model.encode("xyz").unwrap(), [4, 0], "{kind}");
        }
    }

    #[test]
    fn numbers_are_seven_bits_a_byte() {
        let fields: Vec<_> = Fields(&[0x08, 0x96, 0x01]).map(Result::unwrap).collect();
        assert_eq!(fields, [(1, Field::Number(150))]);
    }

    #[test]
    fn other_files_are_refused() {
        let whole = model(1);
        let words = model(3);
        for bytes in [
            &b""[..],
            b"hello",
            &whole[..whole.len() - 3],
            &words,
            &[0xFF; 40],
        ] {
            assert!(
                matches!(to_json(bytes), Err(SubwordError::SentencePiece(_))),
                "{bytes:?}"
            );
        }
    }
}
