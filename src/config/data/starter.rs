//! Embedded data: taxonomy, starter lists and tables, in effect until a release replaces them.
//!
//! The files of `blocklists/` as text, and readers for those that are not lists of
//! names. Signed releases bring the same files, so a mistake in one is a [`Diagnostic`]
//! and never a panic; a test checks that the embedded ones have none.
//!
//! Absent on purpose: `csam`. Its entries come from a competent authority only.

use std::collections::BTreeMap;
use std::ops::Range;
use std::path::Path;

use crate::category::Taxonomy;
use crate::config::data::essential::lint;
use crate::config::data::safesearch::{self, SafeSearch};
use crate::config::data::taxonomy;
use crate::config::file::report::Report;
use crate::config::file::shape;
use crate::config::file::syntax::listed;
use crate::config::file::wire_error::name_error;
use crate::diagnostic::{Diagnostic, nearest};
use crate::dns::name::Name;
use crate::lang::{Message, messages};
use crate::policy::CanaryKind;
use crate::rule::Scope;

/// The taxonomy.
pub const CATEGORIES: &str = include_str!("../../../blocklists/categories.toml");
/// Names that resolve in every mode.
pub const ESSENTIAL: &str = include_str!("../../../blocklists/essential.txt");
/// Canary names: a client queries one to learn whether it may bypass this resolver.
pub const CANARIES: &str = include_str!("../../../blocklists/canaries.txt");
/// Search engines with a safe mode.
pub const SAFESEARCH: &str = include_str!("../../../blocklists/safesearch.toml");
/// Bundles of names.
pub const BUNDLES: &str = include_str!("../../../blocklists/bundles.toml");
/// Services: the names of an app or a site under one word.
pub const SERVICES: &str = include_str!("../../../blocklists/services.toml");
/// Guarded names: a publish that would newly block one needs consent.
pub const GUARD: &str = include_str!("../../../blocklists/guard.txt");

/// The popular sample: names that many people ask for.
pub const POPULAR: &str = include_str!("../../../blocklists/popular.txt");

/// Pairs each category with the text of its starter list.
macro_rules! starter {
    ($($id:literal)*) => {
        &[$(($id, include_str!(concat!("../../../blocklists/starter/", $id, ".txt")))),*]
    };
}

/// Starter lists by category: names, one a line, each with all below it.
pub const STARTER: &[(&str, &str)] = starter! {
    "legal_request" "adult" "nudify" "gambling" "dating" "violence" "drugs" "self_harm"
    "extremism" "fraud" "malware" "bypass" "hacking" "social" "games" "video" "piracy" "ai_chat"
    "crypto" "ads_trackers" "cheating" "risky_infra" "fake_news"
    "unsafe_search" "safe"
};

/// Why a name is essential.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Class {
    /// Help lines; a query for one is counted in totals only.
    Help,
    /// Time servers.
    Time,
    /// OCSP, CRL and issuer certificates.
    Certificates,
    /// Captive portal probes of devices.
    CaptivePortal,
    /// Updates of operating systems.
    Updates,
}

impl Class {
    /// Every class, in the order of the file.
    pub const ALL: [Self; 5] =
        [Self::Help, Self::Time, Self::Certificates, Self::CaptivePortal, Self::Updates];

    /// The heading in the file.
    pub fn id(self) -> &'static str {
        match self {
            Self::Help => "help",
            Self::Time => "time",
            Self::Certificates => "certificates",
            Self::CaptivePortal => "captive-portal",
            Self::Updates => "updates",
        }
    }
}

/// A name that resolves in every mode.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShippedEssential {
    /// The name.
    pub name: Name,
    /// Whether it stands for itself alone, without what is below it.
    pub is_exact: bool,
    /// Why it is essential.
    pub class: Class,
}

/// The embedded keyword rules.
pub const KEYWORDS: &str = include_str!("../../../blocklists/keywords.txt");

/// The embedded taxonomy.
///
/// # Errors
///
/// As [`taxonomy::parse`]; a test checks that there are none.
pub fn taxonomy() -> Result<Taxonomy, Vec<Diagnostic>> {
    taxonomy::parse(CATEGORIES)
}

/// The embedded essential names.
///
/// # Errors
///
/// As [`parse_essential`]; a test checks that there are none.
pub fn essential() -> Result<Vec<ShippedEssential>, Vec<Diagnostic>> {
    parse_essential(ESSENTIAL)
}

