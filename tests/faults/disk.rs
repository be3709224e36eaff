//! The disk of the state: full, read-only, gone, another user's, while the gateway serves.

use std::fs;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use super::load;
use crate::kit::data::skipped;
use crate::support::api::Api;
use crate::support::gateway::{LACHAN, run};
use crate::support::mount::Mount;
use crate::support::{Ask, Gateway, STAFF, Upstream, eventually, within};

/// Where an account is that owns nothing.
const NOBODY: &str = "65534";

/// A gateway whose state is a file system of one megabyte; `None` where none can be mounted.
fn on_a_small_disk(upstream: &Upstream, what: &str) -> Option<(Gateway, Mount)> {
    let mut mount = None;
    let plan = load::with_files(Gateway::plan(&load::config("")).upstream(upstream)).made(|dir| {
        fs::create_dir(dir.join("state")).unwrap();
        mount = Mount::tmpfs(&dir.join("state"), "size=1m,mode=0700");
    });
    let Some(mount) = mount else {
        skipped(&format!("{what}: no mounts here (root is needed)"));
        return None;
    };
    let gateway = plan.start();
    until_kept(&gateway);
    Some((gateway, mount))
}

/// Waits until all is kept, without doing anything for it: twice as long as a failed write waits for its next try.
#[track_caller]
fn until_kept(gateway: &Gateway) {
    let kept = within(Duration::from_secs(60), || {
        (gateway.metrics().value("lachan_state_kept", &[]) > 0.0).then_some(())
    });
    assert!(kept.is_some(), "not all is kept\n{}", gateway.log());
}

/// Whether an exam leaves staff nothing but one name.
fn has_exam(gateway: &Gateway) -> bool {
    let ask = Ask::new("free.example", "A").from(STAFF);
    ask.expect(gateway.dns).rcode() == "NXDOMAIN"
}

/// Lists act, and an exam is in force if and only if the reply says so.
fn assert_works_without_a_disk(gateway: &Gateway, turn: usize) {
    load::assert_filters(gateway, "without a disk");
    let name = format!("turn-{turn}.example");
    load::put(gateway, load::LIST, load::list(&name));
    gateway.reload();
    load::until_blocked(gateway, &name);
    let api = Api::of(gateway);
    let (status, body) = api.exam("staff", "only.example").unwrap();
    assert_eq!(has_exam(gateway), status == 201, "{status} {body}");
    if let Some(id) = api.id_for("staff") {
        let (status, body) = api.end(id).unwrap();
        assert_eq!(has_exam(gateway), status != 200, "{status} {body}");
    }
    load::assert_filters(gateway, "after changes without a disk");
}

/// With a disk again, all is kept, and an exam outlives a power cut.
fn assert_is_mended(mut gateway: Gateway) {
    until_kept(&gateway);
    load::until_whole(&gateway);
    let api = Api::of(&gateway);
    if let Some(id) = api.id_for("staff") {
        assert_eq!(api.end(id).unwrap().0, 200);
    }
    assert_eq!(api.exam("staff", "only.example").unwrap().0, 201);
    gateway.kill();
    let mut gateway = gateway.restart();
    load::assert_filters(&gateway, "after a power cut");
    assert!(has_exam(&gateway), "the exam is lost\n{}", gateway.log());
    load::until_nothing_is_unfinished(&gateway);
    gateway.terminate();
}

#[test]
fn a_disk_that_fills_while_it_serves_costs_what_is_kept_and_nothing_else() {
    let upstream = Upstream::start();
    let Some((gateway, mount)) = on_a_small_disk(&upstream, "a full disk") else { return };
    let filler = gateway.dir().join("state/filler");
    let ((), seen) = load::asked(gateway.dns, || {
        for turn in 0..3 {
            // Not one page is left, or a few: a write fails at its beginning, or half way.
            let _ = fs::write(&filler, vec![b'x'; 1 << 20]);
            let file = fs::File::options().write(true).open(&filler).unwrap();
            let length = file.metadata().unwrap().len();
            file.set_len(length - 4096 * turn as u64).unwrap();
            assert_works_without_a_disk(&gateway, turn);
        }
    });
    seen.assert_answered();
    fs::remove_file(filler).unwrap();
    assert_is_mended(gateway);
    drop(mount);
}

