//! Questions over sockets to the listeners, and their answers as rows.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream, UdpSocket};
use std::time::Duration;

use socket2::{Domain, Protocol, Socket, Type};
use tracing::debug;

use crate::dns::message::outline::AnswerOutline;
use crate::dns::message::{CLASS_IN, Ede, Rcode};
use crate::dns::name::Name;
use crate::dns::rtype;
use crate::load::in_force::InForce;
use crate::policy::GroupId;
use crate::policy::group::time::Now;
use crate::resolve::Transport;
use crate::selftest::own_asks::OwnAsks;
use crate::selftest::plan::{self, Planned};
use crate::selftest::run::{Expected, RowFinding, RowKind, SelfTestRow};
use crate::sys::presence::{absent, reachable};

/// The wait for an answer: longer than the gateway's own wait for upstream.
pub(super) const WAIT: Duration = Duration::from_secs(4);
/// Questions that wait at one time: a test must not crowd out clients.
const WINDOW: usize = 32;
/// Times that an unanswered question is asked.
const TIMES: usize = 2;
/// The longest answer that is read, in octets.
const MOST: usize = 4096;
/// The name that every gateway answers itself (RFC 6761 §6.3).
pub(super) const LOCAL: &str = "localhost";

/// Asks all questions in clear: those of groups at the first listener of each family, and one by UDP and TCP
/// at every listener.
pub(super) fn rows(
    in_force: &InForce,
    listen: &[SocketAddr],
    own: &OwnAsks,
    now: Now,
) -> Vec<SelfTestRow> {
    let missing = absent(listen);
    let mut rows = Vec::new();
    let Ok(local) = Name::from_text(LOCAL) else { return rows };
    for &listener in listen {
        for transport in Transport::PLAIN {
            let found = if missing.contains(&listener) {
                RowFinding::Absent
            } else {
                let asked =
                    ask(own, (listener, transport), GroupId(0), std::slice::from_ref(&local));
                found(asked.first().and_then(Option::as_ref), Expected::Local, None)
            };
            let planned = (RowKind::Listener, listener.ip().to_string());
            rows.push(row((listener, transport), "", planned, (&local, Expected::Local), found));
        }
    }
    let is_there = |family: fn(&SocketAddr) -> bool| {
        listen.iter().copied().find(|one| family(one) && !missing.contains(one))
    };
    let listeners = [is_there(SocketAddr::is_ipv4), is_there(SocketAddr::is_ipv6)];
    for listener in listeners.into_iter().flatten() {
        for (number, group) in (0..=u8::MAX).zip(&in_force.config().groups) {
            rows.extend(of_group(in_force, (listener, own), (GroupId(number), &group.name), now));
        }
    }
    rows
}

/// The rows of one group at one listener.
fn of_group(
    in_force: &InForce,
    (listener, own): (SocketAddr, &OwnAsks),
    (id, group): (GroupId, &str),
    now: Now,
) -> Vec<SelfTestRow> {
    let planned = plan::of_group(in_force, id, now);
    let asked = planned.iter().filter(|one| one.untested.is_none());
    let names: Vec<Name> = asked.map(|one| one.name.clone()).collect();
    let way = (listener, Transport::Udp);
    let mut answers = ask(own, way, id, &names).into_iter();
    let mut as_row = |one: Planned| {
        let Planned { kind, about, name, expected, safe, untested } = one;
        let found = untested
            .unwrap_or_else(|| found(answers.next().flatten().as_ref(), expected, safe.as_ref()));
        row(way, group, (kind, about), (&name, expected), found)
    };
    planned.into_iter().map(&mut as_row).collect()
}

pub(super) fn row(
    (listener, transport): (SocketAddr, Transport),
    group: &str,
    (kind, about): (RowKind, String),
    (name, expected): (&Name, Expected),
    found: RowFinding,
) -> SelfTestRow {
    let family = if listener.is_ipv6() { "ipv6" } else { "ipv4" };
    let transport = transport.id();
    let result = expected.judge(found);
    SelfTestRow {
        id: format!("{}/{group}/{about}@{listener}/{transport}", kind.id()),
        group: group.to_owned(),
        kind,
        name: name.to_string().trim_end_matches('.').to_owned(),
        listener: listener.to_string(),
        family: family.to_owned(),
        transport: transport.to_owned(),
        server_name: None,
        expected,
        found,
        result,
        ok: result.ok(),
    }
}

/// What an answer is.
pub(super) fn found(
    outline: Option<&AnswerOutline>,
    expected: Expected,
    safe: Option<&Name>,
) -> RowFinding {
    let Some(outline) = outline else { return RowFinding::Silent };
    let is_empty = outline.records == 0;
    let is_negative = matches!(outline.rcode, Rcode::NOERROR | Rcode::NXDOMAIN) && is_empty;
    match (outline.ede, outline.rcode) {
        (Some(Ede::NOT_READY), _) => RowFinding::Closed,
        (Some(Ede::BLOCKED), _) if expected == Expected::Negative && is_negative => {
            RowFinding::Negative
        }
        (Some(Ede::BLOCKED | Ede::CENSORED), _) => RowFinding::Blocked,
        (_, Rcode::SERVFAIL) => RowFinding::Unresolved,
        (_, Rcode::REFUSED) => RowFinding::Refused,
        _ if safe.is_some_and(|safe| outline.aliases.contains(safe)) => RowFinding::Safe,
        (_, Rcode::NOERROR) if expected == Expected::Local && !is_empty => RowFinding::Local,
        _ => RowFinding::Open,
    }
}

