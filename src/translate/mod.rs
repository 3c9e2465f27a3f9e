//! Translation: pairs of sentences, the models that learn from them, and scores of what they give.

pub mod transformer;
