//! The names of things in a repository.
//!
//! ```text
//! timestamp.json                       the one file that is replaced
//! N.root.json  N.snapshot.json  N.targets.json  N.rollout.json  N.emergency.json
//! targets/releases/HASH.SERIAL.json    the manifest of a release
//! targets/lists/HASH.SERIAL.full.zst   every rule
//! targets/lists/HASH.SERIAL.delta.zst  the difference from the release before
//! targets/data/HASH.NAME               categories, essential names, keywords, ...
//! targets/programs/VERSION/HASH.ARCHITECTURE.deb
//! targets/rollout/HASH.current.json
//! targets/emergency/HASH.current.json
//! ```
//!
//! Law: every file but `timestamp.json` is immutable, so any web server, mirror or stick may carry
//! a repository, and a copy that stops halfway is an older repository with some files too many.

/// The directory of targets below the repository.
pub const TARGETS: &str = "targets";
/// The file that is replaced by each publication.
pub const TIMESTAMP: &str = "timestamp.json";
/// The delegated role of the publishing host.
pub const ROLLOUT: &str = "rollout";
/// The delegated role for urgent blocks.
pub const EMERGENCY: &str = "emergency";
/// The target that says which release a school takes.
pub const ROLLOUT_TARGET: &str = "rollout/current.json";
/// The target with urgent blocks.
pub const EMERGENCY_TARGET: &str = "emergency/current.json";

/// The beginning of the targets of programs.
pub const PROGRAMS: &str = "programs/";

/// The target of a package of the program.
pub fn program(version: &str, architecture: &str) -> String {
    format!("{PROGRAMS}{version}/{architecture}.deb")
}

/// The target of a release's manifest.
pub fn manifest(serial: u64) -> String {
    format!("releases/{serial}.json")
}

/// The target with all rules of a release.
pub fn full(serial: u64) -> String {
    format!("lists/{serial}.full.zst")
}

/// The target with the difference from the release before.
pub fn delta(serial: u64) -> String {
    format!("lists/{serial}.delta.zst")
}

/// The target of a data file; equal content has an equal name, so that a release only brings what
/// has changed.
pub fn data(name: &str, digest: &str) -> String {
    let short = digest.get(..16).unwrap_or(digest);
    format!("data/{short}.{name}")
}

/// The place of a target below the repository: the digest stands before the last part of the name
/// (TUF specification §5.7, consistent snapshots).
pub fn place(target: &str, sha256: &str) -> String {
    match target.rsplit_once('/') {
        Some((directory, file)) => format!("{TARGETS}/{directory}/{sha256}.{file}"),
        None => format!("{TARGETS}/{sha256}.{target}"),
    }
}

/// The file of a role's metadata.
pub fn metadata(role: &str, version: u64) -> String {
    format!("{version}.{role}.json")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_digest_stands_before_the_last_part() {
        assert_eq!(place("lists/7.full.zst", "ab"), "targets/lists/ab.7.full.zst");
        assert_eq!(place("a", "ab"), "targets/ab.a");
        assert_eq!(
            data("keywords.txt", &"0123456789".repeat(4)),
            "data/0123456789012345.keywords.txt"
        );
    }
}
