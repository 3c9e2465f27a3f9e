//! The whole model beside its formulas in f64, parameter by parameter, and the model at work beside its tape.

mod formulas;

use super::config::{Attention, Config};
use super::decode::Decoder;
use super::model::Recurrent;
use crate::nn::adam::{Adam, Moments};
use crate::nn::check;
use crate::nn::dense::Precision;
use crate::nn::dropout::Dropout;
use crate::nn::ops::cell::Kind;
use crate::nn::parameters::Weights;
use crate::nn::tape::Tape;
use crate::translate::architecture::Tied;
use crate::translate::batch::Batch;
use crate::translate::decode::Model;
use crate::translate::decode::check::{self as decode, options, tasks};
use crate::translate::decode::stream::{Load, translate};
use formulas::exact;

fn config(cell: Kind, attention: Attention) -> Config {
    Config {
        source_vocabulary: 11,
        target_vocabulary: 11,
        embedding: 5,
        dim: 6,
        layers: 1,
        cell,
        attention,
        input_feeding: false,
        layer_norm: false,
        tied: Tied::All,
        recurrent_dropout: 0.0,
        scheduled_sampling: 0.0,
        max_positions: 40,
    }
}

/// One of everything.
pub fn configs() -> Vec<Config> {
    let (lstm, gru) = (Kind::Lstm, Kind::Gru);
    vec![
        config(lstm, Attention::General),
        Config {
            layers: 2,
            ..config(gru, Attention::Dot)
        },
        Config {
            tied: Tied::None,
            target_vocabulary: 9,
            ..config(lstm, Attention::None)
        },
        Config {
            layer_norm: true,
            layers: 2,
            ..config(gru, Attention::Additive)
        },
        Config {
            input_feeding: true,
            layers: 2,
            ..config(lstm, Attention::Additive)
        },
        Config {
            input_feeding: true,
            tied: Tied::Target,
            layer_norm: true,
            ..config(gru, Attention::General)
        },
    ]
}

fn batch() -> Batch {
    Batch::of([
        (&[5, 6, 7][..], &[4, 8][..]),
        (&[8], &[5, 4, 6, 3]),
        (&[4, 10, 4, 5], &[7]),
    ])
}

#[test]
fn every_parameter_has_the_gradient_of_the_formulas() {
    for config in configs() {
        let model = Recurrent::new(config).expect("a shape");
        let batch = batch();
        let weight = 1.0 / batch.target_out.len() as f32;
        let pass = |tape: &Tape| {
            model.loss(tape, &batch, 0.1, weight);
        };
        let exact = |values: &[f64]| exact(&model, values);
        check::gradients_within(1e-3, &model.layout, pass, exact);
    }
}

/// Losses of updates, each before its update.
fn losses(model: &Recurrent, mut weights: Weights, steps: usize) -> Vec<f64> {
    let (batch, mut moments) = (batch(), Moments::zeros(model.layout.len()));
    let mut gradients = vec![0.0; model.layout.len()];
    let mut found = Vec::new();
    for _ in 0..steps {
        let tape = Tape::recording(&weights, gradients, Dropout::none());
        let loss = model.loss(&tape, &batch, 0.1, 1.0 / batch.target_out.len() as f32);
        gradients = tape.backward();
        let values = weights.values_mut();
        Adam::default().update(values, &mut gradients, &mut moments, 0.01, 1.0);
        found.push(loss.smoothed / loss.tokens as f64);
    }
    found
}

/// PyTorch 2.15, from the same weights, w[i] = 0.8 sin(1.7 i + 0.4) in the order of the layout, `nmt_ref.py`'s RNN with
/// V = 11, d = 6, embeddings of 5, no dropout; `benches/peers/losses.py` prints them.
#[test]
fn ten_losses_are_those_of_pytorch() {
    let fed = Config {
        input_feeding: true,
        ..config(Kind::Lstm, Attention::Additive)
    };
    for (config, expected) in [
        (
            config(Kind::Lstm, Attention::General),
            [
                3.4207359, 3.2661560, 3.1185553, 2.9821053, 2.8592215, 2.7505980, 2.6558710,
                2.5742310, 2.5047102, 2.4462503,
            ],
        ),
        (
            fed,
            [
                3.4338413, 3.2670498, 3.1099743, 2.9669519, 2.8405809, 2.7314493, 2.6388517,
                2.5613810, 2.4971935, 2.4442017,
            ],
        ),
    ] {
        let model = Recurrent::new(config).expect("a shape");
        let found = losses(&model, check::weights(&model.layout, 0.4), 10);
        for (found, expected) in found.iter().zip(expected) {
            let expected: f64 = expected;
            assert!(
                (found - expected).abs() < 2e-5 * expected,
                "{found} {expected}"
            );
        }
    }
}

