//! Habits of a scripted server, composed by a builder.
//!
//! A reply is made in this order: EDNS, case, script (`always`, names, zones), then what is usual
//! with DNS64; then it goes through UDP's or TCP's habits.

use std::collections::HashMap;
use std::time::Duration;

use super::answer::Answer;
use super::message::Parsed;
use lachan::dns::rtype;

/// What is done with a query that has an OPT.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Edns {
    /// Answered as usual, with an OPT.
    Understood,
    /// Answered as usual, without an OPT.
    Ignored,
    /// This code without an OPT, with the question: FORMERR, NOTIMP, SERVFAIL …
    Refused(u16),
    /// This code with an OPT: BADVERS (16), or a FORMERR that is no sign of missing EDNS.
    RefusedWithOpt(u16),
    /// This code, as a header of twelve octets and nothing else.
    Bare(u16),
    /// Dropped.
    Silent,
}

/// How letters of a question are treated.
#[derive(Debug, Clone)]
enum Case {
    Kept,
    /// The question of the reply is in lower case.
    Folded,
    /// A question with capitals in one of the zones (`.` is all) is answered so.
    Compared {
        answer: Box<Answer>,
        zones: Vec<String>,
    },
}

/// A reply that is sent over UDP before the right one.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Forged {
    /// The right reply with another id.
    WrongId,
    /// The right id and another question.
    WrongQuestion,
    /// The right id and question, and a message that ends inside its one record.
    CutRecord,
    /// The right id and question, and an SOA whose RDATA is one octet.
    ShortRdata,
    /// The right id and question, and a TXT without a text.
    EmptyText,
    /// The right reply with this opcode.
    Opcode(u8),
    /// The right id and question, and counts of records that are not there.
    Counts,
    /// The right id and this code, twelve octets: no question, no OPT.
    Header(u16),
    /// The right id and question, and this code.
    Rcode(u16),
    /// Three octets.
    Stub,
}

/// What UDP does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Udp {
    /// Answers; a reply too long for the asker is empty with TC.
    Open,
    /// Each reply is empty with TC.
    Truncates,
    /// A reply too long for the asker is cut at this octet, counts untouched, with TC.
    Cuts(usize),
    /// A reply too long for the asker is sent whole, without TC.
    Oversizes,
    /// No query arrives (they are seen by the test).
    Lost,
    /// No socket: the asker may see ICMP.
    None,
}

/// What TCP does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tcp {
    Open,
    /// No port.
    None,
    /// Each connection is closed after so many answers.
    ClosesAfter(usize),
    /// The first connections, so many, are closed at once.
    ClosesFirst(usize),
    /// What came within 50 ms is answered in reverse order.
    Reverses,
    /// A connection is answered so many times, then it only reads. 0 accepts and never answers.
    MuteAfter(usize),
}

/// Ports that are to be open.
#[derive(Debug, Clone, Copy)]
pub(super) struct Ports {
    pub(super) has_udp: bool,
    pub(super) has_tcp: bool,
}

/// All habits of a server; the default is a good resolver.
#[derive(Debug, Clone)]
pub(crate) struct Habits {
    pub(super) edns: Edns,
    case: Case,
    pub(super) udp: Udp,
    pub(super) tcp: Tcp,
    pub(super) forged: Vec<Forged>,
    pub(super) delay: Duration,
    pub(super) loses_every: Option<usize>,
    lost_types: Vec<u16>,
    has_dns64: bool,
    always: Option<Answer>,
    names: HashMap<(String, Option<u16>), Answer>,
    zones: HashMap<String, Answer>,
}

impl Default for Habits {
    fn default() -> Self {
        Self {
            edns: Edns::Understood,
            case: Case::Kept,
            udp: Udp::Open,
            tcp: Tcp::Open,
            forged: Vec::new(),
            delay: Duration::ZERO,
            loses_every: None,
            lost_types: Vec::new(),
            has_dns64: false,
            always: None,
            names: HashMap::new(),
            zones: HashMap::new(),
        }
    }
}

impl Habits {
    /// A good resolver.
    pub(crate) fn new() -> Self {
        Self::default()
    }

    /// Copies the question in lower case, over UDP and TCP.
    pub(crate) fn folds_case(self) -> Self {
        Self { case: Case::Folded, ..self }
    }

    /// Copies the question as it was sent.
    pub(crate) fn keeps_case(self) -> Self {
        Self { case: Case::Kept, ..self }
    }

    /// Knows names of these zones in lower case only (all names without a zone): to others it says
    /// `answer`, such as `Answer::nxdomain("example")`, `Answer::rcode(5)`.
    pub(crate) fn compares_case(self, zones: &[&str], answer: Answer) -> Self {
        let zones = if zones.is_empty() { &["."] } else { zones };
        let zones = zones.iter().map(|zone| folded(zone)).collect();
        Self { case: Case::Compared { answer: Box::new(answer), zones }, ..self }
    }

