//! The first pass: every worker counts the documents it gets; then the counts of all are merged into columns.

use super::BagError;
use super::analyzer::{Analyzer, Workspace};
use super::columns::{Columns, KnownRow};
use super::counter::{Cell, Counter, Total};
use super::cut::Cut;
use super::documents::{Batch, Fields};
use super::rows::{About, Block, StoredDocument};
use super::run::{Run, RunReader};
use crate::text::format::FormatError;
use std::collections::BTreeSet;
use std::path::Path;

/// Characters of a document that its snippet has at most.
const SNIPPET: usize = 80;

/// What all workers share.
pub struct Plan<'a> {
    pub analyzer: &'a Analyzer,
    pub fields: &'a Fields,
    /// Columns that are known beforehand.
    pub columns: Option<&'a Columns>,
    pub keeps: Keeps,
    /// Bytes of memory that a worker may take for its terms.
    pub memory: usize,
    /// Where temporary files go.
    pub folder: &'a Path,
}

/// Bytes of new terms that one batch may bring: far more than it has of text, for runs of many characters.
const MOST_OF_A_BATCH: usize = 1 << 30;

/// What is kept of documents once they are counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Keeps {
    Nothing,
    Rows,
    RowsAndSnippets,
}

/// Counts documents; one for each worker.
pub struct Collector<'a> {
    plan: &'a Plan<'a>,
    worker: usize,
    work: Workspace,
    keys: Keys<'a>,
    runs: Vec<Run>,
    documents: u64,
    tokens: u64,
    labels: BTreeSet<String>,
}

enum Keys<'a> {
    Terms(Box<Counter>),
    Known {
        columns: &'a Columns,
        row: KnownRow,
        totals: Vec<Total>,
    },
}

impl<'a> Collector<'a> {
    pub fn new(plan: &'a Plan<'a>, worker: usize) -> Collector<'a> {
        Collector {
            plan,
            worker,
            work: Workspace::default(),
            keys: match plan.columns {
                None => Keys::Terms(Box::default()),
                Some(columns) => Keys::Known {
                    columns,
                    row: KnownRow::default(),
                    totals: vec![Total::default(); columns.count() as usize],
                },
            },
            runs: Vec::new(),
            documents: 0,
            tokens: 0,
            labels: BTreeSet::new(),
        }
    }

    /// Counts the documents of a batch and gives what the second pass needs of them.
    ///
    /// # Errors
    /// When a document does not follow its format, or a temporary file cannot be written.
    pub fn batch(&mut self, batch: &Batch) -> Result<Block, BagError> {
        let mut block = Block::new(self.worker, self.runs.len());
        let plan = self.plan;
        let read = batch.documents(plan.fields, |document| {
            if let Some(label) = document.label.as_deref()
                && !self.labels.contains(label)
            {
                self.labels.insert(label.to_owned());
            }
            self.documents += 1;
            let keys = &mut self.keys;
            let mut length = 0;
            (document.content).terms(plan.analyzer, &mut self.work, |term| {
                length += 1;
                keys.add(term);
            });
            self.tokens += length;
            let cells = keys.end_document(plan.analyzer.options().binary);
            if plan.keeps >= Keeps::Rows {
                let snippet = (plan.keeps == Keeps::RowsAndSnippets)
                    .then(|| document.content.snippet(SNIPPET));
                let about = About {
                    id: document.id.as_deref(),
                    label: document.label.as_deref(),
                    snippet: snippet.as_deref(),
                };
                block.push(about, length, cells);
            }
            Ok::<(), FormatError>(())
        });
        read.map_err(|error| BagError::Format {
            file: batch.file.to_string(),
            error,
        })?;
        if let Keys::Terms(counter) = &mut self.keys
            && (counter.memory() > plan.memory || counter.terms().is_full(MOST_OF_A_BATCH))
        {
            self.runs.push(Run::on_disk(counter, plan.folder)?);
            **counter = Counter::default();
        }
        Ok(block)
    }

    /// Sorts what is still in memory.
    pub fn finish(self) -> Collected {
        let mut runs = self.runs;
        let totals = match self.keys {
            Keys::Terms(counter) => {
                runs.push(Run::in_memory(*counter));
                None
            }
            Keys::Known { totals, .. } => Some(totals),
        };
        Collected {
            runs,
            totals,
            documents: self.documents,
            tokens: self.tokens,
            labels: self.labels,
        }
    }
}

