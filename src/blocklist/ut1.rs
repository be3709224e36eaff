//! UT1 (Université Toulouse Capitole) and other squidGuard collections: one
//! directory for a category, as files or in a tar.
//!
//! ```text
//! adult/domains        names, each with its subtree
//! adult/urls           hosts with paths: no rules, never cut to the host
//! adult/expressions    regular expressions on URLs: no rules
//! adult/usage          a description of the category for people
//! ```
//!
//! The shell reads directories and archives; [`member`] classifies their members.

use super::reject::Reject;

/// A member of a collection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Member<'a> {
    /// The names of a category, which is empty where the path has no directory.
    Domains {
        /// The directory the file is in.
        category: &'a str,
    },
    /// Rules that DNS cannot honour, with the reason.
    Counted(Reject),
    /// No rules.
    Other,
}

/// Classifies the member at `path` of an archive or directory.
///
/// A path that leaves the collection (`..`, absolute) is [`Member::Other`].
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
}
