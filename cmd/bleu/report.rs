//! What `wordmill bleu` prints: scores of systems, or of sentences, for people and for programs.

use super::{Args, Test, To};
use crate::stream::Output;
use anyhow::Result;
use serde_json::{Map, Value, json};
use wordmill::translate::score::significance::{
    Draws, Interval, bootstrap, bootstrap_p, randomization_p,
};
use wordmill::translate::score::{Metric, Statistics, signature};

/// A system by one metric.
struct Scored<'a> {
    system: &'a str,
    score: f64,
    details: String,
    interval: Option<Interval>,
    /// Against the first system.
    p: Option<f64>,
}

/// Writes the scores of the systems by every metric.
pub fn corpus(
    args: &Args,
    names: &[String],
    references: usize,
    metrics: &[Box<dyn Metric>],
    measured: &[Vec<Statistics>],
    output: &mut Output,
) -> Result<()> {
    let mut drawn = Vec::new();
    if args.resamples() {
        drawn.push(("bs", u64::from(args.bootstrap)));
    }
    if !args.against.is_empty() && args.test == Test::Randomization {
        drawn.push(("ar", u64::from(args.shuffles)));
    }
    if !drawn.is_empty() {
        drawn.push(("seed", args.seed));
    }
    for (metric, systems) in metrics.iter().zip(measured) {
        let scored = scored(args, names, metric.as_ref(), systems);
        let signature = signature(metric.as_ref(), references, &drawn);
        let name = metric.name();
        output.write(&match args.to {
            To::Json => json_lines(&name, &signature, &scored),
            To::Score => scored
                .iter()
                .map(|system| format!("{:.2}\n", system.score))
                .collect(),
            To::Text if args.against.is_empty() => line(&name, &signature, &scored[0]),
            To::Text => table(&name, &signature, &scored),
        })?;
    }
    Ok(())
}

fn scored<'a>(
    args: &Args,
    names: &'a [String],
    metric: &dyn Metric,
    systems: &[Statistics],
) -> Vec<Scored<'a>> {
    let samples = match args.resamples() {
        true => samples(args, metric, systems),
        false => Vec::new(),
    };
    let shuffles = Draws::new(args.shuffles, args.seed);
    let first = metric.score(&systems[0].sums());
    let of_system = |(i, name): (usize, &'a String)| {
        let sums = systems[i].sums();
        let score = metric.score(&sums);
        let p = || match args.test {
            Test::Bootstrap => bootstrap_p(score - first, &samples[0], &samples[i]),
            Test::Randomization => randomization_p(metric, &systems[0], &systems[i], shuffles),
        };
        Scored {
            system: name,
            score,
            details: metric.details(&sums),
            interval: samples.get(i).and_then(|scores| Interval::of(scores)),
            p: (i > 0).then(p),
        }
    };
    names.iter().enumerate().map(of_system).collect()
}

/// The scores of the systems on samples. (systems, samples)
fn samples(args: &Args, metric: &dyn Metric, systems: &[Statistics]) -> Vec<Vec<f64>> {
    let draws = Draws::new(args.bootstrap, args.seed);
    match args.test {
        Test::Bootstrap => bootstrap(metric, systems, draws),
        Test::Randomization => {
            let (first, others) = systems.split_at(1);
            let behind = draws.after_shuffles(args.shuffles, first[0].len());
            let mut samples = bootstrap(metric, first, draws);
            samples.extend(bootstrap(metric, others, behind));
            samples
        }
    }
}

/// `BLEU|nrefs:1|… = 34.52 (μ = 34.50 ± 0.61) 63.1/41.2/28.0/19.4 (BP = …)`
fn line(name: &str, signature: &str, scored: &Scored) -> String {
    let mut line = format!("{name}|{signature} = {:.2}", scored.score);
    if let Some(interval) = scored.interval {
        line += &format!(" (μ = {:.2} ± {:.2})", interval.mean, interval.margin);
    }
    if !scored.details.is_empty() {
        line += &format!(" {}", scored.details);
    }
    line + "\n"
}

fn table(name: &str, signature: &str, systems: &[Scored]) -> String {
    let width = systems
        .iter()
        .map(|s| s.system.chars().count())
        .max()
        .unwrap_or(0)
        .max(6);
    let mut rows = vec![["system", name, "mean", "95 %", "p"].map(str::to_owned)];
    rows.extend(systems.iter().map(|scored| {
        let two = |number: Option<f64>| number.map_or_else(String::new, |n| format!("{n:.2}"));
        [
            scored.system.to_owned(),
            two(Some(scored.score)),
            two(scored.interval.map(|interval| interval.mean)),
            scored
                .interval
                .map_or_else(String::new, |i| format!("± {:.2}", i.margin)),
            scored.p.map_or_else(String::new, |p| format!("{p:.4}")),
        ]
    }));
    let mut table = format!("{name}|{signature}\n");
    for [system, score, mean, margin, p] in rows {
        let row = match systems[0].interval {
            Some(_) => format!("  {system:width$}  {score:>7}  {mean:>7}  {margin:>7}  {p:>6}"),
            None => format!("  {system:width$}  {score:>7}  {p:>6}"),
        };
        table += row.trim_end();
        table.push('\n');
    }
    table
}

fn json_lines(name: &str, signature: &str, systems: &[Scored]) -> String {
    let object = |scored: &Scored| {
        let mut object = Map::new();
        let mut add = |key: &str, value: Value| object.insert(key.to_owned(), value);
        add("system", json!(scored.system));
        add("metric", json!(name));
        add("score", json!(scored.score));
        add("signature", json!(signature));
        if !scored.details.is_empty() {
            add("details", json!(scored.details));
        }
        if let Some(interval) = scored.interval {
            add("mean", json!(interval.mean));
            add("margin", json!(interval.margin));
        }
        if let Some(p) = scored.p {
            add("p", json!(p));
        }
        format!("{}\n", Value::Object(object))
    };
    systems.iter().map(object).collect()
}

/// Writes a line for each sentence of the first system, with its scores by every metric.
pub fn sentences(
    args: &Args,
    metrics: &[Box<dyn Metric>],
    measured: &[Vec<Statistics>],
    output: &mut Output,
) -> Result<()> {
    let mut rows: Vec<_> = measured.iter().map(|systems| systems[0].rows()).collect();
    let names: Vec<String> = metrics.iter().map(|metric| metric.name()).collect();
    for _ in 0..measured[0][0].len() {
        let scores = rows.iter_mut().zip(metrics).map(|(rows, metric)| {
            let sums: Vec<i64> = rows
                .next()
                .unwrap_or_default()
                .iter()
                .map(|&n| i64::from(n))
                .collect();
            metric.score(&sums)
        });
        let line = match args.to {
            To::Json => {
                let scores = names.iter().cloned().zip(scores.map(|score| json!(score)));
                Value::Object(scores.collect()).to_string()
            }
            To::Text | To::Score => scores
                .map(|score| format!("{score:.2}"))
                .collect::<Vec<_>>()
                .join("\t"),
        };
        output.write(&line)?;
        output.write("\n")?;
    }
    Ok(())
}
