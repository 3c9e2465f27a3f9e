//! `wordmill gan eval`: how good samples are.

use super::data::{DataArgs, is_table, table_failure};
use super::features;
use super::loaded::{Class, Loaded, of_seeds};
use super::measure::{self, Numbers, REALS, Real, pixels_of, some_of};
use super::near::{near, pairs};
use super::numbers::{Format, tell_left_out, write};
use super::pace::Pace;
use super::settings::Settings;
use super::source::{Kept, Made, Source};
use crate::device::DeviceArgs;
use crate::report::{Log, ReportArgs};
use crate::stream::input::open;
use crate::stream::{Failure, Output, s3};
use crate::threads;
use anyhow::{Result, bail};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::time::Duration;
use wordmill::gan::features::Classifier;
use wordmill::gan::images::{Images, Shape, unit_of};
use wordmill::gan::measure::Features;
use wordmill::gan::table::closest::closest;
use wordmill::gan::table::quality::Quality;
use wordmill::gan::table::read::{read, read_like};
use wordmill::gan::table::schema::Table;
use wordmill::nn::folder::{Folder, Which};

/// Measure how good what a run makes is, or how alike two sets of samples are
///
/// REAL is a run, which is measured against the data it has learned from, or real samples: an IDX file, a folder of images,
/// or a CSV file. MADE are samples of the same kind. Writes each measure beside its floor, the same between two halves of
/// the real samples: what a generator of real samples would get.
///
/// Distances are better the lower: frechet and kernel of features, sliced of pixels or points, and reverse_kl of modes.
/// Shares are better the higher: precision (of made samples among real ones), recall (of real among made ones), density,
/// coverage; of points with modes high_quality, the percentage within three deviations of one, and
/// mode_spread, how far those lie apart, 0.97 for real ones; of rows column_shapes,
/// pair_trends and validity. Copies are looked for in one half of the real samples, and tell beside the other half: nearer is
/// ½ where made samples are no nearer than real ones, median_ratio is 1.
///
/// Images are compared by features: of a small network that learns the classes of the real ones first, or of a random one
/// where they have none. Then their nearest real ones are looked for: a generator that repeats what it has learned makes
/// images nearer to them than other real ones are. --device is where a run makes its samples; auto takes a GPU for 5000
/// images or more. Measures are computed on the CPU.
#[derive(clap::Args)]
#[command(after_help = "Examples:\n  \
    wordmill gan train --toy moons --max-steps 100 -q --out moons\n  \
    wordmill gan eval moons\n  \
    wordmill gan eval corpora/digits corpora/digits --neighbours near.png\n  \
    wordmill gan eval corpora/deliveries.csv corpora/deliveries.csv --to json")]
pub struct Args {
    /// A run, or real samples
    #[arg(value_name = "REAL")]
    real: PathBuf,
    /// Made samples; of a run, the data to compare with [default: what it has learned from]
    #[arg(value_name = "MADE")]
    made: Option<PathBuf>,
    /// Samples to make of a run, and to compare at most [default: 10000; as many rows as there are]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(20..=1_000_000))]
    samples: Option<u32>,
    /// Network of features: a file that `gan train` keeps in its folder
    #[arg(long, value_name = "FILE")]
    features: Option<PathBuf>,
    /// Picture of the made images that are nearest to real ones, each beside its own
    #[arg(long, value_name = "FILE")]
    neighbours: Option<PathBuf>,
    /// Checkpoint of a run: best, last, or its step
    #[arg(long, value_name = "WHICH", default_value = "best")]
    checkpoint: Which,
    /// Use the weights themselves, not their average
    #[arg(long)]
    no_ema: bool,
    /// Side of the images, or HEIGHTxWIDTH, as in `gan train`
    #[arg(long, value_name = "PIXELS", value_parser = super::data::size)]
    size: Option<(usize, usize)>,
    /// 1 for grey images, 3 for coloured ones
    #[arg(long, value_name = "N", value_parser = super::data::channels)]
    channels: Option<usize>,
    /// What to write
    #[arg(long, value_enum, value_name = "FORMAT", default_value = "text")]
    to: Format,
    /// Begin no measure after so long, as in 30s or 5m; what is left out is named
    #[arg(long, value_name = "TIME", value_parser = crate::values::time)]
    max_time: Option<Duration>,
    #[command(flatten)]
    device: DeviceArgs,
    /// Number of threads [default: one per core]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    threads: Option<u16>,
    /// Show no progress
    #[arg(short, long)]
    quiet: bool,
}

