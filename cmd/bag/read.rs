//! Opens inputs and cuts them into batches of documents.

use super::args::{DocumentArgs, DocumentFormat, DocumentUnit};
use super::texts::{CsvDocuments, paragraphs, whole};
use crate::progress::Progress;
use crate::stream::input::{
    self, detected, locate_failure, name_of, open_failure, read_failure, unit_failure,
};
use crate::stream::{Failure, Invalid, NothingToRead};
use anyhow::Result;
use std::collections::VecDeque;
use std::io::{BufReader, IsTerminal};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use wordmill::bag::analyzer::{Layer, TermOptions};
use wordmill::bag::documents::{Batch, Source, Text};
use wordmill::text::format::InputFormat;
use wordmill::text::shard::Sharder;
use wordmill::text::units::{Cut, Units};

/// The size batches aim at: large enough that what a batch costs by itself does not count.
pub const TARGET: usize = 128 << 10;

/// Cuts all inputs into batches.
pub struct Reader {
    args: DocumentArgs,
    files: VecDeque<PathBuf>,
    open: Option<Open>,
    /// What was read with it and comes next.
    pending: VecDeque<Source>,
    sharder: Option<Sharder>,
    /// Documents that were cut one by one, taken or not.
    seen: u64,
    /// Documents handed on.
    given: u64,
    /// Terms are made of layers or parts of speech, which texts do not have.
    needs_layers: bool,
    count: Arc<AtomicU64>,
    skipped: Arc<AtomicU64>,
}

/// A file that is being read.
struct Open {
    name: Arc<str>,
    kind: Kind,
}

enum Kind {
    Units(Box<Units<input::Stream>>, InputFormat, Cut),
    /// With the number of lines read.
    Paragraphs(BufReader<input::Stream>, u64),
    Csv(Box<CsvDocuments>),
    /// The whole file is a document; nothing when it has been read.
    File(Option<input::Stream>),
}

impl Reader {
    /// Finds the files, and gives the progress through them.
    ///
    /// # Errors
    /// When one does not exist or is a folder that was not to be searched, so that nothing is counted before.
    pub fn new(args: &DocumentArgs) -> Result<(Reader, Progress)> {
        let folder = args.files.iter().find(|file| file.is_dir());
        if let Some(folder) = folder.filter(|_| args.doc != DocumentUnit::File && !args.keep_going)
        {
            return Err(Failure::of_file(&name_of(folder), "is a folder")
                .hint("--doc file takes each file in it for a document")
                .into());
        }
        let files = match folder.is_some() && args.doc == DocumentUnit::File {
            true => in_folders(args)?,
            false if args.keep_going && !args.files.is_empty() => args.files.clone(),
            false => input::inputs(&args.files)?,
        };
        if files.is_empty() && std::io::stdin().is_terminal() && args.files.is_empty() {
            return Err(NothingToRead.into());
        }
        let progress = Progress::of_files(&files, args.resources.quiet);
        let reader = Reader {
            args: args.clone(),
            files: files.into(),
            open: None,
            pending: VecDeque::new(),
            sharder: args.shard.map(Sharder::new),
            seen: 0,
            given: 0,
            needs_layers: false,
            count: progress.count(),
            skipped: Arc::default(),
        };
        Ok((reader, progress))
    }

    /// Refuses documents without the layers that terms are made of.
    pub fn expect_layers(&mut self, terms: &TermOptions) {
        self.needs_layers = terms.layer != Layer::Form || !terms.pos.is_empty();
    }

    /// The number of files that were skipped.
    pub fn skipped(&self) -> Arc<AtomicU64> {
        Arc::clone(&self.skipped)
    }

    /// The next batch; none behind the last.
    ///
    /// # Errors
    /// When a file cannot be read or is not what it should be.
    pub fn next_batch(&mut self) -> Result<Option<Batch>> {
        let batch = self.batch_of_any_kind()?;
        if let Some(batch) = &batch
            && self.needs_layers
            && !matches!(batch.source, Source::Conllu(_))
        {
            let problem = "--layer and --pos are for CoNLL-U";
            return Err(Failure::of_file(&batch.file, problem)
                .hint("`wordmill annotate` adds lemmas and parts of speech to text")
                .into());
        }
        Ok(batch)
    }

    fn batch_of_any_kind(&mut self) -> Result<Option<Batch>> {
        let mut texts = Vec::new();
        let mut size = 0;
        // Files of one document each are put together; all else is a batch as it comes.
        loop {
            if self.open.is_none() && !self.open_next()? {
                return Ok(self.batch("-".into(), Source::Texts(texts)));
            }
            let Some(open) = &mut self.open else { continue };
            let name = Arc::clone(&open.name);
            let is_file = matches!(open.kind, Kind::File(_));
            if !is_file && !texts.is_empty() {
                return Ok(self.batch("-".into(), Source::Texts(texts)));
            }
            let source = match self.read() {
                Ok(source) => source,
                Err(error) if self.args.keep_going && is_file => {
                    self.skip(&error);
                    None
                }
                Err(error) => return Err(error),
            };
            match source {
                None => self.open = None,
                Some(Source::Texts(mut found)) if is_file => {
                    size += found.iter().map(|text| text.text.len()).sum::<usize>();
                    texts.append(&mut found);
                    if size >= TARGET {
                        return Ok(self.batch(name, Source::Texts(texts)));
                    }
                }
                Some(source) => {
                    if let Some(batch) = self.batch(name, source) {
                        return Ok(Some(batch));
                    }
                }
            }
        }
    }

    /// A batch, unless it is empty.
    fn batch(&mut self, file: Arc<str>, source: Source) -> Option<Batch> {
        let batch = Batch {
            file,
            first: self.given,
            source,
        };
        let count = batch.count();
        self.given += count;
        (count > 0).then_some(batch)
    }

