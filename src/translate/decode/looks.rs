//! Where the words of a sentence's translations looked.

/// What is remembered of a sentence's attention.
#[derive(Debug, Default)]
pub struct Looks {
    /// The source token that each row ever live attended to most in the last layer, by its number among these.
    most: Vec<u32>,
    /// Every weight, where that is wanted: (rows, layers, heads, source tokens).
    pub record: Option<Vec<f32>>,
}

impl Looks {
    /// Takes the weights of a row in a layer in, (heads, longest), of which the first are those of the source's tokens.
    pub fn see(&mut self, weights: &[f32], (tokens, longest): (usize, usize), is_last: bool) {
        let own: Vec<f32> = (weights.chunks_exact(longest))
            .flat_map(|head| &head[..tokens])
            .copied()
            .collect();
        if is_last {
            self.most.push(most_attended(&own, tokens));
        }
        if let Some(record) = &mut self.record {
            record.extend(own);
        }
    }

    /// How many rows have looked.
    pub fn rows(&self) -> usize {
        self.most.len()
    }

    /// Where the rows of a path looked.
    pub fn along(&self, path: &[u32]) -> Vec<u32> {
        path.iter().map(|row| self.most[*row as usize]).collect()
    }
}

/// The source token with the largest sum of weights over heads, (heads, tokens); the end is none.
pub fn most_attended(p: &[f32], tokens: usize) -> u32 {
    let mut best = (f32::MIN, 0);
    for token in 0..tokens.saturating_sub(1) {
        let sum = p.iter().skip(token).step_by(tokens).sum();
        if sum > best.0 {
            best = (sum, token as u32);
        }
    }
    best.1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_token_with_the_most_weight_of_all_heads_is_found_but_for_the_end() {
        assert_eq!(most_attended(&[0.2, 0.3, 0.5, 0.4, 0.1, 0.5], 3), 0);
        assert_eq!(most_attended(&[1.0], 1), 0);
    }

    #[test]
    fn weights_beyond_a_source_are_left_out() {
        let mut looks = Looks {
            record: Some(Vec::new()),
            ..Looks::default()
        };
        looks.see(&[0.1, 0.6, 0.3, 9.0, 0.2, 0.7, 0.1, 9.0], (3, 4), true);
        looks.see(&[0.8, 0.1, 0.1, 9.0, 0.8, 0.1, 0.1, 9.0], (3, 4), true);
        assert_eq!(looks.along(&[1, 0]), [0, 1]);
        let record = looks.record.unwrap_or_default();
        assert_eq!(record[..6], [0.1, 0.6, 0.3, 0.2, 0.7, 0.1]);
    }
}
