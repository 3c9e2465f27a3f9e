//! Several ranks learn what one does.

use super::*;
use crate::nn::event::{Ended, Event};
use crate::nn::folder::Folder;
use crate::nn::ops::cell::Kind;
use crate::nn::plan::Plan;
use crate::nn::run::{Limits, Predicted, Run};
use crate::nn::schedule::{Decay, Schedule};
use crate::random::Random;
use crate::ranks::{Ranks, is_first, threads};
use crate::translate::architecture::Tied;
use crate::translate::feed::Plan as Order;
use crate::translate::filter::Limits as Lengths;
use crate::translate::order::Budget;
use crate::translate::pairs::Pair;
use crate::translate::recurrent::config::{Attention, Config as RecurrentConfig};
use crate::translate::recurrent::model::Recurrent;
use crate::translate::store::{Keep, Options, Side, Store, StoreError};
use crate::translate::transformer::config::{Config, PositionKind};
use crate::translate::transformer::model::Transformer;
use std::sync::atomic::{AtomicBool, Ordering};

/// Tokens are numbers in the text.
fn numbers(_: Side, text: &str, _: Option<&mut Random>) -> Vec<u32> {
    text.split(' ').map(|word| word.parse().unwrap()).collect()
}

/// Pairs whose targets are their sources backwards.
fn store() -> Store {
    let pair = |number: u64| {
        let mut random = Random::new(5, number);
        let tokens: Vec<String> = (0..1 + random.below(7))
            .map(|_| (3 + random.below(8)).to_string())
            .collect();
        let back: Vec<String> = tokens.iter().rev().cloned().collect();
        Ok::<Pair, StoreError>(Pair {
            source: tokens.join(" "),
            target: back.join(" "),
        })
    };
    let options = Options {
        limits: Lengths::default(),
        keep: Keep::Ids,
        memory: 1 << 20,
        folder: &std::env::temp_dir(),
        threads: 1,
    };
    Store::build((0..200).map(pair), &numbers, &options).unwrap()
}

fn transformer(pre_norm: bool, tied: Tied) -> Transformer {
    Transformer::new(Config {
        source_vocabulary: 11,
        target_vocabulary: 11,
        dim: 16,
        encoder_layers: 2,
        decoder_layers: 2,
        heads: 2,
        ffn: 24,
        pre_norm,
        positions: PositionKind::Learned,
        tied,
        max_positions: 12,
    })
    .unwrap()
}

fn recurrent(attention: Attention, input_feeding: bool) -> Recurrent {
    Recurrent::new(RecurrentConfig {
        source_vocabulary: 11,
        target_vocabulary: 11,
        embedding: 8,
        dim: 12,
        layers: 2,
        cell: Kind::Lstm,
        attention,
        input_feeding,
        layer_norm: true,
        tied: Tied::All,
        recurrent_dropout: 0.2,
        scheduled_sampling: 0.0,
        max_positions: 40,
    })
    .unwrap()
}

fn plan(steps: u64) -> Plan {
    Plan {
        schedule: Schedule {
            lr: 0.002,
            warmup: 4,
            decay: Decay::Constant,
            last: 0,
        },
        dropout: 0.2,
        dropout_ramp: 0,
        accumulate: 2,
        clip: 1.0,
        decay: 0.01,
        average: 0.9,
        seed: 3,
        max_steps: Some(steps),
        epochs: None,
        patience: 2,
        metric: "bleu".to_owned(),
        report_every: 5,
        evaluate_every: 5,
        save_every: 1000,
        keep: 5,
    }
}

/// How a run goes.
struct Setup<'a> {
    folder: &'a Folder,
    budget: Budget,
    steps: u64,
    stop: &'a AtomicBool,
    /// Whether it measures, and is told to stop the first time it does.
    measures: Option<bool>,
}

