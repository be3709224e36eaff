//! Ten million packets of noise: valid queries with flipped bits, cut, joined, with lies about lengths and
//! with OPT records that nobody means.
//!
//! ```text
//! 17 of 20 packets  UDP, 64 at a time, then a query whose answer is waited for
//!  3 of 20          TCP, 32 frames a connection, some lengths wrong
//!  1 of 1,000 more  a ClientHello for DoT or DoH
//! ```
//!
//! A hundred thousand in each run, ten million with `LACHAN_LONG`.

use std::io::{Read as _, Write as _};
use std::net::{Shutdown, SocketAddr, UdpSocket};
use std::process::Command;
use std::sync::Arc;

use hickory_proto::op::Message;
use hickory_proto::rr::Name;

use super::dice::{Dice, is_long};
use super::load;
use crate::support::ask::{framed, name_to_wire, try_connect};
use crate::support::gateway::{LACHAN, run};
use crate::support::ports::free_port;
use crate::support::{Ask, Gateway, PUPIL, Upstream};

/// The most memory that noise may cost beside what it costs at first, in KiB. What is bounded by settings
/// is bounded tightly here: the cache, and queries that wait for an upstream that this test keeps busy.
const ROOM: usize = 16 << 10;
/// Octets that parsers stumble over: ends, limits of labels, pointers.
const ODD: [u8; 10] = [0, 1, 12, 0x29, 0x3f, 0x40, 0x7f, 0x80, 0xc0, 0xff];
/// Counts that lie.
const COUNTS: [u16; 5] = [0, 1, 2, 255, 65_535];

/// Blocked, with all below.
const LISTED: [&str; 2] = ["adult.example.", "denied.example."];

/// What makes packets of valid ones.
struct Noise {
    dice: Dice,
    seeds: Vec<Vec<u8>>,
}

impl Noise {
    fn of_queries() -> Self {
        let long = ["a-label-of-some-length"; 10].join(".") + ".example";
        let deep = ["a"; 125].join(".");
        let names =
            ["adult.example", "free.example", "denied.example", "x.nx.example", ".", &long, &deep];
        let types = ["A", "AAAA", "HTTPS", "TXT", "ANY", "AXFR", "PTR", "TYPE65535"];
        let mut seeds = Vec::new();
        for name in names {
            for qtype in types {
                let ask = Ask::new(name, qtype);
                seeds.push(ask.to_wire());
                seeds.push(ask.edns(1232).to_wire());
            }
        }
        let ask = Ask::new("adult.example", "A");
        seeds.push(ask.clone().opcode(4).to_wire());
        seeds.push(ask.clone().opcode(5).to_wire());
        seeds.push(ask.clone().class(3).edns_version(7).to_wire());
        seeds.push(ask.clone().questions(3).dnssec_ok().checking_disabled().to_wire());
        seeds.push(ask.no_recursion().authentic_data().to_wire());
        Self { dice: Dice::new(), seeds }
    }

    fn packet(&mut self) -> Vec<u8> {
        let mut packet = self.dice.one(&self.seeds).clone();
        for _ in 0..=self.dice.below(4) {
            self.change(&mut packet);
        }
        packet.truncate(4000);
        packet
    }

    fn change(&mut self, packet: &mut Vec<u8>) {
        let dice = &mut self.dice;
        let at = dice.below(packet.len().max(1));
        let rest = packet.len() - at.min(packet.len());
        match dice.below(10) {
            0 if !packet.is_empty() => packet[at] ^= 1 << dice.below(8),
            1 if !packet.is_empty() => packet[at] = *dice.one(&ODD),
            2 => packet.truncate(at),
            3 => {
                let other = dice.one(&self.seeds);
                packet.truncate(at);
                packet.extend(&other[dice.below(other.len())..]);
            }
            4 if packet.len() >= 12 => {
                let field = 4 + 2 * dice.below(4);
                packet[field..field + 2].copy_from_slice(&dice.one(&COUNTS).to_be_bytes());
            }
            5 if packet.len() > 14 => {
                // A pointer to anywhere, itself included.
                let target = (dice.below(packet.len() + 9) as u16 | 0xc000).to_be_bytes();
                let at = 12 + dice.below(packet.len() - 13);
                packet[at..at + 2].copy_from_slice(&target);
            }
            6 => {
                let octets: Vec<u8> = (0..dice.below(40)).map(|_| dice.next() as u8).collect();
                packet.splice(at..at, octets);
            }
            7 => {
                let again = packet[at..at + dice.below(rest + 1)].to_vec();
                packet.extend(again);
            }
            _ => self.opt(packet),
        }
    }

