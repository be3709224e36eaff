//! Guarded names: no list takes away by mistake what schools need; `accept` says that it is meant.

use std::process::Command;

use crate::packs::build_with_reason;
use crate::support::gateway::{LACHAN, run};
use crate::support::{Ask, Canned, Gateway, PUPIL, TWO_GROUPS, TWO_PROFILES, Upstream};

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
    gateway.expect_log("rules=1");
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
        gateway.expect_log("without effect, they would block what schools need");
    }
}

#[test]
fn a_rule_about_more_than_a_name_spares_guarded_names_alone() {
    let list = "/goo+gle/\n||*.gov.vn^$denyallow=a.gov.vn\n||bing.com^$dnstype=A|AAAA\n\
                *$dnstype=A,denyallow=com|net|org|vn|test\n|vnex\n/^[a-z]{6}\\.net$/$important\n";
    let open = [
        "google.com",
        "www.google.com",
        "gemini.google.com",
        "moet.gov.vn",
        "x.gov.vn",
        "bing.com",
        "www.bing.com",
        "github.io",
        "us.zoom.us",
        "vnexpress.net",
        "time.nist.gov",
    ];
    let blocked = ["google.example", "gooogle.com", "vnexam.test", "bad.example", "abcdef.net"];
    let gateway = expect("adblock", list, "", &open, &blocked);
    let log = gateway.log();
    assert!(log.contains("/goo+gle/ (google.com, ") && log.contains("rules=6"), "{log}");
    // The others of a name are told as well, and the rule acts where it is meant.
    let keys = "accept = [\"google.com\", \"gov.vn\"]";
    let open = ["bing.com", "github.io", "vnexpress.net", "google.com.vn"];
    let blocked = ["google.com", "docs.google.com", "google.example", "moet.gov.vn"];
    expect("adblock", list, keys, &open, &blocked);
}

#[test]
fn a_zone_for_every_name_spares_guarded_names() {
    let zone =
        "$TTL 60\n@ SOA a. b. 1 1 1 1 1\n@ NS a.\n* CNAME .\nfine.example CNAME rpz-passthru.\n";
    let open = ["google.com", "docs.google.com", "moet.gov.vn", "pool.ntp.org", "fine.example"];
    let blocked = ["ntp.org", "example.com", "other.gov.vn"];
    let gateway = expect("rpz", zone, "", &open, &blocked);
    gateway.expect_log("* (");
    let open = ["pool.ntp.org", "moet.gov.vn", "fine.example"];
    let blocked = ["docs.google.com", "google.com", "example.com"];
    expect("rpz", zone, "accept = [\"google.com\"]", &open, &blocked);
}

#[test]
fn keywords_do_not_look_at_guarded_names() {
    let upstream = Upstream::start();
    let rules = "block gambling *wiki*\nblock gambling *naughty*\ntld block gambling us\n\
                 protect google.com\nblock gambling *googl*\n";
    let config = |accept: &str| {
        format!("{TWO_GROUPS}{TWO_PROFILES}").replace(
            "starter = false",
            &format!("starter = false\nkeywords = \"words.txt\"\n{accept}"),
        )
    };
    let config_of = |accept: &str| {
        let config = config(accept).replace("use_keywords = false", "");
        Gateway::plan(&config).upstream(&upstream).file("words.txt", rules).start()
    };
    let gateway = config_of("");
    for open in ["wikipedia.org", "vi.wikipedia.org", "zoom.us", "us02web.zoom.us", "google.com"] {
        assert!(!is_blocked(&gateway, open), "{open}");
    }
    for blocked in
        ["wikibet.example", "naughty.wikipedia.org", "other.us", "naughty.zoom.us", "googler.vn"]
    {
        assert!(is_blocked(&gateway, blocked), "{blocked}");
    }
    let log = gateway.log();
    assert!(log.contains("keywords: without effect") && log.contains("*wiki* ("), "{log}");
    let gateway = config_of("accept = [\"wikipedia.org\"]\n");
    assert!(is_blocked(&gateway, "vi.wikipedia.org") && !is_blocked(&gateway, "zoom.us"));
}

/// Top-level domains with something below them that schools need.
const NEEDED: [&str; 8] = ["com", "net", "org", "edu", "gov", "int", "arpa", "vn"];

