//! A GPU that has no memory left: what is said, what is kept, and who goes on.

use super::{train, train_adversarial, train_in_batches, values};
use crate::harness::wordmill;
use crate::service::Service;

/// cuBLAS has 32 MiB; weights and their moments fit beside it, a batch of all pairs does not.
const MEMORY: (&str, &str) = ("WORDMILL_GPU_MEMORY", "36600000");

#[test]
#[ignore = "wants the emulated GPU"]
fn device_without_memory_leaves_a_checkpoint_and_says_which_flag_needs_less() {
    let place = tempfile::tempdir().unwrap();
    let out = place.path().join("run");
    let flags = "--save-every 1 -q --device cuda";
    let run = train_in_batches(&out, 20_000, &format!("{flags} --max-steps 3"));
    let said = run.env(MEMORY.0, MEMORY.1).fails(1);
    assert!(said.contains("out of memory on the GPU"), "{said}");
    assert!(
        said.contains(" source and ") && said.contains(" target tokens"),
        "{said}"
    );
    assert!(said.contains("--batch-tokens"), "{said}");
    assert!(out.join("checkpoints/0/model.safetensors").exists());
    let run = train_in_batches(&out, 100, &format!("{flags} --max-steps 1 --resume"));
    run.env(MEMORY.0, MEMORY.1).text();
}

#[test]
#[ignore = "wants the emulated GPU"]
fn device_without_memory_for_a_product_says_so_too() {
    let place = tempfile::tempdir().unwrap();
    let flags = "--device cuda --max-steps 3";
    let full = ("WORDMILL_CUBLAS_FULL", "20");
    let translator = place.path().join("translator");
    let gan = place.path().join("gan");
    for (call, out, flag) in [
        (
            train(&translator, &format!("-q {flags}")),
            &translator,
            "--batch-tokens",
        ),
        (train_adversarial(&gan, flags), &gan, "--batch-size"),
    ] {
        let said = call.env(full.0, full.1).fails(1);
        let expected = "out of memory on the GPU: a matrix product wanted more";
        assert!(said.contains("step 1") && said.contains(expected), "{said}");
        assert!(said.contains(flag), "{said}");
        assert!(out.join("checkpoints/0/model.safetensors").exists());
    }
}

#[test]
#[ignore = "wants the emulated GPU"]
fn device_without_memory_for_its_libraries_leaves_all_to_the_cpu_where_nobody_has_asked_for_it() {
    let place = tempfile::tempdir().unwrap();
    let call = |lack: &str, device: &str| {
        let out = place.path().join(format!("{lack}-{device}"));
        train(&out, &format!("--max-steps 1 --device {device}"))
    };
    // It may say no more than that it is not initialised.
    for lack in ["WORDMILL_CUBLAS_FULL", "WORDMILL_CUBLAS_BROKEN"] {
        let call = |device: &str| call(lack, device).env(lack, "0").env(MEMORY.0, MEMORY.1);
        let said = call("cuda").fails(2);
        let expected =
            "emulated GPU is out of memory before anything is computed\nhint: nvidia-smi";
        assert!(said.contains(expected), "{said}");
        let outcome = call("auto").run();
        let said = "computes on the CPU: emulated GPU is out of memory";
        outcome.expect(
            outcome.status == 0 && outcome.stderr.contains(said),
            "the CPU",
        );
    }
    // With memory at hand it is no lack.
    let broken = call("none", "cuda").env("WORDMILL_CUBLAS_BROKEN", "0");
    let said = broken.fails(2);
    let expected = "there is no usable GPU: cuBLAS: CUBLAS_STATUS_NOT_INITIALIZED";
    assert!(said.contains(expected), "{said}");
}

#[test]
#[ignore = "wants the emulated GPU"]
fn device_without_memory_for_the_generator_leaves_a_checkpoint_of_a_whole_step() {
    let place = tempfile::tempdir().unwrap();
    let networks = "--network dcgan --generator 16 --critic 4 --latent 8 --batch-size 64";
    let flags = "--eval-samples 20 --ema 0 --max-steps 1 -q --device cuda --precision f32";
    let train = |turns: &str| {
        let line = format!("gan train corpora/digits {networks} {flags} --alternate {turns} --out");
        let call = wordmill(&line).arg(place.path().join(turns));
        call.env("WORDMILL_GPU_MEMORY", "39300000")
    };
    // The critic has room enough.
    train("epochs").text();
    let said = train("steps").fails(1);
    assert!(said.contains("step 1: out of memory"), "{said}");
    // Nothing was learned yet by either.
    let learned = values(&place.path().join("steps"), 0, "optimizer");
    assert!(learned.iter().all(|moment| *moment == 0.0));
}

#[test]
#[ignore = "wants the emulated GPU"]
fn device_without_memory_for_samples_leaves_them_to_the_cpu() {
    let place = tempfile::tempdir().unwrap();
    let run = place.path().join("run");
    // Batches of two fit in it, 256 samples do not.
    let memory = ("WORDMILL_GPU_MEMORY", "38000000");
    let networks = "--network dcgan --generator 16 --critic 4 --latent 8 --batch-size 2";
    let flags = "--eval-samples 20 --max-steps 2 -q --device cuda --precision f32 --out";
    let train = wordmill(&format!("gan train corpora/digits {networks} {flags}")).arg(&run);
    train.env(memory.0, memory.1).text();
    let log = std::fs::read_to_string(run.join("log.jsonl")).unwrap();
    assert!(log.contains("\"event\":\"evaluation\""), "{log}");
    assert!(run.join("samples-000002.png").exists());
    let line = format!("gan sample {} --to csv", run.display());
    let call = |flags: &str| wordmill(&format!("{line} {flags}")).env(memory.0, memory.1);
    let said = call("-n 4 --device cuda --precision f32").fails(1);
    assert!(said.contains("out of memory on the GPU"), "{said}");
    assert!(said.contains("--device cpu"), "{said}");
    assert_eq!(call("-n 5000").text().lines().count(), 5001);
}

#[test]
#[ignore = "wants the emulated GPU"]
fn service_on_a_device_without_memory_for_a_request_answers_the_next() {
    let place = tempfile::tempdir().unwrap();
    let run = place.path().join("run");
    train(&run, "-q --device cpu --max-steps 30 --lr 1e-2 --warmup 10").text();
    let line = format!("transformer translate {} --precision f32", run.display());
    let device = format!("{line} --device cuda");
    let memory = [("WORDMILL_GPU_MEMORY", "40000000")];
    let service = Service::start_with(&device, "", place.path(), &memory);
    let few = "a dog\na red dress\n";
    let expected = wordmill(&format!("{line} --device cpu")).stdin(few).text();
    for _ in 0..2 {
        let reply = service.post("", "two dogs run in the snow\n".repeat(400));
        assert_eq!(reply.status, 500, "{reply:?}");
        assert!(reply.body.contains("out of memory on the GPU"), "{reply:?}");
        let reply = service.post("", few);
        assert_eq!((reply.status, &reply.body), (200, &expected));
    }
}
