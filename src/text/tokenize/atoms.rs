//! Atoms: what is never cut, whatever a model says. URLs, e-mail addresses, version numbers, #tags and @names.
//!
//! ```text
//! (see https://a.org/b_(c)), mail x.y@z.com! v1.2.3-rc1 #tag @name
//!      ^^^^^^^^^^^^^^^^^^^        ^^^^^^^^^  ^^^^^^^^^^ ^^^^ ^^^^^
//! ```
//!
//! Each kind has a short scanner of its own over one chunk (a stretch without white space). Punctuation at the end of
//! a URL belongs to the sentence, except a bracket that closes one inside it. `#143` is no tag: treebanks part it.

use std::ops::Range;

/// Finds the atoms of `chunk`, in order and without overlap, as byte ranges.
pub fn find(chunk: &str, atoms: &mut Vec<Range<usize>>) {
    atoms.clear();
    let bytes = chunk.as_bytes();
    let mut at = 0;
    while at < bytes.len() {
        let end = match bytes[at] {
            b'#' | b'@' if !wordlike_before(chunk, at) => name(chunk, at),
            b if b.is_ascii_alphanumeric() && !wordlike_before(chunk, at) => url(chunk, at)
                .or_else(|| email(chunk, at))
                .or_else(|| domain(chunk, at))
                .or_else(|| version(bytes, at)),
            _ => None,
        };
        match end {
            Some(end) => {
                atoms.push(at..end);
                at = end;
            }
            // Whatever begins inside a run of letters and digits was tried at the run's start.
            None if bytes[at].is_ascii_alphanumeric() => {
                at += run(bytes, at, |b| b.is_ascii_alphanumeric())
            }
            None => at += 1,
        }
    }
}

/// Whether a chunk with these bytes could hold an atom at all: a cheap test before [`find`].
pub fn possible(chunk: &[u8]) -> bool {
    chunk.iter().any(|b| matches!(b, b'@' | b'#' | b'/' | b'.'))
}

fn wordlike_before(chunk: &str, at: usize) -> bool {
    chunk[..at]
        .chars()
        .next_back()
        .is_some_and(|c| c.is_alphanumeric() || c == '_')
}

/// How many bytes from `at` on satisfy `test`, 256 at most: no name is longer, and `a.a.a.…` stays linear.
fn run(bytes: &[u8], at: usize, test: impl Fn(u8) -> bool) -> usize {
    bytes[at..]
        .iter()
        .take(256)
        .take_while(|b| test(**b))
        .count()
}

/// `#tag`, `@name`: the sign, a letter, then letters, digits and `_`.
fn name(chunk: &str, at: usize) -> Option<usize> {
    let rest = &chunk[at + 1..];
    if !rest.starts_with(|c: char| c.is_alphabetic() || c == '_') {
        return None;
    }
    let length = rest
        .find(|c: char| !(c.is_alphanumeric() || c == '_'))
        .unwrap_or(rest.len());
    Some(at + 1 + length)
}

/// `scheme://…`, `www.…`, `mailto:…`
fn url(chunk: &str, at: usize) -> Option<usize> {
    let bytes = chunk.as_bytes();
    let rest = &bytes[at..];
    let scheme = run(bytes, at, |b| b.is_ascii_alphanumeric() || b == b'+');
    let after = if rest[scheme..].starts_with(b"://") {
        scheme + 3
    } else if rest.len() > 4 && rest[..4].eq_ignore_ascii_case(b"www.") {
        4
    } else if rest.len() > 7 && rest[..7].eq_ignore_ascii_case(b"mailto:") {
        7
    } else {
        return None;
    };
    let end = url_end(chunk, at + after);
    (end > at + after).then_some(end)
}

/// The end of a URL whose body begins at `from`.
fn url_end(chunk: &str, from: usize) -> usize {
    let stop = |c: char| "<>\"`{}|\\^“”‘’«»…".contains(c);
    let mut end = from + chunk[from..].find(stop).unwrap_or(chunk.len() - from);
    let bytes = chunk.as_bytes();
    // One count for the whole body, kept up while closing brackets are given back: long runs of them stay linear.
    let count = |bracket: u8| bytes[from..end].iter().filter(|b| **b == bracket).count();
    let (round, mut unround) = (count(b'('), count(b')'));
    let (square, mut unsquare) = (count(b'['), count(b']'));
    while end > from {
        match bytes[end - 1] {
            b'.' | b',' | b';' | b':' | b'!' | b'?' | b'\'' | b'*' => {}
            b')' if unround > round => unround -= 1,
            b']' if unsquare > square => unsquare -= 1,
            _ => break,
        }
        end -= 1;
    }
    end
}

