//! Texts that are too long to be translated at once, cut into parts that are not.
//!
//! A text that is too long is cut into its sentences. A sentence that is too long is cut in two where that does the least
//! harm, and so is each half while it is too long: at the end of a clause, else at white space, else anywhere; of equal
//! places, at the one nearest the middle. Parts hold all of the text but the white space between them.

/// A part of a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Part<'t> {
    pub text: &'t str,
    /// Whether white space stands between it and the next.
    pub is_spaced: bool,
}

/// Parts that `fits` says yes to, or that are single characters.
pub fn cut<'t>(text: &'t str, fits: &impl Fn(&str) -> bool) -> Vec<Part<'t>> {
    let text = text.trim();
    let mut parts = Vec::new();
    if fits(text) {
        let is_spaced = false;
        return vec![Part { text, is_spaced }];
    }
    let mut start = 0;
    let ends = places(text).filter(|(harm, _)| *harm == 0);
    for (_, end) in ends.chain([(0, text.len())]) {
        let sentence = &text[start..end];
        let is_spaced = text[end..].starts_with(char::is_whitespace);
        add(sentence.trim(), is_spaced, fits, &mut parts);
        start = end;
    }
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
    let best = places(text).min_by_key(|(harm, place)| (*harm, place.abs_diff(middle)));
    best.map(|(_, place)| place)
}

/// All places in a text where it could be cut, and how bad that would be: 0 to 3.
fn places(text: &str) -> impl Iterator<Item = (u8, usize)> + '_ {
    let places = text.char_indices().skip(1);
    places.map(|(place, next)| (harm(&text[..place], next), place))
}

fn harm(before: &str, next: char) -> u8 {
    let closes = |c: char| matches!(c, '"' | '\'' | ')' | ']' | '”' | '’' | '»' | '」' | '）');
    let Some(last) = before.chars().next_back() else {
        return 3;
    };
    if !next.is_whitespace() && last.is_alphanumeric() {
        return 3;
    }
    let open = before.trim_end_matches(closes);
    match (
        open.chars().next_back().unwrap_or(last),
        next.is_whitespace(),
    ) {
        ('。' | '！' | '？', _) if !closes(next) => 0,
        ('.', true) if is_short(open) => 2,
        ('.' | '!' | '?' | '…', true) => 0,
        ('、' | '，' | '；', _) | (',' | ';' | ':' | '–' | '—', true) => 1,
        (_, true) => 2,
        _ => 3,
    }
}

/// Whether a text ends with a short word that begins in upper case, and its full stop: a title or initials more often
/// than the end of a sentence.
fn is_short(text: &str) -> bool {
    let word = text
        .trim_end_matches('.')
        .rsplit(char::is_whitespace)
        .next();
    word.is_some_and(|word| word.chars().count() <= 3 && word.starts_with(char::is_uppercase))
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
        assert_eq!(parts("Go. Two, no. Four!", 16), ["Go. Two, no.", "Four!"]);
        assert_eq!(
            parts("we go. They ran? No", 16),
            ["we go.", "They ran?", "No"]
        );
        assert_eq!(parts("One two, four five", 10), ["One two,", "four five"]);
        assert_eq!(parts("one two six", 7), ["one", "two six"]);
        assert_eq!(parts("abcdef", 3), ["abc", "def"]);
        assert_eq!(parts("一二。三四。", 4), ["一二。", "三四。"]);
    }

    #[test]
    fn titles_and_initials_end_no_sentence() {
        assert_eq!(
            parts("So Mr. A. Lee left. He ran.", 20),
            ["So Mr. A. Lee left.", "He ran."]
        );
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
