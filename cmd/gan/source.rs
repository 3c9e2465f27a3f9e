//! What a run learns from, once it is read; what it keeps of that, and what it makes.

use serde::{Deserialize, Serialize};
use wordmill::gan::feed::Data;
use wordmill::gan::images::frame::Frame;
use wordmill::gan::images::toys::Toy;
use wordmill::gan::images::{Images, Shape as ImageShape, bytes_of};
use wordmill::gan::shape::Kind;
use wordmill::gan::table::conditions::{Condition, Conditions, RowsByCategory};
use wordmill::gan::table::encode::{self, Encoder};
use wordmill::gan::table::schema::Table;
use wordmill::nn::ops::spans::{Asked, Span};
use wordmill::random::Random;
use wordmill::text::hash;

/// The kinds of data.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Sort {
    Points,
    Images,
    Rows,
}

impl Sort {
    /// What belongs to this kind.
    pub fn of<T>(self, points: T, images: T, rows: T) -> T {
        match self {
            Sort::Points => points,
            Sort::Images => images,
            Sort::Rows => rows,
        }
    }
}

/// What is learned from.
pub enum Source {
    Points(Toy, Vec<[f32; 2]>),
    Images {
        images: Images,
        /// Black around images, where the networks are larger.
        frame: Frame,
        mirrors: bool,
    },
    Rows(Box<Rows>),
}

/// Rows of a table.
pub struct Rows {
    pub table: Table,
    pub encoder: Encoder,
    pub conditions: Conditions,
    by_category: RowsByCategory,
    /// Where each span of a category begins, and how wide it is, in the order of the conditions.
    spans: Vec<(usize, usize)>,
}

impl Rows {
    /// Rows with what turns them into numbers; the modes of these are found from a seed.
    pub fn new(table: Table, seed: u64) -> Rows {
        let encoder = Encoder::fit(&table, seed);
        let conditions = Conditions::new(&table);
        let by_category = RowsByCategory::new(&conditions, &table);
        let spans = conditions.spans(&encoder);
        Rows {
            spans: spans.iter().map(|span| (span.at, span.width)).collect(),
            table,
            encoder,
            conditions,
            by_category,
        }
    }

    /// The choice that a condition asks for.
    pub fn asked(&self, condition: Condition) -> Asked {
        let (at, width) = self.spans[condition.column];
        Asked {
            at,
            width,
            choice: condition.category,
        }
    }
}

/// What is made: samples as they are shown.
pub enum Made {
    Images {
        shape: ImageShape,
        pixels: Vec<u8>,
    },
    Points(Vec<[f32; 2]>),
    /// Texts of each row.
    Rows(Vec<Vec<String>>),
}

/// What a run's folder keeps of its data, for sampling.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Kept {
    Points {
        toy: Toy,
    },
    Images {
        height: usize,
        width: usize,
        classes: Vec<String>,
        /// Images of each class.
        #[serde(default)]
        counts: Vec<u64>,
    },
    Rows {
        encoder: Box<Encoder>,
        conditions: Conditions,
    },
}

impl Source {
    /// Of which kind it is.
    pub fn sort(&self) -> Sort {
        match self {
            Source::Points(..) => Sort::Points,
            Source::Images { .. } => Sort::Images,
            Source::Rows(_) => Sort::Rows,
        }
    }

    /// Height, width and channels of a sample, as networks see it.
    pub fn shape(&self) -> (usize, usize, usize) {
        match self {
            Source::Points(..) => (1, 1, 2),
            Source::Images { frame, .. } => {
                let shape = frame.outer();
                (shape.height, shape.width, shape.channels)
            }
            Source::Rows(rows) => (1, 1, rows.encoder.width()),
        }
    }

    /// Puts black around images, up to a side that networks of a family can make.
    pub fn fit(&mut self, network: Kind) {
        let Source::Images { images, frame, .. } = self else {
            return;
        };
        let shape = images.shape();
        let is_right = |side: usize| match network {
            Kind::Mlp => true,
            Kind::Dcgan => {
                side >= 8
                    && (side.is_power_of_two()
                        || (side.is_multiple_of(14) && (side / 7).is_power_of_two()))
            }
            Kind::Resnet => side >= 8 && side.is_power_of_two(),
        };
        let largest = shape.height.max(shape.width);
        let is_square = shape.height == shape.width || network == Kind::Mlp;
        let side = (largest..).find(|side| is_right(*side)).unwrap_or(largest);
        if (!is_square || side != largest)
            && let Ok(wider) = Frame::around(shape, side, side)
        {
            *frame = wider;
        }
    }

    /// Names of the classes; none where samples have none.
    pub fn classes(&self) -> &[String] {
        match self {
            Source::Images { images, .. } => images.classes(),
            _ => &[],
        }
    }

