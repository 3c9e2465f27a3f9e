//! What `bow` and `tfidf` share: documents through terms into a matrix, in one pass or two.
//!
//! | file | what is in it |
//! |---|---|
//! | `args` | the flags |
//! | `read` | inputs cut into batches of documents |
//! | `texts` | documents that are cut one by one: CSV, paragraphs, files |
//! | `learned` | columns as they are learned, and all that wants to know of them |
//! | `shape` | counts into weights and rows |
//! | `sink` | the matrix and the files beside it |
//! | `model` | counts read back, and what is saved |
//! | `index`, `search` | indexes: made, and asked |

pub mod args;
pub mod index;
mod learned;
pub mod model;
mod read;
pub mod search;
mod shape;
mod sink;
mod texts;

pub use read::Reader;

use crate::stream::input::is_too_many;
use crate::stream::{Failure, Output, s3};
use crate::threads;
use anyhow::{Error, Result};
use args::{DocumentArgs, MatrixArgs, ResourceArgs};
use index::{IndexFile, Indexed};
use learned::Learned;
use rayon::prelude::*;
use shape::Shape;
use sink::Sink;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use wordmill::bag::BagError;
use wordmill::bag::analyzer::{Analyzer, Workspace};
use wordmill::bag::columns::{Columns, KnownRow};
use wordmill::bag::counter::Total;
use wordmill::bag::counts::{Header, escape, put_line};
use wordmill::bag::cut::Cut;
use wordmill::bag::fit::{Collector, Fit, Keeps, Plan};
use wordmill::bag::matrix::{Encoded, Encoder, Labels, MatrixFormat, Names};
use wordmill::bag::rows::{About, Block, Spool};
use wordmill::bag::weight::{WeightOptions, Weights, WeightsBuilder};
use wordmill::ordered::ordered;

/// What is made of the documents.
pub struct Job<'a> {
    pub documents: &'a DocumentArgs,
    pub analyzer: &'a Analyzer,
    pub out: &'a MatrixArgs,
    /// Values are weights; else counts.
    pub weights: Option<WeightOptions>,
    /// Only so many terms of a document, the heaviest.
    pub top: Option<usize>,
    /// Where the columns and what is known of them go.
    pub save: Option<&'a Path>,
    /// Where an index of the documents goes; then the matrix is written only where that was asked for.
    pub index: Option<&'a Path>,
}

/// Columns that are known beforehand.
pub struct Known {
    pub columns: Columns,
    /// Of the vocabulary; hashed columns have none.
    pub names: Option<Names>,
    pub labels: Labels,
}

/// Counts documents: the first pass, which keeps what the second needs.
pub fn count(
    documents: &DocumentArgs,
    analyzer: &Analyzer,
    columns: Option<&Columns>,
    keeps: Keeps,
) -> Result<(Fit, Spool)> {
    let folder = documents.resources.folder();
    let (mut reader, mut progress) = Reader::new(documents)?;
    reader.expect_layers(analyzer.options());
    let skipped = reader.skipped();
    let workers = workers(&documents.resources)?;
    let plan = Plan {
        analyzer,
        fields: &documents.fields(),
        columns,
        keeps,
        // A table that grows is copied: for a moment there are two.
        memory: documents.resources.memory / workers / 2,
        folder: &folder,
    };
    let mut spool = Spool::new(&folder);
    let collectors = ordered(
        workers,
        move || reader.next_batch(),
        |worker| Collector::new(&plan, worker),
        |collector, batch| collector.batch(&batch).map_err(failure),
        |block| {
            progress.show();
            match keeps {
                Keeps::Nothing => Ok(()),
                _ => spool.push(&block).map_err(failure),
            }
        },
    )?;
    progress.finish();
    report_skipped(&skipped);
    let collected: Vec<_> = collectors.into_par_iter().map(Collector::finish).collect();
    Ok((Fit::of(collected), spool))
}

