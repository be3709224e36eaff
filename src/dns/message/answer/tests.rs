use super::*;
use crate::dns::route::UpstreamId;
use hickory_proto::op::Message;
use hickory_proto::rr::RData;
use proptest::prelude::*;

use crate::dns::message::query::Query;
use crate::dns::message::{Question, name_at};
use crate::dns::name::Name;
use crate::dns::rtype;

const LIMITS: TtlLimits = TtlLimits { min: 0, max: 86_400, max_negative: 10_800 };

fn question(name: &str, qtype: u16) -> Question {
    let name = Name::from_text(name).unwrap();
    Question { name, qtype, dnssec_ok: false, checking_disabled: false, upstream: UpstreamId::MAIN }
}

fn wire(name: &str) -> Vec<u8> {
    Name::from_text(name).unwrap().as_wire().to_vec()
}

fn record(owner: &[u8], rtype: u16, ttl: u32, rdata: &[u8]) -> Vec<u8> {
    let mut octets = owner.to_vec();
    octets.extend(rtype.to_be_bytes());
    octets.extend([0, 1]);
    octets.extend(ttl.to_be_bytes());
    octets.extend((rdata.len() as u16).to_be_bytes());
    octets.extend(rdata);
    octets
}

fn soa(ttl: u32, minimum: u32) -> Vec<u8> {
    let mut rdata = vec![0, 0];
    for value in [1, 2, 3, 4, minimum] {
        rdata.extend(u32::to_be_bytes(value));
    }
    record(&wire("example.com"), rtype::SOA, ttl, &rdata)
}

/// A response: the sections' records, and the low flags octet.
fn response(question: &Question, low: u8, sections: [&[Vec<u8>]; 3]) -> Vec<u8> {
    let mut octets = vec![0, 7, 0x81, 0x80 | low, 0, 1];
    for section in sections {
        octets.extend((section.len() as u16).to_be_bytes());
    }
    octets.extend(question.name.as_wire());
    octets.extend(question.qtype.to_be_bytes());
    octets.extend([0, 1]);
    octets.extend(sections.concat().concat());
    octets
}

/// The reply to a plain query for `question`, read by hickory.
fn replied(answer: &Answer, question: &Question, age: u32) -> Message {
    let mut octets = vec![0xab, 0xcd, 1, 0x20, 0, 1, 0, 0, 0, 0, 0, 1];
    // Length octets have no case.
    octets.extend(question.name.as_wire().to_ascii_uppercase());
    octets.extend(question.qtype.to_be_bytes());
    octets.extend([0, 1, 0, 0, 41, 4, 208, 0, 0, 0, 0, 0, 0]);
    let query = Query::parse(&octets).unwrap();
    let mut out = [0; 4096];
    let length = answer.write(&query, Form::aged(age), 4096, &mut out).unwrap();
    Message::from_vec(&out[..length]).unwrap()
}

const SELF: &[u8] = &[0xc0, 12];

#[test]
fn a_chain_is_kept_whole_and_ages() {
    let q = question("www.example.com", rtype::A);
    let octets = response(
        &q,
        0x20,
        [
            &[
                record(SELF, rtype::CNAME, 300, &wire("edge.cdn.example")),
                record(&wire("edge.cdn.example"), rtype::A, 60, &[192, 0, 2, 1]),
            ],
            &[record(&wire("example.com"), 2, 300, &wire("ns.example.com"))],
            &[record(&wire("ns.example.com"), rtype::A, 300, &[192, 0, 2, 9])],
        ],
    );
    let answer = Answer::take(&octets, &q, &LIMITS).unwrap();
    assert_eq!(answer.lifetime(), 60);
    let message = replied(&answer, &q, 20);
    assert_eq!(message.answers.iter().map(|r| r.ttl).collect::<Vec<_>>(), [280, 40]);
    // What was not asked for is not passed on.
    assert!(message.authorities.is_empty() && message.additionals.is_empty());
    assert!(message.metadata.authentic_data);
}

