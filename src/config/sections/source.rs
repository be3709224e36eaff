//! `[[lists.source]]`: one source of listed names.
//!
//! A source is a file (`path`), a download (`url`), or a sealed list (`format =
//! "sealed"`, with its `key`). Keys of one kind are
//! refused in another: a bound that is not applied must not stand in a config.

use std::path::PathBuf;
use std::time::Duration;

use aws_lc_rs::digest::{SHA256, digest};
use toml::Spanned;
use url::Url;

use crate::blocklist::{Format, ScopeChoice, ZoneAction};
use crate::category::{CategoryId, LegalDuty, Taxonomy};
use crate::config::file::report::Report;
use crate::config::file::shape::{ListsFile, SourceFile, Table};
use crate::config::file::value::place_of;
use crate::diagnostic::Diagnostic;
use crate::dns::name::Name;
use crate::lang::{Message, messages};

/// The `format` of a sealed list.
pub(crate) const SEALED: &str = "sealed";

/// The default of `min_percent`.
pub(super) const MIN_PERCENT: u8 = 50;
const MINUTE: Duration = Duration::from_secs(60);
const DAY: Duration = Duration::from_secs(86_400);

/// One source of names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListSource {
    /// Category of its names.
    pub category: CategoryId,
    /// Path, resolved against the directory of the config. For a download, the file name of
    /// its copy, which the shell resolves against the state directory.
    pub path: PathBuf,
    /// Format of the list.
    pub format: Format,
    /// Scope of its names.
    pub scope: ScopeChoice,
    /// Whether its own answers are given: addresses and aliases that it has for names. Else such
    /// a name is blocked.
    pub trusted: bool,
    /// What the triggers of a response policy zone do.
    pub action: ZoneAction,
    /// Guarded names that it may block, each with all below it.
    pub accept: Vec<Name>,
    /// Least number of rules, in percent of what was in force. A shorter list is held.
    pub min_percent: u8,
    /// Path or URL as written: the source's name in logs, metrics and `why`.
    pub label: String,
    /// Download settings, for a source by `url`.
    pub fetch: Option<Fetch>,
}

/// Download of a list: from where, how often, and with which bounds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fetch {
    /// URL, https or http, without user name, password or fragment.
    pub url: String,
    /// Interval between two downloads.
    pub every: Duration,
    /// Timeout of one download, from first to last octet.
    pub timeout: Duration,
    /// Most octets, as sent and unpacked.
    pub max_octets: u64,
    /// Least number of rules, in percent of the last good copy's. A smaller list is refused.
    pub min_percent: u8,
}

/// A sealed list and its key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sealed {
    /// Category of its names.
    pub category: CategoryId,
    /// Path of the list.
    pub path: PathBuf,
    /// Path of its key.
    pub key: PathBuf,
    /// Path of the list as written.
    pub label: String,
}

impl Fetch {
    /// A download with the default bounds.
    pub fn new(url: Option<&Url>) -> Self {
        Self {
            url: url.map(Url::to_string).unwrap_or_default(),
            every: DAY,
            timeout: 5 * MINUTE,
            max_octets: 256 << 20,
            min_percent: MIN_PERCENT,
        }
    }

    /// File name of the last good copy; a function of the URL alone.
    ///
    /// Its extension follows the URL's, because it decides how the list is unpacked.
    pub fn file_name(&self) -> String {
        let url = Url::parse(&self.url).ok();
        let host = url.as_ref().and_then(Url::host_str).unwrap_or("list");
        let host = host.replace(|c: char| !c.is_ascii_alphanumeric() && c != '.', "-");
        let path = url.as_ref().map_or("", Url::path).to_ascii_lowercase();
        let hash = digest(&SHA256, self.url.as_bytes());
        let hash = hash.as_ref().first_chunk().map_or(0, |eight| u64::from_be_bytes(*eight));
        format!("{host}-{hash:016x}.{}", Packing::of(&path).extension())
    }
}

/// Compression of a list, by the extension of its URL.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Packing {
    Plain,
    Gzip,
    Archive,
}

