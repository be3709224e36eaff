//! Sealed lists: names from an authority that block and cannot be read anywhere.
//!
//! Every list here comes from `lachan lists seal`; the names are made up.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, ExitStatus, Stdio};

use crate::support::gateway::{LACHAN, run};
use crate::support::{
    Ask, Canned, Gateway, PUPIL, STAFF, TWO_GROUPS, TWO_PROFILES, Upstream, eventually,
};

/// In every name that is sealed, and nowhere else.
const MARKER: &str = "zqsealed";

const SOURCE: &str = r#"
[[lists.source]]
category = "csam"
format = "sealed"
path = "authority.sealed"
key = "authority.key"
"#;

/// Seals `names` in `dir`; the status, and all that was said.
fn seal(dir: &Path, names: &str) -> (ExitStatus, String) {
    let file = dir.join("names.txt");
    fs::write(&file, names).unwrap();
    let mut command = Command::new(LACHAN);
    command.args(["lists", "seal", "--key", "authority.key", "--out", "authority.sealed"]);
    command.arg(&file).current_dir(dir).stdin(Stdio::null());
    let said = run(command);
    fs::remove_file(file).unwrap();
    said
}

/// A gateway beside a list of `names` that was sealed just now.
fn gateway(names: &str, upstream: &Upstream) -> Gateway {
    let scratch = tempfile::tempdir().unwrap();
    let (status, said) = seal(scratch.path(), names);
    assert!(status.success(), "{said}");
    let plan = Gateway::plan(&format!("{TWO_GROUPS}{TWO_PROFILES}{SOURCE}")).upstream(upstream);
    let dir = plan.config_path().parent().unwrap().to_owned();
    for file in ["authority.sealed", "authority.key"] {
        fs::copy(scratch.path().join(file), dir.join(file)).unwrap();
    }
    plan.start()
}

fn rcode(gateway: &Gateway, name: &str, client: &str) -> String {
    Ask::new(name, "A").from(client).expect(gateway.dns).rcode()
}

fn until(gateway: &Gateway, name: &str, rcode_wanted: &str) {
    eventually(name, || (rcode(gateway, name, PUPIL) == rcode_wanted).then_some(()));
}

#[test]
fn a_sealed_name_is_blocked_for_everyone_with_all_below_it() {
    let upstream = Upstream::start();
    let front = Canned {
        answer: vec!["front.example. 300 CNAME a.zqsealed.example.".into()],
        ..Canned::default()
    };
    upstream.answer("front.example", None, front);
    let gateway = gateway("# made up\nzqsealed.example\nZQSEALED-two.example\n", &upstream);
    for name in ["zqsealed.example", "www.ZQsealed.example", "a.b.zqsealed-two.example"] {
        for client in [PUPIL, STAFF] {
            let answer = Ask::new(name, "HTTPS").from(client).edns(1232).expect(gateway.dns);
            assert_eq!(answer.rcode(), "NXDOMAIN", "{name}");
            let (code, text) = answer.ede().unwrap();
            assert!(code == 15 && text.starts_with("ref=") && !text.contains("csam"), "{text}");
        }
    }
    // And an alias of one.
    assert_eq!(rcode(&gateway, "front.example", STAFF), "NXDOMAIN");
    assert_eq!(rcode(&gateway, "example", PUPIL), "NOERROR");
    assert_eq!(rcode(&gateway, "zqsealed-three.example", PUPIL), "NOERROR");
    let blocked = [("group", "staff"), ("category", "protected"), ("source", "list")];
    gateway.expect_metric("lachan_blocked_total", &blocked, 3.0);
    gateway.expect_metric("lachan_list_entries", &[("category", "protected")], 2.0);
}

#[test]
fn no_output_has_a_sealed_name() {
    let upstream = Upstream::start();
    let mut gateway = gateway("zqsealed.example\n", &upstream);
    assert_eq!(rcode(&gateway, "zqsealed.example", PUPIL), "NXDOMAIN");
    let (dir, config) = (gateway.dir().to_owned(), gateway.dir().join("gateway.toml"));
    let status = |path: &str| gateway.get(path).1;
    let mut seen = vec![status("/metrics"), status("/readyz"), status("/healthz")];
    gateway.reload();

    // What the process says to somebody who has no name to offer.
    for arguments in [["check", "--effective"], ["check", "--json"]] {
        let mut command = Command::new(LACHAN);
        command.args(arguments).arg(&config);
        seen.push(run(command).1);
    }
    // A list that fails to load, and one that fails to be sealed.
    let list = fs::read(dir.join("authority.sealed")).unwrap();
    fs::write(dir.join("authority.sealed"), &list[..list.len() - 1]).unwrap();
    gateway.expect_log("copy it again");
    let bad = "zqsealed..example\n192.0.2.1\nco.uk\nzqsealed example\nzqsealed/x.example\n";
    let scratch = tempfile::tempdir().unwrap();
    let (status, said) = seal(scratch.path(), bad);
    assert_eq!(status.code(), Some(3));
    assert!(said.contains("line 3: a public suffix") && said.contains("line 5: not a name"));
    assert!(!scratch.path().join("authority.key").exists(), "{said}");
    seen.push(said);

    gateway.terminate();
    seen.push(gateway.log());
    for text in seen {
        assert!(!text.to_lowercase().contains(MARKER), "{text}");
    }
    for file in fs::read_dir(&dir).unwrap() {
        let octets = fs::read(file.unwrap().path()).unwrap();
        assert!(!String::from_utf8_lossy(&octets).to_lowercase().contains(MARKER));
    }
}

