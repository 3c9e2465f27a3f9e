//! Searches over tables of probabilities that are small enough to follow by hand.

use super::*;

const A: u32 = 4;
const B: u32 = 5;

/// Words that are neither A nor B nor EOS have no chance.
fn row(end: f32, a: f32, b: f32) -> Vec<f32> {
    [1e-9, 1e-9, end, 1e-9, a, b].map(f32::ln).to_vec()
}

/// Runs a search by a function from a hypothesis to the probabilities of its next word.
fn search(
    options: &Options,
    task: Task,
    limit: usize,
    next: fn(&[u32]) -> Vec<f32>,
) -> Vec<Hypothesis> {
    let mut search = Search::new(options, task, limit);
    loop {
        let wanted: Vec<Wanted> = search.wanted().collect();
        let found = search
            .live
            .iter()
            .zip(&wanted)
            .map(|(live, wanted)| Found::among(next(&live.tokens), wanted));
        let found: Vec<Found> = found.collect();
        if search.advance(&found, |_| Vec::new()) {
            return search.end();
        }
    }
}

fn options(beam: usize) -> Options {
    Options {
        beam,
        best: beam,
        length_penalty: 0.0,
        scores: true,
        ..Options::default()
    }
}

fn task() -> Task {
    Task {
        source: vec![9; 5],
        ..Task::default()
    }
}

fn tokens(found: &[Hypothesis]) -> Vec<Vec<u32>> {
    found
        .iter()
        .map(|hypothesis| hypothesis.tokens.clone())
        .collect()
}

/// A first is likelier, but every end of it is not: A ends with 0.6 · 0.4 = 0.24, B with 0.4 · 0.9 = 0.36.
fn trap(so_far: &[u32]) -> Vec<f32> {
    match so_far {
        [] => row(0.0, 0.6, 0.4),
        [A] => row(0.4, 0.3, 0.3),
        [B] => row(0.9, 0.05, 0.05),
        _ => row(1.0, 0.0, 0.0),
    }
}

#[test]
fn a_beam_finds_what_greedy_search_walks_past() {
    assert_eq!(tokens(&search(&options(1), task(), 99, trap)), [[A]]);
    let found = search(&options(2), task(), 99, trap);
    assert_eq!(found[0].tokens, [B]);
    assert!((found[0].score - 0.36f32.ln()).abs() < 1e-5);
    assert!((found[0].words[1] - 0.9f32.ln()).abs() < 1e-5);
}

#[test]
fn the_length_penalty_divides_by_a_power_of_the_length() {
    let options = Options {
        length_penalty: 0.5,
        ..options(2)
    };
    let found = search(&options, task(), 99, trap);
    // B and its end: two.
    let expected = 0.36f32.ln() / 2f32.sqrt();
    assert!((found[0].normalised - expected).abs() < 1e-5);
}

#[test]
fn a_search_ends_at_its_limit() {
    let endless = |_: &[u32]| row(1e-9, 0.7, 0.3);
    let found = search(&options(1), task(), 99, endless);
    // 1.5 · (5 tokens and the end) + 10
    assert_eq!(found[0].tokens.len(), 19);
    assert_eq!(search(&options(1), task(), 7, endless)[0].tokens.len(), 7);
    assert_eq!(search(&options(3), task(), 7, endless).len(), 3);
}

#[test]
fn a_run_of_words_does_not_come_twice_when_that_is_forbidden() {
    let endless = |_: &[u32]| row(1e-6, 0.7, 0.3);
    let options = Options {
        no_repeat: 2,
        ..options(1)
    };
    // A A, then A B, B A is what has not been; after B A every run has been but B B.
    assert_eq!(
        tokens(&search(&options, task(), 99, endless)),
        [[A, A, B, A]]
    );
    assert_eq!(
        tokens(&search(
            &Options {
                no_repeat: 1,
                ..options
            },
            task(),
            99,
            endless
        )),
        [[A, B]]
    );
}

#[test]
fn a_given_beginning_is_kept_and_scored() {
    let task = Task {
        prefix: vec![A, A],
        ..task()
    };
    let found = search(&options(2), task, 99, trap);
    assert_eq!(found[0].tokens, [A, A]);
    assert!((found[0].score - 0.18f32.ln()).abs() < 1e-5);
}

#[test]
fn a_given_translation_is_scored_to_its_end() {
    let task = Task {
        prefix: vec![B],
        is_given: true,
        ..task()
    };
    let found = search(&options(5), task, 99, trap);
    assert_eq!(tokens(&found), [[B]]);
    assert!((found[0].score - 0.36f32.ln()).abs() < 1e-5);
}

#[test]
fn a_sentence_that_says_something_is_not_translated_by_nothing() {
    let silent = |_: &[u32]| row(0.9, 0.06, 0.04);
    for beam in [1, 2] {
        assert_eq!(search(&options(beam), task(), 99, silent)[0].tokens, [A]);
    }
}

#[test]
fn unknown_words_never_come() {
    let unknown = |so_far: &[u32]| match so_far {
        [] => [0.1f32, 0.1, 0.1, 0.5, 0.15, 0.05].map(f32::ln).to_vec(),
        _ => row(1.0, 0.0, 0.0),
    };
    assert_eq!(search(&options(1), task(), 99, unknown)[0].tokens, [A]);
}

fn drawn(sample: Sample, number: u64) -> Vec<Hypothesis> {
    let options = Options {
        sample: Some(sample),
        ..options(1)
    };
    search(&options, Task { number, ..task() }, 99, trap)
}

const SAMPLE: Sample = Sample {
    temperature: 1.0,
    top_k: 0,
    top_p: 1.0,
    seed: 7,
};

#[test]
fn words_are_drawn_by_their_probabilities() {
    let first = (0..4000)
        .filter(|&number| drawn(SAMPLE, number)[0].tokens[0] == A)
        .count();
    // 0.6 of 4,000, within four standard deviations of √(4000 · 0.6 · 0.4) = 31.
    assert!(first.abs_diff(2400) < 124, "{first}");
}

#[test]
fn the_coldest_draw_is_greedy_and_so_are_the_narrowest() {
    let narrow = [
        Sample {
            temperature: 0.0,
            ..SAMPLE
        },
        Sample { top_k: 1, ..SAMPLE },
        Sample {
            top_p: 0.3,
            ..SAMPLE
        },
    ];
    for sample in narrow {
        for number in 0..20 {
            assert_eq!(tokens(&drawn(sample, number)), [[A]]);
        }
    }
}

#[test]
fn what_is_drawn_depends_on_the_number_of_the_sentence_alone() {
    let all = |seed| {
        (0..50)
            .map(|number| drawn(Sample { seed, ..SAMPLE }, number))
            .collect::<Vec<_>>()
    };
    assert_eq!(all(1), all(1));
    assert_ne!(all(1), all(2));
}