/// Asks for the addresses of names at a listener as a group; an answer in the place of each name.
fn ask(
    own: &OwnAsks,
    (listener, transport): (SocketAddr, Transport),
    group: GroupId,
    names: &[Name],
) -> Vec<Option<AnswerOutline>> {
    let listener = reachable(listener);
    let asked = match transport {
        Transport::Udp => by_udp(own, listener, group, names),
        Transport::Tcp => by_tcp(own, listener, group, names),
        Transport::Dot | Transport::Doh => Err(io::ErrorKind::Unsupported.into()),
    };
    asked.unwrap_or_else(|error| {
        debug!(%listener, %error, "the self-test cannot ask");
        vec![None; names.len()]
    })
}

/// A socket of the listener's own address, with a port of its own.
pub(super) fn socket(
    listener: SocketAddr,
    kind: Type,
    protocol: Protocol,
) -> io::Result<(Socket, SocketAddr)> {
    let socket = Socket::new(Domain::for_address(listener), kind, Some(protocol))?;
    let mut own = listener;
    own.set_port(0);
    socket.bind(&own.into())?;
    socket.set_read_timeout(Some(WAIT))?;
    socket.set_write_timeout(Some(WAIT))?;
    let address = socket.local_addr()?;
    let address = address.as_socket().ok_or(io::ErrorKind::AddrNotAvailable)?;
    Ok((socket, address))
}

fn by_udp(
    own: &OwnAsks,
    listener: SocketAddr,
    group: GroupId,
    names: &[Name],
) -> io::Result<Vec<Option<AnswerOutline>>> {
    let (socket, address) = socket(listener, Type::DGRAM, Protocol::UDP)?;
    let _asks = own.open(Transport::Udp, address, group);
    socket.connect(&listener.into())?;
    let socket = UdpSocket::from(socket);
    let first: u16 = rand::random();
    let mut answers = vec![None; names.len()];
    for _ in 0..TIMES {
        let unanswered = answers.iter().zip(0_u16..).filter(|(answer, _)| answer.is_none());
        let left: Vec<u16> = unanswered.map(|(_, number)| number).collect();
        for window in left.chunks(WINDOW) {
            for &number in window {
                let Some(name) = names.get(usize::from(number)) else { continue };
                socket.send(&query(first.wrapping_add(number), name))?;
            }
            read_window(&socket, first, window, &mut answers)?;
        }
    }
    Ok(answers)
}

/// Reads the answers of a window, until all are there or none comes for too long.
fn read_window(
    socket: &UdpSocket,
    first: u16,
    window: &[u16],
    answers: &mut [Option<AnswerOutline>],
) -> io::Result<()> {
    let mut octets = [0; MOST];
    let is_open = |answers: &[Option<AnswerOutline>]| {
        window.iter().any(|&number| answers.get(usize::from(number)).is_some_and(Option::is_none))
    };
    // Datagrams that are no answers, such as late ones, are few.
    for _ in 0..WINDOW * 4 {
        if !is_open(answers) {
            break;
        }
        let length = match socket.recv(&mut octets) {
            Ok(length) => length,
            Err(error) if is_timeout(&error) => break,
            Err(error) => return Err(error),
        };
        let Some(outline) = octets.get(..length).and_then(AnswerOutline::of) else { continue };
        let number = usize::from(outline.id.wrapping_sub(first));
        if let Some(place) = answers.get_mut(number) {
            *place = Some(outline);
        }
    }
    Ok(())
}

fn is_timeout(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut)
}

fn by_tcp(
    own: &OwnAsks,
    listener: SocketAddr,
    group: GroupId,
    names: &[Name],
) -> io::Result<Vec<Option<AnswerOutline>>> {
    let (socket, address) = socket(listener, Type::STREAM, Protocol::TCP)?;
    let _asks = own.open(Transport::Tcp, address, group);
    socket.connect_timeout(&listener.into(), WAIT)?;
    let mut stream = TcpStream::from(socket);
    let mut answers = Vec::with_capacity(names.len());
    for name in names {
        let query = query(rand::random(), name);
        answers.push(outline(&query, &exchanged(&mut stream, &query)?));
    }
    Ok(answers)
}

/// Sends a message over a stream of framed ones, and reads the next (RFC 1035 §4.2.2).
pub(super) fn exchanged(stream: &mut (impl Read + Write), query: &[u8]) -> io::Result<Vec<u8>> {
    stream.write_all(&[&(query.len() as u16).to_be_bytes()[..], query].concat())?;
    stream.flush()?;
    let mut length = [0; 2];
    stream.read_exact(&mut length)?;
    let mut octets = vec![0; usize::from(u16::from_be_bytes(length))];
    stream.read_exact(&mut octets)?;
    Ok(octets)
}

/// The answer to a query; none for octets that are none.
pub(super) fn outline(query: &[u8], octets: &[u8]) -> Option<AnswerOutline> {
    AnswerOutline::of(octets).filter(|one| query.starts_with(&one.id.to_be_bytes()))
}

/// A question for the IPv4 addresses of a name, with an OPT, so that a block is told apart.
pub(super) fn query(id: u16, name: &Name) -> Vec<u8> {
    let mut octets = Vec::with_capacity(12 + 255 + 4 + 11);
    octets.extend(id.to_be_bytes());
    octets.extend([0x01, 0, 0, 1, 0, 0, 0, 0, 0, 1]);
    octets.extend(name.as_wire());
    octets.extend(rtype::A.to_be_bytes());
    octets.extend(CLASS_IN.to_be_bytes());
    octets.extend([0]);
    octets.extend(rtype::OPT.to_be_bytes());
    octets.extend((MOST as u16).to_be_bytes());
    octets.extend([0, 0, 0, 0, 0, 0]);
    octets
}
