//! The upstream: an authoritative server in this process that answers as it is told.
//!
//! Told nothing, it answers any A with `192.0.2.1` and any AAAA with `2001:db8::1`
//! (TTL 3600), every other type with NODATA, and names at or below `nx.example` with
//! NXDOMAIN; negative answers carry an SOA. It counts what it is asked.

use std::collections::HashMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use hickory_proto::op::{Edns, Header, HeaderCounts, Metadata, ResponseCode};
use hickory_proto::rr::rdata::opt::EdnsOption;
use hickory_proto::rr::rdata::{A, AAAA, SOA};
use hickory_proto::rr::{Name, RData, Record, RecordType};
use hickory_server::Server;
use hickory_server::net::runtime::Time;
use hickory_server::net::xfer::Protocol;
use hickory_server::server::{Request, RequestHandler, ResponseHandler, ResponseInfo};
use hickory_server::zone_handler::MessageResponseBuilder;
use tokio::net::{TcpListener, UdpSocket};

use super::ports::free_port;

/// What to answer to one question.
#[derive(Debug, Clone, Default)]
pub(crate) struct Canned {
    /// NOERROR unless told otherwise.
    pub(crate) rcode: u8,
    /// `owner ttl TYPE rdata` lines of the answer section; owners end in a dot.
    pub(crate) answer: Vec<String>,
    /// The same for the authority section.
    pub(crate) authority: Vec<String>,
    /// Waits before it answers.
    pub(crate) delay: Duration,
    /// Says nothing.
    pub(crate) is_silent: bool,
    /// By UDP: no records and TC.
    pub(crate) truncates_udp: bool,
    /// An extended error (RFC 8914).
    pub(crate) ede: Option<(u16, String)>,
    /// Sets AD.
    pub(crate) is_authentic: bool,
    /// Answers so only this many times, then as if not told.
    pub(crate) times: Option<usize>,
}

/// A running upstream server. It ends with its runtime when dropped.
#[derive(Debug)]
pub(crate) struct Upstream {
    table: Arc<Mutex<Table>>,
    address: SocketAddr,
    _runtime: tokio::runtime::Runtime,
}

/// What it was told and what it was asked.
#[derive(Debug, Default)]
struct Table {
    canned: HashMap<(String, Option<u16>), Vec<Canned>>,
    asked: Vec<Asked>,
}

/// A query that came.
#[derive(Debug, Clone)]
pub(crate) struct Asked {
    /// The name, in lower case with a final dot.
    pub(crate) name: String,
    /// The type's number.
    pub(crate) qtype: u16,
    /// Whether it came by TCP.
    pub(crate) is_tcp: bool,
    /// Whether it had DO.
    pub(crate) dnssec_ok: bool,
    /// The codes of its EDNS options.
    pub(crate) options: Vec<u16>,
}

/// Sockets at one free port. A port that was free when it was tried can be taken a moment later,
/// by the copy of a socket in a process that is being made: then the next one is tried.
async fn bound() -> (SocketAddr, UdpSocket, TcpListener) {
    for _ in 0..20 {
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, free_port()));
        if let (Ok(udp), Ok(tcp)) =
            (UdpSocket::bind(address).await, TcpListener::bind(address).await)
        {
            return (address, udp, tcp);
        }
    }
    panic!("twenty free ports in a row could not be bound");
}

impl Upstream {
    /// Starts a server on one free port, UDP and TCP.
    pub(crate) fn start() -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .unwrap();
        let table = Arc::<Mutex<Table>>::default();
        let (address, udp, tcp) = runtime.block_on(bound());
        let mut server = Server::new(Handler { table: Arc::clone(&table) });
        runtime.block_on(async {
            server.register_socket(udp);
            server.register_listener(tcp, Duration::from_secs(10), 64);
        });
        runtime.spawn(async move { server.block_until_done().await });
        Self { table, address, _runtime: runtime }
    }

    /// Its address.
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Its port on 127.0.0.1.
    pub(crate) fn port(&self) -> u16 {
        self.address.port()
    }

    /// Sets the answer to a name and type; `None` is every type of the name.
    ///
    /// Told twice about one question, it uses the first until its `times` are over.
    pub(crate) fn answer(&self, name: &str, qtype: Option<u16>, canned: Canned) {
        let key = (folded(name), qtype);
        self.table.lock().unwrap().canned.entry(key).or_default().push(canned);
    }

    /// How often a name and type were asked for; `None` is every type.
    pub(crate) fn count(&self, name: &str, qtype: Option<u16>) -> usize {
        let name = folded(name);
        self.asked().iter().filter(|a| a.name == name && qtype.is_none_or(|t| t == a.qtype)).count()
    }

    /// Every query that came, in order.
    pub(crate) fn asked(&self) -> Vec<Asked> {
        self.table.lock().unwrap().asked.clone()
    }
}

