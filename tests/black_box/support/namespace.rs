//! A test inside a network namespace of its own, where that is allowed.

use std::process::Command;

/// Says that the test is inside its namespace.
const INSIDE: &str = "LACHAN_TEST_NAMESPACE";

/// Runs `test`, the body of the test called `name`, in a namespace where only loopback is up.
///
/// The whole test crate runs again in there, with this one test.
pub(crate) fn in_a_namespace(name: &str, test: impl FnOnce()) {
    if std::env::var_os(INSIDE).is_some() {
        ip("link set lo up");
        return test();
    }
    let is_allowed = Command::new("unshare")
        .args(["--net", "--", "ip", "link", "set", "lo", "up"])
        .status()
        .is_ok_and(|status| status.success());
    if !is_allowed {
        eprintln!("*** SKIPPED: no network namespace here (root and iproute2 are needed): {name}");
        return;
    }
    let mut command = Command::new("unshare");
    command.args(["--net", "--"]).arg(std::env::current_exe().unwrap());
    command.args(["--exact", name, "--nocapture", "--test-threads=1"]).env(INSIDE, "1");
    let output = command.output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && text.contains("1 passed"), "{text}");
}

/// Changes the network of the namespace: `ip` with these words.
pub(crate) fn ip(words: &str) {
    let status = Command::new("ip").args(words.split(' ')).status().unwrap();
    assert!(status.success(), "ip {words}");
}
