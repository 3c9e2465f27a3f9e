//! Lines through a function, in parallel and in order: one line of output for each.

use crate::stream::input::{self, Stream, locate_failure, name_of, unit_failure};
use crate::stream::{Failure, Invalid, Output, encoding};
use anyhow::{Error, Result};
use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use wordmill::ordered::ordered;
use wordmill::text::format::InputFormat;
use wordmill::text::shard::{Shard, Sharder};
use wordmill::text::units::{Cut, Unit, Units};

/// Flags for which text is read.
#[derive(clap::Args, Clone, Debug)]
pub struct InputArgs {
    /// Files of lines; - or none is standard input; .gz and .zst are decompressed
    #[arg(value_name = "FILE")]
    pub files: Vec<PathBuf>,
    /// Encoding of the input, such as windows-1252; UTF-16 is known by its mark [default: utf-8]
    #[arg(long, value_name = "NAME", value_parser = encoding)]
    encoding: Option<&'static encoding_rs::Encoding>,
    /// What to do about bytes that are not UTF-8
    #[arg(long, value_enum, default_value_t)]
    invalid: Invalid,
    /// Number of threads, which change no byte of the result [default: one per core]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    pub threads: Option<u16>,
}

/// Flags for lines in and lines out.
#[derive(clap::Args, Clone, Debug)]
pub struct LineArgs {
    #[command(flatten)]
    input: InputArgs,
    /// Take every N-th line only, counted from I = 0
    #[arg(long, value_name = "I/N")]
    shard: Option<Shard>,
    /// File to write; it appears when it is whole; .gz and .zst are compressed
    #[arg(short, long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Print every line as soon as it is complete
    #[arg(long)]
    line_buffered: bool,
}

impl LineArgs {
    pub fn input(&self) -> &InputArgs {
        &self.input
    }

    pub fn threads(&self) -> Option<u16> {
        self.input.threads
    }

    pub fn shard(&self) -> Option<Shard> {
        self.shard
    }

    pub fn out(&self) -> Option<&Path> {
        self.out.as_deref()
    }

    /// Whether lines are printed as soon as they are complete.
    pub fn is_eager(&self) -> bool {
        self.line_buffered
    }
}

/// Some lines of an input.
pub struct Block {
    name: String,
    unit: Unit,
    /// The number of the first line in all that is read, from 0.
    first: u64,
}

/// A line without its end.
pub struct Line<'b> {
    pub text: &'b str,
    /// Counted through all that is read, from 0.
    pub number: u64,
    name: &'b str,
    /// Counted in its file, from 1.
    line: u64,
}

impl Block {
    /// Its lines.
    pub fn lines(&self) -> impl Iterator<Item = Line<'_>> {
        (0..).zip(self.unit.text.lines()).map(|(i, text)| Line {
            text,
            number: self.first + i,
            name: &self.name,
            line: self.unit.line + i * self.unit.line_step,
        })
    }
}

impl Line<'_> {
    /// Something that is wrong with this line.
    pub fn failure(&self, problem: impl Into<String>) -> Failure {
        Failure::at_line(self.name, self.line, problem)
    }
}

/// Reads blocks of whole lines from one file after another.
pub struct Blocks {
    args: InputArgs,
    files: std::vec::IntoIter<PathBuf>,
    sharder: Option<Sharder>,
    is_eager: bool,
    open: Option<(String, Cut, Units<Stream>)>,
    count: u64,
}

impl Blocks {
    /// # Errors
    /// When a file does not exist, or there is nothing to read.
    pub fn new(args: &InputArgs, shard: Option<Shard>, is_eager: bool) -> Result<Blocks> {
        Ok(Blocks {
            files: input::inputs(&args.files)?.into_iter(),
            args: args.clone(),
            sharder: shard.map(Sharder::new),
            is_eager,
            open: None,
            count: 0,
        })
    }

    /// What would be standard input.
    ///
    /// # Errors
    /// When it is not in its encoding.
    pub fn of_body(args: &InputArgs, body: Vec<u8>) -> Result<Blocks> {
        let stream = input::body_text(body, (args.encoding, args.invalid))
            .map_err(|error| locate_failure(input::STDIN, error))?;
        let cut = cut(args, false);
        Ok(Blocks {
            args: args.clone(),
            files: Vec::new().into_iter(),
            sharder: None,
            is_eager: false,
            open: Some((input::STDIN.to_string(), cut, Units::new(stream, cut))),
            count: 0,
        })
    }

    /// The next lines, none behind the last.
    ///
    /// # Errors
    /// When a file cannot be read, or is not in its encoding.
    pub fn next(&mut self) -> Result<Option<Block>> {
        loop {
            let Some((name, cut, units)) = &mut self.open else {
                let Some(path) = self.files.next() else {
                    return Ok(None);
                };
                self.open = Some(self.opened(&path)?);
                continue;
            };
            let unit = units
                .next_unit()
                .map_err(|error| unit_failure(name, error))?;
            let Some(unit) = unit else {
                self.open = None;
                continue;
            };
            let unit = match &mut self.sharder {
                Some(sharder) => sharder.select(unit, cut).pop(),
                None => Some(unit),
            };
            if let Some(unit) = unit {
                let first = self.count;
                self.count += unit.text.lines().count() as u64;
                let name = name.clone();
                return Ok(Some(Block { name, unit, first }));
            }
        }
    }

    fn opened(&self, path: &Path) -> Result<(String, Cut, Units<Stream>)> {
        let name = name_of(path);
        let opened = input::open_text(
            path,
            (self.args.encoding, self.args.invalid),
            &Arc::default(),
        );
        let stream = opened.map_err(|error| locate_failure(&name, error))?;
        let is_terminal = input::is_stdin(path) && std::io::stdin().is_terminal();
        let cut = cut(&self.args, self.is_eager || is_terminal);
        Ok((name, cut, Units::new(stream, cut)))
    }
}

/// Whole lines.
fn cut(args: &InputArgs, eager: bool) -> Cut {
    Cut {
        format: InputFormat::Lines,
        newline_breaks: false,
        whole_lines: true,
        whole_documents: true,
        replace_invalid: args.invalid == Invalid::Replace,
        eager,
    }
}

impl Block {
    /// Its text, line ends included.
    pub fn text(&self) -> &str {
        &self.unit.text
    }
}

/// Reads every line, calls `look` on blocks of them in their order, and `work` on each line in parallel, which appends
/// what is printed for it.
///
/// # Errors
/// The first in the order of the lines.
pub fn run(
    args: &LineArgs,
    look: impl Fn(&Block) + Send + 'static,
    work: impl Fn(&Line, &mut String) -> Result<()> + Sync,
) -> Result<()> {
    let mut blocks = Blocks::new(&args.input, args.shard, args.line_buffered)?;
    let mut output = Output::create(args.out.as_deref(), args.line_buffered)?;
    let cores = || std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let next = move || {
        let block = blocks.next()?;
        if let Some(block) = &block {
            look(block);
        }
        Ok(block)
    };
    let printed = |_: &mut (), block: Block| {
        let mut out = String::with_capacity(2 * block.unit.text.len());
        for line in block.lines() {
            work(&line, &mut out)?;
            out.push('\n');
        }
        Ok::<String, Error>(out)
    };
    let done = ordered(
        args.input.threads.map_or_else(cores, usize::from),
        next,
        |_| (),
        printed,
        |text| {
            output.write(&text)?;
            output.end_of_unit()
        },
    );
    match done {
        Ok(_) => output.finish(),
        Err(error) => {
            output.abandon()?;
            Err(error)
        }
    }
}