impl Packing {
    /// The compression by the extension of a path.
    fn of(path: &str) -> Self {
        let mut parts = path.rsplit('.');
        match (parts.next(), parts.next()) {
            (Some("tgz"), Some(_)) | (Some("gz"), Some("tar")) => Self::Archive,
            (Some("gz"), Some(_)) => Self::Gzip,
            _ => Self::Plain,
        }
    }

    /// The extension of the copy.
    fn extension(self) -> &'static str {
        match self {
            Self::Plain => "txt",
            Self::Gzip => "gz",
            Self::Archive => "tar.gz",
        }
    }
}

/// Reads the URL of a list.
///
/// # Errors
///
/// What is wrong with it, and what to write.
pub fn list_url(text: &str) -> Result<Url, (Message, Message)> {
    let hint = || messages::write("https://host/path");
    let url = Url::parse(text).map_err(|error| (messages::no_url(text, error), hint()))?;
    if !matches!(url.scheme(), "https" | "http") {
        return Err((messages::url_scheme(text), hint()));
    }
    if !url.username().is_empty() || url.password().is_some() {
        // The message must not contain the password.
        return Err((messages::url_password(), messages::known_by_address()));
    }
    if url.fragment().is_some() {
        return Err((messages::url_fragment(text), messages::leave_it_out()));
    }
    Ok(url)
}

