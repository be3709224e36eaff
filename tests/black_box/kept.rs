//! What outlives a damaged file, what is said of what does not, and with which rights root obeys it.

use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Command;

use crate::kit::data::skipped;
use crate::support::api::Api;
use crate::support::gateway::{LACHAN, run};
use crate::support::{
    Ask, Gateway, PUPIL, TWO_GROUPS, TWO_PROFILES, Upstream, eventually, exchange,
};

fn gateway(upstream: &Upstream) -> Gateway {
    Gateway::plan(&format!("{TWO_GROUPS}{TWO_PROFILES}\n[state]\ndir = \"state\"\n"))
        .upstream(upstream)
        .start()
}

fn rcode(gateway: &Gateway, name: &str) -> String {
    Ask::new(name, "A").from(PUPIL).expect(gateway.dns).rcode()
}

#[test]
fn an_exam_outlives_a_damaged_file_and_no_number_is_given_twice() {
    let upstream = Upstream::start();
    let mut gateway = gateway(&upstream);
    let (status, begun) = Api::of(&gateway).exam("pupils", "other.example").unwrap();
    assert_eq!(
        (status, begun["id"].as_u64(), begun["is_kept"].as_bool()),
        (201, Some(1), Some(true))
    );
    for damage in ["", "{\"next\": 1, \"overr", "\u{0}\u{0}\u{0}\u{0}"] {
        std::fs::write(gateway.dir().join("state/overrides.json"), damage).unwrap();
        gateway.terminate();
        gateway = gateway.restart();
        assert_eq!(Api::of(&gateway).id_for("pupils"), Some(1), "{damage:?}");
        assert_eq!(rcode(&gateway, "any.example"), "NXDOMAIN", "{damage:?}");
        gateway.expect_log("overrides are those of the ledger");
    }
    let (_, lesson) = Api::of(&gateway).lesson("staff", "some.example").unwrap();
    assert_eq!(lesson["id"].as_u64(), Some(2));
    // Without the ledger nothing is known, but that a number may have been given.
    for file in ["overrides.json", "ledger.jsonl"] {
        std::fs::write(gateway.dir().join("state").join(file), "torn").unwrap();
    }
    std::fs::remove_file(gateway.dir().join("state/ledger.jsonl")).unwrap();
    gateway.terminate();
    gateway = gateway.restart();
    let (_, lesson) = Api::of(&gateway).lesson("staff", "some.example").unwrap();
    assert!(lesson["id"].as_u64() > Some(1_000), "{lesson}");
}

#[test]
fn what_is_not_written_is_not_said_to_be_kept() {
    let upstream = Upstream::start();
    let gateway = gateway(&upstream);
    let state = gateway.dir().join("state");
    let lesson = |name: &str| Api::of(&gateway).lesson("staff", name).unwrap().1;
    assert_eq!(lesson("a.example")["is_kept"], true);
    let api = Api::of(&gateway);
    // A directory in the place of the file: it cannot be replaced, not by root either.
    std::fs::remove_file(state.join("overrides.json")).unwrap();
    std::fs::create_dir_all(state.join("overrides.json/in-the-way")).unwrap();
    let (status, begun) = api.lesson("staff", "b.example").unwrap();
    assert_eq!((status, &begun["is_kept"]), (201, &serde_json::Value::Bool(false)), "{begun}");
    std::fs::remove_dir_all(state.join("overrides.json")).unwrap();
    assert_eq!(api.lesson("staff", "c.example").unwrap().1["is_kept"], true);
    // A link in the place of the ledger leads the trail nowhere.
    let elsewhere = gateway.dir().join("elsewhere");
    std::fs::write(&elsewhere, "").unwrap();
    std::fs::remove_file(state.join("ledger.jsonl")).unwrap();
    std::os::unix::fs::symlink(&elsewhere, state.join("ledger.jsonl")).unwrap();
    assert_eq!(api.lesson("staff", "d.example").unwrap().0, 201);
    assert_eq!(std::fs::read_to_string(&elsewhere).unwrap(), "");
    eventually("the log comes by a pipe", || {
        gateway.log().contains("the change ledger cannot be written").then_some(())
    });
    // Nobody's lesson is all of a top-level domain.
    let (status, said) = api.lesson("staff", "com.vn").unwrap();
    assert_eq!(status, 422, "{said}");
}

