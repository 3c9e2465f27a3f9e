//! How much memory there is to be had.

use std::fs::read_to_string;

/// Bytes that the system, or the control group of this process, can still give; nothing where it does not say.
pub fn available() -> Option<u64> {
    let info = read_to_string("/proc/meminfo").unwrap_or_default();
    let group = group("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory.current");
    of_system(&info).into_iter().chain(group).min()
}

/// What /proc/meminfo says.
fn of_system(info: &str) -> Option<u64> {
    let line = info
        .lines()
        .find_map(|line| line.strip_prefix("MemAvailable:"))?;
    let kib: u64 = line.trim().strip_suffix(" kB")?.parse().ok()?;
    Some(kib * 1024)
}

fn group(most: &str, now: &str) -> Option<u64> {
    let number = |path| read_to_string(path).ok()?.trim().parse::<u64>().ok();
    Some(number(most)?.saturating_sub(number(now)?))
}

/// Tokens of the sentences that each of some workers can have under way at once in half of the memory there is, at most
/// `most`, when a token takes so many bytes.
pub fn tokens(most: usize, bytes: usize, workers: usize, available: Option<u64>) -> usize {
    let Some(available) = available else {
        return most;
    };
    let fit = available / 2 / (bytes * workers).max(1) as u64;
    most.min(usize::try_from(fit).unwrap_or(most)).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_system_says_is_in_kibibytes() {
        let info = "MemTotal:       24621584 kB\nMemFree:         1 kB\nMemAvailable:   20 kB\n";
        assert_eq!(of_system(info), Some(20 * 1024));
        assert_eq!(of_system("MemTotal: 3 kB\n"), None);
    }

    #[test]
    fn as_many_tokens_as_half_of_the_memory_holds() {
        // 1 GiB, two workers, 100 KiB for a token: 1 GiB / 2 / 200 KiB = 2621.
        let gibibyte = Some(1 << 30);
        assert_eq!(tokens(4096, 100 << 10, 2, gibibyte), 2621);
        assert_eq!(tokens(1000, 100 << 10, 2, gibibyte), 1000);
        assert_eq!(tokens(4096, 100 << 10, 2, Some(0)), 1);
        assert_eq!(tokens(4096, 100 << 10, 2, None), 4096);
    }
}
