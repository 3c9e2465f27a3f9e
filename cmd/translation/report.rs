//! How reports and evaluations of a translator are said in a line.

use crate::teller::Lines;
use wordmill::nn::event::{Evaluation, Report};

pub const LINES: Lines = Lines { report, evaluation };

fn report(report: &Report) -> String {
    let value = |name| report.value(name);
    format!(
        "loss {:.4}, perplexity {:.2}, rate {:.2e}, gradient {:.2}, {:.0} source and {:.0} target tokens/s",
        value("loss"),
        value("perplexity"),
        report.lr,
        report.gradient,
        value("source_tokens"),
        value("target_tokens"),
    )
}

fn evaluation(evaluation: &Evaluation) -> String {
    let loss = |name| evaluation.losses.get(name).copied().unwrap_or(f64::NAN);
    let scores = evaluation.scores.iter();
    let scores = scores.map(|(name, score)| format!(", {name} {score:.2}"));
    format!(
        "validation loss {:.4}, perplexity {:.2}{}",
        loss("loss"),
        loss("perplexity"),
        scores.collect::<String>(),
    )
}
