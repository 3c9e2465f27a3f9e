//! For tests: what every model that decodes must do, whatever its architecture.

use super::stream::{Load, translate};
use super::{Model, Options, Task};
use crate::nn::dense::Precision;
use crate::nn::parameters::Weights;
use crate::nn::tape::Tape;
use crate::translate::architecture::Architecture;
use crate::translate::batch::Batch;

/// Sentences of different length, of words from 4 up to `words`.
pub fn tasks(count: u32, words: u32) -> Vec<Task> {
    let source = |i: u32| (0..1 + i * 7 % 23).map(move |j| 4 + (i * 31 + j * 17) % (words - 4));
    let task = |i: u32| Task {
        number: u64::from(i),
        source: source(i).collect(),
        ..Task::default()
    };
    (0..count).map(task).collect()
}

/// All that can be told of a translation.
pub fn options(beam: usize) -> Options {
    Options {
        beam,
        best: beam,
        scores: true,
        alignment: true,
        ..Options::default()
    }
}

/// A translation depends neither on the sentences it is translated with nor on threads.
pub fn company(model: &impl Architecture, weights: &Weights, tasks: &[Task], ways: &[Options]) {
    for precision in [Precision::Single, Precision::Int8] {
        let decoder = [model.decoder(weights, precision)];
        for options in ways {
            let of = |tasks: &[Task], workers, sentences| {
                let load = Load {
                    sentences,
                    tokens: 100,
                };
                translate(&decoder, tasks, options, (workers, load))
            };
            let all = of(tasks, 1, 8);
            assert_eq!(all, of(tasks, 2, 3));
            assert_eq!(all[11..12], of(&tasks[11..12], 1, 1));
        }
    }
}

/// A given translation has the score that the tape gives it.
pub fn score(model: &impl Architecture, weights: &Weights, tasks: &[Task], target: &[u32]) {
    let decoder = [model.decoder(weights, Precision::Single)];
    for task in tasks {
        let batch = Batch::of([(&task.source[..], target)]);
        let loss = model.loss(&Tape::plain(weights), &batch, 0.0, 0.0);
        let task = Task {
            prefix: target.to_vec(),
            is_given: true,
            ..task.clone()
        };
        let found = translate(&decoder, &[task], &options(1), (1, Load::of_beam(1)));
        let score = f64::from(found[0][0].score);
        assert!((score + loss.nll).abs() < 1e-3, "{score} {}", loss.nll);
        // A model that does not look back has nothing to align.
        let aligned = if decoder[0].heads().0 > 0 {
            target.len()
        } else {
            0
        };
        assert_eq!(found[0][0].alignment.len(), aligned);
    }
}
