//! The talking half of wordmill.
fn main() {}
