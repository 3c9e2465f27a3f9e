//! `wordmill sagemaker`: training and answering in a container of one's own.

mod hyperparameters;
mod keep;
mod root;
mod serve;
mod train;
mod trainer;

use anyhow::Result;

/// Train and answer in a container of Amazon SageMaker
///
/// SageMaker starts a container with `train` or `serve`: an image whose entry point is `wordmill sagemaker` does both. Files
/// are where it puts them, below /opt/ml.
#[derive(clap::Args)]
#[command(after_help = "Examples:\n  \
    wordmill sagemaker serve --port 0 & sleep 1; kill $!\n  \
    mkdir -p ml/input/config ml/input/data; cp -r corpora ml/input/data/train\n  \
    echo '{\"command\": \"pos train {train}/tagged.conllu\"}' > ml/input/config/hyperparameters.json\n  \
    wordmill sagemaker train --root ml")]
pub struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(clap::Subcommand)]
enum Command {
    Train(train::Args),
    Serve(serve::Args),
}

pub fn run(args: &Args) -> Result<()> {
    match &args.command {
        Command::Train(args) => train::run(args),
        Command::Serve(args) => serve::run(args),
    }
}
