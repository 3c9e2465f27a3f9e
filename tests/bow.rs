//! `wordmill bow`: documents in, terms, columns, counts.

use crate::harness::{Call, root, wordmill};
use std::path::Path;

/// The rows that a call prints with `--to jsonl`, each as `id term:count …`.
pub fn rows(call: Call) -> Vec<String> {
    let text = call.arg("--to").arg("jsonl").text();
    let row = |line: &str| {
        let row: serde_json::Value = serde_json::from_str(line).unwrap();
        let mut shown = row["id"].as_str().unwrap().to_owned();
        for (term, count) in row["terms"].as_object().unwrap() {
            shown += &format!(" {term}:{count}");
        }
        shown
    };
    text.lines().map(row).collect()
}

fn bow(flags: &str, text: impl AsRef<[u8]>) -> Vec<String> {
    rows(wordmill(&format!("bow {flags}")).stdin(text))
}

/// The terms of the whole input, in order.
fn terms(flags: &str, text: &str) -> Vec<String> {
    let row = bow(&format!("--doc file {flags}"), text).remove(0);
    row.split(' ').skip(1).map(str::to_owned).collect()
}

#[test]
fn a_line_is_a_document_blank_or_not() {
    let rows = bow("", "bb aa bb\n\ncc");
    assert_eq!(rows, ["1 aa:1 bb:2", "2", "3 cc:1"]);
}

#[test]
fn blank_lines_part_paragraphs() {
    let rows = bow("--doc paragraph", "\naa\r\nbb\r\n \r\n\r\ncc\n\n\ndd");
    assert_eq!(rows, ["1 aa:1 bb:1", "2 cc:1", "3 dd:1"]);
}

#[test]
fn layers_of_no_document_are_none() {
    assert!(bow("--layer lemma --pos NOUN", "").is_empty());
}

#[test]
fn all_of_stdin_is_one_file() {
    assert_eq!(bow("--doc file", "aa\n\nbb\n"), ["- aa:1 bb:1"]);
}

#[test]
fn folders_are_searched_in_order_of_names() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
    std::fs::create_dir(folder.path().join("b")).unwrap();
    write("c.txt", "three\n");
    write("b/x.txt", "two");
    write("a.txt", "");
    // A link to a folder above would be searched without end.
    std::os::unix::fs::symlink("..", folder.path().join("b/loop")).unwrap();
    let found = rows(wordmill("bow --doc file").arg(folder.path()));
    let name = |name: &str| folder.path().join(name).display().to_string();
    let expected = [
        name("a.txt"),
        format!("{} two:1", name("b/x.txt")),
        format!("{} three:1", name("c.txt")),
    ];
    assert_eq!(found, expected);
}

#[test]
fn objects_have_a_field_an_id_and_a_label() {
    let text = "{\"key\":7,\"body\":\"aa\",\"group\":\"x\"}\n\n{\"body\":\"bb\",\"group\":\"w\"}\n";
    let flags = "bow --from jsonl --field body --id key --label group";
    assert_eq!(rows(wordmill(flags).stdin(text)), ["7 aa:1", "2 bb:1"]);
    // Names of labels are numbered in byte order.
    assert_eq!(wordmill(flags).stdin(text).text(), "1 1:1\n0 2:1\n");
}

#[test]
fn labels_that_are_numbers_stay() {
    let text = "{\"text\":\"aa\",\"label\":-1}\n{\"text\":\"aa\",\"label\":\"+1\"}\n";
    let svmlight = wordmill("bow --label label").stdin(text).text();
    assert_eq!(svmlight, "-1 1:1\n+1 1:1\n");
}

#[test]
fn records_of_csv_are_documents() {
    let text = "id,body,class\r\nr1,\"aa\nbb, \"\"cc\"\"\",x\r\nr2,,y";
    let flags = "--from csv --field body --label class";
    assert_eq!(bow(flags, text), ["r1 aa:1 bb:1 cc:1", "r2"]);
    let tabs = "text\tid\naa,bb\t1\n";
    assert_eq!(bow(r"--from csv --delimiter \t", tabs), ["1 aa:1 bb:1"]);
}

#[test]
fn csv_is_known_by_its_name() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.CSV");
    std::fs::write(&path, "text\naa\n").unwrap();
    assert_eq!(rows(wordmill("bow").arg(&path)), ["1 aa:1"]);
    std::fs::write(&path, "").unwrap();
    assert_eq!(wordmill("bow").arg(&path).text(), "");
}

