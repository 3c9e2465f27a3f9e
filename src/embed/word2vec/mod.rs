//! word2vec: vectors of words that predict their neighbours.
//!
//! ```text
//! skip-gram   a word is predicted from each neighbour c:    Σ_c ln p(w | x_c)
//! CBOW        from the mean of all of them:                 ln p(w | h),  h = 1/C Σ_c x_c
//!
//! negative sampling       ln σ(h · y_w) + Σ_k ln σ(−h · y_k),   k drawn in proportion to count^¾
//! hierarchical softmax    Σ over the nodes n on the path to w of ln σ(± h · y_n)
//! subsampling             a word of frequency f is kept with probability √(t/f) + t/f
//! windows                 b neighbours on each side, b from 1 to the window, equally likely
//! learning rate           falls in a straight line from α to α/10,000
//! ```
//!
//! Mikolov, Chen, Corrado and Dean (2013); Mikolov, Sutskever, Chen, Corrado and Dean (2013). In CBOW
//! every x_c moves by the whole of ∂/∂h, as word2vec has always done; the gradient is a C-th of it (İrsoy, Benton and
//! Stratos 2021), which [`Options::shares_gradient`] gives. On 100 MB of Wikipedia the whole answers more analogies (28 %
//! at α = 0.05) than the share at any α tried (24 % at 0.1, the best of 0.05 to 0.4). All neighbours of a word share its negatives (see [`kernel`]).
//!
//! | file | what is in it |
//! |---|---|
//! | [`options`] | what can be chosen |
//! | [`train`] | tasks, threads, learning rate |
//! | [`together`] | several processes |
//! | [`window`] | a sentence, word by word |
//! | [`kernel`] | the step on a block of pairs |
//! | [`matrix`] | rows that threads share |
//! | [`negatives`], [`huffman`] | the two kinds of outputs |
//! | [`subwords`], [`compose`] | n-grams, and words put together from them |
//! | [`checkpoint`] | a stopped run in a file |

pub mod checkpoint;
pub mod compose;
pub mod huffman;
pub mod kernel;
pub mod matrix;
pub mod negatives;
pub mod options;
pub mod subwords;
pub mod together;
pub mod train;
pub mod window;

pub use checkpoint::CheckpointError;
pub use options::{Model, Objective, Options};
pub use train::{Ended, Progress, TrainError, Trainer};
