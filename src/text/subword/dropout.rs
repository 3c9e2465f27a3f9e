//! BPE-dropout: merges left out at random, so that one word is cut in many ways.
//!
//! ```text
//! while some pair of neighbours has a merge:
//!     leave each such pair out with probability p
//!     merge the first of those that are left, by rank; stop if none is left
//! ```
//!
//! Going through the pairs by rank and taking the first that is not left out is the same. Without dropout this is how
//! words are always cut.
//!
//! Source: Provilkov, Emelianenko, Voita, *BPE-Dropout: Simple and Effective Subword Regularization*, ACL 2020.

use super::SubwordError;
use super::mixed::Map;
use crate::random::Random;
use serde_json::{Value, json};
use std::cmp::Reverse;
use std::collections::BinaryHeap;
use tokenizers::{Model, ModelWrapper};

/// The merges of a BPE model, and how it cuts words that nothing is merged in.
pub struct Merges {
    unmerged: ModelWrapper,
    table: Table,
}

/// What two neighbours become, and the rank of that merge.
pub type Table = Map<(u32, u32), (u32, u32)>;

/// A pair that may be merged: rank, position of its left piece, and the two pieces it was found with.
type Candidate = Reverse<(u32, u32, u32, u32)>;

fn damaged(problem: impl ToString) -> SubwordError {
    SubwordError::Json(problem.to_string())
}

/// The merges in the part `model` of a `tokenizer.json`; none if it is no BPE model. The crate takes for granted what
/// is checked here.
///
/// # Errors
/// When a merge is not of pieces of the vocabulary, or makes none.
pub fn table(model: &Value) -> Result<Option<Table>, SubwordError> {
    let (Some(list), Some(vocab)) = (model["merges"].as_array(), model["vocab"].as_object()) else {
        return Ok(None);
    };
    let prefix = model["continuing_subword_prefix"].as_str().unwrap_or("");
    let number = |piece: &str| {
        let number = vocab.get(piece)?.as_u64()?;
        u32::try_from(number).ok()
    };
    let mut table = Map::default();
    for (rank, merge) in list.iter().enumerate() {
        let pair = match merge {
            Value::String(both) => both.split_once(' '),
            both => both[0].as_str().zip(both[1].as_str()),
        };
        let (left, right) = pair.ok_or_else(|| damaged("a merge is not two pieces"))?;
        let joined = right
            .strip_prefix(prefix)
            .map(|rest| format!("{left}{rest}"));
        let joined = joined.and_then(|joined| number(&joined));
        let numbers = number(left).zip(number(right)).zip(joined);
        let problem = || {
            damaged(format!(
                "the merge of `{left}` and `{right}` is not of pieces"
            ))
        };
        let (pair, joined) = numbers.ok_or_else(problem)?;
        table.insert(pair, (rank as u32, joined));
    }
    Ok(Some(table))
}

impl Merges {
    /// The merges of the part `model` of a `tokenizer.json`.
    ///
    /// # Errors
    /// When it is none.
    pub fn new(model: &Value, table: Table) -> Result<Merges, SubwordError> {
        let mut bare = model.clone();
        bare["merges"] = json!([]);
        bare["ignore_merges"] = json!(false);
        bare["dropout"] = Value::Null;
        let unmerged = serde_json::from_value(bare).map_err(damaged)?;
        Ok(Merges { unmerged, table })
    }

    /// Appends the pieces of a word, merges left out with probability `p`.
    ///
    /// # Errors
    /// When the model has no piece for a character and none for what is unknown.
    pub fn cut(
        &self,
        word: &str,
        p: f32,
        random: &mut Random,
        out: &mut Vec<u32>,
    ) -> Result<(), SubwordError> {
        let letters = self.unmerged.tokenize(word).map_err(SubwordError::model)?;
        let mut pieces: Vec<u32> = letters.iter().map(|token| token.id).collect();
        let length = pieces.len();
        // Positions of the neighbours; `length` is behind the last.
        let mut next: Vec<usize> = (1..=length).collect();
        let mut previous: Vec<Option<usize>> = (0..length).map(|at| at.checked_sub(1)).collect();
        let mut queue: BinaryHeap<Candidate> = BinaryHeap::new();
        let candidate = |pieces: &[u32], left: usize, right: usize| {
            let pair = (pieces[left], *pieces.get(right)?);
            let (rank, _) = self.table.get(&pair)?;
            Some(Reverse((*rank, left as u32, pair.0, pair.1)))
        };
        queue.extend((0..length).filter_map(|at| candidate(&pieces, at, at + 1)));
        let mut left_out = Vec::new();
        while let Some(Reverse((rank, at, left, right))) = queue.pop() {
            let at = at as usize;
            let behind = next[at];
            // One of the two has been merged since, or is no more.
            if pieces[at] != left || pieces.get(behind) != Some(&right) {
                continue;
            }
            if p > 0.0 && random.unit() < p {
                left_out.push(Reverse((rank, at as u32, left, right)));
                continue;
            }
            queue.extend(left_out.drain(..));
            let Some((_, joined)) = self.table.get(&(left, right)) else {
                continue;
            };
            pieces[at] = *joined;
            pieces[behind] = GONE;
            next[at] = next[behind];
            if let Some(previous) = previous.get_mut(next[at]) {
                *previous = Some(at);
            }
            queue.extend(candidate(&pieces, at, next[at]));
            queue.extend(previous[at].and_then(|before| candidate(&pieces, before, at)));
        }
        out.extend(pieces.into_iter().filter(|piece| *piece != GONE));
        Ok(())
    }
}

/// In the place of a piece that its left neighbour has taken in.
const GONE: u32 = u32::MAX;
