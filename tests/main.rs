//! Tests of the binary: the harness, golden cases, one file per command, and the documentation.

mod docs;
mod golden;
mod harness;
mod inputs;
mod licenses;
mod outputs;
mod signals;
