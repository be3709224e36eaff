//! Asks a server on loopback as fast as it answers, or at a steady rate, and looks at every
//! reply: its id, its question, and whether it is blocked where it should be.
//!
//! ```text
//! load PORT FILE SECONDS [--rate QUERIES_A_SECOND] [--once]
//!      [--rename FROM TO --at SECONDS] [--replies OUT]
//!      [--beside FILE --beside-rate QUERIES_A_SECOND]
//!
//! FILE    a query a line: NAME A|B|-|AB|BA (an address is expected, a block, either, an
//!         address first and then a block, or the other way)
//! ```
//!
//! `--rename` changes the server's policy by putting a file in the place of another in the
//! middle of the run; what became of it is told apart (`change.rs`), and each reply in a line of
//! `--replies` (when its query was due, and how long it took, in us). Queries `--beside` come
//! from a socket of their own, and count in nothing but lines of their own: for those that
//! are never answered.
//!
//! Without a rate 200 queries are outstanding at any time, which loses nothing by itself; with
//! one, latency counts from when a query should have left, so that a server that stalls cannot
//! hide it. It prints `key value` lines. One thread, which never sleeps.
#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "a program of the benchmarks"
)]

use std::net::UdpSocket;
use std::os::fd::AsRawFd;
use std::time::{Duration, Instant, SystemTime};

use lachan::dns::name::Name;

mod change;

use change::Change;

/// Datagrams a system call.
const BATCH: usize = 64;
/// Sockets: so many source ports, for a server with several workers.
const LANES: usize = 8;
/// Queries outstanding without a rate.
const WINDOW: usize = 200;
/// What has no reply after this is lost.
const LOST_AFTER: Duration = Duration::from_secs(1);
/// The same of a query beside, which may wait for a server that says nothing.
const BESIDE_LOST_AFTER: Duration = Duration::from_secs(5);

/// What is expected of a reply.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Expected {
    Address,
    Block,
    Either,
    /// What the change makes it.
    Becomes(bool),
}

struct Query {
    octets: Vec<u8>,
    expected: Expected,
}

/// A query that waits for its reply.
#[derive(Clone, Copy)]
struct Waiting {
    /// When it should have left.
    since: Instant,
    sent: Instant,
    query: usize,
}

/// One socket. A query's id is its place in `waiting`.
struct Lane {
    socket: UdpSocket,
    waiting: Vec<Option<Waiting>>,
    next: u16,
    oldest: u16,
    outstanding: usize,
    patience: Duration,
}

struct Counts {
    started: Instant,
    sent: usize,
    got: usize,
    lost: usize,
    wrong: usize,
    failed: usize,
    stray: usize,
    /// The longest that this program itself did not look, because others had its core.
    away: Duration,
    /// Microseconds, by how many replies took so long; the last takes all longer ones.
    took: Vec<u32>,
    change: Option<Change>,
}

/// Queries that come beside those that are measured.
struct Beside {
    lane: Lane,
    queries: Vec<Query>,
    counts: Counts,
    rate: usize,
}

/// What to do, and for how long.
struct Plan {
    rate: Option<usize>,
    length: Duration,
    /// Queries to send in all.
    most: usize,
}

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [port, file, seconds, rest @ ..] = arguments.as_slice() else {
        println!("usage: load PORT FILE SECONDS [OPTIONS]; see its first lines");
        std::process::exit(2);
    };
    let after = |flag: &str, place: usize| {
        rest.iter().position(|argument| argument == flag).map(|at| rest[at + place].as_str())
    };
    let (port, queries) = (port.parse().unwrap(), read(file));
    let rate: Option<usize> = after("--rate", 1).map(|rate| rate.parse().unwrap());
    let length = Duration::from_secs_f64(seconds.parse().unwrap());
    let most = if rest.iter().any(|flag| flag == "--once") { queries.len() } else { usize::MAX };
    let at = Duration::from_secs_f64(after("--at", 1).map_or(0.0, |at| at.parse().unwrap()));
    let change = after("--rename", 1).zip(after("--rename", 2)).map(|(from, to)| {
        let a_second = rate.expect("a --rename needs a --rate");
        Change::new(from, to, at, a_second * (length.as_secs() as usize + 1))
    });
    let replies = after("--replies", 1);
    let mut lanes: Vec<Lane> = (0..LANES).map(|_| Lane::to(port, LOST_AFTER)).collect();
    let mut beside = after("--beside", 1).map(|file| Beside {
        lane: Lane::to(port, BESIDE_LOST_AFTER),
        queries: read(file),
        counts: Counts::new(None),
        rate: after("--beside-rate", 1).map_or(1000, |rate| rate.parse().unwrap()),
    });
    let unix = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap();
    let mut counts = Counts::new(change);
    run(&mut lanes, &queries, &mut counts, beside.as_mut(), &Plan { rate, length, most });
    report(counts, length, unix, replies);
    if let Some(Beside { counts: Counts { sent, got, stray, .. }, lane, .. }) = beside {
        println!("beside_sent {sent}\nbeside_got {}", got + stray);
        println!("beside_waiting {}", lane.outstanding);
    }
}