#[test]
fn records_beside_the_chain_are_left_out() {
    let q = question("www.example.com", rtype::A);
    let octets = response(
        &q,
        0,
        [
            &[
                record(&wire("bank.example"), rtype::A, 300, &[203, 0, 113, 6]),
                record(SELF, rtype::A, 300, &[192, 0, 2, 1]),
            ],
            &[],
            &[],
        ],
    );
    let answer = Answer::take(&octets, &q, &LIMITS).unwrap();
    let message = replied(&answer, &q, 0);
    assert_eq!(message.answers.len(), 1);
    assert_eq!(message.answers[0].name.to_string().to_lowercase(), "www.example.com.");
}

#[test]
fn negative_answers_live_as_long_as_their_soa_says() {
    let q = question("no.example.com", rtype::A);
    let octets = response(&q, 3, [&[], &[soa(900, 120)], &[]]);
    let answer = Answer::take(&octets, &q, &LIMITS).unwrap();
    assert_eq!((answer.rcode(), answer.lifetime()), (Rcode::NXDOMAIN, 120));
    assert_eq!(replied(&answer, &q, 20).authorities[0].ttl, 100);
    let bare = response(&q, 3, [&[], &[], &[]]);
    assert_eq!(Answer::take(&bare, &q, &LIMITS).unwrap().lifetime(), 0);
    // A chain that ends in nothing lives by its SOA too.
    let alias = record(SELF, rtype::CNAME, 300, &wire("gone.example.com"));
    let octets = response(&q, 3, [&[alias], &[soa(60, 60)], &[]]);
    assert_eq!(Answer::take(&octets, &q, &LIMITS).unwrap().lifetime(), 60);
}

#[test]
fn upstream_errors_keep_their_reason() {
    let q = question("bogus.example", rtype::A);
    let ede = [0, 15, 0, 6, 0, 6, b'b', b'o', b'g', b'u'];
    let mut opt = vec![0, 0, 41, 4, 208, 0, 0, 0, 0, 0, 10];
    opt.extend(ede);
    let octets = response(&q, 2, [&[], &[], &[opt]]);
    let answer = Answer::take(&octets, &q, &LIMITS).unwrap();
    assert!(answer.is_failure());
    assert_eq!(answer.ede, Some((Ede(6), b"bogu".as_slice().into())));
}

#[test]
fn what_is_no_answer_to_the_question_is_malformed() {
    let q = question("www.example.com", rtype::A);
    let good = response(&q, 0, [&[record(SELF, rtype::A, 1, &[1, 2, 3, 4])], &[], &[]]);
    assert!(Answer::take(&good, &q, &LIMITS).is_ok());
    assert!(Answer::take(&good, &question("example.com", rtype::A), &LIMITS).is_err());
    assert!(Answer::take(&good, &question("www.example.com", 28), &LIMITS).is_err());
    assert!(Answer::take(&good[..good.len() - 1], &q, &LIMITS).is_err());
    let looped = response(&q, 0, [&[record(SELF, rtype::CNAME, 1, SELF)], &[], &[]]);
    assert!(Answer::take(&looped, &q, &LIMITS).is_err());
    let long: Vec<Vec<u8>> = (0..20)
        .map(|n| {
            let owner = if n == 0 { SELF.to_vec() } else { wire(&format!("n{n}.example")) };
            record(&owner, rtype::CNAME, 1, &wire(&format!("n{}.example", n + 1)))
        })
        .collect();
    assert!(Answer::take(&response(&q, 0, [&long, &[], &[]]), &q, &LIMITS).is_err());
}

