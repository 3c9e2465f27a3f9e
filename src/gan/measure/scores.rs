//! All numbers of a pair of sets, real and made, and beside them the floor: the same between two halves of the real
//! set.
//!
//! ```text
//! {"real":10000,"made":10000,"frechet":12.3,"kernel":{"mean":0.01,"deviation":0.002},"sliced":0.1,
//!  "precision":0.9,"recall":0.8,"density":1.1,"coverage":0.85,"floor":{…}}
//! ```
//!
//! A measure that was not asked for, or for which there was no time, is left out.

use super::floor::{choose, halves};
use super::kernel::{self, Kernel, Subsets};
use super::neighbours::{self, Overlap};
use super::{MeasureError, Points, frechet, sliced};
use serde::{Deserialize, Serialize};
use std::time::Instant;

/// What can be measured of any two sets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Measure {
    /// The Fréchet distance of features
    Frechet,
    /// The kernel distance of features
    Kernel,
    /// The sliced Wasserstein distance of pixels
    Sliced,
    /// Precision, recall, density and coverage of features
    Overlap,
}

impl Measure {
    /// Every measure.
    pub const ALL: [Measure; 4] = [
        Measure::Frechet,
        Measure::Kernel,
        Measure::Sliced,
        Measure::Overlap,
    ];
}

/// What is known of a set of samples.
#[derive(Clone, Copy, Debug)]
pub struct Samples<'a> {
    pub features: Points<'a>,
    /// What the sliced distance is taken of; features where there are none.
    pub pixels: Option<Points<'a>>,
}

/// How sets are measured.
#[derive(Clone, Debug)]
pub struct Options {
    pub measures: Vec<Measure>,
    /// Whether the floor is measured too.
    pub has_floor: bool,
    /// Which of its neighbours a sample's ball reaches to.
    pub k: usize,
    /// Samples of each set that lie in each other: the first ones, since the work grows with their square.
    pub overlap_samples: usize,
    /// Subsets of the kernel distance, and how many samples each has.
    pub subsets: (usize, usize),
    /// Lines of the sliced distance.
    pub lines: usize,
    pub seed: u64,
    /// When no measure begins any more.
    pub deadline: Option<Instant>,
}

impl Default for Options {
    fn default() -> Options {
        let Subsets { count, size, seed } = Subsets::default();
        Options {
            measures: Measure::ALL.to_vec(),
            has_floor: true,
            k: 5,
            overlap_samples: 5000,
            subsets: (count, size),
            lines: 128,
            seed,
            deadline: None,
        }
    }
}

/// What is about to be measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Step {
    pub measure: Measure,
    pub is_floor: bool,
    /// Steps before this one.
    pub done: usize,
    /// All steps.
    pub of: usize,
}

/// All numbers of a pair of sets.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Scores {
    /// Real samples.
    pub real: usize,
    /// Made samples; of the floor, the other half of the real ones.
    pub made: usize,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub frechet: Option<f64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kernel: Option<Kernel>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sliced: Option<f64>,
    /// Precision, recall, density and coverage, beside the other numbers when written.
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    pub overlap: Option<Overlap>,
    /// The same between two halves of the real samples, where these are enough.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub floor: Option<Box<Scores>>,
    /// Measures that were asked for and for which there was no time.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub left_out: Vec<Measure>,
}

/// Measures made samples beside real ones; says each step before it begins.
///
/// # Errors
/// When sets are of different widths or smaller than a measure is defined for. A measure for which half of the real
/// samples is too few has no floor.
pub fn score(
    real: &Samples,
    made: &Samples,
    options: &Options,
    mut about_to: impl FnMut(Step),
) -> Result<Scores, MeasureError> {
    let (real_pixels, made_pixels) = (real.compared()?, made.compared()?);
    let (n, measures) = (real.features.n(), &options.measures);
    let mut done = 0;
    let mut step = |measure, is_floor| {
        let of = measures.len() * (1 + usize::from(options.has_floor));
        about_to(Step {
            measure,
            is_floor,
            done,
            of,
        });
        done += 1;
    };
    let mut scores = Scores::of(n, made.features.n());
    let features = (&real.features, &made.features);
    let mut too_few = None;
    for &measure in measures {
        step(measure, false);
        match scores.add(measure, features, (&real_pixels, &made_pixels), options) {
            Ok(()) => {}
            Err(error @ MeasureError::TooFew { .. }) => too_few = Some(error),
            Err(error) => return Err(error),
        }
    }
    if let (Some(error), true) = (too_few, scores.is_empty()) {
        return Err(error);
    }
    if options.has_floor {
        let order = halves(n, options.seed);
        let mut floor = Scores::of(order[0].len(), order[1].len());
        let half = |of: Points, part: usize| choose(&of, &order[part]);
        let features = [0, 1].map(|part| half(real.features, part));
        let pixels = [0, 1].map(|part| half(real_pixels, part));
        let rows = |values, like: Points| Points::new(values, like.dim());
        let features = (
            &rows(&features[0], real.features)?,
            &rows(&features[1], real.features)?,
        );
        let pixels = (
            &rows(&pixels[0], real_pixels)?,
            &rows(&pixels[1], real_pixels)?,
        );
        for &measure in measures {
            step(measure, true);
            match floor.add(measure, features, pixels, options) {
                Ok(()) | Err(MeasureError::TooFew { .. }) => (),
                Err(error) => return Err(error),
            }
        }
        scores.floor = Some(Box::new(floor));
    }
    Ok(scores)
}

