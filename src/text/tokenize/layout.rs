//! Lines of a paragraph: whether a line's end stands where a space would, or says something.
//!
//! A line is *full* when the first word of the next one would not have fitted into the paragraph's longest line. In
//! wrapped text every line but the last is full and its end is a space; a line that ends early was ended on purpose.

/// How two neighbouring tokens are parted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Gap {
    /// Not at all.
    None,
    /// By white space inside a line.
    Space,
    /// By the end of a full line in a paragraph of full lines.
    Soft,
    /// By the end of a line that was ended on purpose.
    Hard,
}

/// The lines of one paragraph. Reused from paragraph to paragraph.
#[derive(Default)]
pub struct Lines {
    /// Where each line ends (the byte of its `\n`), its width in characters, and the width of the word after it.
    ends: Vec<(u32, u32, u32)>,
    longest: u32,
    full: u32,
}

impl Lines {
    /// Measures the lines of `paragraph`, which begins at `start` in its text.
    pub fn read(&mut self, paragraph: &str, start: usize) {
        self.ends.clear();
        let mut at = start;
        let mut longest = 0;
        for line in paragraph.split_inclusive('\n') {
            let width = width(line.trim_end());
            let word = width_of_first_word(line);
            if let Some(last) = self.ends.last_mut() {
                last.2 = word;
            }
            longest = longest.max(width);
            at += line.len();
            self.ends.push(((at - 1) as u32, width, 0));
        }
        self.ends.pop(); // the end of the last line ends the paragraph
        self.longest = longest;
        self.full = self.ends.iter().filter(|line| self.is_full(line)).count() as u32;
    }

    fn is_full(&self, &(_, width, word): &(u32, u32, u32)) -> bool {
        width + 1 + word > self.longest
    }

    /// Whether the paragraph has but one line.
    pub fn is_one(&self) -> bool {
        self.ends.is_empty()
    }

    /// The kind of the first line end at or after `from`, and a code of what is known of it and its paragraph.
    pub fn end(&self, from: usize) -> (Gap, u64) {
        let i = self.ends.partition_point(|line| (line.0 as usize) < from);
        let Some(line) = self.ends.get(i) else {
            return (Gap::Space, 0);
        };
        let count = self.ends.len() as u32;
        let full = self.is_full(line);
        let share = self.full * 10 / count;
        let wrapped = full && share >= 9 && (20..=132).contains(&self.longest);
        let width = match self.longest {
            0..30 => 0,
            30..60 => 1,
            60..85 => 2,
            85..132 => 3,
            _ => 4,
        };
        let shares = u64::from(share.saturating_sub(5).min(5));
        let code = 1 + (u64::from(full) | shares << 1 | width << 4 | u64::from(count.min(4)) << 7);
        (if wrapped { Gap::Soft } else { Gap::Hard }, code)
    }
}

fn width(line: &str) -> u32 {
    // Characters are bytes that continue none.
    line.as_bytes()
        .iter()
        .filter(|b| **b & 0xc0 != 0x80)
        .count() as u32
}

fn width_of_first_word(line: &str) -> u32 {
    width(line.split_ascii_whitespace().next().unwrap_or(""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn in_wrapped_text_a_line_end_is_soft() {
        let text = "the quick brown fox jumps\nover the lazy dog and back\nagain.";
        let mut lines = Lines::default();
        lines.read(text, 0);
        assert_eq!(lines.end(20).0, Gap::Soft);
        assert_eq!(lines.end(30).0, Gap::Soft);
    }

    #[test]
    fn a_line_that_ends_early_is_hard() {
        let text = "Dear all,\nthe quick brown fox jumps over the lazy dog\nKevin";
        let mut lines = Lines::default();
        lines.read(text, 0);
        assert_eq!(lines.end(9).0, Gap::Hard);
    }
}
