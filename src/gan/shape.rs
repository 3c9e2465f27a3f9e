//! The shapes of a generator and a critic, and their layers.
//!
//! ```text
//! mlp      z → dense … → sample                          sample → dense … → 1
//! dcgan    z → base × base → doubled n times → image     image → halved n times → base × base → 1
//!          windows of 4 pixels in steps of 2; batch normalisation, or of each image in the critic; relu, leaky in
//!          the critic (Radford et al. 2016)
//! resnet   z → 4 × 4 → blocks that double → image        image → blocks that halve → two more → sum → 1
//!          blocks of two windows of 3 pixels beside a shorter way (Gulrajani et al. 2017, Miyato et al. 2018)
//! ```
//!
//! z has a standard normal distribution. Its first numbers may be codes instead, −1 or 1 each: what is made then falls into
//! parts without a way between them, which a continuous function of normal numbers alone cannot make (Khayatkhoei et al.
//! 2018, disconnected manifolds).
//!
//! base is 4, or 7 where the side is 7 · 2ⁿ. Before the last layer the critic has features φ; with classes it says
//! D(x) = w · φ + b + e(class) · φ (Miyato and Koyama 2018), and the generator's z goes in beside the class as one of many.

use super::layers::Layer;
use crate::nn::ops::activation::Activation;
use crate::nn::ops::batch_norm::BatchNorm;
use crate::nn::ops::conv::{Conv, Window};
use crate::nn::ops::instance_norm::InstanceNorm;
use crate::nn::ops::pixels::{Size, same};
use crate::nn::ops::spans::Span;
use crate::nn::parameters::Layout;
use serde::{Deserialize, Deserializer, Serialize};

/// A family of networks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    Mlp,
    Dcgan,
    Resnet,
}

/// How values are normalised between the layers of a critic.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CriticNorm {
    None,
    Batch,
    Instance,
}

/// Older runs say whether there is batch normalisation.
fn critic_norm<'de, D: Deserializer<'de>>(from: D) -> Result<CriticNorm, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Stored {
        Norm(CriticNorm),
        Is(bool),
    }
    Ok(match Stored::deserialize(from)? {
        Stored::Norm(norm) => norm,
        Stored::Is(true) => CriticNorm::Batch,
        Stored::Is(false) => CriticNorm::None,
    })
}

/// What the networks look like.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Shape {
    pub network: Kind,
    /// Of a sample; points and rows of a table are images of one pixel.
    pub height: usize,
    pub width: usize,
    pub channels: usize,
    /// Length of z.
    pub latent: usize,
    /// How many numbers of z, the first ones, are −1 or 1 instead of normal.
    #[serde(default)]
    pub codes: usize,
    /// Sizes of the hidden layers, or the channels beside the image.
    pub generator: Vec<usize>,
    pub critic: Vec<usize>,
    /// 0 where samples have no classes.
    pub classes: usize,
    /// How the critic of dcgan is normalised; the others are not.
    #[serde(alias = "critic_norms", deserialize_with = "critic_norm")]
    pub critic_norm: CriticNorm,
    /// Whether the critic's matrices are divided by their largest singular values.
    pub spectral: bool,
    /// Samples that the critic sees at once.
    pub pack: usize,
    /// Whether samples end in −1 … 1.
    pub is_bounded: bool,
    /// What the values of a row of a table are; none of images and points.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub spans: Vec<Span>,
    /// Length of what both networks are told of a row.
    #[serde(default)]
    pub condition: usize,
}

/// Why a shape makes no networks.
#[derive(Debug, PartialEq, thiserror::Error)]
pub enum ShapeError {
    #[error("{network} makes images of {sides}, not of {height} × {width}")]
    Sides {
        network: &'static str,
        sides: &'static str,
        height: usize,
        width: usize,
    },
    #[error("{what} is {value}, and must be from 1 to {most}")]
    Range {
        what: &'static str,
        value: usize,
        most: usize,
    },
    #[error("a critic that sees {0} samples at once cannot look at classes")]
    PackedClasses(usize),
    #[error("{network} is shaped by one number of channels, not by {found}")]
    Channels { network: &'static str, found: usize },
    #[error("z has {latent} numbers, and no {codes} codes")]
    Codes { codes: usize, latent: usize },
    #[error("the networks would have {0} weights")]
    Weights(usize),
}

/// Largest number of channels, hidden values and so on: far above use, far below what overflows.
const MOST: usize = 1 << 16;

impl Shape {
    /// Values of a sample.
    pub fn values(&self) -> usize {
        self.height * self.width * self.channels
    }

    /// Height, width and channels of a sample.
    pub fn size(&self) -> Size {
        (self.height, self.width, self.channels)
    }

    /// Values that go into the generator: z, the class as one of many, what it is told of a row.
    pub fn inputs(&self) -> usize {
        self.latent + self.classes + self.condition
    }

