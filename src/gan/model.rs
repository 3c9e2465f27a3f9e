//! A generator and a critic, their parameters in one row: the generator's first.

use super::layers::{self, Layer, Pass};
use super::networks;
use super::shape::{Kind, Shape, ShapeError};
use super::spectral;
use crate::nn::buffer::Buffer;
use crate::nn::ops::activation::Activation;
use crate::nn::ops::conv::Conv;
use crate::nn::ops::spans::{self, Asked, Span};
use crate::nn::ops::{pixels, rows};
use crate::nn::parameters::{Layout, Parameter, Weights};
use crate::nn::tape::{Tape, Var};
use crate::random::Random;
use std::ops::Range;
use std::sync::Arc;

/// Both networks.
#[derive(Debug)]
pub struct Model {
    pub shape: Shape,
    layout: Layout,
    generator: Vec<Layer>,
    critic: Vec<Layer>,
    head: Conv,
    /// A row for each class, as long as the critic's features.
    classes: Option<Parameter>,
    /// Where the critic's parameters begin.
    border: usize,
    /// The critic's matrices that are divided, and the vectors that tell by what.
    spectral: Vec<(Parameter, Parameter)>,
    spans: Arc<[Span]>,
}

/// What both networks are told of samples; empty where they are told nothing.
#[derive(Clone, Debug, Default)]
pub struct Given {
    /// The class of each.
    pub labels: Arc<[u32]>,
    /// Conditions on rows, one after the other.
    pub conditions: Arc<[f32]>,
    /// Choices that these conditions ask for.
    pub asked: Arc<[Option<Asked>]>,
}

impl Model {
    /// # Errors
    /// When the shape makes no networks.
    pub fn new(shape: Shape) -> Result<Model, ShapeError> {
        shape.check()?;
        let mut layout = Layout::default();
        let generator = networks::generator(&shape, &mut layout);
        let border = layout.len();
        let (critic, head) = networks::critic(&shape, &mut layout);
        let features = head.weight.columns;
        let classes = (shape.classes > 0)
            .then(|| layout.matrix("critic.classes.weight", shape.classes, features));
        let mut model = Model {
            spans: shape.spans.clone().into(),
            shape,
            layout,
            generator,
            critic,
            head,
            classes,
            border,
            spectral: Vec::new(),
        };
        if model.shape.spectral {
            for (i, w) in model.critic_matrices().into_iter().enumerate() {
                let u = model.layout.vector(format!("critic.{i}.u"), w.rows);
                model.spectral.push((w, u));
            }
        }
        /// Four gigabytes, and four times as much while they are trained.
        const MOST: usize = 1 << 30;
        match model.layout.len() {
            len if len > MOST => Err(ShapeError::Weights(len)),
            _ => Ok(model),
        }
    }

    /// Names and places of all parameters.
    pub fn layout(&self) -> &Layout {
        &self.layout
    }

    /// The generator's parameters.
    pub fn of_generator(&self) -> Range<usize> {
        0..self.border
    }

    /// The critic's parameters.
    pub fn of_critic(&self) -> Range<usize> {
        self.border..self.layout.len()
    }

    /// The critic's matrices.
    pub fn critic_matrices(&self) -> Vec<Parameter> {
        let mut found = Vec::new();
        for layer in &self.critic {
            layer.each(&mut |layer| {
                if let Layer::Conv(conv, _) = layer {
                    found.push(conv.weight);
                }
            });
        }
        found.push(self.head.weight);
        found.extend(self.classes);
        found
    }

    /// The critic's matrices that are divided by their largest singular values, and the vectors u of these.
    pub fn spectral(&self) -> &[(Parameter, Parameter)] {
        &self.spectral
    }

    /// Weights before the first step: those of Radford et al. 2016 for windows of four pixels, of He et al. 2015 for
    /// blocks, and ±1/√inputs for dense layers.
    pub fn initial_weights(&self, seed: u64) -> Weights {
        let mut weights = Weights::zeros(&self.layout);
        let mut random = Random::new(seed, 0x6761_6e00);
        let values = weights.values_mut();
        let kind = self.shape.network;
        let head = Layer::Conv(self.head, Activation::Identity);
        let mut start = |layer: &Layer| match layer {
            Layer::Conv(conv, _) => {
                let seen = match conv.is_transposed {
                    true => conv.weight.rows,
                    false => conv.weight.columns,
                };
                let bound = 1.0 / (seen as f32).sqrt();
                let mut uniform = |p: Parameter| {
                    let own = values[p.range()].iter_mut();
                    own.for_each(|w| *w = bound * (2.0 * random.unit() - 1.0));
                };
                if kind == Kind::Mlp {
                    uniform(conv.weight);
                    return conv.bias.into_iter().for_each(uniform);
                }
                let deviation = match kind {
                    Kind::Dcgan => 0.02,
                    _ => bound * 2f32.sqrt(),
                };
                let own = values[conv.weight.range()].iter_mut();
                own.for_each(|w| *w = deviation * random.normal());
            }
            Layer::Norm(norm, _) => {
                let deviation = if kind == Kind::Dcgan { 0.02 } else { 0.0 };
                let own = values[norm.scale.range()].iter_mut();
                own.for_each(|w| *w = 1.0 + deviation * random.normal());
                values[norm.variance.range()].fill(1.0);
            }
            Layer::InstanceNorm(norm, _) => values[norm.scale.range()].fill(1.0),
            _ => {}
        };
        let all = self.generator.iter().chain(&self.critic);
        all.for_each(|layer| layer.each(&mut |layer| start(layer)));
        start(&head);
        if let Some(classes) = self.classes {
            let own = values[classes.range()].iter_mut();
            own.for_each(|w| *w = 0.02 * random.normal());
        }
        spectral::begin(&self.spectral, &mut weights);
        weights
    }

