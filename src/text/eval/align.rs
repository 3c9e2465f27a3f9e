//! Aligns the words of a system's output with those of the gold standard when the two are segmented differently.
//!
//! The characters that are not white space must agree; every token and sentence is then a span of them, and
//!
//! ```text
//! gold     I  don't=do+n't  like  1 000         plain words match when their spans are equal;
//!          |  |     |   |    |    (both "1000") around multi-word tokens, the words of the smallest stretch that no
//! system   I  don't=don+'t  like  1000          multi-word token sticks out of match by the longest common
//!                                               subsequence of their lower-cased forms: here none of do, n't
//! ```
//!
//! as in the CoNLL 2018 shared task (Zeman et al. 2018, "CoNLL 2018 Shared Task: Multilingual Parsing from Raw Text
//! to Universal Dependencies", section 5). "Space" is what its scorer takes for it, the Unicode category Zs, and
//! the ASCII controls that CoNLL-U cannot hold inside a form.

use crate::text::document::{Document, Token, Word};
use std::borrow::Cow;

/// A stretch of [`Side::text`], in bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Span {
    pub start: usize,
    pub end: usize,
}

/// A word and the characters its token covers.
#[derive(Clone, Copy, Debug)]
pub struct SpannedWord<'a> {
    pub word: &'a Word,
    /// Of the whole token, if the word is part of a multi-word token.
    pub span: Span,
    pub multiword: bool,
}

/// One of the two annotations, flattened: spans stand for what they cover in `text`.
#[derive(Clone, Debug, Default)]
pub struct Side<'a> {
    /// All surface tokens, without spaces.
    pub text: String,
    pub tokens: Vec<Span>,
    pub sentences: Vec<Span>,
    pub words: Vec<SpannedWord<'a>>,
    /// For every sentence, the index behind its last word.
    pub sentence_ends: Vec<usize>,
    /// For every sentence, its `sent_id` if it has one.
    pub sentence_ids: Vec<Option<&'a str>>,
}

/// Two annotations of one text and the words they share.
#[derive(Clone, Debug)]
pub struct Alignment<'a> {
    pub gold: Side<'a>,
    pub system: Side<'a>,
    /// Gold and system words that match, as indices into `words`; both ascend.
    pub pairs: Vec<(usize, usize)>,
}

/// The two annotations are not of the same text.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "system and gold texts differ at character {at}, in sentence {sentence}{}: {system:?} / {gold:?}",
    .id.as_ref().map_or(String::new(), |id| format!(" ({id})"))
)]
pub struct TextsDiffer {
    /// Counted from 1, without spaces.
    pub at: usize,
    /// Of the system, counted from 1: where it differs, or its last if it ends too early.
    pub sentence: usize,
    /// The `sent_id` of that sentence.
    pub id: Option<String>,
    /// Up to 20 characters from there on.
    pub system: String,
    pub gold: String,
}

/// A stretch of more cells is not worth its table (the longest of a treebank has a few hundred): only its common
/// beginning and end are aligned, so that a damaged file cannot ask for gigabytes.
const MAX_TABLE: usize = 1 << 24;

impl<'a> Side<'a> {
    /// Flattens documents. Sentences without tokens do not count.
    pub fn of(documents: &'a [Document]) -> Side<'a> {
        let mut side = Side::default();
        for sentence in documents.iter().flat_map(|d| &d.sentences) {
            let start = side.text.len();
            if sentence.tokens.is_empty() {
                continue;
            }
            for token in &sentence.tokens {
                side.push(token, &sentence.words);
            }
            let end = side.text.len();
            side.sentences.push(Span { start, end });
            side.sentence_ends.push(side.words.len());
            side.sentence_ids.push(sentence.id.as_deref());
        }
        side
    }

    fn push(&mut self, token: &'a Token, words: &'a [Word]) {
        let range = token.words.start as usize..token.words.end as usize;
        let words = words.get(range).unwrap_or_default();
        let start = self.text.len();
        let multiword = token.form.is_some();
        match (&token.form, words.first()) {
            (Some(form), _) => push_without_spaces(form, &mut self.text),
            (None, Some(word)) => push_without_spaces(form_of(word), &mut self.text),
            (None, None) => {}
        }
        let end = self.text.len();
        let span = Span { start, end };
        self.tokens.push(span);
        let spanned = words.iter().map(|word| SpannedWord {
            word,
            span,
            multiword,
        });
        self.words.extend(spanned);
    }
}

impl<'a> Alignment<'a> {
    /// Aligns the words of `system` with those of `gold`.
    ///
    /// # Errors
    /// Their texts differ in more than spaces.
    pub fn new(gold: &'a [Document], system: &'a [Document]) -> Result<Alignment<'a>, TextsDiffer> {
        let (gold, system) = rayon::join(|| Side::of(gold), || Side::of(system));
        if gold.text != system.text {
            return Err(difference(&gold.text, &system));
        }
        let pairs = align_words(&gold.words, &system.words);
        Ok(Alignment {
            gold,
            system,
            pairs,
        })
    }