pub fn run(args: &Args) -> Result<()> {
    threads::limit(args.threads)?;
    let report = ReportArgs {
        log: None::<Log>,
        quiet: args.quiet,
    };
    for path in [Some(&args.real), args.made.as_ref()].into_iter().flatten() {
        s3::refuse(path)?;
        if path.as_os_str() != "-" && !path.exists() {
            bail!(Failure::of_file(
                &path.display().to_string(),
                "no such file"
            ));
        }
    }
    let mut pacing = Pace::new(report, args.max_time);
    let pace = &mut pacing;
    let numbers = match args.real.join("config.json").exists() {
        true => of_run(args, report, pace)?,
        false => {
            args.device
                .refuse("only samples of a run are made on a GPU")?;
            let Some(made) = &args.made else {
                bail!(
                    Failure::usage("nothing to compare with")
                        .hint("give a run, or real samples and made ones")
                );
            };
            match is_table(&args.real) {
                true => of_tables(&args.real, made, args, pace)?,
                false => of_folders((&args.real, made), args, report, pace)?,
            }
        }
    };
    // No bar is to stand where the numbers go.
    drop(pacing);
    if args.to == Format::Text {
        tell_left_out(&numbers);
    }
    write(&numbers, args.to)
}

/// Measures what a run makes.
fn of_run(args: &Args, report: ReportArgs, pace: &mut Pace) -> Result<Numbers> {
    let mut loaded = Loaded::new(&args.real, args.checkpoint, !args.no_ema)?;
    let folder = Folder::new(&args.real);
    let settings: Settings = folder.read_json("training.json")?;
    let mut data = settings.data;
    if args.made.is_some() {
        data.data.clone_from(&args.made);
        data.toy = None;
    }
    let is_images = matches!(loaded.data, Kept::Images { .. });
    if !is_images && (args.features.is_some() || args.neighbours.is_some()) {
        bail!(Failure::usage(
            "only images have features and a picture of neighbours"
        ));
    }
    if args.size.is_some() || args.channels.is_some() {
        bail!(Failure::usage("a run has its own --size and --channels"));
    }
    let shape = &loaded.model.shape;
    if let (Kept::Rows { encoder, .. }, Some(path)) = (&loaded.data, &data.data) {
        let name = path.display().to_string();
        let table = read_like(&name, open(path)?, &data.table_options(), &encoder.schema);
        let table = table.map_err(table_failure)?;
        let n = args.samples.map_or(table.rows, |n| n as usize);
        loaded.bring_to(&args.device, n, "gan eval")?;
        let Made::Rows(made) = made(&loaded, n)? else {
            bail!(Failure::usage("the run makes no rows"));
        };
        let made = measure::table_of(&table.schema, &made)?;
        return Ok(compare_tables(&table, &made, pace));
    }
    let mut source = data.open(&mut |problem| eprintln!("wordmill gan eval: {problem}"))?;
    source.fit(shape.network);
    let kinds = (&source, &loaded.data);
    let is_kind = matches!(
        kinds,
        (Source::Points(..), Kept::Points { .. }) | (Source::Images { .. }, Kept::Images { .. })
    );
    if !is_kind || source.shape() != shape.size() {
        bail!(Failure::usage(
            "the samples are not of the kind and shape that the run makes"
        ));
    }
    let n = args
        .samples
        .map_or(if is_images { REALS } else { 2500 }, |n| n as usize);
    pace.begin("samples", (0, 1));
    loaded.bring_to(&args.device, n, "gan eval")?;
    let made = made(&loaded, n)?;
    match (&source, &made) {
        (Source::Images { images, .. }, Made::Images { pixels, .. }) => {
            let network = match &args.features {
                Some(file) => Classifier::of_file(size_of(images.shape()), file)?,
                None => features::of_images(images, Some(&args.real), report)?,
            };
            compare(images, pixels, &network, args, pace)
        }
        _ => {
            let real = Real::new(&source, &args.real, report)?;
            Ok(real.measure(&made, true, pace)?.numbers)
        }
    }
}

/// Samples of seeds that no evaluation in training has seen.
fn made(loaded: &Loaded, n: usize) -> Result<Made> {
    let seeds: Vec<u64> = (1 << 40..).take(n).collect();
    let how = (Class::AsOften, None);
    let (z, given) = of_seeds(&loaded.model.shape, &loaded.data, &seeds, how);
    loaded.samples(&z, &given)
}

fn size_of(shape: Shape) -> (usize, usize, usize) {
    (shape.height, shape.width, shape.channels)
}