    fn open_next(&mut self) -> Result<bool> {
        let Some(path) = self.files.pop_front() else {
            return Ok(false);
        };
        match self.open_file(&path) {
            Ok(kind) => {
                let name = name_of(&path).into();
                self.open = Some(Open { name, kind });
            }
            Err(error) if self.args.keep_going => self.skip(&error),
            Err(error) => return Err(error),
        }
        Ok(true)
    }

    fn skip(&self, error: &anyhow::Error) {
        eprintln!("skipped: {error:#}");
        self.skipped.fetch_add(1, Ordering::Relaxed);
    }

    fn open_file(&self, path: &Path) -> Result<Kind> {
        let args = &self.args;
        let name = name_of(path);
        let encoding = (args.encoding, args.invalid);
        let stream = input::open_text(path, encoding, &self.count)
            .map_err(|error| locate_failure(&name, error))?;
        let lower = name.to_lowercase();
        let bare = lower.trim_end_matches(".gz").trim_end_matches(".zst");
        let (stream, format) = match args.from {
            DocumentFormat::Auto if bare.ends_with(".csv") => (stream, DocumentFormat::Csv),
            DocumentFormat::Auto => {
                let (stream, format) = detected(stream, &args.field)
                    .map_err(|error| read_failure(&name, 0, &error))?;
                let format = match format {
                    InputFormat::Conllu => DocumentFormat::Conllu,
                    InputFormat::Jsonl => DocumentFormat::Jsonl,
                    _ => DocumentFormat::Text,
                };
                (stream, format)
            }
            given => (stream, given),
        };
        let units = |stream, format| {
            let cut = Cut {
                format,
                newline_breaks: false,
                whole_lines: true,
                whole_documents: true,
                replace_invalid: args.invalid == Invalid::Replace,
                eager: false,
            };
            let units = Units::of_whole_documents(stream, cut, TARGET);
            Kind::Units(Box::new(units), format, cut)
        };
        Ok(match (format, args.doc) {
            (DocumentFormat::Jsonl, _) => units(stream, InputFormat::Jsonl),
            (DocumentFormat::Conllu, _) => units(stream, InputFormat::Conllu),
            (DocumentFormat::Csv, _) => {
                Kind::Csv(Box::new(CsvDocuments::open(args, stream, &name)?))
            }
            (_, DocumentUnit::Line) => units(stream, InputFormat::Lines),
            (_, DocumentUnit::Paragraph) => {
                Kind::Paragraphs(BufReader::with_capacity(1 << 16, stream), 0)
            }
            (_, DocumentUnit::File) => Kind::File(Some(stream)),
        })
    }

    /// The next documents of the open file; none at its end.
    fn read(&mut self) -> Result<Option<Source>> {
        if let Some(source) = self.pending.pop_front() {
            return Ok(Some(source));
        }
        let Some(open) = &mut self.open else {
            return Ok(None);
        };
        let replace = self.args.invalid == Invalid::Replace;
        let texts = match &mut open.kind {
            Kind::Units(units, format, cut) => {
                let unit = units
                    .next_unit()
                    .map_err(|error| unit_failure(&open.name, error))?;
                let Some(unit) = unit else {
                    return Ok(None);
                };
                let parts = match &mut self.sharder {
                    None => vec![unit],
                    Some(sharder) => sharder.select(unit, cut),
                };
                self.pending
                    .extend(parts.into_iter().map(|unit| match format {
                        InputFormat::Jsonl => Source::Jsonl(unit),
                        InputFormat::Conllu => Source::Conllu(unit),
                        _ => Source::Lines(unit),
                    }));
                let first = self.pending.pop_front();
                // Nothing of the unit may belong to the shard, and that is not the end.
                return Ok(Some(first.unwrap_or(Source::Texts(Vec::new()))));
            }
            Kind::Paragraphs(stream, lines) => paragraphs(stream, lines, &open.name, replace)?,
            Kind::Csv(csv) => csv.read(&open.name, replace)?,
            Kind::File(stream) => match stream.take() {
                None => Vec::new(),
                Some(stream) => vec![Text {
                    id: Some(open.name.to_string()),
                    label: None,
                    text: whole(stream, &open.name, replace)?,
                }],
            },
        };
        if texts.is_empty() {
            return Ok(None);
        }
        Ok(Some(Source::Texts(self.taken(texts))))
    }

    /// The documents that belong to the shard.
    fn taken(&mut self, mut texts: Vec<Text>) -> Vec<Text> {
        if let Some(shard) = self.args.shard {
            texts.retain(|_| {
                self.seen += 1;
                (self.seen - 1) % shard.count == shard.index
            });
        }
        texts
    }
}

/// All files, those in folders too, in the order of their names; links to folders are not followed.
fn in_folders(args: &DocumentArgs) -> Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for path in &args.files {
        if !path.is_dir() {
            files.extend(match args.keep_going {
                true => vec![path.clone()],
                false => input::inputs(std::slice::from_ref(path))?,
            });
            continue;
        }
        let mut found = Vec::new();
        let mut folders = vec![path.clone()];
        while let Some(folder) = folders.pop() {
            let name = name_of(&folder);
            let entries = std::fs::read_dir(&folder).map_err(|e| open_failure(&name, &e))?;
            for entry in entries {
                let path = entry.map_err(|e| open_failure(&name, &e))?.path();
                match (path.is_dir(), path.is_symlink()) {
                    // It may lead back to where it stands.
                    (true, true) => {}
                    (true, false) => folders.push(path),
                    (false, _) => found.push(path),
                }
            }
        }
        found.sort();
        files.append(&mut found);
    }
    Ok(files)
}
