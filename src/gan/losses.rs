//! What the critic and the generator learn from: functions of what the critic says of real and made samples.
//!
//! ```text
//!                   critic, of r = D(x) and f = D(G(z))      generator
//! minimax           sp(−r) + sp(f)                           −sp(f)              Goodfellow et al. 2014
//! non-saturating    sp(−r) + sp(f)                           sp(−f)              Goodfellow et al. 2014
//! hinge             max(0, 1 − r) + max(0, 1 + f)            −f                  Lim and Ye 2017
//! least-squares     ½ (r − 1)² + ½ f²                        ½ (f − 1)²          Mao et al. 2017
//! wasserstein       f − r                                    −f                  Arjovsky et al. 2017
//! relativistic      sp(f − r)                                sp(r − f)           Jolicoeur-Martineau 2019
//! ```
//!
//! sp(x) = ln(1 + eˣ); all are means over the batch.

use serde::{Deserialize, Serialize};

/// A pair of losses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Loss {
    Minimax,
    NonSaturating,
    Hinge,
    LeastSquares,
    Wasserstein,
    Relativistic,
}

/// A loss, and its gradient along what the critic said.
#[derive(Clone, Debug, PartialEq)]
pub struct Judged {
    pub loss: f64,
    /// Along D(x); empty where it does not matter.
    pub real: Vec<f32>,
    /// Along D(G(z)).
    pub made: Vec<f32>,
}

impl Judged {
    /// The same of samples that are this share of a batch.
    pub fn of_share(mut self, share: f64) -> Judged {
        self.loss *= share;
        let along = self.real.iter_mut().chain(&mut self.made);
        along.for_each(|d| *d *= share as f32);
        self
    }
}

/// ln(1 + eˣ)
fn softplus(x: f64) -> f64 {
    x.max(0.0) + (-x.abs()).exp().ln_1p()
}

fn sigmoid(x: f64) -> f64 {
    1.0 / (1.0 + (-x).exp())
}

impl Loss {
    /// The loss of one pair, and its derivatives along r and f.
    fn of_critic(self, r: f64, f: f64) -> [f64; 3] {
        match self {
            Loss::Minimax | Loss::NonSaturating => {
                [softplus(-r) + softplus(f), -sigmoid(-r), sigmoid(f)]
            }
            Loss::Hinge => [
                (1.0 - r).max(0.0) + (1.0 + f).max(0.0),
                if r < 1.0 { -1.0 } else { 0.0 },
                if f > -1.0 { 1.0 } else { 0.0 },
            ],
            Loss::LeastSquares => [0.5 * (r - 1.0).powi(2) + 0.5 * f * f, r - 1.0, f],
            Loss::Wasserstein => [f - r, -1.0, 1.0],
            Loss::Relativistic => [softplus(f - r), -sigmoid(f - r), sigmoid(f - r)],
        }
    }

    /// The loss of one made sample beside a real one, and its derivative along f.
    fn of_generator(self, r: f64, f: f64) -> [f64; 2] {
        match self {
            Loss::Minimax => [-softplus(f), -sigmoid(f)],
            Loss::NonSaturating => [softplus(-f), -sigmoid(-f)],
            Loss::Hinge | Loss::Wasserstein => [-f, -1.0],
            Loss::LeastSquares => [0.5 * (f - 1.0).powi(2), f - 1.0],
            Loss::Relativistic => [softplus(r - f), -sigmoid(r - f)],
        }
    }

    /// Whether the generator's loss looks at real samples, too.
    pub fn is_relative(self) -> bool {
        self == Loss::Relativistic
    }

    /// The share of samples that the critic takes for what they are: by the verdict that parts real from made ones, or,
    /// where verdicts only have a meaning beside others, by pairs.
    pub fn right(self, real: &[f32], made: &[f32]) -> f64 {
        let border = match self {
            Loss::Minimax | Loss::NonSaturating | Loss::Hinge => 0.0,
            Loss::LeastSquares => 0.5,
            Loss::Wasserstein | Loss::Relativistic => {
                let pairs = real.iter().zip(made).filter(|(r, f)| r > f);
                return pairs.count() as f64 / real.len().max(1) as f64;
            }
        };
        let right = real.iter().filter(|r| **r > border).count()
            + made.iter().filter(|f| **f < border).count();
        right as f64 / (real.len() + made.len()).max(1) as f64
    }