    /// # Errors
    /// When the shape makes no networks.
    pub fn check(&self) -> Result<(), ShapeError> {
        let sizes = [
            ("the height", self.height),
            ("the width", self.width),
            ("the number of channels", self.channels),
            ("the length of z", self.latent),
            ("the number of samples that are seen at once", self.pack),
        ];
        let hidden = self.generator.iter().chain(&self.critic);
        let hidden = hidden.map(|size| ("the size of a layer", *size));
        for (what, value) in sizes.into_iter().chain(hidden) {
            if !(1..=MOST).contains(&value) {
                return Err(ShapeError::Range {
                    what,
                    value,
                    most: MOST,
                });
            }
        }
        if self.codes > self.latent {
            return Err(ShapeError::Codes {
                codes: self.codes,
                latent: self.latent,
            });
        }
        if self.classes > 0 && self.pack > 1 {
            return Err(ShapeError::PackedClasses(self.pack));
        }
        let sides = |network, sides| ShapeError::Sides {
            network,
            sides,
            height: self.height,
            width: self.width,
        };
        for found in [self.generator.len(), self.critic.len()] {
            let network = match self.network {
                Kind::Mlp => continue,
                Kind::Dcgan => "dcgan",
                Kind::Resnet => "resnet",
            };
            if found != 1 {
                return Err(ShapeError::Channels { network, found });
            }
        }
        match self.network {
            Kind::Mlp => Ok(()),
            Kind::Dcgan if self.doublings().is_none() => Err(sides(
                "dcgan",
                "4 · 2ⁿ or 7 · 2ⁿ pixels a side (28, 32, 56, 64, 128)",
            )),
            Kind::Resnet if self.doublings().is_none_or(|(base, _)| base != 4) => {
                Err(sides("resnet", "4 · 2ⁿ pixels a side (32, 64, 128)"))
            }
            _ => Ok(()),
        }
    }

    /// The side that is doubled, and how often.
    fn doublings(&self) -> Option<(usize, u32)> {
        let side = Some(self.height).filter(|side| *side == self.width)?;
        let times = side.trailing_zeros();
        match side >> times {
            1 if times >= 3 => Some((4, times - 2)),
            7 if times >= 1 => Some((7, times)),
            _ => None,
        }
    }
}

/// Builds layers one after the other.
pub(super) struct Builder<'a> {
    layout: &'a mut Layout,
    name: &'static str,
    count: usize,
}

impl<'a> Builder<'a> {
    fn new(layout: &'a mut Layout, name: &'static str) -> Builder<'a> {
        Builder {
            layout,
            name,
            count: 0,
        }
    }

    fn name(&mut self) -> String {
        self.count += 1;
        format!("{}.{}", self.name, self.count - 1)
    }

    fn conv(&mut self, window: Window, channels: usize, how: (bool, bool), f: Activation) -> Layer {
        let name = self.name();
        Layer::Conv(Conv::new(self.layout, &name, window, channels, how), f)
    }

    fn dense(&mut self, inputs: usize, outputs: usize, activation: Activation) -> Layer {
        self.conv(Window::dense(inputs), outputs, (false, true), activation)
    }

    fn norm(&mut self, channels: usize, activation: Activation) -> Layer {
        let name = self.name();
        Layer::Norm(BatchNorm::new(self.layout, &name, channels), activation)
    }

    fn instance_norm(&mut self, channels: usize, pixels: usize, activation: Activation) -> Layer {
        let name = self.name();
        let norm = InstanceNorm::new(self.layout, &name, channels, pixels);
        Layer::InstanceNorm(norm, activation)
    }
}

/// The layers that make samples of z.
pub(super) fn generator(shape: &Shape, layout: &mut Layout) -> Vec<Layer> {
    let mut b = Builder::new(layout, "generator");
    let inputs = shape.inputs();
    let end = match shape.is_bounded {
        true => Activation::Tanh,
        false => Activation::Identity,
    };
    match shape.network {
        Kind::Mlp => {
            let mut layers = Vec::new();
            let mut size = inputs;
            for hidden in &shape.generator {
                layers.push(b.dense(size, *hidden, Activation::Identity));
                layers.push(b.norm(*hidden, Activation::Relu));
                size = *hidden;
            }
            layers.push(b.dense(size, shape.values(), end));
            layers
        }
        Kind::Dcgan => {
            let (base, times) = shape.doublings().unwrap_or((4, 1));
            let channels = |left: u32| shape.generator[0] << left;
            let mut layers = Vec::new();
            let first = Window {
                padding: 0,
                ..four(base, channels(times - 1), base)
            };
            layers.push(b.conv(first, inputs, (true, false), Activation::Identity));
            layers.push(b.norm(channels(times - 1), Activation::Relu));
            for left in (1..times).rev() {
                let window = four(base << (times - left), channels(left - 1), 4);
                layers.push(b.conv(window, channels(left), (true, false), Activation::Identity));
                layers.push(b.norm(channels(left - 1), Activation::Relu));
            }
            let last = four(shape.height, shape.channels, 4);
            layers.push(b.conv(last, channels(0), (true, false), end));
            layers
        }
        Kind::Resnet => {
            let (_, times) = shape.doublings().unwrap_or((4, 1));
            let c = shape.generator[0];
            let mut layers = vec![b.dense(inputs, 16 * c, Activation::Identity)];
            for i in 0..times {
                let size = (8 << i, 8 << i, c);
                let one = vec![
                    b.norm(c, Activation::Relu),
                    Layer::Double(size),
                    b.conv(same(size, 3), c, (false, true), Activation::Identity),
                    b.norm(c, Activation::Relu),
                    b.conv(same(size, 3), c, (false, true), Activation::Identity),
                ];
                layers.push(Layer::Both(one, vec![Layer::Double(size)]));
            }
            layers.push(b.norm(c, Activation::Relu));
            let last = same((shape.height, shape.width, c), 3);
            layers.push(b.conv(last, shape.channels, (false, true), end));
            layers
        }
    }
}

