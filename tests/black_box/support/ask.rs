//! A client: queries built octet by octet, answers kept as octets and decoded.
//!
//! Building by hand is the point: a library would not let us ask the wrong things.

use std::io::{Read, Write};
use std::net::{IpAddr, SocketAddr, TcpStream, UdpSocket};
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::Duration;

use hickory_proto::op::Message;
use hickory_proto::rr::rdata::opt::EdnsCode;
use hickory_proto::rr::{Record, RecordType};
use socket2::{Domain, Socket, Type};

/// How long an answer may take before it counts as none.
const ANSWER_LIMIT: Duration = Duration::from_secs(5);

static NEXT_ID: AtomicU16 = AtomicU16::new(0x1000);

/// A query that is being put together. Default: type A, class IN, RD, UDP, no OPT.
#[derive(Debug, Clone)]
pub(crate) struct Ask {
    name: String,
    qtype: u16,
    class: u16,
    opcode: u8,
    question_count: u16,
    flags: u16,
    edns: Option<Edns>,
    from: IpAddr,
    is_tcp: bool,
    limit: Duration,
}

#[derive(Debug, Clone, Copy)]
struct Edns {
    size: u16,
    version: u8,
    dnssec_ok: bool,
}

const RD: u16 = 0x0100;
const AD: u16 = 0x0020;
const CD: u16 = 0x0010;

impl Ask {
    /// A query for `name` of the type `qtype` (a mnemonic, or `TYPE65`).
    pub(crate) fn new(name: &str, qtype: &str) -> Self {
        Self {
            name: name.to_owned(),
            qtype: type_number(qtype),
            class: 1,
            opcode: 0,
            question_count: 1,
            flags: RD,
            edns: None,
            from: [127, 0, 0, 1].into(),
            is_tcp: false,
            limit: ANSWER_LIMIT,
        }
    }

    /// From this address: it is what chooses the group.
    pub(crate) fn from(mut self, address: &str) -> Self {
        self.from = address.parse().unwrap();
        self
    }

    /// With an OPT that offers `size` octets.
    pub(crate) fn edns(mut self, size: u16) -> Self {
        self.edns.get_or_insert(Edns { size, version: 0, dnssec_ok: false }).size = size;
        self
    }

    /// With an OPT of this version.
    pub(crate) fn edns_version(mut self, version: u8) -> Self {
        self.edns.get_or_insert(Edns { size: 1232, version, dnssec_ok: false }).version = version;
        self
    }

    /// With DO, and so with an OPT.
    pub(crate) fn dnssec_ok(mut self) -> Self {
        self.edns.get_or_insert(Edns { size: 1232, version: 0, dnssec_ok: true }).dnssec_ok = true;
        self
    }

    /// With CD set.
    pub(crate) fn checking_disabled(mut self) -> Self {
        self.flags |= CD;
        self
    }

    /// With AD set (RFC 6840 §5.7: tell me whether it is authentic).
    pub(crate) fn authentic_data(mut self) -> Self {
        self.flags |= AD;
        self
    }

    /// With RD clear.
    pub(crate) fn no_recursion(mut self) -> Self {
        self.flags &= !RD;
        self
    }

    /// Of another class.
    pub(crate) fn class(mut self, class: u16) -> Self {
        self.class = class;
        self
    }

    /// With another opcode.
    pub(crate) fn opcode(mut self, opcode: u8) -> Self {
        self.opcode = opcode;
        self
    }

    /// With the question `count` times.
    pub(crate) fn questions(mut self, count: u16) -> Self {
        self.question_count = count;
        self
    }

    /// By TCP.
    pub(crate) fn tcp(mut self) -> Self {
        self.is_tcp = true;
        self
    }

    /// Gives up after `limit`.
    pub(crate) fn limit(mut self, limit: Duration) -> Self {
        self.limit = limit;
        self
    }

    /// The query as octets, with a new id.
    pub(crate) fn to_wire(&self) -> Vec<u8> {
        let mut wire = Vec::new();
        let id = NEXT_ID.fetch_add(1, Ordering::Relaxed);
        let flags = self.flags | u16::from(self.opcode) << 11;
        let additional = u16::from(self.edns.is_some());
        for field in [id, flags, self.question_count, 0, 0, additional] {
            wire.extend(field.to_be_bytes());
        }
        for _ in 0..self.question_count {
            wire.extend(name_to_wire(&self.name));
            wire.extend(self.qtype.to_be_bytes());
            wire.extend(self.class.to_be_bytes());
        }
        if let Some(edns) = self.edns {
            let (do_bit, size) = (u8::from(edns.dnssec_ok) << 7, edns.size.to_be_bytes());
            wire.extend([0, 0, 41, size[0], size[1], 0, edns.version, do_bit, 0, 0, 0]);
        }
        wire
    }

