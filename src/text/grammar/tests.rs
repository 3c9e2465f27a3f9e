use super::*;
use crate::text::plain::parse_tokens;
use proptest::prelude::*;

const NUMBERS: &str = include_str!("../../../models/en/grammar/number.txt");

fn marked(files: &[&str], text: &str) -> Vec<(String, String, Option<String>)> {
    let grammar = Grammar::parse(files.iter().copied()).unwrap();
    let mut sentence = parse_tokens(text).sentences.remove(0);
    grammar.mark(None, &mut sentence, &mut GrammarScratch::default());
    let found = entity::entities(&sentence).into_iter().map(|e| {
        let words: Vec<&str> = sentence.words[e.words.clone()]
            .iter()
            .map(|word| word.form.as_str())
            .collect();
        let value = sentence.words[e.words.start].misc.get("Value");
        (e.label, words.join(" "), value.map(str::to_owned))
    });
    found.collect()
}

#[test]
fn numbers_in_digits_and_words_have_their_value() {
    for (text, value) in [
        ("1,234.5", "1234.5"),
        ("3.5 million", "3500000"),
        ("100k", "100000"),
        ("-5", "-5"),
        ("two hundred and five", "205"),
        ("twenty-three hundred", "2300"),
        ("two thousand three hundred and five", "2305"),
        ("three million two hundred thousand", "3200000"),
        ("a hundred", "100"),
        ("a dozen", "12"),
        ("half a million", "500000"),
        ("two and a half", "2.5"),
        ("one and three quarters", "1.75"),
        ("two - thirds", "0.6667"),
        ("2/3", "0.6667"),
        ("2 1/2", "2.5"),
        ("2½", "2.5"),
        ("½", "0.5"),
        ("5-7 million", "5000000/7000000"),
        ("5 to 7", "5/7"),
        ("two to three hundred", "200/300"),
        ("two or three", "2/3"),
        ("ninety - nine", "99"),
    ] {
        let found = marked(&[NUMBERS, "label N\nrule <n:nums> => $n\n"], text);
        assert_eq!(found.len(), 1, "{text}: {found:?}");
        assert_eq!(
            (found[0].1.as_str(), found[0].2.as_deref()),
            (text, Some(value))
        );
    }
}

#[test]
fn numbers_that_fall_or_only_follow_each_other_are_no_range() {
    let rule = "label N\nrule <n:nums> => $n\n";
    let values = |text: &str| -> Vec<String> {
        let found = marked(&[NUMBERS, rule], text).into_iter();
        found.filter_map(|(_, _, value)| value).collect()
    };
    assert_eq!(values("7 - 5"), ["7", "5"]);
    assert_eq!(values("7 5"), ["7", "5"]);
    assert_eq!(values("2 or 9"), ["2", "9"]);
    assert_eq!(values("half a loaf"), [""; 0]);
}

#[test]
fn options_alternatives_tags_and_braces() {
    let rule = "label X\nwords unit\n  kn knots \"nautical miles\"\n";
    let of = |rule_line: &str, text: &str| -> Vec<String> {
        let found = marked(&[&format!("{rule}{rule_line}\n")], text).into_iter();
        found
            .map(|(_, words, value)| words + "=" + &value.unwrap_or_default())
            .collect()
    };
    assert_eq!(
        of("rule <n:int> [good] <u:unit> => $u$n", "5 good knots"),
        ["5 good knots=kn5"]
    );
    assert_eq!(
        of("rule <n:int> <u:unit> => $n", "5 nautical miles"),
        ["5 nautical miles=5"]
    );
    assert_eq!(
        of("rule at { <n:int> } ( sea | port )", "at 5 port 6"),
        ["5="]
    );
    assert_eq!(of("rule Now|then", "now Now then"), ["Now=", "then="]);
    assert_eq!(of("rule a \\/ b", "a / b"), ["a / b="]);
    assert_eq!(of("rule <n:int> \\% => $n", "5 %."), ["5 %.=5"]);
    assert_eq!(of("rule <n:int> \\%", "5 %x"), [""; 0]);
    assert_eq!(of("rule c/NN", "c"), [""; 0]);
    assert_eq!(of("rule c/!NN", "c"), ["c="]);
    assert_eq!(of("rule <n:int>\nnot { <n:int> } _/!X", "5 knots"), [""; 0]);
}

#[test]
fn the_longer_entity_wins_and_one_inside_a_name_goes() {
    let grammar = Grammar::parse(["label A\nrule a b\nrule b c d => v\n"]).unwrap();
    let mut sentence = parse_tokens("a b c d a b").sentences.remove(0);
    for (i, label) in [(4, "B-PER"), (5, "I-PER")] {
        sentence.words[i].misc.set("NER", label);
    }
    grammar.mark(None, &mut sentence, &mut GrammarScratch::default());
    let found: Vec<_> = entity::entities(&sentence)
        .into_iter()
        .map(|e| (e.words, e.label))
        .collect();
    assert_eq!(found, [(1..4, "A".to_owned()), (4..6, "PER".to_owned())]);
    assert_eq!(sentence.words[1].misc.get("Value"), Some("v"));
}

