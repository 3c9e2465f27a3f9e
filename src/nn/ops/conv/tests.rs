//! Windows, normalisation over batches and gates beside their formulas in f64.

use super::super::batch_norm::{BatchNorm, Moments, Source};
use super::super::gate;
use super::*;
use crate::nn::check::{gradients, gradients_within, same_gradients, seed, weighed, weights};
use crate::nn::dropout::Dropout;
use crate::nn::parameters::Weights;

fn of(values: &[f64], p: Parameter) -> &[f64] {
    &values[p.range()]
}

fn activated(y: &mut [f64], activation: Activation) {
    for y in y {
        *y = match activation {
            Activation::Identity => *y,
            Activation::Relu => y.max(0.0),
            Activation::Leaky => y.max(0.2 * *y),
            Activation::Tanh => y.tanh(),
        };
    }
}

/// One image through a layer, written as the sum that it is.
fn exact(layer: &Conv, x: &[f64], w: &[f64], b: &[f64]) -> Vec<f64> {
    let (window, outputs, seen) = (layer.window, layer.weight.rows, layer.weight.columns);
    let (from, to) = match layer.is_transposed {
        true => (window.count() * outputs, window.image()),
        false => (window.image(), window.count() * outputs),
    };
    let mut all = Vec::new();
    for x in x.chunks(from) {
        let mut y = vec![0.0; to];
        window.each_seen(|place, pixel, at| {
            for o in 0..outputs {
                match layer.is_transposed {
                    true => y[pixel] += x[place * outputs + o] * w[o * seen + at],
                    false => y[place * outputs + o] += x[pixel] * w[o * seen + at],
                }
            }
        });
        let channels = layer.channels();
        let biases = b.iter().cycle().take(if b.is_empty() { 0 } else { to });
        y.iter_mut().zip(biases).for_each(|(y, b)| *y += b);
        debug_assert!(b.is_empty() || b.len() == channels);
        all.extend(y);
    }
    all
}

/// Height, width, channels, kernel, stride, padding.
fn window([height, width, channels, kernel, stride, padding]: [usize; 6]) -> Window {
    Window {
        height,
        width,
        channels,
        kernel,
        stride,
        padding,
    }
}

#[test]
fn windows_have_the_gradients_of_their_formula() {
    let shapes = [
        (1, [1, 1, 1, 1, 1, 0], 1),
        (2, [6, 4, 3, 4, 2, 1], 5),
        (3, [4, 4, 2, 4, 1, 0], 1),
        (2, [5, 6, 2, 3, 1, 1], 3),
        (70, [1, 1, 6, 1, 1, 0], 40),
        (2, [7, 5, 33, 3, 2, 0], 2),
        (2, [5, 6, 16, 3, 2, 1], 3),
    ];
    for (images, shape, channels) in shapes {
        for is_transposed in [false, true] {
            let mut layout = Layout::default();
            let layer = Conv::new(
                &mut layout,
                "layer",
                window(shape),
                channels,
                (is_transposed, true),
            );
            let size = match is_transposed {
                true => layer.window.count() * channels,
                false => layer.window.image(),
            };
            let x = layout.matrix("x", images, size);
            gradients(
                &layout,
                |tape| {
                    seed(
                        tape,
                        &layer.forward(tape, &tape.parameter(x), Activation::Tanh),
                    )
                },
                |v| {
                    let bias = of(v, layer.bias.unwrap());
                    let mut y = exact(&layer, of(v, x), of(v, layer.weight), bias);
                    activated(&mut y, Activation::Tanh);
                    weighed(&y)
                },
            );
        }
    }
}

#[test]
fn many_rows_and_few_panels_give_the_same_gradient_as_the_formula() {
    // 1,152 places, one panel: the rows are cut into parts.
    let mut layout = Layout::default();
    let layer = Conv::new(
        &mut layout,
        "layer",
        window([24, 24, 1, 2, 1, 0]),
        2,
        (false, false),
    );
    let x: Vec<f32> = (0..3 * 576).map(|i| (i as f32 * 0.37).sin()).collect();
    gradients(
        &layout,
        |tape| {
            let x = tape.input(Buffer::copy_of(&x), 1);
            seed(tape, &layer.forward(tape, &x, Activation::Identity));
        },
        |v| {
            let x: Vec<f64> = x.iter().map(|x| f64::from(*x)).collect();
            weighed(&exact(&layer, &x, of(v, layer.weight), &[]))
        },
    );
}

