//! What `glove` tells on stderr.

use crate::progress::Rounds;
use crate::report::ReportArgs;
use serde_json::json;
use std::time::Duration;
use wordmill::embed::cooccur::Cooccurrence;
use wordmill::embed::glove::train::Epoch;

/// Tells what was counted.
pub fn counted(report: ReportArgs, counts: &Cooccurrence, took: Duration) {
    let (words, pairs) = (counts.vocabulary.len(), counts.rows.pairs());
    let seconds = took.as_secs_f64();
    report.say(
        || json!({ "event": "counted", "words": words, "pairs": pairs, "seconds": seconds }),
        || format!("{words} words, {pairs} pairs counted in {seconds:.1} s"),
    );
}

/// Tells of epochs as they end.
pub fn epochs(report: ReportArgs, total: u32) -> impl FnMut(Epoch) {
    let is_plain = report.log.is_none();
    let rounds = Rounds::new(u64::from(total), report.quiet || !is_plain);
    move |epoch| {
        if is_plain {
            let message = format!("loss {:.6}, {:.2} M pairs/s", epoch.loss, epoch.speed / 1e6);
            rounds.done(epoch.number - 1, &message);
        } else if !report.quiet {
            let object = json!({
                "event": "epoch", "epoch": epoch.number, "of": total, "loss": epoch.loss,
                "pairs_per_second": epoch.speed.round(),
            });
            eprintln!("{object}");
        }
    }
}
