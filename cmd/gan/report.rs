//! How reports and evaluations of adversarial networks are said in a line.

use crate::teller::Lines;
use wordmill::nn::event::{Evaluation, Report};

pub const LINES: Lines = Lines { report, evaluation };

fn report(report: &Report) -> String {
    let value = |name| report.value(name);
    let has = |name| report.values.contains_key(name);
    let mut parts = Vec::new();
    if has("critic_loss") {
        parts.push(format!("critic {:.4}", value("critic_loss")));
    }
    if has("penalty") {
        parts.push(format!("penalty {:.3}", value("penalty")));
    }
    if has("generator_loss") {
        parts.push(format!("generator {:.4}", value("generator_loss")));
    }
    if has("critic_loss") {
        parts.push(format!(
            "D(x) {:.2}, D(G(z)) {:.2}, critic right {:.0} %",
            value("real"),
            value("made"),
            100.0 * value("right"),
        ));
    }
    // Where the two take long turns, a report may be of one alone.
    parts.push(match (has("critic_loss"), has("generator_loss")) {
        (true, true) => format!(
            "gradients {:.2} and {:.2}",
            value("critic_gradient"),
            value("generator_gradient")
        ),
        (true, false) => format!("gradient {:.2}", value("critic_gradient")),
        (false, _) => format!("gradient {:.2}", value("generator_gradient")),
    });
    let seconds = 1000.0 / value("samples_per_second").max(1e-9);
    let time = match seconds {
        s if s < 1.0 => format!("{:.0} ms", 1000.0 * s),
        s => format!("{s:.1} s"),
    };
    parts.push(format!("{time} for 1,000 samples"));
    parts.join(", ")
}

fn evaluation(evaluation: &Evaluation) -> String {
    let say = |(name, value): (&String, &f64)| {
        let name = name.replace('_', " ");
        match value.abs() {
            size if size >= 100.0 => format!("{name} {value:.1}"),
            size if size >= 1.0 => format!("{name} {value:.2}"),
            _ => format!("{name} {value:.4}"),
        }
    };
    let losses = evaluation
        .losses
        .iter()
        .filter(|(name, _)| *name != "right");
    let all: Vec<String> = losses.chain(&evaluation.scores).map(say).collect();
    all.join(", ")
}
