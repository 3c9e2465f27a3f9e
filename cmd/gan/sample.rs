//! `wordmill gan sample`: what a run has learned to make.

use super::loaded::{Class, Loaded, of_seeds};
use super::pictures::png;
use super::seeds::Seeds;
use super::source::{Kept, Made};
use crate::device::DeviceArgs;
use crate::stream::{Failure, Output, s3};
use crate::threads;
use crate::values::number;
use anyhow::{Result, bail};
use std::path::{Path, PathBuf};
use wordmill::gan::images::Shape as ImageShape;
use wordmill::gan::images::grid::Grid;
use wordmill::gan::images::picture::{Picture, write_moving};
use wordmill::gan::images::scatter::scatter;
use wordmill::gan::model::Given;
use wordmill::gan::sampler::between;
use wordmill::gan::table::write::TableWriter;
use wordmill::nn::folder::Which;

/// Make images, points, or rows as a run has learned to
///
/// Images go into one picture (--out), a file each (--dir) or rows of pixels (--to csv); rows and points to standard output
/// as CSV. Each sample is made of a seed, 0, 1, 2 … or those of --seeds, and is the same whatever else is made with it, on one
/// device; from device to device values may be rounded otherwise. --device auto takes a GPU for 5000 images or more, in f32:
/// fewer are made before one is open.
#[derive(clap::Args)]
#[command(after_help = "Examples:\n  \
    wordmill gan train corpora/digits --network mlp --max-steps 5 --eval-samples 50 -q --out digits\n  \
    wordmill gan sample digits -n 16 --out grid.png\n  \
    wordmill gan sample digits --interpolate 3 --frames 10 --seeds 1,7,9 --out way.png")]
pub struct Args {
    /// Folder of the run
    #[arg(value_name = "RUN")]
    run: PathBuf,
    /// How many samples [default: as many as --seeds names, or 64; 1000 rows or points]
    #[arg(short, value_name = "N", value_parser = clap::value_parser!(u64).range(1..=10_000_000))]
    n: Option<u64>,
    /// Seeds, as in 0-63 or 1,7,9
    #[arg(long, value_name = "LIST", value_parser = Seeds::parse)]
    seeds: Option<Seeds>,
    /// Picture of all images in a grid, or of points; - is standard output
    #[arg(short, long, value_name = "FILE", conflicts_with = "dir")]
    out: Option<PathBuf>,
    /// Folder for a PNG file of each image, named by its seed
    #[arg(long, value_name = "FOLDER")]
    dir: Option<PathBuf>,
    /// Write numbers, to --out or standard output: of an image its pixels, row by row, each with all of its channels, from 0 to
    /// 255
    #[arg(long, value_enum, value_name = "FORMAT", conflicts_with_all = ["dir", "interpolate"])]
    to: Option<Format>,
    /// Images of this class alone, by name or number
    #[arg(long, value_name = "CLASS")]
    class: Option<String>,
    /// Leave out random numbers that are larger: samples get more alike, and better
    #[arg(long, value_name = "BOUND", value_parser = bound)]
    truncation: Option<f32>,
    /// Ways from one seed to the next, so many of them, each of --frames pictures
    #[arg(long, value_name = "WAYS", requires = "frames", conflicts_with = "n", value_parser = clap::value_parser!(u32).range(1..=1000))]
    interpolate: Option<u32>,
    /// Pictures on each way: in one moving picture (--out), or in a file each (--dir)
    #[arg(long, value_name = "N", requires = "interpolate", value_parser = clap::value_parser!(u32).range(2..=1000))]
    frames: Option<u32>,
    /// Rows with this value in this column, of those that are categories
    #[arg(long, value_name = "COLUMN=VALUE", conflicts_with = "class")]
    given: Option<String>,
    /// Use the weights themselves, not their average
    #[arg(long)]
    no_ema: bool,
    /// Checkpoint: best, last, or its step
    #[arg(long, value_name = "WHICH", default_value = "best")]
    checkpoint: Which,
    #[command(flatten)]
    device: DeviceArgs,
    /// Number of threads [default: one per core]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    threads: Option<u16>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Format {
    Csv,
}