/// Learns the columns from the documents and writes their matrix: two passes, the second over what the first has left
/// of them.
pub fn fit(job: &Job, cut: &Cut, known: Option<Known>) -> Result<()> {
    let resources = &job.documents.resources;
    // Wrong usage and outputs that cannot be are found before anything is read.
    job.encoder(Labels::default())?;
    let out = job.out.out.as_deref();
    let matrix = (job.writes_matrix().then(|| Output::create(out, false))).transpose()?;
    let mut saved = (job.save.map(|path| Output::create(Some(path), false))).transpose()?;
    job.index.map_or(Ok(()), s3::refuse)?;
    let index = (job.index.map(|path| IndexFile::create(path, job))).transpose()?;
    let columns = known.as_ref().map(|known| &known.columns);
    let keeps = match job.index {
        None => Keeps::Rows,
        Some(_) => Keeps::RowsAndSnippets,
    };
    let (fit, spool) = count(job.documents, job.analyzer, columns, keeps)?;
    let documents = fit.documents;
    let mut encoder = job.encoder(Labels::new(&fit.labels))?;
    let mut learned = Learned::new(job, &fit, known, encoder.format)?;
    let header = model::header(&fit, job, cut);
    if let Some(saved) = &mut saved {
        saved.write(&header.to_lines())?;
    }
    learned.saved = saved;
    learned.index = index.map(|index| index.begin(header));
    let columns = fit.columns(cut, |term, total| learned.push(term, total));
    let mappings = columns.map_err(own_failure)?;
    if learned.width == 0 && documents > 0 {
        return Err(failure(BagError::NoTerms { documents }));
    }
    let weights = learned.weights.take().map(WeightsBuilder::finish);
    let cells = learned.cells(weights.as_ref(), job.top);
    encoder.columns = learned.width;
    encoder.names = learned.names.take();
    let shape = Shape::new(job, &encoder, weights.as_ref())?;
    let folder = resources.folder();
    let sink = matrix.map(|matrix| Sink::new((matrix, out), &encoder, cells, &folder));
    let mut sink = sink.transpose()?;
    let (mut index, index_weights) = (learned.index.take())
        .map(|index| index.finish(&folder))
        .transpose()?
        .unzip();
    let writes_matrix = sink.is_some();
    let mut blocks = spool.read()?;
    let mut first = 0;
    ordered(
        rayon::current_num_threads(),
        move || {
            let Some(block) = blocks.next_block()? else {
                return Ok(None);
            };
            first += block.documents;
            Ok(Some((first - block.documents, block)))
        },
        |_| (Vec::new(), Vec::new()),
        |(cells, values), (first, block): (u64, Block)| {
            let mut out = Encoded::default();
            let mut indexed = Vec::new();
            for (number, document) in (first..).zip(block.documents()) {
                mappings.apply(&block, &document, cells);
                let About { id, label, .. } = document.about;
                if writes_matrix {
                    let cells = (&cells[..], document.length);
                    shape.row(number, (id, label), cells, values, &mut out)?;
                }
                if let Some(weights) = &index_weights {
                    weights.row(cells, document.length, values);
                    let id = id.map_or_else(|| shape.counted(number), str::to_owned);
                    indexed.push(Indexed::new(id, &document, cells.clone(), values));
                }
            }
            Ok((out, indexed))
        },
        |(encoded, indexed)| {
            if let Some(index) = &mut index {
                indexed
                    .iter()
                    .try_for_each(|document| index.add(document))?;
            }
            sink.iter_mut().try_for_each(|sink| sink.put(&encoded))
        },
    )?;
    if let (Some(index), Some(names)) = (index, &encoder.names) {
        index.finish(names)?;
    }
    learned.finish()?;
    sink.map_or(Ok(()), |sink| sink.finish(encoder.columns))
}

/// Writes the matrix of the documents with columns that are known: one pass in bounded memory.
pub fn transform(job: &Job, known: Known, weights: Option<&Weights>) -> Result<()> {
    let resources = &job.documents.resources;
    let (mut reader, mut progress) = Reader::new(job.documents)?;
    reader.expect_layers(job.analyzer.options());
    let skipped = reader.skipped();
    let mut encoder = job.encoder(known.labels)?;
    encoder.columns = known.columns.count();
    let beside = sink::beside(job.out.out.as_deref(), encoder.format);
    let terms = match (beside, &known.names) {
        (Some((terms, _)), Some(names)) => Some(write_names(names, &terms)?),
        _ => None,
    };
    encoder.names = known.names;
    let shape = Shape::new(job, &encoder, weights)?;
    let out = job.out.out.as_deref();
    let matrix = Output::create(out, false)?;
    let mut sink = Sink::new((matrix, out), &encoder, None, &resources.folder())?;
    let fields = job.documents.fields();
    ordered(
        workers(resources)?,
        move || reader.next_batch(),
        |_| (Workspace::default(), KnownRow::default(), Vec::new()),
        |(work, row, values), batch| {
            let mut out = Encoded::default();
            let mut number = batch.first;
            let file = &batch.file;
            let read = batch.documents(&fields, |document| {
                let columns = &known.columns;
                (document.content).terms(job.analyzer, work, |term| columns.add(term, row));
                let cells = row.end(job.analyzer.options().binary);
                let names = (document.id.as_deref(), document.label.as_deref());
                number += 1;
                shape
                    .row(number - 1, names, cells, values, &mut out)
                    .map_err(Stop::Other)
            });
            read.map_err(|stop| match stop {
                Stop::Format(error) => Failure::of_format(file, error).into(),
                Stop::Other(error) => error,
            })?;
            Ok(out)
        },
        |encoded| {
            progress.show();
            sink.put(&encoded)
        },
    )?;
    progress.finish();
    report_skipped(&skipped);
    if let Some(terms) = terms {
        terms.finish()?;
    }
    sink.finish(encoder.columns)
}

