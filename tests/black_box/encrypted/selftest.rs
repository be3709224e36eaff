//! The gateway's test of itself over its encrypted listeners.

use std::fs;
use std::process::Command;

use serde_json::Value;

use super::{NAME, School, keep};
use crate::kit::server::{Authority, Certificate};
use crate::support::gateway::{LACHAN, run, said_in_json};
use crate::support::{Gateway, eventually};

/// The name by which devices of a group call the gateway.
const TABLETS: &str = "tablets.dns.school.example";

/// A third group, whose devices have a name for the gateway; the test runs by hand alone.
const MORE: &str = "\n[[group]]\nname = \"tablets\"\nserver_names = [\"tablets.dns.school.example\"]\n\
    profile = \"pupils\"\n\n[state]\ndir = \"state\"\n\n[selftest]\nevery = \"off\"\n";
/// The gateway's own name.
const OWN: &str = "names = [\"dns.school.example\"]";
/// Names on the list of the school.
const LISTED: &str = "bad.example\nadult.test.lachan.example\n";

fn selftest(gateway: &Gateway, arguments: &[&str]) -> (Option<i32>, String) {
    let mut command = Command::new(LACHAN);
    command.arg("selftest").args(arguments).args(["--config", "gateway.toml"]);
    let (status, said) = run({
        command.current_dir(gateway.dir());
        command
    });
    (status.code(), said)
}

fn tested(gateway: &Gateway) -> (Option<i32>, Value) {
    let (code, said) = selftest(gateway, &["--json"]);
    (code, said_in_json(&said))
}

/// The rows of a transport.
fn rows<'a>(run: &'a Value, transport: &str) -> Vec<&'a Value> {
    let rows = run["rows"].as_array().unwrap().iter();
    rows.filter(|row| row["transport"] == transport).collect()
}

/// Puts a certificate in the place of the one before, with those behind it.
fn renew(gateway: &Gateway, certificate: &Certificate, behind: &str) {
    let (chain, key) = certificate.pem();
    fs::write(gateway.dir().join("own.key"), key).unwrap();
    fs::write(gateway.dir().join("own.crt"), chain + behind).unwrap();
}

/// Waits until every row that a name was asked for by has this finding, and the others pass.
fn expect_found(gateway: &Gateway, server: Option<&str>, found: &str) {
    eventually(found, || {
        let (code, run) = tested(gateway);
        let own = [rows(&run, "dot"), rows(&run, "doh")].concat();
        let is_it = |row: &&Value| {
            let is_meant = server.is_none_or(|server| row["server_name"] == server);
            row["found"] == found && row["ok"] == false || !is_meant && row["ok"] == true
        };
        (code == Some(1) && own.iter().all(is_it)).then_some(())
    });
}

#[test]
fn each_listener_is_asked_as_devices_ask_and_counts_nothing() {
    let (plan, authority, _upstream, _) = School::plan(OWN, MORE);
    let certificate = authority.signs_all(&[NAME, TABLETS], [1975, 4096]);
    let gateway = keep(plan, "own", &certificate).file("adult.txt", LISTED).start();
    let (code, run) = tested(&gateway);
    assert_eq!((code, &run["failed"]), (Some(0), &0.into()), "{run:#}");
    for transport in ["dot", "doh"] {
        let found: Vec<String> = rows(&run, transport)
            .into_iter()
            .map(|row| {
                let text = |key: &str| row[key].as_str().unwrap().to_owned();
                let [kind, group, found] = ["kind", "group", "found"].map(text);
                format!("{kind} {group} {} {found}", text("server_name"))
            })
            .collect();
        assert_eq!(
            found,
            [
                format!("listener  {NAME} local"),
                format!("listener  {TABLETS} local"),
                format!("category pupils {NAME} blocked"),
                format!("essential pupils {NAME} open"),
                format!("essential staff {NAME} open"),
                format!("category tablets {TABLETS} blocked"),
                format!("essential tablets {TABLETS} open"),
            ],
            "{transport}"
        );
    }
    let metrics = gateway.metrics();
    for family in ["lachan_queries_total", "lachan_responses_total", "lachan_blocked_total"] {
        assert!(metrics.value(family, &[]).abs() < f64::EPSILON, "{family} counts the self-test");
    }
    gateway.expect_metric("lachan_selftest_rows", &[("result", "failed")], 0.0);
}

#[test]
fn a_certificate_that_devices_refuse_fails_by_its_cause() {
    let (plan, authority, _upstream, _) = School::plan(OWN, MORE);
    let both = [NAME, TABLETS];
    let certificate = authority.signs_all(&[NAME], [1975, 4096]);
    let gateway = keep(plan, "own", &certificate).file("adult.txt", LISTED).start();
    expect_found(&gateway, Some(TABLETS), "certificate-name");
    // In words, in the language of the school and in another.
    for (lang, said) in
        [("en", "certificate not for this name"), ("vi", "chứng chỉ không dành cho tên này")]
    {
        let (code, text) = selftest(&gateway, &["--lang", lang]);
        let row = text.lines().find(|line| line.contains(TABLETS)).unwrap();
        assert!(code == Some(1) && row.contains("/dot") && row.contains(said), "{text}");
    }
    renew(&gateway, &authority.signs_all(&both, [1975, 1980]), "");
    expect_found(&gateway, None, "certificate-dates");
    renew(&gateway, &authority.signs_all(&both, [1975, 4096]), &Authority::new().pem);
    expect_found(&gateway, None, "certificate-refused");
    // Whole, with the authority that signed it.
    renew(&gateway, &authority.signs_all(&both, [1975, 4096]), &authority.pem);
    eventually("a good certificate", || (tested(&gateway).0 == Some(0)).then_some(()));
}

#[test]
fn listeners_without_a_certificate_fail_and_plain_ones_do_not() {
    let (plan, authority, _upstream, _) = School::plan(OWN, MORE);
    let gateway = plan.file("adult.txt", LISTED).start();
    expect_found(&gateway, None, "no-certificate");
    let (_, run) = tested(&gateway);
    let plain = [rows(&run, "udp"), rows(&run, "tcp")].concat();
    // What has no list is unknown.
    assert!(plain.iter().all(|row| row["ok"] != false && row["server_name"].is_null()), "{run:#}");
    renew(&gateway, &authority.signs_all(&[NAME, TABLETS], [1975, 4096]), "");
    eventually("the certificate", || (tested(&gateway).0 == Some(0)).then_some(()));
}
