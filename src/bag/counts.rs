//! The file of counts: what a shard has counted, and what `--save` keeps.
//!
//! ```text
//! #wordmill counts 1 docs=3 tokens=9 options=76ddb0ecbb26d4c1
//! #options {"terms":{"analyzer":"word",…}}
//! bark ⇥ 2 ⇥ 1
//! dogs ⇥ 3 ⇥ 2
//! ```
//!
//! A term in UTF-8, how often it stands in all documents, and in how many; tab-separated, sorted by the bytes of the
//! term, in which backslash, tab, line feed and carriage return are written `\\ \t \n \r`. `options` is a hash of the
//! second line: counts made in different ways do not add up. What `--save` keeps of a vocabulary stands in the order of
//! the vocabulary.

use super::BagError;
use super::analyzer::TermOptions;
use super::counter::Total;
use super::cut::Cut;
use super::merge::{Entry, SortedTerms};
use super::weight::WeightOptions;
use crate::text::format::FormatError;
use crate::text::hash;
use serde::{Deserialize, Serialize};
use std::io::{BufRead, Write};

/// How such a file begins.
pub const MAGIC: &str = "#wordmill counts ";
const VERSION: &str = "1";

/// How the counts were made, and what else a fitted model has to know.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Options {
    pub terms: TermOptions,
    /// What was cut away; partial counts have all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cut: Option<Cut>,
    /// How rows are weighted; counts that were only counted do not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub weights: Option<WeightOptions>,
    /// Columns in the order of a vocabulary that was given, and not in that of their bytes.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub given_order: bool,
    /// The names of the labels, in the order of their numbers.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub labels: Vec<String>,
}

/// The first two lines.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Header {
    pub documents: u64,
    /// Occurrences of all terms, those that were cut too.
    pub tokens: u64,
    pub options: Options,
}

impl Header {
    /// The two lines.
    pub fn to_lines(&self) -> String {
        // A struct of strings, numbers and enums: nothing in it can fail to be JSON.
        let options = serde_json::to_string(&self.options).unwrap_or_default();
        let hash = hash::bytes(0, options.as_bytes());
        format!(
            "{MAGIC}{VERSION} docs={} tokens={} options={hash:016x}\n#options {options}\n",
            self.documents, self.tokens
        )
    }

    fn parse(first: &str, second: &str) -> Result<Header, FormatError> {
        let none = || {
            FormatError::new(1, "no file of counts")
                .hint("bow --counts, merge and --save write such files")
        };
        let fields = first.strip_prefix(MAGIC).ok_or_else(none)?;
        let mut fields = fields.split(' ');
        let version = fields.next().unwrap_or_default();
        if version != VERSION {
            let problem = format!("counts of version {version}, and this tool reads {VERSION}");
            return Err(FormatError::new(1, problem));
        }
        let mut field = |name: &str| {
            let value = fields.next()?.strip_prefix(name)?.strip_prefix('=')?;
            Some(value.to_owned())
        };
        let damaged = || FormatError::new(1, "expected docs=N tokens=N options=HASH");
        let mut number = |name| field(name)?.parse().ok();
        let documents = number("docs").ok_or_else(damaged)?;
        let tokens = number("tokens").ok_or_else(damaged)?;
        let options = second.strip_prefix("#options ");
        let options = options.ok_or_else(|| FormatError::new(2, "expected #options"))?;
        let hash = format!("{:016x}", hash::bytes(0, options.as_bytes()));
        if field("options") != Some(hash) {
            let problem = "the options are not those that the first line names";
            return Err(FormatError::new(2, problem).hint("the file was changed by hand"));
        }
        let options = serde_json::from_str(options)
            .map_err(|error| FormatError::new(2, format!("options: {error}")))?;
        Ok(Header {
            documents,
            tokens,
            options,
        })
    }
}

/// Appends the line of a term.
pub fn put_line(term: &[u8], total: Total, out: &mut Vec<u8>) {
    escape(term, out);
    // Writing to a vector never fails.
    let _ = writeln!(out, "\t{}\t{}", total.count, total.df);
}

/// Appends a term that may hold tabs and line ends.
pub fn escape(term: &[u8], out: &mut Vec<u8>) {
    for &byte in term {
        match byte {
            b'\\' => out.extend(b"\\\\"),
            b'\t' => out.extend(b"\\t"),
            b'\n' => out.extend(b"\\n"),
            b'\r' => out.extend(b"\\r"),
            _ => out.push(byte),
        }
    }
}

