//! Adds up sorted lists of terms: a k-way merge in constant memory.

use super::BagError;
use super::counter::Total;
use std::cmp::Ordering;

/// A term of a list, with what the list has of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Entry {
    pub term: Vec<u8>,
    /// Its number in its list.
    pub number: u32,
    pub total: Total,
}

/// Terms in byte order, each once.
pub trait SortedTerms {
    /// Puts the next term into `entry`; false behind the last.
    ///
    /// # Errors
    /// When it cannot be read or does not follow its format.
    fn next(&mut self, entry: &mut Entry) -> Result<bool, BagError>;
}

/// Calls `each` with every term of the lists in byte order, its totals over all of them, and of each list that has it
/// the place of the list and the term's number there.
///
/// # Errors
/// The first of a list, or of `each`.
pub fn merge<S: SortedTerms, E: From<BagError>>(
    lists: &mut [S],
    mut each: impl FnMut(&[u8], Total, &[(usize, u32)]) -> Result<(), E>,
) -> Result<(), E> {
    let mut heads: Vec<Entry> = Vec::new();
    let mut heap = Heap(Vec::new());
    for (i, list) in lists.iter_mut().enumerate() {
        let mut entry = Entry::default();
        let is_any = list.next(&mut entry)?;
        heads.push(entry);
        if is_any {
            heap.push(i, &heads);
        }
    }
    let mut term = Vec::new();
    let mut members = Vec::new();
    while let Some(first) = heap.first() {
        term.clone_from(&heads[first].term);
        members.clear();
        let mut total = Total::default();
        while let Some(i) = heap.first()
            && heads[i].term == term
        {
            total.add(heads[i].total);
            members.push((i, heads[i].number));
            match lists[i].next(&mut heads[i])? {
                true => heap.sift_down(&heads),
                false => heap.pop(&heads),
            }
        }
        each(&term, total, &members)?;
    }
    Ok(())
}

/// The lists that have a term left, the one with the least first, earlier lists first among equals.
struct Heap(Vec<usize>);

impl Heap {
    fn first(&self) -> Option<usize> {
        self.0.first().copied()
    }

    fn push(&mut self, list: usize, heads: &[Entry]) {
        self.0.push(list);
        let mut at = self.0.len() - 1;
        while at > 0 && order(heads, self.0[at], self.0[(at - 1) / 2]) == Ordering::Less {
            self.0.swap(at, (at - 1) / 2);
            at = (at - 1) / 2;
        }
    }

    fn pop(&mut self, heads: &[Entry]) {
        self.0.swap_remove(0);
        self.sift_down(heads);
    }

    /// Puts the first in its place, after its list has moved on.
    fn sift_down(&mut self, heads: &[Entry]) {
        let mut at = 0;
        loop {
            let children = 2 * at + 1..(2 * at + 3).min(self.0.len());
            let least = children.min_by(|&a, &b| order(heads, self.0[a], self.0[b]));
            match least {
                Some(child) if order(heads, self.0[child], self.0[at]) == Ordering::Less => {
                    self.0.swap(at, child);
                    at = child;
                }
                _ => return,
            }
        }
    }
}

fn order(heads: &[Entry], a: usize, b: usize) -> Ordering {
    heads[a].term.cmp(&heads[b].term).then(a.cmp(&b))
}

#[cfg(test)]
pub mod tests {
    use super::*;

    impl SortedTerms for std::vec::IntoIter<Entry> {
        fn next(&mut self, entry: &mut Entry) -> Result<bool, BagError> {
            let next = Iterator::next(self);
            let is_any = next.is_some();
            *entry = next.unwrap_or_default();
            Ok(is_any)
        }
    }

    proptest::proptest! {
        #[test]
        fn merging_is_adding_up(
            lists in proptest::collection::vec(
                proptest::collection::btree_map("[a-c]{0,3}", 1..9u64, 0..9), 0..7),
        ) {
            let entries = lists.iter().map(|list| {
                let entry = |(i, (term, &count)): (usize, (&String, &u64))| Entry {
                    term: term.clone().into_bytes(),
                    number: i as u32,
                    total: Total { count, df: 1 },
                };
                list.iter().enumerate().map(entry).collect::<Vec<_>>().into_iter()
            });
            let mut expected = std::collections::BTreeMap::<String, Total>::new();
            for (term, &count) in lists.iter().flatten() {
                expected.entry(term.clone()).or_default().add(Total { count, df: 1 });
            }
            let mut found = Vec::new();
            merge(&mut entries.collect::<Vec<_>>(), |term, total, members| {
                for &(list, number) in members {
                    let (named, _) = lists[list].iter().nth(number as usize).unwrap();
                    assert_eq!(named.as_bytes(), term);
                }
                assert_eq!(members.len() as u64, total.df);
                found.push((String::from_utf8(term.to_vec()).unwrap(), total));
                Ok::<(), BagError>(())
            }).unwrap();
            assert_eq!(found, expected.into_iter().collect::<Vec<_>>());
        }
    }
}