#[test]
fn what_does_not_fit_goes_truncated() {
    let q = question("big.example", rtype::A);
    let many: Vec<Vec<u8>> = (0..200).map(|n| record(SELF, rtype::A, 9, &[10, 0, 0, n])).collect();
    let answer = Answer::take(&response(&q, 0, [&many, &[], &[]]), &q, &LIMITS).unwrap();
    let mut octets = vec![0, 1, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0];
    octets.extend(q.name.as_wire());
    octets.extend([0, 1, 0, 1]);
    let query = Query::parse(&octets).unwrap();
    let mut out = [0; 4096];
    let length = answer.write(&query, Form::aged(0), query.udp_limit(), &mut out).unwrap();
    let message = Message::from_vec(&out[..length]).unwrap();
    assert!(message.metadata.truncation && message.answers.is_empty() && length <= 512);
    let length = answer.write(&query, Form::aged(0), 4096, &mut out).unwrap();
    assert_eq!(Message::from_vec(&out[..length]).unwrap().answers.len(), 200);
}

#[test]
fn targets_are_read_from_the_records() {
    let q = question("www.example.com", rtype::HTTPS);
    let mut service = vec![0, 1];
    service.extend(wire("svc.tracker.example"));
    let octets = response(&q, 0, [&[record(SELF, rtype::HTTPS, 60, &service)], &[], &[]]);
    let answer = Answer::take(&octets, &q, &LIMITS).unwrap();
    let mut query = vec![0, 1, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0];
    query.extend(q.name.as_wire());
    query.extend([0, 65, 0, 1]);
    let query = Query::parse(&query).unwrap();
    let targets: Vec<String> =
        answer.targets(query.head()).map(|name| format!("{:?}", name.unwrap())).collect();
    assert_eq!(targets, ["svc.tracker.example."]);
}

#[test]
fn a_chain_ends_where_another_upstream_begins() {
    let q = question("www.example.com", rtype::A);
    let records = [
        record(SELF, rtype::CNAME, 300, &wire("a.example.com")),
        record(&wire("a.example.com"), rtype::CNAME, 60, &wire("app.school.local")),
        record(&wire("app.school.local"), rtype::A, 9, &[203, 0, 113, 66]),
    ];
    for rcode in [0, 2, 3] {
        let octets = response(&q, rcode, [&records, &[soa(5, 5)], &[]]);
        let is_elsewhere = |name: &Name| name.to_string() == "app.school.local.";
        let answer = Answer::take_link(&octets, &q, &LIMITS, is_elsewhere).unwrap();
        assert_eq!(
            (answer.rcode(), answer.alias_count(), answer.lifetime()),
            (Rcode::NOERROR, 2, 60)
        );
        assert_eq!(answer.next().unwrap().to_string(), "app.school.local.");
        let message = replied(&answer, &q, 0);
        assert_eq!((message.answers.len(), message.authorities.len()), (2, 0));
    }
}

#[test]
fn an_alias_that_upstream_does_not_follow_is_open() {
    let q = question("www.example.com", rtype::A);
    let alias = record(SELF, rtype::CNAME, 300, &wire("far.example"));
    let next = |rcode, authority: &[Vec<u8>]| {
        let octets = response(&q, rcode, [std::slice::from_ref(&alias), authority, &[]]);
        let answer = Answer::take(&octets, &q, &LIMITS).unwrap();
        answer.next().map(ToString::to_string)
    };
    assert_eq!(next(0, &[]).as_deref(), Some("far.example."));
    // The SOA of another zone proves nothing about the target; its own does, and so does NXDOMAIN.
    assert_eq!(next(0, &[soa(60, 60)]).as_deref(), Some("far.example."));
    let own = record(&wire("example"), rtype::SOA, 60, &[[0; 2].as_slice(), &[0; 20]].concat());
    assert_eq!(next(0, &[own]), None);
    assert_eq!(next(3, &[]), None);
    // The alias itself is asked for.
    let q = question("www.example.com", rtype::CNAME);
    let octets = response(&q, 0, [&[alias], &[], &[]]);
    let answer = Answer::take_link(&octets, &q, &LIMITS, |_| true).unwrap();
    assert_eq!((answer.next(), answer.lifetime()), (None, 300));
}

