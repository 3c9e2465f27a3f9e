use super::super::encode::Encoder;
use super::super::quality::Quality;
use super::super::schema::{Shape, Values};
use super::*;
use crate::random::Random;
use std::io::Write;

fn opened(text: &[u8], options: &ReadOptions) -> Result<Table, TableError> {
    read("t.csv", text, options)
}

fn table(text: &str) -> Table {
    opened(text.as_bytes(), &ReadOptions::default()).unwrap()
}

fn names(table: &Table) -> Vec<&str> {
    let columns = table.schema.columns.iter();
    columns.map(|column| column.name.as_str()).collect()
}

fn message(text: &[u8], change: impl FnOnce(&mut ReadOptions)) -> String {
    let mut options = ReadOptions::default();
    change(&mut options);
    opened(text, &options).unwrap_err().to_string()
}

#[test]
fn a_first_line_without_numbers_has_the_names() {
    let read = table("size,colour\n1,red\n2,red\n3,blue\n");
    assert_eq!(names(&read), ["size", "colour"]);
    assert_eq!(read.values[0], Values::Numbers(vec![1.0, 2.0, 3.0]));
    assert_eq!(read.values[1], Values::Codes(vec![0, 0, 1]));
}

#[test]
fn a_first_line_with_a_number_or_a_category_is_a_row() {
    for text in ["1,red\n2,red\n3,blue\n", "red,a\nblue,b\nred,a\n"] {
        let read = table(text);
        assert_eq!((names(&read), read.rows), (vec!["c1", "c2"], 3));
        assert!(!read.schema.format.header);
    }
}

#[test]
fn what_is_said_of_the_header_goes_before_what_is_seen() {
    let options = |header| ReadOptions {
        header,
        ..ReadOptions::default()
    };
    let yes = opened(b"1,2\n3,4\n", &options(Header::Yes)).unwrap();
    assert_eq!((names(&yes), yes.rows), (vec!["1", "2"], 1));
    let no = opened(b"a,b\n3,4\n", &options(Header::No)).unwrap();
    assert_eq!((names(&no), no.rows), (vec!["c1", "c2"], 2));
}

#[test]
fn an_index_without_a_name_has_the_name_of_its_place() {
    assert_eq!(names(&table(",a\n0,5.5\n1,6.5\n2,7.5\n")), ["c1", "a"]);
}

#[test]
fn quotes_marks_and_line_ends_are_not_part_of_fields() {
    let text = "\u{FEFF}\"na\"\"me\",b\r\n\"x, y\", 1.5 \r\n\"two\nlines\",2.5\r\nz,3.5";
    let read = table(text);
    assert_eq!(names(&read), ["na\"me", "b"]);
    let Shape::Categorical { categories } = &read.schema.columns[0].shape else {
        panic!("{read:?}");
    };
    let texts: Vec<&str> = categories.iter().map(|c| c.text.as_str()).collect();
    assert_eq!(texts, ["x, y", "two\nlines", "z"]);
    assert_eq!(read.values[1], Values::Numbers(vec![1.5, 2.5, 3.5]));
}

#[test]
fn the_delimiter_is_what_the_first_line_has_most_of() {
    for (text, delimiter) in [
        ("\"a,b,c\";d\n1,5;2\n", b';'),
        ("a\tb\n1\t2\n", b'\t'),
        ("a|b\n1|2\n", b'|'),
        ("a\n1\n", b','),
    ] {
        assert_eq!(table(text).schema.format.delimiter, delimiter, "{text}");
    }
}

#[test]
fn packed_files_are_known_by_their_first_bytes() {
    let text = b"a,b\n1,x\n2,y\n";
    let plain = opened(text, &ReadOptions::default()).unwrap();
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), Default::default());
    gzip.write_all(text).unwrap();
    for packed in [
        gzip.finish().unwrap(),
        zstd::encode_all(&text[..], 1).unwrap(),
    ] {
        assert_eq!(opened(&packed, &ReadOptions::default()).unwrap(), plain);
    }
}

#[test]
fn columns_with_missing_values_are_named() {
    let read = table("a,b,c\n1,x,7\n?,,8\nNA,y,9\n3,x,7\n");
    assert_eq!(read.missing(), [("a", 2), ("b", 1)]);
    let options = ReadOptions {
        missing: vec!["-9".to_owned()],
        ..ReadOptions::default()
    };
    let read = opened(b"a,b\n1,?\n-9,y\n3,?\n", &options).unwrap();
    assert_eq!(read.missing(), [("a", 1)]);
}

