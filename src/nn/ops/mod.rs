//! The operations: each a function that computes forward and, on a recording tape, pushes how its gradient goes back.

pub mod activation;
pub mod attention;
pub mod augment;
pub mod batch_norm;
pub mod cell;
pub mod columns;
pub mod context;
pub mod conv;
pub mod cuda;
pub mod embedding;
pub mod exp;
pub mod feeding;
pub mod gate;
pub mod instance_norm;
pub mod linear;
pub mod norm;
pub mod pixels;
pub mod projection;
pub mod query;
pub mod recurrent;
pub mod rows;
pub mod spans;

/// Rows that are worked on together by one thread. It does not depend on the number of threads, so that sums over
/// blocks do not either.
pub const BLOCK: usize = 64;

#[cfg(test)]
mod tests;