#[test]
fn a_dname_gives_its_cname_or_is_too_long() {
    let q = question("a.www.example.com", rtype::A);
    let dname = record(&wire("example.com"), rtype::DNAME, 60, &wire("far.example"));
    let address = record(&wire("a.www.far.example"), rtype::A, 60, &[192, 0, 2, 1]);
    let octets = response(&q, 0, [&[dname.clone(), address], &[], &[]]);
    let answer = Answer::take(&octets, &q, &LIMITS).unwrap();
    let message = replied(&answer, &q, 0);
    let types: Vec<_> = message.answers.iter().map(|r| u16::from(r.record_type())).collect();
    assert_eq!((types.as_slice(), answer.next()), ([39, 1, 5].as_slice(), None));
    assert_eq!(message.answers[2].name.to_string().to_lowercase(), "a.www.example.com.");
    let octets = response(&q, 0, [std::slice::from_ref(&dname), &[], &[]]);
    let answer = Answer::take(&octets, &q, &LIMITS).unwrap();
    assert_eq!(answer.next().unwrap().to_string(), "a.www.far.example.");
    // YXDOMAIN with a DNAME is an answer (RFC 6672 §2.2); without, a failure.
    let octets = response(&q, 6, [&[dname], &[], &[]]);
    let answer = Answer::take(&octets, &q, &LIMITS).unwrap();
    assert!(!answer.is_failure() && answer.lifetime() == 60 && answer.next().is_none());
    assert!(Answer::take(&response(&q, 6, [&[], &[], &[]]), &q, &LIMITS).unwrap().is_failure());
}

#[test]
fn a_signature_asked_for_by_name_is_an_answer() {
    let signature = [[0; 18].as_slice(), &wire("example.com"), b"sig"].concat();
    for dnssec_ok in [false, true] {
        let q = Question { dnssec_ok, ..question("www.example.com", rtype::RRSIG) };
        let octets = response(&q, 0, [&[record(SELF, rtype::RRSIG, 60, &signature)], &[], &[]]);
        let answer = Answer::take(&octets, &q, &LIMITS).unwrap();
        assert_eq!((answer.lifetime(), replied(&answer, &q, 0).answers.len()), (60, 1));
    }
}

#[test]
fn malformed_rdata_is_handed_on_nowhere() {
    let q = question("www.example.com", rtype::SOA);
    let short = record(SELF, rtype::SOA, 60, &[0]);
    for (n, sections) in [
        [&[short.clone()][..], &[], &[]],
        [&[], std::slice::from_ref(&short), &[]],
        [&[], &[], std::slice::from_ref(&short)],
    ]
    .into_iter()
    .enumerate()
    {
        assert!(Answer::take(&response(&q, 0, sections), &q, &LIMITS).is_err(), "section {n}");
    }
}

/// The letters of the question upstream (0x20) are left nowhere; those of others stay.
#[test]
fn no_letter_of_the_question_upstream_is_left() {
    let q = question("www.example.com", rtype::A);
    let loud = |name: &str| {
        let mut wire = wire(name);
        wire.make_ascii_uppercase();
        wire
    };
    let octets = response(
        &q,
        0,
        [
            &[
                record(&loud("www.example.com"), rtype::CNAME, 60, &loud("www.cdn.example.com")),
                record(&loud("www.cdn.example.com"), rtype::A, 60, &[192, 0, 2, 1]),
            ],
            &[],
            &[],
        ],
    );
    let answer = Answer::take(&octets, &q, &LIMITS).unwrap();
    let mut query = vec![0, 1, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0];
    query.extend(b"\x03wWw\x07ExAmPlE\x03cOm\x00\x00\x01\x00\x01");
    let mut out = vec![0; 512];
    let length =
        answer.write(&Query::parse(&query).unwrap(), Form::aged(0), 512, &mut out).unwrap();
    let message = Message::from_vec(&out[..length]).unwrap();
    let owners: Vec<String> = message.answers.iter().map(|r| r.name.to_string()).collect();
    assert_eq!(owners, ["wWw.ExAmPlE.cOm.", "www.CDN.example.com."]);
    assert_eq!(message.answers[0].data.to_string(), "www.CDN.example.com.");
}

