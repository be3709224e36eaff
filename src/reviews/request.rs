//! A request for a review: a site as people write it, and a reason from a fixed list.

use serde::{Deserialize, Serialize};

use crate::dns::name::Name;
use crate::lang::{Message, messages};
use crate::policy::tables::local_zones::is_public_suffix;

/// The most octets of what is typed: a name has 253, and may be typed in letters of three octets, with a
/// path behind it.
const MAX_TEXT: usize = 1024;

/// Why somebody asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReviewReason {
    /// It is needed for a lesson.
    Lesson,
    /// It is needed for homework, or for reading up.
    Homework,
    /// It is no such site.
    Mistake,
    /// Another site or a program does not work without it.
    Broken,
    /// Something else.
    Other,
}

impl ReviewReason {
    /// Every reason, in the order in which a form shows them.
    pub const ALL: [Self; 5] =
        [Self::Lesson, Self::Homework, Self::Mistake, Self::Broken, Self::Other];

    /// The id in forms, files and on the command line.
    pub fn id(self) -> &'static str {
        match self {
            Self::Lesson => "lesson",
            Self::Homework => "homework",
            Self::Mistake => "mistake",
            Self::Broken => "broken",
            Self::Other => "other",
        }
    }

    /// The reason with an id.
    pub fn of(id: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|reason| reason.id() == id)
    }

    /// The reason for people.
    pub fn label(self) -> Message {
        match self {
            Self::Lesson => messages::needed_for_lesson(),
            Self::Homework => messages::needed_for_homework(),
            Self::Mistake => messages::needed_for_mistake(),
            Self::Broken => messages::needed_for_broken(),
            Self::Other => messages::needed_for_other(),
        }
    }
}

/// The name in what somebody typed: a name, or the address of a page with one in it.
pub fn typed_name(text: &str) -> Option<Name> {
    let text = text.trim();
    if text.len() > MAX_TEXT {
        return None;
    }
    let rest = text.split_once("://").map_or(text, |(_, rest)| rest);
    let host = rest.split(['/', '?', '#', '\\']).next().unwrap_or_default();
    // What stands before an `@` is a user, and is how a link pretends to be another site.
    let host = host.rsplit('@').next().unwrap_or_default();
    let host = match host.rsplit_once(':') {
        Some((host, port)) if port.bytes().all(|octet| octet.is_ascii_digit()) => host,
        _ => host,
    };
    // An address is no name, and no list names one.
    let is_address = host.parse::<std::net::IpAddr>().is_ok();
    Name::from_text(host).ok().filter(|name| !is_address && !name.is_root())
}

/// A site that can be asked for: a host name below a public suffix.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AskedSite(Name);

/// Text that is no site.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("no site")]
pub struct NoSite;

impl AskedSite {
    /// Reads a name, or the address of a page as a browser shows it: of that, the host.
    ///
    /// # Errors
    ///
    /// [`NoSite`]; the text must not be shown again.
    pub fn read(text: &str) -> Result<Self, NoSite> {
        let name = typed_name(text).ok_or(NoSite)?;
        if name.label_count() < 2 || is_public_suffix(&name) {
            return Err(NoSite);
        }
        Ok(Self(name))
    }

    /// Its name.
    pub fn name(&self) -> &Name {
        &self.0
    }

    /// Its name for people and files, without the final dot.
    pub fn text(&self) -> String {
        self.0.to_string().trim_end_matches('.').to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_site_is_the_host_of_what_a_browser_shows() {
        for (given, site) in [
            ("www.Games.example", "www.games.example"),
            ("  games.example.  ", "games.example"),
            ("https://games.example/a/b?c=d#e", "games.example"),
            ("http://games.example:8080", "games.example"),
            ("https://good.example@games.example/x", "games.example"),
            ("games.example/path", "games.example"),
            ("tiếngviệt.vn", "xn--tingvit-5t4cyc.vn"),
        ] {
            assert_eq!(AskedSite::read(given).map(|site| site.text()), Ok(site.into()), "{given}");
        }
    }

    #[test]
    fn hostile_text_is_no_site() {
        let long = format!("{}.example", "a.".repeat(300));
        let huge = "x".repeat(4096);
        for odd in [
            "",
            " ",
            "example",
            "com.vn",
            "vn",
            "10.0.0.1",
            "[::1]",
            "::1",
            "a..example",
            ".",
            "<script>alert(1)</script>",
            "a\"b.example",
            "a'b.example",
            "a b.example",
            "a\u{202e}b.example",
            "a\0.example",
            "a\n.example",
            "a\u{200b}.com",
            "javascript:alert(1)",
            "../../etc/passwd",
            "a&b.example",
            "%3cscript%3e.example",
            "xn--\u{7f}.example",
            &long,
            &huge,
        ] {
            let read = AskedSite::read(odd).map(|site| site.text());
            let is_plain = |text: &String| {
                text.bytes().all(|octet| octet.is_ascii_alphanumeric() || b"-._".contains(&octet))
            };
            // What is removed as having no width leaves a name that has none of it.
            assert!(read.as_ref().map_or(true, is_plain), "{odd:?}: {read:?}");
            assert!(read.is_err() || odd.contains('\u{200b}'), "{odd:?}: {read:?}");
        }
    }
}