/// A bound that random numbers are within often enough.
fn bound(text: &str) -> Result<f32, String> {
    number(text, |value| value >= 0.01, "0.01 or a number above it")
}

pub fn run(args: &Args) -> Result<()> {
    threads::limit(args.threads)?;
    let mut loaded = Loaded::new(&args.run, args.checkpoint, !args.no_ema)?;
    let class = args
        .class
        .as_deref()
        .map(|class| class_of(&loaded, class))
        .transpose()?;
    let images = matches!(loaded.data, Kept::Images { .. });
    if images && args.out.is_none() && args.dir.is_none() && args.to.is_none() {
        bail!(Failure::usage("no place for the images").hint(
            "--out makes one picture of them, --dir a file of each, --to csv rows of numbers"
        ));
    }
    if args.given.is_some() && !matches!(loaded.data, Kept::Rows { .. }) {
        bail!(Failure::usage("only rows are --given a value"));
    }
    if !images && (args.dir.is_some() || args.interpolate.is_some()) {
        bail!(Failure::usage("only images go into a --dir or along a way"));
    }
    let how = (class.map_or(Class::InTurn, Class::One), args.truncation);
    if let (Some(ways), Some(frames)) = (args.interpolate, args.frames) {
        let n = ways as usize * frames as usize;
        loaded.bring_to(&args.device, n, "gan sample")?;
        return moving(args, &loaded, (ways as usize, frames as usize), how);
    }
    let default = if images { 64 } else { 1000 };
    let mut seeds = match (&args.seeds, args.n) {
        (Some(Seeds(seeds)), None) => seeds.clone(),
        (Some(Seeds(seeds)), Some(n)) if seeds.len() as u64 >= n => seeds.clone(),
        (Some(_), Some(n)) => bail!(Failure::usage(format!("--seeds names fewer than {n}"))),
        (None, n) => (0..n.unwrap_or(default)).collect(),
    };
    if let Some(n) = args.n {
        seeds.truncate(n as usize);
    }
    loaded.bring_to(&args.device, seeds.len(), "gan sample")?;
    match &loaded.data {
        Kept::Images { .. } if args.to.is_some() => write_pixels(args, &loaded, &seeds, how),
        Kept::Images { .. } => write_images(args, &loaded, &seeds, how),
        Kept::Points { .. } => write_points(args, &loaded, &seeds, how),
        Kept::Rows { .. } => write_rows(args, &loaded, &seeds, how),
    }
}

type How = (Class, Option<f32>);

/// The number of a class.
fn class_of(loaded: &Loaded, class: &str) -> Result<u32> {
    let Kept::Images { classes, .. } = &loaded.data else {
        bail!(Failure::usage("only images have classes"));
    };
    if loaded.model.shape.classes == 0 {
        bail!(
            Failure::usage("the run knows no classes")
                .hint("`wordmill gan train --conditional` learns them")
        );
    }
    let named = classes.iter().position(|name| name == class);
    let numbered = class.parse().ok().filter(|number| *number < classes.len());
    match named.or(numbered) {
        Some(number) => Ok(number as u32),
        None => bail!(
            Failure::usage(format!("no class {class}"))
                .hint(format!("there are {}", classes.join(", ")))
        ),
    }
}

/// Samples that are made at a time.
const PART: usize = 1024;

/// Samples of some seeds, so many at a time that they stay few in memory.
fn each_part(
    loaded: &Loaded,
    seeds: &[u64],
    how: How,
    mut write: impl FnMut(&[u64], Made) -> Result<()>,
) -> Result<()> {
    for seeds in seeds.chunks(PART) {
        let (z, given) = of_seeds(&loaded.model.shape, &loaded.data, seeds, how);
        write(seeds, loaded.samples(&z, &given)?)?;
    }
    Ok(())
}

