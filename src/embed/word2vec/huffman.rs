//! The tree of hierarchical softmax: frequent words have short paths.
//!
//! p(w) = Π over the nodes n on the path to w of σ(± x · y_n), + where the path goes left. Morin and Bengio (2005),
//! with the tree of Huffman (1952).

/// The path to each word: inner nodes from the root down, and 1 where it goes left.
pub struct Huffman {
    /// Where the path of each word ends in `nodes` and `targets`.
    ends: Vec<usize>,
    nodes: Vec<u32>,
    targets: Vec<f32>,
}

impl Huffman {
    /// Of counts in falling order. There are as many inner nodes as words less one.
    pub fn new(counts: &[u64]) -> Huffman {
        let words = counts.len();
        let inner = words.saturating_sub(1);
        // Leaves first, then inner nodes as they are made, which is by growing counts: two queues need no heap.
        let mut parent = vec![0u32; words + inner];
        let mut is_left = vec![false; words + inner];
        let mut sums: Vec<u64> = Vec::with_capacity(inner);
        let (mut leaf, mut node) = (words, 0);
        for made in 0..inner {
            let mut sum = 0;
            for side in [true, false] {
                let takes_leaf = leaf > 0 && (node == sums.len() || counts[leaf - 1] <= sums[node]);
                let child = if takes_leaf {
                    leaf -= 1;
                    sum += counts[leaf];
                    leaf
                } else {
                    sum += sums[node];
                    node += 1;
                    words + node - 1
                };
                parent[child] = made as u32;
                is_left[child] = side;
            }
            sums.push(sum);
        }
        let mut tree = Huffman {
            ends: Vec::new(),
            nodes: Vec::new(),
            targets: Vec::new(),
        };
        for word in 0..words {
            let start = tree.nodes.len();
            let mut at = word;
            while inner > 0 && at != words + inner - 1 {
                tree.nodes.push(parent[at]);
                tree.targets.push(f32::from(u8::from(is_left[at])));
                at = words + parent[at] as usize;
            }
            tree.nodes[start..].reverse();
            tree.targets[start..].reverse();
            tree.ends.push(tree.nodes.len());
        }
        tree
    }

    /// Nodes and targets on the way to a word.
    #[inline]
    pub fn path(&self, word: u32) -> (&[u32], &[f32]) {
        let word = word as usize;
        let start = if word == 0 { 0 } else { self.ends[word - 1] };
        let range = start..self.ends[word];
        (&self.nodes[range.clone()], &self.targets[range])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tree_of_a_small_vocabulary_is_that_worked_out_by_hand() {
        // 2+3 = 5, 5+5 = 10, 10+9 = 19: the paths have 1, 2, 3 and 3 nodes.
        let tree = Huffman::new(&[9, 5, 3, 2]);
        let lengths: Vec<usize> = (0..4).map(|w| tree.path(w).0.len()).collect();
        assert_eq!(lengths, [1, 2, 3, 3]);
        assert_eq!(tree.path(0).0, [2]);
        assert_eq!(tree.path(3).0, [2, 1, 0]);
    }

    #[test]
    fn codes_are_free_of_prefixes_and_fill_the_tree() {
        let counts: Vec<u64> = (1..200).rev().map(|n| n * n).collect();
        let tree = Huffman::new(&counts);
        let kraft: f64 = (0..counts.len() as u32)
            .map(|w| 0.5f64.powi(tree.path(w).1.len() as i32))
            .sum();
        assert!((kraft - 1.0).abs() < 1e-12);
        let mut codes: Vec<Vec<u8>> = (0..counts.len() as u32)
            .map(|w| tree.path(w).1.iter().map(|t| *t as u8).collect())
            .collect();
        codes.sort();
        assert!(codes.windows(2).all(|pair| !pair[1].starts_with(&pair[0])));
    }

    #[test]
    fn one_word_needs_no_node() {
        assert!(Huffman::new(&[4]).path(0).0.is_empty());
    }
}
