//! `wordmill completions`: prints what a shell needs to complete the command line.

use crate::stream::Output;
use anyhow::Result;
use clap::ValueEnum;
use clap_complete::{Shell, generate};

/// Print the completions of a shell
#[derive(clap::Args)]
#[command(after_help = "Example:\n  wordmill completions bash")]
pub struct Args {
    shell: Supported,
}

/// The shells whose completions are tested.
#[derive(Clone, Copy, ValueEnum)]
enum Supported {
    Bash,
    Zsh,
    Fish,
}

pub fn run(args: &Args) -> Result<()> {
    let shell = match args.shell {
        Supported::Bash => Shell::Bash,
        Supported::Zsh => Shell::Zsh,
        Supported::Fish => Shell::Fish,
    };
    let mut script = Vec::new();
    generate(shell, &mut crate::command(), "wordmill", &mut script);
    let mut output = Output::create(None, false)?;
    output.write(&String::from_utf8(script)?)?;
    output.finish()
}
