//! `gan eval`: what is measured, and what there is no time for.

use super::*;

#[test]
fn a_set_of_images_is_at_no_distance_from_itself() {
    let found = measured("corpora/digits corpora/digits");
    let number = |name: &str| found[name].as_f64().unwrap();
    assert!(
        number("frechet").abs() < 1e-6 && number("sliced").abs() < 1e-6,
        "{found}"
    );
    assert_eq!((number("recall"), number("coverage")), (1.0, 1.0));
    assert!(found["floor"]["frechet"].as_f64().unwrap() > 0.0, "{found}");
    // Half of them are the images that they are compared with.
    assert!(
        found["copies"]["copies"].as_f64().unwrap() >= 0.5,
        "{found}"
    );
}

#[test]
fn a_table_is_as_good_as_itself() {
    let found = measured("corpora/deliveries.csv corpora/deliveries.csv");
    let number = |name: &str| found[name].as_f64().unwrap();
    assert_eq!(
        (number("column_shapes"), number("all_pair_trends")),
        (1.0, 1.0)
    );
    assert!(found["floor"]["column_shapes"].as_f64().unwrap() < 1.0);
}

#[test]
fn runs_of_every_kind_are_measured() {
    for (run, name) in [
        ("digits", "frechet"),
        ("rows", "column_shapes"),
        ("toy", "sliced"),
    ] {
        let run = runs().join(run);
        let found = measured(&format!("{} --samples 60", run.display()));
        assert!(found[name].as_f64().unwrap().is_finite(), "{found}");
    }
}

#[test]
fn near_images_are_pictured() {
    let place = tempfile::tempdir().unwrap();
    let file = place.path().join("near.png");
    let run = runs().join("digits");
    let line = format!("gan eval -q --samples 40 {} --neighbours", run.display());
    wordmill(&line).arg(&file).text();
    assert!(bytes(&file).starts_with(b"\x89PNG"));
}

#[test]
fn what_there_is_no_time_for_is_left_out_and_named() {
    let found = measured("corpora/digits corpora/digits --max-time 0.000001");
    let names = found["left_out"].as_array().unwrap();
    assert_eq!(names, &["frechet", "kernel", "sliced", "overlap", "copies"]);
    assert!(found.get("frechet").is_none() && found.get("copies").is_none());
    let line = "gan eval -q corpora/deliveries.csv corpora/deliveries.csv --max-time 0.000001";
    let out = wordmill(line).run();
    assert!(
        out.stderr.contains("no time was left for floor, closest"),
        "{}",
        out.stderr
    );
    let text = String::from_utf8(out.stdout).unwrap();
    assert!(
        text.contains("column_shapes\t1.0000") && !text.contains("left_out"),
        "{text}"
    );
}
