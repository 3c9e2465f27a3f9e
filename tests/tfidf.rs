//! `wordmill tfidf`: weights, keywords, and what is learned from other documents.

use crate::bow::rows;
use crate::harness::{root, wordmill};

fn tfidf(flags: &str, text: &str) -> Vec<String> {
    rows(wordmill(&format!("tfidf {flags}")).stdin(text))
}

#[test]
fn rows_have_length_1() {
    let text = wordmill("tfidf --to csv corpora/sample.txt").text();
    let mut squares = std::collections::BTreeMap::<&str, f64>::new();
    for line in text.lines().skip(1) {
        let (document, rest) = line.split_once(',').unwrap();
        let value: f64 = rest.rsplit_once(',').unwrap().1.parse().unwrap();
        *squares.entry(document).or_default() += value * value;
    }
    assert!(squares.len() > 5);
    // A sum of about ten squares.
    assert!(
        squares.values().all(|sum| (sum - 1.0).abs() < 1e-14),
        "{squares:?}"
    );
}

/// N = 2, df(aa) = 2, df(bb) = 1; ln 1.5 = 0.405…, ln 3 = 1.098….
#[test]
fn idfs_have_names() {
    let of = |flags: &str| tfidf(&format!("--norm none {flags}"), "aa bb bb\naa\n").remove(0);
    assert_eq!(of(""), "1 aa:1 bb:2.8109302162163288");
    assert_eq!(of("--no-smooth --smooth"), of(""));
    assert_eq!(of("--idf standard"), of(""));
    assert_eq!(of("--no-smooth"), "1 aa:1 bb:3.386294361119891");
    assert_eq!(of("--idf none"), "1 aa:1 bb:2");
    // Two of three documents have aa, one has bb: ln(2.5 / 1.5), at least 0.
    let odds = tfidf("--norm none --idf probabilistic", "aa bb\naa\n\n");
    assert_eq!(odds[0], "1 bb:0.5108256237659907");
    let odds = tfidf(
        "--norm none --idf probabilistic --no-smooth",
        "aa bb\naa\n\n",
    );
    assert_eq!(odds[0], "1 bb:0.6931471805599453");
}

/// N = 4, df = 2: idf = ln(1 + 2.5 / 2.5) = ln 2. The lengths are 2, 4, 2, 0, their mean 2.
#[test]
fn bm25_is_that_of_a_hand() {
    let text = "xx xx\nxx yy yy yy\nzz zz\n\n";
    let of = |flags: &str| -> Vec<f64> {
        let rows = tfidf(&format!("--bm25 {flags}"), text);
        let weight = |row: &String| {
            let cell = row.split(' ').find(|cell| cell.starts_with("xx"))?;
            cell.split_once(':')?.1.parse().ok()
        };
        rows.iter().filter_map(weight).collect()
    };
    let ln_2 = std::f64::consts::LN_2;
    let close = |found: Vec<f64>, expected: [f64; 2]| {
        assert_eq!(found.len(), 2);
        for (found, expected) in found.iter().zip(expected) {
            // The last digits depend on the order of products.
            assert!((found - expected).abs() < 1e-15, "{found} {expected}");
        }
    };
    // f (k1 + 1) / (f + k1 (1 - b + b d / 2)): 2 · 2.2 / (2 + 1.2) and 2.2 / (1 + 1.2 · 1.75).
    close(of(""), [ln_2 * 4.4 / 3.2, ln_2 * 2.2 / 3.1]);
    close(of("--b 0"), [ln_2 * 4.4 / 3.2, ln_2]);
    // 2 · 3 / (2 + 2) and 3 / (1 + 2 · 2).
    close(of("--k1 2 --b 1"), [ln_2 * 1.5, ln_2 * 0.6]);
    close(of("--k1 0"), [ln_2, ln_2]);
    // zz alone, and xx: a row of one term has the norm of its term.
    assert_eq!(of("--norm l2")[0], 1.0);
}

#[test]
fn keywords_are_the_heaviest_terms() {
    let text = "aa bb bb cc\naa cc\n\n";
    let table = wordmill("tfidf --top 1").stdin(text).text();
    let heaviest: Vec<_> = table
        .lines()
        .map(|line| line.rsplit_once('\t').unwrap().0)
        .collect();
    // Of the equals aa and cc of the second document the first in byte order.
    assert_eq!(heaviest, ["1\tbb", "2\taa"]);
    let all = wordmill("tfidf --top 9 --to svmlight").stdin(text).text();
    assert_eq!(all, wordmill("tfidf").stdin(text).text());
    let two = wordmill("tfidf --top 2 --to svmlight --norm none --idf none").stdin(text);
    assert_eq!(two.text(), "0 1:1 2:2\n0 1:1 3:1\n0\n");
}

