//! The scripted upstream of the kit, one habit after another, asked without a gateway between.

use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream, UdpSocket};
use std::time::Duration;

use lachan::dns::name::Name;
use lachan::dns::rtype;

use crate::kit::upstream::answer::Answer;
use crate::kit::upstream::habits::{Edns, Forged, Habits, Tcp, Udp};
use crate::kit::upstream::{Scripted, Transport, together};
use crate::kit::wire::{self, question_end};

/// How long silence is waited for.
const SILENCE: Duration = Duration::from_millis(150);

/// A query in the case that is written; the kit's names are in lower case.
fn query(name: &str, qtype: u16, has_opt: bool) -> Vec<u8> {
    let mut octets = wire::query(&Name::from_text(name).unwrap(), qtype);
    for (at, octet) in name.bytes().enumerate().filter(|(_, octet)| *octet != b'.') {
        octets[13 + at] = octet;
    }
    if has_opt {
        octets[11] = 1;
        octets.extend([0, 0, 41, 0x04, 0xd0, 0, 0, 0, 0, 0, 0]);
    }
    octets
}

/// All datagrams that answer one query, until `count` have come or it is silent.
fn datagrams(server: SocketAddr, query: &[u8], count: usize) -> Vec<Vec<u8>> {
    let socket = UdpSocket::bind((server.ip(), 0)).unwrap();
    socket.connect(server).unwrap();
    socket.send(query).unwrap();
    let mut octets = vec![0; 65_535];
    (0..count)
        .map_while(|_| {
            let limit = if count == 1 { SILENCE * 20 } else { SILENCE * 5 };
            socket.set_read_timeout(Some(limit)).unwrap();
            socket.recv(&mut octets).ok().map(|length| octets[..length].to_vec())
        })
        .collect()
}

fn ask(server: &Scripted, name: &str, qtype: u16) -> Vec<u8> {
    datagrams(server.address(), &query(name, qtype, false), 1).pop().unwrap()
}

fn ask_edns(server: &Scripted, name: &str, qtype: u16) -> Vec<u8> {
    datagrams(server.address(), &query(name, qtype, true), 1).pop().unwrap()
}

/// Whether nothing comes. A reply on loopback is there in less than a millisecond.
fn is_silent(server: &Scripted, octets: &[u8]) -> bool {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    socket.connect(server.address()).unwrap();
    socket.send(octets).unwrap();
    socket.set_read_timeout(Some(SILENCE)).unwrap();
    socket.recv(&mut [0; 512]).is_err_and(|error| error.kind() == ErrorKind::WouldBlock)
}

fn connect(server: &Scripted) -> TcpStream {
    let stream = TcpStream::connect(server.address()).unwrap();
    stream.set_read_timeout(Some(SILENCE * 20)).unwrap();
    stream
}

fn send(stream: &mut TcpStream, octets: &[u8]) {
    let framed = [&(octets.len() as u16).to_be_bytes(), octets].concat();
    let _ = stream.write_all(&framed);
}

fn receive(stream: &mut TcpStream) -> Option<Vec<u8>> {
    let mut length = [0; 2];
    stream.read_exact(&mut length).ok()?;
    let mut octets = vec![0; usize::from(u16::from_be_bytes(length))];
    stream.read_exact(&mut octets).ok()?;
    Some(octets)
}

fn rcode(reply: &[u8]) -> u8 {
    reply[3] & 0xf
}

fn counts(reply: &[u8]) -> [u8; 3] {
    [reply[7], reply[9], reply[11]]
}

fn is_cut(reply: &[u8]) -> bool {
    reply[2] & 0x02 != 0
}

fn question(reply: &[u8]) -> &[u8] {
    &reply[12..question_end(reply)]
}

#[test]
fn it_answers_as_usual_and_notes_what_came() {
    let server = Habits::new().start();
    let reply = ask_edns(&server, "wWw.Example", rtype::A);
    assert_eq!((rcode(&reply), counts(&reply)), (0, [1, 0, 1]));
    assert_eq!(question(&reply), question(&query("wWw.Example", rtype::A, false)));
    assert_eq!(
        (rcode(&ask(&server, "nx.example", rtype::A)), wire::first_ttl(&reply)),
        (3, Some(300))
    );
    assert_eq!(counts(&ask(&server, "a.example", rtype::MX)), [0, 1, 0]);
    let mut stream = connect(&server);
    send(&mut stream, &query("b.example", rtype::TXT, false));
    assert_eq!(counts(&receive(&mut stream).unwrap()), [1, 0, 0]);

    let queries = server.queries();
    assert_eq!((queries.len(), server.connections()), (4, 1));
    let (first, last) = (&queries[0], &queries[3]);
    assert_eq!((first.name.as_str(), first.qtype, first.id), ("wWw.Example", rtype::A, 0x1234));
    assert!(first.has_opt && !first.dnssec_ok && first.is_mixed_case());
    assert_eq!((first.transport, first.connection), (Transport::Udp, 0));
    assert_eq!((last.transport, last.connection), (Transport::Tcp, 1));
    assert_eq!(last.from, stream.local_addr().unwrap());
    assert_eq!(server.queries_for("WWW.example.").len(), 1);
}

