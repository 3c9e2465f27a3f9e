//! Matrices divided by their largest singular values on a device: see `gan/spectral.rs`.

use super::kernel;
use crate::nn::device::{Argument, Gpu, Kind, Memory, Operand, Product};
use crate::nn::parameters::{Layout, Parameter, There, Weights};

/// Threads of a block that sums.
const THREADS: u32 = 256;

/// Blocks that sum the products of two matrices.
const SHARES: usize = 64;

/// Weights of which some matrices are divided, and what they were divided by.
pub struct Divided {
    weights: Weights,
    matrices: Vec<Matrix>,
    sigmas: Memory,
}

/// A matrix, and the vectors that its largest singular value belongs to; u lies among the weights.
struct Matrix {
    w: Parameter,
    u: Parameter,
    v: Memory,
}

/// y (1, n) = x (1, m) · W (m, n)
fn multiply(gpu: &Gpu, x: Operand, w: Operand, y: &Memory, m: usize) {
    let n = y.len();
    gpu.multiply(&Product {
        a: x,
        b: w,
        c: y.matrix(0, n),
        shape: (1, n, m),
        adds: false,
    });
}

impl Divided {
    /// For weights of that layout, of which each matrix is followed by its u.
    pub fn new(gpu: &Gpu, layout: &Layout, pairs: &[(Parameter, Parameter)]) -> Divided {
        let mut weights = Weights::zeros(layout);
        weights.bring_to(gpu);
        let matrix = |(w, u): &(Parameter, Parameter)| Matrix {
            w: *w,
            u: *u,
            v: Memory::of(gpu, Kind::F32, w.columns),
        };
        Divided {
            weights,
            matrices: pairs.iter().map(matrix).collect(),
            sigmas: Memory::of(gpu, Kind::F32, pairs.len()),
        }
    }

    /// All weights, the matrices divided; if it `turns`, each u takes a step first.
    pub fn divide(&self, from: &There, turns: bool) -> &Weights {
        let gpu = from.values.gpu();
        let own = self
            .weights
            .there()
            .expect("brought there when it was made");
        own.copy_from(from);
        for (i, Matrix { w, u, v }) in self.matrices.iter().enumerate() {
            let whole = from.values.matrix(w.start(), w.columns);
            let along = from.values.matrix(u.start(), w.rows);
            multiply(gpu, along, whole, v, w.rows);
            let arguments = [v.into(), v.len().into()];
            gpu.launch("unit_vector", (1, 1), THREADS, &arguments);
            let next = Memory::of(gpu, Kind::F32, w.rows);
            multiply(
                gpu,
                v.matrix(0, w.columns),
                whole.transposed(),
                &next,
                w.columns,
            );
            let arguments = [
                self.sigmas.at(i),
                from.at(*u),
                (&next).into(),
                w.rows.into(),
                u32::from(turns).into(),
            ];
            gpu.launch("singular_value", (1, 1), THREADS, &arguments);
            let n = w.range().len();
            let shadow = own.shadow.as_ref();
            let arguments = [
                own.at(*w),
                shadow.map_or(Argument::NULL, |shadow| shadow.at(w.start())),
                self.sigmas.at(i),
                n.into(),
            ];
            gpu.launch_over(n, kernel!(gpu, "divide_matrix"), &arguments);
        }
        &self.weights
    }

    /// Makes gradients of what [`Divided::divide`] gave last those of the weights it was given.
    pub fn pull_back(&self, from: &There, gradients: &Memory) {
        let gpu = gradients.gpu();
        for (i, Matrix { w, u, v }) in self.matrices.iter().enumerate() {
            let (n, g) = (w.range().len(), gradients.at(w.start()));
            let shares = Memory::of(gpu, Kind::F32, SHARES);
            let arguments = [(&shares).into(), g, from.at(*w), n.into()];
            gpu.launch("product_shares", (SHARES as u32, 1), THREADS, &arguments);
            let arguments = [
                g,
                from.at(*u),
                v.into(),
                self.sigmas.at(i),
                (&shares).into(),
                SHARES.into(),
                w.rows.into(),
                w.columns.into(),
            ];
            gpu.launch_over(n, "undivide_gradient", &arguments);
        }
    }
}
