//! Substrings of words that are worth a try as pieces: those after which the text goes on in several ways, and the ends
//! of words.
//!
//! ```text
//! suffixes, sorted     times   what begins there and goes on in two ways, or ends
//! ▁dog                 7       ▁dog
//! ▁dogs                2       ▁dogs       (and ▁dog: 9)
//! ```
//!
//! These are the inner nodes and the leaves of the suffix tree; all other substrings are seen as often as a longer one.
//!
//! Source: Kudo, *Subword Regularization*, ACL 2018, section 3.2; Kasai et al., *Linear-Time Longest-Common-Prefix
//! Computation in Suffix Arrays*, CPM 2001, for the walk over the sorted suffixes.

use rayon::prelude::*;

/// The longest piece, in characters.
pub const LONGEST: usize = 16;

/// A suffix of a word, up to [`LONGEST`] characters of it.
#[derive(Clone, Copy)]
struct Suffix {
    word: u32,
    start: u32,
    end: u32,
}

/// Up to `most` substrings of two characters and more, and how often they are seen, which is twice or more; those that
/// cover most of the text first, of equal ones in the order of their bytes.
pub fn find(words: &[(String, u64)], most: usize) -> Vec<(&str, u64)> {
    let text = |suffix: Suffix| {
        let word = words[suffix.word as usize].0.as_str();
        &word[suffix.start as usize..suffix.end as usize]
    };
    let mut suffixes = Vec::new();
    for (number, (word, _)) in words.iter().enumerate() {
        let starts: Vec<u32> = word.char_indices().map(|(at, _)| at as u32).collect();
        for (i, &start) in starts.iter().enumerate() {
            let end = starts.get(i + LONGEST).copied();
            suffixes.push(Suffix {
                word: number as u32,
                start,
                end: end.unwrap_or(word.len() as u32),
            });
        }
    }
    suffixes.par_sort_unstable_by(|a, b| {
        let place = |s: &Suffix| (s.word, s.start);
        text(*a).cmp(text(*b)).then_with(|| place(a).cmp(&place(b)))
    });
    // Beginnings of the last suffix, from short to long: bytes, and how often they were seen beside longer ones.
    let mut open: Vec<(usize, u64)> = Vec::new();
    let mut last = "";
    let mut found = Vec::new();
    for suffix in &suffixes {
        let this = text(*suffix);
        close(&mut open, last, shared(last, this), &mut found);
        let count = words[suffix.word as usize].1;
        match open.last_mut() {
            Some((length, seen)) if *length == this.len() => *seen += count,
            _ => open.push((this.len(), count)),
        }
        last = this;
    }
    close(&mut open, last, 0, &mut found);
    let covered = |(text, count): &(&str, u64)| *count * text.chars().count() as u64;
    found.par_sort_unstable_by(|a, b| covered(b).cmp(&covered(a)).then_with(|| a.0.cmp(b.0)));
    found.truncate(most);
    found
}

/// Bytes of the characters that both begin with.
fn shared(a: &str, b: &str) -> usize {
    let same = a.bytes().zip(b.bytes()).take_while(|(a, b)| a == b).count();
    a.floor_char_boundary(same)
}

/// Takes what is longer than `shared` from `open`, with how often it was seen in all; the rest has been seen as often.
fn close<'w>(
    open: &mut Vec<(usize, u64)>,
    last: &'w str,
    shared: usize,
    found: &mut Vec<(&'w str, u64)>,
) {
    let mut carried = 0;
    while let Some((length, count)) = open.pop_if(|(length, _)| *length > shared) {
        carried += count;
        let text = &last[..length];
        if carried > 1 && text.chars().nth(1).is_some() {
            found.push((text, carried));
        }
    }
    match open.last_mut() {
        Some((length, count)) if *length == shared => *count += carried,
        _ if carried > 0 && shared > 0 => open.push((shared, carried)),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn substrings_that_go_on_in_several_ways_are_found_with_their_counts() {
        let words = [("▁dog".to_owned(), 7), ("▁dogs".to_owned(), 2)];
        // 4 characters 9 times, 3 characters 9 times, 5 twice, 2 twice nine times, 4 twice, 3 twice, 2 twice.
        let expected = [
            ("▁dog", 9),
            ("dog", 9),
            ("og", 9),
            ("▁dogs", 2),
            ("dogs", 2),
            ("ogs", 2),
            ("gs", 2),
        ];
        assert_eq!(find(&words, 99), expected);
    }

    #[test]
    fn substrings_seen_once_are_none() {
        assert_eq!(find(&[("abc".to_owned(), 1)], 99), []);
    }

    #[test]
    fn letters_of_several_bytes_are_not_cut() {
        let words = [
            ("éa".to_owned(), 1),
            ("èa".to_owned(), 1),
            ("ée".to_owned(), 1),
        ];
        assert_eq!(find(&words, 99), []);
    }
}
