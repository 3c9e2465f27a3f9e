//! `--attention`: what the translations of the first lines attended to, as pictures in one file.

use super::data::Tokenizers;
use crate::stream::{Failure, Output};
use anyhow::{Result, bail};
use std::path::Path;
use wordmill::text::subword::Subword;
use wordmill::translate::decode::Model;
use wordmill::translate::heat::svg;

/// Pictures in a page: more than somebody looks at.
const MOST: usize = 100;

/// A file that pictures go to: a page with many, or an SVG with one.
pub struct Pictures {
    output: Output,
    is_page: bool,
    count: usize,
}

impl Pictures {
    /// # Errors
    /// When the file has a name of neither, or cannot be created.
    pub fn create(path: &Path) -> Result<Pictures> {
        let is_page = match path.extension().and_then(|extension| extension.to_str()) {
            Some("html") => true,
            Some("svg") => false,
            _ => bail!(
                Failure::usage(format!(
                    "--attention {}: neither .svg nor .html",
                    path.display()
                ))
                .hint("an .svg shows the first line, an .html the first hundred")
            ),
        };
        let mut output = Output::create(Some(path), false)?;
        if is_page {
            output.write(
                "<!DOCTYPE html>\n<html>\n<head>\n<meta charset=\"utf-8\">\n<title>Attention</title>\n</head>\n<body>\n",
            )?;
        }
        Ok(Pictures {
            output,
            is_page,
            count: 0,
        })
    }

    /// Adds the picture of a translation, both without marks.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn add(
        &mut self,
        tokenizers: &Tokenizers,
        model: &impl Model,
        source: &[u32],
        target: &[u32],
    ) -> Result<()> {
        let most = if self.is_page { MOST } else { 1 };
        // A translation that was ended by the limit has no room for its mark.
        let is_whole = target.len() < model.limit();
        if self.count >= most || !is_whole {
            return Ok(());
        }
        self.count += 1;
        let maps = model.maps(source, target);
        let (source, target) = (
            labels(&tokenizers.source, source),
            labels(tokenizers.target(), target),
        );
        self.output.write(&svg(&maps, &source, &target))?;
        if self.is_page {
            self.output.write("<hr>\n")?;
        }
        Ok(())
    }

    /// # Errors
    /// When the file cannot be written.
    pub fn finish(mut self) -> Result<()> {
        if self.is_page {
            self.output.write("</body>\n</html>\n")?;
        } else if self.count == 0 {
            // Nothing was translated: a picture of nothing.
            self.output
                .write("<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"1\" height=\"1\"/>\n")?;
        }
        self.output.finish()
    }
}

/// Pieces as they are written in the vocabulary, and the mark of the end.
fn labels(model: &Subword, tokens: &[u32]) -> Vec<String> {
    let piece = |token: &u32| model.piece(*token).unwrap_or_default().to_owned();
    let end = model
        .eos()
        .and_then(|eos| model.piece(eos))
        .unwrap_or_default();
    tokens.iter().map(piece).chain([end.to_owned()]).collect()
}
