//! Translation from one language into another.
//!
//! | module | what is in it |
//! |---|---|
//! | [`score`] | how close translations come to those of people: BLEU, chrF, TER |

pub mod score;
