//! Why no candidate is made.

use std::path::PathBuf;

use crate::config::ConfigErrors;
use crate::lang::Lang;
use crate::load::lists::list_error::ListError;
use crate::load::lists::sealed::SealedError;
use crate::load::zone_ids::ZoneIdsSpent;
use crate::upstream::UpstreamError;

/// Why no candidate is made; each names the place, what was found, and what to do.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AssembleError {
    /// The config file cannot be read.
    #[error("{path}: cannot be read: {error}")]
    ReadConfig {
        /// The file.
        path: PathBuf,
        /// The error of the system.
        error: std::io::Error,
    },
    /// The config has mistakes.
    #[error("{0}")]
    Config(ConfigErrors),
    /// An open list cannot be used.
    #[error("{}", .0.in_lang(*.1))]
    Lists(ListError, Lang),
    /// A sealed list cannot be used.
    #[error("{}", .0.in_lang(*.1))]
    Sealed(SealedError, Lang),
    /// Forward zones were changed more often than there are ids.
    #[error(transparent)]
    ZoneIds(#[from] ZoneIdsSpent),
    /// A server of the config is the gateway itself: what is at an address of this machine.
    #[error("{path}: {error}")]
    OwnServer {
        /// The config file.
        path: PathBuf,
        /// The server and the listener.
        error: UpstreamError,
    },
    /// The servers of a forward zone cannot be set up.
    #[error("[[forward]]: {0}")]
    Zones(#[from] UpstreamError),
}

impl AssembleError {
    /// True for a fault of the config, or of a text or a key that it names: at a start the kept
    /// config stands in.
    pub fn is_of_config(&self) -> bool {
        !matches!(self, Self::ZoneIds(_))
    }

    /// The same error in a language, if one is given.
    #[must_use]
    pub fn in_lang(self, lang: Option<Lang>) -> Self {
        match (self, lang) {
            (Self::Config(errors), Some(lang)) => Self::Config(errors.in_lang(lang)),
            (Self::Lists(ListError::Keywords(errors), _), Some(lang)) => {
                Self::Lists(ListError::Keywords(errors.in_lang(lang)), lang)
            }
            (Self::Lists(error, _), Some(lang)) => Self::Lists(error, lang),
            (Self::Sealed(error, _), Some(lang)) => Self::Sealed(error, lang),
            (other, _) => other,
        }
    }
}
