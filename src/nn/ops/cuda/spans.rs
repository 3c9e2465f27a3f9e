//! Rows of numbers and of choices on a device: see `ops/spans.rs`.

use super::{adversarial, kernel};
use crate::nn::device::{Argument, Gpu, Kind, Memory};
use crate::nn::ops::spans::{Asked, Span, TEMPERATURE};
use crate::nn::tape::{Tape, Var};

/// What rows of outputs become, with noise for each value.
pub fn forward(gpu: &Gpu, tape: &Tape, x: &Var, spans: &[Span], noise: Option<&[f32]>) -> Var {
    let (rows, columns) = (x.rows(), x.columns());
    let (mut words, mut at) = (Vec::with_capacity(2 * spans.len()), 0);
    for span in spans {
        let choices = match span {
            Span::Number => 0,
            Span::Choice(n) => *n,
        };
        words.extend([at as u32, choices as u32]);
        at += span.width();
    }
    let (count, all) = (spans.len(), Memory::from_u32(gpu, &words));
    let noise = noise.map(|noise| Memory::from_f32(gpu, noise));
    let y = Memory::of(gpu, gpu.kind(), x.len());
    let arguments = [
        (&y).into(),
        x.memory().into(),
        noise.as_ref().map_or(Argument::NULL, Argument::from),
        (&all).into(),
        count.into(),
        rows.into(),
        columns.into(),
        TEMPERATURE.into(),
    ];
    gpu.launch_over(rows * count, kernel!(gpu, "choose"), &arguments);
    let y = tape.var_there(y, columns, true);
    if let (Some(slot), Some(into)) = (y.slot(), x.slot()) {
        let (gpu, saved) = (gpu.clone(), y.clone());
        tape.push(move |gradients| {
            let Some(dy) = gradients.take_there(slot) else {
                return;
            };
            let arguments = [
                (&dy).into(),
                saved.memory().into(),
                (&all).into(),
                count.into(),
                rows.into(),
                columns.into(),
                TEMPERATURE.into(),
            ];
            gpu.launch_over(rows * count, kernel!(gpu, "choose_back"), &arguments);
            gradients.give_there(into, dy);
        });
    }
    y
}

/// Adds the mean over rows of the batch of − ln p of the choices that are asked for to a sum; its gradient, times the scale,
/// goes to x.
pub fn asked(
    tape: &Tape,
    x: &Var,
    asked: &[Option<Asked>],
    (sums, place): (&Memory, usize),
    scale: Argument,
) {
    let (gpu, rows) = (sums.gpu(), asked.len());
    assert_eq!(x.rows(), rows);
    let all = rows + tape.others().iter().sum::<usize>();
    let words = |asked: &Option<Asked>| {
        let words = asked.map_or([0; 3], |a| [a.at, a.width, a.choice]);
        words.map(|n| n as u32)
    };
    let words: Vec<u32> = asked.iter().flat_map(words).collect();
    let words = Memory::from_u32(gpu, &words);
    let dx = Memory::zeros(gpu, gpu.kind(), x.len());
    let losses = Memory::of(gpu, Kind::F32, rows);
    let arguments = [
        (&dx).into(),
        (&losses).into(),
        x.memory().into(),
        (&words).into(),
        scale,
        rows.into(),
        x.columns().into(),
        (1.0 / all.max(1) as f32).into(),
    ];
    gpu.launch_over(rows, kernel!(gpu, "ask"), &arguments);
    adversarial::add_values(&losses, (sums, place));
    if let Some(into) = x.slot() {
        tape.push(move |gradients| gradients.give_there(into, dx));
    }
}
