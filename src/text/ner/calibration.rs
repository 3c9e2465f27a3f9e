//! What the probabilities of a recognizer are worth.

/// How often names of a probability are right: σ(slope · logit p + offset). Platt (1999), Probabilistic outputs for
/// support vector machines.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Calibration {
    pub slope: f32,
    pub offset: f32,
}

impl Calibration {
    /// Leaves probabilities as they are.
    pub const NONE: Calibration = Calibration {
        slope: 1.0,
        offset: 0.0,
    };

    /// How often names of this probability are right.
    pub fn of(self, probability: f64) -> f64 {
        let logit = f64::from(self.slope) * logit(probability) + f64::from(self.offset);
        1.0 / (1.0 + (-logit).exp())
    }
}

/// The logarithm of the odds; scores are printed with three decimals, and those that round to 0 or 1 count as their
/// neighbours.
pub fn logit(probability: f64) -> f64 {
    let p = probability.clamp(0.001, 0.999);
    (p / (1.0 - p)).ln()
}

/// The most likely slope and offset of a logistic regression of whether names are right on their logits, by Newton's
/// method; a ridge towards no change keeps it finite where all are right. A step that makes the names less likely is
/// halved until it does not: whole steps can run away.
pub fn fit(seen: &[(f64, bool)]) -> Calibration {
    let (mut slope, mut offset) = (1.0, 0.0);
    let mut loss = penalised_loss(seen, slope, offset);
    for _ in 0..50 {
        let (mut g, mut h) = (
            [RIDGE * (1.0 - slope), -RIDGE * offset],
            [RIDGE, 0.0, RIDGE],
        );
        for &(x, right) in seen {
            let p = 1.0 / (1.0 + f64::exp(-(slope * x + offset)));
            let error = f64::from(u8::from(right)) - p;
            let weight = p * (1.0 - p);
            g[0] += error * x;
            g[1] += error;
            h[0] += weight * x * x;
            h[1] += weight * x;
            h[2] += weight;
        }
        let determinant = h[0] * h[2] - h[1] * h[1];
        let mut step = [
            (h[2] * g[0] - h[1] * g[1]) / determinant,
            (h[0] * g[1] - h[1] * g[0]) / determinant,
        ];
        let better = (0..50).find_map(|_| {
            let next = penalised_loss(seen, slope + step[0], offset + step[1]);
            if next < loss {
                return Some(next);
            }
            step = step.map(|s| s / 2.0);
            None
        });
        let Some(next) = better else {
            break; // as likely as it can be
        };
        loss = next;
        slope += step[0];
        offset += step[1];
    }
    Calibration {
        slope: slope as f32,
        offset: offset as f32,
    }
}

const RIDGE: f64 = 1.0;

/// What the names cost, in nats, and the ridge.
fn penalised_loss(seen: &[(f64, bool)], slope: f64, offset: f64) -> f64 {
    let of_names = seen.iter().map(|&(x, right)| {
        let logit = slope * x + offset;
        let against = if right { -logit } else { logit };
        against.max(0.0) + (-against.abs()).exp().ln_1p()
    });
    of_names.sum::<f64>() + RIDGE / 2.0 * ((slope - 1.0).powi(2) + offset.powi(2))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_calibration_finds_how_often_names_are_right() {
        // Of ten at odds of e² to 1 seven are right, of ten at even odds three: the logits of 7/10 and 3/10 are ±0.8473.
        let mut seen = Vec::new();
        for _ in 0..1000 {
            seen.extend((0..10).map(|i| (2.0, i < 7)));
            seen.extend((0..10).map(|i| (0.0, i < 3)));
        }
        let found = fit(&seen);
        assert!((found.slope - 0.8473).abs() < 1e-3, "{found:?}");
        assert!((found.offset + 0.8473).abs() < 1e-3, "{found:?}");
        assert!((found.of(0.5) - 0.3).abs() < 1e-3);
        assert_eq!(Calibration::NONE.of(0.25), 0.25);
        // Sure of nearly all of many names: a whole step from slope 1 would be far too long.
        let mut seen = vec![(6.9, true); 60_000];
        seen.extend(vec![(6.9, false); 6_000]);
        seen.extend(vec![(-3.0, false); 10]);
        let found = fit(&seen);
        assert!((found.of(0.999) - 60.0 / 66.0).abs() < 1e-3, "{found:?}");
        // Nothing seen, nothing changed.
        assert_eq!(fit(&[]), Calibration::NONE);
    }
}
