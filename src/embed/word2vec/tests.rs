use super::*;
use crate::embed::corpus::{Limits, Reader};
use crate::embed::word2vec::CheckpointError;
use crate::embed::word2vec::options::Model;
use crate::embed::word2vec::subwords::Subwords;

/// Sentences of two subjects that share no word.
fn corpus(sentences: usize) -> Corpus {
    let subjects = [
        ["cat", "dog", "cow", "pig", "hen"],
        ["red", "blue", "pink", "grey", "gold"],
    ];
    let mut random = Random::new(5, 5);
    let mut text = String::new();
    for i in 0..sentences {
        for _ in 0..8 {
            text += subjects[i % 2][random.below(5) as usize];
            text += " ";
        }
        text += "\n";
    }
    let mut reader = Reader::default();
    reader.read(text.as_bytes(), false).unwrap();
    reader
        .finish(Limits {
            min_count: 1,
            max_words: None,
        })
        .unwrap()
}

fn options() -> Options {
    Options {
        model: Model::SkipGram,
        objective: Objective::Negative,
        dim: 20,
        window: 3,
        negative: 3,
        sample: 0.0,
        epochs: 3,
        rate: 0.05,
        shares_gradient: false,
        subwords: None,
        max_sentence: 1000,
        seed: 1,
    }
}

fn trained(corpus: &Corpus, options: &Options) -> Vec<f32> {
    let mut trainer = Trainer::new(corpus, options.clone()).unwrap();
    let ended = trainer.run(1, &AtomicBool::new(false), |_| {}).unwrap();
    assert_eq!(ended, Ended::Done);
    trainer.vectors().data.to_vec()
}

/// The mean cosine of words of the same subject, less that of words of different ones.
fn separation(corpus: &Corpus, values: &[f32]) -> f32 {
    let words = &corpus.vocabulary.words;
    let stride = values.len() / words.len();
    let row = |w: usize| &values[w * stride..(w + 1) * stride];
    let dot = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(x, y)| x * y).sum::<f32>();
    let is_animal = |w: usize| ["cat", "dog", "cow", "pig", "hen"].contains(&words[w].as_str());
    let (mut same, mut different) = (Vec::new(), Vec::new());
    for a in 0..words.len() {
        for b in 0..a {
            let cosine = dot(row(a), row(b)) / (dot(row(a), row(a)) * dot(row(b), row(b))).sqrt();
            if is_animal(a) == is_animal(b) {
                same.push(cosine)
            } else {
                different.push(cosine)
            }
        }
    }
    let mean = |values: &[f32]| values.iter().sum::<f32>() / values.len() as f32;
    mean(&same) - mean(&different)
}

#[test]
fn words_of_one_subject_come_together_whatever_the_model() {
    let corpus = corpus(3000);
    let subwords = Some(Subwords {
        min_n: 2,
        max_n: 3,
        buckets: 500,
    });
    for model in [Model::SkipGram, Model::Cbow] {
        for objective in [Objective::Negative, Objective::Hierarchical] {
            for subwords in [None, subwords] {
                let options = Options {
                    model,
                    objective,
                    subwords,
                    ..options()
                };
                let found = separation(&corpus, &trained(&corpus, &options));
                assert!(found > 0.5, "{options:?}: {found}");
            }
        }
    }
}

/// The neighbours share n-grams, and each step must see what the one before has changed.
#[test]
fn words_of_n_grams_learn_one_after_another() {
    let mut reader = Reader::default();
    let text = "king kings kings king walking kings king walking king\n".repeat(20);
    reader.read(text.as_bytes(), false).unwrap();
    let limits = Limits {
        min_count: 1,
        max_words: None,
    };
    let corpus = reader.finish(limits).unwrap();
    let options = Options {
        objective: Objective::Hierarchical,
        window: 1,
        epochs: 1,
        rate: 0.5,
        subwords: Some(Subwords {
            min_n: 2,
            max_n: 3,
            buckets: 50,
        }),
        ..options()
    };
    let mut trainer = Trainer::new(&corpus, options.clone()).unwrap();
    let wide = |values: &[f32]| values.iter().map(|v| f64::from(*v)).collect::<Vec<f64>>();
    let mut x: Vec<Vec<f64>> = (trainer.input.values().chunks(trainer.input.stride()))
        .map(wide)
        .collect();
    let mut y = vec![vec![0.0; x[0].len()]; corpus.vocabulary.len()];
    let (parts, Outputs::Hierarchical(tree)) = (trainer.parts.as_ref().unwrap(), &trainer.outputs)
    else {
        panic!("a tree");
    };
    let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
    let add = |to: &mut [f64], by: f64, what: &[f64]| {
        to.iter_mut().zip(what).for_each(|(to, v)| *to += by * v);
    };
    for sentence in sentences(corpus.tokens(), 1000) {
        for at in 0..sentence.len() {
            let rows = parts.of(sentence[at]);
            let mut mean = vec![0.0; x[0].len()];
            for row in rows {
                add(&mut mean, 1.0 / rows.len() as f64, &x[*row as usize]);
            }
            let before = mean.clone();
            for place in [at.wrapping_sub(1), at + 1] {
                let Some(&neighbour) = sentence.get(place) else {
                    continue;
                };
                let (nodes, targets) = tree.path(neighbour);
                let old = mean.clone();
                for (&node, &target) in nodes.iter().zip(targets) {
                    let node = &mut y[node as usize];
                    let p = 1.0 / (1.0 + (-dot(&old, node)).exp());
                    let g = f64::from(options.rate) * (f64::from(target) - p);
                    add(&mut mean, g, node);
                    add(node, g, &old);
                }
            }
            let moved: Vec<f64> = mean.iter().zip(&before).map(|(a, b)| a - b).collect();
            for row in rows {
                add(&mut x[*row as usize], 1.0, &moved);
            }
        }
    }
    trainer.run(1, &AtomicBool::new(false), |_| {}).unwrap();
    let found = wide(trainer.input.values());
    let expected = x.concat();
    let largest = expected.iter().fold(0.0, |most: f64, v| most.max(v.abs()));
    assert!(largest > 0.5, "they have learned: {largest}");
    for (found, expected) in found.iter().zip(&expected) {
        assert!((found - expected).abs() < 1e-3, "{found} {expected}");
    }
}

