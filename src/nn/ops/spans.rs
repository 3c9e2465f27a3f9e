//! The outputs of a network that makes rows: numbers, and choices among some.
//!
//! ```text
//! number   y = tanh x                                   dx = dy (1 − y²)
//! choice   y = softmax((x + g) / τ)                     dx = y ∘ (dy − Σ y ∘ dy) / τ          τ = 0.2
//!          g = − ln(− ln u), u uniform                  Gumbel-softmax: Jang et al. 2017, Maddison et al. 2017
//! asked    − ln softmax(x)[c] for the choice c asked    dx = (softmax(x) − [c]) · weight      Xu et al. 2019
//! ```
//!
//! Without noise a choice is the softmax of x alone, sharpened as much.

use super::cuda;
use crate::nn::buffer::Buffer;
use crate::nn::tape::{Tape, Var};
use crate::random::Random;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// How soft a choice is.
pub const TEMPERATURE: f32 = 0.2;

/// Outputs that belong together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Span {
    Number,
    /// Among so many.
    Choice(usize),
}

impl Span {
    pub fn width(self) -> usize {
        match self {
            Span::Number => 1,
            Span::Choice(n) => n,
        }
    }
}

/// A choice that is asked for: where its span begins, how wide it is, and which of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Asked {
    pub at: usize,
    pub width: usize,
    pub choice: usize,
}

/// Puts the softmax of x / τ in place of x.
fn softmax(x: &mut [f32], temperature: f32) {
    let most = x.iter().copied().fold(f32::MIN, f32::max);
    let mut sum = 0.0;
    for x in x.iter_mut() {
        *x = ((*x - most) / temperature).exp();
        sum += *x;
    }
    x.iter_mut().for_each(|x| *x /= sum);
}

/// A standard Gumbel number; both logarithms stay finite.
fn gumbel(random: &mut Random) -> f32 {
    -(-random.unit().clamp(1e-7, 1.0 - 1e-7).ln()).ln()
}

/// What one row of outputs becomes when its choices are made for good: one of each is 1, drawn by its share.
pub fn draw(row: &mut [f32], spans: &[Span], random: &mut Random) {
    let mut at = 0;
    for span in spans {
        let values = &mut row[at..at + span.width()];
        match span {
            Span::Number => values[0] = values[0].tanh(),
            Span::Choice(_) => {
                values.iter_mut().for_each(|x| *x += gumbel(random));
                let best = (0..values.len()).max_by(|a, b| values[*a].total_cmp(&values[*b]));
                values.fill(0.0);
                best.into_iter().for_each(|best| values[best] = 1.0);
            }
        }
        at += span.width();
    }
}

/// What rows of outputs become.
pub fn forward(tape: &Tape, x: &Var, spans: &Arc<[Span]>, noise: Option<&mut Random>) -> Var {
    let columns = x.columns();
    assert_eq!(
        columns,
        spans.iter().map(|span| span.width()).sum::<usize>()
    );
    let noise: Option<Vec<f32>> = noise.map(|random| {
        // Each value has one number of the noise; those of other ranks' rows are left out.
        let [before, after] = tape.others().map(|rows| rows * columns);
        random.skip(before);
        let noise = (0..x.len()).map(|_| gumbel(random)).collect();
        random.skip(after);
        noise
    });
    if let Some(gpu) = tape.gpu() {
        return cuda::spans::forward(gpu, tape, x, spans, noise.as_deref());
    }
    let mut y = Buffer::copy_of(x.values());
    if let Some(noise) = noise {
        y.iter_mut().zip(noise).for_each(|(y, g)| *y += g);
    }
    for (row, x) in y
        .chunks_exact_mut(columns)
        .zip(x.values().chunks_exact(columns))
    {
        let mut at = 0;
        for span in spans.iter() {
            match span {
                Span::Number => row[at] = x[at].tanh(),
                Span::Choice(n) => softmax(&mut row[at..at + n], TEMPERATURE),
            }
            at += span.width();
        }
    }
    let y = tape.var(y, columns, true);
    if let (Some(slot), Some(into)) = (y.slot(), x.slot()) {
        let (saved, spans) = (y.clone(), spans.clone());
        tape.push(move |gradients| {
            let Some(mut dy) = gradients.take(slot) else {
                return;
            };
            for (d, y) in dy
                .chunks_exact_mut(columns)
                .zip(saved.values().chunks_exact(columns))
            {
                let mut at = 0;
                for span in spans.iter() {
                    let end = at + span.width();
                    back(*span, &mut d[at..end], &y[at..end]);
                    at = end;
                }
            }
            gradients.give(into, dy);
        });
    }
    y
}

