use std::time::Duration;

use super::*;
use crate::serve::listener::udp::open;

fn client(from: &str, to: SocketAddr) -> UdpSocket {
    let socket = UdpSocket::bind((from.parse::<IpAddr>().unwrap(), 0)).unwrap();
    socket.connect(to).unwrap();
    socket.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
    socket
}

/// Receives until `count` datagrams have come, and answers each with its octets twice.
fn double(batch: &mut Batch, socket: &UdpSocket, count: usize) {
    let mut came = 0;
    while came < count {
        came += batch.receive(socket, true).unwrap();
        batch.answer(|_, query, _, out| {
            out[..query.len()].copy_from_slice(query);
            out[query.len()..2 * query.len()].copy_from_slice(query);
            Some(2 * query.len())
        });
        assert_eq!(batch.send(socket), 0);
    }
    assert_eq!(came, count);
}

fn received(client: &UdpSocket) -> Vec<u8> {
    let mut buffer = [0; 9000];
    let length = client.recv(&mut buffer).unwrap();
    buffer[..length].to_vec()
}

#[test]
fn each_client_gets_its_own_reply_more_than_a_batch_of_them() {
    for at in ["127.0.0.1:0", "[::1]:0"] {
        let server = open(at.parse().unwrap()).unwrap();
        let address = server.local_addr().unwrap();
        let clients: Vec<_> =
            (0..BATCH + 10).map(|_| client(&address.ip().to_string(), address)).collect();
        for (number, client) in clients.iter().enumerate() {
            client.send(&vec![number as u8; 1 + number]).unwrap();
        }
        double(&mut Batch::new(false), &server, clients.len());
        for (number, client) in clients.iter().enumerate() {
            assert_eq!(received(client), vec![number as u8; 2 * (1 + number)]);
        }
    }
}

/// A connected client takes a reply only from the address it has asked.
#[test]
fn replies_leave_from_the_address_that_was_asked() {
    let server = open("0.0.0.0:0".parse().unwrap()).unwrap();
    let port = server.local_addr().unwrap().port();
    let asked = ["127.0.0.1", "127.0.0.2", "127.9.8.7"];
    let clients: Vec<_> = asked
        .iter()
        .map(|to| client("127.0.0.9", SocketAddr::new(to.parse().unwrap(), port)))
        .collect();
    let mut batch = Batch::new(true);
    for client in &clients {
        client.send(b"now").unwrap();
    }
    double(&mut batch, &server, clients.len());
    for client in &clients {
        assert_eq!(received(client), b"nownow");
    }
    // And late, one by one.
    for (client, to) in clients.iter().zip(asked) {
        client.send(b"late").unwrap();
        batch.receive(&server, true).unwrap();
        let mut kept = None;
        batch.answer(|_, _, path, _| {
            kept = Some(*path);
            None
        });
        let path = kept.unwrap();
        assert_eq!(path.local(), Some(to.parse().unwrap()));
        assert_eq!(path.client(), client.local_addr().unwrap());
        path.send(&server, b"reply").unwrap();
        assert_eq!(received(client), b"reply");
    }
}

#[test]
fn an_ipv6_socket_for_all_addresses_is_told_which() {
    let server = open("[::]:0".parse().unwrap()).unwrap();
    let port = server.local_addr().unwrap().port();
    let client = client("::1", SocketAddr::new("::1".parse().unwrap(), port));
    let mut batch = Batch::new(true);
    client.send(b"who").unwrap();
    batch.receive(&server, true).unwrap();
    batch.answer(|_, query, path, out| {
        assert_eq!(path.local(), Some("::1".parse().unwrap()));
        out[..query.len()].copy_from_slice(query);
        Some(query.len())
    });
    assert_eq!(batch.send(&server), 0);
    assert_eq!(received(&client), b"who");
}

#[test]
fn a_datagram_that_is_too_long_is_cut_and_an_empty_one_is_seen() {
    let server = open("127.0.0.1:0".parse().unwrap()).unwrap();
    let client = client("127.0.0.1", server.local_addr().unwrap());
    client.send(&[7; 6000]).unwrap();
    client.send(&[]).unwrap();
    let mut batch = Batch::new(false);
    let mut lengths = Vec::new();
    while lengths.len() < 2 {
        batch.receive(&server, true).unwrap();
        batch.answer(|_, query, _, _| {
            lengths.push(query.len());
            None
        });
    }
    assert_eq!(lengths, [MAX_QUERY, 0]);
    assert_eq!(batch.send(&server), 0);
}

#[test]
fn a_client_out_of_reach_does_not_hold_up_the_others() {
    let server = open("127.0.0.1:0".parse().unwrap()).unwrap();
    let clients: Vec<_> =
        (0..3).map(|_| client("127.0.0.1", server.local_addr().unwrap())).collect();
    for client in &clients {
        client.send(b"q").unwrap();
    }
    let mut batch = Batch::new(false);
    let mut came = 0;
    while came < 3 {
        came += batch.receive(&server, true).unwrap();
        // Port 0 cannot be sent to.
        if let Some(name) = batch.names.get_mut(1).filter(|_| came == 3) {
            name.0[2..4].copy_from_slice(&[0, 0]);
        }
        batch.answer(|_, _, _, out| {
            out[0] = b'r';
            Some(1)
        });
        let failed = batch.send(&server);
        assert_eq!(failed, usize::from(came == 3 && batch.received == 3));
    }
    assert_eq!(received(&clients[0]), b"r");
    assert_eq!(received(&clients[2]), b"r");
}

#[test]
fn nothing_to_receive_is_no_wait() {
    let server = open("127.0.0.1:0".parse().unwrap()).unwrap();
    let error = Batch::new(false).receive(&server, false).unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::WouldBlock);
}

#[test]
fn the_kernel_says_its_buffer_and_its_drops() {
    let server = open("127.0.0.1:0".parse().unwrap()).unwrap();
    set(&server, libc::SOL_SOCKET, libc::SO_RCVBUF, 4096).unwrap();
    let client = client("127.0.0.1", server.local_addr().unwrap());
    for _ in 0..100 {
        client.send(&[0; 500]).unwrap();
    }
    let kernel = Kernel::of(&server);
    assert!(kernel.receive_buffer >= 4096 && kernel.receive_used > 0, "{kernel:?}");
    assert!((1..100).contains(&kernel.dropped), "{kernel:?}");
}