const CONLLU: &str = "# newdoc id = d1\n1\tDogs\tdog\tNOUN\t_\t_\t_\t_\t_\tStem=dg\n\
                      2\tbarked\tbark\tVERB\t_\t_\t_\t_\t_\t_\n3\t.\t.\tPUNCT\t_\t_\t_\t_\t_\t_\n\n\
                      # newdoc id = d2\n1\tCats\t_\tNOUN\t_\t_\t_\t_\t_\t_\n\n";

#[test]
fn documents_of_conllu_have_layers() {
    assert_eq!(bow("", CONLLU), ["d1 .:1 barked:1 dogs:1", "d2 cats:1"]);
    let lemmas = bow("--layer lemma --pos NOUN,VERB", CONLLU);
    assert_eq!(lemmas, ["d1 bark:1 dog:1", "d2 cats:1"]);
    let stems = bow("--layer stem --pos NOUN", CONLLU);
    assert_eq!(stems, ["d1 dg:1", "d2 cats:1"]);
}

#[test]
fn compressed_input_is_read() {
    use std::io::Write;
    let mut gz = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gz.write_all(b"aa bb\n").unwrap();
    assert_eq!(bow("", gz.finish().unwrap()), ["1 aa:1 bb:1"]);
    let zst = zstd::encode_all(&b"aa bb\n"[..], 1).unwrap();
    assert_eq!(bow("", zst), ["1 aa:1 bb:1"]);
}

#[test]
fn other_encodings_are_named_or_marked() {
    let latin = bow("--encoding windows-1252", b"na\xEFve\n");
    assert_eq!(latin, ["1 naïve:1"]);
    let utf16: Vec<u8> = "\u{feff}naïve\n"
        .encode_utf16()
        .flat_map(u16::to_le_bytes)
        .collect();
    assert_eq!(bow("", utf16), ["1 naïve:1"]);
    assert_eq!(bow("--invalid replace", b"aa\xFFbb\n"), ["1 aa:1 bb:1"]);
}

#[test]
fn four_shards_are_the_whole() {
    let csv: String = (0..11).map(|i| format!("word{i}\n")).collect();
    let csv = format!("text\n{csv}");
    let lines = csv.replace("text\n", "");
    let paragraphs = lines.replace('\n', "\n\n");
    let objects: String = (0..11)
        .map(|i| format!("{{\"text\":\"word{i}\"}}\n"))
        .collect();
    for (flags, text) in [
        ("", &lines),
        ("--doc paragraph", &paragraphs),
        ("--from csv", &csv),
        ("--from jsonl", &objects),
    ] {
        let mut expected = bow(flags, text);
        let shards = (0..4).flat_map(|i| bow(&format!("{flags} --shard {i}/4"), text));
        let mut found: Vec<_> = shards.collect();
        expected.sort();
        found.sort();
        assert_eq!(found, expected, "{flags}");
        assert_eq!(found.len(), 11, "{flags}");
    }
    let second = bow("--shard 1/2", CONLLU);
    assert_eq!(second, ["d2 cats:1"]);
}

#[test]
fn words_end_where_the_scheme_says() {
    let text = "Don't e-mail A.B. 3,5 I";
    assert_eq!(terms("", text), ["don:1", "mail:1"]);
    let whitespace = ["3,5:1", "a.b.:1", "don't:1", "e-mail:1", "i:1"];
    assert_eq!(terms("--scheme whitespace", text), whitespace);
    let unicode = ["3,5:1", "a.b:1", "don't:1", "e:1", "i:1", "mail:1"];
    assert_eq!(terms("--scheme unicode", text), unicode);
    let ud = terms("--scheme ud", "Don't go.");
    assert_eq!(ud, [".:1", "do:1", "go:1", "n't:1"]);
}

#[test]
fn a_pattern_gives_words_or_its_group() {
    assert_eq!(
        terms("--pattern [a-z]-[a-z]", "A-B c-d"),
        ["a-b:1", "c-d:1"]
    );
    assert_eq!(terms("--pattern #([a-z]+)", "#one two"), ["one:1"]);
}

#[test]
fn words_may_lose_capitals_accents_and_endings() {
    let text = "Été DOGS running";
    assert_eq!(terms("--no-lower", text), ["DOGS:1", "running:1", "Été:1"]);
    let last = terms("--no-lower --lower", text);
    assert_eq!(last, ["dogs:1", "running:1", "été:1"]);
    let plain = terms("--strip-accents", text);
    assert_eq!(plain, ["dogs:1", "ete:1", "running:1"]);
    let ascii = terms("--strip-accents=ascii", "ßaß naïve");
    assert_eq!(ascii, ["naive:1"]);
    assert_eq!(terms("--stem en", text), ["dog:1", "run:1", "été:1"]);
}

