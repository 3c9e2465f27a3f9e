//! A sentence, word by word: which rows meet which, and the step on them.

use super::compose::{Change, Parts, Slots, gather, scatter};
use super::huffman::Huffman;
use super::kernel::{Block, Scratch, step};
use super::matrix::Shared;
use super::negatives::{Negatives, Pool};
use super::options::{Model, Options};
use crate::embed::random::Random;
use crate::embed::simd::{Level, prefetch};

/// What a word is predicted by.
pub enum Outputs {
    Negative(Negatives),
    Hierarchical(Huffman),
}

/// What all workers share.
#[derive(Clone, Copy)]
pub struct Shop<'a> {
    pub options: &'a Options,
    pub outputs: &'a Outputs,
    /// The rows of each word, when words are put together from n-grams.
    pub parts: Option<&'a Parts>,
    pub input: Shared<'a>,
    pub output: Shared<'a>,
    pub level: Level,
}

/// One thread's room to work in.
pub struct Worker {
    /// Negatives of every word of the sentence.
    drawn: Vec<u32>,
    /// Where they are drawn from; none before the first sentence of a task.
    pool: Option<Pool>,
    inputs: Vec<*mut f32>,
    rows: Vec<*mut f32>,
    targets: Vec<f32>,
    scratch: Scratch,
    slots: Slots,
    /// CBOW's mean, before and after the step.
    means: Vec<f32>,
    steps: u64,
    pub loss: Loss,
}

/// The loss of the pairs that were asked about.
#[derive(Clone, Copy, Debug, Default)]
pub struct Loss {
    pub sum: f64,
    pub pairs: f64,
}

/// One step in so many is asked for its loss.
const ASK_EVERY: u64 = 64;

/// Words between asking for a row and using it.
const AHEAD: usize = 2;

impl Worker {
    pub fn new(shop: &Shop) -> Worker {
        let stride = shop.input.stride();
        let slots = match shop.parts {
            Some(_) => 2 * shop.options.window as usize + 1,
            None => 0,
        };
        Worker {
            drawn: Vec::new(),
            pool: None,
            inputs: Vec::new(),
            rows: Vec::new(),
            targets: Vec::new(),
            scratch: Scratch::default(),
            slots: Slots::new(slots, stride),
            means: vec![0.0; 2 * stride],
            steps: 0,
            loss: Loss::default(),
        }
    }

    /// Begins a task: what was drawn before it has no part in it, so that a run can be resumed between tasks.
    pub fn begin(&mut self) {
        self.pool = None;
        self.steps = 0;
    }

    /// Trains on a sentence that has been thinned out.
    pub fn sentence(&mut self, shop: &Shop, sentence: &[u32], rate: f32, random: &mut Random) {
        let window = shop.options.window as usize;
        if let Outputs::Negative(negatives) = shop.outputs {
            let count = sentence.len() * shop.options.negative;
            let pool = (self.pool).get_or_insert_with(|| Pool::new(negatives, random));
            self.drawn.clear();
            self.drawn
                .extend((0..count).map(|_| pool.draw(negatives, random)));
        }
        let mut entered = 0;
        for at in 0..sentence.len() {
            let last = (at + window).min(sentence.len() - 1);
            while entered <= last {
                self.enter(shop, sentence, entered);
                entered += 1;
            }
            if at > window {
                self.leave(shop, sentence, at - window - 1);
            }
            self.ask_ahead(shop, sentence, at + AHEAD);
            let reach = random.below(window as u32) as usize + 1;
            let (from, to) = (
                at.saturating_sub(reach),
                (at + reach).min(sentence.len() - 1),
            );
            self.inputs.clear();
            for place in (from..=to).filter(|&place| place != at) {
                let row = match shop.parts {
                    Some(_) => self.slots.row(place),
                    None => shop.input.row(sentence[place]),
                };
                self.inputs.push(row);
            }
            if !self.inputs.is_empty() && self.choose_outputs(shop, sentence, at, random) {
                self.learn(shop, rate);
            }
        }
        for place in sentence.len().saturating_sub(window + 1)..sentence.len() {
            self.leave(shop, sentence, place);
        }
    }