#[test]
fn no_list_closes_a_domain_below_which_schools_have_what_they_need() {
    let open: Vec<String> = NEEDED.iter().map(|tld| format!("any.{tld}")).collect();
    let open: Vec<&str> = open.iter().map(String::as_str).collect();
    let all = |line: fn(&str) -> String| -> String { NEEDED.iter().map(|tld| line(tld)).collect() };
    let blocked = ["any.zip", "bad.example"];
    let lists = [
        ("adblock", all(|tld| format!("||{tld}^\n")) + "||zip^\n||bad.example^\n"),
        ("dnsmasq", all(|tld| format!("local=/{tld}/\n")) + "local=/zip/\nlocal=/bad.example/\n"),
        ("rpz", all(|tld| format!("*.{tld} CNAME .\n")) + "*.zip CNAME .\nbad.example CNAME .\n"),
    ];
    for (format, list) in lists {
        let gateway = expect(format, &list, "", &open, &blocked);
        gateway.expect_log("rules=8");
    }
    // A bare label is debris, and one that is meant has its way.
    expect("domains", "com\nvn\nzip\nbad.example\n", "", &open, &["bad.example"]);
    let list = "||vn^\n||bad.example^\n";
    let blocked = ["any.vn", "moet.gov.vn", "bad.example"];
    expect("adblock", list, "accept = [\"vn\"]", &["any.com"], &blocked);

    let dir = tempfile::tempdir().unwrap();
    let lines: Vec<String> = NEEDED.iter().map(|tld| format!("||{tld}^")).collect();
    let lines: Vec<&str> = lines.iter().map(String::as_str).chain(["||bad.example^"]).collect();
    build_with_reason(&dir.path().join("1.pack"), &lines, "a reason");
    let upstream = Upstream::start();
    let config = format!("{TWO_GROUPS}{TWO_PROFILES}").replace(
        "starter = false",
        &format!("starter = false\npacks = \"{}\"\n", dir.path().display()),
    );
    let gateway = Gateway::plan(&config).upstream(&upstream).start();
    assert!(is_blocked(&gateway, "bad.example"));
    for name in open {
        assert!(!is_blocked(&gateway, name), "{name}");
    }
}

#[test]
fn an_essential_name_answers_whatever_a_list_says() {
    let open = ["pool.ntp.org", "0.vn.pool.ntp.org", "time.windows.com", "ocsp.digicert.com"];
    let zone = "$TTL 60\n@ SOA a. b. 1 1 1 1 1\n@ NS a.\n";
    for (format, list) in [
        (
            "adblock",
            "||pool.ntp.org^\n||time.windows.com^$important\n||ocsp.digicert.com^\n".into(),
        ),
        ("adblock", "||ntp.org^\n/^ocsp\\./\n/time/\n".to_owned()),
        ("adblock", "*$dnstype=A\n".into()),
        (
            "rpz",
            format!("{zone}*.ntp.org CNAME .\ntime.windows.com CNAME .\n*.digicert.com CNAME .\n"),
        ),
        ("rpz", format!("{zone}* CNAME .\n")),
    ] {
        let gateway = expect(format, &list, "", &open, &[]);
        let told = "without effect, they would block what schools need";
        gateway.expect_log(told);
    }
}

#[test]
fn what_a_guarded_name_leads_to_is_not_taken_away_in_its_place() {
    let zone = "$TTL 60\n@ SOA a. b. 1 1 1 1 1\n@ NS a.\n* CNAME .\n";
    for (format, list) in
        [("rpz", zone), ("adblock", "/[a-z]/\n"), ("adblock", "*$dnstype=A|CNAME\n")]
    {
        let upstream = Upstream::start();
        for name in ["www.google.com", "time.windows.com", "other.example"] {
            let alias = format!("{name}. 60 CNAME edge.far.example.");
            let answer = vec![alias, "edge.far.example. 60 A 192.0.2.7".into()];
            upstream.answer(name, None, Canned { answer, ..Canned::default() });
        }
        let config = config("games", format, "");
        let gateway = Gateway::plan(&config).upstream(&upstream).file("list.txt", list).start();
        for open in ["www.google.com", "time.windows.com"] {
            assert!(!is_blocked(&gateway, open), "{list}: {open}");
        }
        assert!(is_blocked(&gateway, "other.example") && is_blocked(&gateway, "edge.far.example"));
    }
}
