//! How reports and evaluations of adversarial networks are said in a line.

use crate::teller::Lines;
use wordmill::nn::event::{Evaluation, Report};

pub const LINES: Lines = Lines { report, evaluation };

fn report(report: &Report) -> String {
    let value = |name| report.value(name);
    let penalty = match report.values.get("penalty") {
        Some(penalty) => format!(", penalty {penalty:.3}"),
        None => String::new(),
    };
    let seconds = 1000.0 / value("samples_per_second").max(1e-9);
    let time = match seconds {
        s if s < 1.0 => format!("{:.0} ms", 1000.0 * s),
        s => format!("{s:.1} s"),
    };
    format!(
        "critic {:.4}{penalty}, generator {:.4}, D(x) {:.2}, D(G(z)) {:.2}, critic right {:.0} %, gradients {:.2} and {:.2}, \
         {time} for 1,000 samples",
        value("critic_loss"),
        value("generator_loss"),
        value("real"),
        value("made"),
        100.0 * value("right"),
        value("critic_gradient"),
        value("generator_gradient"),
    )
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