fn run(
    lanes: &mut [Lane],
    queries: &[Query],
    counts: &mut Counts,
    mut beside: Option<&mut Beside>,
    plan: &Plan,
) {
    let mut inbox = Inbox::new();
    let (mut turn, mut stopped) = (0, None);
    let started = counts.started;
    let mut last = started;
    loop {
        let now = Instant::now();
        counts.away = counts.away.max(now.duration_since(last));
        last = now;
        let elapsed = now.duration_since(started);
        let outstanding: usize = lanes.iter().map(|lane| lane.outstanding).sum();
        if stopped.is_none() && (elapsed >= plan.length || counts.sent >= plan.most) {
            stopped = Some(now);
        }
        if stopped.is_some_and(|at| outstanding == 0 || now.duration_since(at) > LOST_AFTER * 2) {
            break;
        }
        if stopped.is_none() {
            let wanted = match plan.rate {
                Some(rate) => due_by(elapsed, rate).saturating_sub(counts.sent),
                // In lumps: fewer system calls.
                None if outstanding > WINDOW - 16 => 0,
                None => WINDOW - outstanding,
            };
            let lane = &mut lanes[turn % LANES];
            turn += 1;
            let share = if plan.rate.is_some() { BATCH } else { WINDOW / LANES };
            let count = wanted.min(share).min(plan.most - counts.sent);
            let due = |number: usize| match plan.rate {
                Some(rate) => {
                    started + Duration::from_nanos(number as u64 * 1_000_000_000 / rate as u64)
                }
                None => now,
            };
            lane.send(queries, counts, count, due);
            if let Some(change) = &mut counts.change {
                change.make(elapsed);
            }
        }
        for lane in &mut *lanes {
            if lane.outstanding > 0 {
                lane.receive(&mut inbox, queries, counts);
                lane.expire(now, counts);
            }
        }
        if let Some(beside) = beside.as_deref_mut() {
            beside.turn(&mut inbox, now, stopped.is_some());
        }
    }
    counts.lost += lanes.iter().map(|lane| lane.outstanding).sum::<usize>();
}

/// How many queries should have left after a time, at so many a second.
fn due_by(elapsed: Duration, rate: usize) -> usize {
    elapsed.as_micros() as usize * rate / 1_000_000 + 1
}

impl Beside {
    fn turn(&mut self, inbox: &mut Inbox, now: Instant, is_over: bool) {
        let Self { lane, queries, counts, rate } = self;
        if !is_over {
            let due = due_by(now.duration_since(counts.started), *rate);
            let count = due.saturating_sub(counts.sent);
            lane.send(queries, counts, count, |_| now);
        }
        lane.receive(inbox, queries, counts);
        lane.expire(now, counts);
    }
}

impl Lane {
    fn to(port: u16, patience: Duration) -> Self {
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        socket.connect(("127.0.0.1", port)).unwrap();
        lachan::serve::listener::udp_batch::size_buffers(&socket, 8 << 20);
        socket.set_nonblocking(true).unwrap();
        let waiting = vec![None; 1 << 16];
        Self { socket, waiting, next: 0, oldest: 0, outstanding: 0, patience }
    }