    /// Sends the query; `None` if no answer comes.
    ///
    /// The answer's id, QR bit and echoed question are checked here, always: the case
    /// of the question too (0x20).
    pub(crate) fn send(&self, to: SocketAddr) -> Option<Answer> {
        let query = self.to_wire();
        let raw = if self.is_tcp {
            let mut stream = connect(self.from, to);
            stream.set_read_timeout(Some(self.limit)).unwrap();
            write_framed(&mut stream, &query);
            read_framed(&mut stream)?
        } else {
            ask_raw_from(self.from, to, &query, self.limit)?
        };
        let answer = Answer::decode(raw);
        assert_eq!(answer.raw[..2], query[..2], "the id is not the query's: {self:?}");
        if answer.message.queries.len() == 1 && self.question_count == 1 {
            let question = 12..12 + name_to_wire(&self.name).len() + 4;
            assert_eq!(
                answer.raw.get(question.clone()),
                query.get(question),
                "the question is not echoed as it was asked: {self:?}"
            );
        }
        Some(answer)
    }

    /// Sends the query and expects an answer.
    pub(crate) fn expect(&self, to: SocketAddr) -> Answer {
        self.send(to).unwrap_or_else(|| panic!("no answer within {:?} to {self:?}", self.limit))
    }
}

/// An answer, as octets and decoded.
#[derive(Debug, Clone)]
pub(crate) struct Answer {
    /// The octets, without the length of TCP.
    pub(crate) raw: Vec<u8>,
    /// What they mean.
    pub(crate) message: Message,
}

impl Answer {
    /// Decodes octets that must be a well-formed response.
    pub(crate) fn decode(raw: Vec<u8>) -> Self {
        let message = Message::from_vec(&raw)
            .unwrap_or_else(|error| panic!("the answer is malformed: {error}\n{raw:02x?}"));
        assert!(raw[2] & 0x80 != 0, "the answer has QR=0: {raw:02x?}");
        Self { raw, message }
    }

    /// The id.
    pub(crate) fn id(&self) -> u16 {
        u16::from_be_bytes([self.raw[0], self.raw[1]])
    }

    /// The RCODE's mnemonic, extended by OPT.
    pub(crate) fn rcode(&self) -> String {
        let low = u16::from(self.raw[3] & 0x0f);
        let high = self.message.edns.as_ref().map_or(0, |edns| u16::from(edns.rcode_high()));
        match high << 4 | low {
            0 => "NOERROR".into(),
            1 => "FORMERR".into(),
            2 => "SERVFAIL".into(),
            3 => "NXDOMAIN".into(),
            4 => "NOTIMP".into(),
            5 => "REFUSED".into(),
            16 => "BADVERS".into(),
            other => format!("RCODE{other}"),
        }
    }

    /// Whether the answer is said to be authoritative.
    pub(crate) fn is_authoritative(&self) -> bool {
        self.raw[2] & 0x04 != 0
    }

    /// Whether TC is set.
    pub(crate) fn is_truncated(&self) -> bool {
        self.raw[2] & 0x02 != 0
    }

    /// Whether RA is set.
    pub(crate) fn is_recursion_available(&self) -> bool {
        self.raw[3] & 0x80 != 0
    }

    /// Whether AD is set.
    pub(crate) fn is_authentic(&self) -> bool {
        self.raw[3] & 0x20 != 0
    }

    /// Whether there is an OPT.
    pub(crate) fn has_opt(&self) -> bool {
        self.message.edns.is_some()
    }

    /// Code and text of the extended error (RFC 8914).
    pub(crate) fn ede(&self) -> Option<(u16, String)> {
        let option = self.message.edns.as_ref()?.option(EdnsCode::from(15))?;
        let octets = match option {
            hickory_proto::rr::rdata::opt::EdnsOption::Unknown(_, octets) => octets,
            other => panic!("extended error as {other:?}"),
        };
        let (code, text) = octets.split_at_checked(2).expect("an EDE has two octets of code");
        let text = String::from_utf8(text.to_vec()).expect("EXTRA-TEXT is UTF-8 (RFC 8914 §2)");
        Some((u16::from_be_bytes([code[0], code[1]]), text))
    }

