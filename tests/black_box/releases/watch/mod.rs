//! The watch over a rollout: a real repository, and a Prometheus that says what it is told.

pub(crate) mod prometheus;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use self::prometheus::{Prometheus, Said, Scraped, page, well};
use super::published::pack;
use crate::kit::repository::TestRepository;
use crate::support::gateway::{LACHAN, run, said_in_json};

/// A repository whose release 1 every school has been due for since long.
fn rolled_out() -> TestRepository {
    let office = TestRepository::new();
    office.release(&pack(&office, 1, &["one.example"]), &[]);
    let (path, online) = (office.text("repository"), office.text("online"));
    let rings = ["--release", "1", "--ring", "all=2026-01-01:100%"];
    office.publish(&[&["rollout", &path, "--online", &online][..], &rings].concat());
    office
}

/// Looks once; the exit code, and what was written.
fn look(office: &TestRepository, url: &str, more: &[&str]) -> (i32, String) {
    let mut command = Command::new(LACHAN);
    let (path, online) = (office.text("repository"), office.text("online"));
    command.args(["publish", "watch", &path, "--online", &online, "--prometheus", url, "--once"]);
    let (status, text) = run({
        command.args(more);
        command
    });
    (status.code().unwrap(), text)
}

fn look_json(office: &TestRepository, prometheus: &Prometheus) -> (i32, Value) {
    let (code, text) = look(office, &prometheus.url(), &["--json"]);
    (code, said_in_json(&text))
}

/// Every file of the metadata, with its octets.
fn files(office: &TestRepository) -> BTreeMap<PathBuf, Vec<u8>> {
    let all = fs::read_dir(office.path()).unwrap().map(|entry| entry.unwrap().path());
    all.filter(|path| path.is_file()).map(|path| (path.clone(), fs::read(&path).unwrap())).collect()
}

/// Six gateways with the release, six without.
fn fleet() -> Vec<Scraped> {
    [vec![well(1); 6], vec![well(0); 6]].concat()
}

fn with(change: impl Fn(usize, &mut Scraped)) -> Said {
    let mut all = fleet();
    all.iter_mut().enumerate().for_each(|(number, one)| change(number, one));
    Said::Gateways(all)
}

#[test]
fn a_release_that_gateways_refuse_is_halted_once_and_stays_halted() {
    let office = rolled_out();
    let prometheus = Prometheus::start(with(|_, _| ()));
    let before = files(&office);
    let (code, said) = look_json(&office, &prometheus);
    assert_eq!((code, said["state"].as_str()), (0, Some("fine")), "{said}");
    assert_eq!((said["release"].as_u64(), said["figures"].as_array().unwrap().len()), (Some(1), 3));
    // Those that did so before the rollout, and those that took it after all, are no reason.
    prometheus.says(with(|number, one| {
        one.refusals = u64::from(number == 0 || number == 7);
        one.refusals_before = u64::from(number == 7);
    }));
    assert_eq!(look_json(&office, &prometheus).1["state"], "fine");
    assert_eq!(files(&office), before, "a look writes nothing");
    prometheus.says(with(|number, one| one.refusals = u64::from(number == 8)));
    let (code, text) = look(&office, &prometheus.url(), &[]);
    assert!(code == 0 && text.contains("HALTED: no further school takes release 1"), "{text}");
    assert!(text.contains("1 of 7 gateways refused it or went back: 5 % or more"), "{text}");
    let halted = files(&office);
    assert_ne!(halted, before);
    // All is well again: nobody but a person goes on, and Prometheus is not asked.
    prometheus.says(with(|_, _| ()));
    let asked = prometheus.questions().len();
    let (code, said) = look_json(&office, &prometheus);
    assert_eq!((code, said["state"].as_str()), (0, Some("idle")), "{said}");
    assert_eq!((prometheus.questions().len(), files(&office)), (asked, halted));
    office.rollout(1);
    assert_eq!(look_json(&office, &prometheus).1["state"], "fine");
}

#[test]
fn silence_and_another_share_of_blocked_queries_halt_against_the_others() {
    let prometheus = Prometheus::start(with(|_, _| ()));
    for (bad, figure) in [
        (
            with(|number, one| one.is_heard = !(2..5).contains(&number)),
            "3 of 6 gateways with it are",
        ),
        (
            with(|number, one| one.blocked = if number < 3 { 0.6 } else { 0.2 }),
            "3 of 6 gateways with it b",
        ),
    ] {
        let office = rolled_out();
        // The whole province: nobody's release.
        prometheus.says(with(|number, one| {
            (one.is_heard, one.blocked) = if number % 2 == 0 { (false, 0.6) } else { (true, 0.2) };
        }));
        assert_eq!(look_json(&office, &prometheus).1["state"], "fine");
        prometheus.says(bad);
        let (code, text) = look(&office, &prometheus.url(), &["--gateways", "7"]);
        assert!(code == 0 && text.contains("too few to judge"), "{text}");
        let (code, text) = look(&office, &prometheus.url(), &[]);
        assert!(code == 0 && text.contains("HALTED") && text.contains(figure), "{text}");
        assert!(text.contains("0 of 6 without it: 25 points apart"), "{text}");
    }
}

