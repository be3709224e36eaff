//! Certificates of the encrypted listeners: chosen by name, swapped while clients ask.

use std::fs;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::{NAME, School, Tls, connect, keep, receive, send, trusting};
use crate::kit::server::Authority;
use crate::support::gateway::run;
use crate::support::{Answer, Ask, Gateway, PUPIL, eventually};

/// Asks on a connection that is kept, which ends where nobody asks for ten seconds.
fn still_answers(kept: &mut Tls) {
    send(kept, &Ask::new("bad.example", "A").to_wire());
    assert_eq!(Answer::decode(receive(kept).unwrap()).rcode(), "NXDOMAIN");
}

#[test]
fn a_renewed_one_is_shown_without_a_restart_and_no_query_is_lost() {
    let mut school = School::start("");
    let dir = school.gateway.dir().to_owned();
    let mut kept = school.dot(PUPIL);
    let is_over = Arc::new(AtomicBool::new(false));
    let asker = {
        let (is_over, dot) = (Arc::clone(&is_over), school.dot);
        let config = school.trusting(&[b"dot"], rustls::ALL_VERSIONS);
        std::thread::spawn(move || {
            let mut stream = connect(dot, PUPIL, &config, NAME).unwrap();
            let mut answered = 0;
            while !is_over.load(Ordering::Relaxed) {
                send(&mut stream, &Ask::new("bad.example", "A").to_wire());
                assert!(receive(&mut stream).is_some(), "lost after {answered}");
                answered += 1;
            }
            answered
        })
    };

    // Half of a renewal, a file that is half written, and none: what is there stays.
    let next = Authority::new();
    let (chain, key) = next.signs(NAME, [1975, 4096]).pem();
    for (name, text, told) in [
        ("own.crt", chain.as_str(), "own.key`: the private key is not the certificate's"),
        ("own.crt", &chain[..chain.len() / 2], "own.crt`: it is no whole PEM file"),
        ("own.crt", "", "own.crt`: it has no certificate"),
        ("own.key", "no key", "own.key`: it has no private key"),
    ] {
        if name == "own.key" {
            fs::write(dir.join("own.crt"), &chain).unwrap();
        }
        fs::write(dir.join(name), text).unwrap();
        school.gateway.expect_log(told);
        drop(school.dot(PUPIL));
        still_answers(&mut kept);
    }

    // The other half.
    fs::write(dir.join("own.key"), key).unwrap();
    school.authority = next;
    let config = school.trusting(&[b"dot"], rustls::ALL_VERSIONS);
    eventually("the new certificate", || connect(school.dot, PUPIL, &config, NAME).ok());
    still_answers(&mut kept);
    is_over.store(true, Ordering::Relaxed);
    assert!(asker.join().unwrap() > 0);
}

#[test]
fn without_one_the_gateway_answers_plainly_and_takes_it_when_it_comes() {
    let (plan, authority, upstream, [dot, _]) = School::plan("", "");
    let gateway = plan.start();
    gateway.expect_log("own.crt`: it cannot be read");
    assert_eq!(Ask::new("bad.example", "A").from(PUPIL).expect(gateway.dns).rcode(), "NXDOMAIN");
    let config = trusting(&authority, &[b"dot"], rustls::ALL_VERSIONS);
    connect(dot, PUPIL, &config, NAME).map(drop).unwrap_err();
    let (chain, key) = authority.signs(NAME, [1975, 4096]).pem();
    fs::write(gateway.dir().join("own.key"), key).unwrap();
    fs::write(gateway.dir().join("own.crt"), chain).unwrap();
    eventually("the certificate", || connect(dot, PUPIL, &config, NAME).ok());
    drop(upstream);
}

#[test]
fn of_several_the_one_for_the_name_is_shown() {
    let more = "\n[[listen.tls]]\ncertificate = \"staff.crt\"\nkey = \"staff.key\"\n";
    let (plan, authority, _upstream, [dot, doh]) = School::plan("", more);
    let plan = keep(plan, "own", &authority.signs(NAME, [1975, 4096]));
    let plan = keep(plan, "staff", &authority.signs("*.staff.example", [1975, 4096]));
    let _gateway = plan.start();
    for (to, protocol) in [(dot, &b"dot"[..]), (doh, b"h2")] {
        let config = trusting(&authority, &[protocol], rustls::ALL_VERSIONS);
        for name in [NAME, "dns.staff.example"] {
            connect(to, PUPIL, &config, name).unwrap();
        }
        // The first is shown for any other, and its client sees that it is another's.
        let error = connect(to, PUPIL, &config, "dns.other.example").map(drop).unwrap_err();
        assert!(error.to_string().contains("not valid for name"), "{error}");
    }
}

#[test]
fn listeners_without_one_are_a_mistake_in_both_languages() {
    for (lang, said) in
        [("en", "`dot` encrypts, and there is no certificate"), ("vi", "chưa có chứng chỉ")]
    {
        let config =
            "[school]\nid = \"x\"\nlevel = \"primary\"\n[listen]\ndot = [\"127.0.0.1:853\"]\n";
        let plan = Gateway::plan(config);
        let mut command = plan.command();
        command = {
            let mut check = std::process::Command::new(command.get_program());
            check.args(["check", "--lang", lang]).arg(plan.config_path());
            check
        };
        let (status, output) = run(command);
        assert_eq!(status.code(), Some(3), "{output}");
        assert!(output.contains(said) && output.contains("lachan certs self"), "{output}");
        assert!(output.contains("gateway.toml:5:7"), "{output}");
    }
}