#[test]
fn a_model_gives_other_documents_the_weights_of_the_first() {
    let folder = tempfile::tempdir().unwrap();
    let model = folder.path().join("model");
    for flags in [
        "",
        "--bm25 --k1 0.1 --b 0.3",
        "--smartirs ltu",
        "--sublinear --norm l1 --no-smooth",
        "--ngrams 1-2 --max-df 0.7",
    ] {
        let learned = "aa bb bb cc dd\naa cc dd\ncc dd ee ee\n";
        let fit = wordmill(&format!("tfidf {flags} --save"))
            .arg(&model)
            .stdin(learned)
            .text();
        let others = wordmill("tfidf --model").arg(&model).stdin(learned).text();
        assert_eq!(others, fit, "{flags}");
        let last = wordmill("tfidf --model")
            .arg(&model)
            .stdin("cc dd ee ee\n")
            .text();
        assert_eq!(Some(last.trim_end()), fit.lines().last(), "{flags}");
    }
}

/// scikit-learn 1.9.1, where zebra has no document: `TfidfVectorizer(vocabulary=["zebra", "ant"], norm=None)`, fitted on
/// `["ant", "ant bee"]`, transforms `["zebra ant"]` into 2.09861229 and 1.
#[test]
fn a_term_of_no_document_has_a_weight_in_others() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    std::fs::write(path("vocab"), "zebra\nant\n").unwrap();
    let fit = wordmill("tfidf --norm none --vocab").arg(path("vocab"));
    let fit = fit.arg("--save").arg(path("model"));
    assert_eq!(fit.stdin("ant\nant bee\n").text(), "0 2:1\n0 2:1\n");
    let call = wordmill("tfidf --model").arg(path("model"));
    assert_eq!(
        call.stdin("zebra ant\n").text(),
        "0 1:2.09861228866811 2:1\n"
    );
}

#[test]
fn the_weights_of_a_model_are_its_own() {
    let folder = tempfile::tempdir().unwrap();
    let model = folder.path().join("model");
    wordmill("tfidf --save").arg(&model).stdin("aa\n").text();
    let message = wordmill("tfidf --sublinear --model")
        .arg(&model)
        .stdin("aa\n")
        .fails(1);
    let expected = format!(
        "wordmill tfidf: {}: the model knows its weights\nhint: leave the flags for weights out\n",
        model.display()
    );
    assert_eq!(message, expected);
    // Counting needs none.
    assert_eq!(
        wordmill("bow --model").arg(&model).stdin("aa aa\n").text(),
        "0 1:2\n"
    );
}

#[test]
fn counts_of_shards_weight_as_the_whole_does() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    let sample = std::fs::read(root().join("corpora/sample.txt")).unwrap();
    let mut merge = wordmill("merge -o").arg(path("sum"));
    for i in 0..4 {
        let shard = path(&i.to_string());
        let call = wordmill(&format!("bow --counts --ngrams 1-2 --shard {i}/4 -o")).arg(&shard);
        call.stdin(&sample).text();
        merge = merge.arg(shard);
    }
    merge.text();
    for flags in [
        "",
        "--bm25",
        "--min-df 2 --max-df 0.5 --sublinear",
        "--max-features 20",
        "--smartirs ntb",
    ] {
        let whole = wordmill(&format!("tfidf --ngrams 1-2 {flags}")).stdin(&sample);
        let counted = wordmill(&format!("tfidf {flags} --counts"))
            .arg(path("sum"))
            .stdin(&sample);
        assert_eq!(counted.text(), whole.text(), "{flags}");
    }
}

#[test]
fn hashed_terms_are_weighted_by_two_passes() {
    let rows = tfidf("--hashing 20 --norm none --no-smooth", "fox\nquick\n");
    // ln 2 + 1; fox has the sign -1.
    assert!(rows[0].ends_with(":-1.6931471805599454"), "{rows:?}");
    assert!(rows[1].ends_with(":1.6931471805599454"), "{rows:?}");
}

