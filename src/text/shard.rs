//! Takes every N-th line, paragraph or document of a stream of units, for jobs that are split over machines.

use crate::text::boundary::{self, Boundary};
use crate::text::document::{Offset, Opens};
use crate::text::format::InputFormat;
use crate::text::units::{Cut, Unit, behind};
use std::str::FromStr;

/// One of several equal shares, written `I/N`: `index` counts from 0 and is less than `count`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shard {
    pub index: u64,
    pub count: u64,
}

impl FromStr for Shard {
    type Err = String;

    fn from_str(text: &str) -> Result<Shard, String> {
        let parsed = text.split_once('/').and_then(|(index, count)| {
            Some(Shard {
                index: index.parse().ok()?,
                count: count.parse().ok()?,
            })
        });
        parsed
            .filter(|shard| shard.index < shard.count)
            .ok_or_else(|| "expected I/N with I from 0 to N-1, such as 0/4".to_string())
    }
}

/// Selects the lines, paragraphs or documents of one shard, counting through all files.
pub struct Sharder {
    shard: Shard,
    seen: u64,
    /// What the next paragraph that is taken opens.
    owed: Opens,
}

impl Sharder {
    pub fn new(shard: Shard) -> Sharder {
        Sharder {
            shard,
            seen: 0,
            owed: Opens::Nothing,
        }
    }

    /// The parts of `unit` that belong to the shard.
    pub fn select(&mut self, unit: Unit, cut: &Cut) -> Vec<Unit> {
        match cut.format {
            InputFormat::Lines | InputFormat::Tokens | InputFormat::Jsonl => {
                self.lines(unit).into_iter().collect()
            }
            InputFormat::Text => {
                let continues = unit.opens == Opens::Nothing;
                self.pieces(unit, cut.paragraph(), continues)
            }
            InputFormat::Conllu | InputFormat::Columns => {
                let starts = boundary::starts_with_document(&unit.text);
                let continues = !starts && unit.opens == Opens::Nothing;
                self.pieces(unit, Boundary::Document, continues)
            }
        }
    }

    fn is_next_taken(&mut self) -> bool {
        self.seen += 1;
        (self.seen - 1) % self.shard.count == self.shard.index
    }

    fn is_last_taken(&self) -> bool {
        self.seen.wrapping_sub(1) % self.shard.count == self.shard.index
    }

    fn lines(&mut self, unit: Unit) -> Option<Unit> {
        let mut taken: Option<Unit> = None;
        let mut takes_last = false;
        for (i, line) in unit.text.split_inclusive('\n').enumerate() {
            let continues = i == 0 && unit.continues_line;
            takes_last = match continues {
                true => self.is_last_taken(),
                false => self.is_next_taken(),
            };
            if !takes_last {
                continue;
            }
            let first = taken.get_or_insert_with(|| Unit {
                line: unit.line + i as u64,
                line_step: self.shard.count,
                start: if continues {
                    unit.start
                } else {
                    Offset::default()
                },
                continues_line: continues,
                ..unit.clone_head()
            });
            first.text.push_str(line);
        }
        if let Some(taken) = &mut taken {
            taken.stops_in_line = unit.stops_in_line && takes_last;
        }
        taken
    }

    fn pieces(&mut self, unit: Unit, boundary: Boundary, mut continues: bool) -> Vec<Unit> {
        let mut taken = Vec::new();
        let mut rest = unit.text.as_str();
        let mut line = unit.line;
        let mut start = unit.start;
        let mut opens = unit.opens;
        while !rest.is_empty() {
            let end = boundary::first(rest.as_bytes(), 1..rest.len(), boundary);
            let (piece, behind_it) = rest.split_at(end.unwrap_or(rest.len()));
            let is_taken = match continues {
                true => self.is_last_taken(),
                false => self.is_next_taken(),
            };
            continues = false;
            self.owed = self.owed.max(opens);
            if is_taken {
                taken.push(Unit {
                    text: piece.to_string(),
                    line,
                    start,
                    opens: std::mem::take(&mut self.owed),
                    ..unit.clone_head()
                });
            }
            line += memchr::memchr_iter(b'\n', piece.as_bytes()).count() as u64;
            if boundary != Boundary::Document {
                start = behind(start, piece);
            }
            opens = Opens::Paragraph;
            rest = behind_it;
        }
        taken
    }
}

