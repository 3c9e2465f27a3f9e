//! Layers beside PyTorch's equations, written plainly in f64.

use super::*;
use crate::nn::check::{gradients, seed, weighed};
use crate::nn::dropout::Dropout;
use crate::nn::parameters::{Layout, Parameter};
use crate::nn::tape::Tape;

fn of(values: &[f64], p: Parameter) -> &[f64] {
    &values[p.range()]
}

/// w · x + b
pub fn affine(w: &[f64], x: &[f64], b: &[f64]) -> Vec<f64> {
    let dots = (w.chunks(x.len())).map(|w| w.iter().zip(x).map(|(w, x)| w * x).sum::<f64>());
    dots.zip(b).map(|(dot, b)| dot + b).collect()
}

fn sigmoid(x: f64) -> f64 {
    1.0 / (1.0 + (-x).exp())
}

/// h and c after a step, as torch.nn.LSTMCell and torch.nn.GRUCell say.
pub fn one_step(kind: Kind, x: &[f64], u: &[f64], h: &[f64], c: &[f64]) -> (Vec<f64>, Vec<f64>) {
    let d = h.len();
    let both = |gate: usize, j: usize| x[gate * d + j] + u[gate * d + j];
    let unit = |j: usize| match kind {
        Kind::Lstm => {
            let (i, f) = (sigmoid(both(0, j)), sigmoid(both(1, j)));
            let (g, o) = (both(2, j).tanh(), sigmoid(both(3, j)));
            let c = f * c[j] + i * g;
            (o * c.tanh(), c)
        }
        Kind::Gru => {
            let (r, z) = (sigmoid(both(0, j)), sigmoid(both(1, j)));
            let n = (x[2 * d + j] + r * u[2 * d + j]).tanh();
            ((1.0 - z) * n + z * h[j], 0.0)
        }
    };
    (0..d).map(unit).unzip()
}

struct Case {
    lengths: Vec<usize>,
    inputs: usize,
    d: usize,
    is_backward: bool,
    has_first: bool,
    dropout: f32,
}

/// All states, and where each sentence's mask is.
fn exact(
    cell: &Cell,
    case: &Case,
    mask: &[f32],
    v: &[f64],
    (x, first): (Parameter, Parameter),
) -> f64 {
    let (d, x) = (case.d, of(v, x));
    let mut states = vec![0.0; x.len() / case.inputs * d];
    let mut start = 0;
    for (s, n) in case.lengths.iter().enumerate() {
        let (mut h, mut c) = (vec![0.0; d], vec![0.0; d]);
        if case.has_first {
            h.copy_from_slice(&of(v, first)[s * d..(s + 1) * d]);
        }
        for t in 0..*n {
            let row = start + if case.is_backward { n - 1 - t } else { t };
            let input = &x[row * case.inputs..(row + 1) * case.inputs];
            let kept: Vec<f64> = (h.iter().zip(&mask[s * d..]))
                .map(|(h, m)| h * f64::from(*m))
                .collect();
            let from_input = affine(of(v, cell.input.weight), input, of(v, cell.input.bias));
            let from_state = affine(of(v, cell.state.weight), &kept, of(v, cell.state.bias));
            (h, c) = one_step(cell.kind, &from_input, &from_state, &h, &c);
            states[row * d..(row + 1) * d].copy_from_slice(&h);
        }
        start += n;
    }
    weighed(&states)
}

fn check(kind: Kind, case: &Case) {
    let (tokens, d) = (case.lengths.iter().sum::<usize>(), case.d);
    let mut layout = Layout::default();
    let x = layout.matrix("x", tokens, case.inputs);
    // A parameter that nobody uses has no gradient to lose.
    let first = match case.has_first {
        true => layout.matrix("first", case.lengths.len(), d),
        false => x,
    };
    let cell = Cell::new(&mut layout, "cell", kind, (case.inputs, d));
    let mut packed = Packed::default();
    case.lengths.iter().for_each(|n| packed.push(0..*n as u32));
    let sequences = Arc::new(Sequences::of(&packed));
    let dropout = Dropout {
        rate: case.dropout,
        seed: 4,
    };
    let mask = dropout.mask(0);
    let mut ones = vec![1.0; case.lengths.len() * d];
    if let Some(mask) = &mask {
        dropout::apply(mask, 0, d, &mut ones);
    }
    let pass = |tape: &Tape| {
        let (x, first) = (tape.parameter(x), tape.parameter(first));
        let how = How {
            is_backward: case.is_backward,
            first: case.has_first.then_some(&first),
            mask,
        };
        seed(tape, &cell.forward(tape, &x, &sequences, how));
    };
    gradients(&layout, pass, |v| exact(&cell, case, &ones, v, (x, first)));
}

