//! Tells the format of a file from its first lines.
//!
//! - CoNLL-U: the first line that is neither blank nor a comment has ten columns and begins with an id; behind a comment
//!   of CoNLL-U fewer columns will do, so that a broken file is called broken instead of being read as text;
//! - JSON Lines: the first line that is not blank is an object with the text field;
//! - anything else is text.

use crate::text::format::InputFormat;

/// The number of bytes that are looked at.
pub const LOOK: usize = 64 << 10;

/// The format of the file that starts with `head`: CoNLL-U, JSON Lines, or text, and `None` if more must be read.
/// `ended` says that nothing follows `head`; `field` is the text field of a JSON object.
pub fn detect(head: &[u8], ended: bool, field: &str) -> Option<InputFormat> {
    let head = head.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(head);
    let ended = ended || head.len() >= LOOK;
    let mut is_first = true;
    let mut is_commented = false;
    for line in head.split_inclusive(|&b| b == b'\n') {
        let is_whole = line.ends_with(b"\n");
        if !is_whole && !ended {
            return None;
        }
        if line.trim_ascii().is_empty() {
            continue;
        }
        if is_first && let Some(answer) = is_json(line, is_whole || head.len() < LOOK, field) {
            return Some(if answer {
                InputFormat::Jsonl
            } else {
                InputFormat::Text
            });
        }
        is_first = false;
        if line.starts_with(b"#") {
            is_commented |= is_conllu_comment(line);
            continue;
        }
        return Some(match is_conllu(line, is_commented) {
            true => InputFormat::Conllu,
            false => InputFormat::Text,
        });
    }
    ended.then_some(InputFormat::Text)
}

/// Whether `line` is an object with the text field; `None` if it does not look like an object at all. A line that is
/// longer than what was read is judged by its first bytes.
fn is_json(line: &[u8], is_whole: bool, field: &str) -> Option<bool> {
    let inside = line.trim_ascii_start().strip_prefix(b"{")?;
    if !is_whole {
        return Some(inside.trim_ascii_start().starts_with(b"\""));
    }
    let object: Option<serde_json::Map<String, serde_json::Value>> =
        serde_json::from_slice(line).ok();
    Some(object.is_some_and(|object| object.contains_key(field)))
}

fn is_conllu_comment(line: &[u8]) -> bool {
    let comment = line[1..].trim_ascii_start();
    let keys: [&[u8]; 4] = [b"newdoc", b"newpar", b"sent_id =", b"text ="];
    keys.iter().any(|key| comment.starts_with(key))
}

fn is_conllu(line: &[u8], is_commented: bool) -> bool {
    let mut columns = line.split(|&b| b == b'\t');
    let id = columns.next().unwrap_or_default();
    let has_id = id.first().is_some_and(u8::is_ascii_digit)
        && id
            .iter()
            .all(|b| b.is_ascii_digit() || matches!(b, b'-' | b'.'));
    let others = columns.count();
    has_id && (others == 9 || is_commented && others > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn whole(head: &str) -> Option<InputFormat> {
        detect(head.as_bytes(), true, "text")
    }

    #[test]
    fn ten_columns_and_an_id_are_conllu() {
        let line = "1\tA\t_\t_\t_\t_\t_\t_\t_\t_\n";
        assert_eq!(whole(line), Some(InputFormat::Conllu));
        assert_eq!(
            whole(&format!("\u{FEFF}\n# x\n{line}")),
            Some(InputFormat::Conllu)
        );
        assert_eq!(
            whole("a\tb\tc\td\te\tf\tg\th\ti\tj\n"),
            Some(InputFormat::Text)
        );
    }

    #[test]
    fn broken_conllu_behind_its_comments_is_still_conllu() {
        assert_eq!(whole("# sent_id = 1\n1\tA\t_\n"), Some(InputFormat::Conllu));
        assert_eq!(whole("# Heading\n1\tA\t_\n"), Some(InputFormat::Text));
    }

    #[test]
    fn an_object_with_the_field_is_json_lines() {
        assert_eq!(whole("\n{\"text\": \"a\"}\n"), Some(InputFormat::Jsonl));
        assert_eq!(whole("{\"body\": \"a\"}\n"), Some(InputFormat::Text));
        assert_eq!(
            detect(b"{\"body\": 1}", true, "body"),
            Some(InputFormat::Jsonl)
        );
        assert_eq!(whole("{braces} are text\n"), Some(InputFormat::Text));
    }

    #[test]
    fn an_object_longer_than_the_look_is_judged_by_its_first_bytes() {
        let long = format!("{{\"id\": 1, \"text\": \"{}", "a ".repeat(LOOK));
        assert_eq!(
            detect(&long.as_bytes()[..LOOK], false, "text"),
            Some(InputFormat::Jsonl)
        );
    }

    #[test]
    fn an_unfinished_first_line_waits_for_more() {
        assert_eq!(detect(b"1\tA", false, "text"), None);
        assert_eq!(detect(b"# comment\n", false, "text"), None);
        assert_eq!(detect(b"Words\n", false, "text"), Some(InputFormat::Text));
        assert_eq!(whole(""), Some(InputFormat::Text));
    }
}
