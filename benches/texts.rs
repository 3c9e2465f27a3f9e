//! The texts that the benches measure: the sample of `corpora/` again and again, and the start of a file of your own,
//! named by WORDMILL_TEXT, whose words do not all stand in the cache.

/// Enough that the fixed costs of a call do not show.
const BYTES: usize = 1 << 20;

/// Names and texts, each of whole paragraphs or lines and about a megabyte.
pub fn texts() -> Vec<(&'static str, String)> {
    let mut sample = String::new();
    while sample.len() < BYTES {
        sample.push_str(include_str!("../corpora/sample.txt"));
        sample.push_str("\n\n");
    }
    let mut texts = vec![("sample", sample)];
    if let Some(path) = std::env::var_os("WORDMILL_TEXT") {
        let mut text = std::fs::read_to_string(&path).expect("WORDMILL_TEXT names a UTF-8 file");
        let end = text.floor_char_boundary(BYTES);
        text.truncate(text[..end].rfind('\n').map_or(end, |newline| newline + 1));
        texts.push(("file", text));
    }
    texts
}