/// The changes that a ledger has, in order.
fn changes(ledger: &Path) -> Vec<(String, u64)> {
    let text = std::fs::read_to_string(ledger).unwrap();
    let line = |line: &str| {
        let line: serde_json::Value = serde_json::from_str(line).unwrap();
        (line["action"].as_str().unwrap().to_owned(), line["id"].as_u64().unwrap())
    };
    text.lines().map(line).collect()
}

#[test]
fn a_change_that_the_ledger_does_not_take_waits_is_told_and_is_written() {
    let upstream = Upstream::start();
    let mut gateway = gateway(&upstream);
    let api = Api::of(&gateway);
    let (ledger, aside) =
        (gateway.dir().join("state/ledger.jsonl"), gateway.dir().join("state/aside"));
    let fail = || {
        std::fs::create_dir(&aside).unwrap();
        exchange(&ledger, &aside);
    };
    let mend = || {
        exchange(&ledger, &aside);
        std::fs::remove_dir(&aside).unwrap();
    };
    api.lesson("staff", "a.example").unwrap();
    gateway.expect_metric("lachan_state_kept", &[], 1.0);
    fail();
    assert_eq!(api.lesson("staff", "b.example").unwrap().1["is_kept"], false);
    api.end(1).unwrap();
    gateway.expect_metric("lachan_state_kept", &[], 0.0);
    assert!(gateway.get("/readyz").1.contains("degraded: the change ledger"));
    let mut status = Command::new(LACHAN);
    status.arg("status").arg("--config").arg(gateway.dir().join("gateway.toml"));
    let (_, said) = run(status);
    assert!(said.contains("a restart may not find"), "{said}");
    mend();
    gateway.reload();
    eventually("the ledger has them", || (changes(&ledger).len() == 3).then_some(()));
    gateway.expect_metric("lachan_state_kept", &[], 1.0);
    assert_eq!(gateway.get("/readyz"), (200, "ready\n".to_owned()));
    // And at the end of the program.
    fail();
    api.end(2).unwrap();
    mend();
    gateway.terminate();
    let all = [("begin", 1), ("begin", 2), ("end", 1), ("end", 2)];
    assert_eq!(changes(&ledger), all.map(|(action, id)| (action.to_owned(), id)));
    // One for each failure of the disk.
    eventually("the log comes by a pipe", || {
        let log = gateway.log();
        (log.matches("the change ledger is written again").count() == 2).then_some(())
    });
    assert_eq!(gateway.log().matches("the change ledger cannot be written").count(), 2);
}

#[test]
fn a_token_that_cannot_be_read_at_a_start_is_read_again_and_none_is_made_in_its_place() {
    let upstream = Upstream::start();
    let mut gateway = gateway(&upstream);
    let before = Api::of(&gateway);
    let (token, aside) =
        (gateway.dir().join("state/admin-token"), gateway.dir().join("state/aside"));
    gateway.terminate();
    std::fs::rename(&token, &aside).unwrap();
    std::fs::create_dir(&token).unwrap();
    let gateway = gateway.restart();
    let (status, said) = before.lesson("staff", "a.example").unwrap();
    assert!(status == 503 && said.to_string().contains("`admin-token`"), "{said}");
    assert!(gateway.get("/readyz").1.contains("admin-token"), "{}", gateway.get("/readyz").1);
    exchange(&aside, &token);
    std::fs::remove_dir(&aside).unwrap();
    eventually("the token is read", || {
        (before.lesson("staff", "a.example").unwrap().0 == 201).then_some(())
    });
    assert!(!gateway.get("/readyz").1.contains("admin-token"));
}