    fn send(
        &mut self,
        queries: &[Query],
        counts: &mut Counts,
        count: usize,
        due: impl Fn(usize) -> Instant,
    ) {
        let mut ids = [[0; 2]; BATCH];
        let mut parts = [libc::iovec { iov_base: std::ptr::null_mut(), iov_len: 0 }; 2 * BATCH];
        // SAFETY: all zeroes is an empty message.
        #[expect(unsafe_code, reason = "the only way to make a header")]
        let mut headers: [libc::mmsghdr; BATCH] = unsafe { std::mem::zeroed() };
        let sent = Instant::now();
        let mut ready = 0;
        while ready < count.min(BATCH) && self.outstanding < 60_000 {
            let id = self.next;
            self.next = id.wrapping_add(1);
            if self.waiting[usize::from(id)].is_some() {
                continue;
            }
            let query = counts.sent % queries.len();
            self.waiting[usize::from(id)] = Some(Waiting { since: due(counts.sent), sent, query });
            ids[ready] = id.to_be_bytes();
            let rest = &queries[query].octets[2..];
            parts[2 * ready] = part(&ids[ready]);
            parts[2 * ready + 1] = part(rest);
            headers[ready].msg_hdr.msg_iov = &raw mut parts[2 * ready];
            headers[ready].msg_hdr.msg_iovlen = 2;
            ready += 1;
            counts.sent += 1;
            self.outstanding += 1;
        }
        let mut done = 0;
        while done < ready {
            let rest = &mut headers[done..ready];
            // SAFETY: the headers point to parts, and those to ids and queries, which all
            // outlive the call.
            #[expect(unsafe_code, reason = "the standard library sends one datagram a call")]
            let sent = unsafe {
                libc::sendmmsg(self.socket.as_raw_fd(), rest.as_mut_ptr(), rest.len() as u32, 0)
            };
            done += usize::try_from(sent).unwrap_or(0);
        }
    }

    fn receive(&mut self, inbox: &mut Inbox, queries: &[Query], counts: &mut Counts) {
        let received = inbox.fill(&self.socket);
        if received == 0 {
            return;
        }
        let now = Instant::now();
        for number in 0..received {
            let reply = inbox.message(number);
            let id = reply.first_chunk().map_or(0, |&id| u16::from_be_bytes(id));
            let Some(waiting) = self.waiting[usize::from(id)].take() else {
                counts.stray += 1;
                continue;
            };
            self.outstanding -= 1;
            counts.got += 1;
            let took = now.saturating_duration_since(waiting.since);
            let last = counts.took.len() - 1;
            counts.took[(took.as_micros() as usize).min(last)] += 1;
            if let Some(change) = &mut counts.change {
                change.note(waiting.since.duration_since(counts.started), took);
            }
            counts.judge(reply, &queries[waiting.query], waiting.sent, now);
        }
    }

    fn expire(&mut self, now: Instant, counts: &mut Counts) {
        while self.oldest != self.next {
            let slot = &mut self.waiting[usize::from(self.oldest)];
            match slot {
                Some(waiting) if now.saturating_duration_since(waiting.since) < self.patience => {
                    return;
                }
                Some(_) => {
                    *slot = None;
                    self.outstanding -= 1;
                    counts.lost += 1;
                }
                None => {}
            }
            self.oldest = self.oldest.wrapping_add(1);
        }
    }
}

impl Counts {
    fn new(change: Option<Change>) -> Self {
        Self {
            started: Instant::now(),
            sent: 0,
            got: 0,
            lost: 0,
            wrong: 0,
            failed: 0,
            stray: 0,
            away: Duration::ZERO,
            took: vec![0; 1_000_001],
            change,
        }
    }

    /// Blocked is NXDOMAIN, 0.0.0.0, or nothing at all; the rest is an address.
    fn judge(&mut self, reply: &[u8], query: &Query, sent: Instant, came: Instant) {
        let question = 12..query.octets.len();
        if reply.get(2).is_none_or(|flags| flags & 0x80 == 0)
            || reply.get(question.clone()) != query.octets.get(question.clone())
        {
            self.wrong += 1;
            return;
        }
        let address = reply.get(question.end + 12..question.end + 16);
        let found = match (reply[3] & 15, u16::from_be_bytes([reply[6], reply[7]])) {
            (0, 1..) if address != Some(&[0; 4]) => Expected::Address,
            (3 | 0, _) => Expected::Block,
            _ => {
                self.failed += 1;
                return;
            }
        };
        match (query.expected, &mut self.change) {
            (Expected::Becomes(a_block), Some(change)) => {
                let is_new = (found == Expected::Block) == a_block;
                let after = |moment: Instant| moment.duration_since(self.started);
                change.see(is_new, after(sent), after(came));
            }
            (Expected::Either | Expected::Becomes(_), _) => {}
            (expected, _) => self.wrong += usize::from(expected != found),
        }
    }

