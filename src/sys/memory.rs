//! The memory that this process can still take: what its limit, its cgroups and the machine leave.
//!
//! Where an allocation fails, the process ends, and where a cgroup is full, the kernel ends it:
//! `ListStore` looks before it reads lists.

use std::fs;
use std::path::{Path, PathBuf};

/// Octets that can be taken; `None` where nothing is known.
pub fn room() -> Option<u64> {
    let text = |path: &str| fs::read_to_string(path).unwrap_or_default();
    let own = space(&text("/proc/self/limits"), &text("/proc/self/status"));
    let machine = kibibytes(&text("/proc/meminfo"), "MemAvailable:");
    let groups = groups(&text("/proc/self/cgroup")).into_iter().filter_map(|group| {
        let text = |file| fs::read_to_string(group.join(file)).unwrap_or_default();
        left(&text("memory.max"), &text("memory.current"), &text("memory.stat"))
    });
    own.into_iter().chain(machine).chain(groups).min()
}

/// What the limit of the address space leaves (setrlimit(2), `RLIMIT_AS`); `None` without a limit.
fn space(limits: &str, status: &str) -> Option<u64> {
    let line = limits.lines().find_map(|line| line.strip_prefix("Max address space"))?;
    let most: u64 = line.split_whitespace().next()?.parse().ok()?;
    Some(most.saturating_sub(kibibytes(status, "VmSize:")?))
}

/// A line `key: number kB`, in octets.
fn kibibytes(text: &str, key: &str) -> Option<u64> {
    let line = text.lines().find_map(|line| line.strip_prefix(key))?;
    Some(line.split_whitespace().next()?.parse::<u64>().ok()? << 10)
}

/// The directories of the process's cgroup and of those above it (cgroups(7), version 2).
fn groups(own: &str) -> Vec<PathBuf> {
    let Some(path) = own.lines().find_map(|line| line.strip_prefix("0::/")) else {
        return Vec::new();
    };
    let root = Path::new("/sys/fs/cgroup");
    let all = Path::new(path).ancestors().filter(|path| !path.as_os_str().is_empty());
    all.map(|path| root.join(path)).collect()
}

/// What a cgroup leaves; `None` without a limit. Pages of files make room when they have to.
fn left(most: &str, used: &str, stat: &str) -> Option<u64> {
    let (most, used): (u64, u64) = (most.trim().parse().ok()?, used.trim().parse().ok()?);
    let files = ["inactive_file ", "active_file "].iter().filter_map(|key| {
        stat.lines().find_map(|line| line.strip_prefix(key))?.trim().parse::<u64>().ok()
    });
    Some(most.saturating_sub(used.saturating_sub(files.sum())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_limit_a_cgroup_and_the_machine_leave_what_they_say() {
        let limits = |most: &str| {
            format!(
                "Limit  Soft Limit  Hard Limit  Units\nMax address space  {most}  {most}  bytes\n"
            )
        };
        let status = "Name:\tlachan\nVmSize:\t  102400 kB\n";
        assert_eq!(space(&limits("unlimited"), status), None);
        assert_eq!(space(&limits("524288000"), status), Some(524_288_000 - (100 << 20)));
        assert_eq!(space(&limits("1000"), status), Some(0));
        assert_eq!(space("", ""), None);
        assert_eq!(kibibytes("MemFree: 5 kB\nMemAvailable:  7 kB\n", "MemAvailable:"), Some(7168));

        let stat = "anon 40\nfile 60\ninactive_file 30\nactive_file 20\n";
        assert_eq!(left("max\n", "100\n", stat), None);
        assert_eq!(left("200\n", "100\n", stat), Some(150));
        assert_eq!(left("90\n", "150\n", stat), Some(0));

        let root = Path::new("/sys/fs/cgroup");
        let found = groups("0::/system.slice/lachan.service\n");
        assert_eq!(found, [root.join("system.slice/lachan.service"), root.join("system.slice")]);
        assert!(groups("0::/\n").is_empty() && groups("4:memory:/x\n").is_empty());
    }

    #[test]
    fn something_is_left_here() {
        assert!(room().is_some_and(|room| room > 0));
    }
}
