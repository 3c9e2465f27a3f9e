//! Reading a JSON object.

use super::PLACE_OF_TEXT;
use super::annotation::{Annotation, SentenceObject};
use crate::text::document::{Document, Opens};
use crate::text::format::FormatError;
use serde::de::{Deserializer, Error, MapAccess, Visitor};
use serde_json::{Map, Value};
use std::fmt::Formatter;

/// Reads one object into a located document; its text is the value of `field`. With `sentences` it comes annotated.
///
/// # Errors
/// The line is no object, has no text, or has annotation that does not fit the text.
pub fn parse(line: &str, line_number: u64, field: &str) -> Result<Document, FormatError> {
    let error = |problem: String| FormatError::new(line_number, problem);
    if !line.trim_start().starts_with('{') {
        let value: Value = serde_json::from_str(line).map_err(|e| json_error(&e, line_number))?;
        return Err(error(format!("expected an object, found {}", kind(&value))));
    }
    let (mut object, sentences) =
        read_object(line, field).map_err(|e| json_error(&e, line_number))?;
    let text = match object.get_mut(field) {
        Some(Value::String(text)) => std::mem::take(text),
        Some(other) => {
            let kind = kind(other);
            return Err(error(format!(
                "the field \"{field}\" holds {kind}, not a string"
            )));
        }
        None => {
            let names: Vec<&str> = object.keys().take(8).map(String::as_str).collect();
            let problem = format!("no field \"{field}\" in the object");
            return Err(error(problem).hint(format!(
                "--field names the field with the text; this object has {}",
                if names.is_empty() {
                    "no fields".to_string()
                } else {
                    names.join(", ")
                }
            )));
        }
    };
    if u32::try_from(text.len()).is_err() {
        return Err(error("a text of 4 GB or more".to_string()));
    }
    let annotation = match sentences {
        Some(sentences) => Some(Annotation::take(sentences, &mut object).map_err(&error)?),
        None => None,
    };
    let mut document = Document {
        id: match object.get("id") {
            Some(Value::String(id)) => Some(id.clone()),
            Some(Value::Number(id)) => Some(id.to_string()),
            _ => None,
        },
        opens: Opens::Document,
        fields: other_fields(object, field),
        ..Document::default()
    };
    if let Some(annotation) = annotation {
        annotation.apply(&text, &mut document).map_err(&error)?;
    }
    document.text = Some(text);
    Ok(document)
}

/// All fields but `sentences`, and `sentences`.
type Fields<'a> = (Map<String, Value>, Option<Vec<SentenceObject<'a>>>);

/// The fields of an object, `sentences` apart. Reading them by way of [`Value`] would take twice as long.
fn read_object<'a>(line: &'a str, field: &str) -> serde_json::Result<Fields<'a>> {
    struct FieldsVisitor<'b>(&'b str);
    impl<'a> Visitor<'a> for FieldsVisitor<'_> {
        type Value = Fields<'a>;

        fn expecting(&self, f: &mut Formatter) -> std::fmt::Result {
            f.write_str("an object")
        }

        fn visit_map<A: MapAccess<'a>>(self, mut map: A) -> Result<Self::Value, A::Error> {
            let (mut fields, mut sentences) = (Map::new(), None);
            while let Some(key) = map.next_key::<String>()? {
                if key == "sentences" && self.0 != "sentences" {
                    let named = |e| A::Error::custom(format!("the field \"sentences\": {e}"));
                    sentences = Some(map.next_value().map_err(named)?);
                } else {
                    fields.insert(key, map.next_value()?);
                }
            }
            Ok((fields, sentences))
        }
    }
    let mut json = serde_json::Deserializer::from_str(line);
    let object = json.deserialize_map(FieldsVisitor(field))?;
    json.end()?;
    Ok(object)
}

/// The message of the JSON parser, which believes to be in line 1.
pub(crate) fn json_error(e: &serde_json::Error, line_number: u64) -> FormatError {
    let message = e.to_string();
    let message = message.split(" at line ").next().unwrap_or_default();
    let problem = if e.is_data() {
        format!("{message} (column {})", e.column())
    } else {
        format!("invalid JSON at column {}: {message}", e.column())
    };
    let error = FormatError::new(line_number, problem);
    if e.is_eof() {
        error.hint("every line is one whole JSON object")
    } else if message.contains("surrogate") || message.contains("hex escape") {
        error.hint("characters above U+FFFF are escaped as a pair: \\ud83d\\ude00")
    } else {
        error
    }
}

pub(crate) fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "an array",
        Value::Object(_) => "an object",
    }
}

/// The fields to keep. Text and a textual id are left out when they stand where the printer puts them anyway.
fn other_fields(mut object: Map<String, Value>, field: &str) -> Map<String, Value> {
    let mut names = object.keys().map(String::as_str);
    let mut first = names.next();
    let has_id = field != "id" && first == Some("id") && matches!(object["id"], Value::String(_));
    if has_id {
        first = names.next();
    }
    if first == Some(field) {
        object.shift_remove(field);
    } else if let Some(text) = object.get_mut(field) {
        *text = PLACE_OF_TEXT;
    }
    if has_id {
        object.shift_remove("id");
    }
    object
}
