//! How what was measured is written: a line for each number, or an object.

use super::measure::Numbers;
use crate::stream::Output;
use anyhow::Result;
use serde_json::Value;

#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Format {
    /// A line for each measure: name, value, floor
    Text,
    /// An object
    Json,
}

/// Says what there was no time for.
pub fn tell_left_out(numbers: &Numbers) {
    let names = |numbers: Option<&Numbers>| -> Vec<String> {
        let names = numbers.and_then(|numbers| numbers.get("left_out")?.as_array());
        let names = names.into_iter().flatten().filter_map(Value::as_str);
        names.map(str::to_owned).collect()
    };
    let mut all = names(Some(numbers));
    let floor = names(numbers.get("floor").and_then(Value::as_object));
    all.extend(floor.iter().map(|name| format!("the floor of {name}")));
    if !all.is_empty() {
        eprintln!("wordmill gan eval: no time was left for {}", all.join(", "));
    }
}

/// Writes all numbers to standard output.
///
/// # Errors
/// When it takes none.
pub fn write(numbers: &Numbers, format: Format) -> Result<()> {
    let mut out = Output::create(None, false)?;
    match format {
        Format::Json => out.write(&format!("{}\n", Value::from(numbers.clone())))?,
        Format::Text => {
            let say = |value: &Value| match value.as_f64() {
                Some(value) if value.abs() >= 100.0 => format!("{value:.1}"),
                Some(value) => format!("{value:.4}"),
                None => String::new(),
            };
            let empty = Numbers::new();
            let floor = numbers
                .get("floor")
                .and_then(Value::as_object)
                .unwrap_or(&empty);
            out.write("measure\tvalue\tfloor\n")?;
            for (name, value) in numbers {
                match value.as_object() {
                    None if name == "left_out" => {}
                    None => {
                        let floor = floor.get(name).map(say).unwrap_or_default();
                        out.write(&format!("{name}\t{}\t{floor}\n", say(value)))?;
                    }
                    Some(parts) if name != "floor" => {
                        for (part, value) in parts {
                            out.write(&format!("{name}.{part}\t{}\t\n", say(value)))?;
                        }
                    }
                    Some(_) => {}
                }
            }
        }
    }
    out.finish()
}
