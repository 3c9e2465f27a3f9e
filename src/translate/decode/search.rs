//! The search for the translation of one sentence.
//!
//! ```text
//! beam K      candidates: the best 2K continuations of the K hypotheses, the best first
//!             EOS among them, fewer than K others before it:  finished
//!             the first K others:                              live
//! until K have finished, or the length limit is reached, where the live ones count as finished
//! ```
//!
//! Samples are hypotheses that know nothing of each other. A given beginning leaves each hypothesis a single
//! continuation.

use super::words::{Found, Wanted};
use super::{Hypothesis, Options, Sample, Task};
use crate::random::Random;
use crate::translate::batch::{BOS, EOS};
use std::cmp::Ordering;

/// A sentence under way.
#[derive(Debug)]
pub struct Search<'o> {
    options: &'o Options,
    task: Task,
    live: Vec<Live>,
    finished: Vec<Hypothesis>,
    limit: usize,
    /// Tokens that every live hypothesis has.
    length: usize,
}

#[derive(Clone, Debug)]
struct Live {
    tokens: Vec<u32>,
    words: Vec<f32>,
    score: f32,
    /// Its row in the last step.
    parent: u32,
    random: Option<Random>,
}

/// A continuation.
struct Candidate {
    score: f32,
    word: u32,
    own: f32,
    parent: usize,
}

