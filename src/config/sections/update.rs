//! `[update]`: the department's releases, and the ways by which they come.

use std::net::IpAddr;
use std::path::PathBuf;
use std::time::Duration;

use url::{Host, Url};

use crate::config::file::report::Report;
use crate::config::file::shape::UpdateFile;
use crate::config::file::value::each;
use crate::config::sections::source::list_url;
use crate::dns::address::is_internal;
use crate::dns::name::Name;
use crate::lang::messages;

/// The most URLs of a repository.
const MOST_URLS: usize = 2;

/// The department's releases, and the ways by which they come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UpdateSettings {
    /// The URLs of the repository, the first one asked first.
    pub urls: Vec<Url>,
    /// A directory with a copy of the repository, which is watched.
    pub directory: Option<PathBuf>,
    /// The root of the repository that the gateway was enrolled with: without it no release is
    /// taken.
    pub root: Option<PathBuf>,
    /// The interval between two polls.
    pub every: Duration,
    /// Time limit of a server's silence: then the other one is asked.
    pub silence: Duration,
    /// The name whose TXT record changes with the repository: a poll comes early then.
    pub nudge: Option<Name>,
    /// The interval between two looks at that record, and the least time from a poll to a nudged one.
    pub nudge_every: Duration,
}

impl Default for UpdateSettings {
    fn default() -> Self {
        Self {
            urls: Vec::new(),
            directory: None,
            root: None,
            every: Duration::from_secs(3600),
            silence: Duration::from_secs(30),
            nudge: None,
            nudge_every: Duration::from_secs(60),
        }
    }
}

impl Report<'_> {
    /// Checks `[update]`; `lacks_state` where nothing but the config could name a state directory,
    /// and it does not.
    pub(in crate::config) fn update(
        &mut self,
        file: &UpdateFile,
        lacks_state: bool,
    ) -> UpdateSettings {
        let mut update = UpdateSettings::default();
        for (place, text) in each(&file.urls).enumerate() {
            if place == MOST_URLS {
                self.mistake(text.span(), messages::update_two_urls("urls"));
            }
            match list_url(text.get_ref()) {
                Err((message, hint)) => self.mistake(text.span(), message).hint = Some(hint),
                Ok(url) if url.scheme() == "http" && !is_near(&url) => {
                    let message = messages::update_plain_http(text.get_ref());
                    self.mistake(text.span(), message).hint =
                        Some(messages::write("https://host/path"));
                }
                Ok(url) => update.urls.push(url),
            }
        }
        update.directory = file.directory.as_ref().and_then(|text| self.path("directory", text));
        update.root = file.root.as_ref().and_then(|text| self.path("root", text));
        update.nudge = file.nudge.as_ref().and_then(|text| self.name("nudge", text));
        let seconds = |least, most| Duration::from_secs(least)..=Duration::from_secs(most);
        self.duration("every", file.every.as_ref(), seconds(1, 7 * 86_400), &mut update.every);
        let (silence, nudge_every) = (file.silence.as_ref(), file.nudge_every.as_ref());
        self.duration("silence", silence, seconds(1, 300), &mut update.silence);
        self.duration("nudge_every", nudge_every, seconds(1, 3600), &mut update.nudge_every);
        self.update_needs(file, lacks_state);
        update
    }

    /// Reports keys without what they need.
    fn update_needs(&mut self, file: &UpdateFile, lacks_state: bool) {
        let first = each(&file.urls).next();
        let way = first.or(file.directory.as_ref()).or(file.nudge.as_ref());
        if let (Some(way), None) = (way, &file.root) {
            self.mistake(way.span(), messages::update_needs("[update]", "root")).hint =
                Some(messages::add("root = \"1.root.json\""));
        }
        if let (Some(nudge), None) = (&file.nudge, first) {
            self.mistake(nudge.span(), messages::update_needs("nudge", "urls"));
        }
        if let (Some(interval), None) = (&file.nudge_every, &file.nudge) {
            self.mistake(interval.span(), messages::update_needs("nudge_every", "nudge"));
        }
        let Some(root) = &file.root else { return };
        if lacks_state {
            self.mistake(root.span(), messages::update_needs("[update]", "dir")).hint =
                Some(messages::give_state_directory("dir"));
        }
    }
}

/// Whether a URL is of this machine or of the school's network, by its address.
fn is_near(url: &Url) -> bool {
    match url.host() {
        Some(Host::Ipv4(address)) => is_internal(IpAddr::V4(address)),
        Some(Host::Ipv6(address)) => is_internal(IpAddr::V6(address)),
        Some(Host::Domain(name)) => name == "localhost",
        None => false,
    }
}
