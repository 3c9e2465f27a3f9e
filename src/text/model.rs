//! Model files: one `.safetensors` file holds one layer or a bundle of layers.
//!
//! ```text
//! tensors   "pos/weights" i8[4194304], "pos/lexicon" u8[…], "lemmatize/…"      (layer / name)
//! metadata  "wordmill" = {"format":"wordmill-text","version":1,"wordmill":"0.1.0","checksum":"crc32 of all that follows",
//!                         "layers":{"pos":{"language":"en","labels":[…],"data":[…],"scores":{…}}, …}}
//! ```
//!
//! A file may be compressed (`.zst`, `.gz`): the magic bytes tell. Container: the safetensors format, version 0.

use safetensors::{Dtype, SafeTensors, tensor::TensorView};
use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, HashMap};
use std::io::Read;

/// What stands in the metadata as `format`.
pub const FORMAT: &str = "wordmill-text";
/// Files of another version are refused.
pub const VERSION: u64 = 1;

/// The layers of one model file.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Bundle {
    /// By layer name: `tokenize`, `pos`, `lemmatize`, `ner`.
    pub layers: BTreeMap<String, Section>,
}

/// One layer: arrays, and everything else as JSON.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Section {
    pub tensors: BTreeMap<String, Tensor>,
    pub meta: Map<String, Value>,
}

/// An array of a model, little-endian.
#[derive(Clone, Debug, PartialEq)]
pub struct Tensor {
    pub dtype: Dtype,
    pub shape: Vec<usize>,
    pub data: Vec<u8>,
}

/// Why a model could not be read.
#[derive(Debug, thiserror::Error)]
pub enum ModelError {
    #[error("not a model file: {0}")]
    Container(String),
    #[error("not a wordmill text model (format {found:?}, expected {FORMAT:?})")]
    Format { found: String },
    #[error("model file version {found}, this wordmill reads version {VERSION}")]
    Version { found: u64 },
    #[error("checksum {found} does not match {expected}: the file is damaged")]
    Checksum { expected: String, found: String },
    #[error("the model has no layer {wanted:?}; it holds {}", .found.join(", "))]
    Layer { wanted: String, found: Vec<String> },
    #[error("this binary has no {layer} model inside (it was built without models-en)")]
    NotEmbedded { layer: String },
    #[error("tensor {tensor:?} is missing or of another type")]
    Tensor { tensor: String },
    #[error("tensor {tensor:?} has an impossible length {found}")]
    Shape { tensor: String, found: usize },
    #[error("metadata field {field:?} is missing or of another type")]
    Meta { field: String },
}

/// Whether a file that starts so is one of tensors: the length of its header, eight bytes, and the header itself, JSON.
pub fn is_tensors(head: &[u8]) -> bool {
    // No header is so long that its eighth byte counts, and no text has a zero there.
    matches!(head, [_, _, _, _, _, _, _, 0, b'{', ..])
}

impl Bundle {
    /// Reads a model file from memory, compressed or not.
    ///
    /// # Errors
    /// The bytes are not a whole, undamaged text model of this version.
    pub fn from_bytes(bytes: &[u8]) -> Result<Bundle, ModelError> {
        let unpacked = unpack(bytes).map_err(|e| ModelError::Container(e.to_string()))?;
        let bytes = unpacked.as_deref().unwrap_or(bytes);
        let container = |e: safetensors::SafeTensorError| ModelError::Container(e.to_string());
        let (_, header) = SafeTensors::read_metadata(bytes).map_err(container)?;
        let file = SafeTensors::deserialize(bytes).map_err(container)?;
        let header = header.metadata().as_ref().and_then(|m| m.get("wordmill"));
        let header: Value = match header {
            Some(text) => {
                serde_json::from_str(text).map_err(|e| ModelError::Container(e.to_string()))?
            }
            None => {
                return Err(ModelError::Format {
                    found: "none".to_owned(),
                });
            }
        };
        check_header(&header)?;
        let mut layers = BTreeMap::new();
        for (layer, meta) in header["layers"].as_object().into_iter().flatten() {
            let meta = meta.as_object().cloned().unwrap_or_default();
            layers.insert(
                layer.clone(),
                Section {
                    tensors: BTreeMap::new(),
                    meta,
                },
            );
        }
        for (name, view) in file.tensors() {
            let (layer, tensor) = name.split_once('/').unwrap_or(("", &name));
            let section = layers.get_mut(layer).ok_or_else(|| ModelError::Tensor {
                tensor: name.clone(),
            })?;
            let data = Tensor {
                dtype: view.dtype(),
                shape: view.shape().to_vec(),
                data: view.data().to_vec(),
            };
            section.tensors.insert(tensor.to_owned(), data);
        }
        let bundle = Bundle { layers };
        let (expected, found) = (
            header["checksum"].as_str().unwrap_or_default().to_owned(),
            bundle.checksum(),
        );
        if expected != found {
            return Err(ModelError::Checksum { expected, found });
        }
        Ok(bundle)
    }

