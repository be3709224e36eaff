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
