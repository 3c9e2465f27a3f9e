//! Recurrent translators in f64, written plainly.

use super::batch;
use crate::nn::ops::cell::Cell;
use crate::nn::ops::linear::Linear;
use crate::nn::ops::norm::Norm;
use crate::nn::ops::recurrent::tests::{affine, one_step};
use crate::nn::parameters::Parameter;
use crate::translate::recurrent::config::Attention;
use crate::translate::recurrent::model::Recurrent;

/// The model in f64.
struct Plain<'a> {
    model: &'a Recurrent,
    values: &'a [f64],
}

impl Plain<'_> {
    fn of(&self, p: Parameter) -> &[f64] {
        &self.values[p.range()]
    }

    fn linear(&self, layer: Linear, x: &[f64]) -> Vec<f64> {
        affine(self.of(layer.weight), x, self.of(layer.bias))
    }

    fn norm(&self, norm: Option<Norm>, x: Vec<f64>) -> Vec<f64> {
        let Some(norm) = norm else { return x };
        let n = x.len() as f64;
        let mean = x.iter().sum::<f64>() / n;
        let variance = x.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / n;
        let hat = x.iter().map(|x| (x - mean) / (variance + 1e-5).sqrt());
        let both = self.of(norm.scale).iter().zip(self.of(norm.shift));
        hat.zip(both).map(|(x, (g, b))| g * x + b).collect()
    }

    fn row(&self, table: Parameter, id: u32) -> Vec<f64> {
        let d = table.columns;
        self.of(table)[id as usize * d..(id as usize + 1) * d].to_vec()
    }

    fn step(&self, cell: &Cell, x: &[f64], h: &mut Vec<f64>, c: &mut Vec<f64>) {
        let (x, u) = (self.linear(cell.input, x), self.linear(cell.state, h));
        (*h, *c) = one_step(cell.kind, &x, &u, h, c);
    }

    /// States of a layer of the encoder, in the order of the sentence.
    fn read(&self, cell: &Cell, x: &[Vec<f64>], is_backward: bool) -> Vec<Vec<f64>> {
        let (mut h, mut c) = (vec![0.0; cell.dim()], vec![0.0; cell.dim()]);
        let mut order: Vec<usize> = (0..x.len()).collect();
        if is_backward {
            order.reverse();
        }
        let mut states = vec![Vec::new(); x.len()];
        for i in order {
            self.step(cell, &x[i], &mut h, &mut c);
            states[i].clone_from(&h);
        }
        states
    }

    /// What is known of the source after the state `h`.
    fn context(&self, h: &[f64], memory: &[Vec<f64>]) -> Vec<f64> {
        let model = self.model;
        let q = model
            .query
            .map_or(h.to_vec(), |query| self.linear(query, h));
        let score = |row: &Vec<f64>| match (model.keys, model.v) {
            (Some(keys), Some(v)) => {
                let sums = self.linear(keys, row).into_iter().zip(&q);
                let parts = sums.zip(self.of(v)).map(|((k, q), v)| v * (k + q).tanh());
                parts.sum::<f64>()
            }
            _ => dot(row, &q),
        };
        let p = softmax(&memory.iter().map(score).collect::<Vec<_>>());
        let mean = |i: usize| p.iter().zip(memory).map(|(p, row)| p * row[i]).sum();
        (0..memory[0].len()).map(mean).collect()
    }

    /// The smoothed loss of one pair.
    fn pair(&self, source: &[u32], target_in: &[u32], target_out: &[u32], smoothing: f64) -> f64 {
        let model = self.model;
        let norms = model.norms.as_ref();
        let embed = |table, norm: Option<Norm>, ids: &[u32]| -> Vec<Vec<f64>> {
            let rows = ids.iter().map(|id| self.row(table, *id));
            rows.map(|row| self.norm(norm, row)).collect()
        };
        let mut x = embed(model.source.table, norms.map(|n| n.source), source);
        let mut first = Vec::new();
        for (l, [forward, backward]) in model.encoder.iter().enumerate() {
            let (there, back) = (self.read(forward, &x, false), self.read(backward, &x, true));
            let ends = [&there[x.len() - 1][..], &back[0]].concat();
            let state = self.linear(model.bridge, &ends);
            first.push(state.iter().map(|v| v.tanh()).collect::<Vec<f64>>());
            let both = there.iter().zip(&back).map(|(a, b)| [&a[..], b].concat());
            let norm = norms.map(|n| n.encoder[l]);
            x = both.map(|row| self.norm(norm, row)).collect();
        }
        let (memory, d) = (x, model.config.dim);
        let (mut h, mut c) = (first.clone(), vec![vec![0.0; d]; first.len()]);
        let mut context = vec![0.0; d];
        let mut loss = 0.0;
        let inputs = embed(model.target.table, norms.map(|n| n.target), target_in);
        for (mut x, target) in inputs.into_iter().zip(target_out) {
            for (l, cell) in model.decoder.iter().enumerate() {
                let mut gates = self.linear(cell.input, &x);
                if let Some(feed) = model.feed.filter(|_| l == 0) {
                    let none = vec![0.0; gates.len()];
                    let fed = affine(self.of(feed), &context, &none);
                    gates.iter_mut().zip(fed).for_each(|(x, f)| *x += f);
                }
                let u = self.linear(cell.state, &h[l]);
                (h[l], c[l]) = one_step(cell.kind, &gates, &u, &h[l], &c[l]);
                x.clone_from(&h[l]);
            }
            let mut both = self.norm(norms.map(|n| n.decoder), x.clone());
            if model.config.attention != Attention::None {
                context = self.context(&x, &memory);
                both.extend_from_slice(&context);
            }
            let top: Vec<f64> = (self.linear(model.combine, &both).iter())
                .map(|v| v.tanh())
                .collect();
            let table = self.of(model.output).chunks(model.output.columns);
            let p = softmax(&table.map(|w| dot(w, &top)).collect::<Vec<_>>());
            let logs: Vec<f64> = p.iter().map(|p| p.ln()).collect();
            let mean = logs.iter().sum::<f64>() / logs.len() as f64;
            loss -= (1.0 - smoothing) * logs[*target as usize] + smoothing * mean;
        }
        loss
    }
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

fn softmax(scores: &[f64]) -> Vec<f64> {
    let most = scores.iter().copied().fold(f64::MIN, f64::max);
    let sum: f64 = scores.iter().map(|s| (s - most).exp()).sum();
    scores.iter().map(|s| (s - most).exp() / sum).collect()
}

/// The loss of the batch, the mean over target tokens.
pub fn exact(model: &Recurrent, values: &[f64]) -> f64 {
    let (plain, batch) = (Plain { model, values }, batch());
    let pairs = batch.source.sentences().zip(batch.target_in.sentences());
    let losses = pairs.map(|(s, t)| {
        plain.pair(
            &batch.source.ids[s],
            &batch.target_in.ids[t.clone()],
            &batch.target_out[t],
            0.1,
        )
    });
    losses.sum::<f64>() / batch.target_out.len() as f64
}
