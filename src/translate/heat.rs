//! What the words of a translation attended to, as a picture: a map for each layer and head, as SVG.
//!
//! ```text
//!            source tokens ─▶          head 1   head 2 …
//! layer 1    target tokens │            ▓░░      ░▓░
//!                          ▼            ░▓░      ▓░░
//! ```
//!
//! A cell is as dark as its weight, whose number a browser shows under the pointer.

use std::fmt::Write;

/// Pixels.
const CELL: usize = 14;
const LETTER: usize = 8;
const GAP: usize = 26;

/// What the words of a translation attended to.
#[derive(Clone, Debug, PartialEq)]
pub struct Maps {
    pub layers: usize,
    pub heads: usize,
    /// Tokens of the source, with its mark, and steps of the translation, the last of which says its end.
    pub source: usize,
    pub target: usize,
    /// (target, layers, heads, source)
    pub weights: Vec<f32>,
}

impl Maps {
    /// The weight of a source token in a step.
    pub fn weight(&self, (layer, head): (usize, usize), target: usize, source: usize) -> f32 {
        let map = (target * self.layers + layer) * self.heads + head;
        self.weights[map * self.source + source]
    }
}

/// The picture of `maps`, whose rows and columns have these labels.
pub fn svg(maps: &Maps, source: &[String], target: &[String]) -> String {
    let room = |labels: &[String]| {
        let letters = labels.iter().map(|label| label.chars().count()).max();
        letters.unwrap_or(0) * LETTER + CELL
    };
    let (left, top) = (room(target), room(source));
    let (across, down) = (maps.source * CELL + GAP, maps.target * CELL + GAP);
    let (width, height) = (left + maps.heads * across, top + maps.layers * down + GAP);
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" width=\"{width}\" \
         height=\"{height}\" font-family=\"DejaVu Sans, Verdana, sans-serif\" font-size=\"11\">\n\
         <rect width=\"100%\" height=\"100%\" fill=\"#ffffff\"/>\n"
    );
    for head in 0..maps.heads {
        for (i, label) in source.iter().enumerate() {
            let (x, y) = (left + head * across + i * CELL + CELL / 2 + 4, top - 4);
            // Writing to a string does not fail.
            let _ = writeln!(
                out,
                "<text transform=\"translate({x} {y}) rotate(-90)\">{}</text>",
                escaped(label)
            );
        }
    }
    for layer in 0..maps.layers {
        let y = top + layer * down + GAP;
        for (i, label) in target.iter().enumerate() {
            let y = y + i * CELL + CELL - 3;
            let x = left - 4;
            let _ = writeln!(
                out,
                "<text x=\"{x}\" y=\"{y}\" text-anchor=\"end\">{}</text>",
                escaped(label)
            );
        }
        for head in 0..maps.heads {
            let place = (left + head * across, y);
            map(&mut out, maps, (layer, head), place, (source, target));
        }
    }
    out + "</svg>\n"
}

fn map(
    out: &mut String,
    maps: &Maps,
    (layer, head): (usize, usize),
    (x, y): (usize, usize),
    (source, target): (&[String], &[String]),
) {
    let (width, height) = (maps.source * CELL, maps.target * CELL);
    let _ = writeln!(
        out,
        "<text x=\"{x}\" y=\"{}\" fill=\"#606060\">layer {}, head {}</text>",
        y - 4,
        layer + 1,
        head + 1
    );
    for t in 0..maps.target {
        for s in 0..maps.source {
            let weight = maps.weight((layer, head), t, s);
            // What would be paler than a hundredth is white.
            if weight < 0.01 {
                continue;
            }
            let label =
                |labels: &[String], i: usize| escaped(labels.get(i).map_or("", String::as_str));
            let _ = writeln!(
                out,
                "<rect x=\"{}\" y=\"{}\" width=\"{CELL}\" height=\"{CELL}\" fill=\"#1f6fb4\" \
                 fill-opacity=\"{weight:.2}\"><title>{} → {}: {weight:.2}</title></rect>",
                x + s * CELL,
                y + t * CELL,
                label(target, t),
                label(source, s)
            );
        }
    }
    let _ = writeln!(
        out,
        "<rect x=\"{x}\" y=\"{y}\" width=\"{width}\" height=\"{height}\" fill=\"none\" stroke=\"#808080\"/>"
    );
}

fn escaped(text: &str) -> String {
    let text = text.replace('&', "&amp;").replace('<', "&lt;");
    // Control characters are not allowed in XML.
    text.replace('>', "&gt;")
        .replace(|c: char| c.is_control(), "\u{FFFD}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_head_has_a_map_and_every_label_is_escaped() {
        let maps = Maps {
            layers: 2,
            heads: 3,
            source: 2,
            target: 1,
            weights: (0..12)
                .map(|i| if i % 2 == 0 { 0.75 } else { 0.25 })
                .collect(),
        };
        let picture = svg(&maps, &["<a".into(), "b".into()], &["c&".into()]);
        assert_eq!(picture.matches("layer 2, head 3").count(), 1);
        assert_eq!(picture.matches("fill-opacity=\"0.75\"").count(), 6);
        assert_eq!(
            picture
                .matches("<title>c&amp; → &lt;a: 0.75</title>")
                .count(),
            6
        );
        assert!(!picture.contains("<a"));
    }
}
