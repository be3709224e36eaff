//! `[selftest]`: how often the gateway asks itself.

use std::time::Duration;

use crate::config::file::quantity;
use crate::config::file::report::Report;
use crate::config::file::shape::SelfTestFile;
use crate::lang::messages;

/// How often the gateway asks itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SelfTestSettings {
    /// The interval; none where it does so only when asked to.
    pub every: Option<Duration>,
}

/// The shortest interval.
const LEAST: Duration = Duration::from_secs(60);
/// The longest interval.
const MOST: Duration = Duration::from_secs(86_400);

impl Default for SelfTestSettings {
    fn default() -> Self {
        Self { every: Some(Duration::from_secs(300)) }
    }
}

impl Report<'_> {
    /// Checks `[selftest]`.
    pub(in crate::config) fn selftest(&mut self, file: &SelfTestFile) -> SelfTestSettings {
        let mut settings = SelfTestSettings::default();
        let Some(given) = &file.every else { return settings };
        let text = given.get_ref().as_str();
        match quantity::duration(text) {
            _ if matches!(text, "off" | "0") => settings.every = None,
            Ok(Duration::ZERO) => settings.every = None,
            Ok(every) if (LEAST..=MOST).contains(&every) => settings.every = Some(every),
            _ => {
                self.mistake(given.span(), messages::selftest_off_or_time("every", text));
            }
        }
        settings
    }
}
