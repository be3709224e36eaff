//! A Prometheus that says what it is told.

use std::fmt::Write as _;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

use lachan::sys::clock::system_time;

/// A gateway as it is scraped.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Scraped {
    pub(crate) release: u64,
    pub(crate) is_heard: bool,
    pub(crate) refusals: u64,
    pub(crate) refusals_before: u64,
    pub(crate) blocked: f64,
}

/// A gateway with a release, all of which is well.
pub(crate) fn well(release: u64) -> Scraped {
    Scraped { release, is_heard: true, refusals: 0, refusals_before: 0, blocked: 0.2 }
}

/// What it says.
#[derive(Debug, Clone)]
pub(crate) enum Said {
    /// The truth of these gateways.
    Gateways(Vec<Scraped>),
    /// The same with this text for each value, and this many seconds ago.
    Odd(Vec<Scraped>, &'static str, u64),
    /// These octets, head and all, to every question.
    Raw(String),
    /// These series to the first question that has the text beside them, and none to others.
    Series(Vec<(&'static str, String)>),
    /// The truth of refusals, and 503 to every other question of shares.
    InPart(Vec<Scraped>),
}

/// A running server, and the questions so far.
#[derive(Debug)]
pub(crate) struct Prometheus {
    address: SocketAddr,
    shared: Arc<Mutex<(Said, Vec<String>)>>,
}

impl Prometheus {
    pub(crate) fn start(said: Said) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let shared = Arc::new(Mutex::new((said, Vec::new())));
        let seen = Arc::clone(&shared);
        // It ends with the process.
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                answer(stream, &seen);
            }
        });
        Self { address, shared }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}/prometheus/", self.address)
    }

    pub(crate) fn says(&self, said: Said) {
        self.shared.lock().unwrap().0 = said;
    }

    pub(crate) fn questions(&self) -> Vec<String> {
        self.shared.lock().unwrap().1.clone()
    }
}

fn answer(stream: TcpStream, shared: &Mutex<(Said, Vec<String>)>) {
    let mut reader = BufReader::new(stream);
    let mut first = String::new();
    let _ = reader.read_line(&mut first);
    let mut line = String::new();
    while reader.read_line(&mut line).is_ok_and(|octets| octets > 2) {
        line.clear();
    }
    let path = first.split(' ').nth(1).unwrap_or_default().to_owned();
    let said = {
        let mut shared = shared.lock().unwrap();
        shared.1.push(path.clone());
        shared.0.clone()
    };
    let refused = "HTTP/1.1 503 X\r\nConnection: close\r\nContent-Length: 0\r\n\r\n".to_owned();
    let text = match said {
        _ if !path.starts_with("/prometheus/api/v1/query?query=") => refused,
        Said::Raw(octets) => octets,
        Said::InPart(_) if path.contains("lachan_responses_total") => refused,
        Said::Gateways(all) | Said::InPart(all) => page(&vector(&all, &path, None, 0)),
        Said::Series(all) => {
            let rows = all.iter().find(|(part, _)| path.contains(part));
            page(&body(rows.map_or("", |(_, rows)| rows.as_str())))
        }
        Said::Odd(all, value, ago) => page(&vector(&all, &path, Some(value), ago)),
    };
    // The client may be gone.
    let _ = reader.get_mut().write_all(text.as_bytes());
}

pub(crate) fn page(body: &str) -> String {
    let length = body.len();
    format!("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: {length}\r\n\r\n{body}")
}

/// The answer to the question of a path.
fn vector(all: &[Scraped], path: &str, odd: Option<&str>, ago: u64) -> String {
    let is_before = path.contains("offset");
    let at = system_time() - ago;
    let mut rows = String::new();
    for (number, one) in all.iter().enumerate() {
        let value = match () {
            () if path.contains("lachan_update_rejected_total") => {
                Some(if is_before { one.refusals_before } else { one.refusals }.to_string())
            }
            () if path.contains("lachan_responses_total") => {
                Some(if is_before { 0.2 } else { one.blocked }.to_string())
            }
            () if path.contains("600s") => one.is_heard.then(|| one.release.to_string()),
            () => Some(one.release.to_string()),
        };
        let Some(value) = value else { continue };
        let value = odd.unwrap_or(&value);
        let comma = if rows.is_empty() { "" } else { "," };
        let _ = write!(
            rows,
            r#"{comma}{{"metric":{{"school":"s{number}","instance":"10.0.{number}.1:9153"}},"value":[{at}.123,"{value}"]}}"#
        );
    }
    body(&rows)
}

/// Rows of a vector as an answer.
fn body(rows: &str) -> String {
    format!(r#"{{"status":"success","data":{{"resultType":"vector","result":[{rows}]}}}}"#)
}
