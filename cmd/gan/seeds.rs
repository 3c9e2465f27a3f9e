//! Seeds as a flag names them: 0-63 or 1,7,9.

/// Seeds in the order in which they are named.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seeds(pub Vec<u64>);

impl Seeds {
    /// # Errors
    /// When the text names none, or too many.
    pub fn parse(text: &str) -> Result<Seeds, String> {
        const MOST: u64 = 10_000_000;
        let mut seeds = Vec::new();
        for part in text.split(',') {
            let (first, last) = part.split_once('-').unwrap_or((part, part));
            let range = first
                .trim()
                .parse::<u64>()
                .ok()
                .zip(last.trim().parse::<u64>().ok());
            match range {
                Some((first, last)) if first <= last && last - first < MOST => {
                    seeds.extend(first..=last);
                }
                Some((first, last)) if first > last => {
                    return Err(format!("{first}-{last} runs backwards"));
                }
                Some(_) => return Err(format!("more than {MOST} seeds")),
                None => return Err("expected seeds, as in 0-63 or 1,7,9".to_owned()),
            }
        }
        Ok(Seeds(seeds))
    }
}