#[test]
fn one_thread_and_a_seed_give_the_same_bytes() {
    let corpus = corpus(200);
    let first = trained(&corpus, &options());
    assert!(first == trained(&corpus, &options()));
    assert!(
        first
            != trained(
                &corpus,
                &Options {
                    seed: 2,
                    ..options()
                }
            )
    );
}

#[test]
fn a_stopped_and_resumed_run_gives_the_bytes_of_a_whole_one() {
    let corpus = corpus(60_000);
    let options = Options {
        epochs: 2,
        ..options()
    };
    let whole = trained(&corpus, &options);
    let mut first = Trainer::new(&corpus, options.clone()).unwrap();
    let stop = AtomicBool::new(false);
    let ended = first
        .run(1, &stop, |_| stop.store(true, Ordering::Relaxed))
        .unwrap();
    assert_eq!(ended, Ended::Stopped);
    let mut saved = Vec::new();
    first.save(&mut saved).unwrap();
    let mut second = Trainer::new(&corpus, options.clone()).unwrap();
    second.resume(&saved).unwrap();
    assert!(second.next > 0);
    second.run(1, &AtomicBool::new(false), |_| {}).unwrap();
    assert!(second.vectors().data == whole);

    let mut other = Trainer::new(
        &corpus,
        Options {
            dim: 21,
            ..options.clone()
        },
    )
    .unwrap();
    assert!(matches!(
        other.resume(&saved),
        Err(CheckpointError::Options { .. })
    ));
    let last = saved.len() - 3;
    saved[last] ^= 1;
    assert!(matches!(
        second.resume(&saved),
        Err(CheckpointError::Damaged)
    ));
    assert!(matches!(
        second.resume(&saved[..99]),
        Err(CheckpointError::Container(_))
    ));
}

#[test]
fn another_text_is_no_text_to_resume_with() {
    let (first, second) = (corpus(100), corpus(101));
    let mut saved = Vec::new();
    Trainer::new(&first, options())
        .unwrap()
        .save(&mut saved)
        .unwrap();
    let mut other = Trainer::new(&second, options()).unwrap();
    assert!(matches!(other.resume(&saved), Err(CheckpointError::Corpus)));
}

#[test]
fn a_loss_that_is_no_number_ends_the_run() {
    let corpus = corpus(2000);
    let mut trainer = Trainer::new(
        &corpus,
        Options {
            rate: 1e30,
            ..options()
        },
    )
    .unwrap();
    let ended = trainer.run(1, &AtomicBool::new(false), |_| {});
    assert!(matches!(ended, Err(TrainError::Diverged { .. })));
}

#[test]
fn negatives_need_a_larger_vocabulary() {
    let corpus = corpus(10);
    let words = corpus.vocabulary.len();
    let refused = Trainer::new(
        &corpus,
        Options {
            negative: words,
            ..options()
        },
    );
    assert!(matches!(
        refused.err(),
        Some(TrainError::TooManyNegatives { .. })
    ));
}

#[test]
fn the_loss_falls() {
    let corpus = corpus(60_000);
    let mut trainer = Trainer::new(
        &corpus,
        Options {
            epochs: 3,
            ..options()
        },
    )
    .unwrap();
    let mut losses = Vec::new();
    trainer
        .run(1, &AtomicBool::new(false), |progress| {
            losses.push(progress.loss)
        })
        .unwrap();
    let mean = |losses: &[f64]| losses.iter().sum::<f64>() / losses.len() as f64;
    let (first, last) = (mean(&losses[..3]), mean(&losses[losses.len() - 3..]));
    // Nothing is known at first: ln 2 for the word and for each of its three negatives.
    assert!(first < 4.0 * std::f64::consts::LN_2, "{losses:?}");
    assert!(last < first - 0.03, "{losses:?}");
}

#[test]
fn frequent_words_are_kept_as_often_as_the_formula_says() {
    // f = 100 t: √(1/100) + 1/100 = 0.11. Rarer than t: all.
    let share = f64::from(share_kept(1000, 1_000_000, 1e-5)) / f64::from(u32::MAX);
    assert!((share - 0.11).abs() < 1e-6, "{share}");
    assert_eq!(share_kept(5, 1_000_000, 1e-5), u32::MAX);
    assert_eq!(share_kept(1000, 1000, 0.0), u32::MAX);
}

#[test]
fn the_learning_rate_falls_in_a_straight_line() {
    assert_eq!(rate_at(0.05, 0.0), 0.05);
    assert_eq!(rate_at(0.05, 0.5), 0.025);
    assert_eq!(rate_at(0.05, 1.0), 0.05e-4);
}
