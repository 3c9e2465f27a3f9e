//! One step of a recurrent cell, its gates in one go, and the way back.
//!
//! ```text
//! LSTM   i, f, o = σ(x + u)     g = tanh(x + u)     c = f ∘ c′ + i ∘ g     h = o ∘ tanh c
//! GRU    r, z = σ(x + u)        n = tanh(x + r ∘ u)                        h = (1 − z) ∘ n + z ∘ h′
//! ```
//!
//! x: what the input says, W·x + b, u: what the last state says, U·h′ + b′, c′ and h′: the last state. The gates lie one
//! behind the other, in the order of PyTorch's: i f g o, and r z n. Hochreiter and Schmidhuber 1997, Gers et al. 2000;
//! Cho et al. 2014, with U and the reset gate in PyTorch's order.

use super::exp::{sigmoid, tanh};
use super::linear::Linear;
use crate::nn::parameters::Layout;
use crate::simd::{Lanes, Level, dispatch};
use serde::{Deserialize, Serialize};

/// How a state is carried on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    Lstm,
    Gru,
}

impl Kind {
    /// Gates of a unit.
    pub fn gates(self) -> usize {
        match self {
            Kind::Lstm => 4,
            Kind::Gru => 3,
        }
    }
}

/// The weights of a cell of d units: from the input, (gates · d, inputs), and from the last state, (gates · d, d).
#[derive(Clone, Copy, Debug)]
pub struct Cell {
    pub kind: Kind,
    pub input: Linear,
    pub state: Linear,
}

impl Cell {
    /// The parameters NAME.input and NAME.state.
    pub fn new(layout: &mut Layout, name: &str, kind: Kind, (inputs, d): (usize, usize)) -> Cell {
        let outputs = kind.gates() * d;
        Cell {
            kind,
            input: Linear::new(layout, &format!("{name}.input"), inputs, outputs),
            state: Linear::new(layout, &format!("{name}.state"), d, outputs),
        }
    }

    /// Units.
    pub fn dim(&self) -> usize {
        self.state.weight.columns
    }

    /// Values of all gates.
    pub fn width(&self) -> usize {
        self.state.weight.rows
    }
}

/// What a step reads and writes of one row, d units.
pub struct Step<'a> {
    /// x, (gates · d); becomes the gates.
    pub gates: &'a mut [f32],
    /// U·h′ without its bias, and the bias.
    pub state: &'a [f32],
    pub bias: &'a [f32],
    /// c′ of an LSTM, becomes c; of a GRU what u says for n is left here.
    pub memory: &'a mut [f32],
    /// h′, becomes h.
    pub h: &'a mut [f32],
}

/// Takes a row a step further.
pub fn step(kind: Kind, row: Step) {
    let (d, gates) = (row.h.len(), kind.gates());
    assert!(row.memory.len() == d && row.gates.len() == gates * d);
    assert!(row.state.len() == gates * d && row.bias.len() == gates * d);
    // SAFETY: the level is that of this processor.
    unsafe {
        match kind {
            Kind::Lstm => lstm(Level::best(), row),
            Kind::Gru => gru(Level::best(), row),
        }
    }
}

dispatch!(unsafe fn lstm(row: Step) = lstm_in);
dispatch!(unsafe fn gru(row: Step) = gru_in);

#[inline(always)]
unsafe fn lstm_in<L: Lanes>(mut row: Step) {
    let d = row.h.len();
    let whole = d / WIDTH * WIDTH;
    (0..whole)
        .step_by(WIDTH)
        .for_each(|j| lstm_units::<WIDTH>(&mut row, j));
    (whole..d).for_each(|j| lstm_units::<1>(&mut row, j));
}

#[inline(always)]
fn lstm_units<const N: usize>(row: &mut Step, j: usize) {
    let d = row.h.len();
    let x: [[f32; N]; 4] = std::array::from_fn(|g| sum(row, g * d + j));
    let (mut gates, mut c, mut h) = ([[0.0; N]; 4], load::<N>(row.memory, j), [0.0; N]);
    for k in 0..N {
        let (i, f) = (sigmoid(x[0][k]), sigmoid(x[1][k]));
        let (g, o) = (tanh(x[2][k]), sigmoid(x[3][k]));
        c[k] = f * c[k] + i * g;
        h[k] = o * tanh(c[k]);
        (gates[0][k], gates[1][k], gates[2][k], gates[3][k]) = (i, f, g, o);
    }
    for (g, gate) in gates.iter().enumerate() {
        store(row.gates, g * d + j, gate);
    }
    store(row.memory, j, &c);
    store(row.h, j, &h);
}

/// x + u of a gate.
#[inline(always)]
fn sum<const N: usize>(row: &Step, at: usize) -> [f32; N] {
    let (x, u, b) = (
        load::<N>(row.gates, at),
        load::<N>(row.state, at),
        load::<N>(row.bias, at),
    );
    std::array::from_fn(|k| x[k] + u[k] + b[k])
}

#[inline(always)]
unsafe fn gru_in<L: Lanes>(mut row: Step) {
    let d = row.h.len();
    let whole = d / WIDTH * WIDTH;
    (0..whole)
        .step_by(WIDTH)
        .for_each(|j| gru_units::<WIDTH>(&mut row, j));
    (whole..d).for_each(|j| gru_units::<1>(&mut row, j));
}

