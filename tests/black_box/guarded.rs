//! Guarded names: no list takes away by mistake what schools need; who means it says so.

use std::process::Command;

use crate::packs::build_with_reason;
use crate::support::gateway::{LACHAN, run};
use crate::support::{Ask, Gateway, PUPIL, TWO_GROUPS, TWO_PROFILES, Upstream};

fn is_blocked(gateway: &Gateway, name: &str) -> bool {
    Ask::new(name, "A").from(PUPIL).expect(gateway.dns).rcode() == "NXDOMAIN"
}

/// A config with one list of a category, and more keys of it.
fn config(category: &str, format: &str, keys: &str) -> String {
    format!(
        "{TWO_GROUPS}{TWO_PROFILES}\n[[lists.source]]\ncategory = \"{category}\"\n\
         path = \"list.txt\"\nformat = \"{format}\"\n{keys}\n"
    )
}

/// What is open and what is blocked under a list of games.
fn expect(format: &str, list: &str, keys: &str, open: &[&str], blocked: &[&str]) -> Gateway {
    let upstream = Upstream::start();
    let config = config("games", format, keys);
    let gateway = Gateway::plan(&config).upstream(&upstream).file("list.txt", list).start();
    for name in open {
        assert!(!is_blocked(&gateway, name), "{format}: {name} is blocked");
    }
    for name in blocked {
        assert!(is_blocked(&gateway, name), "{format}: {name} is open");
    }
    gateway
}

#[test]
fn a_rule_for_a_guarded_name_or_a_parent_is_void_and_the_others_act() {
    let open = ["google.com", "www.google.com", "moet.gov.vn", "other.edu.vn", "pool.ntp.org"];
    let blocked = ["bad.example", "www.bad.example", "gemini.google.com"];
    let domains = "bad.example\ngoogle.com\ngov.vn\nedu.vn\nntp.org\ngemini.google.com\n";
    let gateway = expect("domains", domains, "", &open, &blocked);
    let log = gateway.log();
    let told = "list.txt: without effect, they would block what schools need:";
    assert!(log.contains(told) && log.contains("rules=4"), "{log}");
    let rules = "||bad.example^\n||google.com^$important\n||gov.vn^\n||edu.vn^\n||ntp.org^\n\
                 ||gemini.google.com^\n||com.vn^\n";
    expect("adblock", rules, "", &open, &blocked);
    let zone = "$TTL 60\n@ SOA a. b. 1 1 1 1 1\n@ NS a.\nbad.example CNAME .\n*.bad.example CNAME .\n\
                google.com CNAME .\n*.google.com CNAME .\n*.gov.vn CNAME .\n*.edu.vn CNAME *.\n\
                *.ntp.org CNAME .\n";
    expect("rpz", zone, "", &open, &blocked[..2]);
}

#[test]
fn who_means_it_says_so() {
    let list = "bad.example\ngoogle.com\nedu.vn\n";
    let keys = "accept = [\"google.com\"]";
    let blocked = ["google.com", "www.google.com", "bad.example"];
    let gateway = expect("domains", list, keys, &["other.edu.vn"], &blocked);
    assert!(gateway.log().contains("rules=1"), "{}", gateway.log());
    // A reload takes it back, though no list has changed.
    let path = gateway.dir().join("gateway.toml");
    let text = std::fs::read_to_string(&path).unwrap();
    std::fs::write(&path, text.replace(keys, "")).unwrap();
    crate::support::eventually("it is open again", || {
        (!is_blocked(&gateway, "google.com")).then_some(())
    });
    // What a school denies itself is no list.
    let upstream = Upstream::start();
    let config = config("games", "domains", "")
        .replace("[profile.pupils]", "[profile.pupils]\ndeny = [\"google.com\"]");
    let gateway = Gateway::plan(&config).upstream(&upstream).file("list.txt", list).start();
    assert!(is_blocked(&gateway, "google.com") && !is_blocked(&gateway, "moet.edu.vn"));
}

#[test]
fn a_check_tells_what_is_void_and_what_is_accepted_in_vain() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("gateway.toml");
    std::fs::write(dir.path().join("list.txt"), "bad.example\nmoet.gov.vn\n").unwrap();
    let source = |accept: &str| {
        format!(
            "[upstream]\nservers = [\"udp://127.0.0.1:9\"]\n[[lists.source]]\n\
             category = \"gambling\"\npath = \"list.txt\"\n{accept}"
        )
    };
    let check = |accept: &str| {
        std::fs::write(&path, source(accept)).unwrap();
        let mut command = Command::new(LACHAN);
        command.args(["check", "--strict"]).arg(&path);
        let (status, said) = run(command);
        (status.code().unwrap(), said)
    };
    let (code, said) = check("");
    assert_eq!(code, 3, "{said}");
    let told = "list.txt: 1 rules of `gambling` would block what schools need, and have no \
                effect on it: moet.gov.vn";
    assert!(said.contains(told) && said.contains("`accept`"), "{said}");
    assert_eq!(check("accept = [\"moet.gov.vn\"]\n").0, 0);
    let (code, said) = check("accept = [\"moet.gov.vn\", \"notguarded.example\"]\n");
    assert!(
        code == 3 && said.contains("`notguarded.example` in `accept` is not guarded"),
        "{said}"
    );
    let (code, said) = check("accept = [\"a b\"]\n");
    assert!(code == 3 && said.contains("accept"), "{said}");
}

#[test]
fn a_category_blocks_what_it_is_for() {
    let upstream = Upstream::start();
    let config = config("video", "domains", "")
        .replace("block = [\"adult\"", "block = [\"video\", \"adult\"");
    let list = "youtube.com\ngoogle.com\n";
    let gateway = Gateway::plan(&config).upstream(&upstream).file("list.txt", list).start();
    assert!(is_blocked(&gateway, "youtube.com") && is_blocked(&gateway, "m.youtube.com"));
    assert!(!is_blocked(&gateway, "google.com"));
}

#[test]
fn a_pack_cannot_take_them_away_either() {
    let upstream = Upstream::start();
    let dir = tempfile::tempdir().unwrap();
    let names = ["bad.example", "google.com", "gov.vn"];
    build_with_reason(&dir.path().join("1.pack"), &names, "a reason");
    for (accept, open) in [("", true), ("accept = [\"google.com\"]\n", false)] {
        let config = format!("{TWO_GROUPS}{TWO_PROFILES}").replace(
            "starter = false",
            &format!("starter = false\npacks = \"{}\"\n{accept}", dir.path().display()),
        );
        let gateway = Gateway::plan(&config).upstream(&upstream).start();
        assert!(is_blocked(&gateway, "bad.example"));
        assert_eq!(is_blocked(&gateway, "google.com"), !open);
        assert!(!is_blocked(&gateway, "moet.gov.vn"));
        assert!(gateway.log().contains("without effect, they would block what schools need"));
    }
}