#[test]
fn what_was_done_since_a_backup_is_not_wound_back() {
    let upstream = Upstream::start();
    let mut gateway = gateway(&upstream);
    let (config, made) = (gateway.dir().join("gateway.toml"), gateway.dir().join("backup.tar"));
    let command = |word: &str, config: &Path, more: &[&str]| {
        let mut command = Command::new(LACHAN);
        command.arg(word).arg(&made).arg("--config").arg(config).args(more);
        let (status, said) = run(command);
        (status.code(), said)
    };
    let token = |words: &[&str]| {
        let mut command = Command::new(LACHAN);
        command.arg("token").args(words).arg("--config").arg(&config);
        run(command)
    };
    for name in ["lent-out", "tablets"] {
        assert!(token(&["add", "--group", "pupils", "--name", name]).0.success());
    }
    Api::of(&gateway).lesson("pupils", "a.example").unwrap();
    let state = gateway.dir().join("state");
    eventually("a first record", || {
        let mut files = std::fs::read_dir(state.join("evidence")).ok()?;
        files
            .any(|file| file.unwrap().path().extension().is_some_and(|end| end == "json"))
            .then_some(())
    });
    assert_eq!(command("backup", &config, &[]).0, Some(0));
    // Beside a gateway that runs nothing is written, to another place neither.
    let overrides = || std::fs::read(state.join("overrides.json")).unwrap();
    Api::of(&gateway).end(1).unwrap();
    let (before, elsewhere) = (overrides(), gateway.dir().join("new/gateway.toml"));
    for (config, more) in [(&config, &["--replace"][..]), (&elsewhere, &[])] {
        let (code, said) = command("restore", config, more);
        assert!(code == Some(1) && said.contains("systemctl stop lachan"), "{said}");
    }
    assert!(overrides() == before && !elsewhere.exists());
    Api::of(&gateway).lesson("staff", "b.example").unwrap();
    assert!(token(&["revoke", "lent-out"]).0.success());
    gateway.terminate();

    let ledger = state.join("ledger.jsonl");
    let written = || std::fs::read_to_string(&ledger).unwrap();
    let before = written();
    let (code, said) = command("restore", &config, &["--replace"]);
    assert!(code == Some(0) && said.contains("the change ledger of this box"), "{said}");
    assert_eq!(written(), before);
    let mut gateway = gateway.restart();
    assert_eq!(Api::of(&gateway).id_for("pupils"), None, "it was ended");
    assert_eq!(Api::of(&gateway).id_for("staff"), Some(2));
    let said = token(&["list"]).1;
    assert!(said.contains("tablets") && !said.contains("lent-out"), "{said}");

    // The ledger and the evidence of another box are set aside, and neither is lost.
    gateway.terminate();
    let records = std::fs::read_dir(state.join("evidence")).unwrap();
    let record = records.map(|entry| entry.unwrap().path()).min().unwrap();
    for path in [&ledger, &record] {
        std::fs::write(path, "{\"at\":1}\n").unwrap();
    }
    let (code, said) = command("restore", &config, &["--replace"]);
    assert_eq!(code, Some(0), "{said}");
    for path in [&ledger, &record] {
        assert!(said.contains(&format!("{}: what was there", path.display())), "{said}");
        let aside = format!("{}.broken", path.display());
        assert_eq!(std::fs::read_to_string(aside).unwrap(), "{\"at\":1}\n");
    }
    assert!(before.starts_with(&written()) && written().lines().count() == 3, "{}", written());
}

/// The account of the service writes what is kept: it must not lead root to a token, a place or a department.
#[test]
fn root_obeys_a_kept_config_with_no_more_rights_than_its_keeper() {
    let upstream = Upstream::start();
    let mut gateway = gateway(&upstream);
    let (config, secret) = (gateway.dir().join("gateway.toml"), gateway.dir().join("secret"));
    std::fs::write(&secret, "a".repeat(64)).unwrap();
    std::fs::set_permissions(&secret, Permissions::from_mode(0o600)).unwrap();
    let text = std::fs::read_to_string(&config).unwrap();
    let text = text.replace("[admin]\n", "[admin]\ntoken = \"secret\"\n");
    std::fs::write(&config, &text).unwrap();
    gateway.terminate();
    gateway = gateway.restart();
    eventually("it is kept", || {
        (gateway.metrics().value("lachan_state_kept", &[]) > 0.0).then_some(())
    });
    gateway.terminate();
    let mut own = Command::new("chown");
    own.args(["-R", "12345:12345"]).arg(gateway.dir().join("state"));
    if !run(own).0.success() {
        return skipped("a kept config of another account: no right to give it away");
    }
    std::fs::set_permissions(gateway.dir(), Permissions::from_mode(0o755)).unwrap();
    let command = |words: &[&str]| {
        let mut command = Command::new(LACHAN);
        command.args(words).arg("--config").arg(&config);
        let (status, text) = run(command);
        (status.code().unwrap(), text)
    };
    // By the file itself root reads its token, and nobody listens.
    let (code, said) = command(&["status"]);
    assert!(code == 3 && !said.contains("Permission denied"), "{said}");
    std::fs::write(&config, format!("{text}\nlevl = 1\n")).unwrap();
    let (code, said) = command(&["status"]);
    assert!(code == 3 && said.contains("secret") && said.contains("Permission denied"), "{said}");
    let (code, said) = command(&["upgrade", "--check"]);
    assert!(code == 3 && said.contains("levl"), "{said}");
}
