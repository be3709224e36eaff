//! DNS over HTTPS (RFC 8484): hickory's HTTP/2 stream and exchange, below its name server.
//!
//! hickory does connect, handshake, POST, status, content type and the bound of the body. The
//! octets of a reply are judged as those of every transport; hickory checks neither id nor
//! question here.

use std::sync::Arc;

use super::connection::{Link, Pulse, SharedConnection};
use crate::dns::message::Question;
use crate::sys::tls::Tls;
use crate::upstream::health::Failure;
use crate::upstream::message::Reply;
use crate::upstream::message::query::{Match, QueryForm, UpstreamQuery};
use crate::upstream::place::Place;
use hickory_resolver::net::NetError;
use hickory_resolver::net::h2::HttpsClientStream;
use hickory_resolver::net::runtime::TokioRuntimeProvider;
use hickory_resolver::net::xfer::{DnsExchange, DnsHandle, FirstAnswer};
use hickory_resolver::proto::op::{DnsRequest, DnsRequestOptions, Message};

/// Client of a server over HTTPS.
pub(in crate::upstream) type HttpsClient = SharedConnection<HttpsConnection>;

/// DNS over HTTPS: the certificate must be for `name`, which is also the authority of the URL.
pub(in crate::upstream) fn client(place: Place, name: &str, path: &str, tls: Tls) -> HttpsClient {
    SharedConnection::new(HttpsTarget { place, name: name.into(), path: path.into(), tls })
}

/// The target of the POST requests.
#[derive(Debug, Clone)]
pub(in crate::upstream) struct HttpsTarget {
    place: Place,
    name: Arc<str>,
    path: Arc<str>,
    tls: Tls,
}

#[derive(Clone)]
pub(in crate::upstream) struct HttpsConnection {
    exchange: DnsExchange<TokioRuntimeProvider>,
    pulse: Arc<Pulse>,
}

impl std::fmt::Debug for HttpsConnection {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Connection").field("pulse", &self.pulse).finish_non_exhaustive()
    }
}

impl Link for HttpsConnection {
    type Target = HttpsTarget;

    async fn connect(HttpsTarget { place, name, path, tls }: HttpsTarget) -> Result<Self, Failure> {
        let address = place.now().ok_or(Failure::Network)?;
        let builder = HttpsClientStream::builder(tls.config(), TokioRuntimeProvider::new());
        let stream = builder.build(address, name, path).await.map_err(|error| {
            tracing::warn!(%address, %error, "upstream HTTPS connection failed");
            Failure::Network
        })?;
        let (exchange, background) = DnsExchange::from_stream(stream);
        let pulse = Pulse::new();
        let end = Arc::clone(&pulse);
        // hickory's own spawning stops the task when its provider is dropped.
        tokio::spawn(async move {
            background.await;
            end.lose();
        });
        Ok(Self { exchange, pulse })
    }

    fn is_open(&self) -> bool {
        !self.pulse.is_lost()
    }

    fn pulse(&self) -> &Arc<Pulse> {
        &self.pulse
    }

    async fn ask(&self, question: &Question, form: QueryForm) -> Result<Reply, Failure> {
        // Id 0 lets HTTP caches work (RFC 8484 §4.1); hickory sends it in any case.
        let query = UpstreamQuery::new(question, 0, form, || false);
        let message = Message::from_vec(query.octets()).map_err(|_| Failure::Malformed)?;
        let request = DnsRequest::new(message, DnsRequestOptions::default());
        let _listening = self.pulse.listen();
        match self.exchange.send(request).first_answer().await {
            Ok(response) => {
                self.pulse.beat();
                let mut reply = response.into_buffer();
                match query.judge(&reply) {
                    Match::Other => Err(Failure::Malformed),
                    _ => Ok(Reply::of(&mut reply, &query, form)),
                }
            }
            Err(NetError::Proto(_)) => Err(Failure::Malformed),
            Err(_) => {
                // The exchange does not show whether the connection has ended.
                self.pulse.lose();
                Err(Failure::Network)
            }
        }
    }
}
