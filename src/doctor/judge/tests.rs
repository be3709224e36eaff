//! A school's machine, well and with everything wrong.

use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;

use super::*;
use crate::config::Listen;
use crate::doctor::handed::{LeaseForm, lease};
use crate::doctor::kernel::{BoundSocket, SocketKind};
use crate::doctor::report::{Checkup, PartCondition};
use crate::status::CertificateStatus;

const GIB: u64 = 1 << 30;
const NOW: u64 = 1_800_000_000;

fn address(text: &str) -> SocketAddr {
    text.parse().unwrap()
}

fn bound(kind: SocketKind, text: &str, inode: u64) -> BoundSocket {
    BoundSocket { kind, address: address(text), user: 101, inode }
}

/// A gateway that runs as it should, looked at by root.
fn school() -> MachineFacts {
    let dns = ["192.168.1.2:53", "127.0.0.1:53"];
    let admin = "127.0.0.1:9153";
    let plain = dns
        .iter()
        .flat_map(|text| [bound(SocketKind::Udp, text, 1), bound(SocketKind::Tcp, text, 1)]);
    let own: [IpAddr; 2] = ["127.0.0.1".parse().unwrap(), "192.168.1.2".parse().unwrap()];
    MachineFacts {
        listen: Listen { dns: dns.map(address).to_vec(), ..Listen::default() },
        admin: (address(admin), None),
        portal: Vec::new(),
        status: None,
        untold: None,
        answering: dns.iter().map(|text| (address(text), true)).collect(),
        sockets: plain.chain([bound(SocketKind::Tcp, admin, 1)]).collect(),
        sockets_unread: None,
        owners: [(1, vec![(812, "lachan".to_owned())])].into(),
        clock: ClockFacts {
            civil: NOW,
            trust: Trust::Synced,
            rtc: RtcFact::Seconds(NOW + 7 * 3600),
        },
        disk: Some(DiskFacts {
            path: "/var/lib/lachan".into(),
            space: Ok(FileSystem { free: 9 * GIB, files: Some(100_000), is_read_only: false }),
            writing: WriteTrial::Done,
            foreign: None,
        }),
        upstreams: vec![("udp://203.113.131.1".to_owned(), None)],
        upstreams_unusable: None,
        own: own.to_vec(),
        leases: Vec::new(),
        leases_unread: Vec::new(),
        told: vec![("/etc/resolv.conf".into(), vec![own[0]])],
        upstream_addresses: vec!["203.113.131.1".parse().unwrap()],
        reach: Ok(vec![reach("pupils", false, &[]), reach("staff", true, &["dns.google"])]),
        lists: vec![("https://lists.example/ads".to_owned(), 3 * DAY)],
        certificates: Vec::new(),
        uncovered: Vec::new(),
        keys_unread: Vec::new(),
    }
}

fn reach(name: &str, is_staff: bool, hosts: &[&str]) -> GroupReach {
    let hosts = hosts.iter().map(|&host| host.to_owned()).collect();
    GroupReach { name: name.to_owned(), is_staff, canaries: Vec::new(), hosts }
}

