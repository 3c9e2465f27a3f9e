//! The lines of a grammar cut into words and signs.

use super::sequence::Test;

/// A word of a pattern, or one of its signs.
pub struct PatternToken {
    pub text: String,
    pub is_word: bool,
}

/// Cuts a pattern at white space and at its signs. Backslashes stay in words.
pub fn tokens(pattern: &str) -> Result<Vec<PatternToken>, String> {
    let mut tokens = Vec::new();
    let mut word = String::new();
    let mut chars = pattern.chars();
    let mut push = |word: &mut String, sign: Option<char>| {
        if !word.is_empty() {
            tokens.push(PatternToken {
                text: std::mem::take(word),
                is_word: true,
            });
        }
        if let Some(sign) = sign {
            tokens.push(PatternToken {
                text: sign.to_string(),
                is_word: false,
            });
        }
    };
    while let Some(c) = chars.next() {
        match c {
            '\\' => {
                word.push('\\');
                word.push(chars.next().ok_or("a backslash before nothing")?);
            }
            '[' | ']' | '(' | ')' | '{' | '}' => push(&mut word, Some(c)),
            '|' if word.is_empty() => push(&mut word, Some(c)),
            c if c.is_whitespace() => push(&mut word, None),
            c => word.push(c),
        }
    }
    push(&mut word, None);
    Ok(tokens)
}

/// The alternatives of a word, `x|y`, without their backslashes.
pub fn alternatives(words: &str) -> Vec<String> {
    let mut found = vec![String::new()];
    let mut chars = words.chars();
    while let Some(c) = chars.next() {
        match c {
            '|' => found.push(String::new()),
            '\\' => found
                .last_mut()
                .into_iter()
                .for_each(|word| word.extend(chars.next())),
            c => found.last_mut().into_iter().for_each(|word| word.push(c)),
        }
    }
    found
}

/// A word and the tags behind its slash.
pub fn tagged(word: &str) -> (String, Option<Test>) {
    let slash = word
        .char_indices()
        .rev()
        .find(|(i, c)| *c == '/' && *i > 0 && !word[..*i].ends_with('\\'));
    match slash {
        Some((i, _)) if i + 1 < word.len() => {
            (word[..i].to_owned(), Some(Test::parse(&word[i + 1..])))
        }
        _ => (word.to_owned(), None),
    }
}

/// The parts of a line that spaces part, but for those in quotation marks.
pub fn quoted(line: &str) -> Vec<String> {
    let mut parts = Vec::new();
    for (i, stretch) in line.split('"').enumerate() {
        if i % 2 == 1 {
            parts.push(stretch.to_owned());
        } else {
            parts.extend(stretch.split_whitespace().map(str::to_owned));
        }
    }
    parts
}
