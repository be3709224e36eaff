//! UT1 (Université Toulouse Capitole) and other squidGuard collections: one
//! directory for a category, as files or in a tar.
//!
//! ```text
//! adult/domains        names, each with all below it
//! adult/urls           hosts with paths: counted, never cut to the host
//! adult/expressions    regular expressions on URLs: counted
//! adult/usage          what the category is meant for: for people
//! ```
//!
//! Reading directories and archives is for the shell; this says what their
//! members are and joins them into one source.

use super::format::{Format, ScopeChoice};
use super::line::Lines;
use super::parse::parse;
use super::parsed::Parsed;
use super::reject::Reject;

/// What a member of a collection is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Member<'a> {
    /// The names of a category, which is empty where the path has no directory.
    Domains {
        /// The directory the file is in.
        category: &'a str,
    },
    /// Rules that DNS cannot honour.
    Counted(Reject),
    /// Not rules.
    Other,
}

/// Says what the member at `path` of an archive or directory is.
///
/// A path that leaves the collection (`..`, absolute) is nothing.
pub fn member(path: &str) -> Member<'_> {
    let path = path.strip_prefix("./").unwrap_or(path);
    if path.starts_with('/') || path.split('/').any(|part| part == "..") {
        return Member::Other;
    }
    let (directory, file) = path.rsplit_once('/').unwrap_or(("", path));
    match file {
        "domains" => Member::Domains { category: directory.rsplit('/').next().unwrap_or("") },
        "urls" => Member::Counted(Reject::PathRule),
        "expressions" | "very_restrictive_expression" => Member::Counted(Reject::Regex),
        _ => Member::Other,
    }
}

/// Parses the members of one category, given as path and text, in any order.
///
/// The line numbers of rules are those of `domains`. A second `domains` file is
/// another category and is left out: choose one before.
pub fn parse_category<'a>(
    members: impl IntoIterator<Item = (&'a str, &'a [u8])>,
    choice: ScopeChoice,
) -> Parsed {
    let mut parsed: Option<Parsed> = None;
    let mut counted = Vec::new();
    for (path, text) in members {
        match member(path) {
            Member::Domains { .. } if parsed.is_none() => {
                parsed = Some(parse(text, Format::Domains, choice));
            }
            Member::Counted(reject) => counted.push((path, text, reject)),
            Member::Domains { .. } | Member::Other => {}
        }
    }
    let mut parsed = parsed.unwrap_or_else(|| parse(b"", Format::Domains, choice));
    for (path, text, reject) in counted {
        let lines = Lines(text).filter(|line| !line.trim_ascii().is_empty()).count();
        let lines = u32::try_from(lines).unwrap_or(u32::MAX);
        if lines > 0 {
            parsed.reject_many(1, path, reject, lines);
            parsed.lines = parsed.lines.saturating_add(lines);
        }
    }
    parsed
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_domains_are_names() {
        assert_eq!(member("adult/domains"), Member::Domains { category: "adult" });
        assert_eq!(member("./blacklists/adult/domains"), Member::Domains { category: "adult" });
        assert_eq!(member("domains"), Member::Domains { category: "" });
        assert_eq!(member("adult/urls"), Member::Counted(Reject::PathRule));
        assert_eq!(member("adult/very_restrictive_expression"), Member::Counted(Reject::Regex));
        for path in ["adult/usage", "README", "adult/domains.diff", "../x/domains", "/domains", ""]
        {
            assert_eq!(member(path), Member::Other, "{path}");
        }
    }

    #[test]
    fn urls_and_expressions_are_counted_and_not_cut() {
        let members: [(&str, &[u8]); 4] = [
            ("games/urls", b"video.example/games\nportal.example/play\n\n"),
            ("games/usage", b"games\n"),
            ("games/domains", b"games.example\n"),
            ("games/expressions", b"(^|[-.])game\n"),
        ];
        let parsed = parse_category(members, ScopeChoice::AsFormat);
        assert_eq!(parsed.len(), 1);
        assert_eq!(parsed.rejects.get(&Reject::PathRule), Some(&2));
        assert_eq!(parsed.rejects.get(&Reject::Regex), Some(&1));
        assert!(parsed.verdict().is_ok());
        let nothing =
            parse_category([("games/usage", b"games\n".as_slice())], ScopeChoice::AsFormat);
        assert!(nothing.verdict().is_err());
    }
}
