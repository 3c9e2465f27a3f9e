//! A page: one file without anything outside of it, for a browser of any width, light or dark.
//!
//! ```html
//! <h2>notes/1</h2>
//! <p><mark class="c8" data-label="PER"><span tabindex="0" data-tip="PROPN · NNP">Ann</span></mark> …</p>
//! ```
//!
//! [`head`], documents as they come, [`Legend::foot`]: so a page of any length is written as a stream. The text of its
//! `p` is that of the documents, white space included; labels and what is known of a word are put there by `page.css`.
//! A blank line ends a paragraph.

use super::document::{Document, Opens, Word};
use super::highlight::{Highlight, Piece, visible};
use std::collections::BTreeMap;
use std::fmt::Write;
use std::ops::Range;

const STYLE: &str = include_str!("html/page.css");

/// Labels in a legend: a page that is fed with millions of them stays readable, and the memory bounded.
const LONGEST_LEGEND: usize = 60;

/// How often each label, or tag, was shown.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Legend(BTreeMap<String, u64>);

/// The page up to the first document.
pub fn head(title: &str) -> String {
    let mut out = String::from(
        "<!DOCTYPE html>\n<html>\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>",
    );
    push(title, &mut out);
    let _ = write!(
        out,
        "</title>\n<style>\n{STYLE}</style>\n</head>\n<body>\n<main>\n"
    );
    out
}

/// Prints a document, located for that, or a window of one. A document that begins has a heading if it has an id, else
/// a rule above it; not so with `one_line`, when documents are lines.
pub fn print(
    document: &mut Document,
    highlight: Highlight,
    one_line: bool,
    legend: &mut Legend,
    out: &mut String,
) {
    document.locate();
    let first = document.sentences.first();
    if first.map_or(document.opens, |first| first.opens) == Opens::Document {
        match &document.id {
            Some(id) => {
                out.push_str("<h2 dir=\"auto\">");
                push(id, out);
                out.push_str("</h2>\n");
            }
            None if one_line => {}
            None => out.push_str("<hr>\n"),
        }
    }
    let mut printer = Printer {
        text: document.text.as_deref().unwrap_or_default(),
        highlight,
        legend,
        out,
        in_paragraph: false,
        entity: None,
    };
    for piece in highlight.pieces(document) {
        printer.piece(piece);
    }
    printer.end_paragraph();
    out.push('\n');
}

struct Printer<'a> {
    text: &'a str,
    highlight: Highlight,
    legend: &'a mut Legend,
    out: &'a mut String,
    in_paragraph: bool,
    /// Inside of an entity: what its words say of it when they are pointed at, which is nothing if it has no value.
    entity: Option<String>,
}

impl Printer<'_> {
    fn piece(&mut self, piece: Piece) {
        match piece {
            Piece::Gap(range) => self.gap(range),
            Piece::Token(range, words) => self.token(range, words),
            Piece::Begin { label, value } => {
                self.begin_paragraph();
                self.legend.count(&label);
                self.out.push_str("<mark");
                self.class(&label);
                attribute("data-label", &label, self.out);
                self.out.push('>');
                self.entity =
                    Some(value.map_or(String::new(), |value| format!("{label}: {value}")));
            }
            Piece::End => {
                self.out.push_str("</mark>");
                self.entity = None;
            }
        }
    }

    /// White space with a blank line in it ends the paragraph, unless that is inside of an entity; from its first to its
    /// last line feed it stands between the two.
    fn gap(&mut self, range: Range<usize>) {
        let gap = self.text.get(range.clone()).unwrap_or_default();
        let breaks = (gap.find('\n'), gap.rfind('\n'));
        match breaks {
            (Some(first), Some(last))
                if self.entity.is_none() && first < last && gap.trim().is_empty() =>
            {
                let (first, last) = (range.start + first, range.start + last + 1);
                self.show(range.start..first);
                self.end_paragraph();
                self.show(first..last);
                if last < range.end {
                    self.begin_paragraph();
                    self.show(last..range.end);
                }
            }
            _ => {
                self.begin_paragraph();
                self.show(range);
            }
        }
    }

    fn token(&mut self, range: Range<usize>, words: &[Word]) {
        self.begin_paragraph();
        let tip = tip(self.entity.as_deref().unwrap_or_default(), words);
        if tip.is_empty() {
            return self.show(range);
        }
        self.out.push_str("<span");
        if self.highlight == Highlight::Tags {
            let tags = words.iter().map(|word| word.upos.as_str());
            tags.filter(|tag| !tag.is_empty())
                .for_each(|tag| self.legend.count(tag));
            self.class(words.first().map_or("", |word| &word.upos));
        }
        self.out.push_str(" tabindex=\"0\"");
        attribute("data-tip", &tip, self.out);
        self.out.push('>');
        self.show(range);
        self.out.push_str("</span>");
    }

    fn class(&mut self, name: &str) {
        push_class(self.highlight, name, self.out);
    }

    fn show(&mut self, range: Range<usize>) {
        visible(self.text, range).for_each(|c| push_char(c, self.out));
    }

    fn begin_paragraph(&mut self) {
        if !std::mem::replace(&mut self.in_paragraph, true) {
            self.out.push_str("<p dir=\"auto\">");
        }
    }

    fn end_paragraph(&mut self) {
        if std::mem::take(&mut self.in_paragraph) {
            self.out.push_str("</p>");
        }
    }
}