#[test]
fn what_a_full_disk_did_not_take_is_written_when_there_is_room() {
    let upstream = Upstream::start();
    let Some((mut gateway, mount)) = on_a_small_disk(&upstream, "a disk that was full") else {
        return;
    };
    let filler = gateway.dir().join("state/filler");
    gateway.terminate();
    // Whatever is written at a start, and a second after it, meets a full disk.
    let _ = fs::write(&filler, vec![b'x'; 1 << 20]);
    let gateway = gateway.restart();
    load::put(&gateway, load::LIST, load::list("more.example"));
    load::until_blocked(&gateway, "more.example");
    for unwritten in ["evidence cannot be written", "kept in memory only"] {
        eventually(unwritten, || gateway.log().contains(unwritten).then_some(()));
    }
    let (status, body) = Api::of(&gateway).exam("staff", "only.example").unwrap();
    assert_eq!(has_exam(&gateway), status == 201, "{status} {body}");
    assert!(gateway.metrics().value("lachan_state_kept", &[]) < 1.0, "{}", gateway.log());
    fs::remove_file(filler).unwrap();
    assert_is_mended(gateway);
    drop(mount);
}

#[test]
fn a_disk_that_becomes_read_only_costs_what_is_kept_and_nothing_else() {
    let upstream = Upstream::start();
    let Some((gateway, mount)) = on_a_small_disk(&upstream, "a read-only disk") else { return };
    assert!(mount.remount("ro"));
    let ((), seen) = load::asked(gateway.dns, || assert_works_without_a_disk(&gateway, 1));
    seen.assert_answered();
    // It starts on such a disk, too.
    let mut gateway = gateway;
    gateway.terminate();
    let gateway = gateway.restart();
    assert_works_without_a_disk(&gateway, 2);
    assert!(mount.remount("rw"));
    assert_is_mended(gateway);
    drop(mount);
}

#[test]
fn lists_on_a_read_only_disk_are_read_and_nothing_is_written_beside_them() {
    let upstream = Upstream::start();
    let mut mount = None;
    let plan = load::with_files(Gateway::plan(&load::config("")).upstream(&upstream)).made(|dir| {
        mount = Mount::tmpfs(&dir.join("lists"), "size=64k");
        fs::write(dir.join("lists/games.txt"), "game.example\n").unwrap();
        assert!(mount.as_ref().is_none_or(|mount| mount.remount("ro")));
    });
    let Some(mount) = mount else {
        return skipped("lists on a read-only disk: no mounts here (root is needed)");
    };
    let gateway = plan.start();
    load::assert_filters(&gateway, "read-only lists");
    load::put(&gateway, load::LIST, load::list("more.example"));
    load::until_blocked(&gateway, "more.example");
    load::until_whole(&gateway);
    // What lies below the mount is another directory, without this list.
    drop(mount);
    gateway.reload();
    load::assert_filters(&gateway, "the disk of the lists is gone");
}

/// The compiled lists that a gateway serves.
fn pack(gateway: &Gateway) -> PathBuf {
    let packs = fs::read_dir(gateway.dir().join("state/packs")).unwrap();
    let mut paths = packs.map(|entry| entry.unwrap().path());
    paths.find(|path| path.extension().is_some_and(|end| end == "pack")).unwrap()
}

