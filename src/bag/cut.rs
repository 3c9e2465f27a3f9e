//! Which terms become columns.
//!
//! A term stays when min ≤ df ≤ max; a share of the documents is multiplied out: max_df 0.5 of 7 documents allows
//! df ≤ 3.5. Of those, the `max_features` with the most occurrences; among equals the first in byte order stay
//! (scikit-learn leaves that to its sorting algorithm).

use super::BagError;
use super::counter::Total;
use super::merge::{SortedTerms, merge};
use serde::{Deserialize, Serialize};
use std::cmp::Reverse;
use std::str::FromStr;

/// Bounds of document frequency, and a number of terms.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Cut {
    pub min_df: Bound,
    pub max_df: Bound,
    pub max_features: Option<usize>,
}

/// Documents, or a share of them.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Bound {
    Documents(u64),
    /// From 0 to 1.
    Share(f64),
}

impl Default for Cut {
    fn default() -> Cut {
        Cut {
            min_df: Bound::Documents(1),
            max_df: Bound::Share(1.0),
            max_features: None,
        }
    }
}

impl FromStr for Bound {
    type Err = String;

    fn from_str(text: &str) -> Result<Bound, String> {
        if let Ok(documents) = text.parse() {
            return Ok(Bound::Documents(documents));
        }
        match text.parse() {
            Ok(share) if (0.0..=1.0).contains(&share) => Ok(Bound::Share(share)),
            _ => Err("expected a number of documents such as 5, or a share such as 0.5".to_owned()),
        }
    }
}

impl std::fmt::Display for Bound {
    fn fmt(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
        match self {
            Bound::Documents(documents) => write!(f, "{documents}"),
            Bound::Share(share) => write!(f, "{share:?}"),
        }
    }
}

impl Bound {
    fn of(self, documents: u64) -> f64 {
        match self {
            Bound::Documents(documents) => documents as f64,
            Bound::Share(share) => share * documents as f64,
        }
    }
}

/// A term that stays so far, with the lists that have it.
struct Candidate {
    term: Vec<u8>,
    total: Total,
    members: Vec<(usize, u32)>,
}

impl Cut {
    /// Whether every term stays.
    pub fn is_idle(&self) -> bool {
        *self == Cut::default()
    }

    /// The least and the greatest df that stay, of `documents` documents.
    ///
    /// # Errors
    /// When there is nothing between them.
    pub fn bounds(&self, documents: u64) -> Result<(f64, f64), BagError> {
        let (min, max) = (self.min_df.of(documents), self.max_df.of(documents));
        match max < min && documents > 0 {
            true => Err(BagError::Bounds { min, max }),
            false => Ok((min, max)),
        }
    }

    /// Merges lists of terms of `documents` documents and calls `each` as [`merge`] does, with the terms that stay.
    ///
    /// # Errors
    /// When the bounds leave nothing between them; those of [`merge`].
    pub fn merge<S: SortedTerms, E: From<BagError>>(
        &self,
        documents: u64,
        lists: &mut [S],
        mut each: impl FnMut(&[u8], Total, &[(usize, u32)]) -> Result<(), E>,
    ) -> Result<(), E> {
        let (min, max) = self.bounds(documents)?;
        let stays = |total: Total| (min..=max).contains(&(total.df as f64));
        let Some(most) = self.max_features else {
            return merge(lists, |term, total, members| match stays(total) {
                true => each(term, total, members),
                false => Ok(()),
            });
        };
        let mut best: Vec<Candidate> = Vec::new();
        merge(lists, |term, total, members| {
            if stays(total) {
                best.push(Candidate {
                    term: term.to_vec(),
                    total,
                    members: members.to_vec(),
                });
                if best.len() >= 2 * most.max(1 << 10) {
                    keep_best(&mut best, most);
                }
            }
            Ok::<(), E>(())
        })?;
        keep_best(&mut best, most);
        best.sort_unstable_by(|a, b| a.term.cmp(&b.term));
        best.iter()
            .try_for_each(|found| each(&found.term, found.total, &found.members))
    }
}

/// Leaves the `most` with the highest counts.
fn keep_best(best: &mut Vec<Candidate>, most: usize) {
    if best.len() > most {
        best.select_nth_unstable_by(most, |a, b| {
            let key = |found: &Candidate| Reverse(found.total.count);
            key(a).cmp(&key(b)).then_with(|| a.term.cmp(&b.term))
        });
        best.truncate(most);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bag::merge::Entry;

    /// Terms t0, t1, … with `count` and df each.
    fn kept(cut: &str, totals: &[(u64, u64)], documents: u64) -> Result<Vec<String>, BagError> {
        let mut parts = cut.split(' ');
        let mut bound = || parts.next().unwrap();
        let cut = Cut {
            min_df: bound().parse().unwrap(),
            max_df: bound().parse().unwrap(),
            max_features: bound().parse().ok(),
        };
        let entry = |(i, &(count, df)): (usize, &(u64, u64))| Entry {
            term: format!("t{i:04}").into_bytes(),
            number: i as u32,
            total: Total { count, df },
        };
        let list: Vec<Entry> = totals.iter().enumerate().map(entry).collect();
        let mut names = Vec::new();
        cut.merge(documents, &mut [list.into_iter()], |term, _, _| {
            names.push(String::from_utf8(term.to_vec()).unwrap());
            Ok::<(), BagError>(())
        })?;
        Ok(names)
    }

    const TOTALS: &[(u64, u64)] = &[(9, 1), (4, 4), (4, 3), (2, 2), (9, 7)];

    #[test]
    fn document_frequencies_have_bounds() {
        assert_eq!(kept("2 0.5 -", TOTALS, 7).unwrap(), ["t0002", "t0003"]);
        assert_eq!(kept("1 1.0 -", TOTALS, 7).unwrap().len(), 5);
        assert_eq!(kept("0.5 7 -", TOTALS, 7).unwrap(), ["t0001", "t0004"]);
        assert!(matches!(
            kept("5 0.5 -", TOTALS, 7),
            Err(BagError::Bounds { .. })
        ));
    }

    #[test]
    fn the_most_frequent_stay_and_byte_order_breaks_ties() {
        assert_eq!(
            kept("1 1.0 3", TOTALS, 7).unwrap(),
            ["t0000", "t0001", "t0004"]
        );
        let many: Vec<_> = (0..5000).map(|i| (i % 50 + 1, 1)).collect();
        let found = kept("1 1.0 150", &many, 7).unwrap();
        assert_eq!(found.len(), 150);
        assert_eq!((&*found[0], &*found[149]), ("t0048", "t4999"));
        // 100 terms have 50 occurrences; of the 100 with 49 the first half stays.
        assert!(found.contains(&"t2498".to_owned()) && !found.contains(&"t2548".to_owned()));
    }
}