    /// The answer section as `TYPE RDATA`, sorted.
    pub(crate) fn answers(&self) -> Vec<String> {
        let mut shown: Vec<String> = self.message.answers.iter().map(show).collect();
        shown.sort();
        shown
    }

    /// The SOA in the authority section.
    pub(crate) fn soa(&self) -> Option<&Record> {
        self.message.authorities.iter().find(|record| record.record_type() == RecordType::SOA)
    }

    /// Every TTL of the answer and authority sections.
    pub(crate) fn ttls(&self) -> Vec<u32> {
        let sections = self.message.answers.iter().chain(&self.message.authorities);
        sections.map(|record| record.ttl).collect()
    }
}

/// A record as `TYPE RDATA`.
fn show(record: &Record) -> String {
    format!("{} {}", record.record_type(), record.data)
}

/// Sends any octets by UDP; `None` if no answer comes within `limit`.
pub(crate) fn ask_raw_from(
    from: IpAddr,
    to: SocketAddr,
    octets: &[u8],
    limit: Duration,
) -> Option<Vec<u8>> {
    let socket = UdpSocket::bind((from, 0)).unwrap();
    socket.connect(to).unwrap();
    socket.set_read_timeout(Some(limit)).unwrap();
    socket.send(octets).unwrap();
    let mut buffer = vec![0; 65_535];
    let length = socket.recv(&mut buffer).ok()?;
    buffer.truncate(length);
    Some(buffer)
}

/// Sends any octets by UDP from 127.0.0.1.
pub(crate) fn ask_raw(to: SocketAddr, octets: &[u8], limit: Duration) -> Option<Vec<u8>> {
    ask_raw_from([127, 0, 0, 1].into(), to, octets, limit)
}

/// A TCP connection from a chosen address.
pub(crate) fn connect(from: IpAddr, to: SocketAddr) -> TcpStream {
    try_connect(from, to).unwrap()
}

/// As [`connect`], where being refused is an answer.
pub(crate) fn try_connect(from: IpAddr, to: SocketAddr) -> std::io::Result<TcpStream> {
    let socket = Socket::new(Domain::for_address(to), Type::STREAM, None)?;
    socket.set_tcp_nodelay(true)?;
    socket.bind(&SocketAddr::new(from, 0).into())?;
    socket.connect_timeout(&to.into(), Duration::from_secs(5))?;
    let stream = TcpStream::from(socket);
    stream.set_read_timeout(Some(ANSWER_LIMIT))?;
    stream.set_write_timeout(Some(ANSWER_LIMIT))?;
    Ok(stream)
}

/// A message with its length before it (RFC 1035 §4.2.2), in one write.
pub(crate) fn write_framed(stream: &mut TcpStream, message: &[u8]) {
    stream.write_all(&framed(message)).unwrap();
}

/// A message with its length before it.
pub(crate) fn framed(message: &[u8]) -> Vec<u8> {
    let length = u16::try_from(message.len()).unwrap();
    [&length.to_be_bytes(), message].concat()
}

/// The next message of a stream; `None` at its end, or when nothing comes.
pub(crate) fn read_framed(stream: &mut TcpStream) -> Option<Vec<u8>> {
    let mut length = [0; 2];
    stream.read_exact(&mut length).ok()?;
    let mut message = vec![0; usize::from(u16::from_be_bytes(length))];
    stream.read_exact(&mut message).ok()?;
    Some(message)
}

/// `www.Example.com` as labels, in its case; `.` is the root. No limits are kept.
pub(crate) fn name_to_wire(name: &str) -> Vec<u8> {
    let mut wire = Vec::new();
    for label in name.trim_end_matches('.').split('.').filter(|label| !label.is_empty()) {
        wire.push(u8::try_from(label.len()).unwrap());
        wire.extend(label.as_bytes());
    }
    wire.push(0);
    wire
}

/// The number of a type's mnemonic.
pub(crate) fn type_number(mnemonic: &str) -> u16 {
    if let Some(number) = mnemonic.strip_prefix("TYPE") {
        return number.parse().unwrap();
    }
    let known = mnemonic.parse::<RecordType>();
    known.unwrap_or_else(|_| panic!("unknown type {mnemonic}")).into()
}