fn unescape(term: &[u8], out: &mut Vec<u8>) -> Option<()> {
    out.clear();
    let mut bytes = term.iter();
    while let Some(&byte) = bytes.next() {
        out.push(match byte {
            b'\\' => match bytes.next()? {
                b'\\' => b'\\',
                b't' => b'\t',
                b'n' => b'\n',
                b'r' => b'\r',
                _ => return None,
            },
            _ => byte,
        });
    }
    Some(())
}

/// Reads a file of counts.
pub struct CountsReader<R> {
    input: R,
    /// The file as it was named.
    pub file: String,
    pub header: Header,
    line: Vec<u8>,
    lines: u64,
    terms: u32,
    last: Vec<u8>,
}

impl<R: BufRead> CountsReader<R> {
    /// Reads the first two lines.
    ///
    /// # Errors
    /// When the input cannot be read or is no file of counts of this version.
    pub fn new(input: R, file: &str) -> Result<CountsReader<R>, BagError> {
        let mut reader = CountsReader {
            input,
            file: file.to_owned(),
            header: Header::default(),
            line: Vec::new(),
            lines: 0,
            terms: 0,
            last: Vec::new(),
        };
        let mut line = || {
            reader.read_line()?;
            Ok(String::from_utf8_lossy(&reader.line).into_owned())
        };
        let (first, second) = (line()?, line()?);
        let header = Header::parse(&first, &second);
        reader.header = header.map_err(|error| reader.failure(error))?;
        Ok(reader)
    }

    /// Reads the next line; false behind the last.
    fn read_line(&mut self) -> Result<bool, BagError> {
        self.line.clear();
        self.lines += 1;
        let read = self.input.read_until(b'\n', &mut self.line);
        let read = read.map_err(|error| BagError::Io {
            file: self.file.clone(),
            error,
        })?;
        // No field ends in a carriage return, so that one is of the line end.
        for end in [b'\n', b'\r'] {
            self.line.pop_if(|last| *last == end);
        }
        Ok(read > 0)
    }

    fn failure(&self, error: FormatError) -> BagError {
        BagError::Format {
            file: self.file.clone(),
            error,
        }
    }
}

impl<R: BufRead> SortedTerms for CountsReader<R> {
    fn next(&mut self, entry: &mut Entry) -> Result<bool, BagError> {
        if !self.read_line()? {
            return Ok(false);
        }
        let wrong = |problem: &str| self.failure(FormatError::new(self.lines, problem));
        let mut fields = self.line.split(|&byte| byte == b'\t');
        let (term, count, df) = (fields.next(), fields.next(), fields.next());
        let number = |field: Option<&[u8]>| std::str::from_utf8(field?).ok()?.parse().ok();
        let (Some(term), Some(count), Some(df), None) =
            (term, number(count), number(df), fields.next())
        else {
            return Err(wrong(
                "expected a term, its count and its document frequency",
            ));
        };
        if let Err(error) = std::str::from_utf8(term) {
            let at = error.valid_up_to();
            return Err(wrong(&format!("invalid UTF-8 at byte {at} of the line")));
        }
        if unescape(term, &mut entry.term).is_none() {
            return Err(wrong("a backslash that escapes nothing"));
        }
        if self.terms > 0 && entry.term <= self.last && !self.header.options.given_order {
            return Err(wrong("terms must be in byte order, each once"));
        }
        let Header {
            documents, tokens, ..
        } = self.header;
        if df > documents || count > tokens || df > count {
            return Err(wrong(
                "a count that docs and tokens of the first line do not allow",
            ));
        }
        entry.total = Total { count, df };
        entry.number = self.terms;
        self.terms = self.terms.saturating_add(1);
        self.last.clone_from(&entry.term);
        Ok(true)
    }
}

#[cfg(test)]
pub mod tests {
    use super::*;

    fn read(text: &str) -> Result<Vec<Entry>, String> {
        let mut reader = CountsReader::new(text.as_bytes(), "x").map_err(|e| e.to_string())?;
        let mut entries = Vec::new();
        let mut entry = Entry::default();
        while reader.next(&mut entry).map_err(|e| e.to_string())? {
            entries.push(entry.clone());
        }
        Ok(entries)
    }

    fn lines(rows: &str) -> String {
        let header = Header {
            documents: 3,
            tokens: 9,
            ..Header::default()
        };
        header.to_lines() + rows
    }

    #[test]
    fn what_is_written_is_read() {
        let terms: [&[u8]; 5] = [b"", b"\t", b"\n\r\\", b"#a", "é".as_bytes()];
        let mut rows = Vec::new();
        for (i, term) in (1..).zip(terms) {
            put_line(
                term,
                Total {
                    count: i + 4,
                    df: 3,
                },
                &mut rows,
            );
        }
        let entries = read(&lines(&String::from_utf8(rows).unwrap())).unwrap();
        let found: Vec<&[u8]> = entries.iter().map(|entry| &*entry.term).collect();
        assert_eq!(found, terms);
        assert_eq!(entries[4].total, Total { count: 9, df: 3 });
    }

