//! How much memory there is to be had.

use std::fs::read_to_string;
use std::path::Path;

/// Bytes that the system, or the control group of this process, can still give; nothing where it does not say.
pub fn available() -> Option<u64> {
    let info = read_to_string("/proc/meminfo").unwrap_or_default();
    let group = group(Path::new("/sys/fs/cgroup"));
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

/// What a control group may still take: what it has read and could forget is not counted as taken.
fn group(folder: &Path) -> Option<u64> {
    let text = |name| read_to_string(folder.join(name)).ok();
    let number = |name| text(name)?.trim().parse::<u64>().ok();
    let stat = text("memory.stat").unwrap_or_default();
    let file = stat
        .lines()
        .find_map(|line| line.strip_prefix("inactive_file "));
    let forgettable: u64 = file.and_then(|n| n.parse().ok()).unwrap_or(0);
    let taken = number("memory.current")?.saturating_sub(forgettable);
    Some(number("memory.max")?.saturating_sub(taken))
}

/// Tokens of the sentences that each of some workers can have under way at once in half of the memory there is, at most
/// `most`, when a token takes so many bytes; a few sentences in any case.
pub fn tokens(most: usize, bytes: usize, workers: usize, available: Option<u64>) -> usize {
    let Some(available) = available else {
        return most;
    };
    let fit = available / 2 / (bytes * workers).max(1) as u64;
    /// Below, a worker would do little but wait for memory.
    const FEW: usize = 256;
    most.min(usize::try_from(fit).unwrap_or(most).max(FEW))
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
    fn what_a_group_could_forget_is_not_taken() {
        let place = tempfile::tempdir().unwrap();
        for (name, text) in [
            ("memory.max", "1000\n"),
            ("memory.current", "900\n"),
            (
                "memory.stat",
                "anon 300\ninactive_file 600\nactive_file 1\n",
            ),
        ] {
            std::fs::write(place.path().join(name), text).unwrap();
        }
        assert_eq!(group(place.path()), Some(700));
        std::fs::write(place.path().join("memory.max"), "max\n").unwrap();
        assert_eq!(group(place.path()), None);
    }

    #[test]
    fn as_many_tokens_as_half_of_the_memory_holds() {
        // 1 GiB, two workers, 100 KiB for a token: 1 GiB / 2 / 200 KiB = 2621.
        let gibibyte = Some(1 << 30);
        assert_eq!(tokens(4096, 100 << 10, 2, gibibyte), 2621);
        assert_eq!(tokens(1000, 100 << 10, 2, gibibyte), 1000);
        assert_eq!(tokens(4096, 100 << 10, 2, Some(0)), 256);
        assert_eq!(tokens(4096, 100 << 10, 2, None), 4096);
    }
}