/// One rank of a run, from its last checkpoint on, and what it told.
fn train<A: Architecture>(model: &A, setup: &Setup, ranks: Option<&dyn Ranks>) -> Vec<Event> {
    let (store, mut told) = (store(), Vec::new());
    let mut tell = |event: &Event| told.push(event.clone());
    let order = Order {
        budget: setup.budget,
        window: 1000,
        seed: 3,
    };
    let translate = |_: &Weights, sources: &[Vec<u32>]| {
        if setup.measures == Some(true) {
            setup.stop.store(true, Ordering::Release);
        }
        vec![String::new(); sources.len()]
    };
    let score = |_: &[String], _: &[String]| vec![("bleu".to_owned(), 1.0)];
    let learner = |position| {
        let valid = setup.measures.map(|_| Valid {
            batches: vec![Batch::of([(&[5, 6][..], &[6, 5][..])])],
            sources: vec![vec![5, 6]],
            texts: vec![["5 6".to_owned(), "6 5".to_owned()]],
            translate: &translate,
            score: &score,
            stop: setup.stop,
        });
        let learner = Learner {
            model,
            feed: Feed::new(&store, &numbers, order, position),
            smoothing: 0.1,
            valid,
        };
        Predicted::new(learner, ranks)
    };
    let (folder, plan) = (setup.folder, plan(setup.steps));
    // Ranks besides the first have a folder of their own.
    let place = tempfile::tempdir().unwrap();
    let other = Folder::new(place.path());
    let folder = if is_first(ranks) { folder } else { &other };
    let open = || match folder.steps().is_empty() {
        true => {
            let weights = model.initial_weights(7);
            let task = learner(Position::default());
            Ok(Run::new(
                folder,
                model.layout(),
                (plan, task),
                weights,
                &mut tell,
            ))
        }
        false => Run::resume(folder, model.layout(), plan, learner, &mut tell),
    };
    let limits = Limits {
        stop: setup.stop,
        time: None,
    };
    let run = Run::among(folder, ranks, open).unwrap();
    run.train(limits).unwrap();
    told
}

/// Weights after a run of so many ranks, and then of others.
fn learned<A: Architecture>(model: &A, budget: Budget, parts: &[(usize, u64)]) -> Vec<f32> {
    let place = tempfile::tempdir().unwrap();
    let folder = Folder::new(place.path());
    let mut last = 0;
    for (size, steps) in parts {
        last = *steps;
        threads::run(*size, |ranks| {
            let setup = Setup {
                folder: &folder,
                budget,
                steps: *steps,
                stop: &AtomicBool::new(false),
                measures: None,
            };
            train(model, &setup, (*size > 1).then_some(ranks as &dyn Ranks))
        });
    }
    folder.weights(last, model.layout()).unwrap()
}

/// ‖a − b‖ / ‖b‖, biases of keys left out: softmax does not see them, so that their gradients are rounding alone, which Adam
/// makes as large as any other.
fn apart<A: Architecture>(model: &A, a: &[f32], b: &[f32]) -> f64 {
    let counted = model.layout().entries().flat_map(|(name, p)| {
        let (range, d) = (
            p.range(),
            model.layout().entries().last().expect("norms").1.columns,
        );
        let keys = match name.rsplit_once("_attention.").map(|(_, part)| part) {
            Some("qkv.bias") => d..2 * d,
            Some("kv.bias") => 0..d,
            _ => 0..0,
        };
        range
            .clone()
            .filter(move |i| !keys.contains(&(i - range.start)))
    });
    let square = |v: f32| f64::from(v) * f64::from(v);
    let (mut difference, mut length) = (0.0, 0.0);
    for i in counted {
        difference += square(a[i] - b[i]);
        length += square(b[i]);
    }
    (difference / length).sqrt()
}

/// Two and three ranks learn in 20 steps what one does, but for the order of sums.
fn check<A: Architecture>(model: &A) {
    let budget = Budget::Tokens(60);
    let alone = learned(model, budget, &[(1, 20)]);
    for size in [2, 3] {
        let found = apart(model, &learned(model, budget, &[(size, 20)]), &alone);
        assert!(found <= 1e-5, "{size} ranks: {found}");
    }
    let begin = model.initial_weights(7);
    assert!(
        apart(model, begin.values(), &alone) > 1e-2,
        "nothing was learned"
    );
}

#[test]
fn ranks_of_a_transformer_learn_what_one_does() {
    check(&transformer(false, Tied::All));
}

