//! What a run learns from: images, points, or rows of a table; and what it makes.

use crate::stream::Failure;
use crate::stream::input::open;
use anyhow::{Result, bail};
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};
use wordmill::gan::feed::Data;
use wordmill::gan::images::frame::Frame;
use wordmill::gan::images::idx::Labels;
use wordmill::gan::images::open::{Options, open as open_images};
use wordmill::gan::images::toys::Toy;
use wordmill::gan::images::{Images, Shape as ImageShape, bytes_of};
use wordmill::gan::table::conditions::{Condition, Conditions, RowsByCategory};
use wordmill::gan::table::encode::Encoder;
use wordmill::gan::table::read::{Header, ReadOptions, TableError, read};
use wordmill::gan::table::schema::Table;
use wordmill::nn::ops::spans::{Asked, Span};
use wordmill::random::Random;

/// Flags for what is learned from.
#[derive(clap::Args, Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[command(next_help_heading = "Data")]
pub struct DataArgs {
    /// Images or rows: an IDX file, a folder of PNG and JPEG files (its sub-folders are classes), or a CSV file
    #[arg(value_name = "DATA", conflicts_with = "toy")]
    pub data: Option<PathBuf>,
    /// Points of a distribution that is known
    #[arg(long, value_enum, value_name = "NAME")]
    pub toy: Option<Toy>,
    /// Side of the images, or HEIGHTxWIDTH: others are cut to that shape around their middle and made smaller
    #[arg(long, value_name = "PIXELS", value_parser = size)]
    pub size: Option<(usize, usize)>,
    /// Make images that are smaller than --size larger
    #[arg(long)]
    pub enlarge: bool,
    /// 1 for grey images, 3 for coloured ones [default: 1 if all are grey]
    #[arg(long, value_name = "N", value_parser = channels)]
    pub channels: Option<usize>,
    /// Labels of an IDX file [default: those beside it]
    #[arg(long, value_name = "FILE")]
    pub labels: Option<PathBuf>,
    /// Show half of the images mirrored
    #[arg(long)]
    pub mirror: bool,
    /// Leave out images that are broken, and say which
    #[arg(long)]
    pub keep_going: bool,
    /// Columns that are categories, though they are numbers
    #[arg(long, value_name = "NAMES", value_delimiter = ',')]
    pub categories: Vec<String>,
    /// Columns that are numbers, though there are few different ones
    #[arg(long, value_name = "NAMES", value_delimiter = ',')]
    pub numbers: Vec<String>,
    /// Columns to leave out
    #[arg(long, value_name = "NAMES", value_delimiter = ',')]
    pub drop: Vec<String>,
    /// The file has no line of names
    #[arg(long)]
    pub no_header: bool,
}

/// `32`, or `24x32`: height and width.
pub fn size(text: &str) -> Result<(usize, usize), String> {
    let (height, width) = text.split_once('x').unwrap_or((text, text));
    let side = |text: &str| text.parse().ok().filter(|side| (1..=4096).contains(side));
    let sides = side(height).zip(side(width));
    sides.ok_or_else(|| "expected a side from 1 to 4096, or HEIGHTxWIDTH".to_owned())
}

pub fn channels(text: &str) -> Result<usize, String> {
    match text {
        "1" => Ok(1),
        "3" => Ok(3),
        _ => Err("expected 1 or 3".to_owned()),
    }
}

/// Points of a toy that are learned from, as many as the papers have.
const POINTS: usize = 100_000;

/// The seed of these points.
const SEED: u64 = 1;

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
    fn new(table: Table) -> Rows {
        let encoder = Encoder::fit(&table, SEED);
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
    },
    Rows {
        encoder: Box<Encoder>,
        conditions: Conditions,
    },
}

impl DataArgs {
    /// Whether nothing is named.
    pub fn is_empty(&self) -> bool {
        self.data.is_none() && self.toy.is_none()
    }

    /// What is named; problems with single images go to `tell`.
    ///
    /// # Errors
    /// When it is not there, is broken, or holds nothing to learn from.
    pub fn open(&self, tell: &mut dyn FnMut(String)) -> Result<Source> {
        if let Some(toy) = self.toy {
            return Ok(Source::Points(toy, toy.sample(POINTS, SEED)));
        }
        let Some(path) = &self.data else {
            bail!(
                Failure::usage("nothing to learn from").hint("name a file or a folder, or a --toy")
            );
        };
        match is_table(path) {
            true => self.open_table(path),
            false => self.open_images(path, tell),
        }
    }

    pub fn open_table(&self, path: &Path) -> Result<Source> {
        let table = self.read_table(path)?;
        if table.rows < 2 {
            bail!(Failure::of_file(
                &path.display().to_string(),
                "has no two rows to learn from"
            ));
        }
        Ok(Source::Rows(Box::new(Rows::new(table))))
    }

    fn read_table(&self, path: &Path) -> Result<Table> {
        let options = self.table_options();
        let name = path.display().to_string();
        let table = read(&name, open(path)?, &options);
        table.map_err(|error| table_failure(error).into())
    }

    /// How its table is read.
    pub fn table_options(&self) -> ReadOptions {
        ReadOptions {
            header: if self.no_header {
                Header::No
            } else {
                Header::Auto
            },
            categories: self.categories.clone(),
            numbers: self.numbers.clone(),
            drop: self.drop.clone(),
            ..ReadOptions::default()
        }
    }

    pub fn open_images(&self, path: &Path, tell: &mut dyn FnMut(String)) -> Result<Source> {
        let options = Options {
            size: self.size,
            channels: self.channels,
            enlarge: self.enlarge,
            keep_going: self.keep_going,
            labels: match &self.labels {
                Some(file) => Labels::File(file.clone()),
                None => Labels::Beside,
            },
            ..Options::default()
        };
        let opened =
            open_images(path, &options).map_err(|error| Failure::plain(error.to_string()))?;
        for problem in &opened.problems {
            tell(format!("left out: {problem}"));
        }
        let frame = Frame::none(opened.images.shape());
        Ok(Source::Images {
            images: opened.images,
            frame,
            mirrors: self.mirror,
        })
    }
}

/// Whether a file is text in columns by its name; everything else is images.
pub fn is_table(path: &Path) -> bool {
    let name = path.to_string_lossy().to_lowercase();
    let name = name.trim_end_matches(".gz").trim_end_matches(".zst");
    name == "-"
        || [".csv", ".tsv", ".txt"]
            .iter()
            .any(|end| name.ends_with(end))
}

pub fn table_failure(error: TableError) -> Failure {
    Failure::plain(error.to_string())
}

impl Source {
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
        let span = |span: wordmill::gan::table::encode::Span| match span.activation {
            wordmill::gan::table::encode::Activation::Tanh => Span::Number,
            wordmill::gan::table::encode::Activation::Softmax => Span::Choice(span.width),
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
                        hash = wordmill::text::hash::mix(hash, u64::from(value.to_bits()));
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
