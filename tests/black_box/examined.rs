//! `lachan doctor`: a machine whose gateway runs, and one on which things are wrong.

use std::net::{TcpListener, UdpSocket};
use std::process::Command;

use serde_json::Value;

use crate::support::gateway::{LACHAN, has_mounts, run, said_in_json};
use crate::support::ports::free_port;
use crate::support::{Gateway, Upstream};

/// A school whose pupils are filtered by the starter lists.
const SCHOOL: &str = "[school]\nid = \"truong\"\nlevel = \"lower-secondary\"\n\
                      [listen]\ndns = [\"127.0.0.1:{dns}\"]\n[admin]\nlisten = \"127.0.0.1:{admin}\"\n\
                      [upstream]\nservers = [\"udp://127.0.0.1:{upstream}\"]\n[state]\ndir = \"state\"\n";

/// Runs `lachan doctor --json`: its exit code and what it said.
fn doctor(mut command: Command, dir: &std::path::Path) -> (i32, Value) {
    command.args(["doctor", "--json", "--lang", "en", "--config"]).arg(dir.join("gateway.toml"));
    command.current_dir(dir).env_remove("RUST_LOG");
    let (status, said) = run(command);
    (status.code().unwrap(), said_in_json(&said))
}

/// The findings of a kind.
fn of<'a>(checkup: &'a Value, id: &str) -> Vec<&'a Value> {
    checkup["findings"].as_array().unwrap().iter().filter(|one| one["id"] == id).collect()
}

fn part<'a>(checkup: &'a Value, id: &str) -> &'a Value {
    checkup["parts"].as_array().unwrap().iter().find(|row| row["id"] == id).unwrap()
}

#[test]
fn a_school_that_is_well_is_green() {
    let upstream = Upstream::start();
    let gateway = Gateway::plan(SCHOOL).upstream(&upstream).start();
    let (code, checkup) = doctor(Command::new(LACHAN), gateway.dir());
    assert_eq!((code, checkup["state"].as_str()), (0, Some("ok")), "{checkup:#}");
    for id in ["gateway", "ports", "upstreams", "doh", "exposure", "lists", "certificates"] {
        assert_eq!(part(&checkup, id)["state"], "ok", "{checkup:#}");
    }
    assert!(part(&checkup, "gateway")["text"].as_str().unwrap().starts_with("lachan "));
    assert!(!checkup["unseen"].as_array().unwrap().is_empty());
    // The trial left nothing behind.
    let left = std::fs::read_dir(gateway.dir().join("state")).unwrap().flatten();
    assert!(left.map(|one| one.file_name()).all(|name| !name.to_string_lossy().contains("doctor")));
}

#[test]
fn a_gateway_that_does_not_run_is_examined_all_the_same() {
    let upstream = Upstream::start();
    let dead = free_port();
    let servers = format!("{{upstream}}\", \"udp://127.0.0.1:{dead}");
    let config = SCHOOL.replace("{upstream}", &servers);
    let mut gateway = Gateway::plan(&config).upstream(&upstream).start();
    let dns = gateway.dns;
    gateway.terminate();
    // Another program takes the port, by UDP and by TCP.
    let _taken = (UdpSocket::bind(dns).unwrap(), TcpListener::bind(dns).unwrap());
    let (code, checkup) = doctor(Command::new(LACHAN), gateway.dir());
    assert_eq!((code, checkup["is_answering"].as_bool()), (3, Some(false)), "{checkup:#}");
    assert_eq!(of(&checkup, "gateway_silent").len(), 1, "{checkup:#}");
    let held = of(&checkup, "port_held");
    assert_eq!(held.len(), 1, "{checkup:#}");
    assert_eq!(held[0]["subject"], dns.to_string());
    let why = held[0]["why"].as_str().unwrap();
    let own = format!("({})", std::process::id());
    assert!(why.contains(&own) && why.contains("UDP") && why.contains("TCP"), "{why}");
    let down = of(&checkup, "upstream_down");
    assert_eq!(down.len(), 1, "{checkup:#}");
    assert_eq!(down[0]["subject"], format!("udp://127.0.0.1:{dead}"));
}

#[test]
fn a_gateway_that_is_not_answered_by_is_no_program_to_be_disabled() {
    let upstream = Upstream::start();
    let gateway = Gateway::plan(SCHOOL).upstream(&upstream).start();
    let path = gateway.dir().join("gateway.toml");
    let text = std::fs::read_to_string(&path).unwrap();
    let (before, rest) = text.split_once("[admin]\nlisten = \"127.0.0.1:").unwrap();
    let (_, after) = rest.split_once('"').unwrap();
    // Another admin address acts at the next start.
    let moved = format!("{before}[admin]\nlisten = \"127.0.0.1:{}\"{after}", free_port());
    std::fs::write(gateway.dir().join("moved.toml"), moved).unwrap();
    let mut command = Command::new(LACHAN);
    command.args(["doctor", "--json", "--lang", "en", "--config", "moved.toml"]);
    command.current_dir(gateway.dir()).env_remove("RUST_LOG");
    let (status, said) = run(command);
    let checkup = said_in_json(&said);
    assert_eq!(status.code(), Some(3), "{checkup:#}");
    assert_eq!(of(&checkup, "port_held").len(), 0, "{checkup:#}");
    let stale = of(&checkup, "stale_gateway");
    assert_eq!(stale.len(), 1, "{checkup:#}");
    assert_eq!(stale[0]["subject"], gateway.dns.to_string());
    assert!(stale[0]["why"].as_str().unwrap().starts_with("lachan ("), "{checkup:#}");
    assert!(stale[0]["remedy"].as_str().unwrap().contains("restart"), "{checkup:#}");
}