#[test]
fn why_shows_the_list_and_not_the_entry() {
    let upstream = Upstream::start();
    let gateway = gateway("zqsealed.example\n", &upstream);
    let mut command = Command::new(LACHAN);
    command.args(["why", "a.b.zqsealed.example", "--json", "--config"]);
    command.arg(gateway.dir().join("gateway.toml"));
    let (_, said) = run(command);
    let said: serde_json::Value = serde_json::from_str(&said).unwrap();
    assert_eq!((&said["verdict"], &said["layer"]), (&"block".into(), &"illegal".into()));
    let rule = said["rule"].as_str().unwrap();
    assert!(rule.starts_with("csam#") && rule.len() == 13, "{said}");
    assert_eq!(said["list"], said["rule"]);
    // The question is the asker's own; which of its parents is listed is not told.
    assert_eq!(said.to_string().matches(MARKER).count(), 1, "{said}");
}

#[test]
fn a_sealed_list_is_reloaded_and_a_bad_one_keeps_the_old() {
    let upstream = Upstream::start();
    let gateway = gateway("one.example\n", &upstream);
    let dir = gateway.dir().to_owned();
    assert_eq!(rcode(&gateway, "one.example", PUPIL), "NXDOMAIN");

    let (status, said) = seal(&dir, "two.example\n");
    assert!(status.success() && said.contains("was there"), "{said}");
    until(&gateway, "two.example", "NXDOMAIN");
    assert_eq!(rcode(&gateway, "one.example", PUPIL), "NOERROR");

    // Another key: the pair does not fit.
    let key = fs::read(dir.join("authority.key")).unwrap();
    fs::write(dir.join("authority.key"), "ab".repeat(32)).unwrap();
    gateway.expect_log("another key");
    assert_eq!(rcode(&gateway, "two.example", PUPIL), "NXDOMAIN");
    gateway.expect_metric("lachan_config_last_reload_success", &[], 0.0);

    // A key that others may read.
    fs::write(dir.join("authority.key"), &key).unwrap();
    fs::set_permissions(dir.join("authority.key"), fs::Permissions::from_mode(0o640)).unwrap();
    gateway.expect_log("its mode is 0640");
    assert_eq!(rcode(&gateway, "two.example", PUPIL), "NXDOMAIN");

    fs::set_permissions(dir.join("authority.key"), fs::Permissions::from_mode(0o600)).unwrap();
    eventually("all well", || {
        (gateway.metrics().value("lachan_config_last_reload_success", &[]) > 0.0).then_some(())
    });
    assert!(!gateway.log().contains(&String::from_utf8(key).unwrap().trim().to_owned()));
}

#[test]
fn a_gateway_with_a_sealed_list_leaves_no_core_dump() {
    let upstream = Upstream::start();
    let gateway = gateway("one.example\n", &upstream);
    // Nor does one without: its memory has what was asked, and the clients.
    let open = crate::support::gateway_blocking(&["a.example"], &upstream);
    for process in [gateway.id(), open.id()] {
        let limits = fs::read_to_string(format!("/proc/{process}/limits")).unwrap();
        let core = limits.lines().find(|line| line.starts_with("Max core file size")).unwrap();
        let limits: Vec<&str> = core.split_whitespace().skip(4).take(2).collect();
        assert_eq!(limits, ["0", "0"], "{core}");
    }
}

#[test]
fn a_start_with_a_key_that_others_can_read_is_refused() {
    let scratch = tempfile::tempdir().unwrap();
    let (status, said) = seal(scratch.path(), "one.example\n");
    assert!(status.success() && said.contains("1 names sealed, csam#"), "{said}");
    let key = scratch.path().join("authority.key");
    assert_eq!(fs::metadata(&key).unwrap().permissions().mode() & 0o777, 0o600);
    fs::set_permissions(&key, fs::Permissions::from_mode(0o644)).unwrap();
    fs::write(scratch.path().join("gateway.toml"), SOURCE).unwrap();
    let mut command = Command::new(LACHAN);
    command.arg("check").arg(scratch.path().join("gateway.toml"));
    let (status, said) = run(command);
    assert_eq!(status.code(), Some(3));
    assert!(said.contains("its mode is 0644") && said.contains("chmod 600"), "{said}");
    // And `seal` does not use it either.
    let (status, said) = seal(scratch.path(), "one.example\n");
    assert!(status.code() == Some(3) && said.contains("0644"), "{said}");
}

#[test]
fn an_allow_of_a_sealed_name_is_void_and_names_neither() {
    let upstream = Upstream::start();
    let mut gateway = gateway("zqsealed.example\n", &upstream);
    let config = gateway.dir().join("gateway.toml");
    let text = fs::read_to_string(&config).unwrap();
    let allow = "[profile.pupils]\nallow = [\"zqsealed.example\"]";
    fs::write(&config, text.replace("[profile.pupils]", allow)).unwrap();
    eventually("the void allow", || {
        (gateway.metrics().value("lachan_void_allows", &[]) > 0.0).then_some(())
    });
    assert_eq!(rcode(&gateway, "zqsealed.example", PUPIL), "NXDOMAIN");
    gateway.terminate();
    let log = gateway.log();
    assert!(log.contains("a list that is not shown has it") && !log.contains(MARKER), "{log}");
}
