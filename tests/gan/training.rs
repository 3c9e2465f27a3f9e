//! `gan train`: runs of every kind of data and network, and how they end and go on.

use super::*;

#[test]
fn a_run_of_every_kind_goes_on_as_if_it_had_not_been_stopped() {
    let place = tempfile::tempdir().unwrap();
    let (whole, parts) = (place.path().join("whole"), place.path().join("parts"));
    let kinds = [
        TOY.to_owned(),
        format!("{TOY} --loss relativistic --pack 2"),
        format!("{TOY} --loss wasserstein --critic-steps 3"),
        DIGITS.to_owned(),
        format!(
            "{DIGITS} --conditional --spectral-norm --loss hinge --mirror --augment colour,translation,cutout"
        ),
        format!("{DIGITS} --loss wasserstein --gradient-penalty 10 --ema 0"),
        format!("{DIGITS} --network mlp --loss least-squares --r1 1 --pack 2"),
        format!("{DIGITS} --network resnet --loss minimax --r2 0.5"),
        format!(
            "{} --alternate epochs --critic-norm instance",
            DIGITS.replace("--batch-size 8", "--batch-size 200")
        ),
        ROWS.to_owned(),
    ];
    for kind in kinds {
        train(&whole, &format!("{kind} --max-steps 5 --threads 1")).text();
        train(&parts, &format!("{kind} --max-steps 3 --threads 2")).text();
        train(&parts, "--resume --max-steps 5 --threads 2").text();
        assert!(weights(&whole, 5) == weights(&parts, 5), "{kind}");
        std::fs::remove_dir_all(&whole).unwrap();
        std::fs::remove_dir_all(&parts).unwrap();
    }
}

#[test]
fn a_signal_ends_a_run_with_a_checkpoint_from_which_it_goes_on() {
    let place = tempfile::tempdir().unwrap();
    let run = place.path().join("run");
    let line = format!(
        "wordmill gan train -q {TOY} --max-steps 1000000 --save-every 50 --out {0} & \
         for i in $(seq 600); do test -e {0}/last.json && break; sleep 0.1; done; \
         kill -TERM $!; wait $!; echo $?",
        run.display()
    );
    assert_eq!(shell(&line).text(), "143\n");
    let steps = std::fs::read_dir(run.join("checkpoints")).unwrap();
    let last: u64 = steps
        .filter_map(|entry| entry.unwrap().file_name().to_str()?.parse().ok())
        .max()
        .unwrap();
    let to = last + 5;
    train(&run, &format!("--resume --max-steps {to}")).text();
    let whole = place.path().join("whole");
    train(&whole, &format!("{TOY} --max-steps {to}")).text();
    assert!(weights(&run, to) == weights(&whole, to));
}

#[test]
fn a_toy_is_learned() {
    let place = tempfile::tempdir().unwrap();
    let run = place.path().join("run");
    let flags = "--toy ring8 --max-steps 1200 --eval-every 600 --log-every 600";
    train(&run, flags).text();
    let log = String::from_utf8(bytes(&run.join("log.jsonl"))).unwrap();
    let evaluations: Vec<Value> = (log.lines())
        .map(|line| serde_json::from_str::<Value>(line).unwrap())
        .filter(|event| event["event"] == "evaluation")
        .collect();
    assert_eq!(evaluations.len(), 2);
    assert!(
        evaluations[1]["scores"]["modes"].as_f64().unwrap() >= 6.0,
        "{evaluations:?}"
    );
    assert!(
        evaluations[1]["sliced"].as_f64().unwrap() < 0.3,
        "{evaluations:?}"
    );
    for name in ["reals.png", "samples-000600.png", "samples-001200.png"] {
        assert!(bytes(&run.join(name)).starts_with(b"\x89PNG"), "{name}");
    }
    let curves = String::from_utf8(bytes(&run.join("curves.svg"))).unwrap();
    for name in ["critic", "generator", "sliced", "quality"] {
        assert!(curves.contains(&format!(">{name}<")), "{name}");
    }
}

#[test]
fn a_run_does_not_go_on_with_what_its_networks_cannot_do() {
    let place = tempfile::tempdir().unwrap();
    let (digits, packed) = (place.path().join("digits"), place.path().join("packed"));
    train(&digits, &format!("{DIGITS} --max-steps 1")).text();
    train(&packed, &format!("{TOY} --pack 2 --max-steps 1")).text();
    for (run, flags, expected) in [
        (&digits, "--r1 1", "a critic that is normalised"),
        (
            &digits,
            "--loss relativistic",
            "a critic that is normalised",
        ),
        (&packed, "--batch-size 9", "no multiple of --pack"),
        (&packed, "--metric fid", "there are sliced"),
    ] {
        let message = train(run, &format!("--resume --max-steps 2 {flags}")).fails(2);
        assert!(message.contains(expected), "{flags}: {message}");
    }
    // Nothing of that was kept.
    train(&digits, "--resume --max-steps 2").text();
    train(&packed, "--resume --max-steps 2 --loss hinge").text();
    let init = format!("corpora/digits --conditional --init {}", packed.display());
    let message = train(&place.path().join("run"), &init).fails(2);
    assert!(message.contains("is not that of the run"), "{message}");
    let init = format!("corpora/digits --init {}", packed.display());
    let message = train(&place.path().join("run"), &init).fails(2);
    assert!(message.contains("not of the kind"), "{message}");
}

