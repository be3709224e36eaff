//! A school, and clients that ask it all the while.
//!
//! ```text
//! two by UDP, one by TCP ──▶ blocked name: any answer is the block
//!                        └─▶ allowed name: the right address, and an answer where the gateway is up
//! ```

use std::io::Write as _;
use std::net::SocketAddr;
use std::ops::Range;
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use crate::support::ask::{framed, read_framed, try_connect};
use crate::support::gateway::Plan;
use crate::support::{
    Answer, Ask, Gateway, PATIENCE, PUPIL, TWO_GROUPS, TWO_PROFILES, eventually, within,
};

/// What is blocked whatever happens: by a list, above a listed name, by a directory of lists, by the profile.
pub(crate) const BLOCKED: [&str; 4] =
    ["adult.example", "deep.below.adult.example", "game.example", "denied.example"];
/// What is allowed.
const ALLOWED: [&str; 2] = ["free.example", "library.example"];
/// How many ask at once.
const CLIENTS: usize = 3;
/// The only list file that is changed.
pub(crate) const LIST: &str = "adult.txt";

/// The config, with more lines at its end. No self-test: it asks for many names at once, and what a
/// gateway holds could not be compared.
pub(crate) fn config(more: &str) -> String {
    let profiles = TWO_PROFILES
        .replace("block = [\"adult\"", "deny = [\"denied.example\"]\nblock = [\"adult\"");
    format!(
        "{TWO_GROUPS}{profiles}\n[state]\ndir = \"state\"\n[selftest]\nevery = \"off\"\n[evidence]\nflush = \"1m\"\n\
         [[lists.source]]\ncategory = \"adult\"\npath = \"{LIST}\"\nscope = \"subtree\"\n\
         [[lists.source]]\ncategory = \"games\"\npath = \"lists\"\n{more}"
    )
}

/// The list, with more names at its end.
pub(crate) fn list(more: &str) -> String {
    let padding: Vec<String> = (0..200).map(|n| format!("n{n}.listed.example")).collect();
    format!("adult.example\n{}\n{more}\n", padding.join("\n"))
}

/// What the school has beside the config.
pub(crate) fn with_files(plan: Plan) -> Plan {
    plan.file(LIST, &list("")).file("lists/games.txt", "game.example\n")
}

/// Replaces a file of the school by a rename, as an editor does.
pub(crate) fn put(gateway: &Gateway, name: &str, octets: impl AsRef<[u8]>) {
    let path = gateway.dir().join(name);
    let beside = path.with_extension("put");
    std::fs::write(&beside, octets).unwrap();
    std::fs::rename(beside, path).unwrap();
}

/// Whether a name is blocked for a pupil; an answer has to come.
pub(crate) fn is_blocked(gateway: &Gateway, name: &str) -> bool {
    Ask::new(name, "A").from(PUPIL).expect(gateway.dns).rcode() == "NXDOMAIN"
}

/// Waits until a name is blocked.
#[track_caller]
pub(crate) fn until_blocked(gateway: &Gateway, name: &str) {
    eventually(&format!("{name} is blocked"), || is_blocked(gateway, name).then_some(()));
}

/// All that is blocked is blocked, and what is allowed is answered.
#[track_caller]
pub(crate) fn assert_filters(gateway: &Gateway, when: &str) {
    for name in BLOCKED {
        assert!(is_blocked(gateway, name), "{when}: {name} is let through\n{}", gateway.log());
    }
    for name in ALLOWED {
        let answer = Ask::new(name, "A").from(PUPIL).expect(gateway.dns);
        assert_eq!(answer.answers(), ["A 192.0.2.1"], "{when}: {name}\n{}", gateway.log());
    }
}

/// Whether nothing stands in for anything.
pub(crate) fn is_whole(gateway: &Gateway) -> bool {
    gateway.get("/readyz") == (200, "ready\n".to_owned())
}

/// Waits until nothing does.
#[track_caller]
pub(crate) fn until_whole(gateway: &Gateway) {
    eventually("all is in force", || is_whole(gateway).then_some(()));
}

/// Descriptors that the gateway has open.
pub(crate) fn descriptors(gateway: &Gateway) -> usize {
    std::fs::read_dir(format!("/proc/{}/fd", gateway.id())).unwrap().count()
}

/// A line of its `/proc/PID/status`, as a number: KiB, or a count.
pub(crate) fn status(gateway: &Gateway, key: &str) -> usize {
    let text = std::fs::read_to_string(format!("/proc/{}/status", gateway.id())).unwrap();
    let line = text.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix(':')).unwrap();
    line.split_whitespace().next().unwrap().parse().unwrap()
}

/// What a gateway holds at rest.
#[derive(Debug, Clone, Copy)]
pub(crate) struct AtRest {
    descriptors: usize,
    threads: usize,
}

impl AtRest {
    pub(crate) fn now(gateway: &Gateway) -> Self {
        Self { descriptors: descriptors(gateway), threads: status(gateway, "Threads") }
    }

