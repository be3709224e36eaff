//! A web server in memory that answers as nginx does, head for head, and counts octets as it does.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, UNIX_EPOCH};

use flate2::Compression;
use flate2::write::GzEncoder;
use lachan::fetch::ByteStream;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, DuplexStream, duplex};
use tokio::time::Instant;

/// What a server does.
#[derive(Debug, Clone)]
pub(crate) enum Habit {
    /// It serves a directory.
    Serves(PathBuf),
    /// It takes a connection and says nothing.
    Hangs,
    /// It takes no connection.
    Refuses,
}

/// Requests and their octets both ways, by what they were for.
#[derive(Debug, Clone, Default)]
pub(crate) struct Tally(pub(crate) BTreeMap<&'static str, (u64, u64)>);

impl Tally {
    /// Counts a request by its path and the status of its response.
    pub(crate) fn add(&mut self, path: &str, status: u16, octets: u64) {
        let known = self.0.entry(purpose(path, status)).or_default();
        *known = (known.0 + 1, known.1 + octets);
    }

    /// All octets.
    pub(crate) fn octets(&self) -> u64 {
        self.0.values().map(|(_, octets)| octets).sum()
    }

    /// The requests for a purpose.
    pub(crate) fn count(&self, purpose: &str) -> u64 {
        self.0.get(purpose).map_or(0, |(count, _)| *count)
    }

    /// A line for each purpose.
    pub(crate) fn lines(&self) -> String {
        let line = |(purpose, (count, octets)): (&&str, &(u64, u64))| {
            let each = octets / count.max(&1);
            format!("  {purpose}: {count} requests, {each} octets each, {octets} in all\n")
        };
        self.0.iter().map(line).collect()
    }
}

/// What a request is for.
fn purpose(path: &str, status: u16) -> &'static str {
    match status {
        304 => "poll without news",
        404 => "next root",
        _ if path.ends_with("timestamp.json") => "timestamp",
        _ if path.contains(".full.") => "full list",
        _ if path.contains(".delta.") => "difference",
        _ if path.contains("/targets/") => "other targets",
        _ => "metadata",
    }
}

/// A server; clones are the same one.
#[derive(Debug, Clone)]
pub(crate) struct Site(Arc<Mutex<State>>);

#[derive(Debug)]
struct State {
    habit: Habit,
    tally: Tally,
    /// Connections that were tried, each at its moment.
    tried: Vec<Instant>,
}

impl Site {
    /// A server with a habit.
    pub(crate) fn new(habit: Habit) -> Self {
        Self(Arc::new(Mutex::new(State { habit, tally: Tally::default(), tried: Vec::new() })))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap()
    }

    /// Changes the habit.
    pub(crate) fn becomes(&self, habit: Habit) {
        self.state().habit = habit;
    }

    /// What was counted since the last time, which begins anew.
    pub(crate) fn take(&self) -> Tally {
        std::mem::take(&mut self.state().tally)
    }

    /// The waits between connections that were tried.
    pub(crate) fn waits(&self) -> Vec<Duration> {
        let tried = self.state().tried.clone();
        tried.windows(2).map(|pair| pair[1] - pair[0]).collect()
    }

    /// A connection to it.
    pub(crate) fn connect(&self) -> io::Result<Box<dyn ByteStream>> {
        let habit = {
            let mut state = self.state();
            state.tried.push(Instant::now());
            state.habit.clone()
        };
        let (here, mut there) = duplex(64 << 10);
        match habit {
            Habit::Refuses => return Err(io::ErrorKind::ConnectionRefused.into()),
            Habit::Hangs => {
                tokio::spawn(async move { there.read_to_end(&mut Vec::new()).await });
            }
            Habit::Serves(root) => {
                let site = self.clone();
                tokio::spawn(async move { site.serve(there, &root).await });
            }
        }
        Ok(Box::new(here))
    }

