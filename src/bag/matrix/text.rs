//! Rows of the formats that are text.

use super::{Encoder, Labels, MatrixError, MatrixRow};
use crate::bag::counts::escape;

/// Appends a value: whole numbers without a point, others with as many digits as it takes to read them back exactly.
pub fn put_value(value: f64, out: &mut Vec<u8>) {
    // Every whole number below 2^53 is exact.
    if value.fract() == 0.0 && value.abs() < 9e15 {
        out.extend_from_slice(itoa::Buffer::new().format(value as i64).as_bytes());
    } else {
        out.extend_from_slice(zmij::Buffer::new().format(value).as_bytes());
    }
}

fn put_number(number: u64, out: &mut Vec<u8>) {
    out.extend_from_slice(itoa::Buffer::new().format(number).as_bytes());
}

pub fn svmlight(labels: &Labels, row: &MatrixRow, out: &mut Vec<u8>) -> Result<(), MatrixError> {
    let label = row.label;
    (labels.number(label, out))
        .ok_or_else(|| MatrixError::Label(label.unwrap_or_default().to_owned()))?;
    for &(column, value) in row.cells {
        out.push(b' ');
        put_number(u64::from(column) + 1, out);
        out.push(b':');
        put_value(value, out);
    }
    out.push(b'\n');
    Ok(())
}

pub fn mtx(row: &MatrixRow, out: &mut Vec<u8>) {
    for &(column, value) in row.cells {
        put_number(row.number + 1, out);
        out.push(b' ');
        put_number(u64::from(column) + 1, out);
        out.push(b' ');
        put_value(value, out);
        out.push(b'\n');
    }
}

pub fn tsv(encoder: &Encoder, row: &MatrixRow, out: &mut Vec<u8>) {
    let mut name = Vec::new();
    for &(column, value) in row.cells {
        escape(row.id.as_bytes(), out);
        out.push(b'\t');
        name.clear();
        encoder.name(column, &mut name);
        escape(&name, out);
        out.push(b'\t');
        put_value(value, out);
        out.push(b'\n');
    }
}

pub fn jsonl(encoder: &Encoder, row: &MatrixRow, out: &mut Vec<u8>) -> Result<(), MatrixError> {
    let string = |text: &[u8], out: &mut Vec<u8>| {
        let text = std::str::from_utf8(text).map_err(|_| MatrixError::Utf8)?;
        // Writing a string to a vector never fails.
        let _ = serde_json::to_writer(out, text);
        Ok(())
    };
    out.extend_from_slice(b"{\"id\":");
    string(row.id.as_bytes(), out)?;
    if let Some(label) = row.label {
        out.extend_from_slice(b",\"label\":");
        string(label.as_bytes(), out)?;
    }
    out.extend_from_slice(b",\"terms\":{");
    let mut name = Vec::new();
    for (i, &(column, value)) in row.cells.iter().enumerate() {
        if i > 0 {
            out.push(b',');
        }
        name.clear();
        encoder.name(column, &mut name);
        string(&name, out)?;
        out.push(b':');
        put_value(value, out);
    }
    out.extend_from_slice(b"}}\n");
    Ok(())
}

/// The names of the columns of CSV.
pub fn csv_head(encoder: &Encoder) -> Vec<u8> {
    let mut fields: Vec<Vec<u8>> = Vec::new();
    if encoder.dense {
        fields.extend([b"id".to_vec(), b"label".to_vec()]);
        // A format with a column for each term holds few of them: its command sees to that.
        fields.extend((0..encoder.columns as u32).map(|column| {
            let mut name = Vec::new();
            encoder.name(column, &mut name);
            name
        }));
    } else {
        fields.extend([b"doc".to_vec(), b"term".to_vec(), b"value".to_vec()]);
    }
    let mut out = Vec::new();
    put_record(&fields, &mut out);
    out
}

pub fn csv(encoder: &Encoder, row: &MatrixRow, out: &mut Vec<u8>) {
    for &(column, value) in row.cells {
        let (mut name, mut number) = (Vec::new(), Vec::new());
        encoder.name(column, &mut name);
        put_value(value, &mut number);
        put_record(&[row.id.as_bytes(), &name, &number], out);
    }
}

