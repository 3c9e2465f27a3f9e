//! How networks are shaped: the flags, and what they come to.
//!
//! What no flag says follows from the kind of the data, and from what the critic is penalised by.

use super::source::{Sort, Source};
use crate::stream::Failure;
use anyhow::{Result, bail};
use wordmill::gan::feed::Data;
use wordmill::gan::learn::Recipe;
use wordmill::gan::shape::{CriticNorm, Kind, Shape};

/// Flags for the networks.
#[derive(clap::Args, Clone, Debug, Default)]
#[command(next_help_heading = "Networks")]
pub struct ShapeArgs {
    /// Family of networks [default: dcgan for images of 28, 32, 64 or 128 pixels a side, else mlp]
    #[arg(long, value_enum)]
    network: Option<KindName>,
    /// Length of z [default: 100 for images, 128 for rows, 8 for points]
    #[arg(long, value_name = "N")]
    latent: Option<u32>,
    /// How many numbers of z are −1 or 1: samples then fall into parts without a way between them [default: 0; three
    /// of four for points with modes]
    #[arg(long, value_name = "N")]
    codes: Option<u32>,
    /// The generator's hidden layers, or, for dcgan and resnet, its channels beside the image [default: by the network]
    #[arg(long, value_name = "SIZES", value_delimiter = ',')]
    generator: Vec<u32>,
    /// The same of the critic
    #[arg(long, value_name = "SIZES", value_delimiter = ',')]
    critic: Vec<u32>,
    /// Tell both networks the class of each image
    #[arg(long)]
    conditional: bool,
    /// How the critic of dcgan is normalised [default: batch; none with a penalty on its slope or with --spectral-norm]
    #[arg(long, value_enum)]
    critic_norm: Option<NormName>,
    /// Divide the critic's matrices by their largest singular values
    #[arg(long)]
    spectral_norm: bool,
    /// Samples that the critic sees at once, so that it notices when they are all alike [default: 1; 10 for rows]
    #[arg(long, value_name = "N")]
    pack: Option<u32>,
}

#[derive(Clone, Copy, Debug, clap::ValueEnum)]
enum KindName {
    /// Dense layers
    Mlp,
    /// Windows of 4 pixels in steps of 2
    Dcgan,
    /// Residual blocks of windows of 3 pixels
    Resnet,
}

#[derive(Clone, Copy, Debug, clap::ValueEnum)]
enum NormName {
    None,
    /// Over the batch
    Batch,
    /// Over each image
    Instance,
}

impl NormName {
    fn norm(self) -> CriticNorm {
        match self {
            NormName::None => CriticNorm::None,
            NormName::Batch => CriticNorm::Batch,
            NormName::Instance => CriticNorm::Instance,
        }
    }
}

impl KindName {
    fn kind(self) -> Kind {
        match self {
            KindName::Mlp => Kind::Mlp,
            KindName::Dcgan => Kind::Dcgan,
            KindName::Resnet => Kind::Resnet,
        }
    }
}

/// Whether networks can be trained by a recipe.
///
/// # Errors
/// When they cannot: normalisation and penalties, two bounds, batches that cannot be packed.
pub fn check(shape: &Shape, recipe: &Recipe) -> Result<()> {
    let objective = &recipe.objective;
    let is_penalised = objective.gradient_penalty + objective.r1 + objective.r2 > 0.0;
    if is_penalised && shape.critic_norm != CriticNorm::None && shape.network == Kind::Dcgan {
        bail!(
            Failure::usage("a critic that is normalised has no slope of its own to be penalised")
                .hint(
                    "--critic-norm none, or none of these flags in a new run, leaves the norm out"
                )
        );
    }
    if shape.spectral && recipe.weight_clip > 0.0 {
        bail!(Failure::usage(
            "--spectral-norm and --weight-clip bound the critic twice"
        ));
    }
    if !recipe.batch.is_multiple_of(shape.pack) {
        bail!(Failure::usage(format!(
            "--batch-size {} is no multiple of --pack {}",
            recipe.batch, shape.pack
        )));
    }
    Ok(())
}

impl ShapeArgs {
    /// Samples that the critic sees at once.
    pub fn pack(&self, source: &Source) -> usize {
        let default = source
            .sort()
            .of(1, 1, if source.len() < 20 { 1 } else { 10 });
        self.pack.map_or(default, |pack| pack as usize)
    }