    /// The microseconds within which so many of 1,000 replies came.
    fn within(&self, share: usize) -> usize {
        let wanted = self.got * share / 1000;
        let mut count = 0;
        let found = self.took.iter().position(|&n| {
            count += n as usize;
            count > wanted
        });
        found.unwrap_or(0)
    }
}

/// Where replies are received.
struct Inbox {
    octets: Vec<[u8; 1500]>,
    _parts: Vec<libc::iovec>,
    headers: Vec<libc::mmsghdr>,
}

impl Inbox {
    fn new() -> Self {
        let mut octets = vec![[0; 1500]; BATCH];
        let mut parts: Vec<libc::iovec> = octets
            .iter_mut()
            .map(|one| libc::iovec { iov_base: one.as_mut_ptr().cast(), iov_len: one.len() })
            .collect();
        // SAFETY: all zeroes is an empty message.
        #[expect(unsafe_code, reason = "the only way to make a header")]
        let empty: libc::mmsghdr = unsafe { std::mem::zeroed() };
        let headers = (0..BATCH).map(|number| {
            let mut header = empty;
            header.msg_hdr.msg_iov = parts.as_mut_ptr().wrapping_add(number);
            header.msg_hdr.msg_iovlen = 1;
            header
        });
        let headers = headers.collect();
        Self { octets, _parts: parts, headers }
    }

    /// Takes what has come; how much.
    fn fill(&mut self, socket: &UdpSocket) -> usize {
        // SAFETY: the headers point to parts and octets of this value, which are never resized.
        #[expect(unsafe_code, reason = "the standard library receives one datagram a call")]
        let count = unsafe {
            libc::recvmmsg(
                socket.as_raw_fd(),
                self.headers.as_mut_ptr(),
                BATCH as u32,
                libc::MSG_DONTWAIT as _,
                std::ptr::null_mut(),
            )
        };
        usize::try_from(count).unwrap_or(0)
    }

    fn message(&self, number: usize) -> &[u8] {
        let length = self.headers[number].msg_len as usize;
        &self.octets[number][..length.min(1500)]
    }
}

fn part(octets: &[u8]) -> libc::iovec {
    libc::iovec { iov_base: octets.as_ptr().cast_mut().cast(), iov_len: octets.len() }
}

/// The queries of a file, as octets: type A, RD, no OPT.
fn read(file: &str) -> Vec<Query> {
    let text = std::fs::read_to_string(file).unwrap();
    let queries = text.lines().filter_map(|line| {
        let (name, expected) = line.split_once(' ')?;
        let name = Name::from_text(name).ok()?;
        let octets =
            [&[0, 0, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0], name.as_wire(), &[0, 1, 0, 1]].concat();
        let expected = match expected {
            "A" => Expected::Address,
            "B" => Expected::Block,
            "AB" => Expected::Becomes(true),
            "BA" => Expected::Becomes(false),
            _ => Expected::Either,
        };
        Some(Query { octets, expected })
    });
    let queries: Vec<_> = queries.collect();
    assert!(!queries.is_empty(), "{file}: no query");
    queries
}

fn report(counts: Counts, length: Duration, unix: Duration, replies: Option<&str>) {
    let length = counts.started.elapsed().min(length);
    let Counts { sent, got, lost, failed, stray, .. } = counts;
    let wrong = counts.wrong + counts.change.as_ref().map_or(0, Change::mixed);
    println!("sent {sent}\ngot {got}\nlost {lost}\nwrong {wrong}\nfailed {failed}\nstray {stray}");
    println!("qps {:.0}", got as f64 / length.as_secs_f64());
    for (name, share) in [("p50", 500), ("p95", 950), ("p99", 990), ("p999", 999)] {
        println!("{name} {}", counts.within(share));
    }
    println!("away {}", counts.away.as_micros());
    println!("max {}", counts.took.iter().rposition(|&n| n > 0).unwrap_or(0));
    if let Some(change) = counts.change {
        if let Some(out) = replies {
            change.write(out);
        }
        change.report(counts.started, unix);
    }
}