/// The law of `targets` and `addresses`: what is read from the records is what a client would
/// read from the whole reply.
fn assert_read_alike(answer: &Answer, octets: &[u8]) {
    let query = Query::parse(octets).unwrap();
    let mut out = vec![0; crate::dns::message::MAX_MESSAGE];
    let length = answer.write(&query, Form::aged(1), usize::MAX, &mut out).unwrap();
    let (reply, head) = (&out[..length], query.head().len());
    let text = |name: Result<Folded, Malformed>| name.map(|name| format!("{name:?}"));
    let from_reply: Vec<_> = answer
        .targets
        .iter()
        .map(|&at| text(name_at(reply, head + usize::from(at)).map(|(name, _)| name)))
        .collect();
    assert_eq!(answer.targets(query.head()).map(text).collect::<Vec<_>>(), from_reply);
    assert!(from_reply.iter().all(Result::is_ok), "{from_reply:?}");
    let shifted = |one: &AddressAt| AddressAt { at: one.at + head as u16, ..*one };
    let from_reply: Vec<_> = answer.addresses.iter().map(|one| shifted(one).read(reply)).collect();
    assert_eq!(answer.addresses().collect::<Vec<_>>(), from_reply);
}

/// Records of a chain from `www.example.com`, each link written whole, as a pointer into the
/// question or as a pointer into the record before; then an address or a service.
fn chain(links: &[u8], ends_with_service: bool) -> Vec<u8> {
    let q = question("www.example.com", rtype::A);
    let qtype = if ends_with_service { rtype::HTTPS } else { rtype::A };
    let mut octets = vec![0, 7, 0x81, 0x80, 0, 1, 0, links.len() as u8 + 1, 0, 0, 0, 0];
    octets.extend(q.name.as_wire());
    octets.extend([qtype.to_be_bytes(), [0, 1]].concat());
    let (mut owner, mut last) = (SELF.to_vec(), 12);
    for (number, link) in links.iter().enumerate() {
        let label = [2, b'A' + number as u8, b'x'];
        let target = match link % 3 {
            0 => [label.as_slice(), b"\x03CDN\x07example\0"].concat(),
            // `example.com` of the question.
            1 => [label.as_slice(), &[0xc0, 16]].concat(),
            _ => [label.as_slice(), &[0xc0 | (last >> 8) as u8, last as u8]].concat(),
        };
        last = octets.len() + owner.len() + 10;
        octets.extend(record(&owner, rtype::CNAME, 300, &target));
        owner = vec![0xc0 | (last >> 8) as u8, last as u8];
    }
    if ends_with_service {
        let hints = [0, 4, 0, 8, 192, 0, 2, 1, 10, 0, 0, 1, 0, 6, 0, 16];
        let service = [&[0, 1], b"\x03svc\xc0\x10".as_slice(), &hints, &[0xfd; 16]].concat();
        octets.extend(record(&owner, rtype::HTTPS, 60, &service));
    } else {
        octets.extend(record(&owner, rtype::A, 60, &[192, 0, 2, 1]));
    }
    octets
}

