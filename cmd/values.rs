//! Values of flags: numbers in their ranges, times.

use std::time::Duration;

/// A number that is right; `what` says which are.
pub fn number(text: &str, is_right: impl Fn(f32) -> bool, what: &str) -> Result<f32, String> {
    let value = text
        .parse()
        .ok()
        .filter(|value: &f32| value.is_finite() && is_right(*value));
    value.ok_or_else(|| format!("expected {what}"))
}

/// A number above 0.
pub fn positive(text: &str) -> Result<f32, String> {
    number(text, |value| value > 0.0, "a number above 0")
}

/// A number that is not below 0.
pub fn not_negative(text: &str) -> Result<f32, String> {
    number(text, |value| value >= 0.0, "0 or a number above it")
}

/// A number from 0 to 1, 1 left out.
pub fn share(text: &str) -> Result<f32, String> {
    number(
        text,
        |value| (0.0..1.0).contains(&value),
        "a number from 0 to 1, 1 left out",
    )
}

/// `90m`, `2h`, `30s`, or seconds.
pub fn time(text: &str) -> Result<Duration, String> {
    let (number, unit) = match text.char_indices().last() {
        Some((at, 's')) => (&text[..at], 1.0),
        Some((at, 'm')) => (&text[..at], 60.0),
        Some((at, 'h')) => (&text[..at], 3600.0),
        Some((at, 'd')) => (&text[..at], 86_400.0),
        _ => (text, 1.0),
    };
    let seconds = number
        .parse::<f64>()
        .ok()
        .map(|n| n * unit)
        .filter(|s| s.is_finite() && *s > 0.0);
    let seconds = seconds.ok_or("expected a time, as in 90m, 2h or 30s")?;
    Duration::try_from_secs_f64(seconds).map_err(|_| "the time is too long".to_owned())
}
