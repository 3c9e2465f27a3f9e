//! Tests of the binary: the harness, golden cases, what all commands share, one file per command, and the documentation.

mod annotate;
mod bag_faults;
mod bow;
mod classes;
mod contract;
mod docs;
mod evaluation;
mod golden;
mod harness;
mod inputs;
mod lecture;
mod lemmatize;
mod licenses;
mod matrices;
mod merge;
mod model;
mod ner;
mod outputs;
mod peers;
mod pipelines;
mod pos;
mod signals;
mod stem;
mod tfidf;
mod tokenize;
mod training;