proptest! {
    #[test]
    fn no_mutation_panics(changes in proptest::collection::vec((0..400_usize, any::<u8>()), 0..6)) {
        let q = question("www.example.com", rtype::A);
        let mut octets = response(&q, 0, [
            &[
                record(SELF, rtype::CNAME, 300, &wire("edge.cdn.example")),
                record(&[0xc0, 45], rtype::A, 60, &[192, 0, 2, 1]),
            ],
            &[soa(9, 9)],
            &[vec![0, 0, 41, 4, 208, 0, 0, 0, 0, 0, 6, 0, 15, 0, 2, 0, 6]],
        ]);
        for (at, octet) in changes {
            let at = at % octets.len();
            octets[at] = octet;
        }
        if let Ok(answer) = Answer::take(&octets, &q, &LIMITS) {
            let mut query = vec![0, 1, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0];
            query.extend(q.name.as_wire());
            query.extend([0, 1, 0, 1]);
            assert_read_alike(&answer, &query);
        }
    }

    #[test]
    fn review_reads_from_the_records_what_a_client_reads_from_the_reply(
        links in proptest::collection::vec(any::<u8>(), 0..12),
        ends_with_service: bool,
        is_upper: bool,
    ) {
        let qtype = if ends_with_service { rtype::HTTPS } else { rtype::A };
        let q = question("www.example.com", qtype);
        let answer = Answer::take(&chain(&links, ends_with_service), &q, &LIMITS).unwrap();
        let mut query = vec![0, 1, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0];
        let wire = q.name.as_wire();
        query.extend(if is_upper { wire.to_ascii_uppercase() } else { wire.to_vec() });
        query.extend([qtype.to_be_bytes(), [0, 1]].concat());
        assert_read_alike(&answer, &query);
        // And an independent reader of the reply finds the same names, in the same order.
        let mut out = vec![0; 4096];
        let parsed = Query::parse(&query).unwrap();
        let length = answer.write(&parsed, Form::aged(0), usize::MAX, &mut out).unwrap();
        let message = Message::from_vec(&out[..length]).unwrap();
        let names: Vec<String> = message.answers.iter().filter_map(|record| match &record.data {
            RData::CNAME(target) => Some(target.0.to_lowercase().to_string()),
            RData::HTTPS(service) => Some(service.0.target_name.to_lowercase().to_string()),
            _ => None,
        }).collect();
        let found: Vec<String> = answer
            .targets(parsed.head())
            .map(|name| format!("{:?}", name.unwrap()))
            .collect();
        prop_assert_eq!(found, names);
        prop_assert_eq!(answer.addresses().count(), if ends_with_service { 3 } else { 1 });
    }
}

#[test]
fn a_stale_answer_says_so_and_keeps_30_seconds() {
    let question = question("www.example.com", rtype::A);
    let address = record(&[0xc0, 12], rtype::A, 5, &[192, 0, 2, 1]);
    let message = response(&question, 0, [&[address], &[], &[]]);
    let answer = Answer::take(&message, &question, &LIMITS).unwrap();
    let mut query = vec![0, 9, 1, 0, 0, 1, 0, 0, 0, 0, 0, 1];
    query.extend(question.name.as_wire());
    query.extend([0, 1, 0, 1, 0, 0, 41, 4, 208, 0, 0, 0, 0, 0, 0]);
    let query = Query::parse(&query).unwrap();
    let mut out = vec![0; 512];
    let mut written = |form: Form| {
        let length = answer.write(&query, form, 512, &mut out).unwrap();
        (Message::from_vec(&out[..length]).unwrap(), out[..length].to_vec())
    };
    let (stale, octets) = written(Form::STALE);
    assert_eq!(stale.answers[0].ttl, 30);
    assert!(octets.ends_with(&[0, 15, 0, 2, 0, 3]), "{octets:02x?}");
    // A policy that changes sooner has the last word.
    assert_eq!(written(Form::STALE.at_most(7)).0.answers[0].ttl, 7);
    assert_eq!(written(Form::aged(1).at_most(3)).0.answers[0].ttl, 3);
    assert_eq!(written(Form::aged(4).at_most(3)).0.answers[0].ttl, 1);
    assert_eq!(written(Form::aged(0).at_most(3)).0.answers[0].ttl, 3);
}
