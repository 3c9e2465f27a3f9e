//! Commands as services: each answers one request after another as it would answer standard input.
//!
//! | file | what is in it |
//! |---|---|
//! | `handler` | the command line of what answers, with its models loaded once |
//! | `negotiate` | which bodies are taken, and which kinds of answers are given |
//! | `reply` | answers, and refusals with their reasons |
//! | `desk` | threads that work on requests, and how many wait for them |
//! | `http` | connections, their limits, and their end |
//! | `sagemaker` | training and answering in a container of SageMaker |
//! | `lambda` | answering in a runtime of Lambda |

mod desk;
mod handler;
mod http;
pub mod lambda;
mod negotiate;
mod reply;
pub mod sagemaker;

use anyhow::{Context, Result};

/// Connections and clocks, all on the thread that asks for it.
fn runtime() -> Result<tokio::runtime::Runtime> {
    let mut builder = tokio::runtime::Builder::new_current_thread();
    let built = builder.enable_io().enable_time().build();
    built.context("connections cannot be waited for")
}