/// Windows of `kernel` pixels in steps of two over images of a side of `side`.
fn four(side: usize, channels: usize, kernel: usize) -> Window {
    Window {
        height: side,
        width: side,
        channels,
        kernel,
        stride: 2,
        padding: 1,
    }
}

/// The layers that make features of samples, and the one that makes a verdict of them.
pub(super) fn critic(shape: &Shape, layout: &mut Layout) -> (Vec<Layer>, Conv) {
    let mut b = Builder::new(layout, "critic");
    let leaky = Activation::Leaky;
    let channels = shape.channels * shape.pack;
    let (layers, head, has_bias) = match shape.network {
        Kind::Mlp => {
            let mut layers = Vec::new();
            let mut size = (shape.values() + shape.condition) * shape.pack;
            for hidden in &shape.critic {
                layers.push(b.dense(size, *hidden, leaky));
                size = *hidden;
            }
            (layers, Window::dense(size), true)
        }
        Kind::Dcgan => {
            let (base, times) = shape.doublings().unwrap_or((4, 1));
            let mut layers = Vec::new();
            let mut before = channels;
            for i in 0..times {
                let after = shape.critic[0] << i;
                let window = four(shape.height >> i, before, 4);
                let norm = match i {
                    0 => CriticNorm::None,
                    _ => shape.critic_norm,
                };
                let linear = match norm {
                    CriticNorm::None => leaky,
                    _ => Activation::Identity,
                };
                layers.push(b.conv(window, after, (false, false), linear));
                let (rows, columns) = window.places();
                layers.extend(match norm {
                    CriticNorm::None => None,
                    CriticNorm::Batch => Some(b.norm(after, leaky)),
                    CriticNorm::Instance => Some(b.instance_norm(after, rows * columns, leaky)),
                });
                before = after;
            }
            let head = Window {
                padding: 0,
                ..four(base, before, base)
            };
            (layers, head, false)
        }
        Kind::Resnet => {
            let (_, times) = shape.doublings().unwrap_or((4, 1));
            let c = shape.critic[0];
            let mut layers = Vec::new();
            let mut before = channels;
            for i in 0..times + 1 {
                let side = (shape.height >> i).max(8);
                let (size, halves) = ((side, side, before), i + 1 < times);
                let mut one = Vec::new();
                if i > 0 {
                    one.push(Layer::Activate(leaky));
                }
                one.push(b.conv(same(size, 3), c, (false, true), leaky));
                one.push(b.conv(
                    same((side, side, c), 3),
                    c,
                    (false, true),
                    Activation::Identity,
                ));
                let mut other = Vec::new();
                if before != c {
                    other.push(b.conv(same(size, 1), c, (false, true), Activation::Identity));
                }
                if halves {
                    one.push(Layer::Halve((side, side, c)));
                    other.push(Layer::Halve((side, side, c)));
                }
                layers.push(Layer::Both(one, other));
                before = c;
            }
            layers.push(Layer::Activate(leaky));
            layers.push(Layer::Sum((8, 8, c)));
            (layers, Window::dense(c), true)
        }
    };
    let name = b.name();
    let head = Conv::new(b.layout, &name, head, 1, (false, has_bias));
    (layers, head)
}

#[cfg(test)]
impl Shape {
    /// Small networks for images of eight pixels a side.
    pub fn small(network: Kind) -> Shape {
        Shape {
            network,
            height: 8,
            width: 8,
            channels: 2,
            latent: 3,
            codes: 0,
            generator: vec![2],
            critic: vec![3],
            classes: 0,
            critic_norm: CriticNorm::None,
            spectral: false,
            pack: 1,
            is_bounded: true,
            spans: Vec::new(),
            condition: 0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shapes_of_older_runs_are_read() {
        for (older, norm) in [("true", CriticNorm::Batch), ("false", CriticNorm::None)] {
            let shape = Shape {
                critic_norm: norm,
                ..Shape::small(Kind::Dcgan)
            };
            let text = serde_json::to_string(&shape).unwrap();
            assert_eq!(serde_json::from_str::<Shape>(&text).unwrap(), shape);
            let name = serde_json::to_string(&norm).unwrap();
            let newer = format!("\"critic_norm\":{name}");
            let text = text.replace(&newer, &format!("\"critic_norms\":{older}"));
            assert_eq!(serde_json::from_str::<Shape>(&text).unwrap(), shape);
        }
    }
}
