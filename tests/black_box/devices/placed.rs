//! What names the group of a device beside its address: tokens by the command line, hardware addresses by
//! lease files and by the neighbour table of the kernel.

use std::os::unix::fs::PermissionsExt as _;
use std::process::Command;

use serde_json::Value;

use crate::support::api::Api;
use crate::support::gateway::{LACHAN, run, said_in_json};
use crate::support::namespace::{in_a_namespace, ip};
use crate::support::{Gateway, TWO_GROUPS, TWO_PROFILES, Upstream, eventually};

const STATE: &str = "\n[state]\ndir = \"state\"\n";

/// Two devices that the pupils' group names.
const ONE: &str = "a0:36:9f:00:00:01";
const TWO: &str = "a0:36:9f:00:00:02";

//------------ Tokens ----------------------------------------------------------

/// Runs `lachan token …` against a gateway: its exit code and output.
fn token(gateway: &Gateway, arguments: &str) -> (Option<i32>, String) {
    let mut command = Command::new(LACHAN);
    command.current_dir(gateway.dir()).arg("token").args(arguments.split(' '));
    command.args(["--config", "gateway.toml"]);
    let (status, output) = run(command);
    (status.code(), output)
}

/// The JSON of a command that must end well.
fn told(gateway: &Gateway, arguments: &str) -> Value {
    let (code, output) = token(gateway, &format!("{arguments} --json"));
    assert_eq!(code, Some(0), "{output}\n{}", gateway.log());
    said_in_json(&output)
}

fn secret(issued: &Value) -> String {
    let secret = issued["token"].as_str().unwrap();
    let is_base64url = |octet: u8| octet.is_ascii_alphanumeric() || b"-_".contains(&octet);
    assert!(secret.len() == 22 && secret.bytes().all(is_base64url), "{issued}");
    assert_eq!(issued["path"], format!("/dns-query/{secret}"));
    secret.to_owned()
}

