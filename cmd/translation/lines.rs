//! A line's translations, put together from its parts and printed.

use super::translate::{Shows, To};
use crate::subword::lines::Line;
use anyhow::Result;
use serde_json::{Value, json};
use std::fmt::Write;
use wordmill::text::subword::Subword;
use wordmill::translate::decode::{Hypothesis, Task};

/// The translations of a line, the best first.
#[derive(Debug, Default)]
pub struct Translated {
    ranks: Vec<Rank>,
    /// Tokens of the source.
    source: Vec<u32>,
    is_spaced: bool,
}

/// One of them.
#[derive(Clone, Debug, Default)]
struct Rank {
    text: String,
    score: f32,
    normalised: f32,
    tokens: Vec<u32>,
    words: Vec<f32>,
    /// Pairs of source token and own token.
    alignment: Vec<(usize, usize)>,
}

impl Translated {
    /// Adds the translations of the next part. Where one part has fewer than another, its last is taken again.
    ///
    /// # Errors
    /// When tokens cannot be made text.
    pub fn add(
        &mut self,
        tokenizer: &Subword,
        task: &Task,
        found: Vec<Hypothesis>,
        is_spaced: bool,
    ) -> Result<()> {
        let count = self.ranks.len().max(found.len());
        let last = self.ranks.last().cloned().unwrap_or_default();
        self.ranks.resize(count, last);
        for (i, rank) in self.ranks.iter_mut().enumerate() {
            let Some(part) = found.get(i).or(found.last()) else {
                continue;
            };
            let (before, own) = (self.source.len(), rank.tokens.len());
            if self.is_spaced {
                rank.text.push(' ');
            }
            rank.text += &one_line(&tokenizer.decode(&part.tokens)?);
            rank.score += part.score;
            rank.normalised += part.normalised;
            rank.tokens.extend(&part.tokens);
            rank.words.extend(&part.words);
            let pairs = part.alignment.iter().enumerate();
            rank.alignment.extend(
                pairs.map(|(own_token, token)| (before + *token as usize, own + own_token)),
            );
        }
        self.source.extend(&task.source);
        self.is_spaced = is_spaced;
        Ok(())
    }
}

/// A translation is a line, whatever the model has learned to say.
fn one_line(text: &str) -> String {
    text.trim().replace(['\n', '\r'], " ")
}

/// Appends what is printed of a line.
///
/// # Errors
/// When its pieces have no names.
pub fn print(
    shows: Shows,
    line: &Line,
    models: (&Subword, &Subword),
    translated: &Translated,
    out: &mut String,
) -> Result<()> {
    if shows.to == To::Jsonl {
        *out += &serde_json::to_string(&object(line, models, translated))?;
        out.push('\n');
        return Ok(());
    }
    if translated.ranks.is_empty() && !shows.is_list {
        out.push('\n');
    }
    for rank in &translated.ranks {
        if shows.is_reference {
            // Writing to a string does not fail.
            let _ = writeln!(out, "{:.4}", rank.score);
            continue;
        }
        if shows.is_list {
            let _ = write!(out, "{} ||| ", line.number);
        } else if shows.score {
            let _ = write!(out, "{:.4}\t", rank.score);
        }
        *out += &rank.text;
        if shows.is_list {
            let _ = write!(out, " ||| {:.4} ||| {:.4}", rank.score, rank.normalised);
        }
        if shows.alignment {
            *out += " |||";
            for (source, own) in &rank.alignment {
                let _ = write!(out, " {source}-{own}");
            }
        }
        out.push('\n');
    }
    Ok(())
}

fn object(line: &Line, (source, target): (&Subword, &Subword), translated: &Translated) -> Value {
    let pieces = |model: &Subword, tokens: &[u32]| -> Vec<String> {
        let piece = |token: &u32| model.piece(*token).unwrap_or_default().to_owned();
        tokens.iter().map(piece).collect()
    };
    let translations = translated.ranks.iter().map(|rank| {
        json!({
            "text": rank.text,
            "score": rank.score,
            "normalised": rank.normalised,
            "pieces": pieces(target, &rank.tokens),
            "scores": rank.words,
            "alignment": rank.alignment,
        })
    });
    json!({
        "line": line.number,
        "source": line.text,
        "pieces": pieces(source, &translated.source),
        "translations": translations.collect::<Vec<Value>>(),
    })
}
