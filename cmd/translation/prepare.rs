//! What a training run needs, from its flags or from its folder: settings, subword models, pairs, the model.

use super::data::{Learn, PairFiles, Tokenizers, read_symbols};
use super::loaded;
use super::settings::Settings;
use super::train::TrainArgs;
use super::{Data, Shape};
use crate::made::Made;
use crate::run_folder::RunFolder;
use crate::stream::Failure;
use anyhow::{Error, Result, bail};
use serde_json::json;
use std::path::Path;
use wordmill::nn::folder::{Folder, Which};
use wordmill::nn::parameters::Weights;
use wordmill::random::Random;
use wordmill::text::subword::Algorithm;
use wordmill::translate::architecture::{self, Architecture, Units};
use wordmill::translate::filter::Dropped;
use wordmill::translate::pairs::Pair;
use wordmill::translate::store::{Encode, Keep, Options, Side, Store};

/// Bytes of pairs that are kept in memory; more go to a file in the run's folder.
const MEMORY: u64 = 1 << 30;

/// All that a run needs.
pub struct Prepared<A> {
    pub settings: Settings,
    pub tokenizers: Tokenizers,
    pub store: Store,
    pub valid: Vec<Pair>,
    pub model: A,
    /// The weights to begin with.
    pub weights: Option<Weights>,
}

