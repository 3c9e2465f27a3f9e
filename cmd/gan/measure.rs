//! How good samples are beside real ones, during training and afterwards.

use super::data::table_failure;
use super::features;
use super::pace::{Pace, name};
use super::source::{Made, Source};
use crate::report::ReportArgs;
use anyhow::Result;
use serde_json::{Map, Value, json};
use std::path::Path;
use wordmill::gan::features::Classifier;
use wordmill::gan::images::toys::Toy;
use wordmill::gan::images::{Images, unit_of};
use wordmill::gan::measure::scores::{Measure, Options, Samples, Scores, score};
use wordmill::gan::measure::{Features, Points, modes};
use wordmill::gan::table::quality::Quality;
use wordmill::gan::table::read::{Header, ReadOptions, read_like};
use wordmill::gan::table::schema::{Schema, Table};
use wordmill::gan::table::write::TableWriter;
use wordmill::gan::watch::spread;
use wordmill::nn::event::Evaluation;
use wordmill::random::Random;

/// Real samples that are compared with at most.
pub const REALS: usize = 10_000;

/// Numbers of a measurement, the way they are told.
pub type Numbers = Map<String, Value>;

/// What real samples look like to a measure.
pub enum Real<'a> {
    Points {
        toy: Toy,
        points: Vec<f32>,
    },
    Images {
        network: Box<Classifier>,
        features: Vec<f32>,
        pixels: Vec<f32>,
        dim: usize,
    },
    Rows(&'a Table),
}

/// Some of `n` numbers, the same every time.
pub fn some_of(n: usize, most: usize) -> Vec<usize> {
    let mut order: Vec<u32> = (0..n as u32).collect();
    Random::new(0x7365_6564, 0).shuffle(&mut order);
    order.into_iter().take(most).map(|i| i as usize).collect()
}

/// Images that are compared with: as many as fit into a gigabyte.
pub fn most_of(images: &Images, wanted: usize) -> usize {
    wanted.min(((1 << 28) / images.shape().values()).max(20))
}

/// Pixels of some images from −1 to 1.
pub fn pixels_of(images: &Images, chosen: &[usize]) -> Vec<f32> {
    let values = images.shape().values();
    let mut pixels = vec![0.0; chosen.len() * values];
    for (to, image) in pixels.chunks_exact_mut(values).zip(chosen) {
        images.write_into(*image, false, to);
    }
    pixels
}