#[test]
fn it_folds_or_compares_case() {
    let folding = Habits::new().folds_case().start();
    let reply = ask(&folding, "wWw.Example", rtype::A);
    assert_eq!(question(&reply), question(&query("www.example", rtype::A, false)));

    let comparing = Habits::new().compares_case(&["old.example"], Answer::nxdomain("example"));
    let comparing = comparing.start();
    assert_eq!(rcode(&ask(&comparing, "a.Old.example", rtype::A)), 3);
    assert_eq!(rcode(&ask(&comparing, "a.old.example", rtype::A)), 0);
    assert_eq!(rcode(&ask(&comparing, "a.New.example", rtype::A)), 0);
    comparing.change(|habits| habits.compares_case(&[], Answer::rcode(5)));
    assert_eq!(rcode(&ask(&comparing, "a.New.example", rtype::A)), 5);
    assert_eq!(rcode(&ask(&comparing, "a.new.example", rtype::A)), 0);
}

#[test]
fn it_does_not_understand_edns() {
    let server = Habits::new().start();
    for (edns, length, code, has_opt) in [
        (Edns::Refused(1), 29, 1, 0),
        (Edns::Refused(4), 29, 4, 0),
        (Edns::RefusedWithOpt(1), 40, 1, 1),
        (Edns::RefusedWithOpt(16), 40, 0, 1),
        (Edns::Bare(1), 12, 1, 0),
        (Edns::Ignored, 45, 0, 0),
    ] {
        server.change(|habits| habits.edns(edns));
        let reply = ask_edns(&server, "www.example", rtype::A);
        assert_eq!((reply.len(), rcode(&reply), reply[11]), (length, code, has_opt), "{edns:?}");
        assert_eq!(counts(&ask(&server, "www.example", rtype::A)), [1, 0, 0]);
    }
    server.change(|habits| habits.edns(Edns::RefusedWithOpt(16)));
    // The upper eight bits of BADVERS are in the OPT.
    assert_eq!(ask_edns(&server, "www.example", rtype::A)[34], 1);
    server.change(|habits| habits.edns(Edns::Silent));
    assert!(is_silent(&server, &query("www.example", rtype::A, true)));
}

#[test]
fn it_truncates_cuts_and_oversizes() {
    let server = Habits::new().udp(Udp::Truncates).start();
    let reply = ask_edns(&server, "www.example", rtype::A);
    assert!(is_cut(&reply) && counts(&reply) == [0, 0, 1]);
    server.change(|habits| habits.udp(Udp::Open));
    assert!(is_cut(&ask_edns(&server, "big40.example", rtype::TXT)));
    assert!(!is_cut(&ask_edns(&server, "big5.example", rtype::TXT)));
    server.change(|habits| habits.udp(Udp::Cuts(500)));
    let reply = ask_edns(&server, "big40.example", rtype::TXT);
    assert_eq!((reply.len(), is_cut(&reply), reply[7]), (500, true, 40));
    server.change(|habits| habits.udp(Udp::Oversizes));
    let reply = ask_edns(&server, "big40.example", rtype::TXT);
    assert!(reply.len() > 4000 && !is_cut(&reply));
    let mut stream = connect(&server);
    send(&mut stream, &query("big300.example", rtype::TXT, true));
    assert_eq!(receive(&mut stream).unwrap()[6..8], 300_u16.to_be_bytes());
}

