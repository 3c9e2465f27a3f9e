//! A small network for images, whose features tell how much two sets of images are alike.
//!
//! ```text
//! windows of 5 pixels → relu → largest of every four    32 channels, then 64, until a side has 5 pixels or fewer
//! dense → relu: 128 features → classes
//! ```
//!
//! After LeNet-5 (LeCun et al. 1998). Where images have classes it learns to tell them apart, once, with Adam; where they
//! have none it stays as it begins, which is no worse a measure than it sounds (random features: Naeem et al. 2020).
//! Features of images that it was not made for are no measure: the network belongs to a size and a number of channels.

use super::images::Images;
use super::measure::Features;
use crate::nn::adam::{Adam, Moments};
use crate::nn::buffer::Buffer;
use crate::nn::dropout::Dropout;
use crate::nn::folder::{FolderError, read_tensors, rows_of, write_tensors};
use crate::nn::ops::activation::Activation;
use crate::nn::ops::conv::{Conv, Window};
use crate::nn::ops::pixels::{self, Size};
use crate::nn::ops::projection;
use crate::nn::parameters::{Layout, Parameter, Weights};
use crate::nn::tape::{Tape, Var};
use crate::random::Random;
use std::path::Path;

/// Features of an image.
const FEATURES: usize = 128;

/// Images that are looked at together.
const BATCH: usize = 128;

/// How often images are learned from, and how many at most: more make no better measure, but take longer.
const ROUNDS: u64 = 3;
const MOST: usize = 20_000;

/// The network, and its weights.
#[derive(Debug)]
pub struct Classifier {
    size: Size,
    layout: Layout,
    stages: Vec<(Conv, Size)>,
    dense: Conv,
    table: Parameter,
    weights: Weights,
}

impl Classifier {
    /// The network as it begins.
    pub fn new((height, width, channels): Size, classes: usize, seed: u64) -> Classifier {
        let mut layout = Layout::default();
        let (mut size, mut stages) = ((height, width, channels), Vec::new());
        while size.0.min(size.1) > 5 {
            let window = Window {
                height: size.0,
                width: size.1,
                channels: size.2,
                kernel: 5,
                stride: 1,
                padding: 0,
            };
            let after = if stages.is_empty() { 32 } else { 64 };
            let name = format!("windows.{}", stages.len());
            let conv = Conv::new(&mut layout, &name, window, after, (false, true));
            let (rows, columns) = window.places();
            stages.push((conv, (rows, columns, after)));
            size = (rows / 2, columns / 2, after);
        }
        let window = Window::dense(size.0 * size.1 * size.2);
        let dense = Conv::new(&mut layout, "features", window, FEATURES, (false, true));
        let table = layout.matrix("classes.weight", classes.max(1), FEATURES);
        let mut weights = Weights::zeros(&layout);
        let (values, mut random) = (weights.values_mut(), Random::new(seed, 0x6665_6174));
        for (name, p) in layout.entries() {
            let bound = 1.0 / (p.columns as f32).sqrt();
            if name.ends_with("weight") {
                let own = values[p.range()].iter_mut();
                own.for_each(|w| *w = bound * 3f32.sqrt() * (2.0 * random.unit() - 1.0));
            }
        }
        Classifier {
            size: (height, width, channels),
            layout,
            stages,
            dense,
            table,
            weights,
        }
    }

    /// The network of a file, for images of a size.
    ///
    /// # Errors
    /// When the file is damaged, or is a network for other images.
    pub fn of_file(size: Size, path: &Path) -> Result<Classifier, FolderError> {
        let classes = rows_of(path, "classes.weight")?;
        let mut network = Classifier::new(size, classes, 0);
        network.load(path)?;
        Ok(network)
    }

    /// Features of images, (n, 128).
    fn forward(&self, tape: &Tape, images: Buffer) -> Var {
        let mut x = tape.var(images, self.size.2, false);
        for (conv, size) in &self.stages {
            let y = conv.forward(tape, &x, Activation::Relu);
            x = pixels::largest(tape, &y, *size);
        }
        self.dense.forward(tape, &x, Activation::Relu)
    }

    /// Learns the classes of images; `tell` hears of each batch, and how many there are.
    ///
    /// Gives the share of the last round's images whose class was found, while it learned.
    pub fn learn(
        &mut self,
        images: &Images,
        seed: u64,
        tell: &mut dyn FnMut(u64, u64),
    ) -> Option<f64> {
        let labels = images.labels()?;
        let adam = Adam {
            beta2: 0.999,
            epsilon: 1e-8,
            ..Adam::default()
        };
        let mut moments = Moments::zeros(self.layout.len());
        let mut gradients = vec![0.0; self.layout.len()];
        let mut some: Vec<u32> = (0..images.len() as u32).collect();
        Random::new(seed, ROUNDS).shuffle(&mut some);
        some.truncate(MOST);
        let (values, batches) = (images.shape().values(), some.len().div_ceil(BATCH) as u64);
        let (mut right, mut seen) = (0, 0);
        for round in 0..ROUNDS {
            let mut order = some.clone();
            Random::new(seed, round).shuffle(&mut order);
            (right, seen) = (0, 0);
            for (i, batch) in (0..).zip(order.chunks(BATCH)) {
                tell(round * batches + i, ROUNDS * batches);
                let mut x = Buffer::of(batch.len() * values);
                for (to, image) in x.chunks_exact_mut(values).zip(batch) {
                    images.write_into(*image as usize, false, to);
                }
                let targets: Vec<u32> = batch.iter().map(|image| labels[*image as usize]).collect();
                let tape = Tape::recording(&self.weights, gradients, Dropout::none());
                let features = self.forward(&tape, x);
                right += self.right(&features, &targets);
                seen += targets.len();
                let weight = 1.0 / targets.len() as f32;
                projection::loss(&tape, &features, self.table, &targets, 0.0, weight);
                drop(features);
                gradients = tape.backward();
                let weights = self.weights.values_mut();
                adam.update(weights, &mut gradients, &mut moments, 1e-3, 1.0);
            }
        }
        Some(f64::from(right) / seen.max(1) as f64)
    }

