//! A run that was stopped, in a file: both matrices, the next task, and what the run was.
//!
//! ```text
//! tensors    "input", "output": f32 (rows, stride)
//! metadata   "wordmill" = {"format":"wordmill-word2vec","version":1,"options":{…},"next":17,"corpus":"checksum"}
//! ```
//!
//! Container: the safetensors format. A run goes on only over the same text with the same options.

use super::matrix::Matrix;
use super::options::Options;
use super::train::Trainer;
use crate::embed::corpus::Corpus;
use safetensors::tensor::{Dtype, SafeTensors, TensorView};
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use std::io::Write;

const FORMAT: &str = "wordmill-word2vec";
const VERSION: u32 = 1;
const KEY: &str = "wordmill";

#[derive(Serialize, Deserialize)]
struct Header {
    format: String,
    version: u32,
    options: Options,
    /// The next task.
    next: usize,
    /// Of the corpus and the matrices.
    corpus: u32,
    checksum: u32,
}

/// Why a run cannot go on.
#[derive(Debug, thiserror::Error)]
pub enum CheckpointError {
    #[error(transparent)]
    Io(#[from] std::io::Error),
    #[error("not a checkpoint of word2vec: {0}")]
    Container(String),
    #[error("the file is damaged")]
    Damaged,
    #[error("the run was over another text or another vocabulary")]
    Corpus,
    #[error("the run had other options: {was}")]
    Options { was: String },
}

/// A checksum of the vocabulary and the text.
pub(super) fn fingerprint(corpus: &Corpus) -> u32 {
    let mut crc = crc32fast::Hasher::new();
    for (word, count) in corpus
        .vocabulary
        .words
        .iter()
        .zip(&corpus.vocabulary.counts)
    {
        crc.update(word.as_bytes());
        crc.update(&count.to_le_bytes());
    }
    crc.update(bytes_of_tokens(corpus.tokens()));
    crc.finalize()
}

fn bytes_of_tokens(tokens: &[u32]) -> &[u8] {
    // SAFETY: every number is four bytes, and bytes need no alignment.
    unsafe { std::slice::from_raw_parts(tokens.as_ptr().cast(), tokens.len() * 4) }
}

fn checksum(matrices: [&[u8]; 2]) -> u32 {
    let mut crc = crc32fast::Hasher::new();
    matrices.iter().for_each(|bytes| crc.update(bytes));
    crc.finalize()
}

impl Trainer<'_> {
    /// Writes the state of the run.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn save(&self, out: &mut dyn Write) -> Result<(), CheckpointError> {
        let matrices = [self.input.bytes(), self.output.bytes()];
        let header = Header {
            format: FORMAT.to_owned(),
            version: VERSION,
            options: self.options().clone(),
            next: self.next,
            corpus: fingerprint(self.corpus()),
            checksum: checksum(matrices),
        };
        let container =
            |error: &dyn std::fmt::Display| CheckpointError::Container(error.to_string());
        let header = serde_json::to_string(&header).map_err(|error| container(&error))?;
        let view = |matrix: &Matrix, bytes| {
            TensorView::new(Dtype::F32, vec![matrix.rows(), matrix.stride()], bytes)
        };
        let input = view(&self.input, matrices[0]).map_err(|error| container(&error))?;
        let output = view(&self.output, matrices[1]).map_err(|error| container(&error))?;
        let meta = HashMap::from([(KEY.to_owned(), header)]);
        let bytes = safetensors::serialize([("input", input), ("output", output)], Some(meta));
        out.write_all(&bytes.map_err(|error| container(&error))?)?;
        Ok(())
    }

    /// Takes up a run where it was stopped.
    ///
    /// # Errors
    /// The bytes are no whole checkpoint, or one of another run.
    pub fn resume(&mut self, bytes: &[u8]) -> Result<(), CheckpointError> {
        let container =
            |error: safetensors::SafeTensorError| CheckpointError::Container(error.to_string());
        let (_, meta) = SafeTensors::read_metadata(bytes).map_err(container)?;
        let file = SafeTensors::deserialize(bytes).map_err(container)?;
        let text = meta.metadata().as_ref().and_then(|meta| meta.get(KEY));
        let text = text.ok_or_else(|| CheckpointError::Container("no header".to_owned()))?;
        let header: Header = serde_json::from_str(text)
            .map_err(|error| CheckpointError::Container(error.to_string()))?;
        if header.format != FORMAT || header.version != VERSION {
            let found = format!("{} {}", header.format, header.version);
            return Err(CheckpointError::Container(found));
        }
        if header.options != *self.options() {
            let was = serde_json::to_string(&header.options).unwrap_or_default();
            return Err(CheckpointError::Options { was });
        }
        if header.corpus != fingerprint(self.corpus()) {
            return Err(CheckpointError::Corpus);
        }
        let input = file.tensor("input").map_err(container)?.data();
        let output = file.tensor("output").map_err(container)?.data();
        if header.checksum != checksum([input, output])
            || input.len() != self.input.bytes().len()
            || output.len() != self.output.bytes().len()
        {
            return Err(CheckpointError::Damaged);
        }
        self.input.set_bytes(input);
        self.output.set_bytes(output);
        self.next = header.next;
        Ok(())
    }
}
