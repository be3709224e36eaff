//! DNS over UDP, with TCP for truncated replies.
//!
//! Each query has a socket of its own, connected, on a port that the kernel
//! draws, an id and letters' case from a CSPRNG (RFC 5452 §9.2). Law: a datagram that is not the
//! reply must never end the wait, since anyone can send one.

use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::atomic::{AtomicU32, Ordering};

use rand::RngExt;
use tokio::net::UdpSocket;

use super::health::Failure;
use super::query::{Match, UpstreamQuery, is_truncated};
use super::stream::{StreamClient, tcp};
use crate::dns::message::Question;

/// The largest datagram read: the query advertises 1,232, older servers send up to this.
const MAX_DATAGRAM: usize = 4096;
/// Case (0x20) mismatches in a row after which a server is asked in lower case.
const CASE_PATIENCE: u32 = 3;

/// Client of a server over UDP.
#[derive(Debug)]
pub(super) struct UdpClient {
    address: SocketAddr,
    tcp: StreamClient,
    folded: AtomicU32,
}

impl UdpClient {
    pub(super) fn new(address: SocketAddr) -> Self {
        Self { address, tcp: tcp(address), folded: AtomicU32::new(0) }
    }

    /// Sends the question, and again over TCP where the reply is truncated or its case differs.
    pub(super) async fn exchange(&self, question: &Question) -> Result<Vec<u8>, Failure> {
        let (query, kind, mut reply) = self.datagram(question).await?;
        match kind {
            Match::Mine if is_truncated(&reply) => {
                let whole = self.tcp.exchange(question).await;
                whole.map_err(|_| Failure::Truncated)
            }
            Match::Mine => {
                query.restore_case(&mut reply);
                Ok(reply)
            }
            // Case (0x20) mismatch: spoofed, or a server that lower-cases names. Retry over TCP.
            Match::OtherCase | Match::Other => {
                let reply = self.tcp.exchange(question).await.map_err(|_| Failure::Malformed)?;
                self.folded.fetch_add(1, Ordering::Relaxed);
                Ok(reply)
            }
        }
    }

    /// Sends one query, and waits for a reply with its id and question.
    async fn datagram(
        &self,
        question: &Question,
    ) -> Result<(UpstreamQuery, Match, Vec<u8>), Failure> {
        let mut query = UpstreamQuery::new(question, rand::random());
        let mixed = self.folded.load(Ordering::Relaxed) < CASE_PATIENCE;
        if mixed {
            let mut random = rand::rng();
            query.mix_case(|| random.random());
        }
        let local: SocketAddr = match self.address {
            SocketAddr::V4(_) => (Ipv4Addr::UNSPECIFIED, 0).into(),
            SocketAddr::V6(_) => (Ipv6Addr::UNSPECIFIED, 0).into(),
        };
        let network = |_| Failure::Network;
        let socket = UdpSocket::bind(local).await.map_err(network)?;
        socket.connect(self.address).await.map_err(network)?;
        socket.send(query.octets()).await.map_err(network)?;
        let mut reply = vec![0; MAX_DATAGRAM];
        loop {
            let length = socket.recv(&mut reply).await.map_err(network)?;
            let kind = query.judge(reply.get(..length).unwrap_or_default());
            if kind != Match::Other {
                reply.truncate(length);
                if mixed && kind == Match::Mine {
                    self.folded.store(0, Ordering::Relaxed);
                }
                return Ok((query, kind, reply));
            }
        }
    }
}
