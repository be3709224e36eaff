//! The framed loop over octets that come from no socket, as those of TLS do.

use std::net::UdpSocket;
use std::sync::Arc;
use std::time::Duration;

use lachan::clients::limits::StreamLimits;
use lachan::clients::table::Connections;
use lachan::dns::message::Rcode;
use lachan::metrics::counters::Totals;
use lachan::policy::Claims;
use lachan::resolve::{AnswerSource, Transport};
use lachan::serve::gateway::Gateway;
use lachan::serve::listener::stream;
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};

use super::*;

const LIMITS: StreamLimits = StreamLimits {
    connections: 1,
    per_client: 1,
    idle: Duration::from_secs(60),
    in_flight: 4,
    octets: 1 << 20,
    octets_per_client: 1 << 20,
    octets_per_connection: 1 << 20,
};

async fn send(client: &mut DuplexStream, message: &[u8]) {
    client.write_u16(message.len() as u16).await.unwrap();
    client.write_all(message).await.unwrap();
}

async fn received(client: &mut DuplexStream) -> Vec<u8> {
    let mut reply = vec![0; usize::from(client.read_u16().await.unwrap())];
    client.read_exact(&mut reply).await.unwrap();
    reply
}

#[test]
fn a_framed_stream_is_answered_whatever_carries_it() {
    let mut lists = Lists::new(3);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    // A server that never answers: one query waits for it.
    let upstream = UdpSocket::bind("127.0.0.1:0").unwrap();
    let gateway = gateway::gateway(&runtime, upstream.local_addr().unwrap(), lists.start());
    let connections = Connections::new(LIMITS, Arc::clone(&gateway.counters));
    let gateway = Arc::new(Gateway { connections, ..gateway });
    let listed = Asked { name: 2, qtype: rtype::A, dnssec_ok: false, checking_disabled: false };
    let free = Asked { name: 1, ..listed };
    assert!(listed.is_blocked(1, 1) && !free.is_blocked(1, 1));
    runtime.block_on(async {
        let (mut client, server) = tokio::io::duplex(4096);
        let serving = Arc::clone(&gateway);
        let task = tokio::spawn(async move {
            let origin = Origin {
                transport: Transport::Dot,
                claims: Claims { server_name: Some("dns.school.example".into()), ..Claims::NONE },
                ..meta(1)
            };
            let seat = serving.connections.enter(origin.client, 0).unwrap();
            stream::serve(server, origin, &serving, seat).await;
        });
        // Pipelined: the second has no answer yet, and does not hold up the third.
        for (id, asked) in [(1, listed), (2, free), (3, listed)] {
            send(&mut client, &asked.to_query(id, false)).await;
        }
        for id in [1, 3] {
            let reply = received(&mut client).await;
            assert_eq!((reply[..2].to_vec(), reply[3] & 15), (vec![0, id], 3));
        }
        // Octets that are no query end the reading half: nothing behind them is read.
        send(&mut client, &[0; 5]).await;
        send(&mut client, &listed.to_query(5, false)).await;
        let silence = tokio::time::timeout(Duration::from_millis(200), received(&mut client));
        assert!(silence.await.is_err(), "a reply behind octets that are no query");
        drop(client);
        task.abort();
    });
    let totals = Totals::of([&*gateway.counters]);
    assert_eq!(totals.queries(Transport::Dot, 0), 4);
    assert_eq!(totals.queries(Transport::Udp, 0), 0);
    let nxdomain = lachan::metrics::counters::RCODES.iter().position(|&r| r == Rcode::NXDOMAIN);
    assert_eq!(totals.responses(nxdomain.unwrap(), AnswerSource::Blocked), 2);
}