impl Table {
    /// What was told about a question that has just come; it is noted.
    fn next(&mut self, asked: Asked) -> Option<Canned> {
        let (name, qtype) = (asked.name.clone(), asked.qtype);
        self.asked.push(asked);
        for key in [(name.clone(), Some(qtype)), (name.clone(), None)] {
            let Some(canned) = self.canned.get_mut(&key) else { continue };
            for one in canned {
                match &mut one.times {
                    Some(0) => {}
                    Some(left) => {
                        *left -= 1;
                        return Some(one.clone());
                    }
                    None => return Some(one.clone()),
                }
            }
        }
        None
    }
}

struct Handler {
    table: Arc<Mutex<Table>>,
}

#[async_trait::async_trait]
impl RequestHandler for Handler {
    async fn handle_request<R: ResponseHandler, T: Time>(
        &self,
        request: &Request,
        mut response: R,
    ) -> ResponseInfo {
        let mut metadata = Metadata::response_from_request(&request.metadata);
        let info = ResponseInfo::from(Header { metadata, counts: HeaderCounts::default() });
        let Some(query) = request.queries.queries().first() else { return info };
        let is_tcp = request.protocol() == Protocol::Tcp;
        let asked = Asked {
            name: folded(&query.name().to_string()),
            qtype: query.query_type().into(),
            is_tcp,
            dnssec_ok: request.edns.as_ref().is_some_and(|edns| edns.flags().dnssec_ok),
            options: request.edns.iter().flat_map(codes).collect(),
        };
        let told = self.table.lock().unwrap().next(asked);
        let (canned, implied) = match told {
            Some(canned) => (canned, None),
            None => default_answer(query.name(), query.query_type()),
        };
        tokio::time::sleep(canned.delay).await;
        if canned.is_silent {
            return info;
        }

        let is_cut = canned.truncates_udp && !is_tcp;
        let (mut answer, authority) = canned.records(query.name(), implied);
        if is_cut {
            answer.clear();
        }
        metadata.response_code = ResponseCode::from_low(canned.rcode);
        metadata.truncation = is_cut;
        metadata.authentic_data = canned.is_authentic;
        metadata.authoritative = !canned.is_authentic;
        metadata.recursion_available = true;
        let edns = request.edns.as_ref().map(|theirs| canned.edns(theirs));
        let builder = MessageResponseBuilder::new(&request.queries, edns.as_ref());
        let message = builder.build(metadata, &answer, &authority, [], []);
        response.send_response(message).await.unwrap_or(info)
    }
}

/// The codes of the options of an OPT.
fn codes(edns: &Edns) -> Vec<u16> {
    edns.options().as_ref().iter().map(|(code, _)| u16::from(*code)).collect()
}

impl Canned {
    /// Answer and authority, with an SOA where it is negative and nothing else was told.
    fn records(&self, qname: &Name, implied: Option<Record>) -> (Vec<Record>, Vec<Record>) {
        let parse = |lines: &[String]| lines.iter().map(|line| record(line)).collect::<Vec<_>>();
        let (mut answer, mut authority) = (parse(&self.answer), parse(&self.authority));
        answer.extend(implied);
        if answer.is_empty() && authority.is_empty() && matches!(self.rcode, 0 | 3) {
            authority.push(soa(qname));
        }
        (answer, authority)
    }

    fn edns(&self, theirs: &Edns) -> Edns {
        let mut edns = Edns::new();
        edns.set_max_payload(theirs.max_payload().clamp(512, 1232));
        edns.set_dnssec_ok(theirs.flags().dnssec_ok);
        if let Some((code, text)) = &self.ede {
            let option = [&code.to_be_bytes(), text.as_bytes()].concat();
            edns.options_mut().insert(EdnsOption::Unknown(15, option));
        }
        edns
    }
}