impl<'a> Samples<'a> {
    /// What the sliced distance is taken of.
    fn compared(&self) -> Result<Points<'a>, MeasureError> {
        let pixels = self.pixels.unwrap_or(self.features);
        let (features, pixels_n) = (self.features.n(), pixels.n());
        match features == pixels_n {
            true => Ok(pixels),
            false => Err(MeasureError::Counts {
                features,
                pixels: pixels_n,
            }),
        }
    }
}

impl Scores {
    fn of(real: usize, made: usize) -> Scores {
        Scores {
            real,
            made,
            ..Scores::default()
        }
    }

    /// Whether nothing was measured.
    fn is_empty(&self) -> bool {
        self.frechet.is_none()
            && self.kernel.is_none()
            && self.sliced.is_none()
            && self.overlap.is_none()
    }

    /// Adds what a measure finds.
    fn add(
        &mut self,
        measure: Measure,
        (real, made): (&Points, &Points),
        pixels: (&Points, &Points),
        options: &Options,
    ) -> Result<(), MeasureError> {
        if options.deadline.is_some_and(|end| Instant::now() >= end) {
            self.left_out.push(measure);
            return Ok(());
        }
        let seed = options.seed;
        match measure {
            Measure::Frechet => self.frechet = Some(frechet::distance(real, made)?),
            Measure::Kernel => {
                let (count, size) = options.subsets;
                let subsets = Subsets { count, size, seed };
                self.kernel = Some(kernel::distance(real, made, subsets)?);
            }
            Measure::Sliced => {
                let (real, made) = pixels;
                self.sliced = Some(sliced::distance(real, made, options.lines, seed)?);
            }
            Measure::Overlap => {
                let [real, made] = [real, made].map(|set| set.first(options.overlap_samples));
                self.overlap = Some(neighbours::overlap(&real, &made, options.k)?);
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::correlated;
    use super::*;

    fn samples(values: &[f32]) -> Samples<'_> {
        Samples {
            features: Points::new(values, 6).unwrap(),
            pixels: None,
        }
    }

    fn measured(real: &[f32], made: &[f32], options: &Options) -> Scores {
        score(&samples(real), &samples(made), options, |_| ()).unwrap()
    }

    #[test]
    fn samples_of_the_same_distribution_score_about_as_the_floor_does() {
        let (real, made) = (correlated(600, 6, 1), correlated(600, 6, 2));
        let scores = measured(&real, &made, &Options::default());
        let floor = scores.floor.unwrap();
        assert_eq!((floor.real, floor.made), (300, 300));
        // Half the samples about double the distance.
        assert!(scores.frechet.unwrap() < 2.0 * floor.frechet.unwrap());
        assert!((scores.overlap.unwrap().coverage - floor.overlap.unwrap().coverage).abs() < 0.1);
    }

    #[test]
    fn only_what_is_asked_for_is_measured() {
        let real = correlated(50, 6, 1);
        let options = Options {
            measures: vec![Measure::Sliced],
            has_floor: false,
            ..Options::default()
        };
        let scores = measured(&real, &real, &options);
        let text = serde_json::to_string(&scores).unwrap();
        assert_eq!(text, r#"{"real":50,"made":50,"sliced":0.0}"#);
    }

    #[test]
    fn scores_are_read_as_they_were_written() {
        let (real, made) = (correlated(60, 6, 1), correlated(50, 6, 2));
        let scores = measured(&real, &made, &Options::default());
        let text = serde_json::to_string(&scores).unwrap();
        assert_eq!(serde_json::from_str::<Scores>(&text).unwrap(), scores);
    }

    #[test]
    fn nothing_begins_when_the_time_is_up() {
        let real = correlated(50, 6, 1);
        let options = Options {
            deadline: Some(Instant::now()),
            ..Options::default()
        };
        let scores = measured(&real, &real, &options);
        assert_eq!(scores.left_out, Measure::ALL);
        assert_eq!(scores.frechet, None);
    }

    #[test]
    fn a_floor_of_too_few_samples_is_left_out_measure_by_measure() {
        let real = correlated(10, 6, 1);
        let floor = measured(&real, &real, &Options::default()).floor.unwrap();
        assert!(floor.overlap.is_none() && floor.frechet.is_some());
    }

    #[test]
    fn each_step_is_said_before_it_begins() {
        let real = correlated(50, 6, 1);
        let mut steps = Vec::new();
        let both = samples(&real);
        score(&both, &both, &Options::default(), |step| steps.push(step)).unwrap();
        let numbers: Vec<_> = steps.iter().map(|step| (step.done, step.of)).collect();
        assert_eq!(numbers, (0..8).map(|i| (i, 8)).collect::<Vec<_>>());
        assert!(!steps[3].is_floor && steps[4].is_floor);
    }

    #[test]
    fn features_and_pixels_of_different_samples_are_refused() {
        let real = correlated(50, 6, 1);
        let mut made = samples(&real);
        made.pixels = Some(Points::new(&real[..60], 6).unwrap());
        let error = score(&samples(&real), &made, &Options::default(), |_| ()).unwrap_err();
        let text = "there are features of 50 samples and pixels of 10";
        assert_eq!(error.to_string(), text);
    }
}