/// The same machine with everything wrong, looked at by somebody without rights.
fn broken() -> MachineFacts {
    let listen = Listen {
        dns: vec![address("0.0.0.0:53")],
        allow: vec!["0.0.0.0/0".parse().unwrap(), "10.0.0.0/8".parse().unwrap()],
        ..Listen::default()
    };
    let networkd =
        b"ADDRESS=192.168.1.2\nSERVER_ADDRESS=192.168.1.1\nDNS=192.168.1.2 192.168.1.1\n";
    let path = PathBuf::from("/run/systemd/netif/leases/2");
    let certificate = CertificateStatus {
        file: "dns.crt".to_owned(),
        covers: vec!["dns.school.example".to_owned()],
        until: Some("2026-11-20T00:00:00Z".to_owned()),
        state: "ended".to_owned(),
        days_left: Some(-9),
        why: None,
    };
    MachineFacts {
        listen,
        admin: (address("127.0.0.1:9153"), Some("Connection refused (os error 111)".to_owned())),
        answering: Vec::new(),
        sockets: vec![
            bound(SocketKind::Udp, "127.0.0.53:53", 7),
            bound(SocketKind::Udp, "192.168.1.2:53", 8),
            bound(SocketKind::Tcp, "[::]:53", 9),
        ],
        owners: [(9, vec![(77, "dnsmasq".to_owned())])].into(),
        clock: ClockFacts { civil: NOW, trust: Trust::Plausible, rtc: RtcFact::Seconds(86_400) },
        disk: Some(DiskFacts {
            path: "/var/lib/lachan".into(),
            space: Ok(FileSystem { free: 5 << 20, files: Some(100_000), is_read_only: false }),
            writing: WriteTrial::Denied,
            foreign: None,
        }),
        upstreams: vec![
            ("udp://203.113.131.1".to_owned(), Some(messages::server_no_answer(3))),
            ("udp://8.8.8.8".to_owned(), None),
        ],
        leases: lease(&path, LeaseForm::Keys, networkd).into_iter().collect(),
        leases_unread: vec!["/var/lib/NetworkManager".into()],
        told: vec![("/etc/resolv.conf".into(), vec!["192.168.1.254".parse().unwrap()])],
        reach: Ok(vec![GroupReach {
            canaries: vec!["use-application-dns.net".to_owned()],
            ..reach("pupils", false, &["dns.google", "dns.quad9.net"])
        }]),
        lists: vec![("https://lists.example/ads".to_owned(), 15 * DAY)],
        certificates: vec![certificate],
        keys_unread: vec!["dns.key".into()],
        ..school()
    }
}

#[test]
fn a_machine_that_is_well_has_no_finding_and_says_what_was_not_seen() {
    let checkup = Checkup::of(&school(), Lang::En);
    assert_eq!((checkup.state, checkup.findings.as_slice()), ("ok", &[][..]));
    assert!(checkup.parts.iter().all(|row| row.state == PartCondition::Ok), "{:#?}", checkup.parts);
    assert_eq!(checkup.parts.len(), ExaminedPart::ALL.len());
    insta::assert_snapshot!(checkup.text(Lang::En));
}

#[test]
fn everything_that_can_be_wrong_is_told_with_its_remedy() {
    for lang in Lang::ALL {
        let checkup = Checkup::of(&broken(), lang);
        assert_eq!((checkup.state, checkup.is_answering), ("degraded", false));
        for one in &checkup.findings {
            assert!(!one.text.is_empty() && !one.remedy.is_empty(), "{one:?}");
        }
        insta::assert_snapshot!(format!("broken_{}", lang.id()), checkup.text(lang));
    }
}

/// The kinds that are found where one fact differs from the school that is well.
fn kinds(change: impl FnOnce(&mut MachineFacts)) -> Vec<FindingId> {
    let mut facts = school();
    change(&mut facts);
    let checkup = Checkup::of(&facts, Lang::Vi);
    checkup.findings.iter().map(|one| one.id).collect()
}