/// What it says when it was told nothing, and the address that every name has.
fn default_answer(name: &Name, qtype: RecordType) -> (Canned, Option<Record>) {
    let missing = Name::from_ascii("nx.example.").unwrap();
    if missing.zone_of(name) {
        return (Canned { rcode: 3, ..Canned::default() }, None);
    }
    let data = match qtype {
        RecordType::A => RData::A(A::new(192, 0, 2, 1)),
        RecordType::AAAA => RData::AAAA(AAAA::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 1)),
        _ => return (Canned::default(), None),
    };
    (Canned::default(), Some(Record::from_rdata(name.clone(), 3600, data)))
}

/// `tld. 300 SOA …`, minimum 300: an SOA at or above the name (RFC 2308 §2).
fn soa(qname: &Name) -> Record {
    let name = |text| Name::from_ascii(text).unwrap();
    let data = SOA::new(name("ns.example."), name("root.example."), 1, 3600, 600, 86_400, 300);
    Record::from_rdata(qname.trim_to(1), 300, RData::SOA(data))
}

/// `owner ttl TYPE rdata`
fn record(line: &str) -> Record {
    let mut words = line.splitn(4, ' ');
    let mut next = || words.next().unwrap_or_else(|| panic!("not a record: {line:?}"));
    let owner = Name::from_ascii(next()).unwrap();
    let ttl = next().parse().unwrap_or_else(|_| panic!("no TTL in {line:?}"));
    let (rtype, rdata) = (next(), next());
    let data = match rtype {
        "A" => RData::A(A(rdata.parse().unwrap())),
        "AAAA" => RData::AAAA(AAAA(rdata.parse().unwrap())),
        other => RData::try_from_str(other.parse().unwrap(), rdata)
            .unwrap_or_else(|error| panic!("{line:?}: {error}")),
    };
    Record::from_rdata(owner, ttl, data)
}

fn folded(name: &str) -> String {
    format!("{}.", name.trim_end_matches('.').to_ascii_lowercase())
}

/// The harness tested on itself: client and upstream without a gateway between them.
#[cfg(test)]
mod tests {
    use super::*;
    use crate::support::Ask;

    #[test]
    fn it_answers_by_default() {
        let upstream = Upstream::start();
        let ask = |name, qtype| Ask::new(name, qtype).expect(upstream.address());
        assert_eq!(ask("wWw.example", "A").answers(), ["A 192.0.2.1"]);
        assert_eq!(ask("www.example", "AAAA").answers(), ["AAAA 2001:db8::1"]);
        let nodata = ask("www.example", "HTTPS");
        assert_eq!((nodata.rcode().as_str(), nodata.answers().len()), ("NOERROR", 0));
        assert!(nodata.soa().is_some() && !nodata.has_opt());
        let missing = Ask::new("a.nx.example", "A").tcp().expect(upstream.address());
        assert_eq!(missing.rcode(), "NXDOMAIN");
        assert_eq!(missing.ttls(), [300]);
        assert_eq!(upstream.count("www.example", Some(1)), 1);
        assert_eq!(upstream.count("WWW.example", None), 3);
        assert!(upstream.asked().last().is_some_and(|asked| asked.is_tcp && !asked.dnssec_ok));
    }

    #[test]
    fn it_answers_as_it_was_told() {
        let upstream = Upstream::start();
        let chain = ["a.example. 60 CNAME b.example.", "b.example. 50 TXT \"one two\" \"3\""];
        let told = Canned {
            answer: chain.map(str::to_owned).to_vec(),
            truncates_udp: true,
            ede: Some((3, "old".into())),
            is_authentic: true,
            ..Canned::default()
        };
        let failure = Canned { rcode: 2, times: Some(1), ..Canned::default() };
        upstream.answer("a.example", Some(16), failure);
        upstream.answer("a.example", None, told);
        upstream.answer("gone.example", None, Canned { is_silent: true, ..Canned::default() });

        let ask = Ask::new("a.example", "TXT").dnssec_ok();
        assert_eq!(ask.expect(upstream.address()).rcode(), "SERVFAIL");
        let cut = ask.expect(upstream.address());
        assert!(cut.is_truncated() && cut.answers().is_empty());
        let whole = ask.tcp().expect(upstream.address());
        assert!(!whole.is_truncated() && whole.is_authentic() && !whole.is_authoritative());
        assert_eq!(whole.ede(), Some((3, "old".into())));
        assert_eq!(whole.answers(), ["CNAME b.example.", "TXT one two3"]);
        let silent = Ask::new("gone.example", "A").limit(Duration::from_millis(200));
        assert!(silent.send(upstream.address()).is_none());
    }
}