pub fn csv_dense(encoder: &Encoder, row: &MatrixRow, out: &mut Vec<u8>) {
    put_record(
        &[row.id.as_bytes(), row.label.unwrap_or("").as_bytes()],
        out,
    );
    out.pop();
    let mut cells = row.cells.iter().peekable();
    for column in 0..encoder.columns as u32 {
        out.push(b',');
        match cells.next_if(|(found, _)| *found == column) {
            Some(&(_, value)) => put_value(value, out),
            None => out.push(b'0'),
        }
    }
    out.push(b'\n');
}

fn put_record<F: AsRef<[u8]>>(fields: &[F], out: &mut Vec<u8>) {
    // A buffer of the size of the record: the writer's own is 8 KB for every line.
    let size = fields.iter().map(|field| field.as_ref().len() + 4).sum();
    let mut builder = csv::WriterBuilder::new();
    let mut writer = builder.buffer_capacity(size).from_writer(out);
    // Writing to a vector never fails.
    let _ = writer.write_record(fields);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bag::matrix::{Encoded, MatrixFormat, Names};

    fn encoded(format: MatrixFormat, dense: bool) -> Result<String, MatrixError> {
        let mut names = Names::default();
        for name in ["a", "b\t,", "\"c\""] {
            names.push(name.as_bytes());
        }
        let encoder = Encoder {
            format,
            dense,
            counts: false,
            names: Some(names),
            columns: 3,
            labels: Labels::new(&["x".to_owned(), "y".to_owned()]),
            lists_documents: true,
        };
        let mut out = Encoded::default();
        let rows = [
            ("d1", Some("y"), &[(0, 2.0), (2, 0.1)][..]),
            ("d2", None, &[]),
            ("d,3", Some("x"), &[(1, -1.5e-300)]),
        ];
        for (number, (id, label, cells)) in (0..).zip(rows) {
            let row = MatrixRow {
                number,
                id,
                label,
                cells,
            };
            encoder.row(&row, &mut out)?;
        }
        assert_eq!((out.rows, out.cells), (3, 3));
        assert_eq!(out.documents, b"d1\ty\nd2\nd,3\tx\n");
        let mut body = encoder.head();
        body.extend(out.body);
        Ok(String::from_utf8(body).unwrap())
    }

    #[test]
    fn rows_follow_their_format() {
        let of = |format| encoded(format, false).unwrap();
        assert_eq!(
            of(MatrixFormat::Svmlight),
            "1 1:2 3:0.1\n0\n0 2:-1.5e-300\n"
        );
        assert_eq!(
            of(MatrixFormat::Mtx),
            "%%MatrixMarket matrix coordinate real general\n1 1 2\n1 3 0.1\n3 2 -1.5e-300\n"
        );
        assert_eq!(
            of(MatrixFormat::Tsv),
            "d1\ta\t2\nd1\t\"c\"\t0.1\nd,3\tb\\t,\t-1.5e-300\n"
        );
        assert_eq!(
            of(MatrixFormat::Csv),
            "doc,term,value\nd1,a,2\nd1,\"\"\"c\"\"\",0.1\n\"d,3\",\"b\t,\",-1.5e-300\n"
        );
        assert_eq!(
            of(MatrixFormat::Jsonl),
            "{\"id\":\"d1\",\"label\":\"y\",\"terms\":{\"a\":2,\"\\\"c\\\"\":0.1}}\n\
             {\"id\":\"d2\",\"terms\":{}}\n\
             {\"id\":\"d,3\",\"label\":\"x\",\"terms\":{\"b\\t,\":-1.5e-300}}\n"
        );
        assert_eq!(
            encoded(MatrixFormat::Csv, true).unwrap(),
            "id,label,a,\"b\t,\",\"\"\"c\"\"\"\nd1,y,2,0,0.1\nd2,,0,0,0\n\"d,3\",x,0,-1.5e-300,0\n"
        );
    }

    #[test]
    fn labels_are_numbers_or_numbered() {
        let number = |labels: &[&str], label: &str| {
            let labels: Vec<String> = labels.iter().map(|&label| label.to_owned()).collect();
            let mut out = Vec::new();
            Labels::new(&labels).number(Some(label), &mut out)?;
            String::from_utf8(out).ok()
        };
        assert_eq!(number(&["-1", "+1"], "+1").as_deref(), Some("+1"));
        assert_eq!(number(&["-1", "spam"], "spam").as_deref(), Some("1"));
        assert_eq!(number(&[], "spam"), None);
        assert_eq!(number(&[], "nan"), None);
    }
}