/// Why a batch ended early.
enum Stop {
    Format(wordmill::text::format::FormatError),
    Other(Error),
}

impl From<wordmill::text::format::FormatError> for Stop {
    fn from(error: wordmill::text::format::FormatError) -> Stop {
        Stop::Format(error)
    }
}

impl Job<'_> {
    fn writes_matrix(&self) -> bool {
        self.index.is_none() || self.out.is_given() || self.top.is_some()
    }

    /// An encoder that knows no columns yet.
    fn encoder(&self, labels: Labels) -> Result<Encoder> {
        let default = match self.top {
            Some(_) => MatrixFormat::Tsv,
            None => MatrixFormat::Svmlight,
        };
        let format = self.out.format(default);
        if self.out.dense && format != MatrixFormat::Csv {
            return Err(Failure::usage("--dense is for --to csv").into());
        }
        Ok(Encoder {
            format,
            dense: self.out.dense,
            counts: self.weights.is_none(),
            names: None,
            columns: 0,
            labels,
            lists_documents: sink::beside(self.out.out.as_deref(), format).is_some(),
        })
    }
}

/// Writes all terms and their totals: partial counts.
pub fn write_counts(fit: &Fit, header: &Header, cut: &Cut, mut output: Output) -> Result<()> {
    output.write(&header.to_lines())?;
    let mut line = Vec::new();
    fit.terms(cut, |term: &[u8], total: Total| {
        line.clear();
        put_line(term, total, &mut line);
        output.write_bytes(&line)
    })
    .map_err(own_failure)?;
    output.finish()
}

/// Writes the names of the columns; the file has its name when it is finished.
fn write_names(names: &Names, path: &Path) -> Result<Output> {
    let mut output = Output::create(Some(path), false)?;
    let mut line = Vec::new();
    for column in 0..names.len() as u32 {
        line.clear();
        escape(names.get(column), &mut line);
        line.push(b'\n');
        output.write_bytes(&line)?;
    }
    Ok(output)
}

/// Starts the pool; called once.
fn workers(resources: &ResourceArgs) -> Result<usize> {
    threads::limit(resources.threads)?;
    Ok(rayon::current_num_threads())
}

fn report_skipped(skipped: &Arc<AtomicU64>) {
    match skipped.load(Ordering::Relaxed) {
        0 => {}
        1 => eprintln!("1 file was skipped"),
        many => eprintln!("{many} files were skipped"),
    }
}

/// The same error with what the user can do about it.
pub fn failure(error: BagError) -> Error {
    match error {
        BagError::Format { file, error } => Failure::of_format(&file, error).into(),
        BagError::Io { file, error } => Failure::of_file(&file, error.to_string()).into(),
        BagError::Bounds { .. } => Failure::usage(error.to_string()).into(),
        BagError::NoTerms { .. } => Failure::plain(error.to_string())
            .hint("--min-df and --max-df, --pattern, --stopwords and --pos leave terms out")
            .into(),
        BagError::Temporary(ref problem) if is_too_many(problem) => {
            Failure::plain("temporary files: too many open files")
                .hint("a larger --memory makes fewer; `ulimit -n` sets how many there may be")
                .into()
        }
        BagError::Temporary(_) => Failure::plain(error.to_string())
            .hint("--temp-dir FOLDER names a folder with more room")
            .into(),
    }
}

/// The same for an error that may be one of ours.
fn own_failure(error: Error) -> Error {
    match error.downcast::<BagError>() {
        Ok(error) => failure(error),
        Err(error) => error,
    }
}