    /// Whether both sides have the same words in the same sentences.
    pub fn has_same_words(&self) -> bool {
        let Alignment { gold, system, .. } = self;
        let spans = |side: &Side| side.words.iter().map(|w| w.span).collect::<Vec<_>>();
        gold.sentence_ends == system.sentence_ends && spans(gold) == spans(system)
    }
}

/// The spans that both lists hold, as indices into them. Spans of a list do not overlap and ascend.
pub fn match_spans(gold: &[Span], system: &[Span]) -> Vec<(usize, usize)> {
    let mut pairs = Vec::with_capacity(gold.len().min(system.len()));
    let (mut g, mut s) = (0, 0);
    while g < gold.len() && s < system.len() {
        let order = gold[g].start.cmp(&system[s].start);
        if gold[g] == system[s] {
            pairs.push((g, s));
        }
        g += usize::from(order.is_le());
        s += usize::from(order.is_ge());
    }
    pairs
}

/// The form of a word as the scorer sees it: a form `_` may be kept as an unset column.
pub fn form_of(word: &Word) -> &str {
    if word.form.is_empty() {
        "_"
    } else {
        &word.form
    }
}

fn is_space(c: char) -> bool {
    // The category Zs in full, then the controls.
    matches!(
        c,
        ' ' | '\u{a0}' | '\u{1680}' | '\u{2000}'
            ..='\u{200a}' | '\u{202f}' | '\u{205f}' | '\u{3000}'
    ) || matches!(c, '\t'..='\r')
}

/// Appends what counts of a form.
pub fn push_without_spaces(form: &str, text: &mut String) {
    if form.bytes().all(|b| b.is_ascii_graphic()) {
        text.push_str(form);
    } else {
        text.extend(form.chars().filter(|&c| !is_space(c)));
    }
}

fn difference(gold: &str, system: &Side) -> TextsDiffer {
    let both = gold.chars().zip(system.text.chars());
    let common: String = both.take_while(|(a, b)| a == b).map(|(a, _)| a).collect();
    let before = system.sentences.partition_point(|s| s.end <= common.len());
    let sentence = before.min(system.sentences.len().saturating_sub(1));
    let excerpt = |text: &str| text[common.len()..].chars().take(20).collect();
    TextsDiffer {
        at: common.chars().count() + 1,
        sentence: sentence + 1,
        id: (system.sentence_ids.get(sentence).copied().flatten()).map(str::to_owned),
        system: excerpt(&system.text),
        gold: excerpt(gold),
    }
}

fn align_words(gold: &[SpannedWord], system: &[SpannedWord]) -> Vec<(usize, usize)> {
    let mut pairs = Vec::with_capacity(gold.len().min(system.len()));
    let (mut g, mut s) = (0, 0);
    while g < gold.len() && s < system.len() {
        if gold[g].multiword || system[s].multiword {
            let start = stretch_start(gold, system, g, s);
            let end = stretch_end(gold, system, start);
            align_stretch(gold, system, (start, end), &mut pairs);
            // A token of no characters makes an empty stretch: step over it.
            let is_stuck = end == (g, s);
            g = end.0 + usize::from(is_stuck && gold[g].multiword);
            s = end.1 + usize::from(is_stuck && system[s].multiword);
            continue;
        }
        let (a, b) = (gold[g].span, system[s].span);
        if a == b {
            pairs.push((g, s));
            g += 1;
            s += 1;
        } else if a.start <= b.start {
            g += 1;
        } else {
            s += 1;
        }
    }
    pairs
}