#[test]
fn it_is_lame_and_refuses() {
    let server = Habits::new().always(Answer::referral()).start();
    let flags = |reply: &[u8]| (reply[2] & 0x04, reply[3] & 0x80);
    let reply = ask(&server, "www.example", rtype::A);
    assert_eq!((rcode(&reply), counts(&reply), flags(&reply)), (0, [0, 2, 0], (0, 0)));
    server.change(|habits| habits.always(Answer::lame()));
    let reply = ask(&server, "www.example", rtype::A);
    assert_eq!((rcode(&reply), counts(&reply), flags(&reply)), (0, [0, 0, 0], (0, 0)));
    server.change(|habits| habits.always(Answer::empty()));
    let reply = ask(&server, "www.example", rtype::A);
    assert_eq!((rcode(&reply), counts(&reply), flags(&reply)), (0, [0, 0, 0], (0, 0x80)));
    for code in [2, 5, 6, 9, 10] {
        server.change(|habits| habits.always(Answer::rcode(code)));
        assert_eq!(u16::from(rcode(&ask(&server, "www.example", rtype::A))), code);
    }
    // BADCOOKIE: 23 is 1 in the OPT and 7 in the header.
    server.change(|habits| habits.always(Answer::rcode(23)));
    let reply = ask_edns(&server, "www.example", rtype::A);
    assert_eq!((rcode(&reply), reply[34]), (7, 1));
    server.change(|habits| habits.scripted_again().answer("bad.example", Answer::rcode(2)));
    assert_eq!(rcode(&ask(&server, "Bad.example", rtype::A)), 2);
    assert_eq!(rcode(&ask(&server, "good.example", rtype::A)), 0);
}

#[test]
fn it_says_what_is_scripted_with_the_ttl_that_is_scripted() {
    let server = Habits::new()
        .answer("a.example", Answer::a("192.0.2.7").ttl(0))
        .answer_type("a.example", rtype::TXT, Answer::empty().and("TXT", "here"))
        .answer("b.example", Answer::cname("c.example").and_of("c.example", "A", "192.0.2.8"))
        .below("zone.example", Answer::nxdomain("zone.example").ttl(9))
        .start();
    let reply = ask(&server, "a.example", rtype::A);
    assert_eq!((wire::first_ttl(&reply), reply.last()), (Some(0), Some(&7)));
    assert!(ask(&server, "a.example", rtype::TXT).ends_with(b"\x04here"));
    assert_eq!(counts(&ask(&server, "a.example", rtype::AAAA)), [0, 1, 0]);
    assert_eq!(counts(&ask(&server, "b.example", rtype::A)), [2, 0, 0]);
    assert_eq!(counts(&ask(&server, "b.example", rtype::AAAA)), [1, 0, 0]);
    assert_eq!(rcode(&ask(&server, "deep.in.zone.example", rtype::A)), 3);
    assert_eq!(rcode(&ask(&server, "azone.example", rtype::A)), 0);
    server.change(|habits| habits.answer("a.example", Answer::a("192.0.2.9")));
    assert_eq!(ask(&server, "a.example", rtype::A).last(), Some(&9));
}

#[test]
fn it_is_slow_and_loses() {
    let slow = SILENCE * 2;
    let server = Habits::new().answer("slow.example", Answer::a("192.0.2.3").after(slow)).start();
    assert!(is_silent(&server, &query("slow.example", rtype::A, false)));
    assert_eq!(ask(&server, "slow.example", rtype::A).last(), Some(&3));
    server.change(|habits| habits.slow(slow));
    assert!(is_silent(&server, &query("www.example", rtype::A, false)));
    server.change(|habits| habits.slow(Duration::ZERO).loses_types(&[65]));
    assert!(is_silent(&server, &query("www.example", 65, false)));
    assert_eq!(rcode(&ask(&server, "www.example", rtype::A)), 0);
    server.change(|habits| habits.answer("gone.example", Answer::silence()));
    assert!(is_silent(&server, &query("gone.example", rtype::A, false)));

    let lossy = Habits::new().loses_every(2).start();
    let all: Vec<bool> =
        (0..4).map(|_| is_silent(&lossy, &query("www.example", rtype::A, false))).collect();
    assert_eq!(all, [false, true, false, true]);
    lossy.change(|habits| habits.udp(Udp::Lost));
    assert!(is_silent(&lossy, &query("www.example", rtype::A, false)));
    let mut stream = connect(&lossy);
    send(&mut stream, &query("www.example", rtype::A, false));
    assert!(receive(&mut stream).is_some());
    assert_eq!(lossy.queries().len(), 6);
}

#[test]
fn it_forges_before_it_answers() {
    let all = [
        Forged::WrongId,
        Forged::WrongQuestion,
        Forged::CutRecord,
        Forged::ShortRdata,
        Forged::Counts,
        Forged::Header(1),
        Forged::Rcode(3),
        Forged::Stub,
    ];
    let server = Habits::new().forges(&all).start();
    let octets = query("www.example", rtype::A, true);
    let replies = datagrams(server.address(), &octets, 9);
    assert_eq!(replies.len(), 9);
    assert_ne!(replies[0][..2], octets[..2]);
    assert!(replies[1..].iter().all(|reply| reply[..2] == octets[..2]));
    assert_ne!(question(&replies[1]), question(&octets));
    assert_eq!((counts(&replies[2]), replies[2].len()), ([1, 0, 0], 43));
    assert_eq!(replies[3][question_end(&replies[3]) + 2..][..2], [0, 6]);
    assert_eq!((counts(&replies[4]), replies[4].len()), ([9, 9, 9], 29));
    assert_eq!((rcode(&replies[5]), replies[5].len()), (1, 12));
    assert_eq!((rcode(&replies[6]), replies[7].len()), (3, 3));
    assert_eq!(replies[8], ask_edns_after(&server, &octets));
}

