//! UDP and TCP at one port, and what they do to a reply on its way.

use std::io;
use std::net::{SocketAddr, TcpListener, UdpSocket};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::net::tcp::OwnedReadHalf;
use tokio::sync::mpsc::{Receiver, Sender, channel};

use super::habits::{Habits, Ports, Tcp, Udp};
use super::message::Parsed;
use super::{Query, Shared, Transport};

/// Bound sockets that nobody reads yet.
#[derive(Debug)]
pub(super) struct Sockets {
    pub(super) address: SocketAddr,
    udp: Option<UdpSocket>,
    tcp: Option<TcpListener>,
}

impl Sockets {
    /// Opens one port for both, whichever are wanted; port 0 draws one.
    pub(super) fn open(at: SocketAddr, wanted: Ports) -> io::Result<Self> {
        // Both are bound even where one is not wanted: the number is free for it, so it is refused.
        let tcp = TcpListener::bind(at)?;
        let address = tcp.local_addr()?;
        let udp = UdpSocket::bind(address)?;
        tcp.set_nonblocking(true)?;
        udp.set_nonblocking(true)?;
        Ok(Self { address, udp: wanted.has_udp.then_some(udp), tcp: wanted.has_tcp.then_some(tcp) })
    }

    /// Serves in the runtime that is entered.
    pub(super) fn serve(self, shared: &Arc<Shared>) {
        if let Some(udp) = self.udp {
            let udp = tokio::net::UdpSocket::from_std(udp).unwrap();
            tokio::spawn(datagrams(Arc::new(udp), Arc::clone(shared)));
        }
        if let Some(tcp) = self.tcp {
            let tcp = tokio::net::TcpListener::from_std(tcp).unwrap();
            tokio::spawn(connections(tcp, Arc::clone(shared)));
        }
    }
}

impl Shared {
    /// Notes a query; how it is treated is as the habits are now.
    #[expect(clippy::disallowed_methods, reason = "tests see when a query came in real time")]
    fn note(&self, octets: &[u8], from: SocketAddr, connection: usize) -> (Parsed, Habits) {
        let query = Parsed::of(octets);
        self.queries.lock().unwrap().push(Query {
            transport: if connection == 0 { Transport::Udp } else { Transport::Tcp },
            connection,
            id: query.id,
            from,
            name: query.name.clone(),
            qtype: query.qtype,
            has_opt: query.has_opt,
            dnssec_ok: query.dnssec_ok,
            checking_disabled: query.checking_disabled,
            at: Instant::now(),
        });
        (query, self.habits.lock().unwrap().clone())
    }
}

async fn datagrams(socket: Arc<tokio::net::UdpSocket>, shared: Arc<Shared>) {
    let mut octets = vec![0; 65_535];
    loop {
        // An ICMP error of an earlier reply is not the end.
        let Ok((length, from)) = socket.recv_from(&mut octets).await else { continue };
        let (query, habits) = shared.note(&octets[..length], from, 0);
        let number = shared.datagrams.fetch_add(1, Ordering::SeqCst) + 1;
        let is_lost = habits.loses_every.is_some_and(|nth| number.is_multiple_of(nth));
        if is_lost || habits.udp == Udp::Lost {
            continue;
        }
        let Some((reply, answer)) = query.answered(&habits) else { continue };
        let socket = Arc::clone(&socket);
        let replies = datagrams_of(&query, &habits, reply);
        tokio::spawn(async move {
            tokio::time::sleep(habits.delay + answer.delay).await;
            for reply in replies {
                let _ = socket.send_to(&reply, from).await;
            }
        });
    }
}

/// The datagrams of one reply: forged ones, then the right one as UDP's habits make it.
fn datagrams_of(query: &Parsed, habits: &Habits, right: Vec<u8>) -> Vec<Vec<u8>> {
    let mut all: Vec<_> = habits.forged.iter().map(|&f| query.forged(f, &right)).collect();
    let is_long = right.len() > query.room;
    all.push(match habits.udp {
        Udp::Truncates => query.truncated(&right),
        Udp::Cuts(at) if is_long => {
            let mut cut = right[..at.min(right.len())].to_vec();
            cut[2] |= 0x02;
            cut
        }
        Udp::Open if is_long => query.truncated(&right),
        _ => right,
    });
    all
}

async fn connections(listener: tokio::net::TcpListener, shared: Arc<Shared>) {
    loop {
        let Ok((stream, from)) = listener.accept().await else { continue };
        let number = shared.connections.fetch_add(1, Ordering::SeqCst) + 1;
        let tcp = shared.habits.lock().unwrap().tcp;
        if matches!(tcp, Tcp::ClosesFirst(most) if number <= most) {
            continue;
        }
        tokio::spawn(connection(stream, from, number, Arc::clone(&shared)));
    }
}

/// One connection: queries are read one after another, replies are written as they are due.
async fn connection(stream: TcpStream, from: SocketAddr, number: usize, shared: Arc<Shared>) {
    let _ = stream.set_nodelay(true);
    let (read, mut write) = stream.into_split();
    let (due, mut replies) = channel::<Vec<u8>>(1024);
    let habit = shared.habits.lock().unwrap().tcp;
    let reader = tokio::spawn(read_queries(read, from, number, Arc::clone(&shared), due));
    let mut written = 0;
    while let Some(batch) = next_batch(&mut replies, habit).await {
        for reply in batch {
            let framed = [&(reply.len() as u16).to_be_bytes(), reply.as_slice()].concat();
            if write.write_all(&framed).await.is_err() {
                return;
            }
            written += 1;
            if matches!(habit, Tcp::ClosesAfter(most) if written >= most) {
                reader.abort();
                // Without the reader's half the connection ends, whatever was sent meanwhile.
                let _ = reader.await;
                return;
            }
        }
    }
}

/// The replies to write next; `None` at the end.
async fn next_batch(replies: &mut Receiver<Vec<u8>>, habit: Tcp) -> Option<Vec<Vec<u8>>> {
    let mut batch = vec![replies.recv().await?];
    if habit == Tcp::Reverses {
        let pause = Duration::from_millis(50);
        while let Ok(Some(next)) = tokio::time::timeout(pause, replies.recv()).await {
            batch.insert(0, next);
        }
    }
    Some(batch)
}

async fn read_queries(
    mut read: OwnedReadHalf,
    from: SocketAddr,
    number: usize,
    shared: Arc<Shared>,
    due: Sender<Vec<u8>>,
) {
    let mut count = 0;
    while let Ok(length) = read.read_u16().await {
        let mut octets = vec![0; usize::from(length)];
        if read.read_exact(&mut octets).await.is_err() {
            return;
        }
        let (query, habits) = shared.note(&octets, from, number);
        count += 1;
        let is_mute = matches!(habits.tcp, Tcp::MuteAfter(most) if count > most);
        let answered = if is_mute { None } else { query.answered(&habits) };
        let Some((reply, answer)) = answered else { continue };
        let due = due.clone();
        let delay = habits.delay + answer.delay;
        if delay.is_zero() {
            // In order, where no habit says otherwise.
            let _ = due.send(reply).await;
        } else {
            tokio::spawn(async move {
                tokio::time::sleep(delay).await;
                let _ = due.send(reply).await;
            });
        }
    }
}
