//! The recipe "Unbound beside us": a validating Unbound as upstream, a zone that is signed here, a
//! trust anchor of its own. What Unbound has validated reaches a client that asks for it, as AD.

use std::fs;
use std::path::Path;
use std::process::Command;

use super::{Tool, has};
use crate::support::ports::free_port;
use crate::support::{Ask, Gateway, PUPIL, TWO_GROUPS, TWO_PROFILES, eventually};

/// The `server:` block of the recipe in `docs/reference/standards.md`.
fn recipe() -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/reference/standards.md");
    let text = fs::read_to_string(path).unwrap();
    let (_, after) = text.split_once("## Unbound beside us").unwrap();
    after.split("```\n").nth(1).unwrap().to_owned()
}

fn zone(name: &str) -> String {
    format!(
        "$ORIGIN {name}.\n$TTL 300\n@ SOA ns root 1 3600 600 86400 300\n@ NS ns\nns A 127.0.0.1\n\
         www A 192.0.2.7\nbroken A 192.0.2.8\n"
    )
}

/// Signs `signed.example` in a directory, and changes a record behind its signature; the file of
/// its trust anchor.
fn sign(dir: &Path) -> String {
    let run = |program: &str, arguments: &[&str]| {
        let done = Command::new(program).args(arguments).current_dir(dir).output().unwrap();
        assert!(done.status.success(), "{program}: {done:?}");
        String::from_utf8(done.stdout).unwrap().trim().to_owned()
    };
    fs::write(dir.join("signed.example"), zone("signed.example")).unwrap();
    fs::write(dir.join("plain.example"), zone("plain.example")).unwrap();
    let key = run("ldns-keygen", &["-a", "ECDSAP256SHA256", "-k", "signed.example"]);
    run("ldns-signzone", &["-f", "signed.zone", "signed.example", &key]);
    let signed = fs::read_to_string(dir.join("signed.zone")).unwrap();
    assert!(signed.contains("192.0.2.8"), "{signed}");
    fs::write(dir.join("signed.zone"), signed.replace("192.0.2.8", "192.0.2.66")).unwrap();
    format!("{key}.key")
}

#[test]
fn what_unbound_has_validated_reaches_a_client_that_asks_for_it() {
    let test = "Unbound beside us";
    if !has(test, &["unbound", "nsd", "ldns-keygen", "ldns-signzone"]) {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let anchor = sign(dir.path());
    let (authority, validator, place) = (free_port(), free_port(), dir.path().display());
    let nsd = format!(
        "server:\n ip-address: 127.0.0.1@{authority}\n server-count: 1\n username: \"\"\n \
         zonesdir: \"{place}\"\n database: \"\"\n pidfile: \"{place}/nsd.pid\"\n \
         xfrdfile: \"{place}/xfrd.state\"\n xfrdir: \"{place}\"\n zonelistfile: \"{place}/zone.list\"\n\
         remote-control:\n control-enable: no\n\
         zone:\n name: signed.example\n zonefile: signed.zone\n\
         zone:\n name: plain.example\n zonefile: plain.example\n"
    );
    let stub =
        |name: &str| format!("stub-zone:\n name: {name}\n stub-addr: 127.0.0.1@{authority}\n");
    let recipe = recipe();
    let (address, root) =
        ("127.0.0.1@5335", "auto-trust-anchor-file: \"/var/lib/unbound/root.key\"");
    assert!(recipe.contains(address) && recipe.contains(root), "{recipe}");
    let unbound = recipe
        .replace(address, &format!("127.0.0.1@{validator}"))
        .replace(root, &format!("trust-anchor-file: \"{place}/{anchor}\""))
        + &format!(
            "    access-control: 127.0.0.0/8 allow\n    do-not-query-localhost: no\n    chroot: \"\"\n    \
             username: \"\"\n    directory: \"{place}\"\n    pidfile: \"{place}/unbound.pid\"\n    \
             use-syslog: no\n    do-daemonize: no\n    num-threads: 1\n\
             remote-control:\n    control-enable: no\n"
        )
        + &stub("signed.example")
        + &stub("plain.example");
    let started = |program: &str, text: String| {
        let path = dir.path().join(format!("{program}.conf"));
        fs::write(&path, text).unwrap();
        Tool::start(program, &["-d", "-c", path.to_str().unwrap()])
    };
    let _nsd = started("nsd", nsd);
    let _unbound = started("unbound", unbound);
    let at_unbound = ([127, 0, 0, 1], validator).into();
    eventually("Unbound validates", || {
        let reply = Ask::new("www.signed.example", "A").authentic_data().send(at_unbound)?;
        reply.is_authentic().then_some(())
    });

    let config = format!("{TWO_GROUPS}{TWO_PROFILES}");
    let gateway = Gateway::plan(&config).fill("upstream", &validator.to_string()).start();
    let ask = |name: &str| Ask::new(name, "A").from(PUPIL);
    // Fresh and from the cache; with AD, with DO, with both; never to a client that did not ask.
    for _ in 0..2 {
        let plain = ask("www.signed.example").expect(gateway.dns);
        assert_eq!(
            (plain.answers(), plain.is_authentic()),
            (vec!["A 192.0.2.7".to_owned()], false)
        );
        assert!(ask("www.signed.example").authentic_data().expect(gateway.dns).is_authentic());
        let proven = ask("www.signed.example").dnssec_ok().expect(gateway.dns);
        assert!(proven.is_authentic());
        assert!(
            proven.answers().iter().any(|record| record.starts_with("RRSIG ")),
            "{:?}",
            proven.answers()
        );
        // No zone of a chain of trust: an answer, without AD.
        let insecure = ask("www.plain.example").authentic_data().expect(gateway.dns);
        assert_eq!((insecure.rcode().as_str(), insecure.is_authentic()), ("NOERROR", false));
        // What was changed on its way is no answer, and the client is told why.
        let bogus = ask("broken.signed.example").dnssec_ok().expect(gateway.dns);
        assert_eq!((bogus.rcode().as_str(), bogus.answers()), ("SERVFAIL", Vec::new()));
    }
}
