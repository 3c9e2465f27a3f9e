//! `--device`: what is said without a GPU, and training on one (`tests/gpu/run.sh` runs what is ignored here).

mod memory;

use crate::harness::{Call, wordmill};
use std::path::Path;

const FILES: &str = "--source corpora/parallel.en --target corpora/parallel.de";
const MODEL: &str =
    "--vocab-size 400 --dim 32 --heads 2 --ffn 48 --encoder-layers 1 --decoder-layers 1";
const RECURRENT: &str = "--vocab-size 400 --dim 32 --embedding 16";

fn train(out: &Path, flags: &str) -> Call {
    train_in_batches(out, 300, flags)
}

fn train_in_batches(out: &Path, tokens: u32, flags: &str) -> Call {
    let batch = format!("--batch-tokens {tokens}");
    wordmill(&format!(
        "transformer train {FILES} {MODEL} {batch} {flags} --out"
    ))
    .arg(out)
}

fn train_recurrent(out: &Path, flags: &str) -> Call {
    let batch = "--batch-tokens 300";
    wordmill(&format!(
        "seq2seq train {FILES} {RECURRENT} {batch} {flags} --out"
    ))
    .arg(out)
}

/// The largest difference of losses, as a share.
fn apart(host: &[f64], other: &[f64]) -> f64 {
    assert_eq!(host.len(), other.len());
    let each = host.iter().zip(other).map(|(a, b)| (a - b).abs() / a);
    // No number is as far as can be.
    each.fold(
        0.0,
        |most: f64, apart| if apart <= most { most } else { apart },
    )
}

/// The values of a run's last checkpoint, whatever they are called.
pub fn values(run: &Path, step: u64, name: &str) -> Vec<f32> {
    let bytes = std::fs::read(run.join(format!("checkpoints/{step}/{name}.safetensors"))).unwrap();
    let header = u64::from_le_bytes(*bytes.first_chunk().unwrap()) as usize;
    let (numbers, _) = bytes[8 + header..].as_chunks();
    numbers
        .iter()
        .map(|bytes| f32::from_le_bytes(*bytes))
        .collect()
}

/// ‖a − b‖ / ‖a‖
pub fn distance(a: &[f32], b: &[f32]) -> f64 {
    assert_eq!(a.len(), b.len());
    let length =
        |values: &mut dyn Iterator<Item = f32>| values.map(|v| f64::from(v).powi(2)).sum::<f64>();
    let apart = length(&mut a.iter().zip(b).map(|(a, b)| a - b));
    (apart / length(&mut a.iter().copied())).sqrt()
}

/// The losses of a run's reports.
fn losses(run: &Path) -> Vec<f64> {
    let log = std::fs::read_to_string(run.join("log.jsonl")).unwrap();
    let objects = log
        .lines()
        .map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap());
    let reports = objects.filter(|object| object["event"] == "report");
    reports
        .map(|report| report["loss"].as_f64().unwrap())
        .collect()
}

#[test]
fn a_device_that_is_none_is_refused_and_auto_takes_what_there_is() {
    let place = tempfile::tempdir().unwrap();
    for (device, said) in [
        ("gpu", "expected cpu, cuda, cuda:N, cuda:N,M or auto"),
        ("cuda:first", "no number of a GPU: first"),
        ("cuda:0,", "the number of a GPU is missing"),
        ("cuda:999", "GPU"),
    ] {
        let run = train(&place.path().join("none"), &format!("--device {device}"));
        assert!(run.fails(2).contains(said), "{device}");
    }
    for device in ["auto", "cpu"] {
        let out = place.path().join(device);
        train(&out, &format!("--device {device} -q --max-steps 2")).text();
        assert!(out.join("last.json").exists(), "{device}");
    }
}

