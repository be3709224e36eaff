//! `[block]`: form of a blocked answer.

use std::time::Duration;

use crate::config::file::report::Report;
use crate::config::file::shape::BlockFile;

/// Form of a blocked answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BlockSettings {
    /// TTL of a blocked answer.
    pub ttl: Duration,
    /// Whether the extended error (RFC 8914) carries a text beside its code.
    pub ede_text: bool,
}

impl Default for BlockSettings {
    fn default() -> Self {
        Self { ttl: Duration::from_secs(30), ede_text: true }
    }
}

impl Report<'_> {
    /// Checks `[block]`.
    pub(in crate::config) fn block(&mut self, file: &BlockFile) -> BlockSettings {
        let mut block = BlockSettings::default();
        self.ttl("ttl", file.ttl.as_ref(), 1..=3600, &mut block.ttl);
        block.ede_text = file.ede_text.unwrap_or(block.ede_text);
        block
    }
}
