//! What a run learns from: the flags, and how it is read.

use super::source::{Rows, Source};
use crate::stream::Failure;
use crate::stream::input::{is_stdin, open};
use crate::stream::s3;
use anyhow::{Result, bail};
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};
use wordmill::gan::images::frame::Frame;
use wordmill::gan::images::idx::Labels;
use wordmill::gan::images::open::{Options, open as open_images};
use wordmill::gan::images::toys::Toy;
use wordmill::gan::table::read::{Header, ReadOptions, TableError, read};
use wordmill::gan::table::schema::{Shape, Table};

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
    /// Texts that stand for a missing value [default: none, NA, N/A, null and the like]
    #[arg(long, value_name = "TEXTS", value_delimiter = ',')]
    #[serde(default)]
    pub missing: Vec<String>,
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

/// The seed of these points, and of the modes of numbers.
const SEED: u64 = 1;

impl DataArgs {
    /// Whether nothing is named.
    pub fn is_empty(&self) -> bool {
        self.data.is_none() && self.toy.is_none()
    }

    /// Whether what is named is standard input.
    pub fn is_stdin(&self) -> bool {
        self.data.as_deref().is_some_and(is_stdin)
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
            true => self.open_table(path, tell),
            false => self.open_images(path, tell),
        }
    }

    pub fn open_table(&self, path: &Path, tell: &mut dyn FnMut(String)) -> Result<Source> {
        let table = self.read_table(path)?;
        for column in &table.schema.columns {
            if let Shape::Categorical { categories } = &column.shape
                && categories.len() > 20
                && 2 * categories.len() > table.rows
            {
                let (name, n) = (&column.name, categories.len());
                tell(format!(
                    "column {name} has {n} categories in {} rows, which will be learned by heart; --drop {name} leaves it out",
                    table.rows
                ));
            }
        }
        if table.rows < 2 {
            bail!(Failure::of_file(
                &path.display().to_string(),
                "has no two rows to learn from"
            ));
        }
        Ok(Source::Rows(Box::new(Rows::new(table, SEED))))
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
            missing: match self.missing.is_empty() {
                true => ReadOptions::default().missing,
                false => self.missing.clone(),
            },
            ..ReadOptions::default()
        }
    }

    pub fn open_images(&self, path: &Path, tell: &mut dyn FnMut(String)) -> Result<Source> {
        s3::refuse(path)?;
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
