//! Small matrices beside those of scikit-learn 1.9.1 and gensim 4.4.0; `benches/peers/bag.py` compares large ones.
//!
//! The numbers come from this script, in which `Count`, `Tfidf` and `Hashing` are the vectorizers of the cases below:
//!
//! ```python
//! docs = ["The cat sat on the mat.", "The dog ate the cat's food; the CAT sat.", "", "Dogs and cats: a naïve café!"]
//! matrix = vectorizer.fit_transform(docs)
//! terms = vectorizer.get_feature_names_out()
//! order = sorted(range(len(terms)), key=lambda i: terms[i].encode())    # not of a fixed vocabulary
//! print(terms[order], scipy.sparse.csr_matrix(matrix)[:, order])
//! ```

use crate::harness::wordmill;

const DOCS: &str = "The cat sat on the mat.\nThe dog ate the cat's food; the CAT sat.\n\nDogs and cats: a naïve café!\n";

/// Flags, the terms of the columns (none where they are not looked at), and the rows as svmlight, which counts columns
/// from 1.
type Case = (
    &'static str,
    &'static [&'static str],
    &'static [&'static str],
);

/// Flags of `bow`, the terms of its columns, and its rows.
const COUNTS: &[Case] = &[
    // Count()
    (
        "",
        &[
            "and", "ate", "café", "cat", "cats", "dog", "dogs", "food", "mat", "naïve", "on",
            "sat", "the",
        ],
        &[
            "0 4:1 9:1 11:1 12:1 13:2",
            "0 2:1 4:2 6:1 8:1 12:1 13:3",
            "0",
            "0 1:1 3:1 5:1 7:1 10:1",
        ],
    ),
    // Count(ngram_range=(1, 2), min_df=2)
    (
        "--ngrams 1-2 --min-df 2",
        &["cat", "cat sat", "sat", "the", "the cat"],
        &["0 1:1 2:1 3:1 4:2 5:1", "0 1:2 2:1 3:1 4:3 5:2", "0", "0"],
    ),
    // Count(ngram_range=(2, 2), stop_words=["the", "on"])
    (
        "--ngrams 2 --stopwords STOP",
        &[
            "and cats",
            "ate cat",
            "cat food",
            "cat sat",
            "cats naïve",
            "dog ate",
            "dogs and",
            "food cat",
            "naïve café",
            "sat mat",
        ],
        &[
            "0 4:1 10:1",
            "0 2:1 3:1 4:1 6:1 8:1",
            "0",
            "0 1:1 5:1 7:1 9:1",
        ],
    ),
    // Count(analyzer="char", ngram_range=(1, 2), min_df=3)
    (
        "--analyzer char --ngrams 1-2 --min-df 3",
        &[" ", " c", "a", "at", "c", "ca", "e", "e ", "o", "s", "t"],
        &[
            "0 1:5 2:1 3:3 4:3 5:1 6:1 7:2 8:2 9:1 10:1 11:5",
            "0 1:8 2:2 3:4 4:4 5:2 6:2 7:4 8:4 9:3 10:2 11:7",
            "0",
            "0 1:5 2:2 3:5 4:1 5:2 6:2 7:1 8:1 9:1 10:2 11:1",
        ],
    ),
    // Count(analyzer="char_wb", ngram_range=(4, 4), min_df=2)
    (
        "--analyzer char_wb --ngrams 4 --min-df 2",
        &[" cat", " dog", " sat", " the", "at. ", "cat ", "the "],
        &[
            "0 1:1 3:1 4:2 5:1 6:1 7:2",
            "0 1:2 2:1 3:1 4:3 5:1 6:1 7:3",
            "0",
            "0 1:1 2:1",
        ],
    ),
    // Count(lowercase=False, binary=True)
    (
        "--no-lower --binary",
        &[
            "CAT", "Dogs", "The", "and", "ate", "café", "cat", "cats", "dog", "food", "mat",
            "naïve", "on", "sat", "the",
        ],
        &[
            "0 3:1 7:1 11:1 13:1 14:1 15:1",
            "0 1:1 3:1 5:1 7:1 9:1 10:1 14:1 15:1",
            "0",
            "0 2:1 4:1 6:1 8:1 12:1",
        ],
    ),
    // Count(strip_accents="ascii", token_pattern="[a-z]+")
    (
        "--strip-accents=ascii --pattern [a-z]+",
        &[
            "a", "and", "ate", "cafe", "cat", "cats", "dog", "dogs", "food", "mat", "naive", "on",
            "s", "sat", "the",
        ],
        &[
            "0 5:1 10:1 12:1 14:1 15:2",
            "0 3:1 5:2 7:1 9:1 13:1 14:1 15:3",
            "0",
            "0 1:1 2:1 4:1 6:1 8:1 11:1",
        ],
    ),
    // Count(strip_accents="unicode", min_df=0.25, max_df=1)
    (
        "--strip-accents --min-df 0.25 --max-df 1",
        &[
            "and", "ate", "cafe", "cats", "dog", "dogs", "food", "mat", "naive", "on",
        ],
        &["0 8:1 10:1", "0 2:1 5:1 7:1", "0", "0 1:1 3:1 4:1 6:1 9:1"],
    ),
    // Count(max_features=3)
    (
        "--max-features 3",
        &["cat", "sat", "the"],
        &["0 1:1 2:1 3:2", "0 1:2 2:1 3:3", "0", "0"],
    ),
    // Count(vocabulary=["zebra", "the", "cat"])
    (
        "--vocab VOCAB",
        &["zebra", "the", "cat"],
        &["0 2:2 3:1", "0 2:3 3:2", "0", "0"],
    ),
    // Hashing(n_features=1 << 10, norm=None)
    (
        "--hashing 10",
        &[],
        &[
            "0 159:-2 568:-1 808:1 908:-1 949:1",
            "0 119:1 159:-3 436:1 550:-1 808:2 949:1",
            "0",
            "0 195:-1 302:-1 318:1 470:1 777:1",
        ],
    ),
    // Hashing(n_features=1 << 4, analyzer="char", ngram_range=(3, 3), binary=True, norm=None)
    (
        "--hashing 4 --analyzer char --ngrams 3 --binary",
        &[],
        &[
            "0 2:1 3:1 4:1 5:1 8:1 10:1 12:1 13:1 14:1 15:1 16:1",
            "0 1:1 2:1 3:1 4:1 5:1 6:1 7:1 8:1 9:1 10:1 13:1 14:1 15:1 16:1",
            "0",
            "0 1:1 2:1 3:1 4:1 5:1 6:1 7:1 8:1 9:1 10:1 11:1 12:1 13:1 14:1 15:1 16:1",
        ],
    ),
];

