//! hyperparameters.json as a command line.
//!
//! ```text
//! {"command": "transformer train", "source": "{train}/file.en", "max_steps": "500", "char": "true"}
//! transformer train --source=/opt/ml/input/data/train/file.en --max-steps=500 --char
//! ```
//!
//! Names that start with `_` or `sagemaker_` are SageMaker's own.

use super::root::names;
use crate::stream::Failure;
use anyhow::{Result, bail};
use clap::ArgAction;
use serde_json::{Map, Value};
use std::path::Path;

/// The hyperparameter that is the command.
const COMMAND: &str = "command";

/// What hyperparameters ask for.
#[derive(Debug, PartialEq, Eq)]
pub struct Asked {
    /// The command: its names, and what else is in that line.
    pub command: Vec<String>,
    /// The names of flags, and their values.
    pub flags: Vec<(String, String)>,
}

impl Asked {
    /// Reads a file; `{NAME}` is the folder of a channel in `channels`.
    ///
    /// # Errors
    /// When there is no file, it is not an object of strings, or a channel is not there.
    pub fn read(path: &Path, channels: &Path) -> Result<Asked> {
        let name = path.display().to_string();
        let text = std::fs::read_to_string(path).map_err(|error| {
            let problem = match error.kind() {
                std::io::ErrorKind::NotFound => "no such file".to_owned(),
                _ => error.to_string(),
            };
            Failure::of_file(&name, problem).hint(
                "it says what is trained: {\"command\": \"transformer train\", \"source\": \"{train}/file.en\", …}",
            )
        })?;
        Asked::parse(&text, channels)
            .map_err(|failure| failure.in_file(&name))
            .map_err(Into::into)
    }

    fn parse(text: &str, channels: &Path) -> Result<Asked, Failure> {
        let object: Map<String, Value> =
            serde_json::from_str(text).map_err(|error| Failure::plain(error.to_string()))?;
        let mut command = None;
        let mut flags = Vec::new();
        for (name, value) in object {
            if name.starts_with('_') || name.starts_with("sagemaker_") {
                continue;
            }
            let Value::String(value) = value else {
                let problem = format!("the value of {name:?} is not a string: {value}");
                return Err(Failure::plain(problem).hint("SageMaker writes all values as strings"));
            };
            let value = substituted(&name, &value, channels)?;
            match name.as_str() {
                COMMAND => command = shlex::split(&value).filter(|words| !words.is_empty()),
                _ => flags.push((name.replace('_', "-"), value)),
            }
        }
        let command = command.ok_or_else(|| {
            Failure::plain(format!("no {COMMAND:?} among the hyperparameters"))
                .hint("it names what is trained, as in \"transformer train\"")
        })?;
        Ok(Asked { command, flags })
    }
}

/// A value with the folders of channels in place of their names.
fn substituted(name: &str, value: &str, channels: &Path) -> Result<String, Failure> {
    let mut out = String::new();
    let mut rest = value;
    while let Some((before, behind)) = rest.split_once('{') {
        out += before;
        let is_name = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
        match behind.split_once('}') {
            Some((channel, behind)) if !channel.is_empty() && channel.chars().all(is_name) => {
                let folder = channels.join(channel);
                if !folder.is_dir() {
                    return Err(unknown(name, channel, channels));
                }
                out += &folder.display().to_string();
                rest = behind;
            }
            _ => {
                out.push('{');
                rest = behind;
            }
        }
    }
    Ok(out + rest)
}

fn unknown(name: &str, channel: &str, channels: &Path) -> Failure {
    let there = match names(channels) {
        names if names.is_empty() => "there is none".to_owned(),
        names => format!("there are: {}", names.join(", ")),
    };
    Failure::plain(format!("{name:?}: no channel {channel:?}")).hint(there)
}

/// The arguments of a flag of `command`, of which there may be none: the command says itself what it does not know.
///
/// # Errors
/// When a quotation mark of several values is left open.
pub fn arguments(command: &clap::Command, name: &str, value: &str) -> Result<Vec<String>> {
    let known = command
        .get_arguments()
        .find(|argument| argument.get_long() == Some(name));
    let takes_many = known
        .and_then(clap::Arg::get_num_args)
        .is_some_and(|count| count.max_values() > 1);
    let values = || match shlex::split(value) {
        Some(values) => Ok(values),
        None => bail!(Failure::plain(format!(
            "{name:?}: a quotation mark is left open"
        ))),
    };
    Ok(match known.map(clap::Arg::get_action) {
        Some(ArgAction::SetTrue) if value == "true" => vec![format!("--{name}")],
        Some(ArgAction::SetTrue) if value == "false" => Vec::new(),
        Some(ArgAction::Append) if takes_many => {
            let mut all = vec![format!("--{name}")];
            all.extend(values()?);
            all
        }
        Some(ArgAction::Append) => {
            let each = values()?.into_iter();
            each.map(|value| format!("--{name}={value}")).collect()
        }
        _ => vec![format!("--{name}={value}")],
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn channels() -> tempfile::TempDir {
        let place = tempfile::tempdir().expect("a folder");
        std::fs::create_dir(place.path().join("train")).expect("a channel");
        place
    }

    fn flags(command: &str, name: &str, value: &str) -> Vec<String> {
        let root = crate::command();
        let found = command.split(' ').fold(&root, |outer, name| {
            outer.find_subcommand(name).expect("a command")
        });
        arguments(found, name, value).expect("arguments")
    }

    #[test]
    fn names_are_flags_and_channels_are_folders() {
        let place = channels();
        let text = r#"{"command": "gan train {train}", "max_steps": "5", "_objective": "x"}"#;
        let asked = Asked::parse(text, place.path()).expect("hyperparameters");
        let folder = place.path().join("train").display().to_string();
        assert_eq!(asked.command, ["gan", "train", &folder]);
        assert_eq!(asked.flags, [("max-steps".to_owned(), "5".to_owned())]);
    }

    #[test]
    fn braces_without_a_name_stay() {
        let place = channels();
        let value = substituted("x", "{a b} {1,3} {train}/{}", place.path()).expect("a value");
        let train = place.path().join("train").display().to_string();
        assert_eq!(value, format!("{{a b}} {{1,3}} {train}/{{}}"));
    }

    #[test]
    fn a_channel_that_is_not_there_is_named_with_those_that_are() {
        let place = channels();
        let text = r#"{"command": "gan train", "source": "{dev}/x"}"#;
        let failure = Asked::parse(text, place.path()).expect_err("no channel");
        assert_eq!(failure.to_string(), "\"source\": no channel \"dev\"");
        assert_eq!(failure.hint.as_deref(), Some("there are: train"));
    }

    #[test]
    fn switches_are_true_or_false() {
        let of = |value| flags("transformer train", "quiet", value);
        assert_eq!(of("true"), ["--quiet"]);
        assert!(of("false").is_empty());
        assert_eq!(of("maybe"), ["--quiet=maybe"]);
    }

    #[test]
    fn several_values_are_parted_by_spaces() {
        let of = |name, value| flags("transformer train", name, value);
        assert_eq!(of("valid", "a.en 'b c'"), ["--valid", "a.en", "b c"]);
        assert_eq!(of("tokenizer", "a b"), ["--tokenizer=a", "--tokenizer=b"]);
        assert_eq!(of("dim", "-1"), ["--dim=-1"]);
        assert_eq!(of("no-such", "1"), ["--no-such=1"]);
    }
}