    /// Whether the critic's matrices are divided.
    pub fn is_spectral(&self) -> bool {
        self.spectral_norm
    }

    /// The family of networks for some data.
    pub fn kind(&self, source: &Source) -> Kind {
        let (height, width, _) = source.shape();
        let is_square = height == width && [28, 32, 64, 128].contains(&height);
        match self.network {
            Some(name) => name.kind(),
            None if is_square => Kind::Dcgan,
            None => Kind::Mlp,
        }
    }

    /// The networks for some data, trained by a recipe.
    ///
    /// # Errors
    /// When flags do not go together, or with the data.
    pub fn shape(&self, source: &Source, recipe: &Recipe) -> Result<Shape> {
        let (height, width, channels) = source.shape();
        let sort = source.sort();
        let network = self.kind(source);
        let sizes = |given: &[u32], default: &[usize]| match given {
            [] => default.to_vec(),
            given => given.iter().map(|size| *size as usize).collect(),
        };
        let (generator, critic): (&[usize], &[usize]) = match (network, sort) {
            (Kind::Dcgan, _) => (&[64], &[64]),
            (Kind::Resnet, _) => (&[64], &[64]),
            (_, Sort::Points) => (&[128, 128, 128], &[128, 128, 128]),
            (_, Sort::Rows) => (&[256, 256], &[256, 256]),
            _ => (&[256, 512, 1024], &[512, 256]),
        };
        let objective = &recipe.objective;
        let is_penalised = objective.gradient_penalty + objective.r1 + objective.r2 > 0.0;
        let classes = source.classes().len();
        if self.conditional && (classes < 2 || source.label(0).is_none()) {
            bail!(
                Failure::usage("--conditional needs images of two classes or more")
                    .hint("sub-folders are classes, and so are the labels of IDX files")
            );
        }
        if self.critic_norm.is_some() && network != Kind::Dcgan {
            bail!(Failure::usage(
                "--critic-norm is for dcgan: the critics of other networks are not normalised"
            ));
        }
        let pack = self.pack(source);
        let latent = (self.latent).map_or(sort.of(8, 100, 128), |n| n as usize);
        let codes = match source {
            Source::Points(toy, _) if toy.modes().is_some() => latent * 3 / 4,
            _ => 0,
        };
        Ok(Shape {
            network,
            height,
            width,
            channels,
            latent,
            codes: (self.codes).map_or(codes, |n| n as usize),
            generator: sizes(&self.generator, generator),
            critic: sizes(&self.critic, critic),
            classes: if self.conditional { classes } else { 0 },
            critic_norm: match self.critic_norm {
                Some(norm) => norm.norm(),
                None if is_penalised || self.spectral_norm => CriticNorm::None,
                None => CriticNorm::Batch,
            },
            spectral: self.spectral_norm,
            pack,
            is_bounded: sort == Sort::Images,
            spans: source.spans(),
            condition: source.condition(),
        })
    }

    /// # Errors
    /// When a flag asks for other networks than those of a run.
    pub fn agree_with(&self, shape: &Shape) -> Result<()> {
        let kind = self.network.map(KindName::kind);
        let differs = |given: &[u32], sizes: &[usize]| {
            !given.is_empty()
                && !given
                    .iter()
                    .map(|size| *size as usize)
                    .eq(sizes.iter().copied())
        };
        let number = |given: Option<u32>, own: usize| given.is_some_and(|n| n as usize != own);
        let wrong = [
            ("--network", kind.is_some_and(|kind| kind != shape.network)),
            ("--latent", number(self.latent, shape.latent)),
            ("--codes", number(self.codes, shape.codes)),
            ("--generator", differs(&self.generator, &shape.generator)),
            ("--critic", differs(&self.critic, &shape.critic)),
            ("--conditional", self.conditional && shape.classes == 0),
            (
                "--critic-norm",
                (self.critic_norm).is_some_and(|norm| norm.norm() != shape.critic_norm),
            ),
            ("--spectral-norm", self.spectral_norm && !shape.spectral),
            ("--pack", number(self.pack, shape.pack)),
        ];
        match wrong.iter().find(|(_, is_wrong)| *is_wrong) {
            Some((flag, _)) => Err(Failure::usage(format!("{flag} is not that of the run"))
                .hint("another --out begins a new run")
                .into()),
            None => Ok(()),
        }
    }
}