/// The right reply of a server that forges no more.
fn ask_edns_after(server: &Scripted, octets: &[u8]) -> Vec<u8> {
    server.change(|habits| habits.forges(&[]));
    datagrams(server.address(), octets, 1).pop().unwrap()
}

#[test]
fn its_tcp_has_habits() {
    let none = Habits::new().tcp(Tcp::None).start();
    assert!(TcpStream::connect(none.address()).is_err());
    assert_eq!(rcode(&ask(&none, "www.example", rtype::A)), 0);

    let names = ["a.example", "b.example", "c.example"];
    let pipelined = |server: &Scripted, most: usize| {
        let mut stream = connect(server);
        for name in names {
            send(&mut stream, &query(name, rtype::A, false));
        }
        stream.set_read_timeout(Some(SILENCE * 4)).unwrap();
        let replies = (0..most).map_while(|_| receive(&mut stream));
        replies.map(|reply| reply[13]).collect::<Vec<_>>()
    };
    let server = Habits::new().start();
    assert_eq!(pipelined(&server, 3), b"abc");
    server.change(|habits| habits.tcp(Tcp::Reverses));
    assert_eq!(pipelined(&server, 3), b"cba");
    server.change(|habits| habits.tcp(Tcp::ClosesAfter(2)));
    assert_eq!(pipelined(&server, 3), b"ab");
    server.change(|habits| habits.tcp(Tcp::MuteAfter(1)));
    assert_eq!(pipelined(&server, 2), b"a");
    server.change(|habits| habits.tcp(Tcp::MuteAfter(0)));
    assert_eq!(pipelined(&server, 1), b"");
    let fresh = Habits::new().tcp(Tcp::ClosesFirst(1)).start();
    assert_eq!((pipelined(&fresh, 3), pipelined(&fresh, 3)), (b"".to_vec(), b"abc".to_vec()));
    assert_eq!(fresh.connections(), 2);
}

#[test]
fn it_synthesises_behind_dns64() {
    let server = Habits::new()
        .dns64()
        .answer_type("six.example", rtype::AAAA, Answer::aaaa("2001:db8::6"))
        .answer("none.example", Answer::nxdomain("example"))
        .start();
    let prefix = [0, 0x64, 0xff, 0x9b, 0, 0, 0, 0, 0, 0, 0, 0];
    let synthesised = |last: [u8; 4]| [prefix.as_slice(), &last].concat();
    assert!(ask(&server, "www.example", rtype::AAAA).ends_with(&synthesised([192, 0, 2, 1])));
    let known = ask(&server, "ipv4only.arpa", rtype::AAAA);
    assert!(counts(&known)[0] == 2 && known.ends_with(&synthesised([192, 0, 0, 171])));
    assert_eq!(ask(&server, "six.example", rtype::AAAA).last(), Some(&6));
    assert_eq!(rcode(&ask(&server, "none.example", rtype::AAAA)), 3);
    assert_eq!(ask(&server, "www.example", rtype::A).last(), Some(&1));
}

#[test]
fn several_have_one_port_and_one_stops_and_starts_again() {
    let other = Habits::new().answer("a.example", Answer::a("192.0.2.2"));
    let [mut one, two] = together([("127.0.0.61", Habits::new()), ("127.0.0.62", other)]);
    assert_eq!(one.port(), two.port());
    assert_eq!(ask(&one, "a.example", rtype::A).last(), Some(&1));
    assert_eq!(ask(&two, "a.example", rtype::A).last(), Some(&2));
    let address = one.address();
    one.stop();
    assert!(TcpStream::connect(address).is_err());
    assert_eq!(datagrams(address, &query("a.example", rtype::A, false), 1).len(), 0);
    one.start();
    assert_eq!((one.address(), rcode(&ask(&one, "a.example", rtype::A))), (address, 0));
    assert!(TcpStream::connect(address).is_ok());
    let elsewhere = Habits::new().start_at(address);
    assert!(elsewhere.is_err(), "the address is taken");
}
