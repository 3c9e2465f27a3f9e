//! What a training run needs, from its flags or from its folder: settings, subword models, pairs, the model.

use super::data::{Learn, PairFiles, Tokenizers, read_symbols};
use super::settings::Settings;
use super::train::TrainArgs;
use crate::stream::Failure;
use anyhow::{Error, Result, bail};
use wordmill::nn::folder::{Folder, Which};
use wordmill::nn::parameters::Weights;
use wordmill::random::Random;
use wordmill::translate::filter::Dropped;
use wordmill::translate::pairs::Pair;
use wordmill::translate::store::{Encode, Keep, Options, Side, Store};
use wordmill::translate::transformer::config::{Config, Recipe};
use wordmill::translate::transformer::model::Transformer;

/// Bytes of pairs that are kept in memory; more go to a file in the run's folder.
const MEMORY: u64 = 1 << 30;

/// All that a run needs.
pub struct Prepared {
    pub settings: Settings,
    pub tokenizers: Tokenizers,
    pub store: Store,
    pub valid: Vec<Pair>,
    pub model: Transformer,
    /// The weights to begin with.
    pub weights: Option<Weights>,
}

impl Prepared {
    /// A new run, its folder written.
    ///
    /// # Errors
    /// When flags do not go together, or what they name cannot be read.
    pub fn new(args: &TrainArgs, folder: &Folder) -> Result<Prepared> {
        if args.files.is_empty() {
            bail!(
                Failure::usage("no pairs to learn from")
                    .hint("--source and --target name them, or --pairs")
            );
        }
        let init = args.init.as_deref().map(Folder::new);
        let given = match &init {
            _ if !args.tokenizer.is_empty() => Some(Tokenizers::of_files(&args.tokenizer)?),
            Some(init) => Tokenizers::of_folder(init)?,
            None => None,
        };
        if given.is_none() && args.files.is_stdin() {
            bail!(
                Failure::usage("pairs of standard input cannot be read twice")
                    .hint("give a --tokenizer, or a file")
            );
        }
        // Whatever is wrong with the folder is better known before the data is read.
        std::fs::create_dir_all(folder.path("")).map_err(|error| {
            Failure::of_file(&args.out.display().to_string(), error.to_string())
        })?;
        let pairs = match given {
            Some(_) => None,
            None => Some(count(&args.files)?),
        };
        if pairs == Some(0) {
            bail!(Failure::plain("no pairs to learn from"));
        }
        let recipe = Recipe::of(pairs.unwrap_or(0));
        let tokenizers = match given {
            Some(given) => given,
            None => Tokenizers::learn(&Learn {
                vocabulary: args
                    .vocab_size
                    .map_or(recipe.vocabulary, |size| size as usize),
                separate: args.separate_vocabularies,
                symbols: read_symbols(args.user_symbols.as_deref())?,
                files: &args.files,
            })?,
        };
        let valid = args
            .valid
            .first()
            .map(|source| [source.clone(), args.valid[1].clone()]);
        let mut settings = Settings::of(&recipe, args.files.clone(), valid);
        args.plan.change(&mut settings)?;
        let store = keep(&settings, &tokenizers, folder, args)?;
        if pairs.is_none() {
            // How many pairs there are was not known before.
            settings = Settings::of(
                &Recipe::of(u64::from(store.len())),
                settings.pairs,
                settings.valid,
            );
            args.plan.change(&mut settings)?;
        }
        settings.fingerprint = store.fingerprint();
        let vocabularies = (
            tokenizers.source.vocab_size(),
            tokenizers.target().vocab_size(),
        );
        let recipe = Recipe::of(u64::from(store.len()));
        let config = match &init {
            Some(init) => {
                let config: Config = init.read_json("config.json")?;
                args.shape.agree_with(&config)?;
                if vocabularies != (config.source_vocabulary, config.target_vocabulary) {
                    bail!(Failure::usage(
                        "the subword models are not those of the run in --init"
                    ));
                }
                config
            }
            None => args
                .shape
                .config(&recipe, vocabularies, tokenizers.target.is_none())?,
        };
        let model = Transformer::new(config);
        let weights = match &init {
            None => model.initial_weights(settings.plan.seed),
            Some(init) => {
                let mut weights = Weights::zeros(&model.layout);
                weights
                    .values_mut()
                    .copy_from_slice(&init.weights(init.step(Which::Best)?, &model.layout)?);
                weights
            }
        };
        let valid = read_valid(&settings, &tokenizers)?;
        tokenizers.save(folder)?;
        folder.write_json("training.json", &settings)?;
        folder.write_json("config.json", &model.config)?;
        Ok(Prepared {
            settings,
            tokenizers,
            store,
            valid,
            model,
            weights: Some(weights),
        })
    }