/// The same of `tfidf`.
const WEIGHTS: &[Case] = &[
    // Tfidf()
    (
        "",
        &[
            "and", "ate", "café", "cat", "cats", "dog", "dogs", "food", "mat", "naïve", "on",
            "sat", "the",
        ],
        &[
            "0 4:0.3293763839936038 9:0.4177721783483124 11:0.4177721783483124 12:0.3293763839936038 13:0.6587527679872076",
            "0 2:0.2923239742885685 4:0.46094315799809815 6:0.2923239742885685 8:0.2923239742885685 12:0.23047157899904908 13:0.6914147369971472",
            "0",
            "0 1:0.4472135954999579 3:0.4472135954999579 5:0.4472135954999579 7:0.4472135954999579 10:0.4472135954999579",
        ],
    ),
    // Tfidf(norm="l1", stop_words=["the", "on"])
    (
        "--norm l1 --stopwords STOP",
        &[
            "and", "ate", "café", "cat", "cats", "dog", "dogs", "food", "mat", "naïve", "sat",
        ],
        &[
            "0 4:0.3059626115630647 9:0.3880747768738705 11:0.3059626115630647",
            "0 2:0.18638514453708163 4:0.2938963775925034 6:0.18638514453708163 8:0.18638514453708163 11:0.1469481887962517",
            "0",
            "0 1:0.19999999999999998 3:0.19999999999999998 5:0.19999999999999998 7:0.19999999999999998 10:0.19999999999999998",
        ],
    ),
    // Tfidf(norm=None, smooth_idf=False)
    (
        "--norm none --no-smooth",
        &[
            "and", "ate", "café", "cat", "cats", "dog", "dogs", "food", "mat", "naïve", "on",
            "sat", "the",
        ],
        &[
            "0 4:1.6931471805599454 9:2.386294361119891 11:2.386294361119891 12:1.6931471805599454 13:3.386294361119891",
            "0 2:2.386294361119891 4:3.386294361119891 6:2.386294361119891 8:2.386294361119891 12:1.6931471805599454 13:5.079441541679836",
            "0",
            "0 1:2.386294361119891 3:2.386294361119891 5:2.386294361119891 7:2.386294361119891 10:2.386294361119891",
        ],
    ),
    // Tfidf(norm=None, sublinear_tf=True, min_df=2)
    (
        "--norm none --sublinear --min-df 2",
        &["cat", "sat", "the"],
        &[
            "0 1:1.5108256237659907 2:1.5108256237659907 3:2.558050145197108",
            "0 1:2.558050145197108 2:1.5108256237659907 3:3.170637220069971",
            "0",
            "0",
        ],
    ),
    // Tfidf(use_idf=False, max_features=3)
    (
        "--idf none --max-features 3",
        &["cat", "sat", "the"],
        &[
            "0 1:0.4082482904638631 2:0.4082482904638631 3:0.8164965809277261",
            "0 1:0.5345224838248488 2:0.2672612419124244 3:0.8017837257372732",
            "0",
            "0",
        ],
    ),
    // Tfidf(smooth_idf=False, sublinear_tf=True, norm="l1", ngram_range=(1, 2), min_df=2)
    (
        "--no-smooth --sublinear --norm l1 --ngrams 1-2 --min-df 2",
        &["cat", "cat sat", "sat", "the", "the cat"],
        &[
            "0 1:0.1756497712573884 2:0.1756497712573884 3:0.1756497712573884 4:0.2974009149704465 5:0.1756497712573884",
            "0 1:0.22620818933097867 2:0.133602200640448 3:0.133602200640448 4:0.2803792200571466 5:0.22620818933097867",
            "0",
            "0",
        ],
    ),
    // Tfidf(binary=True, max_df=0.25)
    (
        "--binary --max-df 0.25",
        &[
            "and", "ate", "café", "cats", "dog", "dogs", "food", "mat", "naïve", "on",
        ],
        &[
            "0 8:0.7071067811865476 10:0.7071067811865476",
            "0 2:0.5773502691896257 5:0.5773502691896257 7:0.5773502691896257",
            "0",
            "0 1:0.4472135954999579 3:0.4472135954999579 4:0.4472135954999579 6:0.4472135954999579 9:0.4472135954999579",
        ],
    ),
    // Tfidf(analyzer="char_wb", ngram_range=(3, 3), min_df=2)
    (
        "--analyzer char_wb --ngrams 3 --min-df 2",
        &[
            " ca", " do", " sa", " th", "at ", "at.", "cat", "dog", "he ", "sat", "t. ", "the",
        ],
        &[
            "0 1:0.17537294875116044 3:0.2166204812214955 4:0.433240962442991 5:0.433240962442991 6:0.2166204812214955 7:0.17537294875116044 9:0.433240962442991 10:0.2166204812214955 11:0.2166204812214955 12:0.433240962442991",
            "0 1:0.25846965205125194 2:0.1596307207217562 3:0.1596307207217562 4:0.4788921621652686 5:0.1596307207217562 6:0.1596307207217562 7:0.25846965205125194 8:0.1596307207217562 9:0.4788921621652686 10:0.1596307207217562 11:0.1596307207217562 12:0.4788921621652686",
            "0",
            "0 1:0.7048446499630939 2:0.43531168389615066 7:0.35242232498154696 8:0.43531168389615066",
        ],
    ),
    // Tfidf(vocabulary=["zebra", "the", "cat"])
    (
        "--vocab VOCAB",
        &["zebra", "the", "cat"],
        &[
            "0 2:0.8944271909999159 3:0.4472135954999579",
            "0 2:0.8320502943378437 3:0.5547001962252291",
            "0",
            "0",
        ],
    ),
    // Hashing(n_features=1 << 10, norm="l1")
    (
        "--hashing 10 --idf none --norm l1",
        &[],
        &[
            "0 159:-0.3333333333333333 568:-0.16666666666666666 808:0.16666666666666666 908:-0.16666666666666666 949:0.16666666666666666",
            "0 119:0.1111111111111111 159:-0.3333333333333333 436:0.1111111111111111 550:-0.1111111111111111 808:0.2222222222222222 949:0.1111111111111111",
            "0",
            "0 195:-0.2 302:-0.2 318:0.2 470:0.2 777:0.2",
        ],
    ),
    // TfidfTransformer().fit_transform(Hashing(n_features=1 << 10, norm=None).transform(DOCS))
    (
        "--hashing 10",
        &[],
        &[
            "0 159:-0.6587527679872076 568:-0.4177721783483124 808:0.3293763839936038 908:-0.4177721783483124 949:0.3293763839936038",
            "0 119:0.2923239742885685 159:-0.6914147369971473 436:0.2923239742885685 550:-0.2923239742885685 808:0.4609431579980982 949:0.2304715789990491",
            "0",
            "0 195:-0.4472135954999579 302:-0.4472135954999579 318:0.4472135954999579 470:0.4472135954999579 777:0.4472135954999579",
        ],
    ),
];