#[test]
fn a_time_to_train_is_kept() {
    let place = tempfile::tempdir().unwrap();
    let run = place.path().join("run");
    train(&run, &format!("{TOY} --max-time 0.2s")).text();
    let steps = || {
        let text = String::from_utf8(bytes(&run.join("last.json"))).unwrap();
        serde_json::from_str::<Value>(&text).unwrap()["step"]
            .as_u64()
            .unwrap()
    };
    let before = steps();
    train(&run, "--resume").text();
    assert_eq!(steps(), before);
    let more = format!("--resume --max-time 1h --max-steps {}", before + 1);
    train(&run, &more).text();
    assert_eq!(steps(), before + 1);
}

#[test]
fn a_run_is_not_begun_twice_nor_given_other_networks_or_data() {
    let run = runs().join("digits");
    let message = train(&run, DIGITS).fails(1);
    assert!(message.contains("holds a run already"), "{message}");
    let message = train(&run, "--resume --generator 8").fails(2);
    assert!(
        message.contains("--generator is not that of the run"),
        "{message}"
    );
    let message = train(&runs().join("toy"), "--resume --toy ring8").fails(1);
    assert!(
        message.contains("the data is not that of the run"),
        "{message}"
    );
}

#[test]
fn a_run_begins_with_the_weights_of_another() {
    let place = tempfile::tempdir().unwrap();
    let run = place.path().join("run");
    let init = format!(
        "{TOY} --init {} --max-steps 1",
        runs().join("toy").display()
    );
    train(&run, &init).text();
    let fresh = place.path().join("fresh");
    train(&fresh, &format!("{TOY} --max-steps 1")).text();
    assert!(weights(&run, 1) != weights(&fresh, 1));
}

#[test]
fn flags_of_a_run_that_begins_with_another_follow_from_its_networks() {
    let place = tempfile::tempdir().unwrap();
    let spectral = place.path().join("spectral");
    train(&spectral, &format!("{TOY} --spectral-norm --max-steps 1")).text();
    let run = place.path().join("run");
    let init = format!("{TOY} --init {} --max-steps 1", spectral.display());
    // What is divided is bounded, and needs no --weight-clip.
    train(&run, &format!("{init} --loss wasserstein")).text();
    let settings = String::from_utf8(bytes(&run.join("training.json"))).unwrap();
    assert!(settings.contains("\"weight_clip\": 0.0"), "{settings}");
}

#[test]
fn a_cut_checkpoint_is_passed_over() {
    let place = tempfile::tempdir().unwrap();
    let run = place.path().join("run");
    train(&run, &format!("{TOY} --max-steps 4 --save-every 2")).text();
    let file = run.join("checkpoints/4/model.safetensors");
    let whole = bytes(&file);
    std::fs::write(&file, &whole[..whole.len() / 2]).unwrap();
    let out = wordmill("gan train --resume --max-steps 5 --out")
        .arg(&run)
        .run();
    let told = out.stderr;
    assert_eq!(out.status, 0, "{told}");
    assert!(told.contains("an earlier checkpoint is tried"), "{told}");
    assert!(told.contains("goes on from step 2"), "{told}");
}

#[test]
fn a_long_turn_of_the_critic_is_not_measured_again_and_again() {
    let place = tempfile::tempdir().unwrap();
    let run = place.path().join("run");
    let flags = DIGITS.replace("--batch-size 8", "--batch-size 200");
    let flags = format!("{flags} --alternate epochs --eval-every 1 --early-stop 1 --max-steps 4");
    train(&run, &flags).text();
    let log = String::from_utf8(bytes(&run.join("log.jsonl"))).unwrap();
    let steps: Vec<u64> = (log.lines())
        .map(|line| serde_json::from_str::<Value>(line).unwrap())
        .filter(|event| event["event"] == "evaluation")
        .map(|event| event["step"].as_u64().unwrap())
        .collect();
    // Two steps of the critic, two of the generator.
    assert_eq!(steps[..2], [1, 3]);
    let message = train(&run, "--resume --alternate steps --max-steps 5").fails(2);
    assert!(
        message.contains("--alternate is not that of the run"),
        "{message}"
    );
}