#[test]
fn columns_are_dropped_and_made_categories_by_their_names() {
    let options = ReadOptions {
        drop: vec!["a".to_owned()],
        categories: vec!["c".to_owned()],
        ..ReadOptions::default()
    };
    let read = opened(b"a,b,c\n1,2,3\n4,5,6\n", &options).unwrap();
    assert_eq!(names(&read), ["b", "c"]);
    assert!(matches!(read.values[1], Values::Codes(_)));
}

#[test]
fn errors_name_the_line_the_column_and_what_to_do() {
    let none = |_: &mut ReadOptions| {};
    assert_eq!(
        message(b"a,b\n1,2\n\n3\n", none),
        "t.csv:4: expected 2 fields, found 1"
    );
    for text in [
        "a,b\n\"1\n\",2\n3",
        "a,b\r\n1,2\r\n\r\n3\r\n",
        "\n\na,b\n3\n",
    ] {
        let said = message(text.as_bytes(), none);
        assert_eq!(said, "t.csv:4: expected 2 fields, found 1", "{text:?}");
    }
    assert_eq!(
        message(b"a,b\n1,2\n3,\xFF\n", none),
        "t.csv:3: invalid UTF-8 in column b"
    );
    assert_eq!(message(b"", none), "t.csv: no rows");
    assert_eq!(
        message(b"a,b\n", |o| o.header = Header::Yes),
        "t.csv: no rows"
    );
    assert_eq!(
        message(b"a,b,a\n1,2,3\n", |o| o.header = Header::Yes),
        "t.csv: two columns have the name \"a\""
    );
    assert_eq!(
        message(b"a,b\n1,2\n", |o| o.drop = vec!["x".to_owned()]),
        "t.csv: there is no column \"x\": the columns are a, b"
    );
    assert_eq!(
        message(b"a\n1\n", |o| o.drop = vec!["a".to_owned()]),
        "t.csv: no column is left"
    );
    let wanted = message(b"a\n1\nx\n", |o| o.numbers = vec!["a".to_owned()]);
    assert!(wanted.starts_with("t.csv:3: column a has numbers, but \"x\" is none"));
}

#[test]
fn an_identifier_is_an_error_that_says_how_to_drop_it() {
    let rows = (0..1200).map(|i| format!("user{i},{}.5\n", i % 50));
    let text = format!("who,b\n{}", rows.collect::<String>());
    let said = message(text.as_bytes(), |_| {});
    assert!(said.starts_with("t.csv: column who has 1200 different texts in 1200 rows"));
    assert!(said.contains("--drop who"));
}

#[test]
fn a_table_like_another_has_its_columns_in_its_order() {
    let first = table("a,b\n1.5,x\n2.5,y\n3.5,x\n");
    let text = "b,more,a\nz,0,7\ny,0,8.25\n";
    let like = |text: &str| {
        let options = ReadOptions::default();
        read_like("u.csv", text.as_bytes(), &options, &first.schema)
    };
    let second = like(text).unwrap();
    assert_eq!(names(&second), ["a", "b"]);
    assert_eq!(second.values[0], Values::Numbers(vec![7.0, 8.25]));
    assert_eq!(second.values[1], Values::Codes(vec![2, 1]));
    assert_eq!(
        like("b,c\nx,1\n").unwrap_err().to_string(),
        "u.csv: there is no column \"a\": the columns are b, c"
    );
}

/// Whatever is read can be learned from and written.
#[test]
fn no_bytes_bring_it_down() {
    let pieces: [&[u8]; 16] = [
        b",",
        b",",
        b"\n",
        b"\n",
        b"\r\n",
        b"\"",
        b"1",
        b"2.5",
        b"-3",
        b"1e9",
        b"a",
        b"b",
        b"?",
        b" ",
        b"\xFF",
        b"\xEF\xBB\xBF",
    ];
    let mut random = Random::new(11, 0);
    let mut tables = 0;
    for _ in 0..20_000 {
        let count = random.below(40);
        let text: Vec<u8> = (0..count)
            .flat_map(|_| pieces[random.below(16) as usize])
            .copied()
            .collect();
        let Ok(table) = opened(&text, &ReadOptions::default()) else {
            continue;
        };
        tables += 1;
        let encoder = Encoder::fit(&table, 1);
        let mut vector = vec![0.0; encoder.width()];
        let mut row = Vec::new();
        for at in 0..table.rows {
            encoder.encode(&table, at, &mut random, &mut vector);
            encoder.decode(&vector, &mut row);
        }
        let again = read_like("t", &text[..], &ReadOptions::default(), &table.schema);
        let quality = Quality::of(&table, &again.unwrap());
        assert!(
            quality
                .column_shapes
                .is_none_or(|shapes| shapes > 1.0 - 1e-9)
        );
    }
    assert!(tables > 1000, "{tables}");
}
