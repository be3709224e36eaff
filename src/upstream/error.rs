//! Errors of upstream: servers that cannot be used, and questions without an answer.

use std::net::SocketAddr;

use crate::sys::tls::TlsError;

/// Why the servers cannot be used at all.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum UpstreamError {
    /// No server is configured, and the system names none either.
    #[error(
        "no upstream server: the config names none, and the system has none ({0}); \
         set `servers` in [upstream]"
    )]
    NoServer(String),
    /// A server that is this process: a query to it would go round for ever.
    #[error(
        "the upstream server `{server}` is this gateway itself, which listens on `{own}`; \
         set `servers` to another one"
    )]
    OwnServer {
        /// The server, as configured or as the system names it.
        server: String,
        /// The listener that it leads to.
        own: SocketAddr,
    },
    /// A name that no certificate can be for.
    #[error("`{0}`: `{1}` cannot stand in a certificate; put the server's host name after `#`")]
    CertificateName(String, String),
    /// The extra certificates cannot be used, or TLS not at all.
    #[error(transparent)]
    Tls(#[from] TlsError),
}

/// Why a question has no answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AskError {
    /// No server answered in time.
    #[error("no upstream server answered in time")]
    Timeout,
    /// No server could be reached.
    #[error("no upstream server could be reached")]
    Network,
    /// No reply could be parsed.
    #[error("no upstream server sent a readable answer")]
    Malformed,
    /// The answer did not fit UDP, and TCP failed.
    #[error("the answer is too long for UDP, and no upstream server gave it over TCP")]
    Truncated,
    /// Every server that replied does not serve the question.
    #[error("every upstream server refused the question")]
    Rejected,
    /// There is no server to ask: the system has not named one yet.
    #[error("no upstream server is known yet")]
    NoServer,
    /// Too many questions are waiting already.
    #[error("too many questions are waiting for upstream")]
    Busy,
}
