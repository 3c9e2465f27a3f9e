//! The kinds of numbers that rules speak of, by the names they have there.

/// The kinds of numbers that steps take.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Kind {
    /// A number, in digits or words: `num`
    Number,
    /// A number or a range: `nums`
    Range,
    /// A numeral without separators: `int`
    Numeral,
    /// 1 to 31, as a numeral, an ordinal numeral or in words: `day`; `01`
    Day,
    /// 1 to 12 as a numeral: `mon`; `01`
    Month,
    /// 1000 to 2100: `year`; 1900 to 2039: `recent`
    Year,
    Recent,
    /// Two digits that follow a year, or stand for one: `year2`
    ShortYear,
    /// `1990`, `80`: `decade`; `199`
    Decade,
    /// An ordinal: `century`; `18` for the 19th
    Century,
    /// A year before, after the era: `bc`, `ad`; `-0043`, `0079`
    BeforeEra,
    OfEra,
    /// An ordinal: `ord`
    Ordinal,
    /// 0 to 24, 1 to 12 in the morning, in the afternoon, any of them before a quarter: `hour`, `am`, `pm`, `before`
    Hour,
    Am,
    Pm,
    HourBefore,
    /// 00 to 59, minutes past an hour, minutes before one: `min`, `past`, `to`
    Minute,
    MinutePast,
    MinuteTo,
}

impl Kind {
    /// How many there are.
    pub const COUNT: usize = Kind::MinuteTo as usize + 1;

    /// Whether it is never said in words.
    pub fn is_in_digits(self) -> bool {
        matches!(
            self,
            Kind::Numeral | Kind::Month | Kind::Recent | Kind::ShortYear
        )
    }

    /// The kind of a name in rules.
    pub fn parse(name: &str) -> Option<Kind> {
        Some(match name {
            "num" => Kind::Number,
            "nums" => Kind::Range,
            "int" => Kind::Numeral,
            "day" => Kind::Day,
            "mon" => Kind::Month,
            "year" => Kind::Year,
            "recent" => Kind::Recent,
            "year2" => Kind::ShortYear,
            "decade" => Kind::Decade,
            "century" => Kind::Century,
            "bc" => Kind::BeforeEra,
            "ad" => Kind::OfEra,
            "ord" => Kind::Ordinal,
            "hour" => Kind::Hour,
            "am" => Kind::Am,
            "pm" => Kind::Pm,
            "before" => Kind::HourBefore,
            "min" => Kind::Minute,
            "past" => Kind::MinutePast,
            "to" => Kind::MinuteTo,
            _ => return None,
        })
    }
}