impl Unit {
    /// The unit without its text.
    fn clone_head(&self) -> Unit {
        Unit {
            text: String::new(),
            line: self.line,
            line_step: self.line_step,
            start: Offset::default(),
            opens: self.opens,
            document: self.document.clone(),
            ..Unit::default()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cut(format: InputFormat) -> Cut {
        Cut {
            format,
            newline_breaks: false,
            whole_lines: false,
            whole_documents: false,
            replace_invalid: false,
            eager: false,
        }
    }

    fn unit(text: &str) -> Unit {
        Unit {
            text: text.to_string(),
            line: 1,
            line_step: 1,
            opens: Opens::Document,
            ..Unit::default()
        }
    }

    fn shard(index: u64, text: &str, format: InputFormat) -> Vec<Unit> {
        Sharder::new(Shard { index, count: 2 }).select(unit(text), &cut(format))
    }

    #[test]
    fn shards_are_written_as_index_and_count() {
        assert_eq!("1/4".parse(), Ok(Shard { index: 1, count: 4 }));
        for wrong in ["4/4", "1", "0/0", "-1/2", "a/b"] {
            assert!(wrong.parse::<Shard>().is_err());
        }
    }

    #[test]
    fn every_second_line_knows_its_number() {
        let units = shard(1, "a\nb\nc\nd", InputFormat::Lines);
        assert_eq!(units.len(), 1);
        assert_eq!(units[0].text, "b\nd");
        assert_eq!((units[0].line, units[0].line_step), (2, 2));
    }

    #[test]
    fn a_line_cut_in_two_counts_once() {
        let mut sharder = Sharder::new(Shard { index: 1, count: 2 });
        let lines = cut(InputFormat::Lines);
        let first = Unit {
            stops_in_line: true,
            ..unit("a\nb ")
        };
        let second = Unit {
            continues_line: true,
            ..unit("b\nc\nd")
        };
        let first = sharder.select(first, &lines);
        assert_eq!((&*first[0].text, first[0].stops_in_line), ("b ", true));
        let second = sharder.select(second, &lines);
        assert_eq!((&*second[0].text, second[0].continues_line), ("b\nd", true));
    }

    #[test]
    fn every_second_paragraph_knows_its_place() {
        let text = "é a\n\nb\n\n  c\n\nd";
        let units = shard(1, text, InputFormat::Text);
        let texts: Vec<_> = units.iter().map(|unit| unit.text.as_str()).collect();
        assert_eq!(texts, ["b\n\n  ", "d"]);
        assert_eq!(units[0].opens, Opens::Document);
        assert_eq!(units[1].opens, Opens::Paragraph);
        assert_eq!((units[1].start.chars, units[1].start.bytes), (13, 14));
        assert_eq!(units[1].line, 7);
    }

    #[test]
    fn a_document_cut_in_two_counts_once() {
        let mut sharder = Sharder::new(Shard { index: 1, count: 2 });
        let conllu = cut(InputFormat::Conllu);
        let first = unit("# newdoc\n1\ta\n\n# newdoc\n1\tb\n\n");
        let second = Unit {
            opens: Opens::Nothing,
            ..unit("1\tc\n\n# newdoc\n1\td\n\n")
        };
        assert_eq!(sharder.select(first, &conllu)[0].text, "# newdoc\n1\tb\n\n");
        let units = sharder.select(second, &conllu);
        assert_eq!(units.len(), 1);
        assert_eq!(units[0].text, "1\tc\n\n");
    }
}
