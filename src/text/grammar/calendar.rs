//! Dates that are relative to a day.
//!
//! | value | is |
//! |---|---|
//! | `@D-1` `@W+1` `@M+0` `@Q-1` `@Y-3` | so many days, weeks, months, quarters, years from the day's own |
//! | `@E-1:5` `@E+0:5` `@E+1:5` | the Friday before the day, in its week, behind it |
//! | `@N-1:03` `@N+0:03` `@N+1:03` | the March before the day's month, in its year, behind it |
//!
//! What stands behind a bar follows the date: `@D+0|TNI` is tonight.

use jiff::Span;
use jiff::civil::{Date, Weekday};

/// The date that a relative value means on the day `reference`; `None` for what is no such value or no such date.
pub fn resolve(value: &str, reference: Date) -> Option<String> {
    let ends: Option<Vec<String>> = value
        .split('/')
        .map(|end| resolve_one(end, reference))
        .collect();
    let mut ends = ends?;
    // `two or three days ago`: the earlier day first.
    ends.sort();
    Some(ends.join("/"))
}

fn resolve_one(value: &str, reference: Date) -> Option<String> {
    let (relative, rest) = value.split_once('|').unwrap_or((value, ""));
    let code = relative.strip_prefix('@')?;
    let (code, of) = code.split_once(':').unwrap_or((code, ""));
    let unit = code.chars().next()?;
    let count: i64 = code.get(1..)?.parse().ok()?;
    let date = match unit {
        'D' => reference
            .checked_add(Span::new().try_days(count).ok()?)
            .ok()?
            .to_string(),
        'W' => {
            let week = reference
                .checked_add(Span::new().try_weeks(count).ok()?)
                .ok()?;
            let week = week.iso_week_date();
            format!("{:04}-W{:02}", week.year(), week.week())
        }
        'M' => {
            let month = reference
                .checked_add(Span::new().try_months(count).ok()?)
                .ok()?;
            format!("{:04}-{:02}", month.year(), month.month())
        }
        'Q' => {
            let months = Span::new().try_months(count.checked_mul(3)?).ok()?;
            let month = reference.checked_add(months).ok()?;
            format!("{:04}-Q{}", month.year(), (month.month() + 2) / 3)
        }
        'Y' => {
            let year = reference
                .checked_add(Span::new().try_years(count).ok()?)
                .ok()?;
            format!("{:04}", year.year())
        }
        'E' => {
            let weekday = Weekday::from_monday_one_offset(of.parse().ok()?).ok()?;
            match count {
                0 => {
                    let offset = reference.weekday().to_monday_one_offset();
                    let days = weekday.to_monday_one_offset() - offset;
                    reference.checked_add(Span::new().days(days)).ok()?
                }
                _ => reference
                    .nth_weekday(i32::try_from(count).ok()?, weekday)
                    .ok()?,
            }
            .to_string()
        }
        'N' => {
            let month: i8 = of.parse().ok()?;
            let year = match count.signum() {
                -1 if month >= reference.month() => reference.year() - 1,
                1 if month <= reference.month() => reference.year() + 1,
                _ => reference.year(),
            };
            format!("{year:04}-{month:02}")
        }
        _ => return None,
    };
    Some(date + rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_by_a_calendar_on_the_wall() {
        // A Friday.
        let day = jiff::civil::date(2026, 11, 27);
        for (value, expected) in [
            ("@D-1", "2026-11-26"),
            ("@D+7", "2026-12-04"),
            ("@D+0|TNI", "2026-11-27TNI"),
            ("@W+1", "2026-W49"),
            ("@M+2", "2027-01"),
            ("@Q-1", "2026-Q3"),
            ("@Y-3", "2023"),
            ("@Y+1|-SU", "2027-SU"),
            ("@E-1:5", "2026-11-20"),
            ("@E+0:1", "2026-11-23"),
            ("@E+1:5", "2026-12-04"),
            ("@N-1:03", "2026-03"),
            ("@N-1:12", "2025-12"),
            ("@N+1:03", "2027-03"),
            ("@D-2/@D-3", "2026-11-24/2026-11-25"),
        ] {
            assert_eq!(resolve(value, day).as_deref(), Some(expected), "{value}");
        }
        for value in ["@D-99999999999", "@Y-2.5", "2024", "@E+1:9", "@X+1", "@"] {
            assert_eq!(resolve(value, day), None, "{value}");
        }
    }
}
