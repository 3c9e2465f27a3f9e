use super::adam::Weights;
use super::train::{Example, NO_LABEL, Options, train};
use super::trainer::Trainer;
use super::vectors::Vectors;
use super::*;

const WORDS: [&str; 6] = ["the", "cat", "Cats", "sees", "seen", "42"];

fn shapes(words: &[&str]) -> Vec<WordShape> {
    let mut scratch = String::new();
    (words.iter().map(|w| WordShape::new(w, &mut scratch))).collect()
}

fn vectors() -> Vectors {
    let rows: Vec<[f32; 3]> = (0..4).map(|i| [i as f32, 1.0, -0.5 * i as f32]).collect();
    Vectors::new(WORDS.into_iter().zip(rows.iter().map(|r| &r[..])), 3)
}

fn example(words: &[&str], labels: &[u16], source: usize) -> Example {
    Example {
        words: shapes(words),
        labels: labels.to_vec(),
        source,
    }
}

fn options() -> Options {
    Options {
        epochs: 60,
        property: 4,
        reach: 1,
        hidden: 32,
        rate: 0.02,
        dropout: 0.0,
        seed: 1,
    }
}

/// The head of a word is its place in [`WORDS`], or the place of its left neighbour.
fn examples() -> Vec<Example> {
    (0..WORDS.len() * WORDS.len())
        .map(|n| {
            let (a, b) = (n % WORDS.len(), n / WORDS.len());
            let labels = [a as u16, 6, b as u16, a as u16];
            example(&[WORDS[a], WORDS[b]], &labels, 0)
        })
        .collect()
}

const HEADS: [usize; 2] = [6, 7];

/// The best label of each head for each word.
fn best(network: &Network, words: &[&str], scratch: &mut Scratch) -> Vec<usize> {
    let shapes = shapes(words);
    network.read(shapes.iter(), scratch);
    let mut found = Vec::new();
    for at in 0..words.len() {
        network.look(at, scratch);
        let mut first = 0;
        for size in HEADS {
            let score = |label: &usize| network.score(first + label, scratch);
            let labels = (0..size).max_by(|a, b| score(a).total_cmp(&score(b)));
            found.extend(labels);
            first += size;
        }
    }
    found
}

#[test]
fn it_learns_words_and_their_neighbours_and_survives_its_file() {
    let network = train(&examples(), vectors(), (&HEADS, 1), &options(), |_, _| {});
    let mut section = Section::default();
    network.save(&mut section);
    let read = Network::load(&section, &HEADS).unwrap().unwrap();
    assert_eq!(read, network);
    let mut scratch = Scratch::default();
    for (a, first) in WORDS.iter().enumerate() {
        for (b, second) in WORDS.iter().enumerate() {
            let found = best(&read, &[first, second], &mut scratch);
            assert_eq!(found, [a, 6, b, a], "{first} {second}");
        }
    }
}

#[test]
fn a_seed_gives_the_same_network() {
    let options = Options {
        epochs: 2,
        dropout: 0.3,
        ..options()
    };
    let network = |seed| {
        let options = Options {
            seed,
            ..options.clone()
        };
        train(&examples(), vectors(), (&HEADS, 1), &options, |_, _| {})
    };
    assert_eq!(network(1), network(1));
    assert_ne!(network(1), network(2));
}

#[test]
fn many_forms_are_read_as_few_are() {
    let network = train(&examples(), vectors(), (&HEADS, 1), &options(), |_, _| {});
    let mut scratch = Scratch::default();
    let expected = best(&network, &["the", "cat"], &mut scratch);
    for n in 0..2 * KEPT / 100 {
        let forms: Vec<String> = (0..100).map(|k| format!("w{n}x{k}")).collect();
        let forms: Vec<&str> = forms.iter().map(String::as_str).collect();
        best(&network, &forms, &mut scratch);
        assert!(scratch.slots.len() <= KEPT);
    }
    assert_eq!(best(&network, &["the", "cat"], &mut scratch), expected);
    let long: Vec<&str> = WORDS.into_iter().cycle().take(3 * KEPT).collect();
    assert_eq!(best(&network, &long, &mut scratch).len(), 2 * long.len());
    assert!(best(&network, &[], &mut scratch).is_empty());
}

#[test]
fn broken_sizes_are_refused() {
    let network = train(&examples(), vectors(), (&HEADS, 1), &options(), |_, _| {});
    let mut section = Section::default();
    network.save(&mut section);
    assert!(Network::load(&section, &[6, 8]).is_err());
    let names: Vec<String> = section.tensors.keys().cloned().collect();
    for name in names.iter().filter(|name| *name != "network.sizes") {
        let mut less = section.clone();
        less.tensors.remove(name);
        assert!(Network::load(&less, &HEADS).is_err(), "{name}");
    }
    section.tensors.clear();
    assert_eq!(Network::load(&section, &HEADS).unwrap(), None);
}

/// Each kind of weights.
fn weights(trainer: &mut Trainer) -> [&mut Weights; 6] {
    [
        &mut trainer.vectors,
        &mut trainer.properties,
        &mut trainer.window,
        &mut trainer.window_bias,
        &mut trainer.output,
        &mut trainer.output_bias,
    ]
}

/// Central differences of the loss in each kind of weights, and at labels that say nothing.
#[test]
fn gradients_are_those_of_the_loss() {
    let batch = [
        example(&["the", "cat", "sees"], &[0, 6, 1, 0, NO_LABEL, 1], 0),
        example(&["42", "Cats"], &[5, 6, 2, NO_LABEL], 1),
    ];
    let mut trainer = Trainer::new(vectors(), (&HEADS, 2), &options());
    let fill = |trainer: &mut Trainer| {
        trainer.begin();
        for example in &batch {
            let inputs: Vec<Input> = (example.words.iter())
                .map(|w| Input::of(w, &trainer.words))
                .collect();
            trainer.add(inputs.into_iter(), example);
        }
        trainer.end();
    };
    fill(&mut trainer);
    trainer.forward();
    trainer.backward();
    let gradients = weights(&mut trainer).map(|weights| weights.gradients.clone());
    let mut checked = 0;
    for (kind, gradients) in gradients.iter().enumerate() {
        let largest = gradients.iter().fold(0f32, |m, g| m.max(g.abs()));
        assert!(largest > 0.0, "kind {kind}");
        for at in (0..gradients.len()).filter(|at| at % 7 == 0 || gradients[*at] == largest) {
            if gradients[at] == 0.0 && gradients.len() > 1000 {
                continue; // rows that no word has
            }
            let mut loss = |by: f32| {
                weights(&mut trainer)[kind].values[at] += by;
                fill(&mut trainer);
                let loss = trainer.forward();
                weights(&mut trainer)[kind].values[at] -= by;
                f64::from(loss)
            };
            let (less, here, more) = (loss(-2e-3), loss(0.0), loss(2e-3));
            let (left, right) = ((here - less) / 2e-3, (more - here) / 2e-3);
            let bound = 2e-3 + 0.02 * f64::from(largest);
            if (left - right).abs() > bound {
                continue; // another half of a maximum has become the larger one
            }
            let found = f64::from(gradients[at]);
            let close = (found - (left + right) / 2.0).abs() < bound;
            assert!(close, "kind {kind}, {at}: {found} {left} {right}");
            checked += 1;
        }
    }
    assert!(checked > 150, "{checked}");
}