/// Where the stretch around a multi-word token starts: past a plain word of the other side that began before it.
fn stretch_start(
    gold: &[SpannedWord],
    system: &[SpannedWord],
    g: usize,
    s: usize,
) -> (usize, usize) {
    // Only one word is passed, as in the shared task's scorer; a second one is taken into the stretch.
    let began_before = |word: &SpannedWord, other: &SpannedWord| {
        !word.multiword && word.span.start < other.span.start
    };
    if gold[g].multiword {
        (g, s + usize::from(began_before(&system[s], &gold[g])))
    } else {
        (g + usize::from(began_before(&gold[g], &system[s])), s)
    }
}

/// The words behind the stretch that starts with the words at `start`, one of them of a multi-word token.
fn stretch_end(
    gold: &[SpannedWord],
    system: &[SpannedWord],
    start: (usize, usize),
) -> (usize, usize) {
    let (mut g, mut s) = start;
    let multiword_end = |word: Option<&SpannedWord>| match word {
        Some(word) if word.multiword => word.span.end,
        _ => 0,
    };
    let mut end = match multiword_end(gold.get(g)) {
        0 => multiword_end(system.get(s)),
        end => end,
    };
    let is_inside = |word: Option<&SpannedWord>, end| match word {
        Some(word) if word.multiword => word.span.start < end,
        Some(word) => word.span.end <= end,
        None => false,
    };
    while is_inside(gold.get(g), end) || is_inside(system.get(s), end) {
        let gold_is_next = match (gold.get(g), system.get(s)) {
            (Some(a), Some(b)) => a.span.start <= b.span.start,
            (next, _) => next.is_some(),
        };
        if gold_is_next {
            end = end.max(multiword_end(gold.get(g)));
            g += 1;
        } else {
            end = end.max(multiword_end(system.get(s)));
            s += 1;
        }
    }
    (g, s)
}

/// Aligns the words between two positions by the longest common subsequence of their lower-cased forms.
fn align_stretch(
    gold: &[SpannedWord],
    system: &[SpannedWord],
    (start, end): ((usize, usize), (usize, usize)),
    pairs: &mut Vec<(usize, usize)>,
) {
    let keys = |words: &[SpannedWord]| words.iter().map(key).collect::<Vec<String>>();
    let (gold, system) = (keys(&gold[start.0..end.0]), keys(&system[start.1..end.1]));
    if gold.len().saturating_mul(system.len()) > MAX_TABLE {
        let common = |(a, b): &(&String, &String)| a == b;
        let head = gold.iter().zip(&system).take_while(common).count();
        let tail = (gold[head..].iter().rev()).zip(system[head..].iter().rev());
        let tail = tail.take_while(common).count();
        pairs.extend((0..head).map(|i| (start.0 + i, start.1 + i)));
        pairs.extend((1..=tail).rev().map(|i| (end.0 - i, end.1 - i)));
        return;
    }
    let lengths = common_lengths(&gold, &system);
    let width = system.len() + 1;
    let (mut g, mut s) = (0, 0);
    while g < gold.len() && s < system.len() {
        if gold[g] == system[s] {
            pairs.push((start.0 + g, start.1 + s));
            g += 1;
            s += 1;
        } else if lengths[g * width + s] == lengths[(g + 1) * width + s] {
            g += 1;
        } else {
            s += 1;
        }
    }
}

/// `[g][s]`: the length of the longest common subsequence of `gold[g..]` and `system[s..]`; shape
/// (gold + 1, system + 1), row by row.
fn common_lengths(gold: &[String], system: &[String]) -> Vec<u32> {
    let width = system.len() + 1;
    let mut lengths = vec![0u32; (gold.len() + 1) * width];
    for g in (0..gold.len()).rev() {
        for s in (0..system.len()).rev() {
            let (here, below) = (g * width + s, (g + 1) * width + s);
            lengths[here] = if gold[g] == system[s] {
                lengths[below + 1] + 1
            } else {
                lengths[below].max(lengths[here + 1])
            };
        }
    }
    lengths
}

