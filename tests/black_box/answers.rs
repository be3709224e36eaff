//! Upstream's answers, octet by octet: what is kept of them, and for how long.

use std::net::UdpSocket;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use crate::kit::wire::{QNAME, question_end, record, response, wire};
use crate::support::{
    Answer, Ask, Gateway, PUPIL, STAFF, TWO_GROUPS, TWO_PROFILES, eventually, within,
};

const A: u16 = 1;
const CNAME: u16 = 5;
const SOA: u16 = 6;
const DNAME: u16 = 39;

/// What is said to a query: any number of datagrams.
type Script = Box<dyn Fn(&[u8]) -> Vec<Vec<u8>> + Send>;

/// A server over UDP that sends the octets of its script. Its thread ends with the process.
struct Raw {
    port: u16,
    script: Arc<Mutex<Script>>,
}

impl Raw {
    fn start(script: impl Fn(&[u8]) -> Vec<Vec<u8>> + Send + 'static) -> Self {
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        let port = socket.local_addr().unwrap().port();
        let script: Arc<Mutex<Script>> = Arc::new(Mutex::new(Box::new(script)));
        let theirs = Arc::clone(&script);
        std::thread::spawn(move || {
            let mut octets = [0; 1500];
            while let Ok((length, from)) = socket.recv_from(&mut octets) {
                for message in theirs.lock().unwrap()(&octets[..length]) {
                    let _ = socket.send_to(&message, from);
                }
            }
        });
        Self { port, script }
    }

    fn change(&self, script: impl Fn(&[u8]) -> Vec<Vec<u8>> + Send + 'static) {
        *self.script.lock().unwrap() = Box::new(script);
    }
}

/// The name of a query, in lower case without the final dot.
fn name(query: &[u8]) -> String {
    let labels = lachan::dns::name::Labels(&query[12..]);
    let labels: Vec<_> =
        labels.map(|label| String::from_utf8_lossy(label).to_lowercase()).collect();
    labels.join(".")
}

/// The name of a query in its own letters, in wire form.
fn spelled(query: &[u8]) -> &[u8] {
    &query[12..question_end(query) - 4]
}

fn address(ttl: u32, last: u8) -> Vec<u8> {
    record(QNAME, A, ttl, &[192, 0, 2, last])
}

/// A gateway with these servers, `{second}` in `tables` being the second one's port.
fn gateway(tables: &str, servers: &[&Raw]) -> Gateway {
    let mut plan = Gateway::plan(&format!("{TWO_GROUPS}{TWO_PROFILES}\n{tables}\n"));
    for (place, server) in ["upstream", "second"].into_iter().zip(servers) {
        plan = plan.fill(place, &server.port.to_string());
    }
    plan.start()
}

#[test]
fn what_upstream_takes_back_does_not_come_back() {
    let upstream = Raw::start(|query| vec![response(query, 0, &[address(1, 1)], &[])]);
    let gateway = gateway("[cache]\nstale_after = \"100ms\"", &[&upstream]);
    let names = ["short.example", "gone.example", "router.example"];
    let ask = |name: &str| Ask::new(name, "A").edns(1232).expect(gateway.dns);
    let first = names.map(|name| ask(name).answers());
    assert!(first.iter().all(|answers| *answers == ["A 192.0.2.1"]), "{first:?}");
    // An answer that may not be kept, a name that is gone, and a reply without its SOA.
    upstream.change(|query| {
        vec![match name(query).as_str() {
            "short.example" => response(query, 0, &[address(0, 2)], &[]),
            "gone.example" => response(query, 3, &[], &[]),
            _ => response(query, 0, &[], &[]),
        }]
    });
    eventually("the second word", || {
        (ask("short.example").answers() == ["A 192.0.2.2"]).then_some(())
    });
    eventually("the second word", || (ask("gone.example").rcode() == "NXDOMAIN").then_some(()));
    ask("router.example");
    upstream.change(|_| vec![]);
    for gone in ["short.example", "gone.example"] {
        let answer = ask(gone);
        assert_eq!((answer.rcode().as_str(), answer.answers().len()), ("SERVFAIL", 0), "{gone}");
    }
    let stale = ask("router.example");
    assert_eq!(
        (stale.answers(), stale.ede().map(|(code, _)| code)),
        (vec!["A 192.0.2.1".into()], Some(3))
    );
}