    /// The run that a folder holds.
    ///
    /// # Errors
    /// When it is damaged, is another model's, or was over other pairs.
    pub fn of_folder(args: &TrainArgs, folder: &Folder) -> Result<Prepared> {
        let config: Config = folder.read_json("config.json")?;
        args.shape.agree_with(&config)?;
        let mut settings: Settings = folder.read_json("training.json")?;
        if !args.files.is_empty() {
            settings.pairs = args.files.clone();
        }
        if let [source, target] = &args.valid[..] {
            settings.valid = Some([source.clone(), target.clone()]);
        }
        args.plan.change(&mut settings)?;
        let Some(tokenizers) = Tokenizers::of_folder(folder)? else {
            bail!(Failure::of_file(
                &args.out.display().to_string(),
                "has no tokenizer.json"
            ));
        };
        let store = keep(&settings, &tokenizers, folder, args)?;
        if store.fingerprint() != settings.fingerprint {
            bail!(
                Failure::plain("the pairs are not those of the run")
                    .hint("--init begins a new run, with other pairs, from its weights")
            );
        }
        folder.write_json("training.json", &settings)?;
        let valid = read_valid(&settings, &tokenizers)?;
        let model = Transformer::new(config);
        Ok(Prepared {
            settings,
            tokenizers,
            store,
            valid,
            model,
            weights: None,
        })
    }
}

/// Pairs in the files.
fn count(files: &PairFiles) -> Result<u64> {
    files
        .read()?
        .try_fold(0, |count, pair| pair.map(|_| count + 1))
}

/// Encodes the pairs and keeps them.
fn keep(
    settings: &Settings,
    tokenizers: &Tokenizers,
    folder: &Folder,
    args: &TrainArgs,
) -> Result<Store> {
    let dropout = settings.bpe_dropout;
    let encode = move |side: Side, text: &str, random: Option<&mut Random>| {
        tokenizers.encode(side, text, dropout, random)
    };
    let encode: &Encode = &encode;
    let options = Options {
        limits: settings.limits,
        keep: if dropout > 0.0 { Keep::Text } else { Keep::Ids },
        memory: MEMORY,
        folder: &folder.path(""),
        threads: args
            .threads
            .map_or_else(rayon::current_num_threads, usize::from),
    };
    let store = Store::build::<Error>(settings.pairs.read()?, encode, &options)?;
    let dropped: Dropped = store.dropped();
    if store.is_empty() {
        bail!(Failure::plain(match dropped.total() {
            0 => "no pairs to learn from".to_owned(),
            _ => format!("no pairs to learn from: {dropped}"),
        }));
    }
    if dropped.total() > 0 {
        args.report.say(
            || serde_json::json!({"event": "dropped", "pairs": dropped}),
            || dropped.to_string(),
        );
    }
    Ok(store)
}

/// The pairs to measure with; those that are too long for the model are left out.
fn read_valid(settings: &Settings, tokenizers: &Tokenizers) -> Result<Vec<Pair>> {
    let Some([source, target]) = &settings.valid else {
        return Ok(Vec::new());
    };
    let files = PairFiles {
        source: vec![source.clone()],
        target: vec![target.clone()],
        ..PairFiles::default()
    };
    let longest = settings.limits.longest as usize;
    let fits = |pair: &Pair| {
        let sides = [(Side::Source, &pair.source), (Side::Target, &pair.target)];
        sides.iter().all(|(side, text)| {
            (1..=longest).contains(&tokenizers.encode(*side, text, 0.0, None).len())
        })
    };
    let pairs: Vec<Pair> = files.read()?.collect::<Result<_>>()?;
    let pairs: Vec<Pair> = pairs.into_iter().filter(fits).collect();
    if pairs.is_empty() {
        bail!(Failure::of_file(
            &source.display().to_string(),
            "no pairs to measure with"
        ));
    }
    Ok(pairs)
}
