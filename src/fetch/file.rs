//! One file of a repository: conditional, bounded, unpacked.

use std::io::Read as _;
use std::time::Duration;

use flate2::read::GzDecoder;

use super::error::FetchError;
use super::get::{Ask, Got, HttpClient};

/// A request for one file.
#[derive(Debug, Clone, Copy)]
pub struct FileRequest<'a> {
    /// Its URL.
    pub url: &'a str,
    /// The user agent.
    pub agent: &'a str,
    /// The entity tag of the copy that is at hand.
    pub etag: Option<&'a str>,
    /// The most octets, packed or unpacked.
    pub max_octets: u64,
    /// The time limit of all of it.
    pub limit: Duration,
}

/// The reply to it.
#[derive(Debug)]
pub enum FileReply {
    /// The copy is up to date.
    Unchanged,
    /// The file, and its entity tag.
    File(Vec<u8>, Option<String>),
}

impl HttpClient {
    /// Downloads a file of a repository.
    ///
    /// # Errors
    ///
    /// [`FetchError`].
    pub async fn file(&self, request: &FileRequest<'_>) -> Result<FileReply, FetchError> {
        let FileRequest { url, agent, etag, max_octets, limit } = *request;
        let ask = Ask { url, agent, etag, modified: None, takes_gzip: true, max_octets, limit };
        let page = match self.get(&ask).await? {
            Got::Unchanged(_) => return Ok(FileReply::Unchanged),
            Got::Page(page) => page,
        };
        if !page.is_gzip {
            return Ok(FileReply::File(page.octets, page.etag));
        }
        let mut octets = Vec::new();
        let packed = GzDecoder::new(page.octets.as_slice());
        packed.take(max_octets + 1).read_to_end(&mut octets).map_err(FetchError::Unpack)?;
        if octets.len() as u64 > max_octets {
            return Err(FetchError::TooLarge(max_octets));
        }
        Ok(FileReply::File(octets, page.etag))
    }
}
