//! What is translated of lines: parts that a model can take, or pairs whose translations are given.

use super::{Job, Piece};
use crate::subword::lines::Line;
use crate::translation::references::References;
use anyhow::Result;
use wordmill::translate::cut::cut;
use wordmill::translate::decode::{Model, Task};

impl<M: Model> Job<'_, M> {
    /// The parts of lines, cut where they are too long.
    pub(super) fn tasks(&self, lines: &[Line]) -> Result<(Vec<Piece>, Vec<Task>)> {
        let tokenizer = &self.tokenizers.source;
        let limit = self.models[0].limit() - 1;
        let usual = match self.tokenizers.are_characters() {
            true => 256,
            false => 100,
        };
        let most = limit.min(self.args.max_tokens.map_or(usual, |most| most as usize));
        let texts: Vec<&str> = lines.iter().map(|line| line.text.trim()).collect();
        let (mut pieces, mut tasks) = (Vec::new(), Vec::new());
        for (i, (text, source)) in texts.iter().zip(self.encode(lines, &texts)?).enumerate() {
            let mut part = 0;
            let mut add = |source: Vec<u32>, is_spaced| {
                if !source.is_empty() {
                    pieces.push(Piece { line: i, is_spaced });
                    tasks.push(Task {
                        number: lines[i].number << 16 | part,
                        source,
                        prefix: if part == 0 {
                            self.prefix.clone()
                        } else {
                            Vec::new()
                        },
                        is_given: false,
                    });
                    part += 1;
                }
            };
            if text.is_empty() {
                continue;
            }
            if source.len() <= most {
                add(source, false);
                continue;
            }
            let fits = |part: &str| {
                tokenizer
                    .encode(part)
                    .is_ok_and(|found| found.len() <= most)
            };
            for part in cut(text, &fits) {
                let mut source = tokenizer.encode(part.text)?;
                source.truncate(limit);
                add(source, part.is_spaced);
            }
        }
        Ok((pieces, tasks))
    }

    fn encode(&self, lines: &[Line], texts: &[&str]) -> Result<Vec<Vec<u32>>> {
        let tokenizer = &self.tokenizers.source;
        tokenizer.encode_all(texts).or_else(|_| {
            // Which line it was is found out when there is one.
            let each = lines.iter().zip(texts);
            each.map(|(line, text)| {
                let found = tokenizer.encode(text);
                found.map_err(|error| line.failure(error.to_string()).into())
            })
            .collect()
        })
    }

    /// Lines whose translations are given.
    pub(super) fn given(
        &self,
        lines: &[Line],
        references: &mut References,
    ) -> Result<(Vec<Piece>, Vec<Task>)> {
        let tokenizers = self.tokenizers;
        let limit = self.models[0].limit() - 1;
        let (mut pieces, mut tasks) = (Vec::new(), Vec::new());
        for (i, line) in lines.iter().enumerate() {
            let reference = references.next()?;
            let source = tokenizers.source.encode(line.text.trim())?;
            let prefix = tokenizers.target().encode(reference.trim())?;
            if source.is_empty() && prefix.is_empty() {
                continue;
            }
            let longest = source.len().max(prefix.len());
            if longest > limit {
                let problem = format!("{longest} tokens are more than the {limit} of the model");
                return Err(line.failure(problem).into());
            }
            pieces.push(Piece {
                line: i,
                is_spaced: false,
            });
            tasks.push(Task {
                number: line.number,
                source,
                prefix,
                is_given: true,
            });
        }
        Ok((pieces, tasks))
    }
}