/// ```python
/// words = [CountVectorizer().build_analyzer()(text) for text in docs]
/// dictionary = gensim.corpora.Dictionary(words)
/// bows = [dictionary.doc2bow(text) for text in words]
/// model = gensim.models.TfidfModel(bows, dictionary=dictionary, smartirs=letters)
/// print([model[bow] for bow in bows])    # columns by the bytes of dictionary[column]
/// ```
const SMART: &[Case] = &[
    (
        "--smartirs ntc",
        &[],
        &[
            "0 4:0.2866473576676298 9:0.5034877128853272 11:0.5034877128853272 12:0.2866473576676298 13:0.5732947153352596",
            "0 2:0.36423145512378646 4:0.41473101137802126 6:0.36423145512378646 8:0.36423145512378646 12:0.20736550568901063 13:0.6220965170670318",
            "0",
            "0 1:0.447213595499958 3:0.447213595499958 5:0.447213595499958 7:0.447213595499958 10:0.447213595499958",
        ],
    ),
    (
        "--smartirs nfc",
        &[],
        &[
            "0 4:0.2672612419124244 9:0.5345224838248488 11:0.5345224838248488 12:0.2672612419124244 13:0.5345224838248488",
            "0 2:0.3922322702763681 4:0.3922322702763681 6:0.3922322702763681 8:0.3922322702763681 12:0.19611613513818404 13:0.5883484054145521",
            "0",
            "0 1:0.4472135954999579 3:0.4472135954999579 5:0.4472135954999579 7:0.4472135954999579 10:0.4472135954999579",
        ],
    ),
    (
        "--smartirs lfn",
        &[],
        &[
            "0 4:1 9:2 11:2 12:1 13:2",
            "0 2:2 4:2 6:2 8:2 12:1 13:2.584962500721156",
            "0",
            "0 1:2 3:2 5:2 7:2 10:2",
        ],
    ),
    (
        "--smartirs bpn",
        &[],
        &[
            "0 9:1.584962500721156 11:1.584962500721156",
            "0 2:1.584962500721156 6:1.584962500721156 8:1.584962500721156",
            "0",
            "0 1:1.584962500721156 3:1.584962500721156 5:1.584962500721156 7:1.584962500721156 10:1.584962500721156",
        ],
    ),
    (
        "--smartirs dtn",
        &[],
        &[
            "0 4:1.3219280948873624 9:2.321928094887362 11:2.321928094887362 12:1.3219280948873624 13:2.643856189774725",
            "0 2:2.321928094887362 4:2.643856189774725 6:2.321928094887362 8:2.321928094887362 12:1.3219280948873624 13:3.1331590858479244",
            "0",
            "0 1:2.321928094887362 3:2.321928094887362 5:2.321928094887362 7:2.321928094887362 10:2.321928094887362",
        ],
    ),
    (
        "--smartirs ann",
        &[],
        &[
            "0 4:0.75 9:0.75 11:0.75 12:0.75 13:1",
            "0 2:0.6666666666666666 4:0.8333333333333333 6:0.6666666666666666 8:0.6666666666666666 12:0.6666666666666666 13:1",
            "0",
            "0 1:1 3:1 5:1 7:1 10:1",
        ],
    ),
    (
        "--smartirs Lnc",
        &[],
        &[
            "0 4:0.3535533905932738 9:0.3535533905932738 11:0.3535533905932738 12:0.3535533905932738 13:0.7071067811865476",
            "0 2:0.2609798214789397 4:0.5219596429578794 6:0.2609798214789397 8:0.2609798214789397 12:0.2609798214789397 13:0.6746230519679609",
            "0",
            "0 1:0.4472135954999579 3:0.4472135954999579 5:0.4472135954999579 7:0.4472135954999579 10:0.4472135954999579",
        ],
    ),
    (
        "--smartirs ltu",
        &[],
        &[
            "0 4:0.31104190467937937 9:0.5463360223264382 11:0.5463360223264382 12:0.31104190467937937 13:0.6220838093587587",
            "0 2:0.5159840210860804 4:0.5875235977277167 6:0.5159840210860804 8:0.5159840210860804 12:0.29376179886385834 13:0.7593632342074644",
            "0",
            "0 1:0.5463360223264382 3:0.5463360223264382 5:0.5463360223264382 7:0.5463360223264382 10:0.5463360223264382",
        ],
    ),
    (
        "--smartirs nfb",
        &[],
        &[
            "0 4:0.04610951008645533 9:0.09221902017291066 11:0.09221902017291066 12:0.04610951008645533 13:0.09221902017291066",
            "0 2:0.0794044665012407 4:0.0794044665012407 6:0.0794044665012407 8:0.0794044665012407 12:0.03970223325062035 13:0.11910669975186104",
            "0",
            "0 1:0.09014084507042254 3:0.09014084507042254 5:0.09014084507042254 7:0.09014084507042254 10:0.09014084507042254",
        ],
    ),
];