#[test]
fn layers_have_the_gradients_of_their_formula() {
    for kind in [Kind::Lstm, Kind::Gru] {
        for (is_backward, has_first) in [(false, false), (true, false), (false, true), (true, true)]
        {
            check(
                kind,
                &Case {
                    lengths: vec![3, 1, 5, 2],
                    inputs: 3,
                    d: 5,
                    is_backward,
                    has_first,
                    dropout: 0.0,
                },
            );
        }
    }
}

#[test]
fn more_sentences_than_a_task_takes_have_them_too() {
    let lengths = (0..40).map(|i| 1 + i * 7 % 4).collect();
    for kind in [Kind::Lstm, Kind::Gru] {
        let lengths = Vec::clone(&lengths);
        check(
            kind,
            &Case {
                lengths,
                inputs: 2,
                d: 18,
                is_backward: false,
                has_first: true,
                dropout: 0.0,
            },
        );
    }
}

#[test]
fn dropped_units_stay_dropped_through_a_sentence() {
    for kind in [Kind::Lstm, Kind::Gru] {
        check(
            kind,
            &Case {
                lengths: vec![4, 2],
                inputs: 3,
                d: 17,
                is_backward: false,
                has_first: true,
                dropout: 0.4,
            },
        );
    }
}

#[test]
fn empty_sentences_and_none_at_all_are_no_steps() {
    for lengths in [vec![], vec![0, 0], vec![0, 3, 0]] {
        let mut layout = Layout::default();
        let cell = Cell::new(&mut layout, "cell", Kind::Lstm, (2, 3));
        let weights = crate::nn::check::weights(&layout, 0.4);
        let mut packed = Packed::default();
        lengths.iter().for_each(|n| packed.push(0..*n));
        let tape = Tape::plain(&weights);
        let x = tape.var(Buffer::zeros(packed.ids.len() * 2), 2, false);
        let states = cell.forward(&tape, &x, &Arc::new(Sequences::of(&packed)), How::default());
        assert_eq!(states.values().len(), packed.ids.len() * 3);
    }
}

/// What PyTorch 2.15 says:
///
/// ```text
/// w = lambda r, c: torch.tensor([[.5*(-1)**(i*c+j)*((i*c+j)%7) for j in range(c)] for i in range(r)])
/// for M, n in ((torch.nn.LSTM, 8), (torch.nn.GRU, 6)):
///     m = M(2, 2); m.weight_ih_l0.data, m.weight_hh_l0.data = w(n, 2), w(n, 2)
///     m.bias_ih_l0.data, m.bias_hh_l0.data = w(1, n)[0], torch.zeros(n)
///     print(m(torch.tensor([[[1., -2.]], [[.5, 3.]]]))[0])
/// ```
#[test]
fn states_are_those_of_pytorch() {
    for (kind, exact) in [
        (Kind::Lstm, [0.623596, 0.5460215, -0.0008449, 0.0986224]),
        (Kind::Gru, [0.0003353, 0.1815234, -0.6514149, -0.408941]),
    ] {
        let mut layout = Layout::default();
        let cell = Cell::new(&mut layout, "cell", kind, (2, 2));
        let mut weights = Weights::zeros(&layout);
        let value = |k: usize| 0.5 * if k.is_multiple_of(2) { 1.0 } else { -1.0 } * (k % 7) as f32;
        for p in [cell.input.weight, cell.state.weight, cell.input.bias] {
            let own = &mut weights.values_mut()[p.range()];
            own.iter_mut().enumerate().for_each(|(k, w)| *w = value(k));
        }
        let mut packed = Packed::default();
        packed.push([0, 0]);
        let tape = Tape::plain(&weights);
        let x = tape.var(Buffer::copy_of(&[1.0, -2.0, 0.5, 3.0]), 2, false);
        let states = cell.forward(&tape, &x, &Arc::new(Sequences::of(&packed)), How::default());
        for (found, exact) in states.values().iter().zip(exact) {
            assert!((found - exact).abs() < 1e-6, "{kind:?} {found} {exact}");
        }
    }
}
