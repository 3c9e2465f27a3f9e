//! Edit rules: how a lemma is made from a form, and how that is written in a model.

use crate::text::word_shape;
use compact_str::CompactString;

/// How a lemma is made from a form.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) enum Rule {
    /// Adjust the case, take characters off the end, add a suffix.
    Edit {
        case: Case,
        strip: u8,
        add: CompactString,
    },
    /// The lemma itself: nothing of the form is left.
    Whole(CompactString),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) enum Case {
    Keep,
    Lower,
    /// First letter upper, others lower: `PARIS` → `Paris`.
    Title,
}

impl Rule {
    /// The rule that makes `lemma` from `form`.
    pub(super) fn between(form: &str, lemma: &str) -> Rule {
        let mut best: Option<(usize, Case)> = None;
        for case in [Case::Lower, Case::Keep, Case::Title] {
            let shared = shared_prefix(&case.apply(form), lemma);
            if best.is_none_or(|(most, _)| shared > most) {
                best = Some((shared, case));
            }
        }
        match best {
            Some((shared, case)) if shared > 0 => {
                let cased = case.apply(form);
                let strip = cased.chars().count() - shared;
                let add: CompactString = lemma.chars().skip(shared).collect();
                u8::try_from(strip).map_or(Rule::Whole(lemma.into()), |strip| Rule::Edit {
                    case,
                    strip,
                    add,
                })
            }
            _ => Rule::Whole(lemma.into()),
        }
    }

    /// The lemma of a form; none when the form is too short for the rule.
    pub(super) fn apply(&self, form: &str) -> Option<CompactString> {
        match self {
            Rule::Whole(lemma) => Some(lemma.clone()),
            Rule::Edit { case, strip, add } => {
                let mut cased = case.apply(form);
                for _ in 0..*strip {
                    cased.pop()?;
                }
                cased.push_str(add);
                (!cased.is_empty()).then_some(cased)
            }
        }
    }

    /// Whether it puts more in the place of the end than endings are long: `mice` → `mouse`.
    pub(super) fn changes_the_stem(&self) -> bool {
        match self {
            Rule::Whole(_) => true,
            Rule::Edit { strip, add, .. } => *strip > 0 && add.chars().nth(1).is_some(),
        }
    }

    /// How many characters it takes off the end, if it lower-cases and does nothing else.
    pub(super) fn strips(&self) -> Option<usize> {
        match self {
            Rule::Edit { case, strip, add } if *case == Case::Lower && add.is_empty() => {
                Some(usize::from(*strip))
            }
            _ => None,
        }
    }

    pub(super) fn parse(line: &str) -> Option<Rule> {
        if let Some(lemma) = line.strip_prefix('=') {
            return Some(Rule::Whole(lemma.into()));
        }
        let mut parts = line.splitn(3, ',');
        let case = match parts.next()? {
            "k" => Case::Keep,
            "l" => Case::Lower,
            "t" => Case::Title,
            _ => return None,
        };
        let strip = parts.next()?.parse().ok()?;
        Some(Rule::Edit {
            case,
            strip,
            add: parts.next()?.into(),
        })
    }

    pub(super) fn to_line(&self) -> String {
        match self {
            Rule::Whole(lemma) => format!("={lemma}"),
            Rule::Edit { case, strip, add } => {
                let case = match case {
                    Case::Keep => 'k',
                    Case::Lower => 'l',
                    Case::Title => 't',
                };
                format!("{case},{strip},{add}")
            }
        }
    }
}

impl Case {
    fn apply(self, form: &str) -> CompactString {
        let lower = |s: &str| {
            s.chars()
                .flat_map(word_shape::lower)
                .collect::<CompactString>()
        };
        match self {
            Case::Keep => form.into(),
            Case::Lower => lower(form),
            Case::Title => {
                let mut chars = form.chars();
                let first: CompactString = chars
                    .next()
                    .into_iter()
                    .flat_map(char::to_uppercase)
                    .collect();
                first + &lower(chars.as_str())
            }
        }
    }
}

/// How many characters two strings share at the start.
fn shared_prefix(a: &str, b: &str) -> usize {
    a.chars().zip(b.chars()).take_while(|(x, y)| x == y).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rule_makes_its_lemma_again() {
        let pairs = [
            ("hoping", "hope", "l,3,e"),
            ("Dogs", "dog", "l,1,"),
            ("Paris", "Paris", "k,0,"),
            ("PARIS", "Paris", "t,0,"),
            ("went", "go", "=go"),
            ("is", "be", "=be"),
            ("ÉTÉ", "été", "l,0,"),
            ("İstanbul'da", "istanbul", "l,3,"),
            ("a,b", "a,b", "l,0,"),
        ];
        for (form, lemma, line) in pairs {
            let rule = Rule::between(form, lemma);
            assert_eq!(rule.to_line(), line, "{form} → {lemma}");
            assert_eq!(rule.apply(form).as_deref(), Some(lemma));
            assert_eq!(Rule::parse(line).as_ref(), Some(&rule));
        }
    }

    #[test]
    fn a_form_shorter_than_its_rule_is_left_alone() {
        assert_eq!(Rule::parse("l,3,e").unwrap().apply("it"), None);
    }
}
