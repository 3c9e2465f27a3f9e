//! Translation of the test sentences that `nmt_ref.py prep` wrote as ids, with a run of the reference's weights:
//! sentences a second.
//!
//! ```text
//! WORDMILL_IDS=work/data.json WORDMILL_RUN=run cargo bench --bench decode -- 5 2 64 int8 > ids.txt
//! ```
//!
//! Beam, workers, sentences of each at once, precision (single, int8). With WORDMILL_TOKENS=15 every translation has so many
//! tokens, whatever the weights, as in `nmt_ref.py test` without a trained model. The ids of the translations go to stdout, a
//! sentence a line; `benches/peers/translate.py ids` compares them with the reference's. With `--features cuda`,
//! WORDMILL_DEVICE=cuda translates on the first GPU (`device.rs`), with one worker.

mod device;

use device::gpu;
use std::path::Path;
use std::time::Instant;
use wordmill::nn::dense::Precision;
use wordmill::nn::folder::{Folder, Which};
use wordmill::nn::parameters::Weights;
use wordmill::translate::architecture::{self, Architecture};
use wordmill::translate::batch::EOS;
use wordmill::translate::decode::stream::Load;
use wordmill::translate::decode::{Model, Options, Task, stream};
use wordmill::translate::recurrent::model::Recurrent;
use wordmill::translate::transformer::model::Transformer;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() {
    let arguments: Vec<String> = (std::env::args().skip(1))
        .filter(|a| a != "--bench")
        .collect();
    let (Ok(ids), Ok(run)) = (std::env::var("WORDMILL_IDS"), std::env::var("WORDMILL_RUN")) else {
        return println!("decode: WORDMILL_IDS and WORDMILL_RUN name no data and no run");
    };
    let number = |i: usize, default: usize| {
        arguments
            .get(i)
            .map_or(default, |text| text.parse().expect("a number"))
    };
    let (beam, workers, sentences) = (number(0, 1), number(1, 2), number(2, 64));
    let precision = match arguments.get(3).map(String::as_str) {
        Some("int8") => Precision::Int8,
        _ => Precision::Single,
    };
    let pool = rayon::ThreadPoolBuilder::new()
        .num_threads(workers)
        .build()
        .expect("a pool");
    let how = (beam, workers, sentences);
    let folder = Folder::new(Path::new(&run));
    pool.install(|| match architecture::read::<Transformer>(&folder) {
        Ok(model) => translate(&model, (&ids, &folder), how, precision),
        Err(_) => {
            // What is wrong with the folder is said by this one.
            let model: Recurrent = architecture::read(&folder).expect("a config");
            translate(&model, (&ids, &folder), how, precision);
        }
    });
}

fn translate<A: Architecture>(
    model: &A,
    (ids, folder): (&str, &Folder),
    (beam, workers, sentences): (usize, usize, usize),
    precision: Precision,
) {
    let text = std::fs::read_to_string(ids).expect("the data");
    let data: serde_json::Value = serde_json::from_str(&text).expect("JSON");
    let sources: Vec<Vec<u32>> =
        serde_json::from_value(data["test_2016_flickr"][0].clone()).expect("lists of ids");
    let tasks: Vec<Task> = (sources.into_iter().zip(0..))
        .map(|(mut source, number)| {
            source.pop();
            Task {
                number,
                source,
                ..Task::default()
            }
        })
        .collect();
    let mut weights = Weights::zeros(model.layout());
    let values = folder.weights_of(Which::Best, model.layout());
    (weights.values_mut()).copy_from_slice(&values.expect("weights"));
    let how = (beam, workers, sentences);
    if let Some(gpu) = gpu() {
        weights.bring_to(&gpu);
        let decoder = model.there(&weights, false).expect("a model for a GPU");
        run(&[decoder], &tasks, (beam, 1, sentences), gpu.numbers());
        return gpu.check().expect("a GPU that works");
    }
    run(
        &[model.decoder(&weights, precision)],
        &tasks,
        how,
        precision,
    );
}

fn run<M: Model>(
    decoder: &[M],
    tasks: &[Task],
    (beam, workers, sentences): (usize, usize, usize),
    how: impl std::fmt::Debug,
) {
    let mut options = Options {
        beam,
        ..Options::default()
    };
    if let Ok(tokens) = std::env::var("WORDMILL_TOKENS") {
        (options.factor, options.plus) = (0.0, tokens.parse().expect("a number"));
        options.forbidden.push(EOS);
    }
    let load = Load {
        sentences,
        tokens: sentences.max(64) * 64,
    };
    stream::translate(decoder, &tasks[..64], &options, (workers, load));
    let start = Instant::now();
    let found = stream::translate(decoder, tasks, &options, (workers, load));
    let seconds = start.elapsed().as_secs_f64();
    let tokens: usize = found.iter().map(|all| all[0].tokens.len() + 1).sum();
    for all in &found {
        let line: Vec<String> = all[0].tokens.iter().map(u32::to_string).collect();
        println!("{}", line.join(" "));
    }
    eprintln!(
        "beam {beam} workers {workers} sentences {sentences} {how:?}: {:.1} sentences/s, {:.0} tokens/s",
        found.len() as f64 / seconds,
        tokens as f64 / seconds
    );
}