impl<'o> Search<'o> {
    /// `limit`: tokens that a translation may have, with its mark.
    pub fn new(options: &'o Options, task: Task, limit: usize) -> Search<'o> {
        let most = (options.factor * (task.source.len() + 1) as f32) as usize + options.plus;
        let most = most.max(task.prefix.len() + 1).min(limit).max(1);
        let start = |random| Live {
            tokens: Vec::new(),
            words: Vec::new(),
            score: 0.0,
            parent: 0,
            random,
        };
        let live = match options.sample.filter(|_| !task.is_given) {
            // Samples have streams of their own: of sentence n, sample i.
            Some(sample) => (0..options.beam.max(1) as u64)
                .map(|i| start(Some(Random::new(sample.seed ^ i << 48, task.number))))
                .collect(),
            None => vec![start(None)],
        };
        Search {
            options,
            task,
            live,
            finished: Vec::new(),
            limit: most,
            length: 0,
        }
    }

    /// The rows of the next step: parent and token of each.
    pub fn rows(&self) -> impl ExactSizeIterator<Item = (u32, u32)> {
        (self.live.iter()).map(|live| (live.parent, live.tokens.last().copied().unwrap_or(BOS)))
    }

    /// Whether probabilities matter.
    fn needs_sum(&self) -> bool {
        self.options.scores || self.task.is_given || self.options.beam > 1
    }

    /// What is wanted of each row.
    pub fn wanted(&self) -> impl Iterator<Item = Wanted> {
        let given = self.given();
        self.live.iter().map(move |live| {
            let (mut best, mut with_all) = (2 * self.options.beam, false);
            if self.options.beam == 1 {
                best = 1;
            }
            if let Some(sample) = self.options.sample {
                best = sample.top_k;
                with_all = sample.top_k == 0;
            }
            if given.is_some() {
                (best, with_all) = (0, false);
            }
            Wanted {
                best,
                with_sum: self.needs_sum(),
                word: given,
                forbidden: self.forbidden(live),
                with_all,
            }
        })
    }

    /// The token that must come next, if one must.
    fn given(&self) -> Option<u32> {
        let end = self.task.is_given && self.length == self.task.prefix.len();
        let next = self.task.prefix.get(self.length).copied();
        next.or_else(|| end.then_some(EOS))
    }

    /// What a hypothesis may not go on with.
    fn forbidden(&self, live: &Live) -> Vec<u32> {
        let mut words = self.options.forbidden.clone();
        if self.length == 0 && self.task.prefix.is_empty() && !self.task.source.is_empty() {
            // A sentence that says something is not translated by nothing.
            words.push(EOS);
        }
        let n = self.options.no_repeat;
        if n > 0 && live.tokens.len() >= n {
            let last = &live.tokens[live.tokens.len() - (n - 1)..];
            let runs = live.tokens.windows(n);
            words.extend(
                runs.filter(|run| run[..n - 1] == *last)
                    .map(|run| run[n - 1]),
            );
        }
        words
    }

    /// Goes on with what was found for each row; `alignment` gives that of a row. Whether the search has ended.
    pub fn advance(&mut self, found: &[Found], alignment: impl Fn(usize) -> Vec<u32>) -> bool {
        let is_last = self.length + 1 >= self.limit;
        match self.options.sample.filter(|_| self.given().is_none()) {
            Some(sample) => self.draw(sample, found, &alignment),
            None => self.extend(found, &alignment),
        }
        self.length += 1;
        let is_over = match self.options.sample.is_some() && !self.task.is_given {
            true => self.live.is_empty(),
            false => self.finished.len() >= self.beam() || self.live.is_empty(),
        };
        if is_last && !is_over {
            // What is still live counts as it is.
            for live in std::mem::take(&mut self.live) {
                let hypothesis = self.finish(live, &alignment);
                self.finished.push(hypothesis);
            }
        }
        is_last || is_over
    }

    fn beam(&self) -> usize {
        match self.task.is_given {
            true => 1,
            false => self.options.beam,
        }
    }

    fn extend(&mut self, found: &[Found], alignment: &impl Fn(usize) -> Vec<u32>) {
        let (beam, given, with_sum) = (self.beam(), self.given(), self.needs_sum());
        let mut candidates = Vec::with_capacity(found.len() * 2 * beam);
        for (parent, (live, found)) in self.live.iter().zip(found).enumerate() {
            let normaliser = if with_sum { found.normaliser() } else { 0.0 };
            let given = given.map(|word| (found.word, word));
            for (score, word) in found.best.iter().copied().chain(given) {
                let own = if with_sum { score - normaliser } else { 0.0 };
                candidates.push(Candidate {
                    score: live.score + own,
                    word,
                    own,
                    parent,
                });
            }
        }
        if beam > 1 {
            let order = |a: &Candidate, b: &Candidate| b.score.partial_cmp(&a.score);
            candidates.sort_by(|a, b| order(a, b).unwrap_or(Ordering::Equal));
            candidates.truncate(2 * beam);
        }
        let old = std::mem::take(&mut self.live);
        for candidate in candidates {
            if self.live.len() >= beam {
                continue;
            }
            let next = old[candidate.parent].next(&candidate);
            match candidate.word {
                EOS => {
                    let hypothesis = self.finish(next, alignment);
                    self.finished.push(hypothesis);
                    if beam == 1 {
                        return;
                    }
                }
                _ => self.live.push(next),
            }
        }
    }

    fn draw(&mut self, sample: Sample, found: &[Found], alignment: &impl Fn(usize) -> Vec<u32>) {
        let old = std::mem::take(&mut self.live);
        for (parent, (mut live, found)) in old.into_iter().zip(found).enumerate() {
            let mut words = found.best.clone();
            if sample.top_k == 0 {
                let forbidden = self.forbidden(&live);
                let all = found.all.iter().copied().zip(0..);
                words = all.filter(|(_, word)| !forbidden.contains(word)).collect();
            }
            let unit = live.random.as_mut().map_or(0.0, Random::unit);
            let Some((score, word)) = pick(words, sample, unit) else {
                continue;
            };
            let own = if self.needs_sum() {
                score - found.normaliser()
            } else {
                0.0
            };
            let next = live.next(&Candidate {
                score: live.score + own,
                word,
                own,
                parent,
            });
            if word == EOS {
                let hypothesis = self.finish(next, alignment);
                self.finished.push(hypothesis);
            } else {
                self.live.push(next);
            }
        }
    }

    fn finish(&self, live: Live, alignment: &impl Fn(usize) -> Vec<u32>) -> Hypothesis {
        let mut alignment = match self.options.alignment {
            true => alignment(live.parent as usize),
            false => Vec::new(),
        };
        let mut tokens = live.tokens;
        let length = tokens.len() as f32;
        if tokens.last() == Some(&EOS) {
            tokens.pop();
        }
        alignment.truncate(tokens.len());
        Hypothesis {
            words: if self.needs_sum() {
                live.words
            } else {
                Vec::new()
            },
            score: live.score,
            normalised: live.score / length.powf(self.options.length_penalty),
            tokens,
            alignment,
        }
    }

    /// The translations that were found, the best first.
    pub fn end(mut self) -> Vec<Hypothesis> {
        let order = |a: &Hypothesis, b: &Hypothesis| b.normalised.partial_cmp(&a.normalised);
        (self.finished).sort_by(|a, b| order(a, b).unwrap_or(Ordering::Equal));
        self.finished.truncate(self.options.best.max(1));
        self.finished
    }
}

impl Live {
    fn next(&self, candidate: &Candidate) -> Live {
        let mut next = self.clone();
        next.tokens.push(candidate.word);
        next.words.push(candidate.own);
        next.score = candidate.score;
        next.parent = candidate.parent as u32;
        next
    }
}

/// A word, drawn with a number from 0 to 1.
fn pick(mut words: Vec<(f32, u32)>, sample: Sample, unit: f32) -> Option<(f32, u32)> {
    words.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
    let most = words.first()?.0;
    let weight = |score: f32| ((score - most) / sample.temperature.max(1e-6)).exp();
    let all: f32 = words.iter().map(|(score, _)| weight(*score)).sum();
    let (mut kept, mut count) = (0.0, 0);
    for (score, _) in &words {
        if count > 0 && kept >= sample.top_p * all {
            break;
        }
        kept += weight(*score);
        count += 1;
    }
    let mut rest = unit * kept;
    for word in &words[..count] {
        rest -= weight(word.0);
        if rest < 0.0 {
            return Some(*word);
        }
    }
    words[..count].last().copied()
}

#[cfg(test)]
mod tests;