    /// One OPT record more, some of its lengths wrong.
    fn opt(&mut self, packet: &mut Vec<u8>) {
        let dice = &mut self.dice;
        let mut options = Vec::new();
        for _ in 0..dice.below(6) {
            let code = *dice.one(&[3_u16, 8, 10, 11, 12, 15, 65_001]);
            let octets: Vec<u8> = (0..dice.below(20)).map(|_| dice.next() as u8).collect();
            let lie = if dice.below(4) == 0 { dice.below(300) } else { octets.len() };
            options.extend(code.to_be_bytes());
            options.extend((lie as u16).to_be_bytes());
            options.extend(octets);
        }
        let length = if dice.below(4) == 0 { dice.below(65_536) } else { options.len() };
        packet.extend(if dice.below(8) == 0 { name_to_wire("owner.example") } else { vec![0] });
        packet.extend([0, 41]);
        packet.extend((dice.next() as u16).to_be_bytes());
        packet.extend([dice.next() as u8 & 1, u8::from(dice.below(8) == 0), dice.next() as u8, 0]);
        packet.extend((length as u16).to_be_bytes());
        packet.extend(options);
        if packet.len() >= 12 && dice.below(4) > 0 {
            packet[11] = packet[11].wrapping_add(1);
        }
    }
}

/// What the flood counts.
#[derive(Debug, Default)]
struct Counts {
    sent: usize,
    replies: usize,
    connections: usize,
}

/// A reply to noise is a response that can be read, and never opens a blocked name.
fn judge(reply: &[u8]) {
    assert!(reply.len() >= 12 && reply[2] & 0x80 != 0, "no response: {reply:02x?}");
    let read = Message::from_vec(reply);
    let Ok(message) = read else {
        // A question is echoed as it came, whatever the decoder of this test makes of it.
        assert!(reply[3] & 15 != 0 || reply[6..8] == [0, 0], "malformed: {read:?} {reply:02x?}");
        return;
    };
    let name = message.queries.first().map(hickory_proto::op::Query::name);
    let is_listed = name.is_some_and(|name| {
        LISTED.iter().any(|listed| Name::from_ascii(listed).unwrap().zone_of(name))
    });
    let is_open = message.answers.iter().any(|record| record.data.to_string() == "192.0.2.1");
    assert!(!(is_listed && is_open), "{name:?} is let through: {reply:02x?}");
}

/// Sends noise by UDP; a query after each 64 packets shows that they were taken.
fn by_udp(noise: &mut Noise, gateway: &Gateway, packets: usize, counts: &mut Counts) {
    let socket = UdpSocket::bind((PUPIL, 0)).unwrap();
    socket.connect(gateway.dns).unwrap();
    socket.set_nonblocking(true).unwrap();
    let mut reply = vec![0; 65_535];
    for number in 1..=packets {
        counts.sent += usize::from(socket.send(&noise.packet()).is_ok());
        if number % 64 != 0 {
            continue;
        }
        let answer = Ask::new("adult.example", "A").from(PUPIL).expect(gateway.dns);
        assert_eq!(answer.rcode(), "NXDOMAIN");
        while let Ok(length) = socket.recv(&mut reply) {
            counts.replies += 1;
            judge(&reply[..length]);
        }
    }
}