impl<A: Architecture> Prepared<A> {
    /// A new run, its folder written.
    ///
    /// # Errors
    /// When flags do not go together, or what they name cannot be read.
    pub fn new<S>(args: &TrainArgs<S>, folder: &Folder) -> Result<Prepared<A>>
    where
        S: Shape<Architecture = A>,
    {
        if args.files.is_empty() {
            bail!(
                Failure::usage("no pairs to learn from")
                    .hint("--source and --target name them, or --pairs")
            );
        }
        let init = (args.init.as_deref())
            .map(|path| Init::read(path, &args.shape))
            .transpose()?;
        let given = match &init {
            _ if !args.tokenizer.is_empty() => Some(Tokenizers::of_files(&args.tokenizer)?),
            Some(init) => Tokenizers::of_folder(&Folder::new(init.run.path()))?,
            None => None,
        };
        if given.is_none() && args.files.is_stdin() {
            bail!(
                Failure::usage("pairs of standard input cannot be read twice")
                    .hint("give a --tokenizer, or a file")
            );
        }
        if init.is_none() {
            // What no model can have is better known before the data is read.
            shaped::<A, S>(&args.shape, &Data::default())?;
        }
        // And so is whatever is wrong with the folder.
        let _made = Made::new(&args.out)?;
        let pairs = match given {
            Some(_) => None,
            None => Some(count(&args.files)?),
        };
        if pairs == Some(0) {
            bail!(Failure::plain("no pairs to learn from"));
        }
        let units = match &given {
            Some(given) => given.units(),
            None if args.char => Units::Characters,
            None => Units::Pieces,
        };
        let recipe = A::recipe(pairs.unwrap_or(0), units);
        let tokenizers = match given {
            Some(given) => given,
            None => learn(args, recipe.vocabulary)?,
        };
        let mut settings = Settings::of(&recipe, args.files.clone(), args.valid.clone());
        args.plan.change(&mut settings)?;
        let store = keep(&settings, &tokenizers, folder, args)?;
        if pairs.is_none() {
            // How many pairs there are was not known before.
            let recipe = A::recipe(u64::from(store.len()), units);
            settings = Settings::of(&recipe, settings.pairs, settings.valid);
            args.plan.change(&mut settings)?;
        }
        settings.fingerprint = store.fingerprint();
        settings.init.clone_from(&args.init);
        let vocabularies = (
            tokenizers.source.vocab_size(),
            tokenizers.target().vocab_size(),
        );
        let (model, weights) = match init {
            Some(init) => {
                if vocabularies != init.model.vocabularies() {
                    bail!(Failure::usage(
                        "the subword models are not those of the run in --init"
                    ));
                }
                (init.model, init.weights)
            }
            None => {
                let data = Data {
                    pairs: u64::from(store.len()),
                    vocabularies,
                    is_joint: tokenizers.target.is_none(),
                    units,
                };
                let model = shaped(&args.shape, &data)?;
                let weights = model.initial_weights(settings.plan.seed);
                (model, weights)
            }
        };
        let valid = read_valid(&settings, &tokenizers)?;
        tokenizers.save(folder)?;
        folder.write_json("training.json", &settings)?;
        architecture::write(folder, &model)?;
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
    pub fn of_folder<S>(args: &TrainArgs<S>, folder: &Folder) -> Result<Prepared<A>>
    where
        S: Shape<Architecture = A>,
    {
        let model: A = loaded::model(&args.out, ("train --resume --out", "goes on with it"))?;
        let model = changed(model, &args.shape)?;
        let mut settings: Settings = folder.read_json("training.json")?;
        if !args.files.is_empty() {
            settings.pairs = args.files.clone();
        }
        if !args.valid.is_empty() {
            settings.valid.clone_from(&args.valid);
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
        architecture::write(folder, &model)?;
        let valid = read_valid(&settings, &tokenizers)?;
        // A run that was ended before its first checkpoint begins again as it began.
        let weights = match settings
            .init
            .as_deref()
            .filter(|_| folder.steps().is_empty())
        {
            Some(init) => {
                let run = RunFolder::to_read(init, Which::Best)?;
                let folder = Folder::new(run.path());
                Some(loaded::weights(&folder, Which::Best, &model)?)
            }
            None => None,
        };
        Ok(Prepared {
            settings,
            tokenizers,
            store,
            valid,
            model,
            weights,
        })
    }
}

/// The run in --init.
struct Init<A> {
    run: RunFolder,
    model: A,
    weights: Weights,
}

impl<A: Architecture> Init<A> {
    fn read(path: &Path, shape: &impl Shape<Architecture = A>) -> Result<Init<A>> {
        let run = RunFolder::to_read(path, Which::Best)?;
        let folder = Folder::new(run.path());
        let model: A = loaded::model(run.path(), ("train --init", "begins with its weights"))?;
        let model = changed(model, shape)?;
        Ok(Init {
            weights: loaded::weights(&folder, Which::Best, &model)?,
            run,
            model,
        })
    }
}

/// A run's model, with what flags change about it.
fn changed<A: Architecture>(model: A, shape: &impl Shape<Architecture = A>) -> Result<A> {
    shape.agree_with(model.config())?;
    let mut config = model.config().clone();
    shape.change(&mut config);
    A::new(config).map_err(|error| Failure::usage(error.to_string()).into())
}

/// The model that flags ask for.
fn shaped<A: Architecture, S: Shape<Architecture = A>>(shape: &S, data: &Data) -> Result<A> {
    A::new(shape.config(data)).map_err(|error| Failure::usage(error.to_string()).into())
}

/// Learns subword models from the pairs.
fn learn<S: Shape>(args: &TrainArgs<S>, vocabulary: usize) -> Result<Tokenizers> {
    let asked = args.vocab_size.map(|size| size as usize);
    let (algorithm, most) = match args.char {
        // As many as there are.
        true => (Algorithm::Char, asked.unwrap_or(usize::MAX)),
        false => (Algorithm::Bpe, asked.unwrap_or(vocabulary)),
    };
    let found = Tokenizers::learn(&Learn {
        algorithm,
        vocabulary: most,
        separate: args.separate_vocabularies,
        symbols: read_symbols(args.user_symbols.as_deref())?,
        files: &args.files,
    })?;
    let (source, target) = (found.source.vocab_size(), found.target().vocab_size());
    if source.min(target) < most && algorithm != Algorithm::Char {
        let pieces = match &found.target {
            None => source.to_string(),
            Some(_) => format!("{source} and {target}"),
        };
        args.report.say(
            || json!({"event": "vocabulary", "asked": most, "source": source, "target": target}),
            || format!("the pairs give {pieces} pieces, fewer than {most}"),
        );
    }
    Ok(found)
}

/// Pairs in the files.
fn count(files: &PairFiles) -> Result<u64> {
    files
        .read()?
        .try_fold(0, |count, pair| pair.map(|_| count + 1))
}

/// Encodes the pairs and keeps them.
fn keep<S: Shape>(
    settings: &Settings,
    tokenizers: &Tokenizers,
    folder: &Folder,
    args: &TrainArgs<S>,
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
            || json!({"event": "dropped", "pairs": dropped}),
            || dropped.to_string(),
        );
    }
    Ok(store)
}

/// The pairs to measure with; those that are too long for the model are left out.
fn read_valid(settings: &Settings, tokenizers: &Tokenizers) -> Result<Vec<Pair>> {
    let Some(first) = settings.valid.first() else {
        return Ok(Vec::new());
    };
    let files = settings.pairs.others(&settings.valid);
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
            &first.display().to_string(),
            "no pairs to measure with"
        ));
    }
    Ok(pairs)
}
