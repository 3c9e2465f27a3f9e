//! A batch as a model takes it: sentences one behind the other, without padding.
//!
//! ```text
//! pairs       (5 6, 7)  (8, 9 9 4)
//! source      5 6 2 8 2        starts 0 3 5        sentences end with EOS
//! target in   1 7 1 9 9 4      starts 0 2 6        what the decoder reads begins with BOS
//! target out  7 2 9 9 4 2                          what it is to say, at the same places, ends with EOS
//! ```

use crate::nn::packed::Packed;

/// Marks the begin of what a decoder reads.
pub const BOS: u32 = 1;
/// Marks the end of a sentence.
pub const EOS: u32 = 2;

/// Pairs of sentences for one step.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Batch {
    pub source: Packed,
    pub target_in: Packed,
    /// One token for each of `target_in`.
    pub target_out: Vec<u32>,
}

impl Batch {
    /// The batch of pairs of source and target, none of which has its marks yet. A side must have fewer than 2^32
    /// tokens in all.
    pub fn of<'a>(pairs: impl IntoIterator<Item = (&'a [u32], &'a [u32])>) -> Batch {
        let mut batch = Batch::default();
        for (source, target) in pairs {
            batch.source.push(source.iter().copied().chain([EOS]));
            let target = target.iter().copied();
            batch
                .target_in
                .push([BOS].into_iter().chain(target.clone()));
            batch.target_out.extend(target.chain([EOS]));
        }
        batch
    }

    /// Pairs.
    pub fn rows(&self) -> usize {
        self.source.rows()
    }

    /// The `part`-th of so many parts, in about as many tokens each: whole sentences, which know where they stand in the
    /// batch. Parts of a batch with few sentences can be empty.
    pub fn part(&self, part: usize, parts: usize) -> Batch {
        let all = self.source.ids.len() + self.target_in.ids.len();
        let tokens_before =
            |row: usize| (self.source.starts[row] + self.target_in.starts[row]) as usize;
        // A sentence is in the part in which its middle lies.
        let first = |part: usize| {
            (0..self.rows())
                .take_while(|&row| {
                    (tokens_before(row) + tokens_before(row + 1)) * parts < 2 * all * part
                })
                .count()
        };
        let rows = first(part)..first(part + 1);
        let target_in = self.target_in.part(rows.clone());
        let start = target_in.before.tokens - self.target_in.before.tokens;
        Batch {
            source: self.source.part(rows),
            target_out: self.target_out[start..start + target_in.ids.len()].to_vec(),
            target_in,
        }
    }

    /// Rows × the longest sentence of either side: what `--batch-tokens` bounds.
    pub fn padded(&self) -> usize {
        self.rows() * self.source.longest().max(self.target_in.longest())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sentences_stand_one_behind_the_other_with_their_marks() {
        let batch = Batch::of([(&[5, 6][..], &[7][..]), (&[8], &[9, 9, 4])]);
        assert_eq!(batch.source.ids, [5, 6, EOS, 8, EOS]);
        assert_eq!(batch.source.starts, [0, 3, 5]);
        assert_eq!(batch.target_in.ids, [BOS, 7, BOS, 9, 9, 4]);
        assert_eq!(batch.target_in.starts, [0, 2, 6]);
        assert_eq!(batch.target_out, [7, EOS, 9, 9, 4, EOS]);
        assert_eq!(batch.source.row(1), [8, EOS]);
        assert_eq!((batch.rows(), batch.padded()), (2, 8));
    }

    #[test]
    fn parts_hold_all_sentences_once_and_about_as_many_tokens_each() {
        let long: Vec<u32> = (3..13).collect();
        let pairs: Vec<(&[u32], &[u32])> = (0..9)
            .map(|i| (&long[..1 + i], &long[..10 - i]))
            .chain([(&long[..], &long[..])])
            .collect();
        let batch = Batch::of(pairs);
        for parts in 1..=12 {
            let cut: Vec<Batch> = (0..parts).map(|part| batch.part(part, parts)).collect();
            let joined = |ids: fn(&Batch) -> &[u32]| cut.iter().flat_map(ids).copied().collect();
            let (source, target, out): (Vec<u32>, Vec<u32>, Vec<u32>) = (
                joined(|part| &part.source.ids),
                joined(|part| &part.target_in.ids),
                joined(|part| &part.target_out),
            );
            assert_eq!(
                (&source, &target),
                (&batch.source.ids, &batch.target_in.ids)
            );
            assert_eq!(out, batch.target_out);
            let (mut tokens, mut sentences) = (0, 0);
            let most = source.len() + target.len();
            for part in &cut {
                let before = part.source.before;
                assert_eq!((before.tokens, before.sentences), (tokens, sentences));
                tokens += part.source.ids.len();
                sentences += part.rows();
                let own = part.source.ids.len() + part.target_in.ids.len();
                // The longest sentence has 22 tokens.
                assert!(own <= most / parts + 22, "{own} of {most} in {parts}");
            }
        }
    }

    #[test]
    fn no_pairs_are_a_batch_of_nothing() {
        let batch = Batch::of([]);
        assert_eq!((batch.rows(), batch.padded()), (0, 0));
        assert_eq!(batch.source.starts, [0]);
    }

    #[test]
    fn an_empty_side_is_its_marks() {
        let batch = Batch::of([(&[][..], &[][..])]);
        assert_eq!(batch.source.ids, [EOS]);
        assert_eq!(
            (batch.target_in.ids, batch.target_out),
            (vec![BOS], vec![EOS])
        );
    }
}
