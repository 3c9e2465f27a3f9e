//! Output in colours, `--to html` and `--to ansi`: one page whatever the input, and a terminal that nothing can harm.

use crate::harness::{root, wordmill};

const COMMANDS: &[&str] = &["ner", "pos", "annotate"];

/// A page without its style sheet.
fn body(page: &str) -> &str {
    page.split_once("<body>").expect("a page has a body").1
}

#[test]
fn empty_input_gives_an_empty_page_and_nothing_in_the_terminal() {
    for command in COMMANDS {
        let page = wordmill(&format!("{command} --to html")).text();
        assert!(page.starts_with("<!DOCTYPE html>\n<html>\n"), "{page}");
        let rest = body(&page);
        assert!(
            rest.starts_with("\n<main>\n</main>\n<footer>\n<span>no "),
            "{rest}"
        );
        assert!(
            rest.ends_with("</span>\n</footer>\n</body>\n</html>\n"),
            "{rest}"
        );
        assert_eq!(wordmill(&format!("{command} --to ansi")).text(), "");
    }
}

#[test]
fn all_documents_are_on_one_page_that_needs_nothing_else() {
    for command in COMMANDS {
        let files = "corpora/sample.txt corpora/notes.jsonl corpora/tagged.conllu";
        let page = wordmill(&format!("{command} --to html {files}")).text();
        let count = |part: &str| page.matches(part).count();
        for part in ["<html>", "</html>", "<main>", "</main>", "</footer>"] {
            assert_eq!(count(part), 1, "{command}: {part}");
        }
        assert_eq!(count("<hr>"), 1, "{command}");
        assert!(
            page.contains(">a1</h2>") && page.contains(">a2</h2>"),
            "{command}"
        );
        assert!(page.contains("<title>sample.txt, notes.jsonl, tagged.conllu</title>"));
        for part in ["<script", "<link", "src=", "href=", "url(", "@import"] {
            assert_eq!(count(part), 0, "{command}: {part}");
        }
    }
}

#[test]
fn the_page_does_not_depend_on_threads_buffers_or_where_it_goes() {
    let sample = std::fs::read_to_string(root().join("corpora/sample.txt")).unwrap();
    let text = format!("{sample}\n").repeat(40);
    let page = |flags: &str| {
        let call = wordmill(&format!("ner --from lines --to html {flags}"));
        call.stdin(&text).text()
    };
    let one = page("--threads 1");
    assert!(one.contains("</b> person 320</span>"));
    assert_eq!(page("--threads 2"), one);
    assert_eq!(page("--threads 2 --line-buffered"), one);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("page.html");
    let call = wordmill("ner --from lines --to html -o").arg(&path);
    assert_eq!(call.stdin(&text).text(), "");
    assert_eq!(std::fs::read_to_string(&path).unwrap(), one);
}

#[test]
fn entities_of_the_input_are_shown_with_their_values() {
    let text = "1\tfive\t_\tNUM\tCD\t_\t_\t_\t_\tNER=B-MONEY|Value=EUR 5\n\
                2\teuros\t_\tNOUN\tNNS\t_\t_\t_\t_\tNER=I-MONEY|SpaceAfter=No\n\n";
    let page = wordmill("ner --keep --to html").stdin(text).text();
    assert!(page.contains("data-label=\"MONEY\""), "{page}");
    assert!(
        page.contains("data-tip=\"MONEY: EUR 5\nNUM · CD\">five</span>"),
        "{page}"
    );
    let ansi = wordmill("ner --keep --to ansi").stdin(text).text();
    assert!(
        ansi.contains("five euros\x1b[0;2m/MONEY\x1b[0m"),
        "{ansi:?}"
    );
}

#[test]
fn control_characters_do_not_reach_the_terminal() {
    for command in COMMANDS {
        let text = "Ann \x1b[2J\u{9b}31m\x07 sang.\r\nBob\r too.\n";
        let call = wordmill(&format!("{command} --to ansi")).stdin(text);
        let out = call.text().replace("\x1b[0", "").replace("\x1b[1;", "");
        let out = out.replace("\x1b[38;5;", "");
        assert!(
            out.contains('␛') && out.contains('␇') && out.contains('␍'),
            "{out:?}"
        );
        assert!(!out.chars().any(|c| c.is_control() && c != '\n'), "{out:?}");
    }
}

#[test]
fn lines_stay_lines_in_the_terminal() {
    for command in COMMANDS {
        let call = wordmill(&format!("{command} --from lines --to ansi"));
        let out = call.stdin("Dogs bark.\n\nAnn sings.").text();
        assert_eq!(out.matches('\n').count(), 3, "{out:?}");
    }
}

#[test]
fn other_commands_say_which_have_colours() {
    for command in ["tokenize", "stem", "lemmatize"] {
        for to in ["html", "ansi"] {
            let message = wordmill(&format!("{command} --to {to}"))
                .stdin("a")
                .fails(2);
            let expected = format!("--to {to} is for tags and entities: pos, ner and annotate");
            assert!(message.contains(&expected), "{message}");
        }
    }
}
