//! Training steps of translators on the ids that `nmt_ref.py prep` writes, in its batches: target tokens a second.
//!
//! ```text
//! WORDMILL_IDS=work/data.json cargo bench --bench steps -- tiny 2 30
//! ```
//!
//! Model (tiny, small, base; lstm1, lstm2, lstm1b: one and two layers of 512 units with Luong's attention, one with
//! Bahdanau's and input feeding), threads, steps. The batches are cut as those of `nmt_ref.py bench` are: sorted by length,
//! rows × the longer side below 4096 (base: 2048), shuffled. WORDMILL_BATCHES names a file with its own, lists of pair
//! numbers: `peers/steps.py` sees to that. Memory is the peak minus what was there before the first step.

use std::time::Instant;
use wordmill::nn::adam::{Adam, Moments};
use wordmill::nn::dropout::Dropout;
use wordmill::nn::ops::cell::Kind;
use wordmill::nn::tape::Tape;
use wordmill::random::Random;
use wordmill::translate::architecture::{Architecture, Tied};
use wordmill::translate::batch::Batch;
use wordmill::translate::recurrent;
use wordmill::translate::recurrent::config::Attention;
use wordmill::translate::recurrent::model::Recurrent;
use wordmill::translate::transformer::config::{Config, PositionKind};
use wordmill::translate::transformer::model::Transformer;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

type Pairs = Vec<(Vec<u32>, Vec<u32>)>;

fn main() {
    let arguments: Vec<String> = std::env::args()
        .skip(1)
        .filter(|a| a != "--bench")
        .collect();
    let Ok(path) = std::env::var("WORDMILL_IDS") else {
        return println!("steps: WORDMILL_IDS names no data.json of nmt_ref.py");
    };
    let word =
        |i: usize, default: &str| arguments.get(i).map_or(default, String::as_str).to_owned();
    let (name, threads, steps) = (
        word(0, "tiny"),
        number(&word(1, "2")),
        number(&word(2, "30")),
    );
    let pool = rayon::ThreadPoolBuilder::new()
        .num_threads(threads)
        .build()
        .expect("a pool");
    pool.install(|| run(&name, steps, &read(&path)));
}

fn number(text: &str) -> usize {
    text.parse().expect("a number")
}

fn read(path: &str) -> Pairs {
    let text = std::fs::read_to_string(path).expect("the data");
    let data: serde_json::Value = serde_json::from_str(&text).expect("JSON");
    let side = |i: usize| -> Vec<Vec<u32>> {
        serde_json::from_value(data["train"][i].clone()).expect("lists of ids")
    };
    side(0).into_iter().zip(side(1)).collect()
}

fn batches(pairs: &Pairs, budget: usize) -> Vec<Vec<usize>> {
    let mut order: Vec<usize> = (0..pairs.len()).collect();
    order.sort_by_key(|&i| (pairs[i].1.len(), pairs[i].0.len()));
    let (mut all, mut batch, mut longest) = (Vec::new(), Vec::new(), 0);
    for i in order {
        let length = longest.max(pairs[i].0.len()).max(pairs[i].1.len());
        if !batch.is_empty() && length * (batch.len() + 1) > budget {
            all.push(std::mem::take(&mut batch));
            longest = 0;
        }
        longest = longest.max(pairs[i].0.len()).max(pairs[i].1.len());
        batch.push(i);
    }
    all.push(batch);
    let mut random = Random::new(1, 0);
    for i in (1..all.len()).rev() {
        all.swap(i, random.below(i as u32 + 1) as usize);
    }
    all
}

fn run(name: &str, steps: usize, pairs: &Pairs) {
    let (luong, bahdanau) = ((Attention::General, false), (Attention::Additive, true));
    match name {
        "tiny" => train(
            name,
            &transformer(128, 4, 4, 256),
            (0.1, 4096),
            steps,
            pairs,
        ),
        "small" => train(
            name,
            &transformer(256, 3, 4, 1024),
            (0.1, 4096),
            steps,
            pairs,
        ),
        "lstm1" => train(name, &recurrent(1, luong), (0.3, 4096), steps, pairs),
        "lstm2" => train(name, &recurrent(2, luong), (0.3, 4096), steps, pairs),
        "lstm1b" => train(name, &recurrent(1, bahdanau), (0.3, 4096), steps, pairs),
        _ => train(
            name,
            &transformer(512, 6, 8, 2048),
            (0.1, 2048),
            steps,
            pairs,
        ),
    }
}

