//! Neural networks on flat memory: products, fused operations, a tape for gradients, and the loop that trains.
//!
//! | module | what is in it |
//! |---|---|
//! | [`buffer`], [`matmul`], [`outer`] | memory that is used again; the two shapes of matrix product |
//! | [`packed`] | sentences without padding |
//! | [`parameters`], [`tape`] | what is learned; how gradients find their way back to it |
//! | [`dropout`], [`ops`] | operations, forward and backward by hand |
//! | [`dense`], [`int8`] | layers that are used, not trained; products in bytes |
//! | [`adam`] | the optimizer |
//! | [`schedule`], [`run`], [`folder`] | the learning rate; the loop; the files of a run |
//! | [`curves`] | a picture of what was reported |
//!
//! Rows are real tokens, one after the other, without padding. All sums run in an order that does not depend on the
//! number of threads. Operations are as large as the memory they save: a linear layer with its bias, activation and
//! dropout is one; what stands between two products is computed on 64 rows at a time, while they are in the cache.

pub mod adam;
pub mod buffer;
#[cfg(test)]
pub mod check;
pub mod curves;
pub mod dense;
pub mod dropout;
pub mod folder;
pub mod int8;
pub mod matmul;
pub mod ops;
pub mod outer;
pub mod packed;
pub mod parameters;
pub mod run;
pub mod schedule;
pub mod tape;