#[test]
fn stop_words_are_left_out() {
    assert_eq!(
        terms("--stopwords en", "The dog and his bone"),
        ["bone:1", "dog:1"]
    );
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("stop");
    std::fs::write(&path, "bone\ndog").unwrap();
    let call = wordmill("bow --stopwords").arg(&path);
    assert_eq!(rows(call.stdin("the dog\n")), ["1 the:1"]);
}

#[test]
fn runs_of_words_and_characters_are_terms() {
    let found = terms("--ngrams 1-2", "one two one two");
    assert_eq!(found, ["one:2", "one", "two:2", "two:2", "two", "one:1"]);
    assert_eq!(terms("--analyzer char --ngrams 2", "aab"), ["aa:1", "ab:1"]);
    let bounded = bow("--analyzer char_wb --ngrams 3", "a bc\n");
    assert_eq!(bounded, ["1  a :1  bc:1 bc :1"]);
}

#[test]
fn a_term_may_count_once() {
    assert_eq!(terms("--binary", "aa aa bb"), ["aa:1", "bb:1"]);
}

const CUTS: &str = "aa bb cc dd\naa bb cc\naa bb bb bb\naa\n";

#[test]
fn terms_of_few_or_many_documents_are_cut() {
    let all = |flags: &str| {
        let rows = bow(flags, CUTS);
        assert_eq!(rows.len(), 4);
        rows[0].clone()
    };
    assert_eq!(all("--min-df 2"), "1 aa:1 bb:1 cc:1");
    assert_eq!(all("--min-df 0.6"), "1 aa:1 bb:1");
    assert_eq!(all("--max-df 3"), "1 bb:1 cc:1 dd:1");
    assert_eq!(all("--max-df 0.5"), "1 cc:1 dd:1");
    assert_eq!(all("--min-df 2 --max-df 3"), "1 bb:1 cc:1");
}

#[test]
fn of_the_most_frequent_terms_the_first_in_byte_order_stay() {
    assert_eq!(bow("--max-features 1", CUTS)[0], "1 bb:1");
    let ties = bow("--max-features 2", "dd cc bb aa\n");
    assert_eq!(ties, ["1 aa:1 bb:1"]);
}

#[test]
fn a_vocabulary_gives_the_columns_in_its_order() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("vocab");
    std::fs::write(&path, "zebra\ncat\nant").unwrap();
    let call = wordmill("bow --vocab").arg(&path);
    let svmlight = call.stdin("ant zebra ant\nunknown\ncat\n").text();
    assert_eq!(svmlight, "0 1:1 3:2\n0\n0 2:1\n");
}

/// scikit-learn 1.9.1:
///
/// ```python
/// for bits in 4, 20:
///     hasher = HashingVectorizer(n_features=1 << bits, norm=None)
///     print([(w, hasher.transform([w]).indices[0], hasher.transform([w]).data[0]) for w in words])
/// ```
#[test]
fn hashed_columns_and_signs_are_murmurs() {
    for (word, of_16, of_2_20, sign) in HASHED {
        let row = |bits: u8| {
            wordmill(&format!("bow --hashing {bits}"))
                .stdin(word)
                .text()
        };
        // svmlight counts columns from 1.
        assert_eq!(row(4), format!("0 {}:{sign}\n", of_16 + 1), "{word}");
        assert_eq!(row(20), format!("0 {}:{sign}\n", of_2_20 + 1), "{word}");
    }
}

const HASHED: &[(&str, u32, u32, i32)] = &[
    ("fox", 7, 768919, -1),
    ("quick", 13, 587725, 1),
    ("naïve", 5, 558549, 1),
    ("the", 14, 286878, -1),
    ("über", 4, 612564, -1),
];

#[test]
fn hashed_counts_of_two_signs_may_cancel() {
    // Both words are in column 1 of 16, with either sign.
    assert_eq!(bow("--hashing 4", "bird cow\nfox\n")[0], "1");
}

/// Saves what `fit` learns from documents, and gives the rows of others.
fn transformed(fit: &str, learned: &str, model: &Path, others: &str) -> Vec<String> {
    wordmill(&format!("bow {fit} --save"))
        .arg(model)
        .stdin(learned)
        .text();
    rows(wordmill("bow --model").arg(model).stdin(others))
}