#[test]
fn what_prometheus_does_not_say_halts_nothing_and_is_told() {
    let office = rolled_out();
    let before = files(&office);
    let bad = || {
        let Said::Gateways(all) = with(|_, one| (one.refusals, one.is_heard) = (1, false)) else {
            unreachable!()
        };
        all
    };
    let huge = "HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n{".to_owned();
    let moved = "HTTP/1.1 302 X\r\nLocation: ftp://x/\r\nContent-Length: 0\r\n\r\n".to_owned();
    let prometheus = Prometheus::start(Said::Gateways(Vec::new()));
    for (said, why) in [
        (Said::Gateways(Vec::new()), "knows of no gateway"),
        (Said::Odd(bad(), "NaN", 0), "knows of no gateway"),
        (Said::Odd(bad(), "1", 4000), "is of another time"),
        (Said::Raw(page("<html>log in</html>")), "is no answer of Prometheus"),
        (Said::Raw(page("")), "is no answer of Prometheus"),
        (Said::Raw(page(r#"{"status":"error","error":"too many"}"#)), "says: too many"),
        (Said::Raw("HTTP/1.1 500 X\r\nContent-Length: 0\r\n\r\n".into()), "the server says 500"),
        (Said::Raw(huge), "more than"),
        (Said::Raw(moved), "sends us to"),
        (Said::Raw("nonsense\r\n\r\n".into()), "does not keep to HTTP"),
    ] {
        prometheus.says(said);
        let (code, text) = look(&office, &prometheus.url(), &["--gateways", "1"]);
        assert!(code == 1 && text.contains(why), "{why}: {code} {text}");
        assert!(text.contains("Prometheus did not say all"), "{text}");
    }
    // Port 1 of this machine: nobody.
    let (code, text) = look(&office, "http://127.0.0.1:1", &["--json"]);
    assert_eq!((code, said_in_json(&text)["state"].as_str()), (1, Some("blind")), "{text}");
    assert!(text.contains("cannot be reached"), "{text}");
    let (code, _) = look(&office, "http://no-such-host.invalid", &[]);
    assert_eq!((code, files(&office)), (1, before));
    // What is known is judged all the same.
    let Said::Gateways(all) = with(|number, one| one.refusals = u64::from(number == 8)) else {
        unreachable!()
    };
    prometheus.says(Said::InPart(all));
    let (code, said) = look_json(&office, &prometheus);
    assert_eq!((code, said["state"].as_str()), (0, Some("halted")), "{said}");
    assert!(said["unread"]["blocked"].as_str().unwrap().contains("503"), "{said}");
}

#[test]
fn where_nothing_can_be_halted_nobody_is_asked() {
    let prometheus = Prometheus::start(with(|_, one| one.refusals = 1));
    let office = TestRepository::new();
    let (code, said) = look_json(&office, &prometheus);
    assert_eq!((code, said["state"].as_str()), (0, Some("idle")), "{said}");
    office.release(&pack(&office, 1, &["one.example"]), &[]);
    let (path, online) = (office.text("repository"), office.text("online"));
    let rings = ["--release", "1", "--ring", "all=+2d:100%"];
    office.publish(&[&["rollout", &path, "--online", &online][..], &rings].concat());
    let (code, said) = look_json(&office, &prometheus);
    assert_eq!((code, said["why"].as_str()), (0, Some("no ring has begun")), "{said}");
    // A wrong key is told at once, and not on the day on which it is needed.
    let officer = office.text("officer");
    let (code, text) = look(&office, &prometheus.url(), &[]);
    assert_eq!(code, 0, "{text}");
    let mut command = Command::new(LACHAN);
    let url = prometheus.url();
    command.args(["publish", "watch", &path, "--online", &officer, "--prometheus", &url, "--once"]);
    let (status, text) = run(command);
    assert!(status.code() == Some(3) && text.contains("is not the online key"), "{text}");
    for wrong in ["ftp://127.0.0.1", "127.0.0.1:9090", "http://a:b@127.0.0.1", "http://x/?q=1"] {
        assert_eq!(look(&office, wrong, &[]).0, 2, "{wrong}");
    }
    for wrong in ["0", "1.5", "-1", "NaN", "x"] {
        let ratio = format!("--ratio={wrong}");
        assert_eq!(look(&office, &url, &[&ratio]).0, 2, "{wrong}");
    }
    assert!(prometheus.questions().is_empty());
}

#[test]
fn the_unit_runs_a_command_that_there_is() {
    let unit =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("deploy/systemd/lachan-publish-watch.service");
    let unit = fs::read_to_string(unit).unwrap();
    let line = unit.lines().find_map(|line| line.strip_prefix("ExecStart=")).unwrap();
    let office = rolled_out();
    let prometheus = Prometheus::start(with(|_, _| ()));
    let words = line.split_whitespace().skip(1).map(|word| match word {
        "/srv/lachan/repository" => office.text("repository"),
        "/etc/lachan-publish/online.key" => office.text("online"),
        "http://127.0.0.1:9090" => prometheus.url(),
        word => word.to_owned(),
    });
    let mut command = Command::new(LACHAN);
    command.args(words);
    let (status, text) = run(command);
    assert!(status.success() && text.contains("release 1 goes on"), "{line}: {text}");
}