/// Runs `command` over the documents with the flags of each case, and compares within `tolerance` times each value.
fn compare(command: &str, cases: &[Case], tolerance: f64) {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).display().to_string();
    std::fs::write(path("stop"), "the\non\n").unwrap();
    std::fs::write(path("vocab"), "zebra\nthe\ncat\n").unwrap();
    for (flags, terms, rows) in cases {
        let flags = flags.replace("STOP", &path("stop"));
        let flags = flags.replace("VOCAB", &path("vocab"));
        let call = wordmill(&format!("{command} {flags} -o")).arg(path("x.svm"));
        call.stdin(DOCS).text();
        let found = std::fs::read_to_string(path("x.svm")).unwrap();
        assert_eq!(found.lines().count(), rows.len(), "{command} {flags}");
        for (found, expected) in found.lines().zip(*rows) {
            assert_row(found, expected, tolerance, &format!("{command} {flags}"));
        }
        if !terms.is_empty() {
            let lines = std::fs::read_to_string(path("x.terms.tsv")).unwrap();
            let names = lines.lines().map(|line| line.split('\t').next().unwrap());
            assert_eq!(names.collect::<Vec<_>>(), *terms, "{command} {flags}");
        }
    }
}

#[track_caller]
fn assert_row(found: &str, expected: &str, tolerance: f64, what: &str) {
    let cells = |row: &str| -> Vec<(String, f64)> {
        let cell = |field: &str| {
            let (column, value) = field.split_once(':').unwrap_or(("label", field));
            (column.to_owned(), value.parse().unwrap())
        };
        row.split(' ').map(cell).collect()
    };
    let (found_cells, expected_cells) = (cells(found), cells(expected));
    let is_same = found_cells.len() == expected_cells.len()
        && (found_cells.iter().zip(&expected_cells)).all(|((column, value), (other, expected))| {
            column == other && (value - expected).abs() <= tolerance * expected.abs()
        });
    assert!(is_same, "{what}\n   found {found}\nexpected {expected}");
}

#[test]
fn counts_are_those_of_scikit_learn() {
    compare("bow", COUNTS, 0.0);
}

/// Sums are taken in another order.
const ROUNDING: f64 = 1e-12;

#[test]
fn weights_are_those_of_scikit_learn() {
    compare("tfidf", WEIGHTS, ROUNDING);
}

#[test]
fn smart_weights_are_those_of_gensim() {
    compare("tfidf", SMART, ROUNDING);
}
