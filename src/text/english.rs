//! The English models inside the binary, one compressed file for each layer, unpacked by the command that uses it.

use super::model::{Bundle, ModelError, Section};

/// The language the embedded models are for.
pub const LANGUAGE: &str = "en";

/// The layers, their files, and their cards.
#[cfg(feature = "models-en")]
const FILES: &[(&str, &[u8])] = &[
    (
        "tokenize",
        include_bytes!("../../models/en/tokenize.safetensors.zst"),
    ),
    ("pos", include_bytes!("../../models/en/pos.safetensors.zst")),
    (
        "lemmatize",
        include_bytes!("../../models/en/lemmatize.safetensors.zst"),
    ),
    ("ner", include_bytes!("../../models/en/ner.safetensors.zst")),
];

#[cfg(not(feature = "models-en"))]
const FILES: &[(&str, &[u8])] = &[];

/// The files of the grammar of dates, amounts and numbers.
const GRAMMAR: &[(&str, &str)] = &[
    ("number", include_str!("../../models/en/grammar/number.txt")),
    ("date", include_str!("../../models/en/grammar/date.txt")),
    ("time", include_str!("../../models/en/grammar/time.txt")),
    (
        "duration",
        include_str!("../../models/en/grammar/duration.txt"),
    ),
    ("money", include_str!("../../models/en/grammar/money.txt")),
    (
        "percent",
        include_str!("../../models/en/grammar/percent.txt"),
    ),
    (
        "quantity",
        include_str!("../../models/en/grammar/quantity.txt"),
    ),
    (
        "ordinal",
        include_str!("../../models/en/grammar/ordinal.txt"),
    ),
    (
        "cardinal",
        include_str!("../../models/en/grammar/cardinal.txt"),
    ),
];

/// The files of the grammar of dates, amounts and numbers: name and text.
pub fn grammar() -> impl Iterator<Item = (&'static str, &'static str)> {
    GRAMMAR.iter().copied()
}

/// The names of the layers that have an embedded model.
pub fn layers() -> impl Iterator<Item = &'static str> {
    FILES.iter().map(|(layer, _)| *layer)
}

/// The compressed model file of a layer.
///
/// # Errors
/// The binary was built without English models, or there is no such layer.
pub fn file(layer: &str) -> Result<&'static [u8], ModelError> {
    let found = FILES.iter().find(|(name, _)| *name == layer);
    found
        .map(|(_, bytes)| *bytes)
        .ok_or_else(|| ModelError::NotEmbedded {
            layer: layer.to_owned(),
        })
}

/// The embedded model of a layer.
///
/// # Errors
/// The binary was built without English models, or there is no such layer.
pub fn section(layer: &str) -> Result<Section, ModelError> {
    let mut bundle = Bundle::from_bytes(file(layer)?)?;
    bundle
        .layers
        .remove(layer)
        .ok_or_else(|| ModelError::NotEmbedded {
            layer: layer.to_owned(),
        })
}
