//! Whose turn it is: both networks learn in every step, or each alone for a round over the data.

use serde::{Deserialize, Serialize};

/// How the two take turns.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Alternate {
    /// In every step.
    #[default]
    Steps,
    /// After each round over the data.
    Epochs,
}

/// Whose turn a step is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Turn {
    /// The number of the generator's update, and those of the critic's before it.
    Both {
        update: u64,
        before: u64,
    },
    /// Updates of the critic before its own.
    Critic {
        before: u64,
    },
    Generator {
        update: u64,
    },
}

impl Alternate {
    /// The turn of a step, counted from 1, in rounds of so many batches, with so many updates of the critic.
    pub fn turn(self, step: u64, batches: u64, critic_steps: u64) -> Turn {
        let (round, at) = ((step - 1) / (2 * batches), (step - 1) % (2 * batches));
        match self {
            Alternate::Steps => Turn::Both {
                update: step,
                before: (step - 1) * critic_steps,
            },
            Alternate::Epochs if at < batches => Turn::Critic {
                before: (round * batches + at) * critic_steps,
            },
            Alternate::Epochs => Turn::Generator {
                update: round * batches + at - batches + 1,
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_are_of_both_or_of_each_for_a_round() {
        let turns = |alternate: Alternate| -> Vec<Turn> {
            (1..=9).map(|step| alternate.turn(step, 2, 3)).collect()
        };
        let both = |update, before| Turn::Both { update, before };
        assert_eq!(turns(Alternate::Steps)[..2], [both(1, 0), both(2, 3)]);
        let critic = |before| Turn::Critic { before };
        let generator = |update| Turn::Generator { update };
        assert_eq!(
            turns(Alternate::Epochs),
            [
                critic(0),
                critic(3),
                generator(1),
                generator(2),
                critic(6),
                critic(9),
                generator(3),
                generator(4),
                critic(12),
            ]
        );
    }
}
