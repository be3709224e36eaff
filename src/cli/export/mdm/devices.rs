//! Devices that settings are made for.

use crate::cli::export::announced::Announced;
use crate::cli::export::text::CommentedLines;
use crate::lang::{Lang, messages};

/// What stands in a token's place.
pub(super) const PLACEHOLDER: &str = "TOKEN";

/// One export for devices.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ManagedDevices<'a> {
    pub(super) announced: &'a Announced,
    /// Id of the school.
    pub(super) school: &'a str,
    /// What people call the school; its id where it has no name.
    pub(super) school_name: &'a str,
    pub(super) group: &'a str,
    pub(super) token: Option<&'a str>,
    /// Whether `token` is a word for one.
    pub(super) is_placeholder: bool,
    pub(super) ssids: &'a [String],
    pub(super) is_supervised: bool,
    pub(super) lang: Lang,
}

impl ManagedDevices<'_> {
    /// The URL of DNS over HTTPS; none where it is off.
    pub(super) fn url(&self) -> Option<String> {
        self.announced.url(self.token)
    }

    /// The comments that every export has: who made it, for whom, that nobody has seen it act.
    pub(super) fn introduce(&self, out: &mut CommentedLines, system: &str) {
        out.say(&messages::export_made("lachan export mdm", self.announced.host()));
        out.say(&messages::export_unseen_device(system));
        out.say(&messages::export_group_of(self.group));
        if self.is_placeholder {
            out.say(&messages::export_token_put(PLACEHOLDER));
        } else if self.token.is_some() {
            out.say(&messages::export_token_is_secret());
        }
    }
}