/// What is known of a token, in lines: the value of its entity; lemma and tags of each word, which says what it is when
/// the token has several; its features.
fn tip(entity: &str, words: &[Word]) -> String {
    let mut lines = Vec::new();
    lines.extend((!entity.is_empty()).then(|| entity.to_string()));
    for word in words {
        let known = [&word.lemma, &word.upos, &word.xpos];
        let mut known: Vec<&str> = known.map(|column| column.as_str()).to_vec();
        known.retain(|column| !column.is_empty());
        match known.join(" · ") {
            known if known.is_empty() => {}
            known if words.len() > 1 => lines.push(format!("{}: {known}", word.form)),
            known => lines.push(known),
        }
        lines.extend((!word.feats.is_empty()).then(|| word.feats.replace('|', " · ")));
    }
    lines.join("\n")
}

impl Legend {
    fn count(&mut self, name: &str) {
        self.add(name, 1);
    }

    /// Adds what another part of the page has shown.
    pub fn merge(&mut self, other: Legend) {
        other
            .0
            .iter()
            .for_each(|(name, count)| self.add(name, *count));
    }

    /// Those that are first by name stay, whatever the order in which they come, and have lost no count.
    fn add(&mut self, name: &str, count: u64) {
        match self.0.get_mut(name) {
            Some(sum) => *sum += count,
            None => {
                self.0.insert(name.to_string(), count);
                if self.0.len() > LONGEST_LEGEND {
                    self.0.pop_last();
                }
            }
        }
    }

    /// The end of the page: what its colours mean.
    pub fn foot(&self, highlight: Highlight) -> String {
        let mut out = String::from("</main>\n<footer>\n");
        for (name, count) in &self.0 {
            out.push_str("<span><b");
            push_class(highlight, name, &mut out);
            out.push('>');
            push(name, &mut out);
            let _ = writeln!(out, "</b> {} {count}</span>", highlight.kind(name).meaning);
        }
        if self.0.is_empty() {
            out.push_str(match highlight {
                Highlight::Entities => "<span>no entities</span>\n",
                Highlight::Tags => "<span>no tags</span>\n",
            });
        }
        out + "</footer>\n</body>\n</html>\n"
    }
}

fn push_class(highlight: Highlight, name: &str, out: &mut String) {
    if let Some(colour) = highlight.kind(name).colour {
        let _ = write!(out, " class=\"c{colour}\"");
    }
}

fn attribute(name: &str, value: &str, out: &mut String) {
    let _ = write!(out, " {name}=\"");
    push(value, out);
    out.push('"');
}

fn push(text: &str, out: &mut String) {
    visible(text, 0..text.len()).for_each(|c| push_char(c, out));
}

/// A character as it may stand in an element or between quotes.
pub(crate) fn push_char(c: char, out: &mut String) {
    match c {
        '&' => out.push_str("&amp;"),
        '<' => out.push_str("&lt;"),
        '>' => out.push_str("&gt;"),
        '"' => out.push_str("&quot;"),
        '\'' => out.push_str("&#39;"),
        c => out.push(c),
    }
}

#[cfg(test)]
mod tests;
