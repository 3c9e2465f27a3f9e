//! For tests: what every model that decodes must do, whatever its architecture.

use super::stream::{Load, translate};
use super::{Hypothesis, Model, Options, Sample, Task};
use crate::nn::check;
use crate::nn::dense::Precision;
use crate::nn::device::{Gpu, Kind};
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

fn gpu() -> &'static Gpu {
    check::gpu().expect("WORDMILL_TEST_GPU is set")
}

fn is_exact() -> bool {
    gpu().kind() == Kind::F32
}

/// How near scores of the device must be to those of the host.
fn tolerance() -> f32 {
    match gpu().kind() {
        Kind::F32 => 1e-3,
        Kind::F16 => 0.005,
        _ => 0.15,
    }
}

/// What must be the same: untrained weights leave words nearly equal, which eight bits tell apart no better than chance
/// once others have gone before, and eleven no better where they are drawn.
fn compared(tokens: &[u32], is_drawn: bool) -> &[u32] {
    match gpu().kind() {
        Kind::F32 => tokens,
        Kind::F16 if !is_drawn => tokens,
        _ => &tokens[..tokens.len().min(1)],
    }
}

/// Of so many.
fn least(all: usize) -> usize {
    if is_exact() { all } else { all * 3 / 5 }
}

/// On the host, and on the device, where the weights are then.
fn both<A: Architecture>(
    model: &A,
    weights: &mut Weights,
    tasks: &[Task],
    options: &Options,
) -> [Vec<Vec<Hypothesis>>; 2] {
    let load = Load {
        sentences: 8,
        tokens: 100,
    };
    let by = |decoder: &[A::Decoder<'_>]| translate(decoder, tasks, options, (1, load));
    let host = by(&[model.decoder(weights, Precision::Single)]);
    weights.bring_to(gpu());
    let by = |decoder: &[A::There<'_>]| translate(decoder, tasks, options, (1, load));
    let device = by(&[(model.there(weights, true)).expect("the weights are there")]);
    gpu().check().unwrap();
    weights.leave();
    [host, device]
}

/// A device finds the translations that the host finds.
pub fn same_there(model: &impl Architecture, weights: &mut Weights, ways: &[Options]) {
    let words = model.vocabularies().0.min(model.vocabularies().1) as u32;
    for options in ways {
        let [host, device] = both(model, weights, &tasks(12, words), options);
        let pairs = host.iter().zip(&device);
        let same = pairs.clone().filter(|(host, device)| {
            let compared = |h: &Hypothesis| compared(&h.tokens, false).to_vec();
            compared(&host[0]) == compared(&device[0])
        });
        let same = same.count();
        assert!(same >= least(12), "{same} of 12");
        let (mut whole, pairs) = (0, pairs.filter(|(h, d)| h[0].tokens == d[0].tokens));
        for (host, device) in pairs {
            whole += 1;
            let apart = (host[0].score - device[0].score).abs();
            let length = host[0].tokens.len() as f32;
            assert!(apart <= tolerance() * length, "{apart}");
            if is_exact() {
                assert_eq!(host[0].alignment, device[0].alignment);
            }
        }
        assert!(whole > 0, "no translation is the same to its end");
    }
}

/// A given translation has the score that the host gives it.
pub fn score_there(model: &impl Architecture, weights: &mut Weights, target: &[u32]) {
    let words = model.vocabularies().0 as u32;
    let given = tasks(10, words).into_iter().map(|task| Task {
        prefix: target.to_vec(),
        is_given: true,
        ..task
    });
    let [host, device] = both(model, weights, &given.collect::<Vec<_>>(), &options(1));
    for (host, device) in host.iter().zip(&device) {
        let apart = (host[0].score - device[0].score).abs();
        assert!(apart <= (target.len() + 1) as f32 * tolerance(), "{apart}");
    }
}

/// Words are drawn from all or from the best: the same random numbers meet nearly the same probabilities. Those of the words of
/// `weights` are to differ so much that bf16 seldom changes their order, and with it what is drawn; and so little that other
/// random numbers draw others.
pub fn drawn_there(model: &impl Architecture, weights: &mut Weights) {
    let words = model.vocabularies().0.min(model.vocabularies().1) as u32;
    for (top_k, top_p) in [(0, 0.9), (5, 1.0)] {
        let sample = Some(Sample {
            temperature: 1.0,
            top_k,
            top_p,
            seed: 4,
        });
        let drawn = Options {
            sample,
            ..options(2)
        };
        let [host, device] = both(model, weights, &tasks(10, words), &drawn);
        let pairs = host.iter().flatten().zip(device.iter().flatten());
        let same = pairs.filter(|(h, d)| compared(&h.tokens, true) == compared(&d.tokens, true));
        let same = same.count();
        assert!(same >= least(20), "{same} of 20");
    }
}

/// Every weight of attention is told.
pub fn maps_there(
    model: &impl Architecture,
    weights: &mut Weights,
    (source, target): (&[u32], &[u32]),
) {
    let host = model
        .decoder(weights, Precision::Single)
        .maps(source, target);
    weights.bring_to(gpu());
    let decoder = (model.there(weights, false)).expect("the weights are there");
    let found = decoder.maps(source, target);
    drop(decoder);
    assert_eq!(found.weights.len(), host.weights.len());
    for (host, found) in host.weights.iter().zip(&found.weights) {
        assert!((host - found).abs() <= tolerance() / 5.0, "{host} {found}");
    }
    weights.leave();
}