#[test]
fn names_come_back_soon_after_the_uplink_does() {
    let upstream = Raw::start(|_| vec![]);
    let gateway =
        gateway("[cache]\nfailure_ttl = \"60s\"\nmax_failure_ttl = \"60s\"", &[&upstream]);
    let names = ["one.example", "two.example", "three.example"];
    let ask = |name: &str| Ask::new(name, "A").expect(gateway.dns).rcode();
    std::thread::scope(|scope| {
        for name in names {
            scope.spawn(move || assert_eq!(ask(name), "SERVFAIL"));
        }
    });
    upstream.change(|query| {
        let is_dead = name(query) == "dead.example";
        if is_dead {
            vec![response(query, 2, &[], &[])]
        } else {
            vec![response(query, 0, &[address(60, 1)], &[])]
        }
    });
    // Far less than a minute.
    for name in names {
        within(Duration::from_secs(15), || (ask(name) == "NOERROR").then_some(()))
            .unwrap_or_else(|| panic!("{name} is not back"));
    }
    // What upstream says itself is remembered.
    assert_eq!(ask("dead.example"), "SERVFAIL");
    upstream.change(|query| vec![response(query, 0, &[address(60, 1)], &[])]);
    assert_eq!([ask("dead.example"), ask("fresh.example")], ["SERVFAIL", "NOERROR"]);
    assert_eq!(ask("dead.example"), "SERVFAIL");
}

/// The names in a reply: owners and targets, in their own letters.
fn names(answer: &Answer) -> Vec<String> {
    let message = &answer.message;
    let records = message.answers.iter().chain(&message.authorities);
    records
        .flat_map(|record| [record.name.to_string(), record.data.to_string()])
        .filter(|text| text.ends_with('.'))
        .collect()
}

#[test]
fn clients_see_their_own_letters_and_nobody_elses() {
    // A server that copies the question's letters into all that it says.
    let upstream = Raw::start(|query| {
        let own = spelled(query).to_vec();
        let zone = own[1 + usize::from(own[0])..].to_vec();
        let alias = [b"\x03CDN".as_slice(), &own].concat();
        if name(query) == "gone.letters.example" {
            let rdata = [zone.as_slice(), &zone, &[0; 16], &[0, 0, 0, 60]].concat();
            return vec![response(query, 3, &[], &[record(&zone, SOA, 60, &rdata)])];
        }
        let address = record(&alias, A, 60, &[192, 0, 2, 1]);
        vec![response(query, 0, &[record(&own, CNAME, 60, &alias), address], &[])]
    });
    let gateway = gateway("", &[&upstream]);
    for client in [PUPIL, STAFF] {
        for asked in ["wWw.LETTERS.example", "www.letters.example", "WWW.letters.EXAMPLE"] {
            for ask in [Ask::new(asked, "A"), Ask::new(asked, "A").tcp()] {
                let answer = ask.from(client).expect(gateway.dns);
                let target = "CDN.www.letters.example.";
                let expected = [format!("{asked}."), target.into(), target.into()];
                assert_eq!(names(&answer), expected, "{asked}");
            }
        }
        for asked in ["Gone.Letters.Example", "gone.letters.example"] {
            let answer = Ask::new(asked, "A").from(client).expect(gateway.dns);
            assert_eq!(answer.rcode(), "NXDOMAIN");
            let soa = answer.soa().unwrap();
            assert_eq!(soa.name.to_string(), "letters.example.", "{asked}");
            assert!(soa.data.to_string().starts_with("letters.example. letters.example. "));
        }
    }
}

#[test]
fn a_record_that_is_too_short_is_handed_on_by_nobody() {
    let short: &[(u16, &[u8])] = &[
        (A, &[192, 0, 2]),
        (28, &[0xfd; 15]),
        (SOA, &[0]),
        (15, &[0, 10]),
        (33, &[0, 0, 0, 5, 1, 133, 4, b'd']),
        (CNAME, &[3, b'a', 0xc0]),
        (16, &[5, b'a']),
        (65, &[0, 1, 0, 0, 4, 0, 3, 1, 2, 3]),
    ];
    let broken = |query: &[u8]| {
        let end = question_end(query);
        let qtype = u16::from_be_bytes([query[end - 4], query[end - 3]]);
        let (_, rdata) = short.iter().find(|(rtype, _)| *rtype == qtype).unwrap();
        response(query, 0, &[record(QNAME, qtype, 60, rdata)], &[])
    };
    let good = |query: &[u8]| response(query, 3, &[], &[record(QNAME, SOA, 60, &[0; 22])]);
    // It does not end the wait for the right reply, of the same server or of the next.
    let types: Vec<String> = short.iter().map(|(rtype, _)| format!("TYPE{rtype}")).collect();
    let second = Raw::start(move |query| vec![good(query)]);
    let first = Raw::start(move |query| vec![broken(query), good(query)]);
    let gateway = gateway("", &[&first]);
    for qtype in &types {
        let answer = Ask::new("first.example", qtype).expect(gateway.dns);
        assert_eq!(answer.rcode(), "NXDOMAIN", "type {qtype}");
    }
    drop(gateway);
    first.change(move |query| vec![broken(query)]);
    let config = TWO_GROUPS.replace("{upstream}\"", "{upstream}\", \"udp://127.0.0.1:{second}\"");
    let plan = Gateway::plan(&format!("{config}{TWO_PROFILES}"));
    let plan = plan.fill("upstream", &first.port.to_string());
    let gateway = plan.fill("second", &second.port.to_string()).start();
    for qtype in &types {
        let answer = Ask::new("next.example", qtype).expect(gateway.dns);
        assert_eq!(answer.rcode(), "NXDOMAIN", "type {qtype}");
    }
    second.change(|_| vec![]);
    let answer = Ask::new("nobody.example", "SOA").edns(1232).expect(gateway.dns);
    assert_eq!((answer.rcode().as_str(), answer.answers().len()), ("SERVFAIL", 0));
    assert!(answer.ede().is_some());
}

