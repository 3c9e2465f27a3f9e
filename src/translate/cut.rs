//! Texts that are too long to be translated at once, cut into parts that are not.
//!
//! A text that is too long is cut in two where that does the least harm, and so is each half while it is too long: at the
//! end of a sentence, else of a clause, else at white space, else anywhere; of equal places, at the one nearest the
//! middle. Parts hold all of the text but the white space between them.

/// A part of a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Part<'t> {
    pub text: &'t str,
    /// Whether white space stands between it and the next.
    pub is_spaced: bool,
}

/// Parts that `fits` says yes to, or that are single characters.
pub fn cut<'t>(text: &'t str, fits: &impl Fn(&str) -> bool) -> Vec<Part<'t>> {
    let mut parts = Vec::new();
    add(text.trim(), false, fits, &mut parts);
    parts
}

fn add<'t>(
    text: &'t str,
    is_spaced: bool,
    fits: &impl Fn(&str) -> bool,
    parts: &mut Vec<Part<'t>>,
) {
    let place = match fits(text) {
        true => None,
        false => best_place(text),
    };
    let Some(place) = place else {
        parts.push(Part { text, is_spaced });
        return;
    };
    let (left, right) = (text[..place].trim_end(), text[place..].trim_start());
    add(left, left.len() + right.len() < text.len(), fits, parts);
    add(right, is_spaced, fits, parts);
}

/// Where a text is best cut; nowhere when it is one character.
fn best_place(text: &str) -> Option<usize> {
    let middle = text.len() / 2;
    let mut best: Option<(u8, usize, usize)> = None;
    let mut before = [' '; 2];
    for (place, c) in text.char_indices() {
        if place > 0 {
            let kind = harm(before, c);
            let found = (kind, place.abs_diff(middle), place);
            if best.is_none_or(|best| found < best) {
                best = Some(found);
            }
        }
        before = [before[1], c];
    }
    best.map(|(_, _, place)| place)
}

/// How bad a cut is between two characters and the next: 0 to 3.
fn harm([one, last]: [char; 2], next: char) -> u8 {
    let closes = |c: char| matches!(c, '"' | '\'' | ')' | ']' | '”' | '’' | '»' | '」' | '）');
    let end = if closes(last) { one } else { last };
    match (end, next.is_whitespace()) {
        ('。' | '！' | '？', _) if !closes(next) => 0,
        ('.' | '!' | '?' | '…', true) => 0,
        ('、' | '，' | '；', _) | (',' | ';' | ':' | '–' | '—', true) => 1,
        (_, true) => 2,
        _ => 3,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(text: &str, most: usize) -> Vec<&str> {
        let fits = |part: &str| part.chars().count() <= most;
        cut(text, &fits).iter().map(|part| part.text).collect()
    }

    #[test]
    fn a_text_that_fits_is_one_part() {
        assert_eq!(parts(" One. Two. ", 20), ["One. Two."]);
    }

    #[test]
    fn texts_are_cut_at_the_ends_of_sentences_then_of_clauses_then_of_words() {
        assert_eq!(parts("One two, a. Four.", 12), ["One two, a.", "Four."]);
        assert_eq!(parts("One two, four five", 10), ["One two,", "four five"]);
        assert_eq!(parts("one two six", 7), ["one", "two six"]);
        assert_eq!(parts("abcdef", 3), ["abc", "def"]);
        assert_eq!(parts("一二。三四。", 4), ["一二。", "三四。"]);
    }

    #[test]
    fn quotes_stay_with_their_sentence() {
        assert_eq!(
            parts("He said \"no.\" He left.", 14),
            ["He said \"no.\"", "He left."]
        );
    }

    #[test]
    fn nothing_but_white_space_is_lost() {
        let text = "A b,c d. E f! 日本。x  y";
        for most in 1..12 {
            let whole: String = parts(text, most).concat();
            let expected: String = text.split_whitespace().collect();
            assert_eq!(whole.split_whitespace().collect::<String>(), expected);
        }
    }

    #[test]
    fn parts_know_whether_white_space_follows() {
        let spaced: Vec<bool> = (cut("ab cd", &|part| part.len() == 1).iter())
            .map(|part| part.is_spaced)
            .collect();
        assert_eq!(spaced, [false, true, false, false]);
    }
}
