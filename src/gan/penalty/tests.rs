//! Penalties beside the same critics in f64, written as sums, and differences of their values.

use super::super::layers::Layer;
use super::super::networks;
use super::super::shape::{Kind, Shape};
use super::*;
use crate::nn::ops::activation::{Activation, LEAK};
use crate::nn::ops::conv::Conv;
use crate::nn::parameters::{Layout, Parameter};

/// What a gradient of a layer's result becomes as one of its argument.
type Back = Box<dyn Fn(&[f64]) -> Vec<f64>>;

/// A critic in f64: what it says of a group of samples, and how steep it is there.
struct Exact<'a> {
    shape: &'a Shape,
    layers: Vec<Layer>,
    head: Conv,
    classes: Option<Parameter>,
}

impl<'a> Exact<'a> {
    /// The layers that the model has, with the same places in the row of weights.
    fn new(model: &'a Model) -> Exact<'a> {
        let mut layout = Layout::default();
        networks::generator(&model.shape, &mut layout);
        let (layers, head) = networks::critic(&model.shape, &mut layout);
        let classes = (model.shape.classes > 0).then(|| *model.critic_matrices().last().unwrap());
        Exact {
            shape: &model.shape,
            layers,
            head,
            classes,
        }
    }

    /// ∂D/∂x of a group of samples.
    fn slope(&self, w: &[f64], x: &[f64], told: &[f64], label: Option<usize>) -> Vec<f64> {
        let Shape {
            channels,
            pack,
            condition,
            ..
        } = *self.shape;
        let pixels = self.shape.height * self.shape.width;
        // Pixel by pixel, the channels of all samples and what is told of each.
        let mut input = Vec::new();
        let mut places = Vec::new();
        for (p, m) in (0..pixels).flat_map(|p| (0..pack).map(move |m| (p, m))) {
            for c in 0..channels {
                places.push((input.len(), (m * pixels + p) * channels + c));
                input.push(x[(m * pixels + p) * channels + c]);
            }
            input.extend(&told[m * condition..(m + 1) * condition]);
        }
        let (features, backs) = through(&self.layers, w, input);
        let (_, head) = layer(&Layer::Conv(self.head, Activation::Identity), w, &features);
        let mut gradient = head(&[1.0]);
        if let (Some(table), Some(label)) = (self.classes, label) {
            let row = w[table.range()].chunks(table.columns).nth(label).unwrap();
            gradient.iter_mut().zip(row).for_each(|(g, e)| *g += e);
        }
        for back in backs.iter().rev() {
            gradient = back(&gradient);
        }
        let mut slope = vec![0.0; x.len()];
        places
            .iter()
            .for_each(|(from, to)| slope[*to] = gradient[*from]);
        slope
    }

    /// The penalty's value, a mean over groups.
    fn value(&self, penalty: Penalty, w: &[f64], x: &[f32], given: &Given) -> f64 {
        let (pack, condition) = (self.shape.pack, self.shape.condition);
        let size = self.shape.values() * pack;
        let wide = |values: &[f32]| values.iter().map(|v| f64::from(*v)).collect::<Vec<_>>();
        let groups = x.chunks(size).enumerate().map(|(i, x)| {
            let told = pack * condition;
            let told = wide(&given.conditions[i * told..(i + 1) * told]);
            let label = given.labels.get(i).map(|label| *label as usize);
            let slope = self.slope(w, &wide(x), &told, label);
            let length = slope.iter().map(|g| g * g).sum::<f64>().sqrt();
            match penalty {
                Penalty::Slope(weight) => f64::from(weight) * (length - 1.0).powi(2),
                Penalty::Square(weight) => f64::from(weight) / 2.0 * length.powi(2),
            }
        });
        groups.sum::<f64>() * size as f64 / x.len() as f64
    }
}

fn through(layers: &[Layer], w: &[f64], mut x: Vec<f64>) -> (Vec<f64>, Vec<Back>) {
    let mut backs = Vec::new();
    for each in layers {
        let (y, back) = layer(each, w, &x);
        backs.push(back);
        x = y;
    }
    (x, backs)
}

/// A layer, and its way back.
fn layer(layer: &Layer, w: &[f64], x: &[f64]) -> (Vec<f64>, Back) {
    match layer {
        Layer::Conv(conv, activation) => {
            let (window, outputs, seen) = (conv.window, conv.weight.rows, conv.weight.columns);
            let matrix = w[conv.weight.range()].to_vec();
            let bias = conv.bias.map(|bias| &w[bias.range()]);
            let at = |place: usize| bias.map_or(0.0, |bias| bias[place % outputs]);
            let mut y: Vec<f64> = (0..window.count() * outputs).map(at).collect();
            window.each_seen(|place, pixel, at| {
                for o in 0..outputs {
                    y[place * outputs + o] += x[pixel] * matrix[o * seen + at];
                }
            });
            let (y, slopes) = activated(y, *activation);
            let back = move |dy: &[f64]| {
                let dz: Vec<f64> = dy.iter().zip(&slopes).map(|(d, s)| d * s).collect();
                let mut dx = vec![0.0; window.image()];
                window.each_seen(|place, pixel, at| {
                    for o in 0..outputs {
                        dx[pixel] += dz[place * outputs + o] * matrix[o * seen + at];
                    }
                });
                dx
            };
            (y, Box::new(back))
        }
        Layer::Activate(activation) => {
            let (y, slopes) = activated(x.to_vec(), *activation);
            let back = move |dy: &[f64]| dy.iter().zip(&slopes).map(|(d, s)| d * s).collect();
            (y, Box::new(back))
        }
        Layer::Halve((height, width, c)) => {
            let (n, width, c) = (height * width * c, *width, *c);
            let to = move |i: usize| {
                let (row, column) = (i / c / width, i / c % width);
                (row / 2 * (width / 2) + column / 2) * c + i % c
            };
            let mut y = vec![0.0; n / 4];
            (0..n).for_each(|i| y[to(i)] += x[i] / 4.0);
            let back = move |dy: &[f64]| (0..n).map(|i| dy[to(i)] / 4.0).collect();
            (y, Box::new(back))
        }
        Layer::Sum((height, width, c)) => {
            let (n, c) = (height * width * c, *c);
            let mut y = vec![0.0; c];
            (0..n).for_each(|i| y[i % c] += x[i]);
            (y, Box::new(move |dy| (0..n).map(|i| dy[i % c]).collect()))
        }
        Layer::Both(one, other) => {
            let (mut y, one) = through(one, w, x.to_vec());
            let (more, other) = through(other, w, x.to_vec());
            y.iter_mut().zip(more).for_each(|(y, more)| *y += more);
            let back = move |dy: &[f64]| {
                let way = |backs: &[Back]| backs.iter().rev().fold(dy.to_vec(), |d, back| back(&d));
                let pairs = way(&one).into_iter().zip(way(&other));
                pairs.map(|(a, b)| a + b).collect()
            };
            (y, Box::new(back))
        }
        other => panic!("a critic that is penalised has no {other:?}"),
    }
}

fn activated(mut y: Vec<f64>, activation: Activation) -> (Vec<f64>, Vec<f64>) {
    let slope = |y: &f64| match activation {
        Activation::Leaky if *y <= 0.0 => f64::from(LEAK),
        Activation::Leaky | Activation::Identity => 1.0,
        other => panic!("a critic has no {other:?}"),
    };
    let slopes: Vec<f64> = y.iter().map(slope).collect();
    y.iter_mut().zip(&slopes).for_each(|(y, s)| *y *= s);
    (y, slopes)
}

fn shape(network: Kind) -> Shape {
    let side = if network == Kind::Mlp { 2 } else { 8 };
    Shape {
        height: side,
        width: side,
        ..Shape::small(network)
    }
}

/// The gradients of a penalty at three samples or groups beside differences of its value in f64.
fn check(shape: Shape, penalty: Penalty) {
    let model = Model::new(shape).unwrap();
    let mut weights = model.initial_weights(3);
    // Larger than they begin with, so that all slopes differ.
    let border = model.of_critic().start;
    weights.values_mut()[border..].iter_mut().for_each(|w| {
        *w = w.signum() * (0.05 + w.abs().min(0.2));
    });
    let values = model.shape.values();
    let n = 3 * model.shape.pack;
    let x: Vec<f32> = (0..n * values).map(|i| (i as f32 * 0.77).sin()).collect();
    let mut given = Given::default();
    if model.shape.classes > 0 {
        given.labels = [1, 0, 2].into();
    }
    given.conditions = (0..n * model.shape.condition)
        .map(|i| (i as f32).cos())
        .collect();
    let zeros = vec![0.0; model.layout().len()];
    let (found, value) = penalty.add(&model, &weights, zeros, (Buffer::copy_of(&x), &given));
    let exact = Exact::new(&model);
    let mut w: Vec<f64> = weights.values().iter().map(|w| f64::from(*w)).collect();
    let expected = exact.value(penalty, &w, &x, &given);
    assert!(
        (value - expected).abs() <= 1e-5 * expected,
        "{value} {expected}"
    );
    let of_critic = (model.layout().entries()).filter(|(name, _)| name.starts_with("critic"));
    for (name, p) in of_critic {
        let (mut error, mut length) = (0.0, 0.0);
        for i in p.range() {
            const H: f64 = 1e-6;
            let mut moved = |by: f64| {
                let before = std::mem::replace(&mut w[i], f64::from(weights.values()[i]) + by);
                let value = exact.value(penalty, &w, &x, &given);
                w[i] = before;
                value
            };
            let slope = (moved(H) - moved(-H)) / (2.0 * H);
            error += (f64::from(found[i]) - slope).powi(2);
            length += slope * slope;
        }
        if name.ends_with("bias") {
            assert!(found[p.range()].iter().all(|g| *g == 0.0), "{name}");
            assert!(length < 1e-12, "{name}: {length}");
            continue;
        }
        assert!(
            length > 1e-12 && error.sqrt() <= 1e-4 * length.sqrt(),
            "{name}: {error:e} of {length:e}"
        );
    }
    assert!(found[..border].iter().all(|g| *g == 0.0));
}

#[test]
fn penalties_have_the_gradients_of_their_formulas_for_every_weight_of_the_critic() {
    for network in [Kind::Mlp, Kind::Dcgan, Kind::Resnet] {
        for penalty in [Penalty::Slope(10.0), Penalty::Square(2.0)] {
            check(shape(network), penalty);
        }
    }
}

#[test]
fn classes_and_samples_seen_together_are_penalised_as_well() {
    let with_classes = Shape {
        classes: 3,
        ..shape(Kind::Dcgan)
    };
    check(with_classes, Penalty::Slope(10.0));
    for kind in [Kind::Mlp, Kind::Dcgan] {
        let packed = Shape {
            pack: 2,
            ..shape(kind)
        };
        check(packed, Penalty::Square(1.0));
    }
    let told = Shape {
        height: 1,
        width: 1,
        condition: 3,
        ..shape(Kind::Mlp)
    };
    check(told, Penalty::Slope(10.0));
}

#[test]
fn a_critic_of_slope_one_is_not_penalised_and_one_of_slope_two_is() {
    // D(x) = w · x: g = w, whatever x is.
    let linear = Shape {
        critic: vec![],
        ..shape(Kind::Mlp)
    };
    let model = Model::new(linear).unwrap();
    let mut weights = model.initial_weights(1);
    let w = model.critic_matrices()[0];
    weights.values_mut()[w.range()].fill(0.0);
    for (length, expected, slope) in [(1.0, 0.0, 0.0), (2.0, 10.0, 20.0)] {
        weights.values_mut()[w.range().start] = length;
        let x = Buffer::copy_of(&[0.3; 16]);
        let (found, value) = Penalty::Slope(10.0).add(
            &model,
            &weights,
            vec![0.0; model.layout().len()],
            (x, &Given::default()),
        );
        assert!((value - expected).abs() < 1e-5);
        assert!((f64::from(found[w.range().start]) - slope).abs() < 1e-4);
    }
}
