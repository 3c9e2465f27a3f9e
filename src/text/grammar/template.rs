//! Values put together from what a rule captured.
//!
//! `$name` is what was captured under the name, `${name*0.01}` and `${a*b}` a number times another; `${a~b}` is the number
//! a in the millions or billions of b, where it is said of both: `$5 to $16 billion`. A value that begins
//! with `@` is one relative to a day (`calendar`).

use super::number;
use std::borrow::Cow;

/// What a step captured.
#[derive(Clone, Debug, PartialEq)]
pub enum Capture<'a> {
    Text(Cow<'a, str>),
    Number(f64, Option<f64>),
}

/// A value with places for what was captured.
#[derive(Clone, Debug, PartialEq)]
pub struct Template {
    parts: Vec<Part>,
    /// A range gives two whole values, `P2D/P3D`.
    apart: bool,
}

#[derive(Clone, Debug, PartialEq)]
enum Part {
    Text(String),
    Name(String),
    Product(String, Factor),
}

#[derive(Clone, Debug, PartialEq)]
enum Factor {
    Constant(f64),
    Name(String),
    /// The millions or billions of this number, if the other has none of its own.
    ScaleOf(String),
}

/// The captures of a match, by name.
pub type Captures<'a> = [(&'a str, Capture<'a>)];

impl Template {
    /// Reads a template.
    ///
    /// # Errors
    /// A brace is not closed, or a product has no factor.
    pub fn parse(text: &str, apart: bool) -> Result<Template, String> {
        let mut parts = Vec::new();
        let mut rest = text;
        while let Some(at) = rest.find('$') {
            parts.push(Part::Text(rest[..at].to_owned()));
            rest = &rest[at + 1..];
            if let Some(inner) = rest.strip_prefix('{') {
                let (inner, after) = inner
                    .split_once('}')
                    .ok_or_else(|| format!("no \"}}\" in {text:?}"))?;
                parts.push(match (inner.split_once('*'), inner.split_once('~')) {
                    (None, None) => Part::Name(inner.to_owned()),
                    (None, Some((name, like))) => {
                        Part::Product(name.to_owned(), Factor::ScaleOf(like.to_owned()))
                    }
                    (Some((name, factor)), _) => {
                        let factor = match factor.parse() {
                            Ok(constant) => Factor::Constant(constant),
                            Err(_) => Factor::Name(factor.to_owned()),
                        };
                        Part::Product(name.to_owned(), factor)
                    }
                });
                rest = after;
            } else {
                let end = rest
                    .find(|c: char| !c.is_ascii_lowercase())
                    .unwrap_or(rest.len());
                parts.push(Part::Name(rest[..end].to_owned()));
                rest = &rest[end..];
            }
        }
        parts.push(Part::Text(rest.to_owned()));
        Ok(Template { parts, apart })
    }

    /// The value; `None` if something it needs was not captured.
    pub fn fill(&self, captures: &Captures) -> Option<String> {
        let has_range = captures
            .iter()
            .any(|(_, capture)| matches!(capture, Capture::Number(_, Some(_))));
        if self.apart && has_range {
            let low = self.print(captures, Ends::Low)?;
            let high = self.print(captures, Ends::High)?;
            return Some(format!("{low}/{high}"));
        }
        self.print(captures, Ends::Both)
    }

    fn print(&self, captures: &Captures, ends: Ends) -> Option<String> {
        let mut out = String::new();
        let get = |name: &str| {
            let found = captures.iter().find(|(known, _)| *known == name);
            found.map(|(_, capture)| capture)
        };
        for part in &self.parts {
            match part {
                Part::Text(text) => out.push_str(text),
                Part::Name(name) => match get(name)? {
                    Capture::Text(text) => out.push_str(text),
                    Capture::Number(low, high) => ends.print(*low, *high, 1.0, &mut out),
                },
                Part::Product(name, factor) => {
                    let factor = match factor {
                        Factor::Constant(constant) => *constant,
                        Factor::ScaleOf(like) => match (get(name)?, get(like)?) {
                            (Capture::Number(low, _), Capture::Number(high, _)) => {
                                shared_scale(*low, *high)
                            }
                            _ => return None,
                        },
                        Factor::Name(name) => match get(name)? {
                            Capture::Number(value, _) => *value,
                            Capture::Text(text) => text.parse().ok()?,
                        },
                    };
                    match get(name)? {
                        Capture::Number(low, high) => ends.print(*low, *high, factor, &mut out),
                        Capture::Text(_) => return None,
                    }
                }
            }
        }
        Some(out)
    }
}

/// 10⁶, 10⁹ … if `high` has so many of which `low` can be a smaller number; else 1.
fn shared_scale(low: f64, high: f64) -> f64 {
    let scale = 1000f64.powf((high.log10() / 3.0 + 1e-9).floor());
    let is_shared = high >= 1e6 && low <= high / scale;
    if is_shared { scale } else { 1.0 }
}

/// Which ends of ranges are printed.
#[derive(Clone, Copy)]
enum Ends {
    Low,
    High,
    Both,
}

impl Ends {
    fn print(self, low: f64, high: Option<f64>, factor: f64, out: &mut String) {
        match (self, high) {
            (Ends::Both, Some(high)) => {
                out.push_str(&number::print(low * factor));
                out.push('/');
                out.push_str(&number::print(high * factor));
            }
            (Ends::High, Some(high)) => out.push_str(&number::print(high * factor)),
            _ => out.push_str(&number::print(low * factor)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fill(template: &str, apart: bool) -> Option<String> {
        let captures = [
            ("n", Capture::Number(2.0, Some(3.0))),
            ("c", Capture::Text("USD".into())),
            ("s", Capture::Text("1000".into())),
        ];
        Template::parse(template, apart).unwrap().fill(&captures)
    }

    #[test]
    fn ranges_stand_together_or_apart() {
        assert_eq!(fill("$c $n", false).unwrap(), "USD 2/3");
        assert_eq!(fill("P${n}D", true).unwrap(), "P2D/P3D");
    }

    #[test]
    fn products_and_missing_names() {
        assert_eq!(fill("${n*0.01}", false).unwrap(), "0.02/0.03");
        assert_eq!(fill("${n*s}", false).unwrap(), "2000/3000");
        assert_eq!(
            [shared_scale(5.0, 16e9), shared_scale(5e6, 16e9)],
            [1e9, 1.0]
        );
        assert_eq!(
            [shared_scale(500.0, 1e3), shared_scale(500.0, 2e6)],
            [1.0, 1.0]
        );
        assert_eq!(fill("$x", false), None);
        assert!(Template::parse("${n", false).is_err());
    }
}
