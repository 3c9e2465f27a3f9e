//! Adversarial networks on several GPUs: they learn what those on one do, with parts of the batch that they normalise together.

use super::without_nccl;
use crate::device::{distance, train_adversarial, values};
use crate::harness::{Call, binary, shell, wordmill};
use crate::ranks::{reported, steps};
use std::path::Path;

fn train(devices: &str, flags: &str, out: &Path) -> Call {
    let flags = format!("--log-every 1 --precision f32 --device {devices} {flags}");
    train_adversarial(out, &flags)
}

/// What both runs have told and kept is the same, but for the order of sums: Adam makes gradients that are rounding alone as
/// large as others, but a few steps do not go far.
fn assert_alike(one: &Path, other: &Path, step: u64) {
    for name in ["critic_loss", "generator_loss", "right"] {
        let [a, b] = [one, other].map(|run| reported(run, name));
        assert_eq!(a.len() as u64, step);
        let are_alike = |(a, b): (&f64, &f64)| (a - b).abs() <= 1e-3;
        assert!(a.iter().zip(&b).all(are_alike), "{name}: {a:?} and {b:?}");
    }
    for (name, most) in [("model", 1e-4), ("optimizer", 1e-2)] {
        let [a, b] = [one, other].map(|run| values(run, step, name));
        let apart = distance(&a, &b);
        assert!(apart < most, "{name}: {apart}");
    }
}

#[test]
#[ignore = "wants two GPUs"]
fn two_learn_adversarial_networks_as_one_does() {
    for kind in [
        "",
        "--loss wasserstein --critic-steps 2 --ema 0",
        "--loss relativistic --conditional --clip 0.5",
        "--loss hinge --spectral-norm --augment colour,translation,cutout",
    ] {
        let place = tempfile::tempdir().unwrap();
        let [one, two] = ["cuda:0", "cuda:1,0"].map(|devices| {
            let out = place.path().join(devices);
            train(devices, &format!("--max-steps 4 {kind}"), &out).text();
            out
        });
        assert_alike(&one, &two, 4);
    }
}

#[test]
#[ignore = "wants two GPUs"]
fn what_two_learn_of_rows_goes_on_on_one() {
    let place = tempfile::tempdir().unwrap();
    let small = "--batch-size 40 --generator 8 --critic 8 --eval-samples 20 --log-every 1 -q";
    let rows = |out: &Path, flags: &str| {
        let line = format!("gan train corpora/deliveries.csv {small} {flags} --out");
        wordmill(&line).arg(out).text();
    };
    let [one, two] = ["one", "two"].map(|name| place.path().join(name));
    rows(&one, "--device cuda --max-steps 5");
    rows(&two, "--device cuda:0,1 --max-steps 3");
    rows(&two, "--device cuda:1 --max-steps 5 --resume");
    assert_eq!(steps(&two), [3, 5]);
    assert_alike(&one, &two, 5);
}

#[test]
#[ignore = "wants two emulated GPUs"]
fn emulated_gpus_sum_adversarial_networks_among_themselves_or_by_way_of_the_host() {
    let place = tempfile::tempdir().unwrap();
    let libraries = place.path().join("libraries");
    std::fs::create_dir(&libraries).unwrap();
    let own = std::env::var("LD_LIBRARY_PATH").unwrap_or_default();
    let of = |name: &str, libraries: &str, said: &str| {
        let out = place.path().join(name);
        let small = "--batch-size 8 --generator 4 --critic 4 --latent 8 --eval-samples 20";
        let flags = "--max-steps 3 --log-every 1 --log json --device cuda:0,1 --precision f32";
        let call = wordmill(&format!("gan train corpora/digits {small} {flags} --out")).arg(&out);
        let outcome = call.env("LD_LIBRARY_PATH", libraries).run();
        let is_said = outcome.stderr.contains(&format!("\"sums\":\"{said}"));
        outcome.expect(outcome.status == 0 && is_said, said);
        out
    };
    let direct = of("direct", &own, "by NCCL\"");
    let said = "by way of the host: there is no libnccl.so.2\"";
    let host = of("host", &without_nccl(&libraries), said);
    assert_alike(&direct, &host, 3);
}

#[test]
#[ignore = "wants two emulated GPUs"]
fn emulated_gpus_of_which_one_has_no_memory_end_both_while_they_normalise_together() {
    let place = tempfile::tempdir().unwrap();
    let libraries = place.path().join("libraries");
    std::fs::create_dir(&libraries).unwrap();
    let own = std::env::var("LD_LIBRARY_PATH").unwrap_or_default();
    // cuBLAS has 32 MiB; weights and their moments fit beside it, and some of what the generator keeps of 64 samples.
    const MEMORY: &str = "39600000";
    let networks = "--network dcgan --generator 16 --critic 8 --latent 8 --batch-size 128";
    let flags =
        "--eval-samples 20 --max-steps 100 --save-every 1 --device cuda:0,1 --precision f32";
    let host = without_nccl(&libraries);
    for (lacks, libraries) in [
        ("WORDMILL_GPU_MEMORY", &own),
        ("WORDMILL_GPU_MEMORY", &host),
        ("WORDMILL_SECOND_GPU_MEMORY", &own),
        ("WORDMILL_SECOND_GPU_MEMORY", &host),
    ] {
        let out = place.path().join("run");
        // Neither waits for the other; one that did would not hear SIGTERM, either.
        let line = format!("gan train corpora/digits {networks} {flags} -q --out");
        let call = shell(&format!(
            "timeout -s KILL 120 {} {line} {}",
            binary(),
            out.display()
        ));
        let call = call.env("LD_LIBRARY_PATH", libraries);
        // The second has as much as the first where nothing else is said.
        let call = call.env("WORDMILL_SECOND_GPU_MEMORY", "1073741824");
        let said = call.env(lacks, MEMORY).fails(1);
        assert!(said.contains("step 1: out of memory on the GPU"), "{said}");
        let is_other = lacks != "WORDMILL_GPU_MEMORY";
        let expected = "the process of GPU 1 has failed";
        assert!(!is_other || said.contains(expected), "{said}");
        std::fs::remove_dir_all(&out).unwrap();
    }
}
