//! The formats in which `bow` and `tfidf` write matrices, and the files beside them.

use crate::harness::wordmill;
use std::io::Read;
use std::path::Path;

/// A document without terms, one with a label that needs quotes, a term with a quote.
const OBJECTS: &str = "{\"id\":\"a\",\"text\":\"it's it's so\"}\n{\"id\":\"b,1\",\"text\":\"\",\"label\":\"x\"}\n\
                       {\"id\":\"c\",\"text\":\"so\",\"label\":\"w\"}\n";
const FLAGS: &str = "bow --from jsonl --label label --scheme whitespace";

fn matrix(flags: &str) -> String {
    wordmill(&format!("{FLAGS} {flags}")).stdin(OBJECTS).text()
}

fn written(folder: &Path, name: &str) -> String {
    std::fs::read_to_string(folder.join(name)).unwrap()
}

fn names(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).unwrap();
    let name = |entry: std::io::Result<std::fs::DirEntry>| entry.unwrap().file_name();
    let mut names: Vec<_> = entries
        .map(|entry| name(entry).to_string_lossy().into_owned())
        .collect();
    names.sort();
    names
}

#[test]
fn svmlight_is_the_default() {
    assert_eq!(matrix(""), "0 1:2 2:1\n1\n0 2:1\n");
    assert_eq!(matrix("--to svmlight"), matrix(""));
}

#[test]
fn matrix_market_has_sizes_before_cells() {
    let mtx = "%%MatrixMarket matrix coordinate integer general\n3 2 3\n1 1 2\n1 2 1\n3 2 1\n";
    assert_eq!(matrix("--to mtx"), mtx);
}

#[test]
fn tables_name_documents_and_terms() {
    assert_eq!(matrix("--to tsv"), "a\tit's\t2\na\tso\t1\nc\tso\t1\n");
    assert_eq!(
        matrix("--to csv"),
        "doc,term,value\na,it's,2\na,so,1\nc,so,1\n"
    );
    let dense = "id,label,it's,so\na,,2,1\n\"b,1\",x,0,0\nc,w,0,1\n";
    assert_eq!(matrix("--to csv --dense"), dense);
}

#[test]
fn objects_have_a_row_for_every_document() {
    let expected = "{\"id\":\"a\",\"terms\":{\"it's\":2,\"so\":1}}\n{\"id\":\"b,1\",\"label\":\"x\",\"terms\":{}}\n\
                    {\"id\":\"c\",\"label\":\"w\",\"terms\":{\"so\":1}}\n";
    assert_eq!(matrix("--to jsonl"), expected);
}

/// The header and the bytes of an array of an archive.
fn array(archive: &[u8], name: &str) -> (String, Vec<u8>) {
    let mut archive = zip::ZipArchive::new(std::io::Cursor::new(archive)).unwrap();
    let mut file = archive.by_name(&format!("{name}.npy")).unwrap();
    let mut bytes = Vec::new();
    file.read_to_end(&mut bytes).unwrap();
    let end = 10 + usize::from(u16::from_le_bytes([bytes[8], bytes[9]]));
    let header = String::from_utf8(bytes[10..end].to_vec()).unwrap();
    (header.trim_end().to_owned(), bytes[end..].to_vec())
}

fn words<const N: usize>(bytes: &[u8]) -> Vec<[u8; N]> {
    bytes.chunks(N).map(|c| c.try_into().unwrap()).collect()
}

/// SciPy 1.17.1 reads the same archive: `scipy.sparse.load_npz("x.npz").toarray()` is `[[2, 1], [0, 0], [0, 1]]`.
#[test]
fn npz_holds_compressed_sparse_rows() {
    let npz = wordmill(&format!("{FLAGS} --to npz"))
        .stdin(OBJECTS)
        .bytes();
    let (header, data) = array(&npz, "data");
    assert!(header.starts_with("{'descr': '<i8', 'fortran_order': False, 'shape': (3,)"));
    let data: Vec<i64> = words(&data).into_iter().map(i64::from_le_bytes).collect();
    assert_eq!(data, [2, 1, 1]);
    let integers = |name: &str| -> Vec<i32> {
        let (_, bytes) = array(&npz, name);
        words(&bytes).into_iter().map(i32::from_le_bytes).collect()
    };
    assert_eq!(integers("indices"), [0, 1, 1]);
    assert_eq!(integers("indptr"), [0, 2, 2, 3]);
    let shape = array(&npz, "shape").1;
    let shape: Vec<i64> = words(&shape).into_iter().map(i64::from_le_bytes).collect();
    assert_eq!(shape, [3, 2]);
    assert_eq!(array(&npz, "format").1, b"csr");
}

#[test]
fn weights_in_npz_are_floating_point_numbers() {
    let npz = wordmill("tfidf --norm l1 --to npz")
        .stdin("aa bb\n")
        .bytes();
    let (header, data) = array(&npz, "data");
    assert!(header.contains("'<f8'"), "{header}");
    let data: Vec<f64> = words(&data).into_iter().map(f64::from_le_bytes).collect();
    assert_eq!(data, [0.5, 0.5]);
}

#[test]
fn empty_input_gives_an_empty_matrix() {
    for command in ["bow", "tfidf"] {
        let empty = |to: &str| wordmill(&format!("{command} --to {to}")).bytes();
        for to in ["svmlight", "tsv", "jsonl"] {
            assert_eq!(empty(to), b"", "{command} --to {to}");
        }
        assert_eq!(empty("csv"), b"doc,term,value\n", "{command}");
        assert!(empty("mtx").ends_with(b" general\n0 0 0\n"), "{command}");
        assert_eq!(array(&empty("npz"), "shape").1, [0; 16], "{command}");
        for from in ["text", "jsonl", "csv", "conllu"] {
            let call = wordmill(&format!("{command} --from {from}"));
            assert_eq!(call.text(), "", "{command} --from {from}");
        }
    }
}

