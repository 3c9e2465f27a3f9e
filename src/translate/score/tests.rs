//! Scores that sacreBLEU 2.6.0 gives. Each table was printed by
//!
//! ```python
//! from sacrebleu.metrics import BLEU, CHRF, TER
//! for metric in (BLEU(), BLEU(tokenize="intl"), BLEU(tokenize="char"),
//!                BLEU(lowercase=True, tokenize="none", smooth_method="floor"), BLEU(smooth_method="add-k"),
//!                CHRF(), CHRF(word_order=2), TER(), TER(normalized=True, case_sensitive=True)):
//!     print(metric.corpus_score(HYPOTHESES, [REFERENCES]).score)
//! ```

use super::bleu::Smoothing;
use super::tokenize::Tokenizer;
use super::*;

const GERMAN: [&[&str]; 2] = [
    &[
        "Der Hund liegt unter dem Tisch und schläft.",
        "Zwei Frauen gehen am Morgen über die Brücke.",
        "Wann geht der Zug?",
    ],
    &[
        "Der kleine Hund schläft unter dem Tisch.",
        "Am Morgen gehen zwei Frauen über die Brücke.",
        "Wann fährt der letzte Zug?",
    ],
];

const SECOND_REFERENCE: [&str; 3] = [
    "Unter dem Tisch schläft der kleine Hund.",
    "Zwei Frauen gehen morgens über die Brücke.",
    "Wann fährt der Zug?",
];

/// The metrics of the script above.
fn metrics() -> [Box<dyn Metric>; 9] {
    let by = |tokenizer| Bleu {
        tokenizer,
        ..Bleu::default()
    };
    [
        Box::new(Bleu::default()),
        Box::new(by(Tokenizer::Intl)),
        Box::new(by(Tokenizer::Char)),
        Box::new(Bleu {
            lower: true,
            smoothing: Smoothing::Floor(0.1),
            ..by(Tokenizer::None)
        }),
        Box::new(Bleu {
            smoothing: Smoothing::AddK(1.0),
            ..Bleu::default()
        }),
        Box::new(Chrf::default()),
        Box::new(Chrf {
            words: 2,
            ..Chrf::default()
        }),
        Box::new(Ter::default()),
        Box::new(Ter {
            cased: true,
            normalize: true,
            ..Ter::default()
        }),
    ]
}

/// The score of a corpus, to four decimals.
fn score(metric: &dyn Metric, hypotheses: &[&str], references: &[&[&str]]) -> f64 {
    let sums = Statistics::of(metric, hypotheses, references)
        .unwrap()
        .sums();
    (metric.score(&sums) * 1e4).round() / 1e4
}

fn scores(hypotheses: &[&str], references: &[&str]) -> [f64; 9] {
    metrics().map(|metric| score(metric.as_ref(), hypotheses, &[references]))
}

#[test]
fn german_sentences_have_the_scores_of_sacrebleu() {
    assert_eq!(
        scores(GERMAN[0], GERMAN[1]),
        [
            23.3240, 23.3240, 71.2673, 10.9400, 29.6509, 63.7622, 61.3601, 45.0, 43.4783
        ]
    );
}

#[test]
fn japanese_is_scored_by_characters() {
    let hypotheses = ["猫が椅子の上で寝ている。", "明日は雨です。"];
    let references = ["猫は椅子の上で眠っています。", "明日は雨が降ります。"];
    assert_eq!(
        scores(&hypotheses, &references),
        [0.0, 0.0, 32.5468, 0.0, 0.0, 26.4557, 22.6763, 100.0, 100.0]
    );
}

#[test]
fn quotes_and_dashes_are_words_by_intl() {
    let hypotheses = ["„Ja“, sagte er – „morgen…“", "Es kostet 3,50 €."];
    let references = ["»Ja«, sagte er – »morgen…«", "Es kostet 3,50 €!"];
    assert_eq!(
        scores(&hypotheses, &references),
        [
            57.6975, 38.9079, 75.6585, 26.6964, 63.1555, 69.7708, 69.7524, 33.3333, 27.2727
        ]
    );
}

#[test]
fn sentences_may_be_empty_on_either_side() {
    let (hypotheses, references) = (["", "ein Wort", ""], ["kein Wort", "", ""]);
    let expected = [0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 200.0, 200.0];
    assert_eq!(scores(&hypotheses, &references), expected);
}

#[test]
fn a_translation_that_is_too_long_is_less_precise() {
    assert_eq!(
        scores(&["a b c d e f g h"], &["a b c d"]),
        [
            34.5721, 34.5721, 34.5721, 34.5721, 43.4721, 74.2263, 76.8054, 100.0, 100.0
        ]
    );
}

#[test]
fn a_translation_that_is_too_short_pays_the_brevity_penalty() {
    // e^(1 − 8/4) = 0.367879
    assert_eq!(
        scores(&["a b c d"], &["a b c d e f g h"]),
        [
            36.7879, 36.7879, 36.7879, 36.7879, 36.7879, 41.8598, 45.2905, 50.0, 50.0
        ]
    );
}