/// What words of a stretch are compared by.
fn key(word: &SpannedWord) -> String {
    let form = form_of(word.word);
    // Spaces count inside multi-word tokens only: there the characters need not add up to the token.
    let form = if word.multiword {
        Cow::Borrowed(form)
    } else {
        Cow::Owned(form.chars().filter(|&c| !is_space(c)).collect())
    };
    form.to_lowercase()
}

#[cfg(test)]
mod tests {
    use super::super::sample::{document, documents};
    use super::*;

    fn pairs(gold: &str, system: &str) -> Vec<(usize, usize)> {
        let (gold, system) = (documents(gold), documents(system));
        Alignment::new(&gold, &system).unwrap().pairs
    }

    #[test]
    fn the_same_words_align_one_to_one() {
        assert_eq!(pairs("a b | c", "a b c"), [(0, 0), (1, 1), (2, 2)]);
    }

    #[test]
    fn a_split_word_aligns_with_neither_half() {
        assert_eq!(pairs("a bcd e", "a b cd e"), [(0, 0), (2, 3)]);
    }

    #[test]
    fn a_merged_word_aligns_with_neither_part() {
        assert_eq!(pairs("a b cd e", "a bcd e"), [(0, 0), (3, 2)]);
    }

    #[test]
    fn words_that_overlap_do_not_align() {
        assert_eq!(pairs("ab c d", "a bc d"), [(2, 2)]);
    }

    #[test]
    fn spaces_inside_forms_do_not_count() {
        let mut gold = document("1_000 x");
        gold.sentences[0].words[0].form = "1\u{a0}0 00".into();
        let system = document("1000 x");
        let (gold, system) = ([gold], [system]);
        let found = Alignment::new(&gold, &system).unwrap();
        assert_eq!(found.pairs, [(0, 0), (1, 1)]);
    }

    #[test]
    fn words_of_a_multi_word_token_align_by_form_whatever_their_case() {
        assert_eq!(
            pairs("I {Don't do n't} go", "I {Don't Do N't} go"),
            [(0, 0), (1, 1), (2, 2), (3, 3)]
        );
    }

    #[test]
    fn another_split_of_a_multi_word_token_aligns_what_is_common() {
        // do n't ever / do not ever: "do" and "ever" are the longest common subsequence.
        assert_eq!(
            pairs("x {don'tever do n't ever}", "x {don'tever do not ever}"),
            [(0, 0), (1, 1), (3, 3)]
        );
    }

    #[test]
    fn a_multi_word_token_against_plain_words_aligns_by_form() {
        // "do" is common to both, "n't" differs from "n’t" only when the text does: here the words are do, n, 't.
        assert_eq!(
            pairs("{don't do n't} go", "do n 't go"),
            [(0, 0), (2, 3)],
            "n't is neither n nor 't"
        );
        assert_eq!(pairs("{don't do n't} go", "do n't go").len(), 3);
    }

    #[test]
    fn overlapping_multi_word_tokens_make_one_stretch() {
        // gold ab=a+b cd; system a bcd=b+cd: the stretch is all of abcd, a and b and cd are common.
        assert_eq!(
            pairs("{ab a b} cd e", "a {bcd b cd} e"),
            [(0, 0), (1, 1), (2, 2), (3, 3)]
        );
    }

    #[test]
    fn of_equally_long_subsequences_the_later_gold_word_is_taken() {
        // x y against y x: dropping gold's x keeps one pair, and that is tried first.
        assert_eq!(pairs("{xy x y}", "{xy y x}"), [(1, 0)]);
    }

    #[test]
    fn a_plain_word_that_sticks_out_of_the_stretch_is_passed() {
        // system "ab" began before gold's token bc: "c" alone is inside.
        assert_eq!(pairs("a {bc b c} d", "ab c d"), [(2, 1), (3, 2)]);
    }

    #[test]
    fn a_huge_stretch_aligns_its_beginning_and_end_only() {
        let part = |middle: &str| {
            let many = format!("{} {middle}", "m".to_owned() + &" m".repeat(5000));
            format!("{{token a {many} m z}}")
        };
        let found = pairs(&part("p"), &part("q q"));
        assert_eq!(found.len(), 1 + 5001 + 2);
        assert_eq!(found.last(), Some(&(5004, 5005)));
    }