    /// Waits until it holds no more than it did.
    #[track_caller]
    pub(crate) fn assert_no_more(self, gateway: &Gateway) {
        let mut now = self;
        let is_level = within(PATIENCE, || {
            now = Self::now(gateway);
            // Sockets to upstream and threads for files are retained, as many as were in use at once.
            let is_level = |now, before| now <= before + CLIENTS;
            (is_level(now.descriptors, self.descriptors) && is_level(now.threads, self.threads))
                .then_some(())
        });
        assert!(is_level.is_some(), "{self:?} became {now:?}");
    }
}

/// Waits until no file below the state directory is unfinished: those of the dead are swept away, and
/// what this gateway writes is soon done.
#[track_caller]
pub(crate) fn until_nothing_is_unfinished(gateway: &Gateway) {
    let state = gateway.dir().join("state");
    let mut found = Vec::new();
    let is_clean = within(PATIENCE, || {
        found = unfinished(&state);
        found.is_empty().then_some(())
    });
    assert!(is_clean.is_some(), "unfinished: {found:?}");
}

fn unfinished(dir: &Path) -> Vec<String> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(dir).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() {
            found.extend(unfinished(&path));
        } else if path.extension().is_some_and(|ending| ending == "new") {
            found.push(path.display().to_string());
        }
    }
    found
}

/// What clients saw.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    /// Answers that came.
    pub(crate) answers: AtomicU64,
    /// Answers that are wrong.
    wrong: Mutex<Vec<String>>,
    /// Allowed names without an answer, or with a failure.
    unanswered: AtomicU64,
}

impl Seen {
    /// No blocked name was let through, and answers came.
    #[track_caller]
    pub(crate) fn assert_filtered(&self) {
        let wrong = self.wrong.lock().unwrap();
        assert!(
            wrong.is_empty(),
            "{} wrong answers: {:?}",
            wrong.len(),
            &wrong[..wrong.len().min(9)]
        );
        assert!(self.answers.load(Ordering::Relaxed) > 0);
    }

    /// The same, and each allowed name had its answer.
    #[track_caller]
    pub(crate) fn assert_answered(&self) {
        self.assert_filtered();
        assert_eq!(self.unanswered.load(Ordering::Relaxed), 0, "allowed names without an answer");
    }

    fn note(&self, name: &str, answer: Option<&Answer>) {
        if let Some(answer) = answer {
            self.answers.fetch_add(1, Ordering::Relaxed);
            let is_right = if BLOCKED.contains(&name) {
                answer.rcode() == "NXDOMAIN"
            } else {
                answer.answers() == ["A 192.0.2.1"] || answer.rcode() == "SERVFAIL"
            };
            if !is_right {
                let said = format!("{name}: {} {:?}", answer.rcode(), answer.answers());
                self.wrong.lock().unwrap().push(said);
            }
        }
        let is_answered = answer.is_some_and(|answer| answer.rcode() != "SERVFAIL");
        if !is_answered && ALLOWED.contains(&name) {
            self.unanswered.fetch_add(1, Ordering::Relaxed);
        }
    }
}

/// Sets the flag however it ends, so that a failure does not wait for ever.
struct StopAtEnd<'a>(&'a AtomicBool);

impl Drop for StopAtEnd<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// Acts while clients ask; what they saw, and what came of it.
pub(crate) fn asked<T>(dns: SocketAddr, act: impl FnOnce() -> T) -> (T, Seen) {
    asked_by(0..CLIENTS, dns, act)
}

/// As [`asked`], by UDP alone.
pub(crate) fn asked_by_udp<T>(dns: SocketAddr, act: impl FnOnce() -> T) -> (T, Seen) {
    asked_by(1..CLIENTS, dns, act)
}

fn asked_by<T>(clients: Range<usize>, dns: SocketAddr, act: impl FnOnce() -> T) -> (T, Seen) {
    let (stop, seen) = (AtomicBool::new(false), Seen::default());
    let names: Vec<&str> = BLOCKED.into_iter().chain(ALLOWED).collect();
    let done = std::thread::scope(|scope| {
        let end = StopAtEnd(&stop);
        for client in clients {
            let (names, stop, seen) = (&names, &stop, &seen);
            scope.spawn(move || {
                for turn in client.. {
                    if stop.load(Ordering::Relaxed) {
                        break;
                    }
                    let name = names[turn % names.len()];
                    let ask = Ask::new(name, "A").from(PUPIL).limit(Duration::from_secs(5));
                    let answer = if client == 0 { by_tcp(&ask, dns) } else { ask.send(dns) };
                    seen.note(name, answer.as_ref());
                    // A connection's port is not free again for a minute.
                    let pause = if client == 0 { 20 } else { 1 };
                    std::thread::sleep(Duration::from_millis(pause));
                }
            });
        }
        let done = act();
        drop(end);
        done
    });
    (done, seen)
}

/// As `Ask::send` by TCP, where nobody may listen.
fn by_tcp(ask: &Ask, dns: SocketAddr) -> Option<Answer> {
    let mut stream = try_connect(PUPIL.parse().unwrap(), dns).ok()?;
    stream.write_all(&framed(&ask.to_wire())).ok()?;
    read_framed(&mut stream).map(Answer::decode)
}
