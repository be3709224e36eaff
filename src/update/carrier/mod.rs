//! What carries a repository: a directory that is watched, a stick, or a web server.
//!
//! `tough` asks for a target with its digest before the whole name; the specification, and so a
//! repository, has it before the last part (TUF specification §5.7). [`place`] turns one into the
//! other.

mod directory;
mod web;

use url::Url;

pub use directory::Directory;
pub use web::{Settled, TrustedFiles, Web};

use crate::release::layout;

/// The base of the names that `tough` asks for; no host has it.
pub(super) fn base(below: &str) -> Url {
    let text = format!("lachan://repository/{below}");
    Url::parse(&text).unwrap_or_else(|_| unreachable!("a fixed URL"))
}

/// The place of a file below the repository; `None` for what leads out of it.
fn place(url: &Url) -> Option<String> {
    let path = url.path().trim_start_matches('/');
    let path = percent_decoded(path)?;
    let is_inside = |part: &str| !matches!(part, "" | "." | "..") && !part.contains('\\');
    if !path.split('/').all(is_inside) {
        return None;
    }
    let Some(target) = path.strip_prefix(layout::TARGETS).and_then(|t| t.strip_prefix('/')) else {
        return Some(path);
    };
    let (digest, name) = target.split_once('.')?;
    Some(layout::place(name, digest))
}

/// A path without escapes; `None` where it has octets that no name of ours has.
fn percent_decoded(path: &str) -> Option<String> {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_./".contains(c);
    path.chars().all(is_plain).then(|| path.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_digest_moves_before_the_last_part_and_nothing_leads_out() {
        let place = |path: &str| place(&base("").join(path).unwrap());
        assert_eq!(place("timestamp.json").unwrap(), "timestamp.json");
        assert_eq!(place("targets/ab.lists/7.full.zst").unwrap(), "targets/lists/ab.7.full.zst");
        for out in ["a/%2e%2e/b", "a%2Fb", "a//b", "a\\b", "targets/a%00.b"] {
            let found = place(out);
            assert!(found.is_none() || !found.unwrap().contains(".."), "{out}");
        }
    }
}