    /// What is done with an OPT.
    pub(crate) fn edns(self, edns: Edns) -> Self {
        Self { edns, ..self }
    }

    /// What UDP does.
    pub(crate) fn udp(self, udp: Udp) -> Self {
        Self { udp, ..self }
    }

    /// What TCP does.
    pub(crate) fn tcp(self, tcp: Tcp) -> Self {
        Self { tcp, ..self }
    }

    /// Sends these over UDP before the right reply, in this order.
    pub(crate) fn forges(self, forged: &[Forged]) -> Self {
        Self { forged: forged.to_vec(), ..self }
    }

    /// Answers each question after this time.
    pub(crate) fn slow(self, delay: Duration) -> Self {
        Self { delay, ..self }
    }

    /// Drops every `nth` datagram; 1 drops all.
    pub(crate) fn loses_every(self, nth: usize) -> Self {
        Self { loses_every: Some(nth), ..self }
    }

    /// Drops questions of these types, over UDP and TCP.
    pub(crate) fn loses_types(self, types: &[u16]) -> Self {
        Self { lost_types: types.to_vec(), ..self }
    }

    /// Answers AAAA under `64:ff9b::/96` where there is an A and nobody scripted an AAAA.
    pub(crate) fn dns64(self) -> Self {
        Self { has_dns64: true, ..self }
    }

    /// Says this to every question: lame and refusing servers.
    pub(crate) fn always(self, answer: Answer) -> Self {
        Self { always: Some(answer), ..self }
    }

    /// Answers as scripted by names and as usual again.
    pub(crate) fn scripted_again(self) -> Self {
        Self { always: None, ..self }
    }

    /// Says this to questions of any type for a name.
    pub(crate) fn answer(mut self, name: &str, answer: Answer) -> Self {
        self.names.insert((folded(name), None), answer);
        self
    }

    /// Says this to questions of one type for a name.
    pub(crate) fn answer_type(mut self, name: &str, qtype: u16, answer: Answer) -> Self {
        self.names.insert((folded(name), Some(qtype)), answer);
        self
    }

    /// Says this to questions for a zone's name and all below, that no name was scripted for.
    pub(crate) fn below(mut self, zone: &str, answer: Answer) -> Self {
        self.zones.insert(folded(zone), answer);
        self
    }

    pub(super) fn ports(&self) -> Ports {
        Ports { has_udp: self.udp != Udp::None, has_tcp: self.tcp != Tcp::None }
    }

    pub(super) fn is_folded(&self) -> bool {
        matches!(self.case, Case::Folded)
    }

    pub(super) fn loses(&self, query: &Parsed) -> bool {
        self.lost_types.contains(&query.qtype)
    }

    /// What is said to a question, EDNS apart.
    pub(super) fn says(&self, query: &Parsed) -> Answer {
        let name = query.folded();
        if let Case::Compared { answer, zones } = &self.case
            && name != query.name
            && zones.iter().any(|zone| is_below(&name, zone))
        {
            return answer.as_ref().clone();
        }
        if let Some(always) = &self.always {
            return always.clone();
        }
        if self.has_dns64 && query.qtype == rtype::AAAA {
            if let Some(own) = self.names.get(&(name.clone(), Some(rtype::AAAA))) {
                return own.clone();
            }
            let addresses = self
                .scripted(&name, rtype::A)
                .unwrap_or_else(|| Answer::usual(&query.of_type(rtype::A)));
            let synthesised = addresses.synthesised();
            if !synthesised.answer_records(rtype::AAAA).is_empty() {
                return synthesised;
            }
        }
        self.scripted(&name, query.qtype).unwrap_or_else(|| Answer::usual(query))
    }

    fn scripted(&self, name: &str, qtype: u16) -> Option<Answer> {
        let of_name = |qtype| self.names.get(&(name.to_owned(), qtype));
        let zones = self.zones.iter().filter(|(zone, _)| is_below(name, zone));
        let of_zone = || zones.max_by_key(|(zone, _)| zone.len()).map(|(_, answer)| answer);
        of_name(Some(qtype)).or_else(|| of_name(None)).or_else(of_zone).cloned()
    }
}

/// In lower case, without the final dot; the root is `.`.
fn folded(name: &str) -> String {
    let name = name.trim_end_matches('.').to_ascii_lowercase();
    if name.is_empty() { ".".into() } else { name }
}

fn is_below(name: &str, zone: &str) -> bool {
    let rest = name.strip_suffix(zone);
    zone == "." || rest.is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
}
