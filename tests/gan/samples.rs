//! `gan sample`: what is made, of which seeds, in which form.

use super::*;

#[test]
fn a_sample_is_the_same_whatever_is_made_with_it() {
    let place = tempfile::tempdir().unwrap();
    let (many, one) = (place.path().join("many"), place.path().join("one"));
    sample("digits", "--seeds 0-70 --dir").arg(&many).text();
    sample("digits", "--seeds 66 --threads 1 --dir")
        .arg(&one)
        .text();
    assert!(bytes(&many.join("000066.png")) == bytes(&one.join("000066.png")));
    assert_eq!(std::fs::read_dir(&many).unwrap().count(), 71);
    let rows = sample("rows", "--seeds 5-9").text();
    assert_eq!(
        sample("rows", "--seeds 7").text().lines().nth(1),
        rows.lines().nth(3)
    );
}

#[test]
fn rows_have_the_columns_types_and_categories_of_the_file() {
    let out = sample("rows", "-n 50").text();
    let file = std::fs::read_to_string(root().join("corpora/deliveries.csv")).unwrap();
    let (mut lines, mut real) = (out.lines(), file.lines());
    assert_eq!(lines.next(), real.next());
    let column = |line: &str, i: usize| line.split(',').nth(i).unwrap().to_owned();
    let known: Vec<String> = real.clone().map(|line| column(line, 0)).collect();
    let distances: Vec<u32> = real.map(|line| column(line, 3).parse().unwrap()).collect();
    assert_eq!(lines.clone().count(), 50);
    for line in lines {
        assert_eq!(line.split(',').count(), 7, "{line}");
        assert!(known.contains(&column(line, 0)), "{line}");
        let distance: u32 = column(line, 3).parse().unwrap();
        assert!(distance <= *distances.iter().max().unwrap(), "{line}");
        assert_eq!(
            column(line, 2).split('.').nth(1).map_or(0, str::len),
            2,
            "{line}"
        );
    }
}

#[test]
fn pictures_are_made_of_images_points_and_ways() {
    let place = tempfile::tempdir().unwrap();
    let png = |run: &str, flags: &str| {
        let file = place.path().join("a.png");
        sample(run, &format!("{flags} --out")).arg(&file).text();
        let bytes = bytes(&file);
        assert!(bytes.starts_with(b"\x89PNG"), "{flags}");
        let side = |at: usize| u32::from_be_bytes(bytes[at..at + 4].try_into().unwrap());
        (
            side(16),
            side(20),
            bytes.windows(4).any(|part| part == b"acTL"),
        )
    };
    // Four rows and columns of 28 pixels, two between them and around.
    assert_eq!(png("digits", "-n 16"), (122, 122, false));
    assert_eq!(png("toy", "-n 100"), (480, 480, false));
    assert_eq!(png("digits", "--interpolate 2 --frames 3"), (28, 28, true));
    let frames = place.path().join("frames");
    let ways = "--seeds 3,8 --interpolate 1 --frames 4 --dir";
    sample("digits", ways).arg(&frames).text();
    assert_eq!(std::fs::read_dir(&frames).unwrap().count(), 5);
    let to_stdout = sample("digits", "-n 4 --out -").bytes();
    assert!(to_stdout.starts_with(b"\x89PNG"));
}

#[test]
fn truncation_classes_and_checkpoints_change_what_is_made() {
    let place = tempfile::tempdir().unwrap();
    let run = place.path().join("run");
    train(
        &run,
        &format!("{DIGITS} --conditional --max-steps 2 --save-every 1"),
    )
    .text();
    let of = |flags: &str| {
        let line = format!("gan sample {} -n 4 --out - {flags}", run.display());
        wordmill(&line).bytes()
    };
    let plain = of("");
    for flags in [
        "--truncation 0.3",
        "--class 3",
        "--checkpoint 1",
        "--no-ema",
    ] {
        assert!(of(flags) != plain, "{flags}");
    }
    assert!(of("--class 3") == of("--class 3"));
    let message = wordmill(&format!("gan sample {} --class x --out -", run.display())).fails(2);
    assert!(message.contains("no class x"), "{message}");
    let message = sample("digits", "--class 3 --out -").fails(2);
    assert!(message.contains("--conditional"), "{message}");
}

#[test]
fn few_rows_are_enough_and_rows_are_asked_for_by_category() {
    let place = tempfile::tempdir().unwrap();
    let (file, run) = (place.path().join("a.csv"), place.path().join("run"));
    let text = std::fs::read_to_string(root().join("corpora/deliveries.csv")).unwrap();
    let few: Vec<&str> = text.lines().take(124).collect();
    std::fs::write(&file, few.join("\n")).unwrap();
    let flags = format!("{} --generator 8 --critic 8 --max-steps 2", file.display());
    train(&run, &flags).text();
    let sample = |flags: &str| wordmill(&format!("gan sample {} {flags}", run.display()));
    let freight = sample("-n 7 --given service=freight").text();
    assert_eq!(freight.lines().count(), 8);
    let message = sample("--given service=boat").fails(2);
    assert!(message.contains("service=boat"), "{message}");
    // Other rows than those that were learned from.
    let held_out = measured(&format!("{} corpora/deliveries.csv", run.display()));
    assert!(held_out["column_shapes"].as_f64().unwrap() > 0.0);
}

#[test]
fn a_reader_that_leaves_is_no_failure() {
    let run = runs().join("rows");
    let line = format!(
        "wordmill gan sample {} -n 5000 | head -n 1 > /dev/null; echo ${{PIPESTATUS[0]}}",
        run.display()
    );
    assert_eq!(shell(&line).text(), "0\n");
}

#[test]
fn pixels_are_rows_of_numbers() {
    let out = sample("digits", "--seeds 3,8 --to csv").text();
    let rows: Vec<Vec<&str>> = out.lines().map(|line| line.split(',').collect()).collect();
    assert_eq!(rows.iter().map(Vec::len).collect::<Vec<_>>(), [784; 3]);
    assert_eq!((rows[0][0], rows[0][783]), ("pixel0", "pixel783"));
    let is_byte = |number: &&str| number.parse::<u8>().is_ok();
    assert!(rows[1].iter().all(is_byte) && rows[1] != rows[2]);
    assert_eq!(
        sample("digits", "--seeds 8 --to csv").text().lines().nth(1),
        out.lines().nth(2)
    );
}

#[test]
fn points_and_rows_go_into_a_file_as_well() {
    let place = tempfile::tempdir().unwrap();
    for run in ["toy", "rows"] {
        let file = place.path().join(run);
        let line = "-n 5 --to csv --out";
        sample(run, line).arg(&file).text();
        let expected = sample(run, "-n 5").text();
        assert_eq!(std::fs::read_to_string(&file).unwrap(), expected);
    }
}
