//! Signs that training goes wrong, seen from one evaluation to the next, and said in words.
//!
//! | sign | what it means |
//! |---|---|
//! | samples differ from one another far less than real ones do | mode collapse |
//! | the critic is right half of the time, and the distance grows | its feedback is random |
//! | the critic is always right, and the distance does not fall | its gradients vanish |
//! | the distance is far above its best for long | the two have drifted apart |

use crate::nn::event::{Evaluation, Event};

/// Evaluations in a row that make a sign.
const ROW: usize = 3;

/// What past evaluations have shown.
#[derive(Debug, Default)]
pub struct Watch {
    /// The distance, and the share of samples that the critic took for what they are.
    seen: Vec<(f64, f64)>,
}

impl Watch {
    /// What the events of a run show, that it may go on.
    pub fn of_events(events: &[Event]) -> Watch {
        let mut watch = Watch::default();
        let mut rights: Vec<f64> = Vec::new();
        for event in events {
            match event {
                Event::Report(report) => rights.extend(report.values.get("right")),
                Event::Evaluation { evaluation, .. } => {
                    let right = rights.iter().sum::<f64>() / rights.len() as f64;
                    watch.seen.push((distance(evaluation), right));
                    rights.clear();
                }
                _ => {}
            }
        }
        watch
    }

    /// Looks at an evaluation; `spread` is how much samples differ, as a share of how much real ones do.
    pub fn look(&mut self, distance: f64, right: Option<f64>, spread: f64) -> Vec<String> {
        self.seen.push((distance, right.unwrap_or(f64::NAN)));
        let mut signs = Vec::new();
        if !distance.is_finite() {
            signs.push(
                "the distance is no number: the generator has diverged; try a lower --lr"
                    .to_owned(),
            );
            return signs;
        }
        // In the beginning nothing differs yet.
        if spread < 0.25 && self.seen.len() > ROW {
            signs.push(format!(
                "samples are nearly all alike (they differ {:.0} % as much as real ones): mode collapse; \
                 try --pack 2, --loss relativistic or a lower --lr",
                100.0 * spread
            ));
        }
        if self.seen.len() <= ROW {
            return signs;
        }
        let last = &self.seen[self.seen.len() - ROW..];
        let before = self.seen[self.seen.len() - ROW - 1].0;
        let best = self.seen.iter().map(|(d, _)| *d).fold(f64::MAX, f64::min);
        let always = |is_so: &dyn Fn(f64) -> bool| last.iter().all(|(_, right)| is_so(*right));
        let grows = distance > before && last.iter().all(|(d, _)| *d > best);
        if always(&|right| (0.45..=0.55).contains(&right)) && grows {
            signs.push(
                "the critic is right half of the time while the distance grows: its feedback is random; \
                 try more --critic-steps or a higher --critic-rate"
                    .to_owned(),
            );
        } else if always(&|right| right > 0.99) && distance >= before {
            signs.push(
                "the critic is always right and the distance falls no more: its gradients vanish; \
                 try --loss wasserstein --gradient-penalty 10, or a lower --critic-rate"
                    .to_owned(),
            );
        } else if last.iter().all(|(d, _)| *d > 2.0 * best) {
            signs.push(format!(
                "the distance has been more than twice its best ({best:.4}) for {ROW} evaluations; \
                 the best checkpoint is kept"
            ));
        }
        signs
    }
}

/// How much samples differ from one another: the mean variance of their values.
pub fn spread(samples: &[f32], values: usize) -> f64 {
    let n = (samples.len() / values.max(1)).max(1) as f64;
    let (mut sums, mut squares) = (vec![0.0f64; values], vec![0.0f64; values]);
    for sample in samples.chunks_exact(values.max(1)) {
        for ((sum, square), x) in sums.iter_mut().zip(&mut squares).zip(sample) {
            *sum += f64::from(*x);
            *square += f64::from(*x) * f64::from(*x);
        }
    }
    let variances = sums
        .iter()
        .zip(&squares)
        .map(|(s, q)| q / n - (s / n).powi(2));
    variances.sum::<f64>() / values.max(1) as f64
}

/// The distance that an evaluation is watched by: the first that it has of some, or what a table lacks to be perfect.
pub fn distance(evaluation: &Evaluation) -> f64 {
    let losses = ["frechet", "sliced"].map(|name| evaluation.losses.get(name).copied());
    let lacks = evaluation
        .scores
        .get("quality")
        .map(|quality| 1.0 - quality);
    losses
        .into_iter()
        .flatten()
        .next()
        .or(lacks)
        .unwrap_or(f64::NAN)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn signs(seen: &[(f64, f64)], spread: f64) -> Vec<String> {
        let mut watch = Watch::default();
        let looks = seen
            .iter()
            .map(|(d, right)| watch.look(*d, Some(*right), spread));
        looks.last().unwrap()
    }

    #[test]
    fn a_run_that_goes_well_gives_no_sign() {
        let seen = [(9.0, 0.8), (7.0, 0.7), (5.0, 0.75), (4.0, 0.7), (3.0, 0.7)];
        assert_eq!(signs(&seen, 0.9), Vec::<String>::new());
    }

    #[test]
    fn each_sign_is_said_in_words() {
        let cases = [
            (
                vec![(5.0, 0.8), (4.0, 0.8), (4.0, 0.8), (3.9, 0.8)],
                0.1,
                "mode collapse",
            ),
            (
                vec![(2.0, 0.5), (2.5, 0.5), (3.0, 0.51), (3.5, 0.49)],
                1.0,
                "feedback is random",
            ),
            (
                vec![(2.0, 1.0), (2.0, 1.0), (2.0, 1.0), (2.0, 1.0)],
                1.0,
                "gradients vanish",
            ),
            (
                vec![(2.0, 0.8), (5.0, 0.8), (5.0, 0.8), (4.5, 0.8)],
                1.0,
                "twice its best",
            ),
            (vec![(f64::NAN, 0.8)], 1.0, "diverged"),
        ];
        for (seen, spread, expected) in cases {
            let found = signs(&seen, spread);
            assert!(
                found.len() == 1 && found[0].contains(expected),
                "{expected}: {found:?}"
            );
        }
    }

    #[test]
    fn what_a_log_tells_is_known_when_a_run_goes_on() {
        let line = |step: u64, right: f64, frechet: f64| {
            let report = format!(
                r#"{{"event":"report","step":{step},"epoch":0,"lr":0.1,"gradient":1.0,"seconds":1.0,"right":{right}}}"#
            );
            let evaluation = format!(
                r#"{{"event":"evaluation","step":{step},"epoch":0,"seconds":1.0,"is_best":false,"frechet":{frechet},"scores":{{}}}}"#
            );
            [report, evaluation]
        };
        let lines = [line(1, 0.5, 2.0), line(2, 0.5, 2.5), line(3, 0.51, 3.0)].concat();
        let events: Vec<Event> = (lines.iter())
            .map(|line| serde_json::from_str(line).unwrap())
            .collect();
        let signs = Watch::of_events(&events).look(3.5, Some(0.49), 1.0);
        assert!(signs[0].contains("feedback is random"), "{signs:?}");
    }

    #[test]
    fn spread_is_the_mean_variance() {
        // Columns 1, 3 and 2, 2: variances 1 and 0.
        assert_eq!(spread(&[1.0, 2.0, 3.0, 2.0], 2), 0.5);
    }
}