    /// What goes into the generator for `n` samples: `z` of each, and what is given.
    pub fn inputs(&self, n: usize, given: &Given, mut z: impl FnMut(usize, &mut [f32])) -> Buffer {
        let Shape {
            latent,
            classes,
            condition,
            ..
        } = self.shape;
        let mut inputs = Buffer::of(n * self.shape.inputs());
        for (i, row) in inputs.chunks_exact_mut(self.shape.inputs()).enumerate() {
            let (noise, told) = row.split_at_mut(latent);
            z(i, noise);
            (noise[..self.shape.codes].iter_mut()).for_each(|code| *code = code.signum());
            let (class, told) = told.split_at_mut(classes);
            class.fill(0.0);
            if let Some(label) = given.labels.get(i).filter(|_| classes > 0) {
                class[*label as usize] = 1.0;
            }
            told.copy_from_slice(&given.conditions[i * condition..(i + 1) * condition]);
        }
        inputs
    }

    /// The same, with z of a standard normal distribution.
    pub fn noise(&self, n: usize, given: &Given, random: &mut Random) -> Buffer {
        self.inputs(n, given, |_, z| {
            z.iter_mut().for_each(|z| *z = random.normal())
        })
    }

    /// Samples of what [`Model::inputs`] gave; choices of rows are drawn with `noise`, if there is any.
    pub fn generate(
        &self,
        tape: &Tape,
        inputs: Buffer,
        pass: Pass,
        noise: Option<&mut Random>,
    ) -> Var {
        self.outputs(tape, inputs, pass, noise).1
    }

    /// The same, and before it what choices are made of.
    pub fn outputs(
        &self,
        tape: &Tape,
        inputs: Buffer,
        pass: Pass,
        noise: Option<&mut Random>,
    ) -> (Var, Var) {
        let inputs = tape.input(inputs, self.shape.inputs());
        let y =
            layers::through(&self.generator, tape, &inputs, pass).with_columns(self.shape.channels);
        match self.spans.is_empty() {
            true => (y.clone(), y),
            false => (y.clone(), spans::forward(tape, &y, &self.spans, noise)),
        }
    }

    /// The critic's verdicts, one for each group of samples.
    pub fn judge(&self, tape: &Tape, x: &Var, given: &Given, pass: Pass) -> Var {
        let Shape {
            height,
            width,
            channels,
            pack,
            condition,
            ..
        } = self.shape;
        let follows = matches!(pass.slopes, layers::Slopes::Follow(_));
        let told = (condition > 0).then(|| {
            // What is told does not change along a direction of samples.
            let mut told = Buffer::copy_of(&given.conditions);
            if follows {
                told.fill(0.0);
            }
            rows::beside(tape, x, &tape.input(told, condition))
        });
        let x = told.as_ref().unwrap_or(x);
        let x = pixels::stack(tape, x, (height, width, channels + condition), pack);
        let features = layers::through(&self.critic, tape, &x, pass);
        let head = match follows {
            true => self.head.tangent(tape, &features),
            false => self.head.forward(tape, &features, Activation::Identity),
        };
        match self.classes {
            Some(table) => {
                let rows = features.with_columns(table.columns);
                let class = pixels::against(tape, &rows, table, &given.labels);
                pixels::add(tape, &head, &class)
            }
            None => head,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::nn::ops::batch_norm::Source;

    #[test]
    fn networks_of_every_size_make_samples_and_one_verdict_for_each() {
        let sides = [
            (Kind::Mlp, vec![1, 5, 28]),
            (Kind::Dcgan, vec![8, 14, 16, 28, 32, 56]),
            (Kind::Resnet, vec![8, 16, 32, 64]),
        ];
        let all = sides.iter();
        let all = all.flat_map(|(kind, sides)| sides.iter().map(|side| (*kind, *side)));
        for (kind, side) in all {
            for (pack, classes) in [(1, 0), (3, 0), (1, 2)] {
                let model = Model::new(Shape {
                    height: side,
                    width: side,
                    pack,
                    classes,
                    ..Shape::small(kind)
                });
                let model = model.unwrap();
                let weights = model.initial_weights(1);
                let tape = Tape::plain(&weights);
                let given = Given {
                    labels: (0..6).map(|i| i % 2).collect(),
                    ..Given::default()
                };
                let pass = Pass::plain(Source::Unseen);
                let z = model.noise(6, &given, &mut Random::new(1, 0));
                let made = model.generate(&tape, z, pass, None);
                let what = format!("{kind:?} {side} {pack} {classes}");
                assert_eq!(made.values().len(), 6 * model.shape.values(), "{what}");
                let verdicts = model.judge(&tape, &made, &given, pass);
                assert_eq!(
                    (verdicts.rows(), verdicts.columns()),
                    (6 / pack, 1),
                    "{what}"
                );
            }
        }
    }

    #[test]
    fn shapes_that_make_no_networks_say_why() {
        let changed = |change: &dyn Fn(&mut Shape)| {
            let mut shape = Shape::small(Kind::Dcgan);
            change(&mut shape);
            Model::new(shape).unwrap_err().to_string()
        };
        let cases = [
            (
                changed(&|s| (s.height, s.width) = (30, 30)),
                "dcgan makes images of",
            ),
            (changed(&|s| s.generator.clear()), "one number of channels"),
            (changed(&|s| s.latent = 0), "the length of z is 0"),
            (
                changed(&|s| (s.pack, s.classes) = (2, 2)),
                "cannot look at classes",
            ),
            (
                changed(&|s| (s.height, s.width, s.generator) = (32, 32, vec![60_000])),
                "weights",
            ),
        ];
        for (found, expected) in cases {
            assert!(found.contains(expected), "{expected}: {found}");
        }
    }
}
