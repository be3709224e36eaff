//! One step: its query, and what of the answer is not as expected.

use std::process::Command;

use super::file::{Names, Step};
use crate::support::gateway::{LACHAN, run as run_to_end, said_in_json};
use crate::support::{Answer, Ask, Gateway, PUPIL, STAFF};

impl Step {
    /// Every name with every type.
    pub(super) fn questions(&self) -> Vec<(&str, &str)> {
        let names: Vec<&str> = match &self.ask {
            Names::One(name) => vec![name],
            Names::Several(names) => names.iter().map(String::as_str).collect(),
        };
        let types = self.types.iter().map(String::as_str);
        types.flat_map(|qtype| names.iter().map(move |&name| (name, qtype))).collect()
    }

    pub(super) fn listener(&self, gateway: &Gateway) -> std::net::SocketAddr {
        let mut address = gateway.dns;
        if self.ipv6 {
            address.set_ip(std::net::Ipv6Addr::LOCALHOST.into());
        }
        address
    }

    fn client(&self) -> &str {
        match self.from.as_str() {
            "pupil" => PUPIL,
            "staff" => STAFF,
            address => address,
        }
    }

    fn has_opt(&self) -> bool {
        self.edns.is_some() || self.edns_version.is_some() || self.r#do
    }

    pub(super) fn query(&self, name: &str, qtype: &str) -> Ask {
        let mut ask = Ask::new(name, qtype)
            .from(self.client())
            .class(self.class)
            .opcode(self.opcode)
            .questions(self.questions);
        if let Some(size) = self.edns {
            ask = ask.edns(size);
        }
        if let Some(version) = self.edns_version {
            ask = ask.edns_version(version);
        }
        for (is_set, set) in [
            (self.r#do, Ask::dnssec_ok as fn(Ask) -> Ask),
            (self.ad, Ask::authentic_data),
            (self.cd, Ask::checking_disabled),
            (!self.rd, Ask::no_recursion),
            (self.tcp, Ask::tcp),
        ] {
            if is_set {
                ask = set(ask);
            }
        }
        ask
    }

    /// Where `lachan why` says something else than the wire, or than expected.
    pub(super) fn contradictions(
        &self,
        gateway: &Gateway,
        layer: &str,
        name: &str,
        qtype: &str,
        answer: &Answer,
    ) -> Option<String> {
        let mut command = Command::new(LACHAN);
        command.current_dir(gateway.dir()).args(["why", name, "--type", qtype, "--json"]);
        command.args(["--config", "gateway.toml", "--client", self.client()]);
        let (status, said) = run_to_end(command);
        assert!(status.success(), "{said}");
        let said = said_in_json(&said);
        let rcode = said["answer"]["rcode"].as_str();
        let ede = said["answer"]["ede"][0].as_u64();
        let is_same = rcode.is_none_or(|rcode| rcode == answer.rcode())
            && (rcode.is_none() || !answer.has_opt() || ede == answer.ede().map(|(c, _)| c.into()));
        (said["layer"] != *layer || !is_same).then(|| {
            format!("why is not {layer}, or not as the wire ({}): {said:#}", answer.rcode())
        })
    }

    /// All that is not as expected.
    pub(super) fn faults(&self, answer: &Answer, upstream_counts: [usize; 2]) -> Vec<String> {
        let expect = &self.expect;
        let mut faults = Vec::new();
        let mut check = |what: &str, found: String, expected: String| {
            if found != expected {
                faults.push(format!("{what} is {found}, expected {expected}"));
            }
        };
        let rcode = answer.rcode();
        check("rcode", rcode.clone(), expect.rcode.clone());
        check("AA", answer.is_authoritative().to_string(), "false".into());
        check("AD", answer.is_authentic().to_string(), expect.ad.to_string());
        check("TC", answer.is_truncated().to_string(), expect.tc.to_string());
        check("OPT", answer.has_opt().to_string(), self.has_opt().to_string());
        if matches!(rcode.as_str(), "NOERROR" | "NXDOMAIN") {
            check("RA", answer.is_recursion_available().to_string(), "true".into());
        }
        if let Some(expected) = &expect.answer {
            let mut expected = expected.clone();
            expected.sort();
            check("answer", format!("{:?}", answer.answers()), format!("{expected:?}"));
        }
        let ede = answer.ede();
        if let Some(expected) = expect.ede {
            let found = ede.as_ref().map_or(0, |(code, _)| *code);
            check("EDE", found.to_string(), expected.to_string());
        }
        if let Some(expected) = expect.authority_soa {
            check("SOA in authority", answer.soa().is_some().to_string(), expected.to_string());
        }
        let counts = [expect.upstream_queries, expect.upstream2_queries];
        for (expected, found) in counts.into_iter().zip(upstream_counts) {
            if let Some(expected) = expected {
                check("count of upstream queries", found.to_string(), expected.to_string());
            }
        }
        if let Some(part) = &expect.ede_contains
            && !ede.as_ref().is_some_and(|(_, text)| text.contains(part))
        {
            faults.push(format!("EDE is {ede:?}, its text should contain {part:?}"));
        }
        if let Some(part) = &expect.ede_lacks
            && ede.as_ref().is_some_and(|(_, text)| text.contains(part))
        {
            faults.push(format!("EDE is {ede:?}, its text should not contain {part:?}"));
        }
        if expect.size_max.is_some_and(|limit| answer.raw.len() > limit) {
            faults.push(format!("the answer has {} octets", answer.raw.len()));
        }
        let (ttl_min, ttl_max) = (expect.ttl_min.unwrap_or(0), expect.ttl_max.unwrap_or(u32::MAX));
        if answer.ttls().iter().any(|ttl| !(ttl_min..=ttl_max).contains(ttl)) {
            faults.push(format!("TTLs are {:?}, expected {ttl_min} to {ttl_max}", answer.ttls()));
        }
        faults
    }
}