/// `local@domain.tld`
fn email(chunk: &str, at: usize) -> Option<usize> {
    let bytes = chunk.as_bytes();
    let local = run(
        bytes,
        at,
        |b| matches!(b, b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'.' | b'_' | b'%' | b'+' | b'-'),
    );
    let host = at + local + 1;
    if bytes.get(host - 1) != Some(&b'@') {
        return None;
    }
    let end = host_end(bytes, host);
    let top = bytes[host..end].iter().rposition(|b| *b == b'.')?;
    let letters = &bytes[host + top + 1..end];
    (letters.len() >= 2 && letters.iter().all(u8::is_ascii_alphabetic)).then_some(end)
}

/// The end of a host name: letters, digits, dots and hyphens, without those at its end.
fn host_end(bytes: &[u8], from: usize) -> usize {
    let mut end = from
        + run(bytes, from, |b| {
            b.is_ascii_alphanumeric() || b == b'.' || b == b'-'
        });
    while end > from && matches!(bytes[end - 1], b'.' | b'-') {
        end -= 1;
    }
    end
}

/// `example.com`, `example.org/path`: a host name without a scheme, by its last label.
fn domain(chunk: &str, at: usize) -> Option<usize> {
    let bytes = chunk.as_bytes();
    let end = host_end(bytes, at);
    let dot = bytes[at..end].iter().rposition(|b| *b == b'.')?;
    // `Hello..com` and `end.-.com` are no host names.
    if dot == 0 || !bytes[at + dot - 1].is_ascii_alphanumeric() {
        return None;
    }
    let top = bytes[at + dot + 1..end].to_ascii_lowercase();
    if !TOP_LEVELS.iter().any(|t| t.as_bytes() == top) {
        return None;
    }
    match bytes.get(end) {
        Some(b'/') => Some(url_end(chunk, end)),
        _ => Some(end),
    }
}

/// Top-level domains that are not also words which may follow a full stop without a space (`in`, `it`, `me`).
const TOP_LEVELS: [&str; 24] = [
    "com", "org", "net", "edu", "gov", "mil", "info", "biz", "uk", "de", "fr", "jp", "au", "ca",
    "eu", "ru", "ch", "nl", "se", "io", "cn", "br", "pl", "tv",
];

/// `1.2`, `v1.2.3`, `1.2.3-rc.1+build`
fn version(bytes: &[u8], at: usize) -> Option<usize> {
    let mut end = at + usize::from(matches!(bytes[at], b'v' | b'V'));
    let digits = |from: usize| run(bytes, from, |b| b.is_ascii_digit());
    let mut parts = 0;
    loop {
        let length = digits(end);
        if length == 0 {
            break;
        }
        parts += 1;
        end += length;
        match bytes.get(end + 1) {
            Some(next) if bytes[end] == b'.' && next.is_ascii_digit() => end += 1,
            _ => break,
        }
    }
    if parts < 2 {
        return None;
    }
    if parts >= 3 && matches!(bytes.get(end), Some(b'-' | b'+')) {
        let tail = run(bytes, end + 1, |b| b.is_ascii_alphanumeric() || b == b'.');
        let tail = tail
            - bytes[end + 1..end + 1 + tail]
                .iter()
                .rev()
                .take_while(|b| **b == b'.')
                .count();
        // `1.2.3-4.5.6` is a range of numbers, not a pre-release.
        if bytes.get(end + 1).is_some_and(u8::is_ascii_alphabetic) {
            end += 1 + tail;
        }
    }
    Some(end)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(chunk: &str) -> Vec<&str> {
        let mut atoms = Vec::new();
        find(chunk, &mut atoms);
        atoms.into_iter().map(|range| &chunk[range]).collect()
    }

    #[test]
    fn a_url_ends_before_the_punctuation_of_its_sentence() {
        for (chunk, url) in [
            ("(https://a.org/b_(c)),", "https://a.org/b_(c)"),
            ("http://x.com/?a=1&b=2.", "http://x.com/?a=1&b=2"),
            ("<www.Example.com>", "www.Example.com"),
            ("example.co.uk/path;", "example.co.uk/path"),
            ("“https://a.b”", "https://a.b"),
            ("mailto:a@b.com", "mailto:a@b.com"),
        ] {
            assert_eq!(found(chunk), [url], "{chunk}");
        }
    }

    #[test]
    fn addresses_tags_names_and_versions_are_atoms() {
        for (chunk, atom) in [
            ("<bmc...@patriot.net>", "bmc...@patriot.net"),
            ("a.b+c@d-e.org.", "a.b+c@d-e.org"),
            ("#rustlang!", "#rustlang"),
            ("@some_one:", "@some_one"),
            ("v1.2.3-rc.1,", "v1.2.3-rc.1"),
            ("(10.0.1)", "10.0.1"),
            ("#größe", "#größe"),
        ] {
            assert_eq!(found(chunk), [atom], "{chunk}");
        }
    }

    #[test]
    fn ordinary_words_are_no_atoms() {
        for chunk in [
            "#143", "end.Next", "a.m.", "C#", "5@3", "and/or", "v.", "...", "@", "://", "x@y",
        ] {
            assert!(found(chunk).is_empty(), "{chunk}: {:?}", found(chunk));
        }
    }
}
