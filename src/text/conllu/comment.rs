//! Comment lines: `# key = value`, or a bare `# key`.

/// The value of a comment line with this key; empty for a bare key.
pub fn value<'a>(line: &'a str, key: &str) -> Option<&'a str> {
    let rest = line
        .strip_prefix('#')?
        .trim_start_matches([' ', '\t'])
        .strip_prefix(key)?;
    let after = rest.trim_start_matches([' ', '\t']);
    match after.strip_prefix('=') {
        Some(value) => Some(value.trim()),
        None => after.is_empty().then_some(""),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_ends_at_the_equals_sign() {
        assert_eq!(value("# newdoc id = a b", "newdoc id"), Some("a b"));
        assert_eq!(value("#newpar", "newpar"), Some(""));
        assert_eq!(value("# newpar_block = head", "newpar"), None);
        assert_eq!(value("# text_en = no", "text"), None);
    }
}
