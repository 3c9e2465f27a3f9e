//! One unit on its way: from text to documents, and from documents to text.

use super::args::StreamArgs;
use super::driver::Work;
use super::failure::Failure;
use super::input::Source;
use super::{Job, TextFilter, Tsv};
use anyhow::{Context, Result};
use std::sync::Arc;
use wordmill::text::columns::{self, ColumnSpec};
use wordmill::text::document::{Document, Offset, Opens};
use wordmill::text::format::{FormatError, InputFormat, OutputFormat};
use wordmill::text::html::{self, Legend};
use wordmill::text::units::Unit;
use wordmill::text::{ansi, boundary, conllu, jsonl, plain, tsv};

/// What a unit has become.
pub enum Analysed {
    /// Documents, to be printed when the number of their first sentence is known.
    Record(Record),
    /// Output.
    Finished(String),
}

/// The documents of a unit.
pub struct Record {
    source: Arc<Source>,
    items: Vec<Item>,
    /// The last item goes on in the next record, on the same line.
    stops_in_line: bool,
}

enum Item {
    /// A document and its name for tab-separated output.
    Document {
        document: Box<Document>,
        name: String,
    },
    /// A blank line of JSON Lines.
    Blank,
}

impl Record {
    /// The number of its sentences.
    pub fn sentences(&self) -> u64 {
        let count = |item: &Item| match item {
            Item::Document { document, .. } => document.sentences.len() as u64,
            Item::Blank => 0,
        };
        self.items.iter().map(count).sum()
    }
}

/// What output begins with: the head of a page; the header line of tab-separated output, if it was asked for.
pub fn head(args: &StreamArgs, job: &Job) -> String {
    if args.to == Some(OutputFormat::Html) {
        return html::head(&title(args));
    }
    if !(args.header && args.to.unwrap_or(job.default_to) == OutputFormat::Tsv) {
        return String::new();
    }
    match job.tsv {
        Tsv::Entities => tsv::ENTITY_COLUMNS.join("\t") + "\n",
        Tsv::Words(columns) => {
            let names: Vec<_> = columns.iter().map(|column| column.name()).collect();
            names.join("\t") + "\n"
        }
    }
}

/// The files that were named, without their folders.
fn title(args: &StreamArgs) -> String {
    let names = args.files.iter().filter_map(|path| path.file_name());
    let names: Vec<_> = names.map(|name| name.to_string_lossy()).take(4).collect();
    match names.len() {
        0 => "wordmill".to_string(),
        4 => format!("{}, …", names[..3].join(", ")),
        _ => names.join(", "),
    }
}

/// What output ends with: the foot of a page.
pub fn foot(args: &StreamArgs, job: &Job, legend: &Legend) -> String {
    match args.to {
        Some(OutputFormat::Html) => legend.foot(job.highlight.unwrap_or_default()),
        _ => String::new(),
    }
}

/// Parses a unit and calls `layer` on its documents, or sends its text through the filter of the job.
pub fn analyse(
    work: Work,
    args: &StreamArgs,
    job: &Job,
    layer: &impl Fn(&mut Document) -> Result<()>,
) -> Result<Analysed> {
    let Work { unit, source } = work;
    let is_plain = matches!(source.format, InputFormat::Text | InputFormat::Lines);
    if let Some(filter) = job.from_text
        && is_plain
        && matches!(source.to, OutputFormat::Text | OutputFormat::Words)
    {
        return Ok(Analysed::Finished(filtered(&unit, &source, filter)));
    }
    let stops_in_line = unit.stops_in_line;
    let mut items = parsed(unit, &source, args)?;
    for item in &mut items {
        if let Item::Document { document, .. } = item {
            layer(document).with_context(|| source.name.clone())?;
        }
    }
    Ok(Analysed::Record(Record {
        source,
        items,
        stops_in_line,
    }))
}

fn filtered(unit: &Unit, source: &Source, filter: &TextFilter) -> String {
    // Spaces between words and the parts of contractions add a tenth or two.
    let mut out = String::with_capacity(unit.text.len() + unit.text.len() / 4);
    filter(&unit.text, &mut out);
    if unit.stops_in_line && source.to == OutputFormat::Text {
        continue_line(&mut out);
    }
    out
}

/// Takes back the end of a line of tokens that goes on.
fn continue_line(out: &mut String) {
    if out.ends_with('\n') {
        out.pop();
        if !out.is_empty() && !out.ends_with('\n') {
            out.push(' ');
        }
    }
}

