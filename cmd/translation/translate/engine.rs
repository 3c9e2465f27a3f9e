//! Translating as a command, line by line of its files, or body by body.

use super::{Job, Pictures, References, To};
use crate::engine::{Answer, Body, Engine, Kind};
use crate::stream::{Failure, Output, input};
use crate::subword::lines::Blocks;
use anyhow::Result;
use wordmill::text::jsonl;
use wordmill::translate::decode::Model;

/// The field of an object with what is to be translated.
const FIELD: &str = "text";

impl<M: Model> Engine for Job<'_, M> {
    fn run(&self) -> Result<()> {
        let args = self.args;
        let mut references = (args.score_reference.as_deref())
            .map(References::open)
            .transpose()?;
        let mut pictures = (args.attention.as_deref())
            .map(Pictures::create)
            .transpose()?;
        let mut blocks = Blocks::new(
            args.lines.input(),
            args.lines.shard(),
            args.lines.is_eager(),
        )?;
        let mut output = Output::create(args.lines.out(), args.lines.is_eager())?;
        let mut write = || -> Result<()> {
            while let Some(block) = blocks.next()? {
                let sinks = (references.as_mut(), pictures.as_mut());
                self.translate(&block, sinks, |text| {
                    output.write(text)?;
                    output.end_of_unit()
                })?;
            }
            references.as_mut().map_or(Ok(()), References::end)
        };
        match write() {
            Ok(()) => {
                pictures.map_or(Ok(()), Pictures::finish)?;
                output.finish()
            }
            Err(error) => {
                output.abandon()?;
                Err(error)
            }
        }
    }

    fn answer(&self, body: Body) -> Result<Answer> {
        let own = match body.is_jsonl && self.kinds().contains(&Kind::Jsonl) {
            true => Kind::Jsonl,
            false => kind(self.to),
        };
        let kind = body.wanted.unwrap_or(own);
        let to = match kind {
            Kind::Jsonl => To::Jsonl,
            Kind::Plain | Kind::Tsv | Kind::Html => To::Text,
        };
        let bytes = match body.is_jsonl {
            true => lines(body.bytes)?,
            false => body.bytes,
        };
        let job = self.to(to);
        let mut text = String::new();
        let mut blocks = Blocks::of_body(self.args.lines.input(), bytes)?;
        while let Some(block) = blocks.next()? {
            job.translate(&block, (None, None), |translated| {
                text += translated;
                Ok(())
            })?;
        }
        Ok(Answer { text, kind })
    }

    /// A GPU finds alignments, which objects have, only where it was told so from the first.
    fn kinds(&self) -> Vec<Kind> {
        match self.gpu.is_none() || self.args.aligns() {
            true => vec![Kind::Plain, Kind::Jsonl],
            false => vec![Kind::Plain],
        }
    }

    fn field(&self) -> &str {
        FIELD
    }

    fn threads(&self) -> Option<u16> {
        match self.gpu {
            // The device is one, and so is who feeds it.
            Some(_) => Some(1),
            None => self.args.lines.threads(),
        }
    }

    fn file_flag(&self) -> Option<&'static str> {
        let (args, lines) = (self.args, &self.args.lines);
        let flags = [
            ("FILE", !lines.input().files.is_empty()),
            ("--out", lines.out().is_some()),
            ("--shard", lines.shard().is_some()),
            ("--attention", args.attention.is_some()),
            ("--score-reference", args.score_reference.is_some()),
        ];
        flags.iter().find(|(_, is_given)| *is_given).map(|f| f.0)
    }
}

fn kind(to: To) -> Kind {
    match to {
        To::Text => Kind::Plain,
        To::Jsonl => Kind::Jsonl,
    }
}

/// The texts of objects, a line each.
fn lines(body: Vec<u8>) -> Result<Vec<u8>> {
    let body = String::from_utf8(body).map_err(|error| {
        let error = error.utf8_error();
        Failure::of_file(
            input::STDIN,
            format!("invalid UTF-8 at byte {}", error.valid_up_to() + 1),
        )
    })?;
    let mut lines = String::with_capacity(body.len());
    for (number, line) in (1..).zip(body.lines()) {
        if !line.trim_ascii().is_empty() {
            let document = jsonl::parse(line, number, FIELD)
                .map_err(|error| Failure::of_format(input::STDIN, error))?;
            // A text is a line, whatever lines it has.
            let text = document.text.unwrap_or_default();
            lines.extend(text.chars().map(|c| match c {
                '\n' | '\r' => ' ',
                c => c,
            }));
        }
        lines.push('\n');
    }
    Ok(lines.into_bytes())
}
