//! Signs behind numbers, added to what the segmenter learns from: a treebank has a few, and before few marks.
//!
//! ```text
//! data     … rose 5 % in May .      … in 1995 .
//! added                             … in 1995 % .
//! ```

use super::classes::Class;
use super::gold::{Gold, GoldToken};

/// Signs that stand behind numbers, one after the other.
const SIGNS: [&str; 4] = ["%", "€", "°", "£"];

/// The chunks of a text that hold a number, with a sign behind it and the chunk that follows, each as a paragraph; none
/// if the text itself does not part signs from their numbers.
pub fn added(gold: &Gold) -> Gold {
    let mut added = Gold::default();
    if !parts_signs(gold) {
        return added;
    }
    let tokens = &gold.tokens;
    let is_glued = |i: usize| i > 0 && tokens[i - 1].span.end == tokens[i].span.start;
    let mut count = 0;
    for i in 0..tokens.len() {
        let mark = i + 1;
        let goes_on = mark < tokens.len() && is_glued(mark);
        if !is_number(&gold.text[tokens[i].span.clone()])
            || goes_on && !is_mark(&gold.text[tokens[mark].span.clone()])
        {
            continue;
        }
        let start = (1..=i).rev().find(|j| !is_glued(*j)).unwrap_or(0);
        let behind = |from: usize| (from + 1..tokens.len()).find(|j| !is_glued(*j));
        let next = behind(i).unwrap_or(tokens.len());
        let end = behind(next).unwrap_or(tokens.len());
        let mut chunks = Gold::default();
        for (j, token) in tokens[..end].iter().enumerate().skip(start) {
            if j == next {
                chunks.text.push(' ');
            }
            push(&mut chunks, &gold.text[token.span.clone()]);
            if j == i {
                push(&mut chunks, SIGNS[count % SIGNS.len()]);
                count += 1;
            }
        }
        added.append(chunks);
    }
    added
}

fn push(gold: &mut Gold, token: &str) {
    let start = gold.text.len();
    gold.text.push_str(token);
    gold.tokens.push(GoldToken {
        span: start..gold.text.len(),
        ends_sentence: false,
        words: Vec::new(),
    });
}

/// Whether signs directly behind numbers are tokens of their own, in nine of ten cases and in ten at least.
fn parts_signs(gold: &Gold) -> bool {
    let (mut apart, mut together) = (0, 0);
    for (i, token) in gold.tokens.iter().enumerate() {
        let token_text = &gold.text[token.span.clone()];
        let is_sign = |text: &str| text.chars().all(|c| Class::of(c) == Class::Unit);
        let before = i.checked_sub(1).map(|before| &gold.tokens[before]);
        if let Some(before) = before.filter(|before| before.span.end == token.span.start)
            && is_sign(token_text)
            && is_number(&gold.text[before.span.clone()])
        {
            apart += 1;
        }
        let number = token_text.trim_end_matches(|c| Class::of(c) == Class::Unit);
        together += usize::from(number.len() < token_text.len() && is_number(number));
    }
    apart >= 10 && apart >= 9 * together
}

fn is_number(token: &str) -> bool {
    token.ends_with(|c| Class::of(c) == Class::Digit)
        && token
            .chars()
            .all(|c| Class::of(c) == Class::Digit || c == '.' || c == ',')
}

fn is_mark(token: &str) -> bool {
    token.chars().all(|c| {
        matches!(
            Class::of(c),
            Class::Terminator | Class::Comma | Class::Quote | Class::Bracket
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn gold(chunks: &str) -> Gold {
        let mut gold = Gold::default();
        for chunk in chunks.split(' ') {
            gold.text.push(' ');
            chunk.split('|').for_each(|token| push(&mut gold, token));
        }
        gold
    }

    #[test]
    fn numbers_get_signs_where_the_data_parts_them() {
        let added = added(&gold(&format!("{}(|5|. So 2nd", "5|% ".repeat(10))));
        let tokens: Vec<&str> = added
            .tokens
            .iter()
            .map(|token| &added.text[token.span.clone()])
            .collect();
        assert_eq!(tokens, ["(", "5", "%", ".", "So"]);
        assert_eq!(added.text, "(5%. So");
    }

    #[test]
    fn data_that_does_not_part_signs_gets_none() {
        assert_eq!(added(&gold("5% 6% 5|. 7|% 8")), Gold::default());
    }
}