    /// The critic's loss, of as many real samples as made ones.
    pub fn critic(self, real: &[f32], made: &[f32]) -> Judged {
        assert_eq!(real.len(), made.len());
        let n = real.len().max(1) as f64;
        let mut judged = Judged {
            loss: 0.0,
            real: Vec::with_capacity(real.len()),
            made: Vec::with_capacity(made.len()),
        };
        for (r, f) in real.iter().zip(made) {
            let [loss, along_r, along_f] = self.of_critic(f64::from(*r), f64::from(*f));
            judged.loss += loss / n;
            judged.real.push((along_r / n) as f32);
            judged.made.push((along_f / n) as f32);
        }
        judged
    }

    /// The generator's loss; `real` may be empty where the loss is not relative.
    pub fn generator(self, real: &[f32], made: &[f32]) -> Judged {
        let n = made.len().max(1) as f64;
        let reals = real.iter().copied().chain(std::iter::repeat(0.0));
        let pairs = made.iter().zip(reals);
        let judged = pairs.map(|(f, r)| self.of_generator(f64::from(r), f64::from(*f)));
        let (losses, along): (Vec<f64>, Vec<f32>) = judged
            .map(|[loss, along]| (loss, (along / n) as f32))
            .unzip();
        Judged {
            loss: losses.iter().sum::<f64>() / n,
            real: Vec::new(),
            made: along,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: [Loss; 6] = [
        Loss::Minimax,
        Loss::NonSaturating,
        Loss::Hinge,
        Loss::LeastSquares,
        Loss::Wasserstein,
        Loss::Relativistic,
    ];

    #[test]
    fn losses_are_those_of_their_formulas() {
        // By hand at r = 0, f = ln 3: sp(0) = ln 2, sp(ln 3) = ln 4, sp(−ln 3) = ln (4 / 3).
        let (ln, f) = (f64::ln, 3f32.ln());
        let sure = f64::from(f);
        let expected = [
            (ln(2.0) + ln(4.0), -ln(4.0)),
            (ln(2.0) + ln(4.0), ln(4.0 / 3.0)),
            (2.0 + sure, -sure),
            (0.5 + 0.5 * sure * sure, 0.5 * (sure - 1.0).powi(2)),
            (sure, -sure),
            (ln(4.0), ln(4.0 / 3.0)),
        ];
        for (loss, (critic, generator)) in ALL.into_iter().zip(expected) {
            let found = (
                loss.critic(&[0.0], &[f]).loss,
                loss.generator(&[0.0], &[f]).loss,
            );
            assert!((found.0 - critic).abs() < 1e-6, "{loss:?} {found:?}");
            assert!((found.1 - generator).abs() < 1e-6, "{loss:?} {found:?}");
        }
    }

    #[test]
    fn gradients_are_the_slopes_of_the_losses() {
        let (real, made) = ([0.3f32, -2.0, 1.7], [0.6f32, -0.4, -3.0]);
        let moved = |values: [f32; 3], i: usize, by: f32| {
            let mut values = values;
            values[i] += by;
            values
        };
        let close = |slope: f64, found: f32, loss: Loss| {
            assert!(
                (slope - f64::from(found)).abs() < 1e-3,
                "{loss:?}: {slope} {found}"
            );
        };
        for loss in ALL {
            let critic = loss.critic(&real, &made);
            let generator = loss.generator(&real, &made);
            for i in 0..3 {
                let slope = |of: &dyn Fn(f32) -> f64| (of(1e-2) - of(-1e-2)) / 2e-2;
                let along_r = slope(&|h| loss.critic(&moved(real, i, h), &made).loss);
                let along_f = slope(&|h| loss.critic(&real, &moved(made, i, h)).loss);
                let made_f = slope(&|h| loss.generator(&real, &moved(made, i, h)).loss);
                close(along_r, critic.real[i], loss);
                close(along_f, critic.made[i], loss);
                close(made_f, generator.made[i], loss);
            }
        }
    }

    #[test]
    fn a_critic_is_right_where_its_loss_is_small() {
        let (real, made) = ([2.0, 0.4], [-1.0, 0.3]);
        assert_eq!(Loss::Hinge.right(&real, &made), 0.75);
        assert_eq!(Loss::LeastSquares.right(&real, &made), 0.75);
        assert_eq!(Loss::Wasserstein.right(&real, &made), 1.0);
        assert_eq!(Loss::Relativistic.right(&[7.0, 7.0], &[8.0, 6.0]), 0.5);
    }

    #[test]
    fn large_numbers_overflow_no_loss() {
        for loss in ALL {
            let judged = loss.critic(&[-1e4, 1e4], &[1e4, -1e4]);
            assert!(judged.loss.is_finite() && judged.made.iter().all(|g| g.is_finite()));
        }
    }
}
