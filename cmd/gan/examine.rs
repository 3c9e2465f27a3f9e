//! What samples are like while their makers still learn: pictures, measures, warnings.

use super::loaded::{Class, of_seeds, shown};
use super::measure::{Real, evaluation, some_of};
use super::pace::Pace;
use super::pictures::{picture, png};
use super::report::LINES;
use super::source::Source;
use crate::report::ReportArgs;
use crate::teller::events;
use anyhow::Result;
use serde_json::json;
use wordmill::gan::feed::Data;
use wordmill::gan::model::Model;
use wordmill::gan::watch::{Watch, distance};
use wordmill::nn::event::Evaluation;
use wordmill::nn::folder::Folder;
use wordmill::nn::parameters::Weights;
use wordmill::random::Random;

/// Samples of a picture: a square of images, a cloud of points.
const SHOWN: (usize, usize) = (64, 2500);

/// Writes what real samples look like, in the way in which made ones are shown.
///
/// # Errors
/// When the picture cannot be written.
pub fn show_reals(source: &Source, folder: &Folder) -> Result<()> {
    let n = match source {
        Source::Points(..) => SHOWN.1,
        _ => SHOWN.0,
    };
    let mut values = vec![0.0; n.min(source.len()) * source.values()];
    let mut random = Random::new(1, 0);
    let chosen = some_of(source.len(), n);
    for (to, index) in values.chunks_exact_mut(source.values()).zip(chosen) {
        source.write(index, &mut random, to);
    }
    let made = source.kept().made(&values, source.shape());
    if let Some(picture) = picture(source, &made) {
        folder.write("reals.png", &png(&picture)?)?;
    }
    Ok(())
}

/// Who looks at samples during training.
pub struct Examiner<'a> {
    real: &'a Real<'a>,
    source: &'a Source,
    model: &'a Model,
    folder: &'a Folder,
    report: ReportArgs,
    samples: usize,
    /// Begun with what the log tells, when something is first looked at.
    watch: Option<Watch>,
    /// Whether the distance between real samples was said.
    has_floor: bool,
}

impl<'a> Examiner<'a> {
    pub fn new(
        real: &'a Real<'a>,
        source: &'a Source,
        model: &'a Model,
        (folder, report): (&'a Folder, ReportArgs),
        samples: usize,
    ) -> Examiner<'a> {
        Examiner {
            real,
            source,
            model,
            folder,
            report,
            samples,
            watch: None,
            has_floor: false,
        }
    }

    /// How good the samples of these weights are, which are drawn, too.
    pub fn examine(&mut self, weights: &Weights, step: u64, right: Option<f64>) -> Evaluation {
        match self.look(weights, step, right) {
            Ok(evaluation) => evaluation,
            // Training goes on; what cannot be measured now may be later.
            Err(error) => Evaluation {
                warnings: vec![format!("{error:#}")],
                ..Evaluation::default()
            },
        }
    }

    fn look(&mut self, weights: &Weights, step: u64, right: Option<f64>) -> Result<Evaluation> {
        let data = self.source.kept();
        let make = |first: u64, n: usize| {
            let seeds: Vec<u64> = (first..).take(n).collect();
            let (z, given) = of_seeds(&self.model.shape, &data, &seeds, (Class::AsOften, None));
            shown(self.model, weights, &data, &z, &given)
        };
        let n = match self.source {
            Source::Points(..) => SHOWN.1,
            _ => SHOWN.0,
        };
        let mut warnings = Vec::new();
        if let Some(picture) = picture(self.source, &make(0, n)?) {
            let written = png(&picture).and_then(|bytes| {
                Ok(self
                    .folder
                    .write(&format!("samples-{step:06}.png"), &bytes)?)
            });
            if let Err(error) = written {
                warnings.push(format!("{error:#}; training goes on"));
            }
        }
        // Other seeds than those that are looked at.
        let made = make(1 << 32, self.samples)?;
        let measured = (self.real).measure(&made, !self.has_floor, &mut Pace::silent())?;
        if let Some(floor) = measured.numbers.get("floor")
            && !std::mem::replace(&mut self.has_floor, true)
        {
            let floor = evaluation(floor.as_object().unwrap_or(&serde_json::Map::new()));
            self.report.say(
                || json!({"event": "floor", "values": floor}),
                || {
                    format!(
                        "real samples against real ones: {}",
                        (LINES.evaluation)(&floor)
                    )
                },
            );
        }
        let mut evaluation = evaluation(&measured.numbers);
        let distance = distance(&evaluation);
        let folder = self.folder;
        let watch = (self.watch).get_or_insert_with(|| Watch::of_events(&events(folder)));
        evaluation.warnings = watch.look(distance, right, measured.spread);
        evaluation.warnings.append(&mut warnings);
        Ok(evaluation)
    }
}