impl Keys<'_> {
    #[inline]
    fn add(&mut self, term: &[u8]) {
        match self {
            Keys::Terms(counter) => counter.add(term),
            Keys::Known { columns, row, .. } => columns.add(term, row),
        }
    }

    fn end_document(&mut self, binary: bool) -> &[Cell] {
        match self {
            Keys::Terms(counter) => counter.end_document(binary),
            Keys::Known { row, totals, .. } => {
                let (cells, _) = row.end(binary);
                for &(column, count) in cells {
                    totals[column as usize].add(Total {
                        count: u64::from(count.unsigned_abs()),
                        df: 1,
                    });
                }
                cells
            }
        }
    }
}

/// What a worker has counted.
pub struct Collected {
    runs: Vec<Run>,
    /// Of columns known beforehand.
    totals: Option<Vec<Total>>,
    documents: u64,
    tokens: u64,
    labels: BTreeSet<String>,
}

/// What all workers have counted.
pub struct Fit {
    workers: Vec<Vec<Run>>,
    totals: Option<Vec<Total>>,
    pub documents: u64,
    pub tokens: u64,
    /// The labels of the documents, in byte order.
    pub labels: Vec<String>,
}

/// The column that a term of a run has become, [`CUT`] for none.
type Mapping = Vec<u32>;

/// A term that was cut.
pub const CUT: u32 = u32::MAX;

/// Says which columns the numbers of each run are.
pub struct Mappings(Option<Vec<Vec<Mapping>>>);

impl Fit {
    /// Puts the workers' counts together.
    pub fn of(workers: Vec<Collected>) -> Fit {
        let mut fit = Fit {
            workers: Vec::new(),
            totals: None,
            documents: 0,
            tokens: 0,
            labels: Vec::new(),
        };
        let mut labels = BTreeSet::new();
        for worker in workers {
            fit.documents += worker.documents;
            fit.tokens += worker.tokens;
            labels.extend(worker.labels);
            fit.workers.push(worker.runs);
            match (&mut fit.totals, worker.totals) {
                (Some(sum), Some(totals)) => {
                    (sum.iter_mut().zip(totals)).for_each(|(sum, total)| sum.add(total));
                }
                (sum, totals) => *sum = totals,
            }
        }
        fit.labels = labels.into_iter().collect();
        fit
    }

    /// Whether the columns were known beforehand.
    pub fn has_known_columns(&self) -> bool {
        self.totals.is_some()
    }

    /// Calls `each` with every term that stays and its totals, in byte order.
    ///
    /// # Errors
    /// When `cut` leaves nothing, when temporary files cannot be read, and the first of `each`.
    pub fn terms<E: From<BagError>>(
        &self,
        cut: &Cut,
        mut each: impl FnMut(&[u8], Total) -> Result<(), E>,
    ) -> Result<(), E> {
        let mut readers = self.readers()?;
        cut.merge(self.documents, &mut readers, |term, total, _| {
            each(term, total)
        })
    }

    /// The same, and makes every term a column; columns known beforehand come in their order, with an empty term.
    ///
    /// # Errors
    /// As [`Fit::terms`].
    pub fn columns<E: From<BagError>>(
        self,
        cut: &Cut,
        mut each: impl FnMut(&[u8], Total) -> Result<(), E>,
    ) -> Result<Mappings, E> {
        if let Some(totals) = &self.totals {
            totals.iter().try_for_each(|&total| each(b"", total))?;
            return Ok(Mappings(None));
        }
        let blank = |run: &Run| vec![CUT; run.terms()];
        let of_worker = |runs: &Vec<Run>| runs.iter().map(blank).collect();
        let mut mappings: Vec<Vec<Mapping>> = self.workers.iter().map(of_worker).collect();
        // The runs in the order of their readers.
        let places = (self.workers.iter().enumerate())
            .flat_map(|(worker, runs)| (0..runs.len()).map(move |run| (worker, run)));
        let places: Vec<(usize, usize)> = places.collect();
        let mut column = 0;
        let mut readers = self.readers()?;
        cut.merge(self.documents, &mut readers, |term, total, members| {
            each(term, total)?;
            for &(reader, number) in members {
                let (worker, run) = places[reader];
                mappings[worker][run][number as usize] = column;
            }
            column += 1;
            Ok::<(), E>(())
        })?;
        Ok(Mappings(Some(mappings)))
    }

