//! Counts and vocabularies read back, and fitted models saved.

use super::Known;
use super::args::TermArgs;
use crate::corpus;
use crate::stream::{self, Failure};
use anyhow::Result;
use std::io::{BufRead, BufReader};
use std::path::Path;
use wordmill::bag::BagError;
use wordmill::bag::analyzer::TermOptions;
use wordmill::bag::columns::Columns;
use wordmill::bag::counter::Total;
use wordmill::bag::counts::{CountsReader, Header, Options};
use wordmill::bag::cut::{Bound, Cut};
use wordmill::bag::fit::Fit;
use wordmill::bag::interner::Interner;
use wordmill::bag::matrix::{Labels, Names};

/// What a model or an index says of itself.
pub fn header(fit: &Fit, job: &super::Job, cut: &Cut) -> Header {
    Header {
        documents: fit.documents,
        tokens: fit.tokens,
        options: Options {
            terms: job.analyzer.options().clone(),
            cut: Some(*cut),
            weights: job.weights,
            given_order: fit.has_known_columns(),
            labels: fit.labels.clone(),
        },
    }
}

/// Opens a file of counts.
pub fn open_counts(path: &Path) -> Result<CountsReader<Box<dyn BufRead + Send>>> {
    let name = path.display().to_string();
    let stream: Box<dyn BufRead + Send> =
        Box::new(BufReader::with_capacity(1 << 16, stream::open(path)?));
    CountsReader::new(stream, &name).map_err(super::failure)
}

/// Columns and totals of a file of counts.
pub struct Counts {
    pub header: Header,
    pub known: Known,
    pub totals: Vec<Total>,
}

/// Reads a file of counts whole; `cut` takes terms away.
pub fn read_counts(path: &Path, cut: &Cut) -> Result<Counts> {
    let mut reader = open_counts(path)?;
    let header = reader.header.clone();
    let mut terms = Interner::default();
    let mut names = Names::default();
    let mut totals = Vec::new();
    // Terms of no document stand in a vocabulary that was saved, and stay columns.
    let cut = match cut.is_idle() {
        true => &Cut {
            min_df: Bound::Documents(0),
            ..*cut
        },
        false => cut,
    };
    let file = reader.file.clone();
    let lists = std::slice::from_mut(&mut reader);
    cut.merge(header.documents, lists, |term, total, _| {
        if terms.is_full(term.len()) {
            return Err(Failure::of_file(&file, "more than 4 GiB of terms").into());
        }
        if terms.intern(term) as usize != names.len() {
            let problem = format!("the term {:?} twice", String::from_utf8_lossy(term));
            return Err(Failure::of_file(&file, problem).into());
        }
        names.push(term);
        totals.push(total);
        Ok(())
    })
    .map_err(super::own_failure)?;
    if names.is_empty() && header.documents > 0 {
        let documents = header.documents;
        return Err(super::failure(BagError::NoTerms { documents }));
    }
    let known = Known {
        columns: Columns::Known(terms),
        names: Some(names),
        labels: Labels::new(&header.options.labels),
    };
    Ok(Counts {
        header,
        known,
        totals,
    })
}

/// The terms of a file, one a line; their order is that of the columns.
pub fn read_vocabulary(path: &Path) -> Result<Known> {
    let file = path.display().to_string();
    let mut terms = Interner::default();
    let mut names = Names::default();
    for (i, line) in (1..).zip(corpus::read_text(path)?.lines()) {
        if line.is_empty() {
            return Err(Failure::at_line(&file, i, "an empty line is no term").into());
        }
        if let Some(first) = terms.get(line.as_bytes()) {
            let problem = format!("the term {line:?} stands in line {} already", first + 1);
            return Err(Failure::at_line(&file, i, problem).into());
        }
        terms.intern(line.as_bytes());
        names.push(line.as_bytes());
    }
    if names.is_empty() {
        return Err(Failure::of_file(&file, "no terms").into());
    }
    Ok(Known {
        columns: Columns::Known(terms),
        names: Some(names),
        labels: Labels::default(),
    })
}

/// How terms are made: as the file of counts says. Flags may only say the same.
pub fn terms_of(header: &Header, flags: &TermArgs, path: &Path) -> Result<TermOptions> {
    let given = flags.options()?;
    let stored = &header.options.terms;
    if given != TermOptions::default() && given != *stored {
        let problem = "its terms were made in another way than the flags say";
        return Err(Failure::of_file(&path.display().to_string(), problem)
            .hint("leave the flags for terms out: the file knows them")
            .into());
    }
    Ok(stored.clone())
}
