//! Headers of a request: what its body is, and which kind of answer is wanted (RFC 9110, 12.5.1).

use super::reply::{Reply, content_type};
use crate::engine::Kind;

/// The media types of JSON Lines.
const JSON_LINES: &[&str] = &[
    "application/jsonlines",
    "application/x-ndjson",
    "application/x-jsonlines",
    "application/jsonl",
];

/// Whether a body is JSON Lines; without a type it is what the command line says, as text is.
///
/// # Errors
/// A refusal for other types, and for other encodings than UTF-8.
pub fn is_jsonl(content_type: Option<&str>) -> Result<bool, Reply> {
    let Some(whole) = content_type else {
        return Ok(false);
    };
    let mut parts = whole
        .split(';')
        .map(|part| part.trim().to_ascii_lowercase());
    let media = parts.next().unwrap_or_default();
    let charset =
        parts.find_map(|part| Some(part.strip_prefix("charset=")?.trim_matches('"').to_owned()));
    if !matches!(
        charset.as_deref(),
        None | Some("utf-8" | "utf8" | "us-ascii")
    ) {
        let problem = format!("the content type {whole}: only utf-8 is taken");
        return Err(Reply::refusal(415, &problem));
    }
    match media.as_str() {
        "text/plain" => Ok(false),
        media if JSON_LINES.contains(&media) => Ok(true),
        _ => Err(Reply::refusal(
            415,
            &format!(
                "the content type {whole} is none of text/plain, {}",
                JSON_LINES[..2].join(", ")
            ),
        )),
    }
}

/// The kind that is wanted most of those there are; none where anything will do.
///
/// # Errors
/// A refusal when nothing that there is will do.
pub fn wanted(accept: Option<&str>, kinds: &[Kind]) -> Result<Option<Kind>, Reply> {
    let Some(accept) = accept.filter(|accept| !accept.trim().is_empty()) else {
        return Ok(None);
    };
    let mut ranges: Vec<(f32, &str)> = accept.split(',').map(range).collect();
    // Of the same weight, the first that is named.
    ranges.sort_by(|a, b| b.0.total_cmp(&a.0));
    for (weight, range) in ranges {
        if weight <= 0.0 {
            break;
        }
        if range == "*/*" {
            return Ok(None);
        }
        if let Some(kind) = kinds.iter().find(|kind| fits(range, **kind)) {
            return Ok(Some(*kind));
        }
    }
    let names: Vec<&str> = kinds.iter().map(|kind| media(*kind)).collect();
    let problem = format!("{accept} is none of {}", names.join(", "));
    Err(Reply::refusal(406, &problem))
}

/// `text/plain;q=0.5` as its weight and its media range.
fn range(text: &str) -> (f32, &str) {
    let mut parts = text.split(';').map(str::trim);
    let range = parts.next().unwrap_or_default();
    let weight = parts.find_map(|part| part.strip_prefix("q=")?.parse().ok());
    (weight.unwrap_or(1.0), range)
}

fn fits(range: &str, kind: Kind) -> bool {
    let media = media(kind);
    let is_all = |start: &str| media.starts_with(start);
    range.eq_ignore_ascii_case(media)
        || range.strip_suffix('*').is_some_and(is_all)
        || kind == Kind::Jsonl
            && JSON_LINES
                .iter()
                .any(|name| range.eq_ignore_ascii_case(name))
}

/// The media type of a kind, without parameters.
fn media(kind: Kind) -> &'static str {
    content_type(kind).split(';').next().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: &[Kind] = &[Kind::Plain, Kind::Tsv, Kind::Jsonl];

    fn chosen(accept: &str) -> Option<Kind> {
        wanted(Some(accept), ALL).expect("something that there is")
    }

    #[test]
    fn a_kind_is_known_by_any_of_its_names() {
        assert_eq!(chosen("application/x-ndjson"), Some(Kind::Jsonl));
        assert_eq!(chosen("Text/Tab-Separated-Values"), Some(Kind::Tsv));
    }

    #[test]
    fn the_greatest_weight_wins() {
        assert_eq!(
            chosen("text/plain;q=0.5, application/jsonlines"),
            Some(Kind::Jsonl)
        );
        assert_eq!(chosen("image/png, text/*;q=0.1"), Some(Kind::Plain));
    }

    #[test]
    fn anything_is_what_the_command_prints() {
        assert_eq!(chosen("*/*"), None);
        assert_eq!(wanted(None, ALL).expect("anything"), None);
    }

    #[test]
    fn what_is_not_there_is_refused_with_what_is() {
        let refused = wanted(Some("image/png, text/plain;q=0"), ALL).expect_err("a refusal");
        assert_eq!(refused.status, 406);
        assert!(
            refused
                .body
                .contains("text/plain, text/tab-separated-values, application/jsonlines")
        );
    }

    #[test]
    fn bodies_are_text_or_lines_of_json() {
        let is = |name| is_jsonl(Some(name));
        assert!(!is("text/plain; charset=UTF-8").expect("text"));
        assert!(is("application/jsonlines").expect("lines"));
        assert_eq!(
            is("text/plain; charset=latin1").expect_err("no").status,
            415
        );
        assert_eq!(is("application/pdf").expect_err("no").status, 415);
    }
}
