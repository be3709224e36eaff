//! Updates that are cut off: by kill -9 at many moments, and by a disk that takes nothing more.

use std::fs;
use std::process::Command;
use std::time::Duration;

use super::{is_blocked, lists, make, plan, point, state};
use crate::support::gateway::{LACHAN, spawn};
use crate::support::{Gateway, Upstream};

fn gateway(upstream: &Upstream) -> Gateway {
    let made = plan("", upstream).made(|dir| {
        make(dir, 1, 1, &["both.example", "one.example"], &[]);
        make(dir, 2, 2, &["both.example", "two.example"], &[]);
        point(dir, 2, 2);
    });
    made.start()
}

#[test]
fn kill_at_any_moment_leaves_one_release_or_the_other_and_no_mixture() {
    let upstream = Upstream::start();
    let mut gateway = gateway(&upstream);
    let config = gateway.dir().join("gateway.toml");
    let releases = gateway.dir().join("state/releases");
    for round in 0..10u64 {
        // To and fro; what a death made the gateway give up may be gone back to by hand.
        let mut command = Command::new(LACHAN);
        let to = if round % 2 == 0 { "1" } else { "2" };
        command.args(["lists", "rollback"]).arg(&config).args(["--to", to]);
        let (mut child, _) = spawn(command);
        std::thread::sleep(Duration::from_millis(round * round * 2));
        assert!(is_blocked(&gateway, "both.example"), "round {round}");
        gateway.kill();
        let _ = child.kill();
        let _ = child.wait();
        gateway = gateway.restart();
        assert!(is_blocked(&gateway, "both.example"), "round {round}");
        let (one, two) = (is_blocked(&gateway, "one.example"), is_blocked(&gateway, "two.example"));
        assert!(one != two, "round {round}: a mixture");
        let serial = state("releases", &config, &[])["release"].as_u64().unwrap();
        assert_eq!(serial, if one { 1 } else { 2 }, "round {round}");
        gateway.expect_metric("lachan_release", &[], if one { 1.0 } else { 2.0 });
        let mark = fs::read_to_string(releases.join("mark.json")).unwrap();
        assert!(mark.contains("\"release\": 2") || mark.contains("\"release\":2"), "{mark}");
    }
    let other = if is_blocked(&gateway, "one.example") { "2" } else { "1" };
    state("rollback", &config, &["--to", other]);
    let names = fs::read_dir(&releases).unwrap().flatten().map(|one| one.file_name());
    let names: Vec<String> = names.map(|name| name.to_string_lossy().into_owned()).collect();
    assert!(!names.iter().any(|name| name.starts_with("incoming")), "{names:?}");
    let generations = names.iter().filter(|name| name.parse::<u64>().is_ok()).count();
    assert!(generations <= 3, "{names:?}");
}

#[test]
fn where_nothing_can_be_stored_what_is_in_force_stays() {
    let upstream = Upstream::start();
    let gateway = gateway(&upstream);
    let config = gateway.dir().join("gateway.toml");
    let releases = gateway.dir().join("state/releases");
    // Root writes to read-only directories; a directory in the place of the lock stops it as well.
    fs::remove_file(releases.join("lock")).unwrap();
    fs::create_dir(releases.join("lock")).unwrap();
    let (code, text) = lists("rollback", &config, &[]);
    assert!(code == 1 && text.contains("cannot be stored"), "{text}");
    assert!(is_blocked(&gateway, "two.example"));
    fs::remove_dir(releases.join("lock")).unwrap();
    assert_eq!(state("rollback", &config, &[])["release"], 1);
    assert!(is_blocked(&gateway, "one.example"));
}
