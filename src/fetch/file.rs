//! One file of a repository: conditional, bounded, unpacked.
//!
//! Laws: what came before a cut stays in memory for this download alone; what is packed already (zstd)
//! is not asked for in a packing of the server, so that its rest can be asked for.

use std::io::Read as _;
use std::time::Duration;

use flate2::read::GzDecoder;
use hyper::StatusCode;
use tokio::time::{sleep, timeout};

use super::error::FetchError;
use super::get::{Ask, BodyPart, HttpClient, Page};

/// The end of the names of files that are packed already.
const PACKED: &str = ".zst";
/// The most cuts of one download.
const MOST_CUTS: u32 = 64;
/// The most cuts in a row without an octet between them.
const MOST_IDLE_CUTS: u32 = 5;

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
    /// The time limit of the server's silence.
    pub silence: Duration,
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
    /// Downloads a file of a repository; after a cut connection the rest of it.
    ///
    /// # Errors
    ///
    /// [`FetchError`].
    pub async fn file(&self, request: &FileRequest<'_>) -> Result<FileReply, FetchError> {
        let (limit, most) = (request.limit, request.max_octets);
        let whole = timeout(limit, self.whole(request)).await;
        let page = match whole.map_err(|_| FetchError::Late(limit))? {
            Ok(Some(page)) => page,
            Ok(None) => return Ok(FileReply::Unchanged),
            Err(FetchError::TooLarge(most)) => return Err(FetchError::Endless(most)),
            Err(error) => return Err(error),
        };
        if !page.is_gzip {
            return Ok(FileReply::File(page.octets, page.etag));
        }
        let mut octets = Vec::new();
        let packed = GzDecoder::new(page.octets.as_slice());
        packed.take(most + 1).read_to_end(&mut octets).map_err(FetchError::Unpack)?;
        if octets.len() as u64 > most {
            return Err(FetchError::Endless(most));
        }
        Ok(FileReply::File(octets, page.etag))
    }

    /// The file, in as many requests as it takes; `None` where the copy is up to date.
    async fn whole(&self, request: &FileRequest<'_>) -> Result<Option<Page>, FetchError> {
        let FileRequest { url, agent, etag, max_octets, limit, silence } = *request;
        let takes_gzip = !url.ends_with(PACKED);
        let mut page = Page::default();
        let mut cuts = Cuts::default();
        loop {
            let known = page.octets.len();
            let of = validator(&page);
            let part = of.as_deref().map(|of| BodyPart { octets: known, of });
            let etag = etag.filter(|_| part.is_none());
            let modified = None;
            let ask =
                Ask { url, agent, etag, modified, takes_gzip, part, max_octets, limit, silence };
            let error = match self.follow(&ask, &mut page).await {
                Ok(Some(_)) => return Ok(None),
                Ok(None) => return Ok(Some(page)),
                // The file is not what it was, or shorter: it comes from its first octet.
                Err(FetchError::Status(StatusCode::RANGE_NOT_SATISFIABLE)) if part.is_some() => {
                    page = Page::default();
                    continue;
                }
                Err(error) => error,
            };
            let wait = cuts.wait(page.octets.len() > known);
            match wait.filter(|_| error.is_cut() && validator(&page).is_some()) {
                Some(wait) => sleep(wait).await,
                None => return Err(error),
            }
        }
    }
}

/// What names the file that a part is of: its strong entity tag, or its date (RFC 9110 §13.1.5).
///
/// None where no octet came, or where the part is of a body that was packed for this response.
fn validator(page: &Page) -> Option<String> {
    let strong = page.etag.clone().filter(|etag| !etag.starts_with("W/"));
    strong.or_else(|| page.modified.clone()).filter(|_| !page.octets.is_empty() && !page.is_gzip)
}

/// The cuts of a download.
#[derive(Debug, Default)]
struct Cuts {
    all: u32,
    /// Cuts since an octet came.
    idle: u32,
}

impl Cuts {
    /// The wait after one more; none where there are too many.
    fn wait(&mut self, had_octets: bool) -> Option<Duration> {
        self.all += 1;
        self.idle = if had_octets { 0 } else { self.idle + 1 };
        let may_go_on = self.all <= MOST_CUTS && self.idle <= MOST_IDLE_CUTS;
        may_go_on.then(|| Duration::from_secs(1 << self.idle.min(MOST_IDLE_CUTS)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_download_goes_on_while_octets_come_and_never_for_ever() {
        let mut cuts = Cuts::default();
        let idle: Vec<_> = std::iter::from_fn(|| cuts.wait(false)).map(|w| w.as_secs()).collect();
        assert_eq!(idle, [2, 4, 8, 16, 32]);
        let mut cuts = Cuts::default();
        assert_eq!(std::iter::from_fn(|| cuts.wait(true)).count(), MOST_CUTS as usize);
    }

    #[test]
    fn only_a_part_of_a_file_that_is_named_is_completed() {
        let page = |etag: Option<&str>, modified: Option<&str>| Page {
            octets: vec![1],
            etag: etag.map(Into::into),
            modified: modified.map(Into::into),
            is_gzip: false,
        };
        assert_eq!(validator(&page(Some("\"a\""), Some("date"))).as_deref(), Some("\"a\""));
        assert_eq!(validator(&page(Some("W/\"a\""), Some("date"))).as_deref(), Some("date"));
        assert_eq!(validator(&page(Some("W/\"a\""), None)), None);
        assert_eq!(validator(&Page { is_gzip: true, ..page(Some("\"a\""), None) }), None);
        assert_eq!(validator(&Page { octets: vec![], ..page(Some("\"a\""), None) }), None);
    }
}
