//! The curves of a run as a picture: losses, scores and learning rate over steps, one panel below the other, as SVG.

use super::event::Event;
use std::collections::BTreeMap;
use std::fmt::Write;

/// Pixels.
const WIDTH: f64 = 800.0;
const PANEL: f64 = 220.0;
const LEFT: f64 = 70.0;
const RIGHT: f64 = 150.0;
const TOP: f64 = 30.0;
const BOTTOM: f64 = 30.0;

const COLOURS: [&str; 4] = ["#1f6fb4", "#d1651a", "#2a8f4a", "#8a4fb0"];

type Points = Vec<(f64, f64)>;

/// The picture of what was reported.
pub fn curves(events: &[Event]) -> String {
    let mut panels: BTreeMap<(u8, &str), BTreeMap<&str, Points>> = BTreeMap::new();
    let mut add = |panel, name, step: u64, value: f64| {
        if value.is_finite() {
            let points = panels.entry(panel).or_default().entry(name).or_default();
            points.push((step as f64, value));
        }
    };
    for event in events {
        match event {
            Event::Report(report) => {
                for (name, value) in &report.values {
                    match of_training(name) {
                        // Not the smoothed loss, so that the line lies beside that of the validation.
                        _ if name == "perplexity" => {
                            add((0, "loss"), "training", report.step, value.ln());
                        }
                        Some((panel, line)) => add(panel, line, report.step, *value),
                        None => {}
                    }
                }
                add(
                    (9, "learning rate"),
                    "rate",
                    report.step,
                    f64::from(report.lr),
                );
            }
            Event::Evaluation {
                step, evaluation, ..
            } => {
                for (name, value) in &evaluation.losses {
                    match name.as_str() {
                        "loss" => add((0, "loss"), "validation", *step, *value),
                        "perplexity" => {}
                        name => add((2, "distance"), name, *step, *value),
                    }
                }
                for (name, score) in &evaluation.scores {
                    add((1, "score"), name, *step, *score);
                }
            }
            _ => {}
        }
    }
    let height = PANEL * panels.len() as f64;
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height}\" width=\"{WIDTH}\" \
         height=\"{height}\" font-family=\"DejaVu Sans, Verdana, sans-serif\" font-size=\"12\">\n\
         <rect width=\"100%\" height=\"100%\" fill=\"#ffffff\"/>\n"
    );
    for (i, ((_, title), lines)) in panels.iter().enumerate() {
        draw(&mut svg, i as f64 * PANEL, title, lines);
    }
    svg + "</svg>\n"
}

/// The panel and the line of what a report tells; none of what is no curve.
fn of_training(name: &str) -> Option<((u8, &'static str), &'static str)> {
    Some(match name {
        "critic_loss" => ((0, "loss"), "critic"),
        "generator_loss" => ((0, "loss"), "generator"),
        "real" => ((3, "verdict"), "real"),
        "made" => ((3, "verdict"), "made"),
        "critic_gradient" => ((4, "gradient"), "critic"),
        "generator_gradient" => ((4, "gradient"), "generator"),
        _ => return None,
    })
}

/// Least and largest of some values; apart, if they are the same.
fn range(values: impl Iterator<Item = f64>) -> (f64, f64) {
    let (low, high) = values.fold((f64::MAX, f64::MIN), |(low, high), v| {
        (low.min(v), high.max(v))
    });
    if high > low {
        (low, high)
    } else {
        (low - 0.5, low + 0.5)
    }
}

fn draw(svg: &mut String, top: f64, title: &str, lines: &BTreeMap<&str, Points>) {
    let all = || lines.values().flatten();
    let (first, last) = range(all().map(|(x, _)| *x));
    let (low, high) = range(all().map(|(_, y)| *y));
    let x_of = |x: f64| LEFT + (x - first) / (last - first) * (WIDTH - LEFT - RIGHT);
    let y_of = |y: f64| top + TOP + (high - y) / (high - low) * (PANEL - TOP - BOTTOM);
    let (bottom, right) = (top + PANEL - BOTTOM, WIDTH - RIGHT);
    // Writing to a string never fails.
    let _ = writeln!(
        svg,
        "<text x=\"{LEFT}\" y=\"{:.1}\" font-weight=\"bold\">{title}</text>\n\
         <path d=\"M{LEFT} {:.1} V{bottom:.1} H{right}\" fill=\"none\" stroke=\"#808080\"/>",
        top + TOP - 10.0,
        top + TOP
    );
    for (value, y) in [(high, top + TOP + 4.0), (low, bottom)] {
        let _ = writeln!(
            svg,
            "<text x=\"{:.1}\" y=\"{y:.1}\" text-anchor=\"end\">{}</text>",
            LEFT - 6.0,
            short(value)
        );
    }
    for (step, anchor) in [(first, "start"), (last, "end")] {
        let (x, y) = (x_of(step), bottom + 16.0);
        let _ = writeln!(
            svg,
            "<text x=\"{x:.1}\" y=\"{y:.1}\" text-anchor=\"{anchor}\">{step:.0}</text>"
        );
    }
    for (i, ((name, points), colour)) in lines.iter().zip(COLOURS.iter().cycle()).enumerate() {
        let path: Vec<String> = points
            .iter()
            .map(|(x, y)| format!("{:.1},{:.1}", x_of(*x), y_of(*y)))
            .collect();
        let at = top + TOP + 16.0 * i as f64;
        let _ = writeln!(
            svg,
            "<polyline points=\"{}\" fill=\"none\" stroke=\"{colour}\" stroke-width=\"1.5\"/>\n\
             <text x=\"{:.1}\" y=\"{at:.1}\" fill=\"{colour}\">{name}</text>",
            path.join(" "),
            right + 10.0
        );
    }
}

/// Four digits of a number.
fn short(value: f64) -> String {
    match value.abs() {
        0.0 => "0".to_owned(),
        size if size < 0.01 => format!("{value:.1e}"),
        size if size < 10.0 => format!("{value:.3}"),
        _ => format!("{value:.1}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::nn::event::{Evaluation, Report};

    #[test]
    fn losses_scores_and_rates_have_a_panel_each() {
        let report = |step, loss: f64| {
            Event::Report(Report {
                step,
                epoch: 0,
                lr: 0.001,
                gradient: 1.0,
                seconds: 1.0,
                values: [("perplexity".to_owned(), loss.exp())].into(),
            })
        };
        let evaluation = Event::Evaluation {
            step: 100,
            epoch: 0,
            seconds: 1.0,
            is_best: true,
            evaluation: Evaluation {
                losses: [("loss".to_owned(), 3.0)].into(),
                scores: [("bleu".to_owned(), 12.5)].into(),
                ..Evaluation::default()
            },
        };
        let svg = curves(&[
            report(50, 5.0),
            evaluation,
            report(100, f64::NAN),
            report(150, 4.0),
        ]);
        assert_eq!(svg.matches("<polyline").count(), 4);
        for name in [
            "loss",
            "score",
            "learning rate",
            "training",
            "validation",
            "bleu",
        ] {
            assert!(svg.contains(&format!(">{name}<")), "{name}");
        }
        // Two points: the loss of step 100 is no number.
        assert!(svg.contains("points=\"70.0,30.0 650.0,"), "{svg}");
        assert_eq!(curves(&[]).matches("<polyline").count(), 0);
    }
}
