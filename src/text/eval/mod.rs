//! Evaluation: how well a system's annotation agrees with a gold standard.
//!
//! ```text
//! gold documents ─┬─ raw ──► text ──► system ─┐
//!                 └──────────────────────────►├─ align ─► scores, tags, entities ─► report
//! ```
//!
//! | module | what is in it |
//! |---|---|
//! | [`raw`] | the raw text that a gold standard annotates, as a system would meet it |
//! | [`mod@gold_tokens`] | its words without their annotation |
//! | [`align`] | which words of the two annotations are the same words |
//! | [`scores`] | precision, recall, F1 and aligned accuracy of tokens, sentences, words, tags and lemmas |
//! | [`tags`] | the same per tag, confusions, and words unseen in training |
//! | [`entities`], `entity_errors` | strict scores of named entities, and what is wrong with the others |
//! | [`confusion`] | what is taken for what, with examples |
//! | [`compare`] | whether the difference of two systems may be chance |
//! | [`task`], [`report`] | what is reported of which layer: as JSON, |
//! | [`table`], [`page`], [`matrix`] | as tables of text, and as a page of HTML with a picture of the confusions |
//!
//! Which definitions: tokens to lemmas are those of the CoNLL 2018 shared task's scorer, entities those of seqeval's
//! strict mode with scheme IOB2. UDPipe 1's own evaluator differs in two points, found by experiment: it compares all
//! features, the shared task only the universal ones, and it counts a lemma on a word whose gold lemma is `_` as
//! wrong, the shared task as right. So its feats, alltags and lemmas are a little lower on the same output (on EWT dev
//! by 0.4, 0.3 and 0.1); tokens, words, UPOS and XPOS are the same.

pub mod align;
pub mod compare;
pub mod confusion;
pub mod entities;
mod entity_errors;
pub mod gold_tokens;
pub mod matrix;
pub mod page;
pub mod raw;
pub mod report;
#[cfg(test)]
mod sample;
pub mod scores;
pub mod table;
pub mod tags;
pub mod task;

pub use align::{Alignment, TextsDiffer};
pub use compare::Randomization;
pub use entities::EntityScores;
pub use gold_tokens::{Given, gold_tokens};
pub use raw::{Layout, raw_documents};
pub use report::{Against, Report, Run, SHOWN_CONFUSIONS};
pub use scores::{Metric, Score, Scores};
pub use task::Task;