#[test]
#[ignore = "wants a GPU"]
fn device_losses_are_those_of_the_cpu() {
    let place = tempfile::tempdir().unwrap();
    // Dropout too: both drop the same values. A clip that is less than every gradient; an average beside the weights.
    let flags = "-q --max-steps 12 --log-every 3 --dropout 0.2 --ema 0.9 --clip 0.5 --accumulate 2";
    let devices = [
        "cpu",
        "cuda --precision f32",
        "cuda:0 --precision bf16",
        "cuda --precision f16",
    ];
    let runs = devices.map(|device| {
        let out = place.path().join(device.replace(' ', "-"));
        train(&out, &format!("{flags} --device {device}")).text();
        out
    });
    for (name, most) in [("model", 1e-4), ("optimizer", 1e-3)] {
        let [host, f32] = [&runs[0], &runs[1]].map(|run| values(run, 12, name));
        assert!(
            distance(&host, &f32) < most,
            "{name}: {}",
            distance(&host, &f32)
        );
    }
    let [host, f32, bf16, f16] = runs.map(|run| losses(&run));
    assert_eq!(host.len(), 4);
    assert!(apart(&host, &f32) < 1e-5, "{host:?} {f32:?}");
    assert!(apart(&host, &bf16) < 1e-2, "{host:?} {bf16:?}");
    assert!(apart(&host, &f16) < 2e-3, "{host:?} {f16:?}");
}

#[test]
#[ignore = "wants a GPU"]
fn device_losses_of_recurrent_models_are_those_of_the_cpu() {
    let place = tempfile::tempdir().unwrap();
    for model in [
        "--cell lstm --attention general --layers 2 --recurrent-dropout 0.1",
        "--cell gru --attention concat --layer-norm",
        "--attention none",
        "--attention bahdanau --layers 2 --recurrent-dropout 0.1",
        "--attention dot --input-feeding on --cell gru --scheduled-sampling 0.3",
    ] {
        let flags = format!("{model} -q --max-steps 6 --log-every 2 --dropout 0.2");
        let [host, device] = ["cpu", "cuda --precision f32"].map(|device| {
            let out = place
                .path()
                .join(format!("{model}{device}").replace(' ', ""));
            train_recurrent(&out, &format!("{flags} --device {device}")).text();
            losses(&out)
        });
        assert_eq!(host.len(), 3);
        assert!(apart(&host, &device) < 1e-5, "{model}: {host:?} {device:?}");
    }
}

#[test]
#[ignore = "wants a GPU"]
fn device_runs_go_on_as_if_they_had_not_been_ended() {
    let place = tempfile::tempdir().unwrap();
    for numbers in ["f32", "f16"] {
        let [whole, parts] = ["whole", "parts"].map(|run| place.path().join(numbers).join(run));
        let flags = format!("-q --save-every 4 --ema 0.9 --device cuda --precision {numbers}");
        train(&whole, &format!("{flags} --max-steps 8")).text();
        train(&parts, &format!("{flags} --max-steps 4")).text();
        train(&parts, &format!("{flags} --max-steps 8 --resume")).text();
        for name in ["model.safetensors", "optimizer.safetensors"] {
            let read = |run: &Path| std::fs::read(run.join("checkpoints/8").join(name)).unwrap();
            assert!(read(&whole) == read(&parts), "{numbers} {name}");
        }
        // What a GPU has learned, the CPU goes on with.
        train(&parts, "-q --max-steps 9 --resume --device cpu").text();
    }
}

#[test]
#[ignore = "wants a GPU"]
fn device_that_diverges_says_so() {
    let place = tempfile::tempdir().unwrap();
    let flags = "--lr 1e38 --warmup 1 --max-steps 40 --log-every 20 -q --device cuda --precision";
    for numbers in ["f32", "f16"] {
        let out = place.path().join(numbers);
        let said = train(&out, &format!("{flags} {numbers}")).fails(1);
        assert!(
            said.contains("diverged at step") && said.contains("--lr"),
            "{numbers}: {said}"
        );
    }
}

#[test]
#[ignore = "wants a GPU"]
fn device_in_f16_that_diverges_at_the_end_says_so() {
    let place = tempfile::tempdir().unwrap();
    // Fewer steps than a scale has halves: none of them has a gradient that is a number.
    let flags = "--lr 1e38 --max-steps 6 --device cuda --precision f16";
    let translator = format!("{flags} --warmup 1 -q");
    for run in [
        train(&place.path().join("translator"), &translator),
        train_adversarial(&place.path().join("gan"), flags),
    ] {
        let said = run.fails(1);
        assert!(said.contains("diverged at step"), "{said}");
    }
}