    /// The bytes of the model file: the same for the same bundle.
    ///
    /// # Errors
    /// A tensor's shape does not fit its data.
    pub fn to_bytes(&self) -> Result<Vec<u8>, ModelError> {
        let metas: Map<String, Value> = self
            .layers
            .iter()
            .map(|(name, section)| (name.clone(), Value::Object(section.meta.clone())))
            .collect();
        let header = json!({
            "format": FORMAT, "version": VERSION, "wordmill": env!("CARGO_PKG_VERSION"),
            "checksum": self.checksum(), "layers": metas,
        });
        let mut views = Vec::new();
        for (layer, section) in &self.layers {
            for (name, tensor) in &section.tensors {
                let view = TensorView::new(tensor.dtype, tensor.shape.clone(), &tensor.data)
                    .map_err(|e| ModelError::Container(e.to_string()))?;
                views.push((format!("{layer}/{name}"), view));
            }
        }
        let metadata = HashMap::from([("wordmill".to_owned(), header.to_string())]);
        safetensors::serialize(views, Some(metadata))
            .map_err(|e| ModelError::Container(e.to_string()))
    }

    /// The section of a layer.
    ///
    /// # Errors
    /// The model has no such layer: it is a model of another task.
    pub fn layer(&self, wanted: &str) -> Result<&Section, ModelError> {
        let found = || self.layers.keys().cloned().collect();
        self.layers.get(wanted).ok_or_else(|| ModelError::Layer {
            wanted: wanted.to_owned(),
            found: found(),
        })
    }

    fn checksum(&self) -> String {
        let mut hasher = crc32fast::Hasher::new();
        for (layer, section) in &self.layers {
            hasher.update(layer.as_bytes());
            hasher.update(Value::Object(section.meta.clone()).to_string().as_bytes());
            for (name, tensor) in &section.tensors {
                hasher.update(name.as_bytes());
                hasher.update(&tensor.data);
            }
        }
        format!("{:08x}", hasher.finalize())
    }
}

fn check_header(header: &Value) -> Result<(), ModelError> {
    let format = header["format"].as_str().unwrap_or("none");
    if format != FORMAT {
        return Err(ModelError::Format {
            found: format.to_owned(),
        });
    }
    match header["version"].as_u64() {
        Some(VERSION) => Ok(()),
        other => Err(ModelError::Version {
            found: other.unwrap_or(0),
        }),
    }
}

fn unpack(bytes: &[u8]) -> std::io::Result<Option<Vec<u8>>> {
    match bytes {
        [0x28, 0xb5, 0x2f, 0xfd, ..] => zstd::decode_all(bytes).map(Some),
        [0x1f, 0x8b, ..] => {
            let mut out = Vec::new();
            flate2::read::MultiGzDecoder::new(bytes).read_to_end(&mut out)?;
            Ok(Some(out))
        }
        _ => Ok(None),
    }
}