/// The embedded canary names.
///
/// # Errors
///
/// As [`parse_canaries`]; a test checks that there are none.
pub fn canaries() -> Result<Vec<(CanaryKind, Name)>, Vec<Diagnostic>> {
    parse_canaries(CANARIES)
}

/// The embedded popular sample, in the order of its file, as [`parse_guarded`] reads it.
///
/// # Errors
///
/// As [`parse_guarded`]; a test checks that there are none.
pub fn popular() -> Result<Vec<(Name, Vec<String>)>, Vec<Diagnostic>> {
    parse_guarded(POPULAR)
}

/// The embedded search engines.
///
/// # Errors
///
/// As [`safesearch::parse`]; a test checks that there are none.
pub fn safesearch() -> Result<SafeSearch, Vec<Diagnostic>> {
    safesearch::parse(SAFESEARCH)
}

/// Reads essential names: `## class` headings, `=name` exactly, `name` with all below it.
///
/// # Errors
///
/// Every line that is none of these, names before the first heading, and names that must not be
/// essential.
pub fn parse_essential(text: &str) -> Result<Vec<ShippedEssential>, Vec<Diagnostic>> {
    let mut mistakes = Vec::new();
    let mut class = None;
    let mut names = Vec::new();
    for (span, line) in lines(text) {
        if let Some(heading) = line.strip_prefix("## ") {
            class = Some(word(span, messages::class(), heading.trim(), &Class::ALL, Class::id));
            if let Some(Err(mistake)) = &class {
                mistakes.push(mistake.clone());
            }
            continue;
        }
        if line.starts_with('#') {
            continue;
        }
        let (is_exact, text) = line.strip_prefix('=').map_or((false, line), |rest| (true, rest));
        match (&class, name(span.clone(), text)) {
            (Some(Ok(class)), Ok(name)) => {
                let scope = if is_exact { Scope::Exact } else { Scope::Subtree };
                mistakes.extend(lint(span, &name, scope));
                names.push(ShippedEssential { name, is_exact, class: *class });
            }
            // Its heading is reported already.
            (Some(Err(_)), Ok(_)) => {}
            (None, Ok(_)) => mistakes.push(
                Diagnostic::new(span, messages::before_heading())
                    .hint(messages::put_below("## time")),
            ),
            (_, Err(mistake)) => mistakes.push(mistake),
        }
    }
    if mistakes.is_empty() { Ok(names) } else { Err(mistakes) }
}

/// The built-in bundles.
///
/// # Errors
///
/// As [`parse_bundles`].
pub fn bundles() -> Result<BTreeMap<String, Vec<Name>>, Vec<Diagnostic>> {
    parse_bundles(BUNDLES)
}

/// Reads bundles of names.
///
/// # Errors
///
/// The first mistake of shape, or every mistake of meaning.
pub fn parse_bundles(text: &str) -> Result<BTreeMap<String, Vec<Name>>, Vec<Diagnostic>> {
    let file: shape::Bundles = shape::parse(text).map_err(|mistake| vec![mistake])?;
    let mut report = Report::new(Path::new(""));
    let bundles = report.bundles(&file.bundle);
    let mistakes = report.into_mistakes();
    if mistakes.is_empty() { Ok(bundles) } else { Err(mistakes) }
}

/// Reads canary names: lines of `kind name`.
///
/// # Errors
///
/// Every line that is not.
pub fn parse_canaries(text: &str) -> Result<Vec<(CanaryKind, Name)>, Vec<Diagnostic>> {
    gather(text, |span, line| {
        let Some((kind, text)) = line.split_once(char::is_whitespace) else {
            return Err(Diagnostic::new(span, messages::kind_and_name())
                .hint(messages::write("firefox use-application-dns.net")));
        };
        let kind = word(span.clone(), messages::kind(), kind, &CanaryKind::ALL, CanaryKind::id)?;
        Ok((kind, name(span, text.trim())?))
    })
}

/// Reads guarded or popular names, one a line, each with the ids of the categories that exist to block it.
///
/// # Errors
///
/// Every line that has no name.
pub fn parse_guarded(text: &str) -> Result<Vec<(Name, Vec<String>)>, Vec<Diagnostic>> {
    gather(text, |span, line| {
        let mut words = line.split_whitespace();
        let name = name(span, words.next().unwrap_or_default())?;
        Ok((name, words.map(str::to_owned).collect()))
    })
}