    /// The points, of a toy.
    pub fn points(&self) -> &[[f32; 2]] {
        match self {
            Source::Points(_, points) => points,
            _ => &[],
        }
    }

    /// What the values of a row are.
    pub fn spans(&self) -> Vec<Span> {
        let Source::Rows(rows) = self else {
            return Vec::new();
        };
        let span = |span: encode::Span| match span.activation {
            encode::Activation::Tanh => Span::Number,
            encode::Activation::Softmax => Span::Choice(span.width),
        };
        rows.encoder.spans().into_iter().map(span).collect()
    }

    /// A number that other data does not have.
    pub fn fingerprint(&self) -> u64 {
        match self {
            Source::Points(toy, _) => *toy as u64,
            Source::Images { images, .. } => u64::from(images.fingerprint()),
            Source::Rows(rows) => {
                let mut random = Random::new(0, 0);
                let mut row = vec![0.0; rows.encoder.width()];
                let mut hash = rows.table.rows as u64;
                for index in 0..rows.table.rows {
                    rows.encoder
                        .encode(&rows.table, index, &mut random, &mut row);
                    for value in &row {
                        hash = hash::mix(hash, u64::from(value.to_bits()));
                    }
                }
                hash
            }
        }
    }

    /// What a run's folder keeps of it.
    pub fn kept(&self) -> Kept {
        match self {
            Source::Points(toy, _) => Kept::Points { toy: *toy },
            Source::Images { images, frame, .. } => Kept::Images {
                height: frame.inner().height,
                width: frame.inner().width,
                classes: images.classes().to_vec(),
                counts: images
                    .classes()
                    .iter()
                    .enumerate()
                    .map(|(class, _)| {
                        let labels = images.labels().unwrap_or_default().iter();
                        labels.filter(|label| **label as usize == class).count() as u64
                    })
                    .collect(),
            },
            Source::Rows(rows) => Kept::Rows {
                encoder: Box::new(rows.encoder.clone()),
                conditions: rows.conditions.clone(),
            },
        }
    }
}

impl Kept {
    /// Samples as they are shown.
    pub fn made(&self, values: &[f32], (height, width, channels): (usize, usize, usize)) -> Made {
        match self {
            Kept::Points { .. } => Made::Points(values.as_chunks::<2>().0.to_vec()),
            Kept::Images {
                height: rows,
                width: columns,
                ..
            } => {
                let inner = ImageShape {
                    height: *rows,
                    width: *columns,
                    channels,
                };
                let pixels = bytes_of(values);
                let pixels = match Frame::around(inner, height, width) {
                    Ok(frame) => frame.crop(&pixels),
                    // The folder's shapes were checked when it was written.
                    Err(_) => pixels,
                };
                Made::Images {
                    shape: inner,
                    pixels,
                }
            }
            Kept::Rows { encoder, .. } => {
                let row = |values: &[f32]| {
                    let mut texts = Vec::new();
                    encoder.decode(values, &mut texts);
                    texts
                };
                Made::Rows(
                    values
                        .chunks_exact(height * width * channels)
                        .map(row)
                        .collect(),
                )
            }
        }
    }
}

impl Data for Source {
    fn len(&self) -> usize {
        match self {
            Source::Points(_, points) => points.len(),
            Source::Images { images, .. } => images.len(),
            Source::Rows(rows) => rows.table.rows,
        }
    }

    fn values(&self) -> usize {
        let (height, width, channels) = self.shape();
        height * width * channels
    }

    fn write(&self, index: usize, random: &mut Random, to: &mut [f32]) {
        match self {
            Source::Points(_, points) => to.copy_from_slice(&points[index]),
            Source::Images {
                images,
                frame,
                mirrors,
            } => {
                let mirror = *mirrors && random.below(2) == 1;
                frame.write_into(images.image(index), mirror, to);
            }
            Source::Rows(rows) => rows.encoder.encode(&rows.table, index, random, to),
        }
    }

    fn label(&self, index: usize) -> Option<u32> {
        match self {
            Source::Images { images, .. } => images.labels().map(|labels| labels[index]),
            _ => None,
        }
    }

    fn condition(&self) -> usize {
        match self {
            Source::Rows(rows) => rows.conditions.width(),
            _ => 0,
        }
    }

    fn draw(&self, random: &mut Random, to: &mut [f32], condition: &mut [f32]) -> Option<Asked> {
        let Source::Rows(rows) = self else {
            return None;
        };
        let drawn = rows.conditions.draw(random)?;
        rows.conditions.write(drawn, condition);
        let row = rows.by_category.row_with(drawn, random)?;
        rows.encoder.encode(&rows.table, row, random, to);
        Some(rows.asked(drawn))
    }
}