#[test]
fn a_model_keeps_columns_and_how_terms_are_made() {
    let folder = tempfile::tempdir().unwrap();
    let model = folder.path().join("m");
    let fit = "--no-lower --ngrams 1-2 --min-df 2";
    let found = transformed(fit, "Ab cd ee\nAb cd\n", &model, "cd Ab cd\nab ee\n");
    assert_eq!(found, ["1 Ab:1 Ab cd:1 cd:2", "2"]);
    // The same flags again do no harm.
    let again = wordmill("bow --no-lower --ngrams 1-2 --model").arg(&model);
    assert_eq!(rows(again.stdin("Ab\n")), ["1 Ab:1"]);
    let other = wordmill("bow --ngrams 1-3 --model").arg(&model);
    let message = other.stdin("Ab\n").fails(1);
    assert!(
        message.contains("in another way than the flags say"),
        "{message}"
    );
}

#[test]
fn a_model_of_a_vocabulary_has_all_its_columns_in_its_order() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    std::fs::write(path("vocab"), "zebra\ncat\nant\n").unwrap();
    let text = "ant cat\ncat\n";
    let fit = wordmill("bow --to mtx --vocab").arg(path("vocab"));
    let fit = fit.arg("--save").arg(path("model")).stdin(text).text();
    let transformed = wordmill("bow --to mtx --model").arg(path("model"));
    assert_eq!(transformed.stdin(text).text(), fit);
    assert!(fit.contains("\n2 3 3\n1 2 1\n1 3 1\n2 2 1\n"), "{fit}");
}

#[test]
fn a_model_keeps_the_numbers_of_labels() {
    let folder = tempfile::tempdir().unwrap();
    let model = folder.path().join("m");
    let text = "{\"text\":\"aa\",\"label\":\"ham\"}\n{\"text\":\"bb\",\"label\":\"spam\"}\n";
    let fit = wordmill("bow --label label --save").arg(&model);
    assert_eq!(fit.stdin(text).text(), "0 1:1\n1 2:1\n");
    let call = wordmill("bow --label label --model").arg(&model);
    let spam = "{\"text\":\"aa\",\"label\":\"spam\"}\n";
    assert_eq!(call.stdin(spam).text(), "1 1:1\n");
    let call = wordmill("bow --label label --model").arg(&model);
    let message = call.stdin(spam.replace("spam", "eggs")).fails(1);
    assert!(
        message.contains("the label \"eggs\" is no number"),
        "{message}"
    );
}

#[test]
fn threads_and_memory_do_not_change_a_byte() {
    let sample = std::fs::read_to_string(root().join("corpora/sample.txt")).unwrap();
    // Two megabytes: several batches, each of which is more than 1 KB of terms.
    let text: String = (0..2000).map(|i| format!("{sample}number{i}\n")).collect();
    for command in [
        "bow",
        "bow --counts",
        "tfidf",
        "tfidf --bm25 --to tsv",
        "bow --hashing 8",
    ] {
        let run = |flags: &str| {
            wordmill(&format!("{command} -q {flags}"))
                .stdin(&text)
                .bytes()
        };
        let expected = run("--threads 1");
        assert!(!expected.is_empty());
        for flags in [
            "--threads 2",
            "--threads 2 --memory 1K",
            "--threads 1 --memory 1K",
        ] {
            assert!(run(flags) == expected, "{command} {flags}");
        }
    }
}

#[test]
fn counts_are_sorted_terms_under_a_header() {
    let counts = wordmill("bow --counts").stdin("bb aa bb\n\nbb\n").text();
    let mut lines = counts.lines();
    let header = lines.next().unwrap();
    assert!(
        header.starts_with("#wordmill counts 1 docs=3 tokens=4 options="),
        "{header}"
    );
    assert!(lines.next().unwrap().starts_with("#options {\"terms\":"));
    assert_eq!(lines.collect::<Vec<_>>(), ["aa\t1\t1", "bb\t3\t2"]);
}

#[test]
fn documents_without_known_terms_have_empty_rows() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("vocab");
    std::fs::write(&path, "cat\n").unwrap();
    let rows = |to: &str| {
        let call = wordmill(&format!("bow --to {to} --vocab")).arg(&path);
        call.stdin("dog\ncat\n\n").text()
    };
    assert_eq!(rows("svmlight"), "0\n0 1:1\n0\n");
    assert_eq!(rows("mtx").lines().nth(1), Some("3 1 1"));
    assert_eq!(rows("csv --dense"), "id,label,cat\n1,,0\n2,,1\n3,,0\n");
}