    #[test]
    fn differing_texts_are_an_error_that_shows_where() {
        let (gold, system) = (documents("Ähm a b"), documents("Ähm a c d"));
        let error = Alignment::new(&gold, &system).unwrap_err();
        assert_eq!(
            error.to_string(),
            r#"system and gold texts differ at character 5, in sentence 1: "cd" / "b""#
        );
        let system = documents("Ähm a");
        let error = Alignment::new(&gold, &system).unwrap_err();
        assert_eq!((error.at, error.system.as_str()), (5, ""));
    }

    #[test]
    fn differing_texts_name_the_sentence_of_the_system() {
        let (gold, mut system) = (documents("a b | c d"), documents("a | b | c e"));
        system[0].sentences[2].id = Some("third".into());
        let error = Alignment::new(&gold, &system).unwrap_err();
        assert_eq!(
            error.to_string(),
            r#"system and gold texts differ at character 4, in sentence 3 (third): "e" / "d""#
        );
    }

    #[test]
    fn a_multi_word_token_without_characters_is_stepped_over() {
        let mut gold = documents("a {x x y} b");
        gold[0].sentences[0].tokens[1].form = Some(" ".into());
        let system = documents("a b");
        let found = Alignment::new(&gold, &system).unwrap();
        assert_eq!(found.pairs, [(0, 0), (3, 1)]);
    }

    /// Tokens of one to three letters of a text; some of them multi-word, of one-letter words.
    fn segmented(cuts: &[(usize, bool)]) -> Vec<Document> {
        let letters: Vec<char> = "abcabdabcacbdabcabda".chars().collect();
        let mut shorthand = String::new();
        let mut rest = letters.as_slice();
        for &(length, multiword) in cuts.iter().cycle() {
            if rest.is_empty() {
                break;
            }
            let (token, after) = rest.split_at(length.min(rest.len()));
            let form: String = token.iter().collect();
            let words: Vec<String> = token.iter().map(char::to_string).collect();
            shorthand += &match multiword {
                true => format!("{{{form} {}}} ", words.join(" ")),
                false => format!("{form} "),
            };
            rest = after;
        }
        documents(&shorthand)
    }

    proptest::proptest! {
        #[test]
        fn pairs_ascend_on_both_sides_whatever_the_segmentations(
            gold in proptest::collection::vec((1usize..4, proptest::bool::ANY), 1..12),
            system in proptest::collection::vec((1usize..4, proptest::bool::ANY), 1..12),
        ) {
            let (gold, system) = (segmented(&gold), segmented(&system));
            let found = Alignment::new(&gold, &system).unwrap();
            assert!(found.pairs.is_sorted_by(|a, b| a.0 < b.0 && a.1 < b.1));
            for &(g, s) in &found.pairs {
                let (a, b) = (found.gold.words[g], found.system.words[s]);
                assert_eq!(a.word.form, b.word.form, "words that align have the same form here");
            }
            let itself = Alignment::new(&gold, &gold).unwrap();
            assert_eq!(itself.pairs.len(), itself.gold.words.len());
        }
    }

    #[test]
    fn nothing_aligns_with_nothing() {
        assert_eq!(pairs("", ""), []);
    }

    #[test]
    fn sentences_are_spans_of_characters() {
        let gold = documents("a b | cd");
        let side = Side::of(&gold);
        let spans: Vec<_> = side.sentences.iter().map(|s| (s.start, s.end)).collect();
        assert_eq!(spans, [(0, 2), (2, 4)]);
        assert_eq!(side.sentence_ends, [2, 3]);
    }

    #[test]
    fn spans_match_only_when_both_ends_agree() {
        let spans = |ends: &[(usize, usize)]| {
            let span = |&(start, end)| Span { start, end };
            ends.iter().map(span).collect::<Vec<_>>()
        };
        let gold = spans(&[(0, 2), (2, 5), (5, 6)]);
        let system = spans(&[(0, 2), (2, 4), (4, 5), (5, 6)]);
        assert_eq!(match_spans(&gold, &system), [(0, 0), (2, 3)]);
    }
}
