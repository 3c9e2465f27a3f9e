//! `wordmill licenses`: prints the notices of everything inside the binary.

use crate::stream::Output;
use anyhow::Result;

/// Print the licences of the tool and of the models inside it
#[derive(clap::Args)]
#[command(after_help = "Example:\n  wordmill licenses")]
pub struct Args {}

/// Titles and texts, in the order they are printed; the cards of the models follow them.
const NOTICES: &[(&str, &str)] = &[
    (
        "wordmill (MIT OR Apache-2.0), MIT",
        include_str!("../LICENSE-MIT"),
    ),
    (
        "wordmill (MIT OR Apache-2.0), Apache-2.0",
        include_str!("../LICENSE-APACHE"),
    ),
    (
        "crates inside the binary",
        include_str!("../LICENSES-THIRD-PARTY.md"),
    ),
    (
        "Snowball, whose algorithms rust-stemmers and snowball_stemmers_rs are made from (BSD-3-Clause)",
        include_str!("../LICENSE-SNOWBALL"),
    ),
];

/// Paths and texts of the cards, gathered by `build.rs`.
const CARDS: &[(&str, &str)] = include!(concat!(env!("OUT_DIR"), "/cards.rs"));

pub fn run(_: &Args) -> Result<()> {
    let mut output = Output::create(None, false)?;
    for (title, text) in NOTICES.iter().chain(CARDS) {
        output.write(&format!("==== {title} ====\n\n{}\n\n", text.trim_end()))?;
    }
    output.finish()
}