fn parsed(unit: Unit, source: &Source, args: &StreamArgs) -> Result<Vec<Item>> {
    let name = || source.name.clone();
    let failure = |error: FormatError| Failure::of_format(&source.name, error);
    let item = |document: Document, name: String| Item::Document {
        document: Box::new(document),
        name,
    };
    Ok(match source.format {
        InputFormat::Text => vec![item(
            Document {
                text: Some(unit.text),
                start: unit.start,
                opens: unit.opens,
                ..Document::default()
            },
            name(),
        )],
        InputFormat::Lines => {
            let mut continues = unit.continues_line;
            let of_line = |(number, line): (u64, &str)| {
                let (start, opens) = match std::mem::take(&mut continues) {
                    true => (unit.start, Opens::Nothing),
                    false => (Offset::default(), Opens::Document),
                };
                // Only the text itself shows whether a line ended in a carriage return too.
                let line = match source.to {
                    OutputFormat::Raw => line,
                    _ => line.strip_suffix('\r').unwrap_or(line),
                };
                let document = Document {
                    text: Some(line.to_string()),
                    start,
                    opens,
                    ..Document::default()
                };
                item(document, format!("{}:{number}", source.name))
            };
            raw_lines(&unit).map(of_line).collect()
        }
        InputFormat::Tokens => {
            let mut opens = unit.opens;
            let of_line = |(_, line): (u64, &str)| {
                let mut document = plain::parse_tokens(line);
                if let Some(sentence) = document.sentences.first_mut() {
                    sentence.opens = std::mem::take(&mut opens);
                }
                item(document, name())
            };
            lines(&unit).map(of_line).collect()
        }
        InputFormat::Jsonl => {
            let mut items = Vec::new();
            for (number, line) in lines(&unit) {
                if line.trim_ascii().is_empty() {
                    items.push(Item::Blank);
                    continue;
                }
                let document = jsonl::parse(line, number, &args.field).map_err(failure)?;
                let name = document
                    .id
                    .clone()
                    .unwrap_or_else(|| format!("{}:{number}", source.name));
                items.push(item(document, name));
            }
            items
        }
        InputFormat::Conllu => {
            let mut id = unit.document.clone();
            let mut items = Vec::new();
            for (lines, text) in boundary::documents(&unit.text) {
                let mut document = conllu::parse(text, unit.line + lines).map_err(failure)?;
                if boundary::starts_with_document(text) {
                    id = document.id.clone();
                } else {
                    document.id.clone_from(&id);
                }
                items.push(item(document, id.clone().unwrap_or_else(name)));
            }
            items
        }
        InputFormat::Columns => {
            let spec = args.column_spec()?;
            let mut items = Vec::new();
            for (lines, text) in boundary::documents(&unit.text) {
                let document = columns::parse(text, unit.line + lines, &spec).map_err(failure)?;
                items.push(item(document, name()));
            }
            items
        }
    })
}

/// The lines of a unit without their ends, and their numbers in the file.
fn lines(unit: &Unit) -> impl Iterator<Item = (u64, &str)> {
    raw_lines(unit).map(|(number, line)| (number, line.strip_suffix('\r').unwrap_or(line)))
}

/// The lines of a unit, carriage returns included.
fn raw_lines(unit: &Unit) -> impl Iterator<Item = (u64, &str)> {
    let numbered = unit.text.split_inclusive('\n').enumerate();
    numbered.map(|(i, line)| {
        let number = unit.line + i as u64 * unit.line_step;
        (number, line.strip_suffix('\n').unwrap_or(line))
    })
}

/// The output of a record whose first sentence has the number `first`, and the labels it has shown.
pub fn printed(
    record: Record,
    first: u64,
    args: &StreamArgs,
    job: &Job,
    spec: &ColumnSpec,
) -> (String, Legend) {
    let mut out = String::new();
    let mut legend = Legend::default();
    // Commands that have none do not get here with a format that asks for it.
    let highlight = job.highlight.unwrap_or_default();
    let mut number = first;
    let count = record.items.len();
    let source = &record.source;
    // A line in is a line out.
    let one_line = matches!(source.format, InputFormat::Lines | InputFormat::Tokens);
    for (i, item) in record.items.into_iter().enumerate() {
        let goes_on = record.stops_in_line && i + 1 == count;
        let (mut document, name) = match item {
            Item::Document { document, name } => (document, name),
            Item::Blank => {
                if source.to == OutputFormat::Jsonl {
                    out.push('\n');
                }
                continue;
            }
        };
        let sentences = document.sentences.len() as u64;
        match source.to {
            OutputFormat::Text => {
                plain::print_text(&document, job.view, one_line, &mut out);
                if goes_on {
                    continue_line(&mut out);
                }
            }
            OutputFormat::Words => plain::print_words(&document, job.view, &mut out),
            OutputFormat::Raw | OutputFormat::Ansi => {
                let before = out.len();
                match source.to {
                    OutputFormat::Ansi => ansi::print(&mut document, highlight, &mut out),
                    _ => plain::print_raw(&document, &mut out),
                }
                let is_line = one_line || source.format == InputFormat::Jsonl;
                if is_line && !goes_on && (out.len() == before || !out.ends_with('\n')) {
                    out.push('\n');
                }
            }
            OutputFormat::Tsv => match job.tsv {
                Tsv::Words(columns) => tsv::print_tsv(&document, columns, &mut out),
                Tsv::Entities => tsv::print_entities(&mut document, &name, &mut out),
            },
            OutputFormat::Conllu => conllu::print(&document, number, &mut out),
            OutputFormat::Jsonl => jsonl::print(&mut document, &args.field, args.offsets, &mut out),
            OutputFormat::Columns => columns::print(&document, spec, &mut out),
            OutputFormat::Html => {
                html::print(&mut document, highlight, one_line, &mut legend, &mut out);
            }
        }
        number += sentences;
    }
    (out, legend)
}