/// Writes bytes to a file, whole or not at all, or to standard output.
fn write_file(path: &Path, bytes: &[u8]) -> Result<()> {
    let path = Some(path).filter(|path| path.as_os_str() != "-");
    let mut out = Output::create(path, false)?;
    out.write_bytes(bytes)?;
    out.finish()
}

/// Writes one of many files, whole or not at all; unlike [`write_file`] it does not wait for the disk.
fn write_one(path: &Path, bytes: &[u8]) -> Result<()> {
    let part = path.with_extension("part");
    let written = std::fs::write(&part, bytes).and_then(|()| std::fs::rename(&part, path));
    written.map_err(|error| {
        let _ = std::fs::remove_file(&part);
        Failure::of_file(&path.display().to_string(), error.to_string()).into()
    })
}

fn write_images(args: &Args, loaded: &Loaded, seeds: &[u64], how: How) -> Result<()> {
    if let Some(dir) = &args.dir {
        make_dir(dir)?;
        return each_part(loaded, seeds, how, |seeds, made| {
            let Made::Images { shape, pixels } = made else {
                return Ok(());
            };
            let files = seeds.iter().zip(pixels.chunks_exact(shape.values()));
            files.into_iter().try_for_each(|(seed, image)| {
                write_one(
                    &dir.join(format!("{seed:06}.png")),
                    &png(&one(shape, image))?,
                )
            })
        });
    }
    let (mut all, mut size) = (Vec::new(), None);
    each_part(loaded, seeds, how, |_, made| {
        if let Made::Images { shape, pixels } = made {
            size = Some(shape);
            all.extend(pixels);
        }
        Ok(())
    })?;
    match (size, &args.out) {
        (Some(shape), Some(out)) => {
            let images: Vec<&[u8]> = all.chunks_exact(shape.values()).collect();
            write_file(out, &png(&Grid::default().draw(shape, &images))?)
        }
        _ => Ok(()),
    }
}

/// Pixels of images, a row each.
fn write_pixels(args: &Args, loaded: &Loaded, seeds: &[u64], how: How) -> Result<()> {
    let mut out = output(args)?;
    let names = (0..loaded.model.shape.values()).map(|i| format!("pixel{i}"));
    out.write(&(names.collect::<Vec<_>>().join(",") + "\n"))?;
    each_part(loaded, seeds, how, |_, made| {
        let Made::Images { shape, pixels } = made else {
            return Ok(());
        };
        for image in pixels.chunks_exact(shape.values()) {
            let numbers: Vec<String> = image.iter().map(u8::to_string).collect();
            out.write(&(numbers.join(",") + "\n"))?;
        }
        Ok(())
    })?;
    out.finish()
}

/// Where rows go.
fn output(args: &Args) -> Result<Output> {
    Output::create(
        args.out.as_deref().filter(|out| out.as_os_str() != "-"),
        false,
    )
}

fn make_dir(dir: &Path) -> Result<()> {
    s3::refuse(dir)?;
    let made = std::fs::create_dir_all(dir);
    made.map_err(|error| Failure::of_file(&dir.display().to_string(), error.to_string()).into())
}

fn one(shape: ImageShape, pixels: &[u8]) -> Picture {
    Picture {
        shape,
        pixels: pixels.to_vec(),
    }
}

