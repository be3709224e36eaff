//! A start without a list: the gateway answers, filters by what is there, and closes what
//! must not be open (decision 0007).

use std::net::Ipv4Addr;

use crate::support::{
    Answer, Ask, Gateway, PUPIL, STAFF, TWO_GROUPS, TWO_PROFILES, Upstream, eventually,
};

const ADULT: &str = r#"
[[lists.source]]
category = "adult"
path = "adult.txt"
"#;

fn config(sources: &str) -> String {
    format!("{TWO_GROUPS}{TWO_PROFILES}{sources}")
}

fn ask(gateway: &Gateway, name: &str, from: &str) -> Answer {
    Ask::new(name, "A").from(from).edns(1232).expect(gateway.dns)
}

fn resolves(gateway: &Gateway, name: &str, from: &str) -> bool {
    ask(gateway, name, from).answers() == [format!("A {}", Ipv4Addr::new(192, 0, 2, 1))]
}

#[test]
fn a_missing_list_closes_its_category_until_it_is_back() {
    let upstream = Upstream::start();
    let sources = format!("{ADULT}\n[[lists.source]]\ncategory = \"safe\"\npath = \"safe.txt\"\n");
    let gateway = Gateway::plan(&config(&sources))
        .upstream(&upstream)
        .file("safe.txt", "school.example\n")
        .start();
    for qtype in ["A", "AAAA", "HTTPS", "MX", "TXT"] {
        let answer = Ask::new("www.example.com", qtype).from(PUPIL).edns(1232).expect(gateway.dns);
        assert_eq!(answer.rcode(), "NXDOMAIN", "{qtype}");
        assert_eq!(answer.ede().map(|(code, _)| code), Some(14), "{qtype}");
        assert!(answer.soa().is_some() && answer.ttls() == [10], "{:?}", answer.ttls());
    }
    // Without OPT there is no OPT.
    assert!(!Ask::new("www.example.com", "A").from(PUPIL).expect(gateway.dns).has_opt());
    // Essential and good names, and the group that does not block the category.
    assert!(resolves(&gateway, "pool.ntp.org", PUPIL));
    assert!(resolves(&gateway, "tongdai111.vn", PUPIL));
    assert!(resolves(&gateway, "www.school.example", PUPIL));
    assert!(resolves(&gateway, "www.example.com", STAFF));
    // Canaries stay negative.
    assert_eq!(ask(&gateway, "mask.icloud.com", PUPIL).ede().map(|(code, _)| code), Some(15));
    let closed = [("category", "adult"), ("mode", "closed")];
    gateway.expect_metric("lachan_fail_mode", &closed, 1.0);
    gateway.expect_metric("lachan_list_sources_left_out", &[], 1.0);
    let labels = [("group", "pupils"), ("category", "adult"), ("source", "fail-mode")];
    gateway.expect_metric("lachan_blocked_total", &labels, 6.0);
    gateway.expect_log("going on without `adult.txt`");
    gateway.expect_log("there is no list: closed");

    std::fs::write(gateway.dir().join("adult.txt"), "bad.example\n").unwrap();
    eventually("the list is back", || resolves(&gateway, "www.example.com", PUPIL).then_some(()));
    assert_eq!(ask(&gateway, "bad.example", PUPIL).ede().map(|(code, _)| code), Some(15));
    gateway.expect_metric("lachan_fail_mode", &closed, 0.0);
    gateway.expect_metric("lachan_list_sources_left_out", &[], 0.0);
}

#[test]
fn a_torn_list_of_another_category_is_left_open_and_told() {
    let upstream = Upstream::start();
    let sources = "\n[[lists.source]]\ncategory = \"games\"\npath = \"games.txt\"\n\
        [[lists.source]]\ncategory = \"adult\"\npath = \"adult.txt\"\n";
    let gateway = Gateway::plan(&config(sources))
        .upstream(&upstream)
        .file("games.txt", "<!DOCTYPE html>\n<html></html>\n")
        .file("adult.txt", "bad.example\n")
        .start();
    assert!(resolves(&gateway, "www.example.com", PUPIL));
    assert_eq!(ask(&gateway, "bad.example", PUPIL).rcode(), "NXDOMAIN");
    gateway.expect_metric("lachan_fail_mode", &[("category", "games"), ("mode", "open")], 1.0);
    gateway.expect_metric("lachan_fail_mode", &[("category", "adult"), ("mode", "closed")], 0.0);
    gateway.expect_log("web page");
}

#[test]
fn a_category_is_closed_or_open_as_the_config_says() {
    let upstream = Upstream::start();
    let modes = "\n[fail_mode]\nadult = \"open\"\ngames = \"closed\"\n";
    let gateway = Gateway::plan(&config(&format!("{modes}{ADULT}"))).upstream(&upstream).start();
    assert!(resolves(&gateway, "www.example.com", PUPIL));
    drop(gateway);
    let games = ADULT.replace("adult", "games");
    let gateway = Gateway::plan(&config(&format!("{modes}{games}"))).upstream(&upstream).start();
    assert_eq!(ask(&gateway, "www.example.com", PUPIL).ede().map(|(code, _)| code), Some(14));
}

#[test]
fn a_starter_list_is_the_last_list_there_is() {
    let upstream = Upstream::start();
    let config = config(ADULT).replace("starter = false", "starter = true");
    let gateway = Gateway::plan(&config).upstream(&upstream).start();
    assert!(resolves(&gateway, "www.example.com", PUPIL));
    assert_eq!(ask(&gateway, "adult.test.lachan.example", PUPIL).rcode(), "NXDOMAIN");
    gateway.expect_metric("lachan_fail_mode", &[("category", "adult"), ("mode", "closed")], 0.0);
    gateway.expect_metric("lachan_list_sources_left_out", &[], 1.0);
}

#[test]
fn a_list_that_goes_while_it_serves_stays_in_force() {
    let upstream = Upstream::start();
    let gateway = Gateway::plan(&config(ADULT))
        .upstream(&upstream)
        .file("adult.txt", "bad.example\n")
        .start();
    std::fs::remove_file(gateway.dir().join("adult.txt")).unwrap();
    gateway.reload();
    eventually("the reload is refused", || {
        (gateway.metrics().value("lachan_config_last_reload_success", &[]) == 0.0).then_some(())
    });
    assert_eq!(ask(&gateway, "bad.example", PUPIL).ede().map(|(code, _)| code), Some(15));
    assert!(resolves(&gateway, "www.example.com", PUPIL));
}

#[test]
fn no_list_of_sealed_names_closes_everything() {
    let upstream = Upstream::start();
    let csam = "\n[[lists.source]]\ncategory = \"csam\"\nformat = \"sealed\"\npath = \"csam.sealed\"\nkey = \"csam.key\"\n";
    let gateway = Gateway::plan(&config(csam)).upstream(&upstream).start();
    for client in [PUPIL, STAFF] {
        let answer = ask(&gateway, "www.example.com", client);
        assert_eq!(answer.ede().map(|(code, _)| code), Some(14));
        assert!(resolves(&gateway, "pool.ntp.org", client));
    }
    let labels = [("category", "protected"), ("mode", "closed")];
    gateway.expect_metric("lachan_fail_mode", &labels, 1.0);
}