fn recurrent(layers: usize, (attention, input_feeding): (Attention, bool)) -> Recurrent {
    Recurrent::new(recurrent::config::Config {
        source_vocabulary: 10_000,
        target_vocabulary: 10_000,
        embedding: 512,
        dim: 512,
        layers,
        cell: Kind::Lstm,
        attention,
        input_feeding,
        layer_norm: false,
        tied: Tied::All,
        recurrent_dropout: 0.0,
        scheduled_sampling: 0.0,
        max_positions: 1024,
    })
    .expect("a shape")
}

fn transformer(dim: usize, layers: usize, heads: usize, ffn: usize) -> Transformer {
    Transformer::new(Config {
        source_vocabulary: 10_000,
        target_vocabulary: 10_000,
        dim,
        encoder_layers: layers,
        decoder_layers: layers,
        heads,
        ffn,
        pre_norm: false,
        positions: PositionKind::Sinusoidal,
        tied: Tied::All,
        max_positions: 1024,
    })
    .expect("a shape")
}

fn train<A: Architecture>(
    name: &str,
    model: &A,
    (dropout, budget): (f32, usize),
    steps: usize,
    pairs: &Pairs,
) {
    let mut weights = model.initial_weights(1);
    let mut gradients = vec![0.0; model.layout().len()];
    let mut moments = Moments::zeros(model.layout().len());
    let (warm, mut tokens, mut start) = (3, 0, Instant::now());
    let all = match std::env::var("WORDMILL_BATCHES") {
        Ok(path) => {
            let text = std::fs::read_to_string(path).expect("the batches");
            serde_json::from_str(&text).expect("lists of numbers")
        }
        Err(_) => batches(pairs, budget),
    };
    let (before, mut losses) = (peak(), Vec::new());
    for (step, rows) in all.iter().cycle().take(warm + steps).enumerate() {
        if step == warm {
            (tokens, start) = (0, Instant::now());
        }
        // Each side of the file ends with its mark, which the batch adds.
        let unmarked = |ids: &'_ [u32]| -> Vec<u32> { ids[..ids.len() - 1].to_vec() };
        let rows: Vec<_> = rows
            .iter()
            .map(|&i| (unmarked(&pairs[i].0), unmarked(&pairs[i].1)))
            .collect();
        let batch = Batch::of(
            rows.iter()
                .map(|(source, target)| (&source[..], &target[..])),
        );
        let dropout = Dropout {
            rate: dropout,
            seed: step as u64,
        };
        let tape = Tape::recording(&weights, gradients, dropout);
        let weight = 1.0 / batch.target_out.len() as f32;
        let loss = model.loss(&tape, &batch, 0.1, weight);
        gradients = tape.backward();
        let lr = 5e-3 * ((step + 1) as f32 / 1000.0);
        Adam::default().update(weights.values_mut(), &mut gradients, &mut moments, lr, 1.0);
        tokens += loss.tokens;
        losses.push(loss.smoothed / loss.tokens as f64);
    }
    let seconds = start.elapsed().as_secs_f64();
    let last = &losses[losses.len() - 5.min(losses.len())..];
    println!(
        "wordmill {name}: {:.0} target tokens/s, loss {:.3}, mean of the last five {:.3}, {} MiB",
        tokens as f64 / seconds,
        losses.last().expect("a step"),
        last.iter().sum::<f64>() / last.len() as f64,
        (peak() - before) / 1024
    );
}

/// The most memory this process has had, in KiB.
fn peak() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.and_then(|line| line.trim().split(' ').next()?.parse().ok())
        .unwrap_or(0)
}
