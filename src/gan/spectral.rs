//! Spectral normalisation: the critic's matrices divided by their largest singular values.
//!
//! ```text
//! once a step   v ← Wᵀu / ‖Wᵀu‖     u ← W v / ‖W v‖     σ = uᵀ W v     W̄ = W / σ
//! back          dW = (dW̄ − ⟨dW̄, W̄⟩ · u vᵀ) / σ
//! ```
//!
//! Miyato et al. 2018: one step of the power iteration for each step of training, u going on from one to the next. It lies
//! among the weights, as a parameter without a gradient, so that a run that goes on has it.

use super::model::Model;
use crate::nn::parameters::{Layout, Parameter, Weights};

/// Steps of the power iteration before the first step of training.
const FIRST: usize = 30;

/// What is known of the critic's matrices.
pub struct Spectral {
    layout: Layout,
    matrices: Vec<Matrix>,
}

struct Matrix {
    w: Parameter,
    u: Parameter,
    v: Vec<f32>,
    sigma: f32,
}

/// Makes a vector one of length 1, and gives its length.
fn unit(values: &mut [f32]) -> f32 {
    let length = values.iter().map(|v| v * v).sum::<f32>().sqrt();
    values.iter_mut().for_each(|v| *v /= length.max(1e-12));
    length
}

/// v and W v of u.
fn turned(w: &[f32], u: &[f32], v: &mut [f32]) -> Vec<f32> {
    let columns = v.len();
    v.fill(0.0);
    for (row, u) in w.chunks_exact(columns).zip(u) {
        v.iter_mut().zip(row).for_each(|(v, w)| *v += u * w);
    }
    unit(v);
    let dot = |row: &[f32]| row.iter().zip(v.iter()).map(|(w, v)| w * v).sum();
    w.chunks_exact(columns).map(dot).collect()
}

/// Sets the u of each pair (W, u) to what many steps find.
pub(super) fn begin(pairs: &[(Parameter, Parameter)], weights: &mut Weights) {
    for (w, u) in pairs {
        let mut found: Vec<f32> = (0..w.rows).map(|i| (i as f32 * 1.7 + 0.3).sin()).collect();
        let mut v = vec![0.0; w.columns];
        for _ in 0..FIRST {
            unit(&mut found);
            found = turned(weights.of(*w), &found, &mut v);
        }
        unit(&mut found);
        weights.part_mut(u.range()).copy_from_slice(&found);
    }
}

impl Spectral {
    pub fn new(model: &Model) -> Spectral {
        let mut layout = Layout::default();
        for (name, p) in model.layout().entries() {
            layout.matrix(name, p.rows, p.columns);
        }
        let matrix = |(w, u): &(Parameter, Parameter)| Matrix {
            w: *w,
            u: *u,
            v: vec![0.0; w.columns],
            sigma: 1.0,
        };
        Spectral {
            layout,
            matrices: model.spectral().iter().map(matrix).collect(),
        }
    }

    /// All weights, the critic's matrices divided; if it `turns`, u takes a step first.
    pub fn divide(&mut self, weights: &mut Weights, turns: bool) -> Weights {
        for matrix in &mut self.matrices {
            let mut next = turned(weights.of(matrix.w), weights.of(matrix.u), &mut matrix.v);
            matrix.sigma = match turns {
                true => {
                    let sigma = unit(&mut next);
                    weights.part_mut(matrix.u.range()).copy_from_slice(&next);
                    sigma
                }
                false => {
                    let pairs = weights.of(matrix.u).iter().zip(&next);
                    pairs.map(|(u, next)| u * next).sum()
                }
            };
            matrix.sigma = matrix.sigma.max(1e-12);
        }
        let mut divided = Weights::zeros(&self.layout);
        let values = divided.values_mut();
        values.copy_from_slice(weights.values());
        for matrix in &self.matrices {
            let own = values[matrix.w.range()].iter_mut();
            own.for_each(|w| *w /= matrix.sigma);
        }
        divided
    }

    /// Gradients of the weights, in place of those of what [`Spectral::divide`] gave last.
    pub fn pull_back(&self, weights: &Weights, gradients: &mut [f32]) {
        for Matrix { w, u, v, sigma } in &self.matrices {
            let (g, values) = (&mut gradients[w.range()], weights.of(*w));
            let products = g.iter().zip(values);
            let product: f64 = products.map(|(g, w)| f64::from(*g) * f64::from(*w)).sum();
            let along = (product / f64::from(*sigma)) as f32;
            for (row, u) in g.chunks_exact_mut(w.columns).zip(weights.of(*u)) {
                let columns = row.iter_mut().zip(v);
                columns.for_each(|(g, v)| *g = (*g - along * u * v) / sigma);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::shape::{Kind, Shape};
    use super::*;

    fn model() -> Model {
        Model::new(Shape {
            height: 1,
            width: 1,
            channels: 3,
            critic: vec![4],
            spectral: true,
            ..Shape::small(Kind::Mlp)
        })
        .unwrap()
    }

    #[test]
    fn a_matrix_of_known_singular_values_is_divided_by_the_largest() {
        let model = model();
        let mut weights = model.initial_weights(1);
        let (w, _) = model.spectral()[0];
        // (4, 3): a diagonal.
        let values = [3.0, 0.0, 0.0, 0.0, 7.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0];
        weights.part_mut(w.range()).copy_from_slice(&values);
        let mut spectral = Spectral::new(&model);
        let divided = (0..40).map(|_| spectral.divide(&mut weights, true)).last();
        let expected = values.map(|v| v / 7.0);
        let close = divided
            .unwrap()
            .of(w)
            .iter()
            .zip(expected)
            .all(|(a, b)| (a - b).abs() < 1e-5);
        assert!(close);
    }

    #[test]
    fn gradients_are_those_of_the_divided_matrix_along_the_one_that_is_learned() {
        let model = model();
        let mut weights = model.initial_weights(1);
        let mut spectral = Spectral::new(&model);
        // u and v as they are in the end, where their own change changes σ no more.
        (0..200).for_each(|_| drop(spectral.divide(&mut weights, true)));
        let (w, _) = model.spectral()[0];
        let mut gradients = vec![0.0; model.layout().len()];
        let mine = gradients[w.range()].iter_mut().enumerate();
        mine.for_each(|(i, g)| *g = (i as f32 * 0.9).cos());
        let coefficients = gradients.clone();
        spectral.pull_back(&weights, &mut gradients);
        let mut at = |i: usize, by: f32| {
            let mut moved = Weights::zeros(model.layout());
            moved.values_mut().copy_from_slice(weights.values());
            moved.part_mut(w.range())[i] += by;
            (0..50).for_each(|_| drop(spectral.divide(&mut moved, true)));
            let divided = spectral.divide(&mut moved, false);
            let products = divided.values().iter().zip(&coefficients);
            products
                .map(|(w, g)| f64::from(*w) * f64::from(*g))
                .sum::<f64>()
        };
        for i in 0..w.range().len() {
            let slope = (at(i, 1e-3) - at(i, -1e-3)) / 2e-3;
            let found = f64::from(gradients[w.range().start + i]);
            assert!((slope - found).abs() < 2e-3, "{i}: {slope} {found}");
        }
    }
}