    /// How many rows have the largest value at their class.
    fn right(&self, features: &Var, targets: &[u32]) -> u32 {
        let table = self.weights.of(self.table);
        let rows = features.values().chunks_exact(FEATURES).zip(targets);
        let is_right = |(row, target): &(&[f32], &u32)| {
            let scores = table.chunks_exact(FEATURES).map(|class| {
                let pairs = class.iter().zip(*row);
                pairs.map(|(a, b)| a * b).sum::<f32>()
            });
            let best = scores.enumerate().max_by(|a, b| a.1.total_cmp(&b.1));
            best.is_some_and(|(class, _)| class == **target as usize)
        };
        rows.filter(is_right).count() as u32
    }

    /// # Errors
    /// When the disk does not take it.
    pub fn save(&self, path: &Path) -> std::io::Result<()> {
        let tensors = self.layout.entries();
        let tensors =
            tensors.map(|(name, p)| (name.to_owned(), (p.rows, p.columns), self.weights.of(p)));
        write_tensors(path, tensors.collect())
    }

    /// Takes the weights of a file.
    ///
    /// # Errors
    /// When they are damaged, or those of another network.
    pub fn load(&mut self, path: &Path) -> Result<(), FolderError> {
        let expected = (self.layout.entries()).map(|(name, p)| (name, (p.rows, p.columns)));
        let tensors = read_tensors(path, expected.collect(), None)?;
        self.weights.values_mut().copy_from_slice(&tensors.concat());
        Ok(())
    }
}

impl Features for Classifier {
    fn dim(&self) -> usize {
        FEATURES
    }

    fn of(&self, images: &[f32], n: usize) -> Vec<f32> {
        let values = images.len() / n.max(1);
        let batches = images.chunks(values.max(1) * BATCH);
        let features = batches.map(|batch| {
            let tape = Tape::plain(&self.weights);
            self.forward(&tape, Buffer::copy_of(batch))
                .values()
                .to_vec()
        });
        features.collect::<Vec<_>>().concat()
    }
}

#[cfg(test)]
mod tests {
    use super::super::images::Shape;
    use super::*;

    /// Images with a bright half, left or right.
    fn halves(n: usize) -> Images {
        let shape = Shape {
            height: 12,
            width: 12,
            channels: 1,
        };
        let mut random = Random::new(5, 0);
        let pixel = |i: usize| {
            let (image, column) = (i / 144, i % 12);
            let bright = (column < 6) == image.is_multiple_of(2);
            (image, bright)
        };
        let pixels = (0..n * 144)
            .map(|i| if pixel(i).1 { 150 } else { 20 } + random.below(60) as u8)
            .collect();
        let labels = (0..n as u32).map(|i| i % 2).collect();
        let classes = vec!["left".to_owned(), "right".to_owned()];
        let images = Images::of_pixels(shape, pixels).unwrap();
        images.labelled(labels, classes).unwrap()
    }

    #[test]
    fn classes_that_differ_are_told_apart() {
        let images = halves(600);
        let mut network = Classifier::new((12, 12, 1), 2, 1);
        let right = network.learn(&images, 1, &mut |_, _| ()).unwrap();
        assert!(right > 0.95, "{right}");
    }

    #[test]
    fn what_is_saved_gives_the_same_features_again() {
        let place = tempfile::tempdir().unwrap();
        let path = place.path().join("features.safetensors");
        let network = Classifier::new((12, 12, 1), 2, 7);
        network.save(&path).unwrap();
        let mut again = Classifier::new((12, 12, 1), 2, 8);
        let x: Vec<f32> = (0..288).map(|i| (i as f32).sin()).collect();
        assert_ne!(network.of(&x, 2), again.of(&x, 2));
        again.load(&path).unwrap();
        assert_eq!(network.of(&x, 2), again.of(&x, 2));
        let mut other = Classifier::new((16, 16, 1), 2, 8);
        assert!(other.load(&path).is_err());
    }

    #[test]
    fn images_of_any_size_have_features() {
        for size in [
            (1, 1, 1),
            (5, 5, 3),
            (6, 7, 1),
            (28, 28, 1),
            (32, 32, 3),
            (64, 64, 3),
        ] {
            let network = Classifier::new(size, 2, 1);
            let x = vec![0.5; 2 * size.0 * size.1 * size.2];
            let found = network.of(&x, 2);
            assert_eq!(found.len(), 256, "{size:?}");
            assert!(found.iter().all(|f| f.is_finite()));
        }
    }
}