/// Measures images of two folders or files.
fn of_folders(
    (real, made): (&Path, &Path),
    args: &Args,
    report: ReportArgs,
    pace: &mut Pace,
) -> Result<Numbers> {
    let data = DataArgs {
        size: args.size,
        channels: args.channels,
        ..DataArgs::default()
    };
    let mut tell = |problem: String| eprintln!("wordmill gan eval: {problem}");
    let opened = [
        data.open_images(real, &mut tell)?,
        data.open_images(made, &mut tell)?,
    ];
    let [
        Source::Images {
            images: real_images,
            ..
        },
        Source::Images {
            images: made_images,
            ..
        },
    ] = &opened
    else {
        bail!(Failure::usage("images can only be compared with images"));
    };
    if real_images.shape() != made_images.shape() {
        let say = |shape: Shape| format!("{}×{}×{}", shape.height, shape.width, shape.channels);
        bail!(
            Failure::usage(format!(
                "images of {} cannot be compared with images of {}",
                say(real_images.shape()),
                say(made_images.shape())
            ))
            .hint("--size and --channels bring both to one shape")
        );
    }
    let network = match &args.features {
        Some(file) => Classifier::of_file(size_of(real_images.shape()), file)?,
        None => features::of_images(real_images, None, report)?,
    };
    let chosen = some_of(
        made_images.len(),
        args.samples.map_or(REALS, |n| n as usize),
    );
    let values = made_images.shape().values();
    let mut pixels = vec![0; chosen.len() * values];
    for (to, image) in pixels.chunks_exact_mut(values).zip(chosen) {
        to.copy_from_slice(made_images.image(image));
    }
    compare(real_images, &pixels, &network, args, pace)
}

/// Measures made images against real ones, and looks for copies.
fn compare(
    images: &Images,
    made: &[u8],
    network: &Classifier,
    args: &Args,
    pace: &mut Pace,
) -> Result<Numbers> {
    let shape = images.shape();
    let dim = shape.values();
    let most = args.samples.map_or(REALS, |n| n as usize);
    let chosen = some_of(images.len(), measure::most_of(images, most.max(20)));
    let real = pixels_of(images, &chosen);
    let made_units: Vec<f32> = made.iter().copied().map(unit_of).collect();
    let (n, made_n) = (real.len() / dim, made.len() / dim);
    pace.begin("features", (0, 1));
    let (features, made_features) = (network.of(&real, n), network.of(&made_units, made_n));
    let made_both = (&made_features[..], &made_units[..]);
    let scores = measure::of_images((&features, &real), made_both, dim, (true, pace))?;
    let mut numbers = measure::numbers(&scores);
    numbers.insert("real".to_owned(), n.into());
    numbers.insert("made".to_owned(), made_n.into());
    pace.begin("copies", (0, 1));
    let found = match pace.is_over() {
        true => leave_out(&mut numbers, "copies"),
        false => near(&real, &made_units, dim)?,
    };
    if let Some(found) = &found {
        numbers.insert("copies".to_owned(), serde_json::to_value(found.copies)?);
    }
    if let (Some(file), Some(found)) = (&args.neighbours, &found) {
        let picture = pairs(shape, images, (&chosen, &found.half), made, &found.near);
        let path = Some(file.as_path()).filter(|path| path.as_os_str() != "-");
        let mut out = Output::create(path, false)?;
        out.write_bytes(&picture?)?;
        out.finish()?;
    }
    Ok(numbers)
}

/// Names a measure for which there was no time.
fn leave_out<T>(numbers: &mut Numbers, name: &str) -> Option<T> {
    let names = numbers.entry("left_out").or_insert_with(|| json!([]));
    if let Value::Array(names) = names {
        names.push(name.into());
    }
    None
}

fn of_tables(real: &Path, made: &Path, args: &Args, pace: &mut Pace) -> Result<Numbers> {
    if args.features.is_some() || args.neighbours.is_some() {
        bail!(Failure::usage("rows have no features and no picture"));
    }
    let options = DataArgs::default().table_options();
    let real = read(&real.display().to_string(), open(real)?, &options).map_err(table_failure)?;
    let name = made.display().to_string();
    let made = read_like(&name, open(made)?, &options, &real.schema).map_err(table_failure)?;
    Ok(compare_tables(&real, &made, pace))
}

/// Measures made rows against real ones, and looks for copies.
fn compare_tables(real: &Table, made: &Table, pace: &mut Pace) -> Numbers {
    /// Rows of each that are looked at.
    const MOST: usize = 2000;
    pace.begin("quality", (0, 3));
    let mut numbers = measure::of_table(&Quality::of(real, made));
    let (one, other) = real.halves(1);
    pace.begin("quality of real rows", (1, 3));
    match pace.is_over() {
        true => leave_out(&mut numbers, "floor").unwrap_or_default(),
        false => {
            let floor = measure::of_table(&Quality::of(&one, &other));
            numbers.insert("floor".to_owned(), floor.into());
        }
    }
    pace.begin("copies", (2, 3));
    if pace.is_over() {
        leave_out::<()>(&mut numbers, "closest");
        return numbers;
    }
    let (near, held_out) = (closest(&one, made, MOST, 1), closest(&one, &other, MOST, 1));
    numbers.insert(
        "closest".to_owned(),
        json!({"copies": near.copies, "median": near.median, "copies_of_real": held_out.copies, "median_of_real": held_out.median}),
    );
    numbers
}