/// Sends octets on a connection of their own, and reads all that comes back.
fn by_stream(to: SocketAddr, octets: &[u8], counts: &mut Counts) -> Vec<u8> {
    let mut stream = try_connect(PUPIL.parse().unwrap(), to).unwrap();
    counts.connections += 1;
    let mut back = Vec::new();
    // It may close before it has all.
    let _ = stream.write_all(octets);
    let _ = stream.shutdown(Shutdown::Write);
    let _ = stream.read_to_end(&mut back);
    back
}

/// Sends noise in frames.
fn by_tcp(noise: &mut Noise, gateway: &Gateway, packets: usize, counts: &mut Counts) {
    for _ in 0..packets / 32 {
        let mut frames = Vec::new();
        for _ in 0..32 {
            let mut frame = framed(&noise.packet());
            if noise.dice.below(40) == 0 {
                frame[..2].copy_from_slice(&(noise.dice.next() as u16).to_be_bytes());
            }
            frames.extend(frame);
            counts.sent += 1;
        }
        let back = by_stream(gateway.dns, &frames, counts);
        let mut rest = back.as_slice();
        while let Some((length, after)) = rest.split_first_chunk::<2>() {
            let length = usize::from(u16::from_be_bytes(*length));
            let Some((reply, after)) = after.split_at_checked(length) else { break };
            judge(reply);
            counts.replies += 1;
            rest = after;
        }
    }
}

/// A `ClientHello`, as a browser would begin.
fn hello() -> Vec<u8> {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(rustls::RootCertStore::empty())
        .with_no_client_auth();
    let name = "dns.school.example".try_into().unwrap();
    let mut client = rustls::ClientConnection::new(Arc::new(config), name).unwrap();
    let mut octets = Vec::new();
    client.write_tls(&mut octets).unwrap();
    octets
}

#[test]
fn ten_million_packets_of_noise_cost_nothing() {
    let packets = if is_long() { 10_000_000 } else { 100_000 };
    let (upstream, [dot, doh]) = (Upstream::start(), [free_port(), free_port()]);
    let listen = format!(
        "dns = [\"127.0.0.1:{{dns}}\"]\ndot = [\"127.0.0.1:{dot}\"]\ndoh = [\"127.0.0.1:{doh}\"]\n\
         names = [\"dns.school.example\"]\n\
         [[listen.tls]]\ncertificate = \"own/cert.pem\"\nkey = \"own/key.pem\"\n"
    );
    let config = load::config("[cache]\nsize = \"1MiB\"\n")
        .replace("[upstream]\n", "[upstream]\nin_flight = 256\n")
        .replace("dns = [\"127.0.0.1:{dns}\"]\n", &listen);
    let plan = load::with_files(Gateway::plan(&config).upstream(&upstream)).made(|dir| {
        let mut command = Command::new(LACHAN);
        command.current_dir(dir).args(["certs", "self", "--name", "dns.school.example"]);
        let (status, said) = run({
            command.args(["--address", "127.0.0.1", "--out", "own", "--lang", "en"]);
            command
        });
        assert!(status.success(), "{said}");
    });
    let mut gateway = plan.start();
    let (mut noise, mut counts) = (Noise::of_queries(), Counts::default());
    let mut hellos = Noise { dice: Dice::new(), seeds: vec![hello()] };
    let mut memory = Vec::new();
    for _ in 0..10 {
        by_udp(&mut noise, &gateway, packets * 17 / 200, &mut counts);
        by_tcp(&mut noise, &gateway, packets * 3 / 200, &mut counts);
        for turn in 0..packets / 10_000 {
            let port = if turn % 2 == 0 { dot } else { doh };
            by_stream(SocketAddr::from(([127, 0, 0, 1], port)), &hellos.packet(), &mut counts);
        }
        memory.push(load::status(&gateway, "RssAnon"));
    }
    eprintln!("{counts:?}, memory in KiB after each tenth: {memory:?}");
    load::assert_filters(&gateway, "after the flood");
    assert!(gateway.is_running());
    assert!(!gateway.log().contains("panic"), "{}", gateway.log());
    assert!(counts.sent >= packets * 99 / 100 && counts.replies > packets / 10, "{counts:?}");
    assert!(memory[9] <= memory[0] + ROOM, "memory in KiB after each tenth: {memory:?}");
}
