//! The department's releases on a gateway: taken, refused, used, left; and what their office sees.

mod apt;
mod cut;
mod disasters;
mod emergency;
mod enrolment;
mod export;
mod fetched;
mod fleet;
mod guide;
mod halfway;
mod judged;
mod office;
mod polled;
mod programs;
mod published;
mod refused;
mod rehearsal;
mod rotated;
mod services;
mod stored;
mod synced;
mod upgrade;
mod urgent;
pub(crate) mod watch;

use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::Value;

use crate::packs::build;
use crate::support::gateway::{LACHAN, Plan, run, said_in_json};
use crate::support::{Ask, Gateway, PUPIL, TWO_GROUPS, TWO_PROFILES, Upstream};

/// A gateway that is enrolled, with its state directory `state`.
fn plan(more: &str, upstream: &Upstream) -> Plan {
    plan_with(TWO_GROUPS, more, upstream)
}

/// The same with other settings of lists.
fn plan_with(groups: &str, more: &str, upstream: &Upstream) -> Plan {
    let config = format!(
        "{groups}{TWO_PROFILES}\n[state]\ndir = \"{{dir}}/state\"\n\
         [update]\nroot = \"root.json\"\n{more}"
    );
    Gateway::plan(&config).upstream(upstream).file("root.json", "{}")
}

fn is_blocked(gateway: &Gateway, name: &str) -> bool {
    Ask::new(name, "A").from(PUPIL).expect(gateway.dns).rcode() == "NXDOMAIN"
}

/// Makes generation `number` with release `serial` below a directory, as an update would.
fn make(dir: &Path, number: u64, serial: u64, names: &[&str], data: &[(&str, &str)]) {
    let generation = dir.join(format!("state/releases/{number}"));
    fs::create_dir_all(generation.join("data")).unwrap();
    fs::create_dir_all(generation.join("trust")).unwrap();
    private(&dir.join("state"));
    for memory in ["timestamp.json", "snapshot.json"] {
        fs::write(generation.join("trust").join(memory), "{}").unwrap();
    }
    build(&generation.join("release.pack"), names);
    for (file, text) in data {
        fs::write(generation.join("data").join(file), text).unwrap();
    }
    let description = serde_json::json!({
        "number": number, "serial": serial, "ring": "all", "min_release": 1, "signed_at": 0,
        "list_digest": "",         "is_digest_checked": true, "versions": {"timestamp": number},
    });
    fs::write(generation.join("generation.json"), description.to_string()).unwrap();
}

fn private(path: &Path) {
    use std::os::unix::fs::PermissionsExt as _;
    for one in [path.to_owned(), path.join("releases")] {
        fs::set_permissions(one, fs::Permissions::from_mode(0o700)).unwrap();
    }
}

/// Points to a generation, with a mark beside.
fn point(dir: &Path, number: u64, release: u64) {
    let releases = dir.join("state/releases");
    fs::write(releases.join("current"), format!("{number}\n")).unwrap();
    let mark = serde_json::json!({
        "root": "", "versions": {"timestamp": number}, "release": release, "rejected": null,
    });
    fs::write(releases.join("mark.json"), mark.to_string()).unwrap();
}

/// Runs `lachan lists COMMAND CONFIG …`: the exit code, and all that was written.
fn lists(command: &str, config: &Path, more: &[&str]) -> (i32, String) {
    let mut program = Command::new(LACHAN);
    program.args(["lists", command]).arg(config).args(more).env_remove("STATE_DIRECTORY");
    let (status, text) = run(program);
    (status.code().unwrap(), text)
}

/// The same, whose JSON is the state of the update client.
fn state(command: &str, config: &Path, more: &[&str]) -> Value {
    let (code, text) = lists(command, config, &[more, &["--json"]].concat());
    assert_eq!(code, 0, "{text}");
    said_in_json(&text)
}
