//! The shape of the model that `seq2seq train` trains: its flags, and what they come to.

use crate::translation::{Data, Shape, TiedName, same};
use crate::values::share;
use anyhow::Result;
use wordmill::nn::ops::cell::Kind;
use wordmill::translate::recurrent::config::{Attention, Config, sizes};
use wordmill::translate::recurrent::model::Recurrent;

/// Flags for the shape of the model.
#[derive(clap::Args, Clone, Debug, Default)]
#[command(next_help_heading = "Model")]
pub struct ShapeArgs {
    /// How a state is carried on [default: lstm]
    #[arg(long, value_enum)]
    cell: Option<CellName>,
    /// Values of an embedded token [default: 256, fewer for few pairs or characters, more for many pairs]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=8192))]
    embedding: Option<u16>,
    /// Units of a layer, an even number: half of them for each direction of the encoder [default: 512; 128 for few pairs or
    /// characters]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(2..=8192))]
    dim: Option<u16>,
    /// Layers of the encoder, and as many of the decoder [default: 1; 2 for 100,000 pairs and more of
    /// words]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u8).range(1..=16))]
    layers: Option<u8>,
    /// How the decoder looks back at the source [default: concat]
    #[arg(long, value_enum)]
    attention: Option<AttentionName>,
    /// Let what was seen of the source in a step enter the next [default: on with --attention bahdanau, off with others]
    #[arg(long, value_enum, value_name = "WHETHER")]
    input_feeding: Option<Switch>,
    /// Normalise embeddings, what each layer of the encoder gives, and what the decoder gives
    #[arg(long)]
    layer_norm: bool,
    /// Which tables of words are one [default: all; target with --separate-vocabularies]
    #[arg(long, value_enum)]
    tied: Option<TiedName>,
    /// Share of a state's units that are dropped on the way to the next step in training, the same in a whole sentence
    /// [default: 0]
    #[arg(long, value_name = "SHARE", value_parser = share)]
    recurrent_dropout: Option<f32>,
    /// Share of the words the decoder goes on from that are its own guesses in training [default: 0]
    #[arg(long, value_name = "SHARE", value_parser = share)]
    scheduled_sampling: Option<f32>,
}

#[derive(Clone, Copy, Debug, clap::ValueEnum)]
enum CellName {
    Lstm,
    Gru,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum AttentionName {
    /// Not at all
    None,
    /// By products of states
    Dot,
    /// By products of states, one of them mapped
    General,
    /// By a layer over the sum of states
    Concat,
    /// As concat, with --input-feeding on
    Bahdanau,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Switch {
    On,
    Off,
}

impl CellName {
    fn kind(self) -> Kind {
        match self {
            CellName::Lstm => Kind::Lstm,
            CellName::Gru => Kind::Gru,
        }
    }
}

impl AttentionName {
    fn attention(self) -> Attention {
        match self {
            AttentionName::None => Attention::None,
            AttentionName::Dot => Attention::Dot,
            AttentionName::General => Attention::General,
            AttentionName::Concat | AttentionName::Bahdanau => Attention::Additive,
        }
    }
}

impl ShapeArgs {
    /// Whether the flags say something about input feeding.
    fn feeds(&self) -> Option<bool> {
        let by_name = self.attention.map(|name| name == AttentionName::Bahdanau);
        self.input_feeding
            .map(|switch| switch == Switch::On)
            .or(by_name)
    }
}

impl Shape for ShapeArgs {
    type Architecture = Recurrent;

    const ADVICE: &'static str = "a smaller --lr, a longer --warmup or --clip 1 keep it; --layer-norm is steadier; then --resume";

    fn config(&self, data: &Data) -> Config {
        let (embedding, dim, layers) = sizes(data.pairs, data.units);
        Config {
            source_vocabulary: data.vocabularies.0,
            target_vocabulary: data.vocabularies.1,
            embedding: self.embedding.map_or(embedding, usize::from),
            dim: self.dim.map_or(dim, usize::from),
            layers: self.layers.map_or(layers, usize::from),
            cell: self.cell.map_or(Kind::Lstm, CellName::kind),
            attention: (self.attention).map_or(Attention::Additive, AttentionName::attention),
            input_feeding: self.feeds().unwrap_or(false),
            layer_norm: self.layer_norm,
            tied: TiedName::or_by(self.tied, data.is_joint),
            recurrent_dropout: self.recurrent_dropout.unwrap_or(0.0),
            scheduled_sampling: self.scheduled_sampling.unwrap_or(0.0),
            max_positions: 1024,
        }
    }

    fn agree_with(&self, config: &Config) -> Result<()> {
        fn other<T: PartialEq>(given: Option<T>, has: T) -> bool {
            given.is_some_and(|given| given != has)
        }
        let own = config;
        let attention = self.attention.map(AttentionName::attention);
        // Only Bahdanau's name says something about input feeding.
        let feeds_by_name = self.attention == Some(AttentionName::Bahdanau);
        let is_other_attention = other(attention, own.attention)
            || feeds_by_name && self.input_feeding.is_none() && !own.input_feeding;
        let feeding = self.input_feeding.map(|switch| switch == Switch::On);
        let is_other = [
            ("--cell", other(self.cell.map(CellName::kind), own.cell)),
            (
                "--embedding",
                other(self.embedding.map(usize::from), own.embedding),
            ),
            ("--dim", other(self.dim.map(usize::from), own.dim)),
            ("--layers", other(self.layers.map(usize::from), own.layers)),
            ("--attention", is_other_attention),
            ("--input-feeding", other(feeding, own.input_feeding)),
            ("--layer-norm", self.layer_norm && !own.layer_norm),
            ("--tied", other(self.tied.map(TiedName::tied), own.tied)),
        ];
        same(&is_other)
    }

    fn change(&self, config: &mut Config) {
        for (given, value) in [
            (self.recurrent_dropout, &mut config.recurrent_dropout),
            (self.scheduled_sampling, &mut config.scheduled_sampling),
        ] {
            *value = given.unwrap_or(*value);
        }
    }
}
