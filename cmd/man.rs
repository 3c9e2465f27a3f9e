//! `wordmill man`: writes the manual pages.

use anyhow::{Context, Result};
use std::path::PathBuf;

/// Write a manual page for every command
#[derive(clap::Args)]
pub struct Args {
    /// Folder to write to
    #[arg(value_name = "DIR")]
    folder: PathBuf,
}

pub fn run(args: &Args) -> Result<()> {
    let name = || args.folder.display().to_string();
    std::fs::create_dir_all(&args.folder).with_context(name)?;
    // The pages carry no date: they are the same from day to day.
    let root = crate::command().disable_help_subcommand(true);
    clap_mangen::generate_to(root, &args.folder).with_context(name)
}