macro_rules! tensor_of {
    ($from:ident, $read:ident, $type:ty, $dtype:expr) => {
        impl Tensor {
            /// A vector as a tensor of one dimension.
            pub fn $from(values: &[$type]) -> Tensor {
                let data = values.iter().flat_map(|v| v.to_le_bytes()).collect();
                Tensor {
                    dtype: $dtype,
                    shape: vec![values.len()],
                    data,
                }
            }
        }
        impl Section {
            /// The values of a tensor of this type.
            ///
            /// # Errors
            /// It is missing or of another type.
            pub fn $read(&self, name: &str) -> Result<Vec<$type>, ModelError> {
                const SIZE: usize = size_of::<$type>();
                let tensor = self.tensors.get(name).filter(|t| t.dtype == $dtype);
                let tensor = tensor.ok_or_else(|| ModelError::Tensor {
                    tensor: name.to_owned(),
                })?;
                let value = |bytes: &[u8]| {
                    let mut le = [0; SIZE];
                    le.copy_from_slice(bytes);
                    <$type>::from_le_bytes(le)
                };
                Ok(tensor.data.chunks_exact(SIZE).map(value).collect())
            }
        }
    };
}

tensor_of!(from_u8, u8s, u8, Dtype::U8);
tensor_of!(from_i8, i8s, i8, Dtype::I8);
tensor_of!(from_u16, u16s, u16, Dtype::U16);
tensor_of!(from_u32, u32s, u32, Dtype::U32);
tensor_of!(from_u64, u64s, u64, Dtype::U64);
tensor_of!(from_f32, f32s, f32, Dtype::F32);

impl Section {
    /// A list of strings stored as one tensor of UTF-8 lines.
    pub fn save_strings(&mut self, name: &str, strings: &[impl AsRef<str>]) {
        let mut text = String::new();
        for string in strings {
            text.push_str(string.as_ref());
            text.push('\n');
        }
        self.tensors
            .insert(name.to_owned(), Tensor::from_u8(text.as_bytes()));
    }

    /// Reads back what [`Section::save_strings`] stored.
    ///
    /// # Errors
    /// The tensor is missing or not UTF-8.
    pub fn strings(&self, name: &str) -> Result<Vec<String>, ModelError> {
        let text = String::from_utf8(self.u8s(name)?).map_err(|_| ModelError::Tensor {
            tensor: name.to_owned(),
        })?;
        Ok(text.lines().map(str::to_owned).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bundle() -> Bundle {
        let mut section = Section::default();
        section.meta.insert("language".to_owned(), json!("en"));
        section
            .tensors
            .insert("weights".to_owned(), Tensor::from_i8(&[1, -2, 3]));
        section
            .tensors
            .insert("ids".to_owned(), Tensor::from_u32(&[7, 1 << 31]));
        section.save_strings("labels", &["NOUN", "VERB"]);
        Bundle {
            layers: BTreeMap::from([("pos".to_owned(), section)]),
        }
    }

    #[test]
    fn save_then_load_is_the_identity() {
        let read = Bundle::from_bytes(&bundle().to_bytes().unwrap()).unwrap();
        assert_eq!(read, bundle());
        let pos = read.layer("pos").unwrap();
        assert_eq!(pos.i8s("weights").unwrap(), [1, -2, 3]);
        assert_eq!(pos.u32s("ids").unwrap(), [7, 1 << 31]);
        assert_eq!(pos.strings("labels").unwrap(), ["NOUN", "VERB"]);
    }

    #[test]
    fn the_same_bundle_gives_the_same_bytes() {
        assert_eq!(bundle().to_bytes().unwrap(), bundle().to_bytes().unwrap());
    }

    #[test]
    fn compressed_files_are_recognised() {
        let packed = zstd::encode_all(&bundle().to_bytes().unwrap()[..], 3).unwrap();
        assert_eq!(Bundle::from_bytes(&packed).unwrap(), bundle());
    }

    #[test]
    fn a_flipped_byte_is_refused() {
        let mut bytes = bundle().to_bytes().unwrap();
        *bytes.last_mut().unwrap() ^= 1;
        assert!(matches!(
            Bundle::from_bytes(&bytes),
            Err(ModelError::Checksum { .. })
        ));
    }

    #[test]
    fn a_truncated_file_is_refused() {
        let bytes = bundle().to_bytes().unwrap();
        for length in 0..bytes.len() {
            assert!(
                Bundle::from_bytes(&bytes[..length]).is_err(),
                "the first {length} bytes were accepted"
            );
        }
    }

    #[test]
    fn a_missing_layer_names_those_that_are_there() {
        let error = bundle().layer("ner").unwrap_err().to_string();
        assert_eq!(error, "the model has no layer \"ner\"; it holds pos");
    }
}