    #[test]
    fn what_is_wrong_is_named_by_line() {
        let of = |rows: &str| read(&lines(rows)).unwrap_err();
        assert_eq!(
            of("b\t1\t1\na\t1\t1\n"),
            "x:4: terms must be in byte order, each once"
        );
        assert!(of("a\t1\n").starts_with("x:3: expected a term"));
        assert!(of("a\\x\t1\t1\n").starts_with("x:3: a backslash"));
        assert!(read("").unwrap_err().starts_with("x:1: no file of counts"));
        let other = lines("").replace("counts 1", "counts 2");
        assert!(read(&other).unwrap_err().contains("version 2"));
        let changed = lines("").replace("\"lower\":true", "\"lower\":false");
        assert!(
            read(&changed)
                .unwrap_err()
                .starts_with("x:2: the options are not")
        );
    }

    #[test]
    fn counts_beyond_those_of_the_header_are_refused() {
        for row in ["a\t10\t1\n", "a\t9\t4\n", "a\t1\t2\n"] {
            let error = read(&lines(row)).unwrap_err();
            assert!(error.starts_with("x:3: a count that docs"), "{row}");
        }
        assert_eq!(read(&lines("a\t9\t3\n")).unwrap().len(), 1);
    }

    #[test]
    fn a_vocabulary_keeps_its_order() {
        let header = Header {
            documents: 1,
            tokens: 1,
            options: Options {
                given_order: true,
                ..Options::default()
            },
        };
        let entries = read(&(header.to_lines() + "b\t1\t1\na\t0\t0\n")).unwrap();
        let numbers: Vec<_> = entries.iter().map(|e| (&*e.term, e.number)).collect();
        assert_eq!(numbers, [(&b"b"[..], 0), (&b"a"[..], 1)]);
    }

    /// Reads counts; prints and reads again what could be read.
    pub fn check(bytes: &[u8]) {
        let read = |bytes: &[u8]| {
            let mut reader = CountsReader::new(bytes, "x").ok()?;
            let mut entries = Vec::new();
            let mut entry = Entry::default();
            while reader.next(&mut entry).ok()? {
                entries.push(entry.clone());
            }
            Some((reader.header, entries))
        };
        if let Some((header, entries)) = read(bytes) {
            let mut printed = header.to_lines().into_bytes();
            for entry in &entries {
                put_line(&entry.term, entry.total, &mut printed);
            }
            assert_eq!(read(&printed), Some((header, entries)));
        }
    }

    proptest::proptest! {
        #[test]
        fn any_counts_come_back(
            rows in proptest::collection::btree_map(
                proptest::prelude::any::<String>(),
                (0..=u64::MAX, 0..=u64::MAX),
                0..20,
            ),
            stopwords in proptest::collection::btree_set(".*", 0..3),
            share in 0.0..=1.0,
        ) {
            let header = Header {
                documents: u64::MAX,
                tokens: u64::MAX,
                options: Options {
                    terms: TermOptions { stopwords, ..TermOptions::default() },
                    cut: Some(Cut {
                        max_df: crate::bag::cut::Bound::Share(share),
                        ..Cut::default()
                    }),
                    ..Options::default()
                },
            };
            let mut printed = header.to_lines().into_bytes();
            let mut expected = Vec::new();
            for (number, (term, (a, b))) in (0..).zip(rows) {
                let total = Total { count: a.max(b), df: a.min(b) };
                let term = term.into_bytes();
                put_line(&term, total, &mut printed);
                expected.push(Entry { term, number, total });
            }
            let mut reader = CountsReader::new(&printed[..], "x").unwrap();
            assert_eq!(reader.header, header);
            let mut entry = Entry::default();
            for expected in expected {
                assert!(reader.next(&mut entry).unwrap());
                assert_eq!(entry, expected);
            }
            assert!(!reader.next(&mut entry).unwrap());
        }

        #[test]
        fn any_bytes_are_read_or_refused(
            head in 0..3usize,
            rest in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..200),
        ) {
            // Behind no line of a header, one, or both.
            let header = Header { documents: 9, tokens: 9, ..Header::default() }.to_lines();
            let kept: String = header.split_inclusive('\n').take(head).collect();
            check(&[kept.as_bytes(), &rest].concat());
        }

        #[test]
        fn any_rows_are_read_or_refused(rows in "([a-c\\\\\t]{0,3}\t[0-9-]{1,2}\t[0-9]\n?){0,6}") {
            check(lines(&rows).as_bytes());
        }
    }
}