/// Reads each line that is no comment; all values, or every mistake.
fn gather<T>(
    text: &str,
    read: impl Fn(Range<usize>, &str) -> Result<T, Diagnostic>,
) -> Result<Vec<T>, Vec<Diagnostic>> {
    let (mut found, mut mistakes) = (Vec::new(), Vec::new());
    for (span, line) in lines(text).filter(|(_, line)| !line.starts_with('#')) {
        match read(span, line) {
            Ok(one) => found.push(one),
            Err(mistake) => mistakes.push(mistake),
        }
    }
    if mistakes.is_empty() { Ok(found) } else { Err(mistakes) }
}

/// The lines that are not empty, trimmed, each with its place.
fn lines(text: &str) -> impl Iterator<Item = (Range<usize>, &str)> {
    let mut next = 0;
    text.split_inclusive('\n').filter_map(move |line| {
        let start = next + (line.len() - line.trim_start().len());
        next += line.len();
        let line = line.trim();
        (!line.is_empty()).then_some((start..start + line.len(), line))
    })
}

/// A name of a line.
fn name(span: Range<usize>, text: &str) -> Result<Name, Diagnostic> {
    Name::from_text(text)
        .map_err(|error| Diagnostic::new(span, messages::no_name(text, name_error(&error))))
}