#[test]
fn so_do_those_of_one_that_normalises_first_and_has_three_tables() {
    check(&transformer(true, Tied::None));
}

#[test]
fn ranks_of_a_recurrent_translator_learn_what_one_does() {
    check(&recurrent(Attention::Additive, false));
}

#[test]
fn so_do_those_of_one_that_feeds_contexts() {
    check(&recurrent(Attention::General, true));
}

#[test]
fn a_rank_without_a_sentence_changes_nothing() {
    let (model, budget) = (transformer(false, Tied::All), Budget::Rows(2));
    let alone = learned(&model, budget, &[(1, 20)]);
    let found = apart(&model, &learned(&model, budget, &[(3, 20)]), &alone);
    assert!(found <= 1e-5, "{found}");
}

#[test]
fn a_run_goes_on_with_another_number_of_ranks() {
    let (model, budget) = (transformer(false, Tied::All), Budget::Tokens(60));
    let alone = learned(&model, budget, &[(1, 20)]);
    let found = learned(&model, budget, &[(2, 8), (3, 15), (1, 20)]);
    let found = apart(&model, &found, &alone);
    assert!(found <= 1e-5, "{found}");
}

#[test]
fn only_the_first_rank_tells_and_one_that_is_told_to_stop_stops_all() {
    let (model, place) = (transformer(false, Tied::All), tempfile::tempdir().unwrap());
    let told = threads::run(3, |ranks| {
        let setup = Setup {
            folder: &Folder::new(place.path()),
            budget: Budget::Tokens(60),
            steps: 20,
            stop: &AtomicBool::new(ranks.rank() == 2),
            measures: None,
        };
        train(&model, &setup, Some(ranks))
    });
    assert_eq!(told[1..], [vec![], vec![]]);
    let is_end = |event: &Event| {
        matches!(
            event,
            Event::Ended {
                step: 0,
                reason: Ended::Stopped,
                ..
            }
        )
    };
    assert!(told[0].iter().any(is_end), "{:?}", told[0]);
}

#[test]
fn an_evaluation_that_a_signal_cuts_off_is_made_when_the_run_goes_on() {
    let model = transformer(false, Tied::All);
    let place = tempfile::tempdir().unwrap();
    let folder = Folder::new(place.path());
    let part = |is_cut: bool| {
        let setup = Setup {
            folder: &folder,
            budget: Budget::Tokens(60),
            steps: 12,
            stop: &AtomicBool::new(false),
            measures: Some(is_cut),
        };
        let told = train(&model, &setup, None).into_iter();
        let told = told.filter_map(|event| match event {
            Event::Evaluation { step, .. } => Some((step, "measured")),
            Event::Ended {
                step,
                reason: Ended::Stopped,
                ..
            } => Some((step, "stopped")),
            _ => None,
        });
        told.collect::<Vec<_>>()
    };
    assert_eq!(part(true), [(5, "stopped")]);
    assert_eq!(folder.steps(), [5]);
    let measured = [5, 10, 12].map(|step| (step, "measured"));
    assert_eq!(part(false), measured);
}

#[test]
fn ranks_agree_on_what_the_first_has_measured() {
    let model = transformer(false, Tied::All);
    let steps = |size: usize| {
        let place = tempfile::tempdir().unwrap();
        let told = threads::run(size, |ranks| {
            let setup = Setup {
                folder: &Folder::new(place.path()),
                budget: Budget::Tokens(60),
                steps: 1000,
                stop: &AtomicBool::new(false),
                measures: Some(false),
            };
            train(&model, &setup, (size > 1).then_some(ranks as &dyn Ranks))
        });
        let measured = told[0].iter().filter_map(|event| match event {
            Event::Evaluation { step, is_best, .. } => Some((*step, *is_best)),
            _ => None,
        });
        (
            measured.collect::<Vec<_>>(),
            Folder::new(place.path()).steps(),
        )
    };
    // BLEU is always 1: the second evaluation is no better, nor the third, and that ends the run.
    let expected = (vec![(5, true), (10, false), (15, false)], vec![5, 15]);
    assert_eq!(steps(1), expected);
    assert_eq!(steps(2), expected);
}
