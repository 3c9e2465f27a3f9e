//! The shapes of a generator and a critic; `networks.rs` makes their layers.
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

use crate::nn::ops::pixels::Size;
use crate::nn::ops::spans::Span;
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
    pub(super) fn doublings(&self) -> Option<(usize, u32)> {
        let side = Some(self.height).filter(|side| *side == self.width)?;
        let times = side.trailing_zeros();
        match side >> times {
            1 if times >= 3 => Some((4, times - 2)),
            7 if times >= 1 => Some((7, times)),
            _ => None,
        }
    }
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
