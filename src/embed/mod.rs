//! What running text alone teaches about words.
//!
//! | module | what is in it |
//! |---|---|
//! | [`classes`] | word classes by the exchange algorithm |

pub mod classes;
