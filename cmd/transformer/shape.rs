//! The shape of the model that `transformer train` trains: its flags, and what they come to.

use crate::translation::{Data, Shape, TiedName, same};
use anyhow::Result;
use wordmill::translate::transformer::config::{Config, PositionKind, Preset, recipe};
use wordmill::translate::transformer::model::Transformer;

/// Flags for the shape of the model.
#[derive(clap::Args, Clone, Debug, Default)]
#[command(next_help_heading = "Model")]
pub struct ShapeArgs {
    /// Sizes that go together [default: by the number of pairs]
    #[arg(long, value_enum)]
    preset: Option<PresetName>,
    /// Values of a token between layers [default: by --preset]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=8192))]
    dim: Option<u16>,
    /// Layers of the encoder [default: by --preset]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u8).range(1..=64))]
    encoder_layers: Option<u8>,
    /// Layers of the decoder [default: by --preset]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u8).range(1..=64))]
    decoder_layers: Option<u8>,
    /// Heads of attention [default: by --preset]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u8).range(1..=128))]
    heads: Option<u8>,
    /// Values inside a feed-forward layer [default: by --preset]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=32768))]
    ffn: Option<u16>,
    /// Normalise after each sublayer or before it [default: post]
    #[arg(long, value_enum)]
    norm: Option<NormName>,
    /// How the model knows where a token stands [default: sinusoidal]
    #[arg(long, value_enum)]
    positions: Option<PositionName>,
    /// Which tables of words are one [default: all; target with --separate-vocabularies]
    #[arg(long, value_enum)]
    tied: Option<TiedName>,
}

#[derive(Clone, Copy, Debug, clap::ValueEnum)]
enum PresetName {
    /// 128 values, 4 + 4 layers, 4 heads, 256 inside
    Tiny,
    /// 256 values, 3 + 3 layers, 4 heads, 1024 inside
    Small,
    /// 512 values, 6 + 6 layers, 8 heads, 2048 inside
    Base,
    /// 1024 values, 6 + 6 layers, 16 heads, 4096 inside
    Big,
}

#[derive(Clone, Copy, Debug, clap::ValueEnum)]
enum NormName {
    Post,
    Pre,
}

#[derive(Clone, Copy, Debug, clap::ValueEnum)]
enum PositionName {
    Sinusoidal,
    Learned,
}

impl PresetName {
    fn preset(self) -> Preset {
        match self {
            PresetName::Tiny => Preset::Tiny,
            PresetName::Small => Preset::Small,
            PresetName::Base => Preset::Base,
            PresetName::Big => Preset::Big,
        }
    }
}

impl PositionName {
    fn kind(self) -> PositionKind {
        match self {
            PositionName::Sinusoidal => PositionKind::Sinusoidal,
            PositionName::Learned => PositionKind::Learned,
        }
    }
}

impl Shape for ShapeArgs {
    type Architecture = Transformer;

    const ADVICE: &'static str = "a smaller --lr, a longer --warmup or --clip 1 keep it; --norm pre is steadier; then --resume";

    fn config(&self, data: &Data) -> Config {
        let preset = self
            .preset
            .map_or_else(|| recipe(data.pairs).0, PresetName::preset);
        let sizes = preset.sizes();
        let tied = TiedName::or_by(self.tied, data.is_joint);
        Config {
            source_vocabulary: data.vocabularies.0,
            target_vocabulary: data.vocabularies.1,
            dim: self.dim.map_or(sizes.dim, usize::from),
            encoder_layers: self.encoder_layers.map_or(sizes.layers, usize::from),
            decoder_layers: self.decoder_layers.map_or(sizes.layers, usize::from),
            heads: self.heads.map_or(sizes.heads, usize::from),
            ffn: self.ffn.map_or(sizes.ffn, usize::from),
            pre_norm: matches!(self.norm, Some(NormName::Pre)),
            positions: self
                .positions
                .map_or(PositionKind::Sinusoidal, PositionName::kind),
            tied,
            max_positions: 1024,
        }
    }

    fn agree_with(&self, config: &Config) -> Result<()> {
        let number = |given: Option<usize>, has: usize| given.is_some_and(|given| given != has);
        let sizes = self.preset.map(|preset| preset.preset().sizes());
        let is_other = [
            (
                "--preset",
                sizes.is_some_and(|sizes| self.dim.is_none() && sizes.dim != config.dim),
            ),
            ("--dim", number(self.dim.map(usize::from), config.dim)),
            (
                "--encoder-layers",
                number(self.encoder_layers.map(usize::from), config.encoder_layers),
            ),
            (
                "--decoder-layers",
                number(self.decoder_layers.map(usize::from), config.decoder_layers),
            ),
            ("--heads", number(self.heads.map(usize::from), config.heads)),
            ("--ffn", number(self.ffn.map(usize::from), config.ffn)),
            (
                "--norm",
                self.norm
                    .is_some_and(|norm| matches!(norm, NormName::Pre) != config.pre_norm),
            ),
            (
                "--positions",
                self.positions
                    .is_some_and(|name| name.kind() != config.positions),
            ),
            (
                "--tied",
                self.tied.is_some_and(|name| name.tied() != config.tied),
            ),
        ];
        same(&is_other)
    }
}