fn back(span: Span, d: &mut [f32], y: &[f32]) {
    match span {
        Span::Number => d[0] *= 1.0 - y[0] * y[0],
        Span::Choice(_) => {
            let mean: f32 = d.iter().zip(y).map(|(d, y)| d * y).sum();
            let pairs = d.iter_mut().zip(y);
            pairs.for_each(|(d, y)| *d = y * (*d - mean) / TEMPERATURE);
        }
    }
}

/// The mean over rows of the batch of − ln p of the choices that are asked for; its gradient goes to x.
pub fn asked(tape: &Tape, x: &Var, asked: &[Option<Asked>]) -> f64 {
    let columns = x.columns();
    assert_eq!(x.rows(), asked.len());
    let rows = asked.len() + tape.others().iter().sum::<usize>();
    let (weight, mut loss) = (1.0 / rows.max(1) as f32, 0.0);
    let mut dx = Buffer::zeros(x.values().len());
    let rows = dx
        .chunks_exact_mut(columns)
        .zip(x.values().chunks_exact(columns));
    for ((d, x), asked) in rows.zip(asked) {
        if let Some(Asked { at, width, choice }) = *asked {
            let d = &mut d[at..at + width];
            d.copy_from_slice(&x[at..at + width]);
            softmax(d, 1.0);
            loss -= f64::from(weight) * f64::from(d[choice].max(1e-30).ln());
            d[choice] -= 1.0;
            d.iter_mut().for_each(|d| *d *= weight);
        }
    }
    if let Some(into) = x.slot() {
        tape.push(move |gradients| gradients.give(into, dx));
    }
    loss
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::nn::check::{gradients, seed, weighed};
    use crate::nn::parameters::Layout;

    fn exact(x: &[f64], temperature: f64) -> Vec<f64> {
        let powers: Vec<f64> = x.iter().map(|x| (x / temperature).exp()).collect();
        let sum: f64 = powers.iter().sum();
        powers.iter().map(|p| p / sum).collect()
    }

    #[test]
    fn numbers_choices_and_what_is_asked_have_the_gradients_of_their_formulas() {
        let spans: Arc<[Span]> =
            [Span::Number, Span::Choice(3), Span::Number, Span::Choice(2)].into();
        let wanted =
            [(1, 3, 2), (5, 2, 0)].map(|(at, width, choice)| Some(Asked { at, width, choice }));
        let wanted = [wanted[0], None, wanted[1], wanted[0]];
        let mut layout = Layout::default();
        let x = layout.matrix("x", 4, 7);
        gradients(
            &layout,
            |tape| {
                let x = tape.parameter(x);
                asked(tape, &x, &wanted);
                seed(tape, &forward(tape, &x, &spans, None));
            },
            |v| {
                let rows = v[x.range()].chunks(7);
                let y = rows.clone().flat_map(|x| {
                    let mut y = vec![x[0].tanh()];
                    y.extend(exact(&x[1..4], 0.2));
                    y.push(x[4].tanh());
                    y.extend(exact(&x[5..7], 0.2));
                    y
                });
                let loss = rows.zip(&wanted).map(|(x, asked)| {
                    asked.map_or(0.0, |Asked { at, width, choice }| {
                        -exact(&x[at..at + width], 1.0)[choice].ln() / 4.0
                    })
                });
                weighed(&y.collect::<Vec<_>>()) + loss.sum::<f64>()
            },
        );
    }

    #[test]
    fn with_noise_choices_come_as_often_as_their_shares_say() {
        // ln 3 beside 0: three of four times.
        let (layout, spans) = (Layout::default(), [Span::Choice(2)].into());
        let weights = crate::nn::parameters::Weights::zeros(&layout);
        let tape = Tape::plain(&weights);
        let x = tape.var(Buffer::copy_of(&[3f32.ln(), 0.0].repeat(4000)), 2, false);
        let y = forward(&tape, &x, &spans, Some(&mut Random::new(1, 0)));
        let first = y.values().chunks(2).filter(|row| row[0] > row[1]).count();
        assert!((2900..3100).contains(&first), "{first}");
        let mut random = Random::new(2, 0);
        let drawn = (0..4000).filter(|_| {
            let mut row = [3f32.ln(), 0.0];
            draw(&mut row, &spans, &mut random);
            row == [1.0, 0.0]
        });
        let drawn = drawn.count();
        assert!((2900..3100).contains(&drawn), "{drawn}");
    }
}