/// Counts below 0 once gave NaN and infinities.
#[test]
fn hashed_terms_have_finite_weights() {
    let text = "cow bird\ncow cow bird fox\nbird fox quick quick\n";
    for flags in [
        "--bm25",
        "--smartirs anc",
        "--smartirs Lnc",
        "--smartirs lnb",
        "--sublinear",
    ] {
        for row in tfidf(&format!("--hashing 4 {flags}"), text) {
            let values = row
                .split(' ')
                .skip(1)
                .map(|cell| cell.split_once(':').unwrap().1);
            for value in values {
                let value: f64 = value.parse().unwrap_or(f64::NAN);
                assert!(value.is_finite() && value.abs() < 10.0, "{flags}: {row}");
            }
        }
    }
}

#[test]
fn a_document_without_known_terms_has_an_empty_row() {
    assert_eq!(tfidf("--max-df 1", "aa bb\naa\n\n"), ["1 bb:1", "2", "3"]);
    let folder = tempfile::tempdir().unwrap();
    let model = folder.path().join("model");
    wordmill("tfidf --save").arg(&model).stdin("aa\n").text();
    let call = wordmill("tfidf --model").arg(&model);
    assert_eq!(call.stdin("new\n\naa\n").text(), "0\n0\n0 1:1\n");
}

#[test]
fn wrong_usage_is_named() {
    for (flags, expected) in [
        (
            "--smartirs nt",
            "expected a letter each of ntblaLd for tf, nxftp for idf and nxcub for the norm",
        ),
        ("--smartirs ntz", "expected a letter each"),
        ("--smartirs ntc --norm l1", "cannot be used with"),
        ("--bm25 --sublinear", "cannot be used with"),
        ("--counts c --vocab v", "cannot be used with"),
        ("--counts c --save m", "cannot be used with"),
        ("--k1 2", "--bm25"),
        ("--bm25 --b 1.1", "expected a number from 0 to 1"),
        ("--bm25 --k1 -1", "-1"),
        ("--bm25 --k1 inf", "expected a number of at least 0"),
        ("--top 0", "'--top <K>'"),
        (
            "--min-df 3 --max-df 2",
            "max-df allows 2 documents at most, min-df asks for 3",
        ),
        (
            "--model m --min-df 2",
            "--min-df, --max-df and --max-features choose columns, and these are given",
        ),
    ] {
        let message = wordmill(&format!("tfidf {flags}")).stdin("aa\n").fails(2);
        assert!(message.contains(expected), "{flags}: {message}");
    }
}

#[test]
fn cuts_that_leave_nothing_of_counts_are_named() {
    let flags = "tfidf --counts corpora/sample.counts.tsv --min-df 13";
    let message = wordmill(flags).stdin("aa\n").fails(2);
    let expected = "wordmill tfidf: max-df allows 12 documents at most, min-df asks for 13\n";
    assert_eq!(message, expected);
    let flags = "tfidf --counts corpora/sample.counts.tsv --min-df 12";
    let message = wordmill(flags).stdin("aa\n").fails(1);
    assert!(
        message.starts_with("wordmill tfidf: no term is left of 12 documents\nhint: "),
        "{message}"
    );
}

#[test]
fn the_page_of_the_manual_has_every_formula() {
    // The page is troff: it breaks no line of a formula, and writes minus as \-.
    let page = std::fs::read_to_string(root().join("man/wordmill-tfidf.1")).unwrap();
    let page = page.replace("\\-", "-").replace("\\*(Aq", "'");
    for formula in [
        "1 + ln f",
        "ln((N + 1) / (df + 1)) + 1",
        "ln(N / df) + 1",
        "ln((N - df + 0.5) / (df + 0.5))",
        "ln((N - df) / df)",
        "sqrt(sum of w²)",
        "sum of |w|",
        "ln(1 + (N - df + 0.5) / (df + 0.5))",
        "f (k1 + 1) / (f + k1 (1 - b + b d / d'))",
        "1 + log2 f",
        "1 + log2(1 + log2 f)",
        "0.5 + 0.5 f / max f",
        "(1 + log2 f) / (1 + log2 mean f)",
        "log2(N / df)",
        "log2((N + 1) / df)",
        "log2((N - df) / df)",
        "0.75 p + 0.25 v",
    ] {
        assert!(
            page.contains(formula),
            "man/wordmill-tfidf.1 lacks {formula}"
        );
    }
}
