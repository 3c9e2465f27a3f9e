//! Neural networks on flat memory: products, fused operations, a tape for gradients, and the loop that trains.
//!
//! | module | what is in it |
//! |---|---|
//! | [`buffer`], [`matmul`], [`outer`] | memory that is used again; the two shapes of matrix product |
//! | [`device`] | an NVIDIA GPU |
//! | [`packed`] | sentences without padding |
//! | [`parameters`], [`tape`] | what is learned; how gradients find their way back to it |
//! | [`dropout`], [`ops`] | operations, forward and backward by hand |
//! | [`dense`], [`int8`] | layers that are used, not trained; products in bytes |
//! | [`adam`] | the optimizer |
//! | [`reduce`], [`part`] | a batch that several processes compute: its gradients; the samples of one of them |
//! | [`schedule`], [`plan`], [`run`] | the learning rate; all that is set for a run; the loop |
//! | [`folder`], [`event`], [`curves`] | the files of a run; what is told of it; a picture of that |
//!
//! Values lie in plain buffers, not in tensors of a framework. Measured in the best kept one (candle 0.11): every operation
//! allocates and faults in fresh pages, gradients are summed through temporaries, and softmax, dropout and normalisation
//! take many passes. Here a step of a small Transformer is 70 % matrix products, on the reference's own batches 2.2 times
//! as fast as PyTorch's (`benches/README.md`). Gradients are checked against central differences in f64, of formulas
//! written once more without any of this.
//!
//! Rows are real tokens, one after the other, without padding. All sums run in an order that does not depend on the
//! number of threads. Operations are as large as the memory they save: a linear layer with its bias, activation and
//! dropout is one; what stands between two products is computed on 64 rows at a time, while they are in the cache.

#![allow(
    clippy::extra_unused_type_parameters,
    reason = "a kernel that the compiler vectorises has its registers in its signature alone"
)]

pub mod adam;
pub mod buffer;
#[cfg(test)]
pub mod check;
pub mod curves;
pub mod dense;
pub mod device;
pub mod dropout;
pub mod event;
pub mod folder;
pub mod int8;
pub mod matmul;
pub mod ops;
pub mod outer;
pub mod packed;
pub mod parameters;
pub mod part;
pub mod plan;
pub mod reduce;
pub mod run;
pub mod schedule;
pub mod tape;
