//! Printing a JSON object. Written by hand: building the values of serde_json first costs several times as much.

use super::labels;
use crate::text::conllu::push_number;
use crate::text::document::{Document, Misc, Opens, Sentence, Token, Word};
use crate::text::entity::{Entity, entities};
use crate::text::format::OffsetUnit;
use crate::text::offsets::Cursor;
use serde_json::Number;

/// Prints a document, which is located for that, on one line. Spans count `offsets` from the start of the text.
pub fn print(document: &mut Document, field: &str, offsets: OffsetUnit, out: &mut String) {
    document.locate();
    let document = &*document;
    let text = document.text.as_deref().unwrap_or_default();
    let has_sentences = document.sentences.iter().any(|s| !s.tokens.is_empty());
    out.push('{');
    if let Some(id) = &document.id
        && field != "id"
        && !document.fields.contains_key("id")
    {
        push_member("id", id, out);
    }
    if !document.fields.contains_key(field) {
        push_member(field, text, out);
    }
    let all_entities: Vec<Vec<Entity>> = document.sentences.iter().map(entities).collect();
    let has_entities = all_entities.iter().any(|entities| !entities.is_empty());
    let start = match offsets {
        OffsetUnit::Chars => document.start.chars,
        OffsetUnit::Bytes => document.start.bytes,
        OffsetUnit::Utf16 => document.start.utf16,
    };
    for (name, value) in &document.fields {
        let is_made = match name.as_str() {
            _ if name == field => {
                push_member(field, text, out);
                continue;
            }
            "sentences" | "offsets" => has_sentences,
            "entities" => has_entities,
            "offset" => has_sentences && start != 0,
            _ => false,
        };
        if !is_made {
            push_key(name, out);
            out.push_str(&value.to_string());
        }
    }
    if start != 0 {
        push_key("offset", out);
        push_number(start, out);
    }
    if has_sentences {
        match offsets {
            OffsetUnit::Chars => (),
            OffsetUnit::Bytes => push_member("offsets", "bytes", out),
            OffsetUnit::Utf16 => push_member("offsets", "utf16", out),
        }
        push_key("sentences", out);
        out.push('[');
        let mut cursor = Cursor::new(text, offsets);
        let mut is_first = true;
        for (sentence, entities) in document.sentences.iter().zip(&all_entities) {
            if !sentence.tokens.is_empty() {
                print_sentence(sentence, entities, is_first, text, &mut cursor, out);
                is_first = false;
            }
        }
        out.push(']');
    }
    if has_entities {
        let mut cursor = Cursor::new(text, offsets);
        push_key("entities", out);
        out.push('[');
        for (sentence, entities) in document.sentences.iter().zip(&all_entities) {
            for entity in entities {
                print_entity(entity, sentence, document, &mut cursor, out);
            }
        }
        out.push(']');
    }
    out.push_str("}\n");
}

fn print_sentence(
    sentence: &Sentence,
    entities: &[Entity],
    is_first: bool,
    text: &str,
    cursor: &mut Cursor,
    out: &mut String,
) {
    open_object(out);
    if let Some(id) = &sentence.id {
        push_member("id", id, out);
    }
    match sentence.opens {
        Opens::Nothing if is_first => push_member("opens", "nothing", out),
        Opens::Paragraph => push_member("opens", "paragraph", out),
        Opens::Document if !is_first => push_member("opens", "document", out),
        Opens::Nothing | Opens::Document => (),
    }
    if !sentence.comments.is_empty() {
        push_key("comments", out);
        for (i, comment) in sentence.comments.iter().enumerate() {
            out.push(if i == 0 { '[' } else { ',' });
            push_string(comment, out);
        }
        out.push(']');
    }
    // How many items at the end of each word's MISC the entities say.
    let mut said = vec![0; sentence.words.len()];
    for entity in entities.iter().filter(|e| labels::are_said(e, sentence)) {
        let words = entity.words.clone();
        said[words.clone()].fill(1);
        said[words.start] += usize::from(labels::is_value_said(&sentence.words[words.start]));
    }
    push_key("tokens", out);
    out.push('[');
    for token in &sentence.tokens {
        print_token(sentence, token, &said, text, cursor, out);
    }
    out.push(']');
    if !sentence.empty_nodes.is_empty() {
        push_key("empty_nodes", out);
        out.push('[');
        for node in &sentence.empty_nodes {
            open_object(out);
            push_key("after", out);
            push_number(u64::from(node.after), out);
            push_key("number", out);
            push_number(u64::from(node.number), out);
            push_member("columns", &node.columns, out);
            out.push('}');
        }
        out.push(']');
    }
    out.push('}');
}

