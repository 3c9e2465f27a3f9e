//! A command with its layer: over its files in parallel, or over one body after another, each in one go.

use super::args::{From, StreamArgs};
use super::failure::Failure;
use super::input::{Defaults, Opened};
use super::record::{self, Analysed};
use super::{Job, driver};
use crate::engine::{Answer, Body, Engine, Kind};
use anyhow::Result;
use clap::ValueEnum;
use wordmill::text::document::Document;
use wordmill::text::format::{InputFormat, OutputFormat};
use wordmill::text::html::Legend;

/// Adds a layer to a document, or to a window of a long one.
pub type Layer<'a> = dyn Fn(&mut Document) -> Result<()> + Sync + 'a;

/// A layer, the stream it is for, and what else is done with that.
pub struct Layered<'a> {
    pub args: &'a StreamArgs,
    pub job: Job<'a>,
    pub layer: &'a Layer<'a>,
}

impl Engine for Layered<'_> {
    /// Calls the layer on each document in parallel, and prints in order.
    fn run(&self) -> Result<()> {
        self.check()?;
        let (args, job) = (self.args, &self.job);
        driver::run(args, job, |work| {
            record::analyse(work, args, job, &self.layer)
        })
    }

    fn answer(&self, body: Body) -> Result<Answer> {
        self.check()?;
        let mut args = self.args.clone();
        if body.is_jsonl {
            args.from = From::Given(InputFormat::Jsonl);
        }
        args.to = self.format(body.wanted, body.is_jsonl);
        let (job, columns) = (&self.job, args.column_spec()?);
        let mut opened = Opened::of_body(&args, body.bytes, Defaults::of(job))?;
        let mut text = record::head(&args, job);
        let mut legend = Legend::default();
        let mut sentences = 1;
        while let Some(work) = opened.next()? {
            match record::analyse(work, &args, job, &self.layer)? {
                Analysed::Finished(finished) => text += &finished,
                Analysed::Record(record) => {
                    let first = sentences;
                    sentences += record.sentences();
                    let (printed, shown) = record::printed(record, first, &args, job, &columns);
                    text += &printed;
                    legend.merge(shown);
                }
            }
        }
        text += &record::foot(&args, job, &legend);
        let kind = kind(opened.source.to);
        Ok(Answer { text, kind })
    }

    fn kinds(&self) -> Vec<Kind> {
        let mut kinds: Vec<Kind> = Vec::new();
        for format in OutputFormat::value_variants() {
            let kind = kind(*format);
            if self.may_print(*format) && !kinds.contains(&kind) {
                kinds.push(kind);
            }
        }
        kinds
    }

    fn field(&self) -> &str {
        &self.args.field
    }

    fn threads(&self) -> Option<u16> {
        self.args.threads
    }

    fn file_flag(&self) -> Option<&'static str> {
        let StreamArgs {
            files, out, shard, ..
        } = self.args;
        let flags = [
            ("FILE", !files.is_empty()),
            ("--out", out.is_some()),
            ("--shard", shard.is_some()),
        ];
        flags.iter().find(|(_, is_given)| *is_given).map(|f| f.0)
    }
}

impl Layered<'_> {
    /// Refuses a format that the command does not have.
    fn check(&self) -> Result<()> {
        if self.job.highlight.is_none()
            && let Some(to @ (OutputFormat::Html | OutputFormat::Ansi)) = self.args.to
            && let Some(name) = to.to_possible_value()
        {
            let problem = format!(
                "--to {} is for tags and entities: pos, ner and annotate have it",
                name.get_name()
            );
            return Err(Failure::usage(problem).into());
        }
        Ok(())
    }

    fn may_print(&self, format: OutputFormat) -> bool {
        match (self.job.only, format) {
            (Some(only), format) => only.contains(&format),
            (None, OutputFormat::Html | OutputFormat::Ansi) => self.job.highlight.is_some(),
            (None, _) => true,
        }
    }

    /// The value of `--to` for a kind of answer: that of the command line where it is of this kind, or where text is to be
    /// printed as the command prints it.
    fn format(&self, wanted: Option<Kind>, is_jsonl: bool) -> Option<OutputFormat> {
        let own = self.args.to.unwrap_or(self.job.default_to);
        match wanted {
            None => self.args.to,
            Some(wanted) if wanted == kind(own) => match is_jsonl {
                true => Some(own),
                false => self.args.to,
            },
            Some(Kind::Plain) if self.may_print(OutputFormat::Text) => Some(OutputFormat::Text),
            Some(Kind::Plain) => Some(OutputFormat::Raw),
            Some(Kind::Jsonl) => Some(OutputFormat::Jsonl),
            Some(Kind::Tsv) => Some(OutputFormat::Tsv),
            Some(Kind::Html) => Some(OutputFormat::Html),
        }
    }
}

fn kind(format: OutputFormat) -> Kind {
    match format {
        OutputFormat::Tsv => Kind::Tsv,
        OutputFormat::Jsonl => Kind::Jsonl,
        OutputFormat::Html => Kind::Html,
        OutputFormat::Text
        | OutputFormat::Words
        | OutputFormat::Raw
        | OutputFormat::Conllu
        | OutputFormat::Columns
        | OutputFormat::Ansi => Kind::Plain,
    }
}
