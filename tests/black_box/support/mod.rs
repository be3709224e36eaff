//! The harness: a gateway process, an upstream server, a client, a metrics reader.
//!
//! ```text
//! Ask ──udp/tcp──▶ Gateway (child process) ──▶ Upstream (hickory-server, this process)
//!                     └── GET /metrics ──▶ Metrics
//! ```
//!
//! Nothing here sleeps for a fixed time: what must come is waited for, with a limit.

pub(crate) mod api;
pub(crate) mod ask;
pub(crate) mod exposition;
pub(crate) mod gateway;
pub(crate) mod held;
pub(crate) mod mount;
pub(crate) mod namespace;
pub(crate) mod ports;
pub(crate) mod upstream;
pub(crate) mod web;

use std::path::Path;
use std::time::{Duration, Instant};

use rustix::fs::{CWD, RenameFlags, renameat_with};

pub(crate) use ask::{Answer, Ask};
pub(crate) use exposition::Metrics;
pub(crate) use gateway::Gateway;
pub(crate) use upstream::{Canned, Upstream};

/// The longest a test waits for something that should happen at once.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

/// A config of two groups: pupils (`127.0.10.x`, also the default) and staff (`127.0.20.x`).
///
/// No starter lists: what a test lists is all there is. Names go out in lower case: a test that
/// counts upstream's queries sees no second opinion on a negative answer. Placeholders as in [`Gateway::start`].
pub(crate) const TWO_GROUPS: &str = r#"
default_group = "pupils"

[school]
id = "test-school"
name = "Trường thử nghiệm"

[listen]
dns = ["127.0.0.1:{dns}"]

[admin]
listen = "127.0.0.1:{admin}"

[upstream]
servers = ["udp://127.0.0.1:{upstream}"]
case_randomisation = false

[lists]
starter = false

[[group]]
name = "pupils"
clients = ["127.0.10.0/24"]
profile = "pupils"

[[group]]
name = "staff"
clients = ["127.0.20.0/24"]
profile = "staff"
"#;

/// The profiles that [`TWO_GROUPS`] names, as tests that do not care use them.
pub(crate) const TWO_PROFILES: &str = r#"
[profile.pupils]
level = "lower-secondary"
block = ["adult", "games"]

[profile.staff]
level = "staff"
block = []
"#;

/// A client address in the pupils' group.
pub(crate) const PUPIL: &str = "127.0.10.5";
/// A client address in the staff group.
pub(crate) const STAFF: &str = "127.0.20.5";

/// Two groups, their usual profiles, and `names` listed as adult.
pub(crate) fn gateway_blocking(names: &[&str], upstream: &Upstream) -> Gateway {
    let config = format!(
        "{TWO_GROUPS}{TWO_PROFILES}\n[[lists.source]]\ncategory = \"adult\"\n\
         path = \"adult.txt\"\nformat = \"domains\"\n"
    );
    Gateway::plan(&config).upstream(upstream).file("adult.txt", &names.join("\n")).start()
}

/// Exchanges what is at two paths in one step: no look finds nothing there, which would be a loss.
pub(crate) fn exchange(one: &Path, other: &Path) {
    renameat_with(CWD, one, CWD, other, RenameFlags::EXCHANGE).unwrap();
}

/// Asks `question` again until it is `Some`, for [`PATIENCE`] at most.
pub(crate) fn eventually<T>(what: &str, question: impl FnMut() -> Option<T>) -> T {
    within(PATIENCE, question)
        .unwrap_or_else(|| panic!("{what}: did not happen within {PATIENCE:?}"))
}

/// Asks `question` again until it is `Some`, for `limit` at most.
pub(crate) fn within<T>(limit: Duration, mut question: impl FnMut() -> Option<T>) -> Option<T> {
    let started = now();
    loop {
        if let Some(found) = question() {
            return Some(found);
        }
        if started.elapsed() >= limit {
            return None;
        }
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// The clock, for limits on waiting.
#[expect(clippy::disallowed_methods, reason = "tests wait in real time")]
pub(crate) fn now() -> Instant {
    Instant::now()
}