#[test]
fn files_beside_a_matrix_name_columns_and_rows() {
    for name in ["x.svm", "x.mtx", "x.npz", "x.svm.gz"] {
        let folder = tempfile::tempdir().unwrap();
        let call = wordmill(&format!("{FLAGS} -o")).arg(folder.path().join(name));
        assert_eq!(call.stdin(OBJECTS).text(), "");
        assert_eq!(names(folder.path()), ["x.docs.tsv", name, "x.terms.tsv"]);
        let terms = written(folder.path(), "x.terms.tsv");
        assert_eq!(terms, "it's\t2\t1\nso\t2\t2\n", "{name}");
        let documents = written(folder.path(), "x.docs.tsv");
        assert_eq!(documents, "a\nb,1\tx\nc\tw\n", "{name}");
    }
}

#[test]
fn a_matrix_that_names_all_itself_has_no_files_beside() {
    for name in ["x.csv", "x.tsv.zst", "x.jsonl"] {
        let folder = tempfile::tempdir().unwrap();
        let call = wordmill(&format!("{FLAGS} -o")).arg(folder.path().join(name));
        call.stdin(OBJECTS).text();
        assert_eq!(names(folder.path()), [name]);
    }
}

#[test]
fn columns_that_were_given_are_named_too() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    std::fs::write(path("vocab"), "so\nnot\n").unwrap();
    for command in ["bow", "tfidf"] {
        let call = wordmill(&format!("{command} --vocab")).arg(path("vocab"));
        call.arg("-o").arg(path("x.svm")).stdin("so so\n").text();
        let terms = written(folder.path(), "x.terms.tsv");
        let terms: Vec<_> = terms.lines().map(|line| line.split('\t').next()).collect();
        assert_eq!(terms, [Some("so"), Some("not")], "{command}");
    }
}

#[test]
fn hashed_columns_have_no_names() {
    let folder = tempfile::tempdir().unwrap();
    let call = wordmill("bow --hashing 4 -o").arg(folder.path().join("x.svm"));
    call.stdin("so\n").text();
    assert_eq!(names(folder.path()), ["x.docs.tsv", "x.svm"]);
    // Tables have their numbers, from 0 as in npz.
    let table = wordmill("bow --hashing 4 --to tsv").stdin("fox\n").text();
    let column = wordmill("bow --hashing 4").stdin("fox\n").text();
    let number: u32 = table.split('\t').nth(1).unwrap().parse().unwrap();
    assert_eq!(column, format!("0 {}:-1\n", number + 1));
}

#[test]
fn the_name_of_a_file_asks_for_a_format() {
    let folder = tempfile::tempdir().unwrap();
    for (name, to) in [
        ("x.svm", "svmlight"),
        ("x.libsvm", "svmlight"),
        ("x.mtx", "mtx"),
        ("x.csv", "csv"),
        ("x.tsv", "tsv"),
        ("x.jsonl", "jsonl"),
        ("x.npz", "npz"),
        ("x.unknown", "svmlight"),
    ] {
        let path = folder.path().join(name);
        wordmill("bow -o").arg(&path).stdin("aa bb\n").text();
        let expected = wordmill(&format!("bow --to {to}")).stdin("aa bb\n").bytes();
        assert!(std::fs::read(&path).unwrap() == expected, "{name}");
    }
    let path = folder.path().join("y.tsv");
    wordmill("bow --to csv -o").arg(&path).stdin("aa\n").text();
    assert!(written(folder.path(), "y.tsv").starts_with("doc,term,value\n"));
}

#[test]
fn output_is_compressed_by_its_name() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str| {
        let path = folder.path().join(name);
        wordmill("bow -o").arg(&path).stdin("aa\n").text();
        std::fs::File::open(path).unwrap()
    };
    let mut text = String::new();
    flate2::read::GzDecoder::new(write("x.tsv.gz"))
        .read_to_string(&mut text)
        .unwrap();
    assert_eq!(text, "1\taa\t1\n");
    assert_eq!(zstd::decode_all(write("x.tsv.zst")).unwrap(), b"1\taa\t1\n");
}

#[test]
fn nothing_is_left_of_a_run_that_fails() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    std::fs::write(path("vocab"), "good\n").unwrap();
    let vocabulary = format!("--vocab {}", path("vocab").display());
    let saving = format!("--save {}", path("model").display());
    for (flags, text) in [
        (&vocabulary, &b"good\n\xFF\n"[..]),
        (&saving, b"good\n\xFF\n"),
        (&saving, b"x\n"),
        (&"--min-df 2".to_owned(), b"good\nbad\n"),
    ] {
        for command in ["bow", "tfidf"] {
            for name in ["x.svm", "x.npz"] {
                let call = wordmill(&format!("{command} {flags} -o")).arg(path(name));
                call.stdin(text).fails(1);
                assert_eq!(names(folder.path()), ["vocab"], "{command} {flags}");
            }
        }
    }
}

#[test]
fn a_column_for_each_term_is_for_small_vocabularies() {
    let call = wordmill("bow --hashing 20 --to csv --dense");
    let message = call.stdin("aa\n").fails(2);
    let expected =
        "wordmill bow: a column for each of 1048576 terms\nhint: --max-features keeps fewer";
    assert!(message.starts_with(expected), "{message}");
}