#[test]
fn each_fact_has_its_own_finding() {
    use MachineFault as Fault;
    let machine = |fault| vec![FindingId::Machine(fault)];
    let free = |free| {
        move |facts: &mut MachineFacts| {
            let space = Ok(FileSystem { free, files: None, is_read_only: false });
            facts.disk = facts.disk.take().map(|disk| DiskFacts { space, ..disk });
        }
    };
    assert_eq!(kinds(free(FULL - 1)), machine(Fault::DiskFull));
    assert_eq!(kinds(free(FULL)), machine(Fault::DiskLow));
    assert_eq!(kinds(free(LOW)), []);
    let writing = |writing| {
        move |facts: &mut MachineFacts| {
            facts.disk = facts.disk.take().map(|disk| DiskFacts { writing, ..disk });
        }
    };
    assert_eq!(kinds(writing(WriteTrial::ReadOnly)), machine(Fault::DiskReadOnly));
    assert_eq!(kinds(writing(WriteTrial::Full)), machine(Fault::DiskFull));
    assert_eq!(kinds(writing(WriteTrial::Failed("x".into()))), machine(Fault::StateUnwritable));
    assert_eq!(kinds(writing(WriteTrial::OpenToOthers(0o770))), machine(Fault::StateOpen));
    assert_eq!(kinds(writing(WriteTrial::Denied)), []);
    let foreign = |facts: &mut MachineFacts| {
        let foreign = Some("/var/lib/lachan/overrides".into());
        facts.disk = facts.disk.take().map(|disk| DiskFacts { foreign, ..disk });
    };
    assert_eq!(kinds(foreign), machine(Fault::StateForeign));
    assert_eq!(kinds(|facts| facts.disk = None), machine(Fault::StateAbsent));
    assert_eq!(kinds(|facts| facts.clock.rtc = RtcFact::Absent), machine(Fault::RtcAbsent));
    assert_eq!(kinds(|facts| facts.clock.rtc = RtcFact::Unread), []);
    assert_eq!(kinds(|facts| facts.clock.rtc = RtcFact::Invalid), machine(Fault::RtcWrong));
    let wrong_in = |trust| {
        move |facts: &mut MachineFacts| {
            (facts.clock.trust, facts.clock.rtc) = (trust, RtcFact::Invalid);
        }
    };
    let both = [FindingId::Clock, FindingId::Machine(Fault::RtcWrong)];
    assert_eq!(kinds(wrong_in(Trust::Untrusted)), both);
    assert_eq!(kinds(|facts| facts.clock.trust = Trust::Untrusted), [FindingId::Clock]);
    assert_eq!(kinds(|facts| facts.answering[0].1 = false), machine(Fault::ListenerSilent));
    let down = |facts: &mut MachineFacts| {
        facts.upstreams[0].1 = Some(messages::server_not_reached());
    };
    assert_eq!(kinds(down), [FindingId::NoUpstream]);
    assert_eq!(kinds(|facts| facts.reach = Err("x".into())), []);
}

#[test]
fn strangers_are_those_of_public_networks_and_reach_what_is_public() {
    let allow = |listen: &'static str, network: &'static str| {
        move |facts: &mut MachineFacts| {
            facts.listen.dns = vec![address(listen)];
            facts.listen.allow = vec![network.parse().unwrap()];
        }
    };
    let open = vec![FindingId::Machine(MachineFault::OpenResolver)];
    let hidden = vec![FindingId::Machine(MachineFault::OpenAllow)];
    for (listen, network, expected) in [
        ("0.0.0.0:53", "0.0.0.0/0", &open),
        ("203.0.113.1:53", "0.0.0.0/1", &open),
        ("[::]:53", "2000::/3", &open),
        ("192.168.1.2:53", "0.0.0.0/0", &hidden),
        ("192.168.1.2:53", "::/0", &vec![]),
        ("0.0.0.0:53", "10.0.0.0/8", &vec![]),
        ("203.0.113.1:53", "203.0.113.0/24", &vec![]),
    ] {
        let found = kinds(allow(listen, network));
        assert_eq!(&found, expected, "{listen} {network}");
    }
}