#[test]
fn a_corpus_is_a_perfect_translation_of_itself() {
    let expected = [100.0, 100.0, 100.0, 100.0, 100.0, 100.0, 100.0, 0.0, 0.0];
    assert_eq!(scores(GERMAN[1], GERMAN[1]), expected);
}

#[test]
fn nothing_is_scored_as_nothing() {
    assert_eq!(scores(&[], &[]), [0.0; 9]);
    assert_eq!(scores(&[""], &[""]), [0.0; 9]);
}

// for metric in (BLEU(), CHRF(), TER()): print(metric.corpus_score(HYPOTHESES, [REFERENCES, SECOND]).score)
#[test]
fn a_second_reference_counts_where_it_is_nearer() {
    let references = [GERMAN[1], &SECOND_REFERENCE];
    let score = |metric: &dyn Metric| score(metric, GERMAN[0], &references);
    assert_eq!(score(&Bleu::default()), 29.7275);
    assert_eq!(score(&Chrf::default()), 70.1942);
    assert_eq!(score(&Ter::default()), 42.1053);
}

// for h, r in zip(HYPOTHESES, REFERENCES): print(BLEU(effective_order=True).sentence_score(h, [r]).score)
#[test]
fn single_sentences_are_scored_by_the_lengths_they_have() {
    let metric = Bleu {
        effective_order: true,
        ..Bleu::default()
    };
    let of_sentence = |i: usize| score(&metric, &[GERMAN[0][i]], &[&[GERMAN[1][i]]]);
    assert_eq!([0, 1, 2].map(of_sentence), [21.9346, 34.3295, 20.8012]);
    // Two words have no n-grams of three.
    assert_eq!(score(&metric, &["a b"], &[&["a b"]]), 100.0);
    assert_eq!(score(&Bleu::default(), &["a b"], &[&["a b"]]), 0.0);
}

#[test]
fn the_functions_of_training_are_the_metrics_by_default() {
    let owned = |lines: &[&str]| {
        lines
            .iter()
            .map(|&line| line.to_owned())
            .collect::<Vec<_>>()
    };
    let (hypotheses, references) = (owned(GERMAN[0]), owned(GERMAN[1]));
    assert!((corpus_bleu(&hypotheses, &references) - 23.3240).abs() < 1e-4);
    assert!((corpus_chrf(&hypotheses, &references) - 63.7622).abs() < 1e-4);
}

// print(TER(normalized=True).corpus_score(["Ann's\x1c"], [["Ann 's"]]).score)
#[test]
fn a_separator_at_the_end_does_not_hide_a_possessive() {
    let metric = Ter {
        normalize: true,
        ..Ter::default()
    };
    assert_eq!(score(&metric, &["Ann's\x1c"], &[&["Ann 's"]]), 0.0);
}

// print(TER(normalized=True).corpus_score(["a ,,1 b"], [["a ,,1 b"]]).score)
#[test]
fn references_are_normalized_twice_by_ter() {
    let metric = Ter {
        normalize: true,
        ..Ter::default()
    };
    // a , ,1 b and a , , 1 b: one word replaced, one put in, of five.
    assert_eq!(score(&metric, &["a ,,1 b"], &[&["a ,,1 b"]]), 40.0);
}

#[test]
fn another_number_of_sentences_is_refused() {
    let error = Statistics::of(&Bleu::default(), &["a", "b"], &[&["a", "b"], &["a"]]);
    let error = error.unwrap_err();
    assert_eq!(error.to_string(), "2 sentences, but 1 in reference 2");
    let none = Statistics::of(&Bleu::default(), &["a"], &[]);
    assert_eq!(none.unwrap_err(), StatisticsError::NoReferences);
}

#[test]
fn signatures_are_those_of_sacrebleu_but_for_the_version() {
    let version = format!("version:wordmill-{}", env!("CARGO_PKG_VERSION"));
    let expected = [
        "nrefs:1|case:mixed|eff:no|tok:13a|smooth:exp",
        "nrefs:1|case:mixed|eff:no|tok:intl|smooth:exp",
        "nrefs:1|case:mixed|eff:no|tok:char|smooth:exp",
        "nrefs:1|case:lc|eff:no|tok:none|smooth:floor[0.10]",
        "nrefs:1|case:mixed|eff:no|tok:13a|smooth:add-k[1.00]",
        "nrefs:1|case:mixed|eff:yes|nc:6|nw:0|space:no",
        "nrefs:1|case:mixed|eff:yes|nc:6|nw:2|space:no",
        "nrefs:1|case:lc|tok:tercom|norm:no|punct:yes|asian:no",
        "nrefs:1|case:mixed|tok:tercom|norm:yes|punct:yes|asian:no",
    ];
    let found = metrics().map(|metric| signature(metric.as_ref(), 1, &[]));
    assert_eq!(found, expected.map(|line| format!("{line}|{version}")));
    let drawn = signature(&Bleu::default(), 2, &[("bs", 1000), ("seed", 1)]);
    assert!(drawn.starts_with("nrefs:2|bs:1000|seed:1|case:mixed|"));
}