fn print_token(
    sentence: &Sentence,
    token: &Token,
    said: &[usize],
    text: &str,
    cursor: &mut Cursor,
    out: &mut String,
) {
    let span = token.span.start as usize..token.span.end as usize;
    let piece = text.get(span.clone()).unwrap_or_default();
    open_object(out);
    push_member("text", piece, out);
    push_span(span, cursor, out);
    if let Some(form) = &token.form
        && (form != piece || token.words.len() == 1)
    {
        push_member("form", form, out);
    }
    push_if_set("feats", &token.feats, out);
    push_misc(&token.misc.0, out);
    push_key("words", out);
    out.push('[');
    for i in token.words.start as usize..token.words.end as usize {
        if let (Some(word), Some(&said)) = (sentence.words.get(i), said.get(i)) {
            print_word(word, said, out);
        }
    }
    out.push_str("]}");
}

/// `said` items at the end of MISC are said by an entity.
fn print_word(word: &Word, said: usize, out: &mut String) {
    open_object(out);
    push_member("form", &word.form, out);
    push_if_set("lemma", &word.lemma, out);
    push_if_set("upos", &word.upos, out);
    push_if_set("xpos", &word.xpos, out);
    push_if_set("feats", &word.feats, out);
    let stem = word.misc.get("Stem");
    if let Some(stem) = stem {
        push_member("stem", stem, out);
    }
    if let Some(head) = word.head {
        push_key("head", out);
        push_number(u64::from(head), out);
    }
    push_if_set("deprel", &word.deprel, out);
    push_if_set("deps", &word.deps, out);
    let Misc(items) = &word.misc;
    let mut kept = items.len() - said;
    let is_stem = |item: &&compact_str::CompactString| item.starts_with("Stem=");
    if items[..kept].last().is_some_and(|item| is_stem(&item))
        && items.iter().filter(is_stem).count() == 1
    {
        kept -= 1;
    }
    push_misc(&items[..kept], out);
    out.push('}');
}

fn print_entity(
    entity: &Entity,
    sentence: &Sentence,
    document: &Document,
    cursor: &mut Cursor,
    out: &mut String,
) {
    open_object(out);
    push_span(entity.span(sentence), cursor, out);
    push_member("label", &entity.label, out);
    push_member("text", entity.text(document, sentence), out);
    if let Some(word) = sentence.words.get(entity.words.start) {
        if let Some(value) = word.misc.get("Value") {
            push_member("value", value, out);
        }
        if let Some(score) = word.misc.get("Score") {
            push_key("score", out);
            if score.parse::<Number>().is_ok() {
                out.push_str(score);
            } else {
                push_string(score, out);
            }
        }
    }
    out.push('}');
}

fn push_span(span: std::ops::Range<usize>, cursor: &mut Cursor, out: &mut String) {
    push_key("start", out);
    push_number(cursor.count_at(span.start), out);
    push_key("end", out);
    push_number(cursor.count_at(span.end), out);
}

fn push_misc(items: &[compact_str::CompactString], out: &mut String) {
    if !items.is_empty() {
        push_member("misc", &items.join("|"), out);
    }
}

fn push_if_set(key: &str, value: &str, out: &mut String) {
    if !value.is_empty() {
        push_member(key, value, out);
    }
}

/// Begins an object in an array.
fn open_object(out: &mut String) {
    if out.ends_with('}') {
        out.push(',');
    }
    out.push('{');
}

fn push_member(key: &str, value: &str, out: &mut String) {
    push_key(key, out);
    push_string(value, out);
}

fn push_key(key: &str, out: &mut String) {
    if !out.ends_with('{') {
        out.push(',');
    }
    push_string(key, out);
    out.push(':');
}

/// A JSON string (RFC 8259, section 7).
fn push_string(text: &str, out: &mut String) {
    const HEX: [u8; 16] = *b"0123456789abcdef";
    out.push('"');
    let mut start = 0;
    for (i, byte) in text.bytes().enumerate() {
        let escape = match byte {
            b'"' => "\\\"",
            b'\\' => "\\\\",
            b'\n' => "\\n",
            b'\r' => "\\r",
            b'\t' => "\\t",
            0..0x20 => "\\u00",
            _ => continue,
        };
        out.push_str(&text[start..i]);
        out.push_str(escape);
        if escape.len() > 2 {
            out.push(char::from(HEX[usize::from(byte >> 4)]));
            out.push(char::from(HEX[usize::from(byte & 15)]));
        }
        start = i + 1;
    }
    out.push_str(&text[start..]);
    out.push('"');
}
