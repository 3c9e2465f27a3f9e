//! The name of a checkpoint, as flags give it.

/// Which checkpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Which {
    Best,
    Last,
    Step(u64),
    /// The mean of all that there are.
    Mean,
}

impl std::str::FromStr for Which {
    type Err = String;

    fn from_str(text: &str) -> Result<Which, String> {
        match text {
            "best" => Ok(Which::Best),
            "last" => Ok(Which::Last),
            "mean" => Ok(Which::Mean),
            step => step
                .parse()
                .map(Which::Step)
                .map_err(|_| "expected best, last, mean, or a step".to_owned()),
        }
    }
}