#[test]
fn a_model_learns_its_batch_by_heart() {
    for config in configs() {
        let model = Recurrent::new(config).expect("a shape");
        let found = losses(&model, model.initial_weights(1), 600);
        // With smoothing 0.1 over 9 or 11 words the least loss is the entropy of q, 0.50 and 0.52.
        assert!(found[0] > 2.0, "{}", found[0]);
        assert!(found[599] < 0.6, "{:?}: {}", model.config, found[599]);
    }
}

#[test]
fn guessed_words_are_learned_from_too() {
    let model = Recurrent::new(Config {
        scheduled_sampling: 0.5,
        ..config(Kind::Lstm, Attention::General)
    })
    .expect("a shape");
    let found = losses(&model, model.initial_weights(1), 400);
    assert!(found[399] < 0.6, "{}", found[399]);
    let plain = Recurrent::new(config(Kind::Lstm, Attention::General)).expect("a shape");
    assert_ne!(found[1], losses(&plain, plain.initial_weights(1), 2)[1]);
}

#[test]
fn a_given_translation_has_the_score_that_the_tape_gives_it() {
    for config in configs() {
        let model = Recurrent::new(config).expect("a shape");
        let weights = check::weights(&model.layout, 0.4);
        decode::score(&model, &weights, &tasks(20, 11), &[7, 8, 5, 4]);
    }
}

#[test]
fn a_translation_depends_neither_on_its_company_nor_on_threads() {
    for config in configs() {
        let model = Recurrent::new(config).expect("a shape");
        let weights = check::weights(&model.layout, 0.4);
        decode::company(&model, &weights, &tasks(20, 11), &[options(1), options(3)]);
    }
}

#[test]
fn what_words_attended_to_sums_to_one() {
    let model = Recurrent::new(config(Kind::Gru, Attention::Additive)).expect("a shape");
    let weights = check::weights(&model.layout, 0.4);
    let maps = Decoder::new(&model, &weights, Precision::Single).maps(&[5, 6], &[7, 8, 4]);
    assert_eq!((maps.source, maps.target), (3, 4));
    for t in 0..4 {
        let sum: f32 = (0..3).map(|s| maps.weight((0, 0), t, s)).sum();
        assert!((sum - 1.0).abs() < 1e-5);
    }
}

#[test]
fn one_thread_gives_the_bytes_of_two() {
    for config in configs() {
        let model = Recurrent::new(Config {
            recurrent_dropout: 0.2,
            ..config
        })
        .expect("a shape");
        let weights = model.initial_weights(2);
        let source: Vec<u32> = (0..9).map(|i| 3 + i % 6).collect();
        let pairs: Vec<_> = (0..70)
            .map(|i| (&source[..1 + i % 9], &source[i % 5..]))
            .collect();
        let batch = Batch::of(pairs);
        let pass = |threads| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build();
            pool.expect("a pool").install(|| {
                let dropout = Dropout { rate: 0.1, seed: 1 };
                let tape = Tape::recording(&weights, vec![0.0; model.layout.len()], dropout);
                (model.loss(&tape, &batch, 0.1, 0.01), tape.backward())
            })
        };
        assert!(pass(1) == pass(2));
    }
}

#[test]
fn many_threads_that_want_the_same_matrix_do_not_wait_for_one_another() {
    // Matrices so large that they are packed on all threads, and more tasks than threads.
    let model = Recurrent::new(Config {
        embedding: 64,
        dim: 256,
        input_feeding: true,
        layers: 2,
        ..config(Kind::Lstm, Attention::Additive)
    })
    .expect("a shape");
    let source = [5, 6, 7, 8];
    let pairs: Vec<_> = (0..200)
        .map(|i| (&source[..1 + i % 4], &source[..]))
        .collect();
    let batch = Batch::of(pairs);
    let pool = rayon::ThreadPoolBuilder::new().num_threads(8).build();
    pool.expect("a pool").install(|| {
        for seed in 0..3 {
            let weights = model.initial_weights(seed);
            let tape = Tape::recording(&weights, vec![0.0; model.layout.len()], Dropout::none());
            let loss = model.loss(&tape, &batch, 0.1, 0.01);
            assert!(loss.smoothed.is_finite());
            assert!(tape.backward().iter().all(|g| g.is_finite()));
            let decoder = [Decoder::new(&model, &weights, Precision::Single)];
            let how = (8, Load::of_beam(1));
            assert_eq!(
                translate(&decoder, &tasks(20, 11), &options(1), how).len(),
                20
            );
        }
    });
}