    /// Answers requests until the client goes away.
    async fn serve(self, mut stream: DuplexStream, root: &Path) {
        let mut head = Vec::new();
        while let Ok(1..) = stream.read_buf(&mut head).await {
            if !head.ends_with(b"\r\n\r\n") {
                continue;
            }
            let text = String::from_utf8_lossy(&head).into_owned();
            let path = text.split(' ').nth(1).unwrap_or_default().to_owned();
            let (status, answer) = answer(root, &path, &text);
            self.state().tally.add(&path, status, (head.len() + answer.len()) as u64);
            head.clear();
            if stream.write_all(&answer).await.is_err() {
                return;
            }
        }
    }
}

/// A field of a request's head.
fn field<'a>(head: &'a str, name: &str) -> Option<&'a str> {
    let mut fields = head.lines().filter_map(|line| line.split_once(": "));
    fields.find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value)
}

/// What nginx 1.22 sends with `server_tokens off`, `gzip on` and `gzip_types application/json`.
fn answer(root: &Path, path: &str, head: &str) -> (u16, Vec<u8>) {
    const DATE: &str = "Sun, 29 Nov 2026 08:00:00 GMT";
    let file = root.join(path.trim_start_matches('/'));
    let found = fs::read(&file).ok().zip(fs::metadata(&file).ok());
    let takes_gzip = field(head, "accept-encoding") == Some("gzip");
    let Some((body, metadata)) = found else {
        let page = "<html>\r\n<head><title>404 Not Found</title></head>\r\n<body>\r\n\
                    <center><h1>404 Not Found</h1></center>\r\n<hr><center>nginx</center>\r\n\
                    </body>\r\n</html>\r\n";
        let (own, fields) = ("Content-Type: text/html\r\n", "Connection: keep-alive\r\n");
        return (404, whole("404 Not Found", own, fields, page.as_bytes(), takes_gzip));
    };
    let second = metadata.modified().unwrap().duration_since(UNIX_EPOCH).unwrap().as_secs();
    let tag = format!("\"{second:x}-{:x}\"", body.len());
    let strong = |text: &str| text.trim_start_matches("W/").to_owned();
    let modified = format!("Last-Modified: {DATE}\r\nConnection: keep-alive\r\n");
    if field(head, "if-none-match").map(strong) == Some(tag.clone()) {
        let head = format!(
            "HTTP/1.1 304 Not Modified\r\nServer: nginx\r\nDate: {DATE}\r\n{modified}ETag: {tag}\r\n\r\n"
        );
        return (304, head.into_bytes());
    }
    let is_json = path.rsplit_once('.').is_some_and(|(_, end)| end == "json");
    let kind = if is_json { "application/json" } else { "application/octet-stream" };
    let is_packed = is_json && takes_gzip;
    let weak = if is_packed { "W/" } else { "" };
    let fields = format!("{modified}ETag: {weak}{tag}\r\n");
    let own = format!("Content-Type: {kind}\r\n");
    (200, whole("200 OK", &own, &fields, &body, is_packed))
}

/// A response with its body, packed or not.
fn whole(status: &str, own: &str, fields: &str, body: &[u8], is_packed: bool) -> Vec<u8> {
    const DATE: &str = "Date: Sun, 29 Nov 2026 08:00:00 GMT";
    let start = format!("HTTP/1.1 {status}\r\nServer: nginx\r\n{DATE}\r\n{own}");
    if !is_packed {
        let ranges = if status.starts_with("200") { "Accept-Ranges: bytes\r\n" } else { "" };
        let head = format!("{start}Content-Length: {}\r\n{fields}{ranges}\r\n", body.len());
        return [head.as_bytes(), body].concat();
    }
    let mut packed = GzEncoder::new(Vec::new(), Compression::new(1));
    packed.write_all(body).unwrap();
    let packed = packed.finish().unwrap();
    let coded = "Transfer-Encoding: chunked\r\n";
    let head =
        format!("{start}{coded}{fields}Content-Encoding: gzip\r\n\r\n{:x}\r\n", packed.len());
    [head.as_bytes(), &packed, b"\r\n0\r\n\r\n"].concat()
}
