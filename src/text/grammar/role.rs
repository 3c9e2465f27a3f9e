//! What words say in numbers, as the classes `number.…` of a grammar tell.

/// What a word says in a number.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Role {
    /// `two`, `nineteen`
    Unit(f64),
    /// `twenty`: a unit may follow.
    Tens(f64),
    /// `hundred`, `million`, `dozen`: multiplies.
    Scale(f64),
    /// `k` behind a numeral: multiplies.
    Suffix(f64),
    /// `third`, `quarters`: divides.
    Part(f64),
    /// `half`, `½`
    Half(f64),
    /// `first`
    Ordinal(f64),
    /// `th` behind a numeral.
    Place,
    /// `and`
    And,
    /// `a`: one of what follows.
    One,
    /// `to`: between the ends of a range.
    To,
    /// `or`: between the ends of a range of neighbours.
    Or,
    /// `-`
    Hyphen,
    /// `/`
    Slash,
}

/// What a word says in numbers: one thing in cardinal ones, another in ordinal ones.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Roles {
    pub cardinal: Option<Role>,
    pub ordinal: Option<Role>,
}

impl Roles {
    /// Adds a role to those a word has.
    pub fn set(&mut self, role: Role) {
        match role {
            Role::Ordinal(_) | Role::Place => self.ordinal = Some(role),
            _ => self.cardinal = Some(role),
        }
    }
}
