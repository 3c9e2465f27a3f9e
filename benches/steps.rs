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
//!
//! With `--features cuda`, WORDMILL_DEVICE=cuda computes on the first GPU in bf16, cuda-f32, cuda-tf32 and cuda-f16 in these, and
//! WORDMILL_BATCH_TOKENS is another limit for batches. Steps are then counted from the fourth to the last, both waited for, and
//! the speed of their matrix products is told beside: what share it is of what the GPU can.

mod device;

use device::gpu;
use std::sync::Arc;
use std::time::Instant;
use wordmill::nn::adam::{Adam, Moments};
use wordmill::nn::device::Gpu;
use wordmill::nn::dropout::Dropout;
use wordmill::nn::ops::cell::Kind;
use wordmill::nn::ops::cuda::learning::Learning;
use wordmill::nn::parameters::Weights;
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
    let (warm, mut tokens, mut start, mut before_all) = (3, 0, Instant::now(), 0);
    let budget = match std::env::var("WORDMILL_BATCH_TOKENS") {
        Ok(tokens) => number(&tokens),
        Err(_) => budget,
    };
    let all = match std::env::var("WORDMILL_BATCHES") {
        Ok(path) => {
            let text = std::fs::read_to_string(path).expect("the batches");
            serde_json::from_str(&text).expect("lists of numbers")
        }
        Err(_) => batches(pairs, budget),
    };
    let mut learner: Box<dyn Learner> = match gpu() {
        Some(gpu) => Box::new(There::new(gpu, model)),
        None => Box::new(Here::new(model)),
    };
    let (before, mut last, mut total) = (peak(), 0.0, (0.0, 0));
    for (step, rows) in all.iter().cycle().take(warm + steps).enumerate() {
        if step == warm {
            learner.loss();
            (tokens, start, before_all) = (0, Instant::now(), learner.multiplied());
        }
        // The mean of the last five.
        if step + 5 == warm + steps {
            learner.loss();
            total = (0.0, 0);
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
        let lr = 5e-3 * ((step + 1) as f32 / 1000.0);
        let count = learner.step(&batch, dropout, (step as u64 + 1, lr));
        tokens += count;
        total.1 += count;
        if step + 1 == warm + steps {
            last = learner.loss() / total.1 as f64;
        }
    }
    let seconds = start.elapsed().as_secs_f64();
    println!(
        "wordmill {name}: {:.0} target tokens/s, mean loss of the last five steps {last:.3}, {} MiB",
        tokens as f64 / seconds,
        learner.memory().unwrap_or((peak() - before) / 1024),
    );
    let multiplied = learner.multiplied() - before_all;
    if multiplied > 0 {
        println!(
            "products: {:.1} TFLOP/s, {:.3} TFLOP a step",
            multiplied as f64 / seconds / 1e12,
            multiplied as f64 / steps as f64 / 1e12
        );
    }
}

/// What changes weights by batches.
trait Learner {
    /// One step; gives the target tokens of the batch.
    fn step(&mut self, batch: &Batch, dropout: Dropout, update: (u64, f32)) -> usize;

    /// The sum of the losses since the last call, when all steps are done.
    fn loss(&mut self) -> f64;

    /// MiB, if they are not those of the process.
    fn memory(&self) -> Option<u64>;

    /// Floating-point operations of the products so far, where they are counted.
    fn multiplied(&self) -> u64;
}

/// On the host.
struct Here<'a, A> {
    model: &'a A,
    weights: Weights,
    gradients: Vec<f32>,
    moments: Moments,
    loss: f64,
}

impl<'a, A: Architecture> Here<'a, A> {
    fn new(model: &'a A) -> Here<'a, A> {
        Here {
            model,
            weights: model.initial_weights(1),
            gradients: vec![0.0; model.layout().len()],
            moments: Moments::zeros(model.layout().len()),
            loss: 0.0,
        }
    }
}

impl<A: Architecture> Learner for Here<'_, A> {
    fn step(&mut self, batch: &Batch, dropout: Dropout, (_, lr): (u64, f32)) -> usize {
        let gradients = std::mem::take(&mut self.gradients);
        let tape = Tape::recording(&self.weights, gradients, dropout);
        let weight = 1.0 / batch.target_out.len() as f32;
        let loss = self.model.loss(&tape, batch, 0.1, weight);
        self.gradients = tape.backward();
        let values = self.weights.values_mut();
        Adam::default().update(values, &mut self.gradients, &mut self.moments, lr, 1.0);
        self.loss += loss.smoothed;
        loss.tokens
    }

    fn loss(&mut self) -> f64 {
        std::mem::take(&mut self.loss)
    }

    fn memory(&self) -> Option<u64> {
        None
    }

    fn multiplied(&self) -> u64 {
        0
    }
}

/// On a GPU.
struct There<'a, A> {
    model: &'a A,
    weights: Weights,
    learning: Learning,
}

impl<'a, A: Architecture> There<'a, A> {
    fn new(gpu: Gpu, model: &'a A) -> There<'a, A> {
        let mut weights = model.initial_weights(1);
        weights.bring_to(&gpu);
        let moments = Moments::zeros(model.layout().len());
        There {
            model,
            weights,
            learning: Learning::of(&gpu, &moments, None),
        }
    }
}

impl<A: Architecture> Learner for There<'_, A> {
    fn step(&mut self, batch: &Batch, dropout: Dropout, (updates, lr): (u64, f32)) -> usize {
        let gradients = Arc::clone(&self.learning.gradients);
        let tape = Tape::recording_there(&self.weights, gradients, dropout);
        let tape = tape.scaled(self.learning.scale(0));
        let weight = 1.0 / batch.target_out.len() as f32;
        let loss = self.model.loss(&tape, batch, 0.1, weight);
        tape.backward();
        let rates = (lr, 0.0);
        (self.learning).update(&self.weights, &Adam::default(), updates, rates);
        loss.tokens
    }

    fn loss(&mut self) -> f64 {
        let there = self.weights.there().expect("weights on the device");
        let (smoothed, _) = there.take_losses();
        self.learning.gpu().check().expect("a device that works");
        smoothed
    }

    fn memory(&self) -> Option<u64> {
        Some(self.learning.gpu().held() as u64 >> 20)
    }

    fn multiplied(&self) -> u64 {
        self.learning.gpu().multiplied()
    }
}

/// The most memory this process has had, in KiB.
fn peak() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.and_then(|line| line.trim().split(' ').next()?.parse().ok())
        .unwrap_or(0)
}