#[inline(always)]
fn gru_units<const N: usize>(row: &mut Step, j: usize) {
    let d = row.h.len();
    let x: [[f32; N]; 2] = std::array::from_fn(|g| sum(row, g * d + j));
    let new = load::<N>(row.gates, 2 * d + j);
    let (from, bias) = (
        load::<N>(row.state, 2 * d + j),
        load::<N>(row.bias, 2 * d + j),
    );
    let (mut gates, mut u, mut h) = ([[0.0; N]; 3], [0.0; N], load::<N>(row.h, j));
    for k in 0..N {
        let (r, z) = (sigmoid(x[0][k]), sigmoid(x[1][k]));
        u[k] = from[k] + bias[k];
        let n = tanh(new[k] + r * u[k]);
        h[k] = (1.0 - z) * n + z * h[k];
        (gates[0][k], gates[1][k], gates[2][k]) = (r, z, n);
    }
    for (g, gate) in gates.iter().enumerate() {
        store(row.gates, g * d + j, gate);
    }
    store(row.memory, j, &u);
    store(row.h, j, &h);
}

/// What the way back reads and writes of one row.
pub struct Back<'a> {
    /// The gates; become the gradients of x.
    pub gates: &'a mut [f32],
    /// What the step left: c, or u for n, which becomes its gradient.
    pub memory: &'a mut [f32],
    /// c′ or h′.
    pub last: &'a [f32],
    /// The gradient of h. Becomes that of h′ as far as it does not go through u.
    pub dh: &'a mut [f32],
    /// The gradient of c, becomes that of c′; zeros for a GRU.
    pub dc: &'a mut [f32],
    /// The gradients of u, (gates · d).
    pub du: &'a mut [f32],
}

/// Takes the gradients of a row a step back.
pub fn step_back(kind: Kind, row: Back) {
    let (d, gates) = (row.dh.len(), kind.gates());
    assert!(row.memory.len() == d && row.last.len() == d && row.dc.len() == d);
    assert!(row.gates.len() == gates * d && row.du.len() == gates * d);
    // SAFETY: the level is that of this processor.
    unsafe {
        match kind {
            Kind::Lstm => lstm_back(Level::best(), row),
            Kind::Gru => gru_back(Level::best(), row),
        }
    }
}

dispatch!(unsafe fn lstm_back(row: Back) = lstm_back_in);
dispatch!(unsafe fn gru_back(row: Back) = gru_back_in);

#[inline(always)]
unsafe fn lstm_back_in<L: Lanes>(mut row: Back) {
    let d = row.dh.len();
    let whole = d / WIDTH * WIDTH;
    (0..whole)
        .step_by(WIDTH)
        .for_each(|j| lstm_units_back::<WIDTH>(&mut row, j));
    (whole..d).for_each(|j| lstm_units_back::<1>(&mut row, j));
}

#[inline(always)]
fn lstm_units_back<const N: usize>(row: &mut Back, j: usize) {
    let d = row.dh.len();
    let gates: [[f32; N]; 4] = std::array::from_fn(|g| load(row.gates, g * d + j));
    let (c, last) = (load::<N>(row.memory, j), load::<N>(row.last, j));
    let (dh, mut dc) = (load::<N>(row.dh, j), load::<N>(row.dc, j));
    let mut found = [[0.0; N]; 4];
    for k in 0..N {
        let (i, f, g, o) = (gates[0][k], gates[1][k], gates[2][k], gates[3][k]);
        let t = tanh(c[k]);
        let through = dc[k] + dh[k] * o * (1.0 - t * t);
        dc[k] = through * f;
        found[0][k] = through * g * i * (1.0 - i);
        found[1][k] = through * last[k] * f * (1.0 - f);
        found[2][k] = through * i * (1.0 - g * g);
        found[3][k] = dh[k] * t * o * (1.0 - o);
    }
    for (g, gate) in found.iter().enumerate() {
        store(row.gates, g * d + j, gate);
        store(row.du, g * d + j, gate);
    }
    store(row.dc, j, &dc);
    store(row.dh, j, &[0.0; N]);
}

#[inline(always)]
unsafe fn gru_back_in<L: Lanes>(mut row: Back) {
    let d = row.dh.len();
    let whole = d / WIDTH * WIDTH;
    (0..whole)
        .step_by(WIDTH)
        .for_each(|j| gru_units_back::<WIDTH>(&mut row, j));
    (whole..d).for_each(|j| gru_units_back::<1>(&mut row, j));
}

#[inline(always)]
fn gru_units_back<const N: usize>(row: &mut Back, j: usize) {
    let d = row.dh.len();
    let gates: [[f32; N]; 3] = std::array::from_fn(|g| load(row.gates, g * d + j));
    let (u, last, mut dh) = (
        load::<N>(row.memory, j),
        load::<N>(row.last, j),
        load::<N>(row.dh, j),
    );
    let (mut found, mut new) = ([[0.0; N]; 3], [0.0; N]);
    for k in 0..N {
        let (r, z, n) = (gates[0][k], gates[1][k], gates[2][k]);
        new[k] = dh[k] * (1.0 - z) * (1.0 - n * n);
        found[0][k] = new[k] * u[k] * r * (1.0 - r);
        found[1][k] = dh[k] * (last[k] - n) * z * (1.0 - z);
        found[2][k] = new[k] * r;
        dh[k] *= z;
    }
    for (g, gate) in found.iter().enumerate() {
        store(row.du, g * d + j, gate);
    }
    store(row.gates, j, &found[0]);
    store(row.gates, d + j, &found[1]);
    store(row.gates, 2 * d + j, &new);
    store(row.memory, j, &found[2]);
    store(row.dh, j, &dh);
}

/// Units that are worked on together, in registers of their own: the compiler cannot know that a row's parts do not
/// overlap.
const WIDTH: usize = 16;

#[inline(always)]
fn load<const N: usize>(values: &[f32], at: usize) -> [f32; N] {
    let values = &values[at..at + N];
    std::array::from_fn(|k| values[k])
}

#[inline(always)]
fn store<const N: usize>(values: &mut [f32], at: usize, units: &[f32; N]) {
    values[at..at + N].copy_from_slice(units);
}