#[test]
fn weights_that_are_not_learned_get_no_gradient_and_pass_it_on() {
    let mut layout = Layout::default();
    let first = Conv::new(&mut layout, "first", Window::dense(3), 4, (false, true));
    let second = Conv::new(&mut layout, "second", Window::dense(4), 2, (false, true));
    let weights = weights(&layout, 0.4);
    let of_range = |range| {
        let tape =
            Tape::recording(&weights, vec![0.0; layout.len()], Dropout::none()).learning(range);
        let x = tape.var(Buffer::copy_of(&[0.5, -1.0, 2.0]), 3, false);
        let y = first.forward(&tape, &x, Activation::Leaky);
        seed(&tape, &second.forward(&tape, &y, Activation::Identity));
        tape.backward()
    };
    let (all, half) = (
        of_range(0..layout.len()),
        of_range(0..second.weight.range().start),
    );
    let cut = second.weight.range().start;
    assert_eq!(all[..cut], half[..cut]);
    assert!(half[cut..].iter().all(|g| *g == 0.0) && all[cut..].iter().all(|g| *g != 0.0));
}

/// x̂ of every column.
fn normalised(x: &[f64], c: usize, moments: Option<(&[f64], &[f64])>) -> Vec<f64> {
    let n = (x.len() / c) as f64;
    let column = |i: usize| x.iter().skip(i).step_by(c);
    let mut y = x.to_vec();
    for i in 0..c {
        let mean = column(i).sum::<f64>() / n;
        let variance = column(i).map(|x| (x - mean).powi(2)).sum::<f64>() / n;
        let (mean, variance) = moments.map_or((mean, variance), |(m, v)| (m[i], v[i]));
        for y in y.iter_mut().skip(i).step_by(c) {
            *y = (*y - mean) / (variance + 1e-5).sqrt();
        }
    }
    y
}

#[test]
fn batch_normalisation_has_the_gradient_of_its_formula() {
    for (rows, c, activation) in [
        (2, 1, Activation::Identity),
        (9, 5, Activation::Leaky),
        (600, 33, Activation::Tanh),
    ] {
        let mut layout = Layout::default();
        let norm = BatchNorm::new(&mut layout, "norm", c);
        let x = layout.matrix("x", rows, c);
        let seen = Moments::default();
        // The running moments are not used, and so have no gradient.
        let layout_used = |layout: &Layout| {
            let mut used = Layout::default();
            for (name, p) in layout
                .entries()
                .filter(|(name, _)| !name.contains("running"))
            {
                used.matrix(name, p.rows, p.columns);
            }
            used
        };
        let weights = weights(&layout, 0.4);
        let tape = Tape::recording(&weights, vec![0.0; layout.len()], Dropout::none());
        let pass = |tape: &Tape, source: Source| {
            let y = norm.forward(tape, &tape.parameter(x), activation, source);
            seed(tape, &y);
        };
        pass(&tape, Source::Batch(&seen));
        let found = tape.backward();
        same_gradients(&layout, |tape| pass(tape, Source::Unseen));
        assert!(
            found[norm.mean.range().start..norm.variance.range().end]
                .iter()
                .all(|g| *g == 0.0)
        );
        assert_eq!(layout_used(&layout).len() + 2 * c, layout.len());
        let exact = |v: &[f64]| {
            let mut y = normalised(of(v, x), c, None);
            for row in y.chunks_mut(c) {
                let factors = of(v, norm.scale).iter().zip(of(v, norm.shift));
                row.iter_mut()
                    .zip(factors)
                    .for_each(|(y, (s, b))| *y = *y * s + b);
            }
            activated(&mut y, activation);
            weighed(&y)
        };
        let values: Vec<f64> = weights.values().iter().map(|w| f64::from(*w)).collect();
        for p in [norm.scale, norm.shift, x] {
            let (mut error, mut length) = (0.0, 0.0);
            for i in p.range().step_by((rows * c / 300).max(1)) {
                let at = |h: f64| {
                    let mut moved = values.clone();
                    moved[i] += h;
                    exact(&moved)
                };
                let slope = (at(1e-5) - at(-1e-5)) / 2e-5;
                error += (f64::from(found[i]) - slope).powi(2);
                length += slope * slope;
            }
            assert!(
                error.sqrt() <= 2e-4 * length.sqrt() + 1e-6,
                "{rows} {c}: {error} of {length}"
            );
        }
    }
}

#[test]
#[ignore = "wants a GPU"]
fn batch_normalisation_on_a_device_brings_running_moments_up_to_date_there() {
    let gpu = crate::nn::check::gpu().expect("WORDMILL_TEST_GPU is set");
    let mut layout = Layout::default();
    let norm = BatchNorm::new(&mut layout, "norm", 2);
    let mut weights = Weights::zeros(&layout);
    weights.values_mut()[norm.variance.range()].fill(1.0);
    weights.bring_to(gpu);
    let moments = Moments::default();
    let tape = Tape::plain(&weights);
    let x = tape.input(Buffer::copy_of(&[1.0, 5.0, 3.0, 5.0, 8.0, 5.0]), 2);
    norm.forward(&tape, &x, Activation::Identity, Source::Batch(&moments));
    drop(tape);
    moments.update(&mut weights);
    weights.fetch();
    let near = |p: Parameter, expected: [f32; 2]| {
        let pairs = weights.of(p).iter().zip(expected);
        pairs.into_iter().all(|(found, e)| (found - e).abs() < 1e-6)
    };
    assert!(near(norm.mean, [0.4, 0.5]) && near(norm.variance, [2.2, 0.9]));
}