#[test]
fn the_port_of_the_portal_is_looked_at() {
    let [dns, admin, upstream] = [(); 3].map(|()| free_port());
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let portal = taken.local_addr().unwrap();
    let ports = [("{dns}", dns), ("{admin}", admin), ("{upstream}", upstream)];
    let filled = ports
        .iter()
        .fold(SCHOOL.to_owned(), |text, (name, port)| text.replace(name, &port.to_string()));
    let dir = tempfile::tempdir().unwrap();
    let config =
        format!("{filled}[portal]\nlisten = [\"{portal}\"]\naddresses = [\"127.0.0.1\"]\n");
    std::fs::write(dir.path().join("gateway.toml"), config).unwrap();
    let (_, checkup) = doctor(Command::new(LACHAN), dir.path());
    let held = of(&checkup, "port_held");
    assert_eq!(held.len(), 1, "{checkup:#}");
    assert_eq!(held[0]["subject"], portal.to_string());
}

#[test]
fn what_is_wrong_with_config_and_files_is_found() {
    let upstream = Upstream::start();
    let config = format!(
        "{}[lists]\nstarter = false\n[[listen.tls]]\ncertificate = \"c.pem\"\nkey = \"k.pem\"\n",
        SCHOOL.replace("[admin]", "doh = [\"127.0.0.1:{doh}\"]\nallow = [\"0.0.0.0/0\"]\n[admin]")
    );
    let made = |dir: &std::path::Path| {
        let mut params =
            rcgen::CertificateParams::new(vec!["dns.school.example".to_owned()]).unwrap();
        [params.not_before, params.not_after] =
            [2020, 2021].map(|year| rcgen::date_time_ymd(year, 1, 1));
        let key = rcgen::KeyPair::generate().unwrap();
        std::fs::write(dir.join("c.pem"), params.self_signed(&key).unwrap().pem()).unwrap();
        std::fs::write(dir.join("k.pem"), key.serialize_pem()).unwrap();
    };
    let gateway = Gateway::plan(&config)
        .upstream(&upstream)
        .fill("doh", &free_port().to_string())
        .made(made)
        .start();
    let (code, checkup) = doctor(Command::new(LACHAN), gateway.dir());
    assert_eq!((code, checkup["state"].as_str()), (1, Some("degraded")), "{checkup:#}");
    assert_eq!(of(&checkup, "certificate_unusable").len(), 1, "{checkup:#}");
    assert_eq!(of(&checkup, "open_allow").len(), 1, "{checkup:#}");
    let open = of(&checkup, "doh_open");
    assert!(open[0]["why"].as_str().unwrap().contains("dns.google"), "{checkup:#}");
    assert_eq!(of(&checkup, "no_lists").len(), 1, "{checkup:#}");
}

#[test]
fn a_read_only_disk_and_a_second_resolver_are_seen() {
    if !has_mounts() {
        eprintln!("skipped: no mounts of one's own here");
        return;
    }
    let upstream = Upstream::start();
    let gateway = Gateway::plan(SCHOOL).upstream(&upstream).start();
    let mut command = Command::new("unshare");
    let mounts = "mount -t tmpfs none /run && mkdir -p /run/systemd/netif/leases && \
                  printf 'ADDRESS=127.0.0.1\\nSERVER_ADDRESS=10.9.9.1\\nDNS=127.0.0.1 10.9.9.9\\n' \
                  >/run/systemd/netif/leases/2 && \
                  mount --bind state state && mount -o remount,bind,ro state && exec \"$0\" \"$@\"";
    command.args(["--mount", "--", "sh", "-c", mounts, LACHAN]);
    let (code, checkup) = doctor(command, gateway.dir());
    assert_eq!(code, 1, "{checkup:#}");
    assert_eq!(of(&checkup, "disk_read_only").len(), 1, "{checkup:#}");
    let second = of(&checkup, "second_resolver");
    assert_eq!(second[0]["subject"], "10.9.9.9", "{checkup:#}");
    assert!(second[0]["why"].as_str().unwrap().contains("10.9.9.1"), "{checkup:#}");
}

#[test]
fn a_config_that_cannot_be_used_is_told_and_nothing_is_examined() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("gateway.toml"), "[listen]\ndns = [\"nowhere\"]\n").unwrap();
    let mut command = Command::new(LACHAN);
    command.args(["doctor", "--config"]).arg(dir.path().join("gateway.toml"));
    let (status, said) = run(command);
    assert_eq!(status.code(), Some(3), "{said}");
    assert!(said.contains("gateway.toml:2:8"), "{said}");
}
