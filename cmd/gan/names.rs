//! What the flags of training call losses, changes of images, turns and schedules.

use wordmill::gan::losses::Loss;
use wordmill::gan::turns::Alternate;

#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum LossName {
    /// The generator maximises the critic's error, as the game is defined
    Minimax,
    /// The generator makes the critic say that its samples are real
    NonSaturating,
    Hinge,
    LeastSquares,
    /// The critic's verdicts are a distance; with --weight-clip or --gradient-penalty
    Wasserstein,
    /// The critic compares real and made samples; with --r1 and --r2
    Relativistic,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum AugmentName {
    /// Brightness, saturation and contrast
    Colour,
    /// Up to an eighth of the side
    Translation,
    /// A square of half the side goes grey
    Cutout,
}

#[derive(Clone, Copy, Debug, clap::ValueEnum)]
pub enum AlternateName {
    /// In every step
    Steps,
    /// After each round over the data, or as many of the critic as --critic-steps says; a step is then of the critic or of the
    /// generator
    Epochs,
}

#[derive(Clone, Copy, Debug, clap::ValueEnum)]
pub enum ScheduleName {
    Constant,
    /// Down to 0 at --max-steps
    Cosine,
}

impl AlternateName {
    pub fn alternate(self) -> Alternate {
        match self {
            AlternateName::Steps => Alternate::Steps,
            AlternateName::Epochs => Alternate::Epochs,
        }
    }
}

impl LossName {
    pub fn loss(self) -> Loss {
        match self {
            LossName::Minimax => Loss::Minimax,
            LossName::NonSaturating => Loss::NonSaturating,
            LossName::Hinge => Loss::Hinge,
            LossName::LeastSquares => Loss::LeastSquares,
            LossName::Wasserstein => Loss::Wasserstein,
            LossName::Relativistic => Loss::Relativistic,
        }
    }
}