/// The words before a command under which a call on these files fails, as on a worn card; `None` where nobody can
/// be traced.
fn without_reading(files: &[&Path], call: &str) -> Option<Vec<String>> {
    // The gateway stays the process that was started: the tracer is its grandchild.
    let trace = ["strace", "-D", "-f", "-qq", "-o", "/dev/null"].map(str::to_owned);
    let files = files.iter().flat_map(|file| ["-P".to_owned(), file.display().to_string()]);
    let fault = format!("inject={call}:error=EIO");
    let words = ["-e".to_owned(), format!("trace={call}"), "-e".to_owned(), fault];
    let trace: Vec<String> = trace.into_iter().chain(files).chain(words).collect();
    let mut probe = Command::new(&trace[0]);
    probe.args(&trace[1..]).args([LACHAN, "--version"]);
    if !run(probe).0.success() {
        skipped("a card that cannot be read: no strace, or no right to trace");
        return None;
    }
    Some(trace)
}

/// Every kept object.
fn objects(kept: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(kept.join("objects")).unwrap();
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths
}

#[test]
fn what_is_kept_on_a_card_that_fails_for_a_moment_stands_in_after_it() {
    let upstream = Upstream::start();
    let plan = load::with_files(Gateway::plan(&load::config("")).upstream(&upstream));
    let mut gateway = plan.start();
    until_kept(&gateway);
    gateway.terminate();
    let (kept, config) = (gateway.dir().join("state/kept"), gateway.dir().join("gateway.toml"));
    let (manifest, before) = (kept.join("current.json"), objects(&kept));
    let files: Vec<&Path> = before.iter().map(PathBuf::as_path).collect();
    let Some(no_objects) = without_reading(&files, "openat") else { return };
    let Some(no_manifest) = without_reading(&[&manifest], "openat") else { return };

    // A torn config: a start without its kept copy ends, and the next one has it.
    let text = fs::read_to_string(&config).unwrap();
    fs::write(&config, &text[..300]).unwrap();
    for trace in [&no_objects, &no_manifest] {
        let mut start = Command::new(&trace[0]);
        start.args(&trace[1..]).args([LACHAN, "serve", "--config"]).arg(&config);
        let (status, said) = run(start);
        assert!(!status.success(), "{said}");
        assert_eq!(objects(&kept), before, "{said}");
    }
    gateway = gateway.restart();
    load::assert_filters(&gateway, "a torn config");
    gateway.terminate();
    fs::write(&config, &text).unwrap();

    // A list that was lost with its compiled form: it is left out, and its copy is not.
    for (trace, unread) in [(&no_objects, &kept.join("objects")), (&no_manifest, &manifest)] {
        fs::write(gateway.dir().join(load::LIST), "<html>").unwrap();
        let _ = fs::remove_dir_all(gateway.dir().join("state/packs"));
        gateway = gateway.restart_under(&trace.iter().map(String::as_str).collect::<Vec<_>>());
        gateway.expect_log(&unread.display().to_string());
        assert!(!load::is_whole(&gateway), "{}", gateway.log());
        gateway.reload();
        gateway.expect_log("Input/output error");
        assert!(gateway.metrics().value("lachan_state_kept", &[]) < 1.0, "{}", gateway.log());
        gateway.terminate();
        gateway = gateway.restart();
        load::assert_filters(&gateway, "a lost list");
        assert!(gateway.get("/readyz").1.contains("stands in"), "{}", gateway.log());
        fs::write(gateway.dir().join(load::LIST), load::list("")).unwrap();
        load::until_whole(&gateway);
        until_kept(&gateway);
        gateway.terminate();
    }
}

#[test]
fn a_compiled_list_that_a_worn_card_cannot_read_is_compiled_again() {
    let upstream = Upstream::start();
    let plan = load::with_files(Gateway::plan(&load::config("")).upstream(&upstream));
    let mut gateway = plan.start();
    until_kept(&gateway);
    gateway.terminate();
    let place = pack(&gateway);
    let made = fs::metadata(&place).unwrap().ino();
    let Some(trace) = without_reading(&[&place], "pread64") else { return };
    let gateway = gateway.restart_under(&trace.iter().map(String::as_str).collect::<Vec<_>>());
    load::assert_filters(&gateway, "a card that cannot be read");
    gateway.expect_log("Input/output error");
    until_kept(&gateway);
    assert_ne!(fs::metadata(&place).unwrap().ino(), made, "it was not compiled again");
}

