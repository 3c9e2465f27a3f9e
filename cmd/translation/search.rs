//! Flags for how translations are looked for, and what follows from them.

use super::data::Tokenizers;
use crate::stream::Failure;
use anyhow::{Result, bail};
use wordmill::translate::decode::{Options, Sample};

/// Flags for how translations are looked for.
#[derive(clap::Args, Clone, Debug)]
pub struct SearchArgs {
    /// Translations that are followed at once; 1 is greedy search
    #[arg(long, value_name = "N", default_value_t = 5, value_parser = clap::value_parser!(u16).range(1..=1000), help_heading = "Search")]
    pub beam: u16,
    /// How much longer translations are preferred: 0 not at all
    #[arg(long, value_name = "A", default_value_t = 1.0, value_parser = number, help_heading = "Search")]
    length_penalty: f32,
    /// Tokens of a translation at most: this times those of its source, and 10 more [default: 1.5; 10 of characters]
    #[arg(long, value_name = "R", value_parser = number, help_heading = "Search")]
    max_ratio: Option<f32>,
    /// Let no run of N pieces come twice in a translation
    #[arg(
        long,
        value_name = "N",
        default_value_t = 0,
        hide_default_value = true,
        help_heading = "Search"
    )]
    no_repeat_ngram: u16,
    /// Begin every translation with this text
    #[arg(long, value_name = "TEXT", help_heading = "Search")]
    pub prefix: Option<String>,
    /// Draw words by their probabilities, instead of searching for the best
    #[arg(long, conflicts_with = "beam", help_heading = "Search")]
    sample: bool,
    /// Divide scores by this before words are drawn: below 1 for surer words
    #[arg(long, value_name = "T", default_value_t = 1.0, value_parser = number, requires = "sample", help_heading = "Search")]
    temperature: f32,
    /// Draw from the K most probable words only
    #[arg(
        long,
        value_name = "K",
        default_value_t = 0,
        hide_default_value = true,
        requires = "sample",
        help_heading = "Search"
    )]
    top_k: u32,
    /// Draw from the most probable words only that have so much of the probability together
    #[arg(long, value_name = "P", default_value_t = 1.0, value_parser = share, requires = "sample", help_heading = "Search")]
    top_p: f32,
    /// Seed of what is drawn; a line's words depend on it and on the number of the line
    #[arg(long, value_name = "N", default_value_t = 1, help_heading = "Search")]
    seed: u64,
}

impl SearchArgs {
    /// Whether more words are looked at than a few of the best.
    pub fn looks_at_all(&self) -> bool {
        const FEW: u32 = 30;
        self.sample && !(1..=FEW).contains(&self.top_k) || u32::from(self.beam) > FEW
    }

    /// What the flags say, for up to `nbest` translations of each line.
    ///
    /// # Errors
    /// When more translations are wanted than are looked for.
    pub fn options(&self, nbest: Option<u16>, tokenizers: &Tokenizers) -> Result<Options> {
        let target = tokenizers.target();
        let best = usize::from(nbest.unwrap_or(1));
        let beam = match self.sample {
            true => best,
            false => usize::from(self.beam),
        };
        if best > beam {
            bail!(
                Failure::usage(format!("--nbest {best} is more than --beam {beam} finds"))
                    .hint(format!("--beam {best} finds as many"))
            );
        }
        Ok(Options {
            beam,
            best,
            length_penalty: self.length_penalty,
            factor: (self.max_ratio).unwrap_or_else(|| tokenizers.max_ratio()),
            no_repeat: usize::from(self.no_repeat_ngram),
            sample: self.sample.then_some(Sample {
                temperature: self.temperature,
                top_k: self.top_k as usize,
                top_p: self.top_p,
                seed: self.seed,
            }),
            forbidden: ([target.pad(), target.bos(), target.unk()]
                .into_iter()
                .flatten())
            .collect(),
            ..Options::default()
        })
    }
}

fn number(text: &str) -> Result<f32, String> {
    match text.parse() {
        Ok(value) if (0.0..1e6).contains(&value) => Ok(value),
        _ => Err("expected a number that is not negative".to_owned()),
    }
}

fn share(text: &str) -> Result<f32, String> {
    match text.parse() {
        Ok(value) if value > 0.0 && value <= 1.0 => Ok(value),
        _ => Err("expected a number above 0 and up to 1".to_owned()),
    }
}