#[test]
#[ignore = "wants a GPU"]
fn device_is_named_when_it_computes() {
    let place = tempfile::tempdir().unwrap();
    let said = train(
        &place.path().join("run"),
        "--max-steps 1 --device cuda --precision bf16",
    )
    .run();
    let said = said.stderr;
    assert!(
        said.contains("wordmill transformer train: computes on ") && said.contains(" in bf16"),
        "{said}"
    );
}

#[test]
#[ignore = "wants a GPU"]
fn device_has_one_gpu_less_than_is_asked_for() {
    let place = tempfile::tempdir().unwrap();
    let said = train(&place.path().join("run"), "--device cuda:99").fails(2);
    assert!(said.contains("there is no GPU 99"), "{said}");
}

/// Words of what is printed: scores are alike to fewer digits than stand there.
fn words(text: &str) -> Vec<String> {
    let parts = text.split([' ', '\t', ',', ':', '[', ']', '}']);
    parts
        .filter(|part| !part.contains('.') || part.parse::<f64>().is_err())
        .map(str::to_owned)
        .collect()
}

/// Translations with these flags are the same on the CPU and on the GPU.
fn compare_translations(command: &str, run: &Path, flags: &[&str]) {
    let lines: String = (std::fs::read_to_string("corpora/parallel.en").unwrap())
        .lines()
        .take(6)
        .map(|line| format!("{line}\n"))
        .collect();
    let input = format!("{lines}\n{}\n", "a dog ".repeat(150));
    for flags in flags {
        let flags = flags.replace("RUN", &run.display().to_string());
        let [host, device] = ["cpu", "cuda --precision f32"].map(|device| {
            let line = format!("{command} {} {flags} --device {device}", run.display());
            wordmill(&line).stdin(&input).text()
        });
        assert_eq!(words(&host), words(&device), "{flags}");
    }
}

#[test]
#[ignore = "wants a GPU"]
fn device_translations_are_those_of_the_cpu() {
    let place = tempfile::tempdir().unwrap();
    let run = place.path().join("run");
    train(&run, "-q --device cpu --max-steps 30 --lr 1e-2 --warmup 10").text();
    let flags = [
        "",
        "--beam 1 --to jsonl",
        "--beam 3 --nbest 3 --score --no-repeat-ngram 2",
        "--ensemble RUN --beam 2",
    ];
    compare_translations("transformer translate", &run, &flags);
    let line = format!(
        "transformer translate {} --device cuda --quantize int8",
        run.display()
    );
    let said = wordmill(&line).stdin("a dog\n").fails(2);
    assert!(said.contains("--quantize is for the CPU"), "{said}");
}

#[test]
#[ignore = "wants a GPU"]
fn device_translations_of_recurrent_models_are_those_of_the_cpu() {
    let place = tempfile::tempdir().unwrap();
    for (name, model) in [
        ("lstm", "--layers 2 --attention bahdanau --input-feeding on"),
        ("gru", "--cell gru --attention none --layer-norm"),
    ] {
        let run = place.path().join(name);
        let flags = "-q --device cpu --max-steps 30 --lr 1e-2 --warmup 10";
        train_recurrent(&run, &format!("{flags} {model}")).text();
        // Alignments of a model that has hardly learned are ties.
        let flags = ["", "--beam 1", "--beam 3 --nbest 3 --score"];
        compare_translations("seq2seq translate", &run, &flags);
    }
}

pub fn train_adversarial(out: &Path, flags: &str) -> Call {
    train_adversarial_on("corpora/digits", out, flags)
}

fn train_adversarial_on(data: &str, out: &Path, flags: &str) -> Call {
    let small = "--batch-size 8 --generator 4 --critic 4 --latent 8 --eval-samples 20";
    wordmill(&format!("gan train {data} {small} -q {flags} --out")).arg(out)
}