#[test]
fn a_state_directory_that_is_removed_is_made_again() {
    let upstream = Upstream::start();
    let plan = load::with_files(Gateway::plan(&load::config("")).upstream(&upstream));
    let gateway = plan.start();
    until_kept(&gateway);
    let state = gateway.dir().join("state");
    let token = fs::read_to_string(state.join("admin-token")).unwrap();
    let ((), seen) = load::asked(gateway.dns, || {
        fs::remove_dir_all(&state).unwrap();
        load::put(&gateway, load::LIST, load::list("more.example"));
        load::until_blocked(&gateway, "more.example");
    });
    seen.assert_answered();
    // Who may act is in the file that was removed: nobody may, until it is put back.
    eventually("the directory is back", || state.is_dir().then_some(()));
    fs::write(state.join("admin-token"), token).unwrap();
    fs::set_permissions(state.join("admin-token"), fs::Permissions::from_mode(0o600)).unwrap();
    gateway.reload();
    assert_is_mended(gateway);
}

#[test]
fn a_state_directory_that_a_start_does_not_have_is_used_when_it_is_there() {
    let upstream = Upstream::start();
    let plan = load::with_files(Gateway::plan(&load::config("")).upstream(&upstream));
    let mut gateway = plan.start();
    until_kept(&gateway);
    assert_eq!(Api::of(&gateway).exam("staff", "only.example").unwrap().0, 201);
    gateway.terminate();
    let [state, aside] = ["state", "aside"].map(|name| gateway.dir().join(name));
    fs::rename(&state, &aside).unwrap();
    fs::write(&state, "").unwrap();
    let gateway = gateway.restart();
    load::assert_filters(&gateway, "without its state directory");
    assert!(!has_exam(&gateway));
    let ready = gateway.get("/readyz").1;
    assert!(ready.contains(&format!("degraded: {}: ", state.display())), "{ready}");
    fs::remove_file(&state).unwrap();
    fs::rename(&aside, &state).unwrap();
    let exam = within(Duration::from_secs(60), || has_exam(&gateway).then_some(()));
    assert!(exam.is_some(), "the exam is lost\n{}", gateway.log());
    until_kept(&gateway);
    load::until_whole(&gateway);
}

fn own(path: &Path, user: &str) {
    let mut command = Command::new("chown");
    command.args(["-R", user]).arg(path);
    assert!(run(command).0.success());
}

#[test]
fn permissions_that_are_taken_cost_what_is_kept_and_nothing_else() {
    let drop_root = ["setpriv", "--reuid", NOBODY, "--regid", NOBODY, "--clear-groups"];
    let mut probe = Command::new(drop_root[0]);
    probe.args(&drop_root[1..]).args([LACHAN, "--version"]);
    if !run(probe).0.success() {
        return skipped("permissions that are taken: no setpriv, or no right to another user");
    }
    let upstream = Upstream::start();
    let plan = load::with_files(Gateway::plan(&load::config("")).upstream(&upstream));
    let gateway = plan.made(|dir| own(dir, NOBODY)).under(&drop_root).start();
    until_kept(&gateway);
    let (state, list) = (gateway.dir().join("state"), gateway.dir().join("lists/games.txt"));
    let modes = |state_mode, list_mode| {
        fs::set_permissions(&list, fs::Permissions::from_mode(list_mode)).unwrap();
        fs::set_permissions(&state, fs::Permissions::from_mode(state_mode)).unwrap();
    };
    let ((), seen) = load::asked(gateway.dns, || {
        modes(0o000, 0o000);
        load::put(&gateway, load::LIST, load::list("more.example"));
        gateway.reload();
        eventually("it is said", || gateway.get("/readyz").1.contains("degraded").then_some(()));
        load::assert_filters(&gateway, "without permissions");
        modes(0o700, 0o644);
        gateway.reload();
        load::until_blocked(&gateway, "more.example");
    });
    seen.assert_answered();
    until_kept(&gateway);
    load::until_whole(&gateway);
}
