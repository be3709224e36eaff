//! Addresses of list servers' host names, by the gateway's own upstream servers and forward zones.

use std::fmt;
use std::net::IpAddr;
use std::pin::Pin;
use std::sync::Arc;

use tokio::runtime::Handle;

use super::error::FetchError;
use crate::dns::message::Question;
use crate::dns::name::Name;
use crate::dns::route::UpstreamId;
use crate::dns::rtype;
use crate::upstream::{AskError, Upstreams, addresses, texts};

/// The message that answers a question, in time.
pub type Answering = Pin<Box<dyn Future<Output = Result<Vec<u8>, AskError>> + Send>>;

/// Asks for the records of a name by their type.
type Asks = dyn Fn(Name, u16) -> Answering + Send + Sync;

/// The name to ask for another, and the addresses that the school's own records give.
type OwnRecords = dyn Fn(&Name) -> (Name, Vec<IpAddr>) + Send + Sync;

/// Resolves host names of list servers: by the school's own records, then by its servers.
#[derive(Clone)]
pub struct Names {
    own: Arc<OwnRecords>,
    asks: Arc<Asks>,
}

impl fmt::Debug for Names {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Names")
    }
}

impl Names {
    /// A resolver that asks the servers which `servers` returns for a name, on their own runtime.
    pub fn new(
        servers: impl Fn(&Name) -> Option<Arc<Upstreams>> + Send + Sync + 'static,
        runtime: Handle,
    ) -> Self {
        Self::by(move |name, qtype| {
            let (servers, runtime) = (servers(&name), runtime.clone());
            Box::pin(async move {
                let servers = servers.ok_or(AskError::Network)?;
                let question = Question {
                    name,
                    qtype,
                    dnssec_ok: false,
                    checking_disabled: false,
                    upstream: UpstreamId::MAIN,
                };
                let asked = runtime.spawn(async move { servers.ask(&question).await });
                // The task fails only when the process ends.
                let answer = asked.await.map_err(|_| AskError::Network)??;
                Ok(answer.octets)
            })
        })
    }

    /// A resolver that asks in this way.
    pub fn by(asks: impl Fn(Name, u16) -> Answering + Send + Sync + 'static) -> Self {
        let own = |name: &Name| (name.clone(), Vec::new());
        Self { own: Arc::new(own), asks: Arc::new(asks) }
    }

    /// The same, which looks among the school's own records first.
    #[must_use]
    pub fn with_own(
        self,
        own: impl Fn(&Name) -> (Name, Vec<IpAddr>) + Send + Sync + 'static,
    ) -> Self {
        Self { own: Arc::new(own), ..self }
    }

    /// The addresses of `host`, IPv4 first: connecting over absent IPv4 fails at once, over broken
    /// IPv6 only after a timeout.
    pub(super) async fn addresses(&self, host: &str) -> Result<Vec<IpAddr>, FetchError> {
        let unnamed = |why: String| FetchError::Name { host: host.to_owned(), why };
        let name = Name::from_text(host).map_err(|error| unnamed(error.to_string()))?;
        let (name, own) = (self.own)(&name);
        if !own.is_empty() {
            return Ok(own);
        }
        let (v4, v6) = tokio::join!(self.ask(&name, rtype::A), self.ask(&name, rtype::AAAA));
        let found: Vec<IpAddr> = match (v4, v6) {
            (Err(error), Err(_)) => return Err(unnamed(error.to_string())),
            (v4, v6) => [v4, v6].into_iter().flatten().flat_map(|it| addresses(&it)).collect(),
        };
        if found.is_empty() {
            return Err(unnamed("it has no address".into()));
        }
        Ok(found)
    }

    /// The texts at `name`, in the order of their octets; none where nobody has an answer.
    pub async fn texts(&self, name: &Name) -> Option<Vec<Vec<u8>>> {
        let mut found = texts(&self.ask(name, rtype::TXT).await.ok()?);
        found.sort_unstable();
        Some(found).filter(|found| !found.is_empty())
    }

    /// The message that answers a question.
    async fn ask(&self, name: &Name, qtype: u16) -> Result<Vec<u8>, AskError> {
        (self.asks)(name.clone(), qtype).await
    }
}
