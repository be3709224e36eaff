//! HTTP client of the admin address, for the command line.

use std::io::{self, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use crate::admin::patience;
use crate::staff::token::Token;
use crate::sys::presence::reachable;

/// Time limit of a gateway's reply.
const PATIENCE: Duration = Duration::from_secs(30);
/// The longest reply, in octets.
const MAX_ANSWER: u64 = 4 << 20;

/// Sends one request to a gateway: the status code and the body of its reply.
///
/// # Errors
///
/// The error of the system, or a reply that is not HTTP.
pub fn ask(
    admin: SocketAddr,
    method: &str,
    path: &str,
    token: &Token,
    body: &str,
) -> io::Result<(u16, String)> {
    let bearer = format!("Authorization: Bearer {}\r\n", token.text());
    send(admin, (method, path), &bearer, body)
}

/// Whether a gateway answers queries, as it says to everybody that may ask.
///
/// # Errors
///
/// As [`ask`].
pub fn is_ready(admin: SocketAddr) -> io::Result<bool> {
    send(admin, ("GET", "/readyz"), "", "").map(|(status, _)| status == 200)
}

fn send(
    admin: SocketAddr,
    (method, path): (&str, &str),
    bearer: &str,
    body: &str,
) -> io::Result<(u16, String)> {
    let address = reachable(admin);
    let mut stream = TcpStream::connect_timeout(&address, PATIENCE)?;
    stream.set_read_timeout(Some(patience(path).max(PATIENCE)))?;
    write!(
        stream,
        "{method} {path} HTTP/1.1\r\nHost: {address}\r\n{bearer}\
         Content-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
        body.len()
    )?;
    let mut answer = String::new();
    stream.take(MAX_ANSWER).read_to_string(&mut answer)?;
    let odd = || io::Error::new(io::ErrorKind::InvalidData, "the answer is no HTTP");
    let (head, body) = answer.split_once("\r\n\r\n").ok_or_else(odd)?;
    let status = head.strip_prefix("HTTP/1.1 ").and_then(|rest| rest.get(..3)).ok_or_else(odd)?;
    Ok((status.parse().map_err(|_| odd())?, body.to_owned()))
}
