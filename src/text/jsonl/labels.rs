//! Which entity labels and values the `entities` of an object say by themselves, so that `misc` need not repeat them.

use crate::text::document::{Sentence, Word};
use crate::text::entity::Entity;
use compact_str::CompactString;
use std::ops::Range;

/// Whether reading `entity` back gives exactly the labels its words have: it takes all words of its surface tokens,
/// and every label is the one IOB2 wants, in the last place of MISC.
pub fn are_said(entity: &Entity, sentence: &Sentence) -> bool {
    let first_and_last = [entity.words.start, entity.words.end.saturating_sub(1)];
    let [first, last] = first_and_last.map(|word| {
        let after = |token: &crate::text::document::Token| token.words.end as usize <= word;
        sentence.tokens.get(sentence.tokens.partition_point(after))
    });
    let is_whole = first.is_some_and(|token| token.words.start as usize == entity.words.start)
        && last.is_some_and(|token| token.words.end as usize == entity.words.end);
    is_whole
        && entity.words.clone().all(|i| {
            let label = label_at(entity, i);
            sentence.words.get(i).is_some_and(|word| {
                word.misc.get("NER") == Some(&label)
                    && word
                        .misc
                        .0
                        .last()
                        .is_some_and(|item| item.strip_prefix("NER=") == Some(&label))
                    && word
                        .misc
                        .0
                        .iter()
                        .filter(|item| item.starts_with("NER="))
                        .count()
                        == 1
            })
        })
}

/// Whether reading an entity whose labels are said gives exactly the value of its first word: it stands directly before
/// the label.
pub fn is_value_said(first: &Word) -> bool {
    let is_value = |item: &CompactString| item.starts_with("Value=");
    let items = &first.misc.0;
    items.len() >= 2
        && is_value(&items[items.len() - 2])
        && items.iter().filter(|item| is_value(item)).count() == 1
}

/// Labels the words of an entity that was read, and gives the first its value, unless any of them has a label already;
/// whether it did. A value that is there already stays.
pub fn say(words: &mut [Word], range: Range<usize>, label: &str, value: Option<&str>) -> bool {
    let entity = Entity {
        words: range.clone(),
        label: label.to_string(),
    };
    let Some(slice) = words.get_mut(range.clone()) else {
        return false;
    };
    if slice.iter().any(|word| word.misc.get("NER").is_some()) {
        return false;
    }
    if let (Some(value), Some(first)) = (value, slice.first_mut())
        && first.misc.get("Value").is_none()
    {
        first.misc.set("Value", value);
    }
    for (i, word) in range.zip(slice) {
        word.misc.set("NER", &label_at(&entity, i));
    }
    true
}

fn label_at(entity: &Entity, word: usize) -> String {
    let prefix = if word == entity.words.start {
        "B-"
    } else {
        "I-"
    };
    format!("{prefix}{}", entity.label)
}