/// The names of all tokens.
fn names(gateway: &Gateway) -> Vec<String> {
    let listed = told(gateway, "list");
    let tokens = listed["tokens"].as_array().unwrap().iter();
    tokens.map(|token| token["name"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn tokens_are_shown_once_stored_as_hashes_and_changed_at_once() {
    let upstream = Upstream::start();
    let config = format!("{TWO_GROUPS}{TWO_PROFILES}{STATE}");
    let mut gateway = Gateway::plan(&config).upstream(&upstream).log_filter("debug").start();
    assert_eq!(token(&gateway, "list").0, Some(0));
    let issued = told(&gateway, "add --group staff --name laptops");
    assert_eq!((&issued["group"], &issued["is_kept"]), (&"staff".into(), &true.into()));
    let mut secrets = vec![secret(&issued)];
    secrets.push(secret(&told(&gateway, "add --group pupils --name tablets")));

    // What is wrong says what there is.
    for (arguments, says) in [
        ("add --group nobody --name x", "pupils, staff"),
        ("add --group staff --name laptops", "token rotate laptops"),
        ("add --group staff --name A/b", "`a` to `z`"),
        ("rotate nothing", "laptops, tablets"),
        ("revoke nothing", "laptops, tablets"),
        ("rotate laptops --keep-old 121d", "120"),
    ] {
        let (code, output) = token(&gateway, arguments);
        assert!(code == Some(1) && output.contains(says), "{arguments}: {code:?} {output}");
    }
    assert_eq!(token(&gateway, "rotate laptops --keep-old soon").0, Some(2));

    // Another secret; the one before ends now, or later.
    let rotated = told(&gateway, "rotate laptops --keep-old 14d");
    let (created, until) = (&rotated["created"], &rotated["old_until"]);
    assert_eq!(until.as_u64().unwrap() - created.as_u64().unwrap(), 14 * 86_400);
    secrets.push(secret(&rotated));
    let rotated = told(&gateway, "rotate laptops");
    assert_eq!(rotated["old_until"], Value::Null);
    secrets.push(secret(&rotated));
    assert_eq!(names(&gateway), ["laptops", "tablets"]);
    assert_eq!(told(&gateway, "revoke tablets")["name"], "tablets");
    assert_eq!(names(&gateway), ["laptops"]);

    // A restart keeps what there is.
    let earlier = gateway.log();
    gateway.terminate();
    let gateway = gateway.restart();
    assert_eq!(names(&gateway), ["laptops"]);

    // The file is its owner's, and no secret is in any file or in the log.
    let state = gateway.dir().join("state");
    let mode = std::fs::metadata(state.join("tokens.json")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let mut ledger = String::new();
    for entry in std::fs::read_dir(&state).unwrap() {
        let path = entry.unwrap().path();
        let text = std::fs::read(&path).map(|octets| String::from_utf8_lossy(&octets).into_owned());
        let text = text.unwrap_or_default();
        assert!(!secrets.iter().any(|secret| text.contains(secret)), "{}", path.display());
        if path.ends_with("ledger.jsonl") {
            ledger = text;
        }
    }
    let log = earlier + &gateway.log();
    assert!(!secrets.iter().any(|secret| log.contains(secret)));

    // Each change, and the person that made it.
    let changes: Vec<Value> =
        ledger.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let of = |change: &Value| format!("{} {} {}", change["action"], change["who"], change["name"]);
    let changes: Vec<String> = changes.iter().map(|one| of(one).replace('"', "")).collect();
    assert_eq!(
        changes,
        [
            "add_token admin laptops",
            "add_token admin tablets",
            "rotate_token admin laptops",
            "rotate_token admin laptops",
            "revoke_token admin tablets",
        ]
    );
}

/// The ids of what is to be done.
fn findings(gateway: &Gateway) -> Vec<(String, String)> {
    let status = Api::of(gateway).status();
    let text = |of: &Value| of.as_str().unwrap().to_owned();
    let findings = status["findings"].as_array().unwrap().iter();
    findings.map(|one| (text(&one["id"]), format!("{} {}", one["subject"], one["why"]))).collect()
}

#[test]
fn a_token_of_a_group_that_is_gone_and_a_torn_file_are_findings() {
    let upstream = Upstream::start();
    let config = format!("{TWO_GROUPS}{TWO_PROFILES}{STATE}");
    let mut gateway = Gateway::plan(&config).upstream(&upstream).start();
    told(&gateway, "add --group staff --name laptops");
    let path = gateway.dir().join("gateway.toml");
    let text = std::fs::read_to_string(&path).unwrap();
    std::fs::write(&path, text.replace("name = \"staff\"", "name = \"teachers\"")).unwrap();
    eventually("a finding", || {
        findings(&gateway).iter().find(|(id, _)| id == "stray_token").map(|(_, of)| of.clone())
    });
    // Half of a file: none of it is believed, and it is not written over.
    let tokens = gateway.dir().join("state/tokens.json");
    let whole = std::fs::read(&tokens).unwrap();
    gateway.kill();
    std::fs::write(&tokens, &whole[..whole.len() / 2]).unwrap();
    let gateway = gateway.restart();
    assert!(findings(&gateway).iter().any(|(id, _)| id == "tokens_damaged"));
    let (code, output) = token(&gateway, "add --group pupils --name x");
    assert!(code == Some(1) && output.contains("tokens.json"), "{output}");
    assert_eq!(std::fs::read(&tokens).unwrap().len(), whole.len() / 2);
}

//------------ Hardware addresses ----------------------------------------------

/// A config whose pupils' group names two devices.
fn config(devices: &str) -> String {
    let named = format!("profile = \"pupils\"\nmacs = [\"{ONE}\", \"{TWO}\"]\n");
    let groups = TWO_GROUPS.replacen("profile = \"pupils\"\n", &named, 1);
    format!("{groups}{TWO_PROFILES}{STATE}\n[devices]\n{devices}\n")
}

/// Waits until so many addresses of named devices are known.
fn expect_known(gateway: &Gateway, count: f64) {
    gateway.expect_metric("lachan_device_addresses", &[], count);
}

#[test]
fn a_lease_file_is_read_at_each_change_and_an_odd_one_changes_nothing() {
    let upstream = Upstream::start();
    let config = config("neighbours = false\nleases = [\"dnsmasq.leases\"]");
    let lease = |mac: &str, address: &str| format!("1765000000 {mac} {address} * *\n");
    let first = lease(ONE, "127.0.20.5") + &lease("a0:36:9f:00:00:09", "127.0.20.9");
    let gateway = Gateway::plan(&config).upstream(&upstream).file("dnsmasq.leases", &first).start();
    expect_known(&gateway, 1.0);
    let path = gateway.dir().join("dnsmasq.leases");
    std::fs::write(&path, lease(ONE, "127.0.20.5") + &lease(TWO, "127.0.20.6")).unwrap();
    expect_known(&gateway, 2.0);

    // Not a lease file: what was read last holds, and the state says which line is wrong.
    std::fs::write(&path, lease(ONE, "127.0.20.5") + "ten past four\n").unwrap();
    let finding = eventually("a finding", || {
        findings(&gateway).into_iter().find(|(id, _)| id == "leases_unread")
    });
    assert!(finding.1.contains("dnsmasq.leases") && finding.1.contains('2'), "{finding:?}");
    expect_known(&gateway, 2.0);

    // A line that is being written is left for the next time.
    std::fs::write(&path, lease(ONE, "127.0.20.5") + "1765000000 a0:36:9f").unwrap();
    expect_known(&gateway, 1.0);
    assert!(findings(&gateway).iter().all(|(id, _)| id != "leases_unread"));

    // Replaced by another kind of file, as after a move to another DHCP server.
    let kea = format!(
        "address,hwaddr,client_id,valid_lifetime,expire,subnet_id,fqdn_fwd,fqdn_rev,hostname,state\n\
         127.0.20.5,{ONE},,3600,1765000000,1,0,0,,0\n127.0.20.6,{ONE},,3600,1765000000,1,0,0,,0\n"
    );
    let next = gateway.dir().join("next");
    std::fs::write(&next, kea).unwrap();
    std::fs::rename(&next, &path).unwrap();
    expect_known(&gateway, 2.0);

    // Nobody names a device any more: nothing is known.
    let path_of_config = gateway.dir().join("gateway.toml");
    let text = std::fs::read_to_string(&path_of_config).unwrap();
    let named = format!("macs = [\"{ONE}\", \"{TWO}\"]\n");
    std::fs::write(path_of_config, text.replace(&named, "")).unwrap();
    expect_known(&gateway, 0.0);

    let log = gateway.log();
    for shown in [ONE, TWO, "127.0.20.5"] {
        assert!(!log.contains(shown), "{log}");
    }
}

#[test]
fn neighbours_are_followed_in_a_namespace() {
    in_a_namespace("devices::placed::neighbours_are_followed_in_a_namespace", || {
        ip("link add wan0 type veth peer name far0");
        ip("link set wan0 up");
        ip("link set far0 up");
        let neighbour = |change: &str, address: &str, mac: &str| {
            ip(&format!("neighbour {change} {address} lladdr {mac} dev wan0 nud permanent"));
        };
        // One before the start, the others while it runs.
        neighbour("add", "10.20.0.5", ONE);
        neighbour("add", "10.20.0.9", "a0:36:9f:00:00:09");
        let upstream = Upstream::start();
        let lease = format!("1765000000 {TWO} 10.20.0.8 * *\n");
        let config = config("leases = [\"dnsmasq.leases\"]");
        let gateway = Gateway::plan(&config).upstream(&upstream).file("dnsmasq.leases", &lease);
        let gateway = gateway.start();
        expect_known(&gateway, 2.0);
        neighbour("add", "fd00:20::5", ONE);
        expect_known(&gateway, 3.0);
        // The address of the lease is another device's on the wire.
        neighbour("add", "10.20.0.8", "a0:36:9f:00:00:09");
        expect_known(&gateway, 2.0);
        neighbour("replace", "10.20.0.8", TWO);
        expect_known(&gateway, 3.0);
        // The kernel forgets; the device is where it was until another is seen there.
        ip("neighbour del 10.20.0.5 dev wan0");
        neighbour("add", "10.20.0.6", TWO);
        expect_known(&gateway, 4.0);
        neighbour("add", "10.20.0.5", "a0:36:9f:00:00:09");
        expect_known(&gateway, 3.0);
        assert!(findings(&gateway).iter().all(|(id, _)| id != "leases_unread"));
    });
}