impl<'a> Real<'a> {
    /// # Errors
    /// When the network of features cannot be read.
    pub fn new(source: &'a Source, folder: &Path, report: ReportArgs) -> Result<Real<'a>> {
        Ok(match source {
            Source::Points(toy, points) => Real::Points {
                toy: *toy,
                points: points[..REALS.min(points.len())].as_flattened().to_vec(),
            },
            Source::Images { images, .. } => {
                let network = features::of_images(images, Some(folder), report)?;
                let pixels = pixels_of(images, &some_of(images.len(), most_of(images, REALS)));
                let n = pixels.len() / images.shape().values();
                Real::Images {
                    features: network.of(&pixels, n),
                    dim: images.shape().values(),
                    network: Box::new(network),
                    pixels,
                }
            }
            Source::Rows(rows) => Real::Rows(&rows.table),
        })
    }

    /// How good samples are; the floor, too, if it is asked for. None when there is nothing to measure by.
    ///
    /// # Errors
    /// When samples are too few or no numbers.
    pub fn measure(&self, made: &Made, has_floor: bool, pace: &mut Pace) -> Result<Measured> {
        match (self, made) {
            (Real::Points { toy, points }, Made::Points(made)) => {
                of_points(*toy, points, made.as_flattened(), (has_floor, pace))
            }
            (
                Real::Images {
                    network,
                    features,
                    pixels,
                    dim,
                },
                Made::Images { pixels: bytes, .. },
            ) => {
                let made: Vec<f32> = bytes.iter().copied().map(unit_of).collect();
                let n = made.len() / dim;
                let made_features = network.of(&made, n);
                let real = (&features[..], &pixels[..]);
                let scores = of_images(real, (&made_features, &made), *dim, (has_floor, pace))?;
                Ok(Measured {
                    spread: spread(&made, *dim) / spread(pixels, *dim).max(1e-12),
                    numbers: numbers(&scores),
                })
            }
            (Real::Rows(table), Made::Rows(made)) => {
                let made = table_of(&table.schema, made)?;
                let quality = Quality::of(table, &made);
                let mut numbers = of_table(&quality);
                if has_floor {
                    let (one, other) = table.halves(1);
                    numbers.insert(
                        "floor".to_owned(),
                        of_table(&Quality::of(&one, &other)).into(),
                    );
                }
                Ok(Measured {
                    spread: 1.0,
                    numbers,
                })
            }
            _ => unreachable!("a run makes what it learned from"),
        }
    }
}

/// What was found.
pub struct Measured {
    pub numbers: Numbers,
    /// How much samples differ from one another, as a share of how much real ones do.
    pub spread: f64,
}

fn of_points(
    toy: Toy,
    real: &[f32],
    made: &[f32],
    (has_floor, pace): (bool, &mut Pace),
) -> Result<Measured> {
    let (real_points, made_points) = (Points::new(real, 2)?, Points::new(made, 2)?);
    let options = Options {
        measures: vec![Measure::Sliced],
        has_floor,
        deadline: pace.deadline(),
        ..Options::default()
    };
    let samples = |features| Samples {
        features,
        pixels: None,
    };
    let scores = score(
        &samples(real_points),
        &samples(made_points),
        &options,
        |step| pace.begin_measure(step),
    )?;
    let mut numbers = numbers(&scores);
    if let Some(known) = toy.modes() {
        let centres = known.centres.as_flattened();
        let found = modes::modes(
            &made_points,
            &Points::new(centres, 2)?,
            known.deviation.into(),
        )?;
        let share = found.covered as f64 / found.of.max(1) as f64;
        numbers.insert("modes".to_owned(), found.covered.into());
        numbers.insert("high_quality".to_owned(), json!(100.0 * found.high_quality));
        // Both at once: what decides which checkpoint is best.
        numbers.insert(
            "quality".to_owned(),
            json!(100.0 * share * found.high_quality),
        );
        if let Some(spread) = found.spread {
            numbers.insert("mode_spread".to_owned(), json!(spread));
        }
        if let Some(kl) = found.reverse_kl {
            numbers.insert("reverse_kl".to_owned(), json!(kl));
        }
    }
    Ok(Measured {
        spread: spread(made, 2) / spread(real, 2),
        numbers,
    })
}

/// Scores of images by their features and pixels.
///
/// # Errors
/// When there are too few.
pub fn of_images(
    (real, real_pixels): (&[f32], &[f32]),
    (made, made_pixels): (&[f32], &[f32]),
    dim: usize,
    (has_floor, pace): (bool, &mut Pace),
) -> Result<Scores> {
    let width = real.len() / (real_pixels.len() / dim).max(1);
    let options = Options {
        has_floor,
        deadline: pace.deadline(),
        ..Options::default()
    };
    let samples = |features, pixels| -> Result<Samples> {
        Ok(Samples {
            features: Points::new(features, width)?,
            pixels: Some(Points::new(pixels, dim)?),
        })
    };
    let (real, made) = (samples(real, real_pixels)?, samples(made, made_pixels)?);
    Ok(score(&real, &made, &options, |step| {
        pace.begin_measure(step);
    })?)
}

/// All numbers of scores by their names, and the names of those for which there was no time.
pub fn numbers(scores: &Scores) -> Numbers {
    let mut numbers = Map::new();
    let mut add = |name: &str, value: Option<f64>| {
        if let Some(value) = value {
            numbers.insert(name.to_owned(), json!(value));
        }
    };
    add("frechet", scores.frechet);
    add("kernel", scores.kernel.as_ref().map(|kernel| kernel.mean));
    add("sliced", scores.sliced);
    if let Some(overlap) = &scores.overlap {
        add("precision", Some(overlap.precision));
        add("recall", Some(overlap.recall));
        add("density", Some(overlap.density));
        add("coverage", Some(overlap.coverage));
    }
    if !scores.left_out.is_empty() {
        let names = scores.left_out.iter().map(|measure| name(*measure));
        numbers.insert("left_out".to_owned(), names.collect());
    }
    if let Some(floor) = &scores.floor {
        numbers.insert("floor".to_owned(), self::numbers(floor).into());
    }
    numbers
}

/// The numbers of a table's quality.
pub fn of_table(quality: &Quality) -> Numbers {
    let mut numbers = Map::new();
    let parts = [
        ("column_shapes", quality.column_shapes),
        ("pair_trends", quality.pair_trends),
        ("all_pair_trends", quality.all_pair_trends),
        ("quality", quality.quality),
        ("validity", quality.validity),
    ];
    for (name, value) in parts {
        if let Some(value) = value {
            numbers.insert(name.to_owned(), json!(value));
        }
    }
    numbers
}

/// Rows as a table with the columns of another.
///
/// # Errors
/// When they are no such rows.
pub fn table_of(schema: &Schema, rows: &[Vec<String>]) -> Result<Table> {
    let mut bytes = Vec::new();
    let mut csv = TableWriter::new(&mut bytes, schema)?;
    for row in rows {
        csv.row(row)?;
    }
    csv.flush()?;
    drop(csv);
    let options = ReadOptions {
        header: match schema.format.header {
            true => Header::Yes,
            false => Header::No,
        },
        delimiter: Some(schema.format.delimiter),
        ..ReadOptions::default()
    };
    let table = read_like("samples", &bytes[..], &options, schema);
    table.map_err(|error| table_failure(error).into())
}

/// The names that are better the higher.
const SCORES: [&str; 12] = [
    "modes",
    "mode_spread",
    "high_quality",
    "quality",
    "precision",
    "recall",
    "density",
    "coverage",
    "column_shapes",
    "pair_trends",
    "all_pair_trends",
    "validity",
];

/// An evaluation of numbers.
pub fn evaluation(numbers: &Numbers) -> Evaluation {
    let mut evaluation = Evaluation::default();
    for (name, value) in numbers {
        if let Some(value) = value.as_f64() {
            let values = match SCORES.contains(&name.as_str()) {
                true => &mut evaluation.scores,
                false => &mut evaluation.losses,
            };
            values.insert(name.clone(), value);
        }
    }
    evaluation
}
