//! A repository in a directory of this machine.

use std::io;
use std::path::PathBuf;

use tough::{TransportError, TransportErrorKind, TransportStream};
use url::Url;

use super::place;
use crate::sys::read;

/// The most octets of one file of a repository.
const MAX_FILE: u64 = 256 << 20;

/// A repository in a directory of this machine.
#[derive(Debug, Clone)]
pub struct Directory(pub PathBuf);

#[tough::async_trait]
impl tough::Transport for Directory {
    async fn fetch(&self, url: Url) -> Result<TransportStream, TransportError> {
        let not_found = || TransportError::new(TransportErrorKind::FileNotFound, url.as_str());
        let path = self.0.join(place(&url).ok_or_else(not_found)?);
        let octets = read::octets(&path, MAX_FILE).map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => not_found(),
            _ => TransportError::new_with_cause(TransportErrorKind::Other, url.as_str(), error),
        })?;
        Ok(Box::pin(futures_util::stream::iter([Ok(octets.into())])))
    }
}
