//! Networks as lists of layers, and the two ways through them: the values, and how a change of the input changes them.
//!
//! ```text
//! values   y = layer(x)                    a critic's slopes are kept where they are wanted
//! change   t = W · t, then t ∘ f′          the same layers without biases, with the slopes that were kept
//! ```
//!
//! The second is the derivative of the network along a direction (Pearlmutter 1994), and a network of linear layers and
//! gates: its gradients along the weights are the second derivatives that a penalty on the first ones needs.

use crate::nn::ops::activation::Activation;
use crate::nn::ops::batch_norm::{BatchNorm, Source};
use crate::nn::ops::conv::Conv;
use crate::nn::ops::instance_norm::InstanceNorm;
use crate::nn::ops::{gate, pixels};
use crate::nn::tape::{Tape, Var};
use pixels::Size;
use std::cell::RefCell;
use std::collections::VecDeque;

/// A layer.
#[derive(Clone, Debug)]
pub enum Layer {
    /// A convolution, its transpose, or a dense layer.
    Conv(Conv, Activation),
    Norm(BatchNorm, Activation),
    InstanceNorm(InstanceNorm, Activation),
    Activate(Activation),
    /// The mean of every four pixels; the size of what goes in.
    Halve(Size),
    /// Every pixel four times; the size of what comes out.
    Double(Size),
    /// The sum over all pixels.
    Sum(Size),
    /// One way and another, added.
    Both(Vec<Layer>, Vec<Layer>),
}

/// A way through the layers.
#[derive(Clone, Copy)]
pub struct Pass<'a> {
    pub norms: Source<'a>,
    pub slopes: Slopes<'a>,
}

/// What activations gave, in the order of the pass.
pub type Kept = RefCell<VecDeque<Var>>;

/// What is done with the slopes of activations.
#[derive(Clone, Copy)]
pub enum Slopes<'a> {
    Forget,
    Keep(&'a Kept),
    /// A change goes through, by the slopes of an earlier pass.
    Follow(&'a Kept),
}

impl<'a> Pass<'a> {
    /// Values only.
    pub fn plain(norms: Source<'a>) -> Pass<'a> {
        Pass {
            norms,
            slopes: Slopes::Forget,
        }
    }

    /// What an activation gave; the slope is kept if that is wanted.
    fn keep(&self, y: &Var, activation: Activation) {
        if let (Slopes::Keep(kept), true) = (self.slopes, activation != Activation::Identity) {
            kept.borrow_mut().push_back(y.clone());
        }
    }

    /// A change through the activation that is next in the pass that is followed.
    fn through(&self, tape: &Tape, t: Var, activation: Activation) -> Var {
        match self.slopes {
            Slopes::Follow(kept) if activation != Activation::Identity => {
                let done = kept.borrow_mut().pop_front();
                done.map_or(t.clone(), |done| gate::gate(tape, &t, &done, activation))
            }
            _ => t,
        }
    }
}

impl Layer {
    fn forward(&self, tape: &Tape, x: &Var, pass: Pass) -> Var {
        let follows = matches!(pass.slopes, Slopes::Follow(_));
        let (y, activation) = match self {
            Layer::Conv(conv, activation) if follows => {
                return pass.through(tape, conv.tangent(tape, x), *activation);
            }
            Layer::Activate(activation) if follows => {
                return pass.through(tape, x.clone(), *activation);
            }
            Layer::Conv(conv, activation) => (conv.forward(tape, x, *activation), *activation),
            Layer::Activate(activation) => (gate::apply(tape, x, *activation), *activation),
            Layer::Norm(norm, activation) => {
                assert!(!follows, "a change goes through no batch normalisation");
                (norm.forward(tape, x, *activation, pass.norms), *activation)
            }
            Layer::InstanceNorm(norm, activation) => {
                assert!(!follows, "a change goes through no instance normalisation");
                (norm.forward(tape, x, *activation), *activation)
            }
            Layer::Halve(size) => (pixels::halve(tape, x, *size), Activation::Identity),
            Layer::Double(size) => (pixels::double(tape, x, *size), Activation::Identity),
            Layer::Sum(size) => (pixels::sum(tape, x, *size), Activation::Identity),
            Layer::Both(one, other) => {
                let one = through(one, tape, x, pass);
                let other = through(other, tape, x, pass);
                (pixels::add(tape, &one, &other), Activation::Identity)
            }
        };
        pass.keep(&y, activation);
        y
    }

    /// Calls `visit` with every layer that has weights.
    pub fn each<'l>(&'l self, visit: &mut dyn FnMut(&'l Layer)) {
        match self {
            Layer::Both(one, other) => one.iter().chain(other).for_each(|layer| layer.each(visit)),
            layer => visit(layer),
        }
    }
}

/// `x` through all layers.
pub fn through(layers: &[Layer], tape: &Tape, x: &Var, pass: Pass) -> Var {
    let mut x = x.clone();
    for layer in layers {
        // Where a pixel has other channels than the layer before says, the values are cut anew.
        x = match layer {
            Layer::Norm(norm, _) => x.with_columns(norm.scale.columns),
            _ => x,
        };
        x = layer.forward(tape, &x, pass);
    }
    x
}
