//! `wordmill model`, and `--model` of the other commands.

use crate::harness::wordmill;
use serde_json::Value;
use std::path::{Path, PathBuf};

const LAYERS: [&str; 4] = ["tokenize", "pos", "lemmatize", "ner"];

fn packed(folder: &Path, name: &str, layers: &str) -> PathBuf {
    let path = folder.join(name);
    wordmill(&format!("model pack {layers} -o"))
        .arg(&path)
        .text();
    path
}

#[test]
fn the_list_names_every_layer_its_language_size_and_licence() {
    let list = wordmill("model list").text();
    let names: Vec<&str> = list
        .lines()
        .filter_map(|line| line.split('\t').next())
        .collect();
    assert_eq!(names, LAYERS);
    for line in list.lines() {
        let columns: Vec<&str> = line.split('\t').collect();
        assert_eq!((columns.len(), columns[1]), (4, "en"), "{line}");
        assert!(columns[2].parse::<u64>().unwrap() < 9 << 20, "{line}");
        assert_ne!(columns[3], "_", "{line}");
    }
}

#[test]
fn the_models_inside_name_their_data_licence_and_scores() {
    for layer in LAYERS {
        let info: Value =
            serde_json::from_str(&wordmill(&format!("model info {layer}")).text()).unwrap();
        let section = &info["layers"][layer];
        assert_eq!(section["language"], "en", "{layer}");
        assert!(section["license"].is_string(), "{layer}");
        assert!(!section["data"].as_array().unwrap().is_empty(), "{layer}");
        assert!(section["tensors"].is_object(), "{layer}");
    }
}

#[test]
fn a_bundle_annotates_like_the_models_inside() {
    let folder = tempfile::tempdir().unwrap();
    let inside = wordmill("annotate corpora/sample.txt").bytes();
    for name in ["en.safetensors", "en.safetensors.zst", "en.safetensors.gz"] {
        let bundle = packed(folder.path(), name, "tokenize pos lemmatize ner");
        let call = wordmill("annotate corpora/sample.txt --model").arg(&bundle);
        assert!(call.bytes() == inside, "{name}");
    }
    let mut call = wordmill("annotate corpora/sample.txt");
    for layer in LAYERS {
        let path = packed(folder.path(), layer, layer);
        call = call.arg("--model").arg(path);
    }
    assert!(call.bytes() == inside, "a model for each layer");
}

#[test]
fn packing_twice_gives_the_same_bytes() {
    let folder = tempfile::tempdir().unwrap();
    let one = packed(folder.path(), "one", "ner pos tokenize lemmatize");
    let two = packed(folder.path(), "two", "tokenize pos lemmatize ner");
    assert!(std::fs::read(one).unwrap() == std::fs::read(two).unwrap());
}

#[test]
fn a_model_of_another_language_needs_the_layers_below_it() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("fr.safetensors");
    wordmill("lemmatize train corpora/tagged.conllu -q --language fr -o")
        .arg(&path)
        .text();
    let message = wordmill("lemmatize --model").arg(&path).stdin("a").fails(1);
    let expected = format!(
        "wordmill lemmatize: {}: the model is for \"fr\"",
        path.display()
    );
    assert!(message.starts_with(&expected), "{message}");
    assert!(message.contains("\nhint: add --model with a "), "{message}");
}

#[test]
fn a_name_that_is_no_model_is_refused_with_a_hint() {
    let message = wordmill("model info no-such").fails(1);
    assert!(
        message.starts_with("wordmill model info: no-such: no such file\nhint: "),
        "{message}"
    );
    wordmill("model info").fails(2);
    wordmill("model pack pos").fails(2);
    let message = wordmill("model info corpora/sample.txt").fails(1);
    assert!(
        message.contains("corpora/sample.txt: not a model file"),
        "{message}"
    );
}