#[test]
#[ignore = "wants a GPU"]
fn device_trains_adversarial_networks_as_the_cpu_does() {
    let place = tempfile::tempdir().unwrap();
    let kinds = [
        "--clip 0.5",
        "--loss wasserstein --critic-steps 2 --ema 0",
        "--loss relativistic --conditional",
        "--loss hinge --spectral-norm --augment colour,translation,cutout",
        "--critic-norm instance",
    ];
    for (i, kind) in kinds.into_iter().enumerate() {
        let flags = format!("{kind} --max-steps 4 --log-every 2");
        let runs = ["cpu", "cuda --precision f32"].map(|device| {
            let out = place.path().join(format!("{i}-{}", &device[..3]));
            train_adversarial(&out, &format!("{flags} --device {device}")).text();
            out
        });
        for (name, most) in [("model", 1e-4), ("optimizer", 1e-2)] {
            let [host, device] = [0, 1].map(|i| values(&runs[i], 4, name));
            let apart = distance(&host, &device);
            assert!(apart < most, "{kind} {name}: {apart}");
        }
        let told = |run: &Path, name: &str| -> Vec<f64> {
            let log = std::fs::read_to_string(run.join("log.jsonl")).unwrap();
            let events = log.lines().map(|line| serde_json::from_str(line).unwrap());
            let reports = events.filter(|event: &serde_json::Value| event["event"] == "report");
            reports
                .map(|report| report[name].as_f64().unwrap())
                .collect()
        };
        for name in ["critic_loss", "generator_loss", "critic_gradient", "right"] {
            let [host, device] = [0, 1].map(|i| told(&runs[i], name));
            assert_eq!(host.len(), 2);
            for (a, b) in host.iter().zip(&device) {
                assert!(
                    (a - b).abs() < 1e-3 * a.abs().max(1.0),
                    "{kind} {name}: {a} {b}"
                );
            }
        }
    }
    // What a GPU has begun, a CPU goes on with.
    let run = place.path().join("0-cud");
    train_adversarial(&run, "--resume --max-steps 5 --device cpu").text();
    assert!(run.join("checkpoints/5").exists());
}

#[test]
#[ignore = "wants a GPU"]
fn device_samples_are_those_of_the_cpu() {
    let place = tempfile::tempdir().unwrap();
    let run = place.path().join("run");
    train_adversarial(&run, "--max-steps 3 --device cpu").text();
    let [host, device] = ["cpu", "cuda --precision f32"].map(|device| {
        let line = format!("gan sample {} -n 300 --to csv", run.display());
        let text = wordmill(&format!("{line} --device {device}")).text();
        let numbers = text.lines().skip(1).flat_map(|line| line.split(','));
        numbers
            .map(|number| number.parse::<i32>().unwrap())
            .collect::<Vec<_>>()
    });
    assert_eq!(host.len(), device.len());
    // A value in the middle between two may be rounded to either.
    let pairs = host.iter().zip(&device);
    assert!(pairs.clone().all(|(a, b)| (a - b).abs() <= 1));
    let same = pairs.filter(|(a, b)| a == b).count();
    assert!(same * 1000 >= host.len() * 999, "{same} of {}", host.len());
    let line = format!("gan eval {} --samples 40 -q --device cuda", run.display());
    assert!(wordmill(&line).text().contains("frechet"));
    let line = "gan eval corpora/digits corpora/digits --samples 40 -q --device cuda";
    let said = wordmill(line).fails(2);
    assert!(
        said.contains("only samples of a run are made on a GPU"),
        "{said}"
    );
}

#[test]
#[ignore = "wants a GPU"]
fn device_learns_rows_of_a_table_and_makes_them() {
    let place = tempfile::tempdir().unwrap();
    let runs = ["cpu", "cuda"].map(|device| {
        let out = place.path().join(device);
        let flags = format!("--pack 2 --max-steps 3 --device {device}");
        train_adversarial_on("corpora/deliveries.csv", &out, &flags).text();
        out
    });
    let [host, device] = [0, 1].map(|i| values(&runs[i], 3, "model"));
    assert!(
        distance(&host, &device) < 1e-3,
        "{}",
        distance(&host, &device)
    );
    let [host, device] = ["cpu", "cuda"].map(|device| {
        let line = format!("gan sample {} -n 50 --device {device}", runs[1].display());
        words(&wordmill(&line).text())
    });
    assert_eq!(host, device);
}
