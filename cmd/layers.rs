//! The models a command works with: those named by `--model`, else those inside the binary.

use crate::stream::{self, Failure};
use anyhow::Result;
use clap::ValueEnum;
use std::io::Read;
use std::path::{Path, PathBuf};
use wordmill::text::english;
use wordmill::text::lemma::{self, Lemmatizer, Mode};
use wordmill::text::model::{Bundle, ModelError, Section};
use wordmill::text::ner::{self, EntityRecognizer};
use wordmill::text::pos::{self, PosTagger};
use wordmill::text::stem::{Algorithm, Generation, Language, Stemmer};
use wordmill::text::tokenize::{self, Tokenizer};

/// The flag of every command that needs a model.
#[derive(clap::Args, Clone, Debug, Default)]
pub struct ModelArgs {
    /// Model to use instead of the English one inside the tool; may be repeated, one for each layer
    #[arg(long, value_name = "FILE")]
    pub model: Vec<PathBuf>,
}

/// The flag of the commands that lemmatize.
#[derive(clap::Args, Clone, Copy, Debug)]
pub struct ModeArgs {
    /// What counts as a lemma
    #[arg(long, value_enum, default_value_t)]
    pub mode: Mode,
}

/// The models named on the command line.
pub struct Models {
    bundles: Vec<(String, Bundle)>,
}

impl Models {
    /// Reads the model files.
    pub fn open(paths: &[PathBuf]) -> Result<Models> {
        let read = |path: &PathBuf| Ok((path.display().to_string(), read_bundle(path)?));
        Ok(Models {
            bundles: paths.iter().map(read).collect::<Result<_>>()?,
        })
    }

    /// The model in the bytes of a file.
    pub fn of_bytes(path: &Path, bytes: &[u8]) -> Result<Models> {
        let name = path.display().to_string();
        let bundle = Bundle::from_bytes(bytes)
            .map_err(|error| Failure::of_file(&name, error.to_string()).hint(MODELS_HINT))?;
        Ok(Models {
            bundles: vec![(name, bundle)],
        })
    }

    /// The trained tokenizer; with `newline_breaks`, a line end ends a paragraph.
    pub fn tokenizer(&self, newline_breaks: bool) -> Result<Tokenizer> {
        let mut tokenizer = self.layer(tokenize::LAYER, Tokenizer::from_section)?;
        tokenizer.newline_breaks = newline_breaks;
        Ok(tokenizer)
    }

    pub fn tagger(&self) -> Result<PosTagger> {
        self.layer(pos::LAYER, PosTagger::from_section)
    }

    pub fn lemmatizer(&self, mode: Mode) -> Result<Lemmatizer> {
        let mut lemmatizer = self.layer(lemma::LAYER, Lemmatizer::from_section)?;
        lemmatizer.mode = mode;
        Ok(lemmatizer)
    }

    pub fn recognizer(&self) -> Result<EntityRecognizer> {
        self.layer(ner::LAYER, EntityRecognizer::from_section)
    }

    /// Refuses models that hold none of the layers a command is about.
    pub fn must_hold(&self, layers: &[&str]) -> Result<()> {
        for (name, bundle) in &self.bundles {
            let held: Vec<&str> = bundle.layers.keys().map(String::as_str).collect();
            if !held.iter().any(|layer| layers.contains(layer)) {
                let problem = format!(
                    "the model holds {}, not {}",
                    held.join(", "),
                    layers.join(" or ")
                );
                return Err(Failure::of_file(name, problem).into());
            }
        }
        Ok(())
    }

    /// The last model named that holds the layer, else the embedded one if the languages agree.
    fn layer<T>(
        &self,
        layer: &str,
        build: impl Fn(&Section) -> Result<T, ModelError>,
    ) -> Result<T> {
        let named = self
            .bundles
            .iter()
            .rev()
            .find_map(|(name, b)| Some((name, b.layers.get(layer)?)));
        if let Some((name, section)) = named {
            return build(section)
                .map_err(|error| Failure::of_file(name, error.to_string()).into());
        }
        self.must_be_english(layer)?;
        Ok(build(&english::section(layer)?)?)
    }

    /// Whether no model that was named is for another language.
    pub fn are_english(&self) -> bool {
        self.other_language().is_none()
    }

    /// The Snowball stemmer of the models' language.
    pub fn stemmer(&self) -> Result<Stemmer> {
        let language = match self.other_language() {
            None => Language::default(),
            Some((name, code)) => Language::from_str(code, true).map_err(|_| {
                Failure::of_file(name, format!("there is no Snowball stemmer for {code:?}"))
                    .hint("leave the layer stem out")
            })?,
        };
        let (algorithm, generation) = (Algorithm::default(), Generation::default());
        Ok(Stemmer::new(algorithm, language, generation)?)
    }

    fn must_be_english(&self, layer: &str) -> Result<()> {
        let Some((name, other)) = self.other_language() else {
            return Ok(());
        };
        let problem = format!(
            "the model is for {other:?}, and the {layer} model inside the tool is for \"en\""
        );
        let hint = format!("add --model with a {layer} model for {other:?}");
        Err(Failure::of_file(name, problem).hint(hint).into())
    }

    /// A model that is not for English, and its language.
    fn other_language(&self) -> Option<(&str, &str)> {
        self.bundles.iter().find_map(|(name, bundle)| {
            let mut languages = bundle
                .layers
                .values()
                .filter_map(|s| s.meta.get("language")?.as_str());
            let other = languages.find(|language| *language != english::LANGUAGE)?;
            Some((name.as_str(), other))
        })
    }
}

const MODELS_HINT: &str = "`wordmill model list` shows the models inside the tool";

/// Reads a model file, compressed or not.
pub fn read_bundle(path: &Path) -> Result<Bundle> {
    let name = path.display().to_string();
    let failure = |problem: String| Failure::of_file(&name, problem).hint(MODELS_HINT);
    let mut bytes = Vec::new();
    stream::open(path)?
        .read_to_end(&mut bytes)
        .map_err(|error| failure(error.to_string()))?;
    Ok(Bundle::from_bytes(&bytes).map_err(|error| failure(error.to_string()))?)
}