#[test]
fn running_moments_go_a_tenth_of_the_way_to_those_of_the_batch() {
    let mut layout = Layout::default();
    let norm = BatchNorm::new(&mut layout, "norm", 2);
    let mut weights = Weights::zeros(&layout);
    weights.values_mut()[norm.variance.range()].fill(1.0);
    let moments = Moments::default();
    let tape = Tape::plain(&weights);
    let x = tape.var(Buffer::copy_of(&[1.0, 5.0, 3.0, 5.0, 8.0, 5.0]), 2, false);
    norm.forward(&tape, &x, Activation::Identity, Source::Batch(&moments));
    drop(tape);
    moments.update(&mut weights);
    // 1, 3, 8: mean 4, variance 26 / 2; 0.9 · 1 + 0.1 · 13
    assert_eq!(weights.of(norm.mean), [0.4, 0.5]);
    assert!((weights.of(norm.variance)[0] - 2.2).abs() < 1e-6);
    assert!((weights.of(norm.variance)[1] - 0.9).abs() < 1e-6);
}

#[test]
fn with_running_moments_a_row_does_not_depend_on_those_beside_it() {
    let mut layout = Layout::default();
    let norm = BatchNorm::new(&mut layout, "norm", 3);
    let mut weights = weights(&layout, 0.1);
    weights.values_mut()[norm.variance.range()].fill(2.0);
    let of_rows = |x: &[f32]| {
        let tape = Tape::plain(&weights);
        let x = tape.var(Buffer::copy_of(x), 3, false);
        let y = norm.forward(&tape, &x, Activation::Relu, Source::Running);
        y.values().to_vec()
    };
    let x: Vec<f32> = (0..12).map(|i| (i as f32).sin()).collect();
    let one_by_one: Vec<f32> = x.chunks(3).flat_map(of_rows).collect();
    assert_eq!(of_rows(&x), one_by_one);
}

#[test]
fn gates_give_the_derivative_along_a_direction() {
    // f(x + h·v) − f(x − h·v) over 2h, beside the tangent of two layers.
    let mut layout = Layout::default();
    let first = Conv::new(
        &mut layout,
        "first",
        window([4, 4, 2, 3, 1, 1]),
        3,
        (false, true),
    );
    let second = Conv::new(
        &mut layout,
        "second",
        window([4, 4, 3, 4, 2, 1]),
        2,
        (false, true),
    );
    let weights = weights(&layout, 0.4);
    let x: Vec<f32> = (0..64).map(|i| (i as f32 * 0.61).cos()).collect();
    let v: Vec<f32> = (0..64).map(|i| (i as f32 * 0.23).sin()).collect();
    let tape = Tape::plain(&weights);
    let at = |h: f32| {
        let moved: Vec<f32> = x.iter().zip(&v).map(|(x, v)| x + h * v).collect();
        let x = tape.var(Buffer::copy_of(&moved), 2, false);
        let done = first.forward(&tape, &x, Activation::Leaky);
        (second.forward(&tape, &done, Activation::Identity), done)
    };
    let (_, done) = at(0.0);
    let t = first.tangent(&tape, &tape.var(Buffer::copy_of(&v), 2, false));
    let t = second.tangent(&tape, &gate::gate(&tape, &t, &done, Activation::Leaky));
    let (above, below) = (at(1e-3).0, at(-1e-3).0);
    let slopes = above.values().iter().zip(below.values());
    for (t, (above, below)) in t.values().iter().zip(slopes) {
        let slope = (above - below) / 2e-3;
        assert!(
            (t - slope).abs() < 2e-2 * slope.abs().max(1.0),
            "{t} {slope}"
        );
    }
}

#[test]
fn gates_have_the_gradient_of_their_formula() {
    for activation in [Activation::Relu, Activation::Leaky] {
        let mut layout = Layout::default();
        let x = layout.matrix("x", 6, 7);
        let done: Vec<f32> = (0..42).map(|i| (i as f32 * 1.3).sin()).collect();
        let below = if activation == Activation::Relu {
            0.0
        } else {
            0.2
        };
        gradients_within(
            1e-4,
            &layout,
            |tape| {
                let done = tape.input(Buffer::copy_of(&done), 7);
                let x = gate::gate(tape, &tape.parameter(x), &done, activation);
                seed(tape, &gate::apply(tape, &x, Activation::Tanh));
            },
            |v| {
                let slope = |(x, d): (&f64, &f32)| x * if *d > 0.0 { 1.0 } else { below };
                let y: Vec<f64> = of(v, x)
                    .iter()
                    .zip(&done)
                    .map(slope)
                    .map(f64::tanh)
                    .collect();
                weighed(&y)
            },
        );
    }
}