/// One word of a closed set.
fn word<T: Copy>(
    span: Range<usize>,
    kind: Message,
    found: &str,
    all: &[T],
    id: fn(T) -> &'static str,
) -> Result<T, Diagnostic> {
    let known = || all.iter().map(|&one| id(one));
    all.iter().copied().find(|&one| id(one) == found).ok_or_else(|| {
        let known_words = listed(known());
        let mistake = Diagnostic::new(span, messages::unknown_word(kind, found, known_words));
        match nearest(found, known()) {
            Some(meant) => mistake.hint(messages::did_you_mean(meant)),
            None => mistake,
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::category::{CategoryLock, Level};
    use crate::dns::name::Folded;

    #[test]
    fn every_embedded_file_parses() {
        let shown = |path: &str, text: &str, mistakes: Vec<Diagnostic>| -> String {
            mistakes.iter().map(|mistake| mistake.render(path, text)).collect()
        };
        taxonomy().unwrap_or_else(|m| panic!("{}", shown("categories.toml", CATEGORIES, m)));
        let essential =
            essential().unwrap_or_else(|m| panic!("{}", shown("essential.txt", ESSENTIAL, m)));
        let canaries =
            canaries().unwrap_or_else(|m| panic!("{}", shown("canaries.txt", CANARIES, m)));
        let guard =
            parse_guarded(GUARD).unwrap_or_else(|m| panic!("{}", shown("guard.txt", GUARD, m)));
        safesearch().unwrap_or_else(|m| panic!("{}", shown("safesearch.toml", SAFESEARCH, m)));
        assert!(!guard.is_empty());
        for class in Class::ALL {
            assert!(essential.iter().any(|one| one.class == class), "{}", class.id());
        }
        for kind in CanaryKind::ALL {
            assert!(canaries.iter().any(|(one, _)| *one == kind), "{}", kind.id());
        }
        for (id, text) in STARTER {
            parse_guarded(text).unwrap_or_else(|m| panic!("{}", shown(id, text, m)));
        }
        let popular = popular().unwrap_or_else(|m| panic!("{}", shown("popular.txt", POPULAR, m)));
        let once: std::collections::BTreeSet<&Name> =
            popular.iter().map(|(name, _)| name).collect();
        assert_eq!(once.len(), popular.len(), "no name of popular.txt stands there twice");
    }

    #[test]
    fn no_popular_name_is_on_a_starter_list_of_a_protected_category() {
        let taxonomy = taxonomy().unwrap();
        let popular = popular().unwrap();
        let is_protected =
            |id: &str| taxonomy.find(id).is_some_and(|id| taxonomy.category(id).is_protected);
        for (id, text) in STARTER.iter().filter(|(id, _)| is_protected(id) || *id == "adult") {
            for (listed, _) in parse_guarded(text).unwrap() {
                let of_it = |(name, _): &&(Name, _)| {
                    Folded::from_name(name).is_at_or_below(Folded::from_name(&listed).as_wire())
                };
                assert_eq!(popular.iter().find(of_it), None, "{id}: {listed}");
            }
        }
    }

    #[test]
    fn every_category_but_csam_has_a_starter_list() {
        let taxonomy = taxonomy().unwrap();
        let wanted: Vec<&str> =
            taxonomy.iter().map(|(_, row)| row.id.as_str()).filter(|id| *id != "csam").collect();
        let embedded: Vec<&str> = STARTER.iter().map(|(id, _)| *id).collect();
        assert_eq!(embedded, wanted, "in the order of the taxonomy");
    }

    #[test]
    fn no_starter_list_blocks_an_essential_or_guarded_name() {
        let taxonomy = taxonomy().unwrap();
        let essential = essential().unwrap().into_iter().map(|one| one.name);
        let guarded = parse_guarded(GUARD).unwrap();
        let kept: Vec<Name> =
            essential.chain(guarded.iter().map(|(name, _)| name.clone())).collect();
        for (id, text) in STARTER {
            let category = taxonomy.find(id).unwrap();
            if taxonomy.category(category).is_positive {
                continue;
            }
            for (listed, _) in parse_guarded(text).unwrap() {
                let is_below =
                    |name: &&Name| Folded::from_name(name).is_at_or_below(listed.as_wire());
                // Search engines are guarded against every other list; this one lists them.
                let is_meant = guarded
                    .iter()
                    .any(|(name, ids)| is_below(&name) && ids.iter().any(|purpose| purpose == id));
                let of_others = kept.iter().find(|name| is_below(name) && !is_meant);
                assert_eq!(of_others, None, "{id} lists {listed}");
            }
        }
    }

    #[test]
    fn guarded_names_are_of_categories_that_are_there() {
        let taxonomy = taxonomy().unwrap();
        for (name, ids) in parse_guarded(GUARD).unwrap() {
            for id in ids {
                assert!(taxonomy.find(&id).is_some(), "{name}: {id}");
            }
        }
    }

    #[test]
    fn what_is_locked_for_everyone_is_blocked_at_every_level() {
        let taxonomy = taxonomy().unwrap();
        assert!(taxonomy.locked_for(Level::Staff).contains(taxonomy.find("csam").unwrap()));
        let safe = taxonomy.category(taxonomy.find("safe").unwrap());
        assert_eq!((safe.is_positive, safe.lock), (true, CategoryLock::Everyone));
        assert!(taxonomy.category(taxonomy.find("self_harm").unwrap()).is_protected);
    }

    #[test]
    fn what_tells_of_a_person_where_few_asked_is_sensitive() {
        let taxonomy = taxonomy().unwrap();
        let sensitive: Vec<&str> =
            taxonomy.iter().filter(|(_, row)| row.is_sensitive).map(|(_, row)| &*row.id).collect();
        assert_eq!(sensitive, ["csam", "adult", "nudify", "dating", "self_harm"]);
    }

    #[test]
    fn mistakes_in_a_released_file_have_a_place() {
        let text = "a.example\n## tme\n=b.example\n## help\n c..example\n";
        let mistakes = parse_essential(text).unwrap_err();
        let shown: String = mistakes.iter().map(|m| m.render("essential.txt", text)).collect();
        insta::assert_snapshot!(shown, @"
    essential.txt:1:1: a name before the first heading
      |
    1 | a.example
      | ^^^^^^^^^
    hint: put it below a line such as `## time`
    essential.txt:2:1: unknown class `tme`; known are `help`, `time`, `certificates`, `captive-portal`, `updates`
      |
    2 | ## tme
      | ^^^^^^
    hint: did you mean `time`?
    essential.txt:5:2: `c..example` is no name: a label is empty; write single dots between labels
      |
    5 |  c..example
      |  ^^^^^^^^^^
    ");
        let text = "firefox\nfirefix a.example\nchrome a b\n";
        let mistakes = parse_canaries(text).unwrap_err();
        let shown: String = mistakes.iter().map(|m| m.render("canaries.txt", text)).collect();
        insta::assert_snapshot!(shown, @"
    canaries.txt:1:1: a line here is a kind and a name
      |
    1 | firefox
      | ^^^^^^^
    hint: write `firefox use-application-dns.net`
    canaries.txt:2:1: unknown kind `firefix`; known are `firefox`, `icloud`, `chrome`
      |
    2 | firefix a.example
      | ^^^^^^^^^^^^^^^^^
    hint: did you mean `firefox`?
    canaries.txt:3:1: `a b` is no name: ` ` cannot stand in a name; letters, digits, `-`, `_` and `.` can
      |
    3 | chrome a b
      | ^^^^^^^^^^
    ");
    }
}
