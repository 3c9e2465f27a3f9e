//! Tables: rows of numbers and categories, as a generator learns them, writes them, and is judged by them.
//!
//! | module | what is in it |
//! |---|---|
//! | [`schema`], [`number`] | what a table is: its columns, their ranges and categories; numbers as files write them |
//! | [`read`], `records`, [`gather`], [`write`](mod@write) | CSV files in and out, and what the texts of a column turn out to be |
//! | [`mixture`], [`encode`] | rows as vectors between −1 and 1 and back: the transform of CTGAN |
//! | [`conditions`] | the category that a row has to have, so that rare ones are learned too |
//! | [`quality`], [`pairs`] | how much made rows are like real ones: the numbers of SDMetrics |
//! | [`closest`] | whether made rows are copies: the distance to the closest real one |

pub mod closest;
pub mod conditions;
pub mod encode;
pub mod gather;
pub mod mixture;
pub mod number;
pub mod pairs;
pub mod quality;
pub mod read;
mod records;
pub mod schema;
pub mod write;