    fn readers(&self) -> Result<Vec<RunReader<'_>>, BagError> {
        self.workers.iter().flatten().map(Run::read).collect()
    }
}

impl Mappings {
    /// Puts the cells of a document of `block` into `cells`, numbers replaced by columns and in order of columns; terms
    /// that were cut are left out.
    pub fn apply(&self, block: &Block, document: &StoredDocument, cells: &mut Vec<Cell>) {
        cells.clear();
        match &self.0 {
            None => cells.extend(document.cells()),
            Some(mappings) => {
                let mapping = &mappings[block.worker][block.run];
                let mapped = document
                    .cells()
                    .map(|(number, count)| (mapping[number as usize], count));
                cells.extend(mapped.filter(|&(column, _)| column != CUT));
            }
        }
        cells.sort_unstable_by_key(|&(column, _)| column);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bag::analyzer::TermOptions;
    use crate::bag::documents::{Source, Text};

    /// Columns with totals, and rows, of texts that `workers` workers count with so much memory each.
    fn fitted(
        texts: &[String],
        workers: usize,
        memory: usize,
    ) -> (Vec<(String, Total)>, Vec<Vec<Cell>>) {
        let analyzer = Analyzer::new(TermOptions::default(), None).unwrap();
        let fields = Fields {
            text: "text".to_owned(),
            id: "id".to_owned(),
            label: None,
        };
        let folder = std::env::temp_dir();
        let plan = Plan {
            analyzer: &analyzer,
            fields: &fields,
            columns: None,
            keeps: Keeps::Rows,
            memory,
            folder: &folder,
        };
        let mut collectors: Vec<_> = (0..workers).map(|i| Collector::new(&plan, i)).collect();
        let mut blocks = Vec::new();
        for (i, texts) in texts.chunks(3).enumerate() {
            let text = |text: &String| Text {
                text: text.clone(),
                ..Text::default()
            };
            let batch = Batch {
                file: "-".into(),
                first: 3 * i as u64,
                source: Source::Texts(texts.iter().map(text).collect()),
            };
            blocks.push(collectors[i % workers].batch(&batch).unwrap());
        }
        let fit = Fit::of(collectors.into_iter().map(Collector::finish).collect());
        let mut columns = Vec::new();
        let mappings = fit
            .columns(&Cut::default(), |term, total| {
                columns.push((String::from_utf8(term.to_vec()).unwrap(), total));
                Ok::<(), BagError>(())
            })
            .unwrap();
        let rows = blocks.iter().flat_map(|block| {
            let mappings = &mappings;
            block.documents().map(move |document| {
                let mut cells = Vec::new();
                mappings.apply(block, &document, &mut cells);
                cells
            })
        });
        (columns, rows.collect())
    }

    #[test]
    fn workers_and_runs_do_not_change_columns_or_rows() {
        let word = |i: u32| format!("w{}", i.wrapping_mul(2_654_435_761) >> 24);
        let text = |i: u32| {
            (0..i % 17)
                .map(|j| word(i * j))
                .collect::<Vec<_>>()
                .join(" ")
        };
        let texts: Vec<String> = (0..200).map(text).collect();
        let expected = fitted(&texts, 1, usize::MAX);
        assert!(expected.0.is_sorted_by(|a, b| a.0 < b.0) && expected.0.len() > 50);
        assert_eq!(expected.1.len(), 200);
        // A budget of nothing makes every batch a run of its own.
        for (workers, memory) in [(3, usize::MAX), (1, 0), (2, 0)] {
            assert_eq!(
                fitted(&texts, workers, memory),
                expected,
                "{workers} {memory}"
            );
        }
    }
}