#[test]
fn a_dname_leads_from_zone_to_zone() {
    let world = Raw::start(|query| vec![response(query, 0, &[address(60, 7)], &[])]);
    let zone = Raw::start(|query| {
        let moved = record(&wire("old.school.lan"), DNAME, 60, &wire("cloud.example"));
        let alias = record(QNAME, CNAME, 60, &wire("www.cloud.example"));
        vec![match name(query).as_str() {
            "www.old.school.lan" => response(query, 0, &[moved, alias], &[]),
            // A server that leaves the CNAME out, and one that claims more than it knows.
            "mail.old.school.lan" => response(query, 0, &[moved], &[]),
            _ => response(query, 3, &[moved], &[]),
        }]
    });
    let tables = "[[forward]]\nzone = \"school.lan\"\nservers = [\"udp://127.0.0.1:{second}\"]\n";
    let gateway = gateway(tables, &[&world, &zone]);
    for asked in ["www.old.school.lan", "mail.old.school.lan", "x.y.old.school.lan"] {
        for _ in 0..2 {
            let answer = Ask::new(asked, "A").expect(gateway.dns);
            let target = asked.replace("old.school.lan", "cloud.example.");
            let answers = answer.answers();
            assert_eq!((answer.rcode().as_str(), answers.len()), ("NOERROR", 3), "{asked}");
            // The reader here does not know what is in a DNAME.
            assert_eq!(answers[..2], ["A 192.0.2.7".to_owned(), format!("CNAME {target}")]);
        }
    }
}

#[test]
fn proofs_that_are_asked_for_by_name_are_answered() {
    let proofs: &[(u16, &[u8])] = &[
        (43, b"\x30\x39\x0d\x02digest"),
        (46, b"\0\x01\x0d\x02\0\0\x0e\x10\0\0\0\0\0\0\0\0\x30\x39\xc0\x0csignature"),
        (47, b"\xc0\x0c\x00\x06\x40\x00\x00\x00\x00\x03"),
        (48, b"\x01\x01\x03\x0dkey"),
        (51, b"\x01\x00\x00\x00\x00"),
    ];
    let upstream = Raw::start(move |query| {
        let end = question_end(query);
        let qtype = u16::from_be_bytes([query[end - 4], query[end - 3]]);
        let (_, rdata) = proofs.iter().find(|(rtype, _)| *rtype == qtype).unwrap();
        vec![response(query, 0, &[record(QNAME, qtype, 60, rdata)], &[])]
    });
    let gateway = gateway("", &[&upstream]);
    for (rtype, rdata) in proofs {
        let ask = Ask::new("signed.example", &format!("TYPE{rtype}"));
        for ask in [ask.clone(), ask.clone(), ask.clone().dnssec_ok(), ask.edns(1232)] {
            let answer = ask.expect(gateway.dns);
            assert_eq!(answer.message.answers.len(), 1, "{ask:?}");
            assert!(answer.raw.windows(3).any(|octets| octets == &rdata[rdata.len() - 3..]));
        }
    }
}

#[test]
fn a_chain_over_zones_has_one_limit() {
    // n3.zone.lan is an alias of n2.world.example, that of n1.zone.lan, and so on.
    let next = |query: &[u8], zone: &str| {
        let (label, _) =
            name(query).split_once('.').map(|(a, b)| (a.to_owned(), b.to_owned())).unwrap();
        let number: u32 = label[1..].parse().unwrap();
        vec![if number == 0 {
            response(query, 0, &[address(60, 9)], &[])
        } else {
            let target = wire(&format!("n{}.{zone}", number - 1));
            response(query, 0, &[record(QNAME, CNAME, 60, &target)], &[])
        }]
    };
    let world = Raw::start(move |query| next(query, "zone.lan"));
    let zone = Raw::start(move |query| next(query, "world.example"));
    let tables = "[[forward]]\nzone = \"zone.lan\"\nservers = [\"udp://127.0.0.1:{second}\"]\n";
    let gateway = gateway(tables, &[&world, &zone]);
    let ask = |name: &str| {
        Ask::new(name, "A").edns(1232).limit(Duration::from_secs(30)).expect(gateway.dns)
    };
    let answer = ask("n11.zone.lan");
    assert_eq!((answer.rcode().as_str(), answer.answers().len()), ("NOERROR", 12));
    let answer = ask("n12.zone.lan");
    assert_eq!((answer.rcode().as_str(), answer.answers().len()), ("SERVFAIL", 0));
    assert!(answer.ede().is_some());
}