#[test]
fn a_lease_of_a_line_without_devices_is_no_second_resolver() {
    let hands_out = |address: &'static str| {
        move |facts: &mut MachineFacts| {
            let text =
                format!("ADDRESS={address}\nSERVER_ADDRESS=192.168.1.1\nDNS=203.113.131.9\n");
            facts.leases =
                lease("l".as_ref(), LeaseForm::Keys, text.as_bytes()).into_iter().collect();
        }
    };
    let second = [FindingId::Machine(MachineFault::SecondResolver)];
    assert_eq!(kinds(hands_out("192.168.1.2")), second);
    assert_eq!(kinds(hands_out("203.0.113.77")), []);
    // At every address the gateway listens on the carrier's line as well; a lease that is over says nothing.
    let everywhere = |address: &'static str| {
        move |facts: &mut MachineFacts| {
            hands_out(address)(facts);
            facts.listen.dns = vec!["0.0.0.0:53".parse().unwrap()];
            facts.own.push("203.0.113.77".parse().unwrap());
        }
    };
    let foreign = [FindingId::Machine(MachineFault::ForeignResolver)];
    assert_eq!(kinds(everywhere("203.0.113.77")), foreign);
    assert_eq!(kinds(everywhere("203.0.113.78")), []);
}

#[test]
fn the_holder_of_a_port_depends_on_whether_the_gateway_answers() {
    let held = |name: &'static str, answers: bool| {
        move |facts: &mut MachineFacts| {
            facts.owners = [(1, vec![(812, name.to_owned())])].into();
            if !answers {
                facts.admin.1 = Some("refused".to_owned());
            }
        }
    };
    let port = FindingId::Machine(MachineFault::PortHeld);
    let silent = FindingId::Machine(MachineFault::GatewaySilent);
    assert_eq!(kinds(held("lachan", true)), []);
    assert_eq!(kinds(held("dnsmasq", true)), [port; 3]);
    // Another gateway has them, or this one hangs: that is no program to be disabled.
    let stale = FindingId::Machine(MachineFault::StaleGateway);
    assert_eq!(kinds(held("lachan", false)), [silent, stale]);
    let stored = |more: &'static [(u32, &'static str)]| {
        move |facts: &mut MachineFacts| {
            let owners = [&[(1, "systemd")], more].concat();
            let owned = owners.iter().map(|(process, name)| (*process, (*name).to_owned()));
            facts.owners = [(1, owned.collect())].into();
            facts.admin.1 = Some("refused".to_owned());
        }
    };
    let manager = FindingId::Machine(MachineFault::SocketsStored);
    assert_eq!(kinds(stored(&[])), [silent, manager]);
    assert_eq!(kinds(stored(&[(812, "lachan")])), [silent, stale]);
    assert_eq!(kinds(stored(&[(812, "dnsmasq")])), [silent, port, port, port]);
    let stub = FindingId::Machine(MachineFault::StubHeld);
    assert_eq!(kinds(held("systemd-resolve", true)), [stub; 3]);
    let unseen = |facts: &mut MachineFacts| facts.owners.clear();
    assert_eq!(kinds(unseen), []);
}

#[test]
fn the_portal_has_a_port_of_its_own() {
    let taken = |by: &'static str| {
        move |facts: &mut MachineFacts| {
            facts.portal = vec![address("192.168.1.2:80")];
            facts.sockets.push(bound(SocketKind::Tcp, "0.0.0.0:80", 9));
            facts.owners.insert(9, vec![(77, by.to_owned())]);
        }
    };
    assert_eq!(kinds(taken("nginx")), [FindingId::Machine(MachineFault::PortHeld)]);
    assert_eq!(kinds(taken("lachan")), []);
}

#[test]
fn a_setup_is_told_of_other_programs_alone() {
    let listen = [address("192.168.1.2:53")];
    let sockets = [bound(SocketKind::Udp, "192.168.1.2:53", 1)];
    let held = |process: u32, name: &str| {
        let owners = [(1, vec![(process, name.to_owned())])].into();
        ports::ports_held(&listen, &sockets, &owners, Lang::En)
    };
    assert_eq!((held(1, "systemd"), held(812, "lachan")), (vec![], vec![]));
    assert_eq!(held(77, "dnsmasq"), [(false, "UDP 192.168.1.2:53: dnsmasq (77)".to_owned())]);
    // The first process of a container is what it runs.
    assert_eq!(held(1, "dnsmasq").len(), 1);
}
