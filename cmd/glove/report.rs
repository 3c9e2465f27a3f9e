//! What a run tells on stderr: lines, a bar, objects, or nothing.

use crate::progress::Rounds;
use serde_json::{Value, json};
use std::time::Duration;
use wordmill::embed::cooccur::Cooccurrence;
use wordmill::embed::glove::train::Epoch;

/// Flags for what is told.
#[derive(clap::Args, Clone, Copy, Debug)]
pub struct ReportArgs {
    /// Report in objects of JSON, one a line
    #[arg(long, value_enum, value_name = "FORMAT")]
    log: Option<Log>,
    /// Show no progress
    #[arg(short, long)]
    quiet: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Log {
    Json,
}

impl ReportArgs {
    /// Tells what was counted.
    pub fn counted(self, counts: &Cooccurrence, took: Duration) {
        let (words, pairs) = (counts.vocabulary.len(), counts.rows.pairs());
        let seconds = took.as_secs_f64();
        self.say(
            || json!({ "event": "counted", "words": words, "pairs": pairs, "seconds": seconds }),
            || format!("{words} words, {pairs} pairs counted in {seconds:.1} s"),
        );
    }

    fn say(self, object: impl FnOnce() -> Value, line: impl FnOnce() -> String) {
        match self.log {
            _ if self.quiet => {}
            Some(Log::Json) => eprintln!("{}", object()),
            None => eprintln!("{}", line()),
        }
    }

    /// Tells of epochs as they end.
    pub fn epochs(self, total: u32) -> impl FnMut(Epoch) {
        let is_plain = self.log.is_none();
        let rounds = Rounds::new(u64::from(total), self.quiet || !is_plain);
        move |epoch| {
            if is_plain {
                let message = format!("loss {:.6}, {:.2} M pairs/s", epoch.loss, epoch.speed / 1e6);
                rounds.done(epoch.number - 1, &message);
            } else if !self.quiet {
                let object = json!({
                    "event": "epoch", "epoch": epoch.number, "of": total, "loss": epoch.loss,
                    "pairs_per_second": epoch.speed.round(),
                });
                eprintln!("{object}");
            }
        }
    }
}