    fn enter(&mut self, shop: &Shop, sentence: &[u32], place: usize) {
        match shop.parts {
            Some(parts) => {
                self.slots
                    .enter(shop.level, place, parts.of(sentence[place]), shop.input)
            }
            None => prefetch(shop.input.row(sentence[place]), shop.input.stride()),
        }
    }

    fn leave(&mut self, shop: &Shop, sentence: &[u32], place: usize) {
        if let Some(parts) = shop.parts {
            self.slots
                .leave(shop.level, place, parts.of(sentence[place]), shop.input);
        }
    }

    /// Has the outputs of a later word fetched.
    fn ask_ahead(&self, shop: &Shop, sentence: &[u32], at: usize) {
        let (Some(&word), Outputs::Negative(_)) = (sentence.get(at), shop.outputs) else {
            return;
        };
        let negative = shop.options.negative;
        let drawn = &self.drawn[at * negative..(at + 1) * negative];
        for &row in drawn.iter().chain([&word]) {
            prefetch(shop.output.row(row), shop.output.stride());
        }
    }

    /// Chooses the outputs of the word; whether there are any.
    fn choose_outputs(
        &mut self,
        shop: &Shop,
        sentence: &[u32],
        at: usize,
        random: &mut Random,
    ) -> bool {
        let word = sentence[at];
        self.rows.clear();
        self.targets.clear();
        match shop.outputs {
            Outputs::Hierarchical(tree) => {
                let (nodes, targets) = tree.path(word);
                self.rows
                    .extend(nodes.iter().map(|&node| shop.output.row(node)));
                self.targets.extend_from_slice(targets);
            }
            Outputs::Negative(negatives) => {
                self.rows.push(shop.output.row(word));
                self.targets.push(1.0);
                for k in 0..shop.options.negative {
                    let mut row = shop.output.row(self.drawn[at * shop.options.negative + k]);
                    // A row that is there already would lose one of its updates; another word is drawn instead.
                    let mut tries = 0;
                    while self.rows.contains(&row) && tries < 100 {
                        row = shop.output.row(negatives.draw(random));
                        tries += 1;
                    }
                    if tries < 100 {
                        self.rows.push(row);
                        self.targets.push(0.0);
                    }
                }
            }
        }
        !self.rows.is_empty()
    }

    /// The step on what was chosen.
    fn learn(&mut self, shop: &Shop, rate: f32) {
        self.steps += 1;
        let asks = self.steps.is_multiple_of(ASK_EVERY);
        let stride = shop.input.stride();
        let (before, mean) = (self.means.as_mut_ptr(), self.means[stride..].as_mut_ptr());
        let mean = [mean];
        let is_cbow = shop.options.model == Model::Cbow;
        let block = Block {
            inputs: if is_cbow { &mean } else { &self.inputs },
            outputs: &self.rows,
            targets: &self.targets,
            stride,
        };
        // SAFETY: rows come from the matrices, the slots and `means`, all of `stride` values and alive; outputs differ
        // from each other; the level is that of this processor.
        let loss = unsafe {
            if is_cbow {
                gather(shop.level, &self.inputs, mean[0], stride);
                std::ptr::copy_nonoverlapping(mean[0], before, stride);
            }
            let loss = step(shop.level, block, rate, &mut self.scratch, asks);
            if is_cbow {
                let scale = match shop.options.shares_gradient {
                    true => 1.0 / self.inputs.len() as f32,
                    false => 1.0,
                };
                let change = Change {
                    rows: &self.inputs,
                    before,
                    after: mean[0],
                    scale,
                };
                scatter(shop.level, change, stride);
            }
            loss
        };
        if asks {
            self.loss.sum += f64::from(loss);
            self.loss.pairs += block.inputs.len() as f64;
        }
    }
}