impl Report<'_> {
    /// Every `[[lists.source]]`: plain lists, and sealed ones.
    pub(in crate::config) fn sources(
        &mut self,
        taxonomy: &Taxonomy,
        file: &ListsFile,
    ) -> (Vec<ListSource>, Vec<Sealed>) {
        let (mut sources, mut all_sealed) = (Vec::<ListSource>::new(), Vec::<Sealed>::new());
        for table in &file.source {
            let is_sealed = table.get_ref().format.as_ref().is_some_and(|f| f.get_ref() == SEALED);
            if is_sealed {
                if let Some(sealed) = self.sealed(taxonomy, table) {
                    if all_sealed.iter().any(|other| other.path == sealed.path) {
                        self.twice(table, &sealed.label);
                    }
                    all_sealed.push(sealed);
                }
            } else if let Some(source) = self.source(taxonomy, table) {
                let is_same = |other: &ListSource| {
                    (other.category, &other.path) == (source.category, &source.path)
                };
                if sources.iter().any(is_same) {
                    self.twice(table, &source.label);
                }
                sources.push(source);
            }
        }
        (sources, all_sealed)
    }

    /// Reports a source that stands twice.
    fn twice(&mut self, table: &Spanned<Table<SourceFile>>, label: &str) {
        let file = table.get_ref();
        let place = place_of(file.path.as_ref().or(file.url.as_ref()), table);
        self.mistake(place, messages::source_already(label)).hint =
            Some(messages::remove_one_table("[[lists.source]]"));
    }

    /// A source by `path` or `url`.
    fn source(
        &mut self,
        taxonomy: &Taxonomy,
        table: &Spanned<Table<SourceFile>>,
    ) -> Option<ListSource> {
        let file = table.get_ref();
        let category = self.source_category(taxonomy, table);
        let fetch = file.url.as_ref().and_then(|text| self.fetch(text, file));
        let path = match (&file.path, &file.url) {
            (Some(text), None) => self.path("path", text),
            (None, Some(_)) => fetch.as_ref().map(|fetch| PathBuf::from(fetch.file_name())),
            (Some(_), Some(url)) => {
                self.mistake(url.span(), messages::source_both("path", "url")).hint =
                    Some(messages::remove_one_or_make_two("[[lists.source]]"));
                None
            }
            (None, None) => {
                self.mistake(table.span(), messages::table_without("[[lists.source]]", "path"))
                    .hint = Some(messages::add_either("path = \"…\"", "url = \"https://…\""));
                None
            }
        };
        if let Some(key) = &file.key {
            self.mistake(key.span(), messages::for_sealed_lists("key")).hint =
                Some(messages::add_or_remove(format!("format = \"{SEALED}\"")));
        }
        if file.url.is_none() {
            self.for_downloads_only(file);
        }
        let format = file.format.as_ref().map_or(Some(Format::default()), |text| {
            let found = Format::ALL.into_iter().find(|format| format.id() == text.get_ref());
            if found.is_none() {
                let known = Format::ALL.into_iter().map(Format::id).chain([SEALED]);
                self.unknown(messages::format(), text, known);
            }
            found
        });
        let trusted = self.trusted(file, fetch.as_ref());
        let action = self.zone_action(file, format);
        let accept = self.names("accept", &file.accept);
        let mut min_percent = usize::from(MIN_PERCENT);
        if fetch.is_none() {
            self.number("min_percent", &file.min_percent, 0..=100, &mut min_percent);
        }
        let min_percent = min_percent as u8;
        let scope = file.scope.as_ref().map_or(Some(ScopeChoice::default()), |text| {
            self.choice(messages::scope(), text, &ScopeChoice::ALL, ScopeChoice::id)
        });
        let label = file.path.as_ref().or(file.url.as_ref()).map(|text| text.get_ref().clone())?;
        let (category, path, format, scope) = (category?, path?, format?, scope?);
        let action = action?;
        Some(ListSource {
            category,
            path,
            format,
            scope,
            trusted,
            action,
            accept,
            min_percent,
            label,
            fetch,
        })
    }

    /// The action of all triggers, of a response policy zone alone.
    fn zone_action(&mut self, file: &SourceFile, format: Option<Format>) -> Option<ZoneAction> {
        let Some(given) = &file.action else { return Some(ZoneAction::default()) };
        let action = self.choice(messages::action(), given, &ZoneAction::ALL, ZoneAction::id);
        if format != Some(Format::Rpz) && action != Some(ZoneAction::Given) {
            self.mistake(given.span(), messages::for_zones_only("action")).hint =
                Some(messages::add_or_remove("format = \"rpz\""));
        }
        action
    }

    /// Whether a source is trusted with answers: never over plain http, where anybody on the way
    /// could write them.
    fn trusted(&mut self, file: &SourceFile, fetch: Option<&Fetch>) -> bool {
        let Some(trusted) = &file.trusted else { return false };
        let is_plain = fetch.is_some_and(|fetch| fetch.url.starts_with("http:"));
        if *trusted.get_ref() && is_plain {
            self.mistake(trusted.span(), messages::trusted_over_http("trusted")).hint =
                Some(messages::use_https_or_remove("trusted"));
        }
        *trusted.get_ref() && !is_plain
    }

    /// The required `category` of a source.
    fn source_category(
        &mut self,
        taxonomy: &Taxonomy,
        table: &Spanned<Table<SourceFile>>,
    ) -> Option<CategoryId> {
        match &table.get_ref().category {
            Some(text) => self.category(taxonomy, text),
            None => self.missing(table.span(), "[[lists.source]]", "category"),
        }
    }

    /// Reports every download, where nothing can store its copy.
    pub(in crate::config) fn refuse_downloads(&mut self, file: &ListsFile) {
        for url in file.source.iter().filter_map(|table| table.get_ref().url.as_ref()) {
            self.mistake(url.span(), messages::no_copy_directory("url")).hint =
                Some(messages::give_state_directory("dir"));
        }
    }

    /// The download settings of a source by `url`.
    fn fetch(&mut self, text: &Spanned<String>, file: &SourceFile) -> Option<Fetch> {
        let url = list_url(text.get_ref()).map_err(|(message, hint)| {
            self.mistake(text.span(), message).hint = Some(hint);
        });
        let url = url.ok();
        let mut fetch = Fetch::new(url.as_ref());
        self.duration("every", file.every.as_ref(), 15 * MINUTE..=30 * DAY, &mut fetch.every);
        let second = Duration::from_secs(1);
        self.duration("timeout", file.timeout.as_ref(), second..=60 * MINUTE, &mut fetch.timeout);
        self.size("max_size", file.max_size.as_ref(), 1 << 10..=1 << 30, &mut fetch.max_octets);
        let mut percent = usize::from(fetch.min_percent);
        self.number("min_percent", &file.min_percent, 0..=100, &mut percent);
        fetch.min_percent = percent as u8;
        url.map(|_| fetch)
    }

    /// Reports the keys that apply to downloads only.
    fn for_downloads_only(&mut self, file: &SourceFile) {
        let spans = [
            ("every", file.every.as_ref().map(Spanned::span)),
            ("timeout", file.timeout.as_ref().map(Spanned::span)),
            ("max_size", file.max_size.as_ref().map(Spanned::span)),
        ];
        for (key, span) in spans.into_iter().filter_map(|(key, span)| Some((key, span?))) {
            self.push(
                Diagnostic::new(span, messages::for_sources_with(key, "url"))
                    .hint(messages::file_read_on_change()),
            );
        }
    }

    /// A sealed list.
    fn sealed(
        &mut self,
        taxonomy: &Taxonomy,
        table: &Spanned<Table<SourceFile>>,
    ) -> Option<Sealed> {
        let file = table.get_ref();
        let category = self.source_category(taxonomy, table);
        if let (Some(id), Some(given)) = (category, &file.category)
            && taxonomy.category(id).duty != Some(LegalDuty::Law)
        {
            let mut rows = taxonomy.iter().map(|(_, row)| row);
            let sealed = rows.find(|row| row.duty == Some(LegalDuty::Law));
            let sealed = sealed.map_or("", |row| row.id.as_str());
            self.mistake(given.span(), messages::sealed_category(sealed, given.get_ref())).hint =
                Some(messages::give_it_as_names());
        }
        if let Some(url) = &file.url {
            self.mistake(url.span(), messages::sealed_by_url("url")).hint =
                Some(messages::copy_it_and_its_key());
        }
        if let Some(trusted) = &file.trusted {
            self.mistake(trusted.span(), messages::scope_of_sealed("trusted")).hint =
                Some(messages::remove_it());
        }
        if let Some(action) = &file.action {
            self.mistake(action.span(), messages::for_zones_only("action")).hint =
                Some(messages::remove_it());
        }
        if let Some(accept) = &file.accept {
            self.mistake(accept.span(), messages::scope_of_sealed("accept")).hint =
                Some(messages::remove_it());
        }
        if let Some(scope) = &file.scope {
            self.mistake(scope.span(), messages::scope_of_sealed("scope")).hint =
                Some(messages::remove_it());
        }
        self.for_downloads_only(file);
        if let Some(percent) = &file.min_percent {
            self.mistake(percent.span(), messages::scope_of_sealed("min_percent")).hint =
                Some(messages::remove_it());
        }
        let path = match &file.path {
            Some(text) => self.path("path", text),
            None => self.missing(table.span(), "[[lists.source]]", "path"),
        };
        let key = match &file.key {
            Some(text) => self.path("key", text),
            None => self.missing(table.span(), "[[lists.source]]", "key"),
        };
        let label = file.path.as_ref().map(|text| text.get_ref().clone())?;
        Some(Sealed { category: category?, path: path?, key: key?, label })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_copy_has_a_name_of_its_own_and_ends_as_the_url_does() {
        let name = |text| Fetch::new(Some(&Url::parse(text).unwrap())).file_name();
        let end = |text| name(text).rsplit_once('-').unwrap().1[16..].to_owned();
        assert!(name("https://lists.example/hosts?x=1").starts_with("lists.example-"));
        assert_ne!(name("https://lists.example/a?x=1"), name("https://lists.example/a?x=2"));
        assert_eq!(name("https://lists.example/a?x=1"), name("https://lists.example/a?x=1"));
        assert_eq!(end("https://lists.example/hosts"), ".txt");
        assert_eq!(end("http://[::1]:8080/../adult.TAR.gz"), ".tar.gz");
        assert_eq!(end("http://x.example/a.tgz?b"), ".tar.gz");
        assert_eq!(end("http://x.example/a.gz"), ".gz");
        let odd = name("http://[::1]/..%2f..%2fetc/passwd");
        assert!(!odd.contains(['/', ':']) && !odd.starts_with('.'), "{odd}");
    }

    #[test]
    fn only_a_plain_web_address_is_a_url() {
        assert!(list_url("https://lists.example/a").is_ok());
        assert!(list_url("http://127.0.0.1:8080/a").is_ok());
        for text in [
            "",
            "lists.example",
            "ftp://x.example/",
            "file:///etc/passwd",
            "https://x.example/#a",
            "http://a%2fb/",
        ] {
            assert!(list_url(text).is_err(), "{text}");
        }
        let (message, _) = list_url("https://user:secret@x.example/").unwrap_err();
        let message = message.in_lang(crate::lang::Lang::En);
        assert!(!message.contains("secret"), "{message}");
    }
}
