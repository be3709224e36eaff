//! One attempt at one source: requested, judged, stored.

use std::io::Read as _;
use std::path::Path;

use flate2::read::MultiGzDecoder;
use hyper::StatusCode;
use tokio::time::Instant;

use super::copies::{Copies, Note};
use super::error::FetchError;
use super::get::{AGENT, Ask, Got, HttpClient, Page, SILENCE};
use crate::blocklist::parse;
use crate::config::{Fetch, ListSource};
use crate::digest::sha256;
use crate::sys::archive;
use crate::sys::clock::system_time;
use crate::sys::read;

/// The magic number of gzip (RFC 1952 §2.3.1).
const GZIP: &[u8] = &[0x1f, 0x8b];

/// The result of a successful download.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Taken {
    /// A new copy is stored.
    New {
        /// Rules in it.
        rules: u64,
        /// Octets of the copy.
        octets: u64,
    },
    /// The stored copy is up to date.
    Unchanged,
}

/// A list that was accepted.
struct Judged {
    octets: Vec<u8>,
    rules: u64,
}

/// Requests a source once, and stores the reply if it is a list and not much shorter than before.
///
/// # Errors
///
/// [`FetchError`]; the copy before is untouched then.
pub async fn fetch_once(
    client: &HttpClient,
    copies: &Copies,
    source: &ListSource,
    may_shrink: bool,
) -> Result<Taken, FetchError> {
    let Some(fetch) = &source.fetch else { return Ok(Taken::Unchanged) };
    let judged = judged_by(source);
    let known = copies.note(&source.path).filter(|note| note.url == fetch.url);
    let whole = copies.whole(&source.path).filter(|note| note.url == fetch.url);
    // What is asked for conditionally is what is there, as this program reads it now.
    let note = whole.as_ref().filter(|note| note.judged == judged);
    let page = match (request(client, source, fetch, note).await?, note) {
        (Some(page), _) => page,
        (None, Some(note)) => {
            let note = Note { checked: system_time(), ..note.clone() };
            return copies.write(&source.path, &note).map(|()| Taken::Unchanged);
        }
        (None, None) => return Err(FetchError::Status(StatusCode::NOT_MODIFIED)),
    };
    let (etag, last_modified) = (page.etag.clone(), page.modified.clone());
    let Judged { octets, rules } = judge(source, fetch, page)?;
    let before = match (&known, note, &whole) {
        // Rules are counted by the program that compares them.
        (Some(_), None, Some(_)) => rules_of(source, fetch).unwrap_or(0),
        // Of a damaged copy, what was good last.
        (known, ..) => known.as_ref().map_or(0, |note| note.rules),
    };
    if !may_shrink && rules * 100 < before * u64::from(fetch.min_percent) {
        return Err(FetchError::Shrunken { rules, before });
    }
    let (now, sha256) = (system_time(), sha256(&octets));
    let same = whole.filter(|note| note.sha256 == sha256);
    let is_same = same.is_some();
    let note = Note {
        url: fetch.url.clone(),
        etag,
        last_modified,
        sha256,
        before: if is_same { None } else { known.map(|note| note.sha256) },
        judged,
        rules,
        octets: octets.len() as u64,
        fetched: same.map_or(now, |note| note.fetched),
        checked: now,
    };
    if is_same {
        // The server sent the same octets again: only the note is written, to spare the disk.
        return copies.write(&source.path, &note).map(|()| Taken::Unchanged);
    }
    copies.keep(&source.path, &octets, &note)?;
    Ok(Taken::New { rules, octets: note.octets })
}

/// The list of a source, or `None` where the copy of `note` is up to date.
///
/// A server that says "unchanged" of another copy than ours is asked again without conditions.
async fn request(
    client: &HttpClient,
    source: &ListSource,
    fetch: &Fetch,
    note: Option<&Note>,
) -> Result<Option<Page>, FetchError> {
    let mut ask = Ask {
        agent: AGENT,
        url: &fetch.url,
        etag: note.and_then(|note| note.etag.as_deref()),
        modified: note.and_then(|note| note.last_modified.as_deref()),
        takes_gzip: is_plain(&source.path),
        part: None,
        max_octets: fetch.max_octets,
        limit: fetch.timeout,
        silence: SILENCE,
    };
    let started = Instant::now();
    match client.get(&ask).await? {
        Got::Page(page) => return Ok(Some(page)),
        Got::Unchanged(tag) if is_ours(tag.as_deref(), ask.etag) => return Ok(None),
        Got::Unchanged(_) => {}
    }
    (ask.etag, ask.modified) = (None, None);
    ask.limit = fetch.timeout.saturating_sub(started.elapsed());
    match client.get(&ask).await? {
        Got::Page(page) => Ok(Some(page)),
        Got::Unchanged(_) => Err(FetchError::Status(StatusCode::NOT_MODIFIED)),
    }
}

/// Whether an entity tag in "unchanged" is that of the copy, weakly compared (RFC 9110 §8.8.3.2);
/// a server that names none, or that was given none, says nothing else.
fn is_ours(theirs: Option<&str>, ours: Option<&str>) -> bool {
    let opaque = |tag: &str| tag.strip_prefix("W/").unwrap_or(tag).to_owned();
    theirs.zip(ours).is_none_or(|(theirs, ours)| opaque(theirs) == opaque(ours))
}

/// The program and the settings by which a source is judged.
fn judged_by(source: &ListSource) -> String {
    format!("{} {} {}", env!("CARGO_PKG_VERSION"), source.format.id(), source.scope.id())
}

/// The rules of the copy on disk, as this program counts them.
fn rules_of(source: &ListSource, fetch: &Fetch) -> Option<u64> {
    let octets = read::octets(&source.path, fetch.max_octets).ok()?;
    let page = Page { octets, is_gzip: false, etag: None, modified: None };
    Some(judge(source, fetch, page).ok()?.rules)
}

/// The octets to store of a body, if it is a list.
fn judge(source: &ListSource, fetch: &Fetch, page: Page) -> Result<Judged, FetchError> {
    let mut octets = page.octets;
    let is_packed = octets.starts_with(GZIP);
    if is_plain(&source.path) && (page.is_gzip || is_packed) {
        octets = inflated(&octets, fetch.max_octets)?;
    }
    let texts = archive::texts_in(&source.path, &octets, fetch.max_octets);
    let mut rules = 0;
    for (_, text) in texts.map_err(FetchError::Unpack)? {
        let parsed = parse(&text, source.format, source.scope);
        parsed.verdict().map_err(FetchError::Refused)?;
        rules += parsed.rule_count() as u64;
    }
    Ok(Judged { octets, rules })
}

/// True where the copy is stored as text: its name then ends in `.txt`.
fn is_plain(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == "txt")
}

fn inflated(octets: &[u8], most: u64) -> Result<Vec<u8>, FetchError> {
    let mut text = Vec::new();
    let mut decoder = MultiGzDecoder::new(octets).take(most + 1);
    decoder.read_to_end(&mut text).map_err(FetchError::Unpack)?;
    if text.len() as u64 > most {
        return Err(FetchError::TooLarge(most));
    }
    Ok(text)
}