/// Ways from one seed to the next.
fn moving(args: &Args, loaded: &Loaded, (ways, frames): (usize, usize), how: How) -> Result<()> {
    const MILLISECONDS: u16 = 80;
    let seeds = match &args.seeds {
        Some(Seeds(seeds)) => seeds.clone(),
        None => (0..=ways as u64).collect(),
    };
    if seeds.len() < 2 {
        bail!(Failure::usage("a way needs two seeds"));
    }
    let ends: Vec<u64> = (0..=ways).map(|i| seeds[i % seeds.len()]).collect();
    let (z, given) = of_seeds(&loaded.model.shape, &loaded.data, &ends, how);
    let steps = (0..ways * frames).map(|i| (i / frames, (i % frames) as f32 / frames as f32));
    let (mut path, mut labels) = (Vec::new(), Vec::new());
    for (way, share) in steps {
        path.push(between(&z[way], &z[way + 1], share));
        // A class is no number that one could go through: the way is of the first one's.
        labels.extend(given.labels.first());
    }
    path.extend(z.last().cloned());
    labels.extend(given.labels.first());
    let given = Given {
        labels: labels.into(),
        ..Given::default()
    };
    let Made::Images { shape, pixels } = loaded.samples(&path, &given)? else {
        return Ok(());
    };
    let pictures: Vec<Picture> = pixels
        .chunks_exact(shape.values())
        .map(|image| one(shape, image))
        .collect();
    match (&args.dir, &args.out) {
        (Some(dir), _) => {
            make_dir(dir)?;
            let mut files = pictures.iter().enumerate();
            files.try_for_each(|(i, picture)| {
                write_one(&dir.join(format!("frame-{i:04}.png")), &png(picture)?)
            })
        }
        (None, Some(out)) => {
            let mut bytes = Vec::new();
            write_moving(&pictures, MILLISECONDS, &mut bytes)?;
            write_file(out, &bytes)
        }
        (None, None) => Ok(()),
    }
}

fn write_points(args: &Args, loaded: &Loaded, seeds: &[u64], how: How) -> Result<()> {
    if let (Some(out), Kept::Points { toy }, None) = (&args.out, &loaded.data, args.to) {
        let mut all = Vec::new();
        each_part(loaded, seeds, how, |_, made| {
            if let Made::Points(points) = made {
                all.extend(points);
            }
            Ok(())
        })?;
        return write_file(
            out,
            &png(&scatter(&toy.sample(all.len().max(1000), 1), &all))?,
        );
    }
    let mut out = output(args)?;
    out.write("x,y\n")?;
    each_part(loaded, seeds, how, |_, made| {
        if let Made::Points(points) = made {
            for [x, y] in points {
                out.write(&format!("{x},{y}\n"))?;
            }
        }
        Ok(())
    })?;
    out.finish()
}

fn write_rows(args: &Args, loaded: &Loaded, seeds: &[u64], how: How) -> Result<()> {
    let Kept::Rows {
        encoder,
        conditions,
    } = &loaded.data
    else {
        return Ok(());
    };
    let asked = args.given.as_deref().map(|given| {
        let found = given
            .split_once('=')
            .and_then(|(column, value)| conditions.find(encoder, column, value));
        found.ok_or_else(|| Failure::usage(format!("no column of categories and value {given}")))
    });
    let asked = asked.transpose()?;
    let mut out = output(args)?;
    let mut first = true;
    for seeds in seeds.chunks(PART) {
        let (z, mut given) = of_seeds(&loaded.model.shape, &loaded.data, seeds, how);
        if let Some(condition) = asked {
            let mut all = vec![0.0; given.conditions.len()];
            let rows = all.chunks_exact_mut(conditions.width().max(1));
            rows.for_each(|row| conditions.write(condition, row));
            given.conditions = all.into();
        }
        let Made::Rows(rows) = loaded.samples(&z, &given)? else {
            continue;
        };
        let mut schema = encoder.schema.clone();
        schema.format.header &= std::mem::take(&mut first);
        let mut bytes = Vec::new();
        let mut csv = TableWriter::new(&mut bytes, &schema)?;
        rows.iter().try_for_each(|row| csv.row(row))?;
        csv.flush()?;
        drop(csv);
        out.write_bytes(&bytes)?;
    }
    out.finish()
}