#[test]
fn labels_left_to_others_are_not_found_and_their_words_are_no_other_entity() {
    let mut grammar = Grammar::parse(["label A\nrule a b\nlabel B\nrule b\n"]).unwrap();
    grammar.keep_only(|label| label != "A");
    let mut sentence = parse_tokens("a b b").sentences.remove(0);
    grammar.mark(None, &mut sentence, &mut GrammarScratch::default());
    let found = entity::entities(&sentence);
    assert_eq!(found.len(), 1);
    assert_eq!(
        (found[0].words.clone(), found[0].label.as_str()),
        (2..3, "B")
    );
}

#[test]
fn a_rule_with_more_than_a_number_wants_what_follows() {
    let rule = "label X\nrule <n:num> <m:int> => $n $m\nrule <n:num> _ x => $n\n";
    let found = |text: &str| -> Vec<String> {
        let found = marked(&[NUMBERS, rule], text).into_iter();
        found.filter_map(|(_, _, value)| value).collect()
    };
    assert_eq!(found("two hundred 5"), ["200 5"]);
    assert_eq!(found("two hundred a x"), ["200"]);
    assert_eq!(found("two hundred"), [""; 0]);
    assert_eq!(found("two hundred a"), [""; 0]);
}

#[test]
fn a_number_is_read_once_however_many_rules_begin_with_it() {
    let words = "two hundred";
    let grammar = Grammar::parse([NUMBERS, "label N\nrule <n:num>\n"]).unwrap();
    let sentence = parse_tokens(words).sentences.remove(0);
    let mut pieces = Vec::new();
    piece::cut(None, &sentence, &grammar.rules.vocabulary, &mut pieces);
    let readings = vec![Readings::default(); pieces.len()];
    let reader = number::Reader {
        pieces: &pieces,
        roles: &grammar.rules.roles,
        readings: &readings,
    };
    let number = reader.number(0);
    assert_eq!(number.map(|number| number.low), Some(200.0));
    // Without its words it could not be read again.
    let reader = number::Reader {
        roles: &[],
        ..reader
    };
    assert_eq!(reader.number(0), number);
    assert_eq!(reader.range(0), None);
}

#[test]
fn faults_of_a_grammar_are_named_by_line() {
    for (text, line, problem) in [
        ("rule a", 1, "a rule before `label`"),
        ("label X\n\nrule <n:x>", 3, "no class \"x\""),
        ("label X\nrule [ a", 2, "no \"]\" for \"[\""),
        ("label X\nrule a ]", 2, "\"]\" closes nothing"),
        ("label X\nrule 5 km", 2, "the digits of \"5\" want <int>"),
        ("label X\nrule { }", 2, "a rule that takes nothing"),
        ("label X\nrule a } {", 2, "braces that do not match"),
        ("label X\nrule a => ${n", 2, "no \"}\" in \"${n\""),
        ("  a b", 1, "a form outside of `words`"),
        ("hello", 1, "unknown word \"hello\""),
        ("words number.unit\n  x two", 2, "\"x\" is not a number"),
    ] {
        let (file, error) = Grammar::parse([text]).unwrap_err();
        assert_eq!((file, error.line), (0, line), "{text}");
        assert_eq!(error.problem, problem);
    }
    assert!(Grammar::parse(["label X\nrule _ a"]).is_err());
}

fn english() -> Grammar {
    Grammar::parse(crate::text::english::grammar().map(|(_, text)| text)).unwrap()
}

proptest! {
    /// Whatever the words, entities lie in the sentence and do not overlap.
    #[test]
    fn any_words_are_marked_without_a_panic(
        words in prop::collection::vec(
            prop::sample::select(vec![
                "1", "12", "1995", "2024", "0", "99999999999999999999", "3.5", "1,000", "-", "/", ":", "'", "\"", "$", "%",
                "and", "a", "half", "of", "to", "or", "two", "twenty", "hundred", "million", "third", "th", "s", "the", "May",
                "Monday", "pm", "am", "o'clock", "past", "quarter", "years", "old", "ago", "km", "5km", "$5–7", "3/4/2024", "x",
                "last", "next", "week", "10-year-old", "between", "é", "½", "BC", "first", "century", "1990s", "",
            ]),
            0..30,
        )
    ) {
        let text = words.join(" ");
        let Some(mut sentence) = parse_tokens(&text).sentences.pop() else {
            return Ok(());
        };
        let mut grammar = english();
        grammar.reference = Some(jiff::civil::date(2024, 2, 29));
        grammar.mark(None, &mut sentence, &mut GrammarScratch::default());
        let mut end = 0;
        for found in entity::entities(&sentence) {
            prop_assert!(found.words.start >= end);
            end = found.words.end;
        }
        prop_assert!(end <= sentence.words.len());
    }
}
