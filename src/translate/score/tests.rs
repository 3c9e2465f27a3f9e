//! Scores that sacreBLEU gives, of a few sentences and the settings that people use.
use super::*;
