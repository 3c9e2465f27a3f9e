//! A sentence, word by word: which rows meet which, and the step on them.

use super::compose::{Change, Parts, gather, scatter};
use super::huffman::Huffman;
use super::kernel::{Block, Scratch, step};
use super::matrix::Shared;
use super::negatives::{Negatives, Pool};
use super::options::{Model, Options};
use crate::random::Random;
use crate::simd::{Level, prefetch};

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
    /// The mean of `inputs`, before and after the step.
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
        Worker {
            drawn: Vec::new(),
            pool: None,
            inputs: Vec::new(),
            rows: Vec::new(),
            targets: Vec::new(),
            scratch: Scratch::default(),
            means: vec![0.0; 2 * shop.input.stride()],
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
        let by_word = shop.parts.is_none() || shop.options.model == Model::Cbow;
        self.drawn.clear();
        if by_word {
            self.draw(shop, sentence.len(), random);
        }
        let mut entered = 0;
        for at in 0..sentence.len() {
            let last = (at + window).min(sentence.len() - 1);
            while entered <= last {
                self.enter(shop, sentence[entered]);
                entered += 1;
            }
            let reach = random.below(window as u32) as usize + 1;
            let (from, to) = (
                at.saturating_sub(reach),
                (at + reach).min(sentence.len() - 1),
            );
            let around = (from..=to).filter(|&place| place != at);
            if !by_word {
                let around = around.map(|place| sentence[place]);
                self.predict_around(shop, (sentence[at], around), rate, random);
                continue;
            }
            self.ask_ahead(shop, sentence, at + AHEAD);
            self.inputs.clear();
            for place in around {
                self.add_inputs(shop, sentence[place]);
            }
            let drawn = at * shop.options.negative;
            if !self.inputs.is_empty() && self.choose_outputs(shop, sentence[at], drawn, random) {
                match shop.options.model {
                    Model::SkipGram => self.learn(shop, false, rate),
                    Model::Cbow => {
                        self.gather(shop);
                        self.learn(shop, true, rate);
                        self.scatter(shop);
                    }
                }
            }
        }
    }

    /// Skip-gram of words that are put together from n-grams: the word predicts each neighbour in a step of its own.
    ///
    /// The other way round, as without n-grams, neighbours would learn from one set of negatives at once, and n-grams that
    /// several of them share would learn it several times: half of the right analogies are lost by that.
    fn predict_around(
        &mut self,
        shop: &Shop,
        (word, around): (u32, impl Iterator<Item = u32>),
        rate: f32,
        random: &mut Random,
    ) {
        self.inputs.clear();
        self.add_inputs(shop, word);
        self.gather(shop);
        for neighbour in around {
            self.drawn.clear();
            self.draw(shop, 1, random);
            if self.choose_outputs(shop, neighbour, 0, random) {
                self.learn(shop, true, rate);
            }
        }
        self.scatter(shop);
    }

    /// Draws the negatives of so many words.
    fn draw(&mut self, shop: &Shop, words: usize, random: &mut Random) {
        if let Outputs::Negative(negatives) = shop.outputs {
            let count = words * shop.options.negative;
            let pool = (self.pool).get_or_insert_with(|| Pool::new(negatives, random));
            self.drawn
                .extend((0..count).map(|_| pool.draw(negatives, random)));
        }
    }

    /// Adds the rows that make a word.
    fn add_inputs(&mut self, shop: &Shop, word: u32) {
        match shop.parts {
            Some(parts) => {
                let rows = parts.of(word).iter().map(|&row| shop.input.row(row));
                self.inputs.extend(rows);
            }
            None => self.inputs.push(shop.input.row(word)),
        }
    }

    /// Has the rows of a word fetched, which comes into the window.
    fn enter(&self, shop: &Shop, word: u32) {
        match shop.parts {
            Some(parts) => {
                for &row in parts.of(word) {
                    prefetch(shop.input.row(row), shop.input.stride());
                }
                if matches!(shop.outputs, Outputs::Negative(_)) {
                    prefetch(shop.output.row(word), shop.output.stride());
                }
            }
            None => prefetch(shop.input.row(word), shop.input.stride()),
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

    /// Chooses the outputs of a word, its negatives being those from `drawn` on; whether there are any.
    fn choose_outputs(
        &mut self,
        shop: &Shop,
        word: u32,
        drawn: usize,
        random: &mut Random,
    ) -> bool {
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
                    let mut row = shop.output.row(self.drawn[drawn + k]);
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

    /// Puts the mean of the inputs in place of them.
    fn gather(&mut self, shop: &Shop) {
        let stride = shop.input.stride();
        let (before, mean) = self.means.split_at_mut(stride);
        // SAFETY: rows of the matrix have `stride` values, as `mean` has; the level is that of this processor.
        unsafe { gather(shop.level, &self.inputs, mean.as_mut_ptr(), stride) };
        before.copy_from_slice(mean);
    }

    /// Has the inputs learn what their mean has learned.
    fn scatter(&self, shop: &Shop) {
        let stride = shop.input.stride();
        let (before, after) = self.means.split_at(stride);
        let scale = match shop.options.shares_gradient {
            true => 1.0 / self.inputs.len() as f32,
            false => 1.0,
        };
        let change = Change {
            rows: &self.inputs,
            before: before.as_ptr(),
            after: after.as_ptr(),
            scale,
        };
        // SAFETY: as in `gather`.
        unsafe { scatter(shop.level, change, stride) };
    }

    /// The step on what was chosen, of the inputs or of their mean.
    fn learn(&mut self, shop: &Shop, of_mean: bool, rate: f32) {
        self.steps += 1;
        let asks = self.steps.is_multiple_of(ASK_EVERY);
        let stride = shop.input.stride();
        let mean = [self.means[stride..].as_mut_ptr()];
        let block = Block {
            inputs: if of_mean { &mean } else { &self.inputs },
            outputs: &self.rows,
            targets: &self.targets,
            stride,
        };
        // SAFETY: rows come from the matrices and `means`, all of `stride` values and alive; outputs differ from each
        // other; the level is that of this processor.
        let loss = unsafe { step(shop.level, block, rate, &mut self.scratch, asks) };
        if asks {
            self.loss.sum += f64::from(loss);
            self.loss.pairs += block.inputs.len() as f64;
        }
    }
}
