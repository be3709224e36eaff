//! The gateway under test: a child process with a config, ports and a directory of its own.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use tempfile::TempDir;

use super::ports::{free_port, making_a_child};
use super::{Metrics, PATIENCE, Upstream, eventually, within};

/// The program that cargo built for these tests.
pub(crate) const LACHAN: &str = env!("CARGO_BIN_EXE_lachan");

/// What a gateway is to be started with.
#[derive(Debug)]
pub(crate) struct Plan {
    config: String,
    dir: TempDir,
    dns: u16,
    admin: u16,
    log_filter: Option<String>,
    /// The command that becomes the gateway, without the gateway's own words.
    under: Vec<String>,
}

/// A running gateway. It is killed when dropped.
#[derive(Debug)]
pub(crate) struct Gateway {
    child: Child,
    log: Log,
    dir: TempDir,
    /// Where it answers queries, by UDP and TCP.
    pub(crate) dns: SocketAddr,
    admin: SocketAddr,
}

/// What a child wrote so far, stdout and stderr together.
pub(crate) type Log = Arc<Mutex<String>>;

impl Plan {
    /// Fills `{upstream}` with the address of a server.
    pub(crate) fn upstream(self, upstream: &Upstream) -> Self {
        self.fill("upstream", &upstream.port().to_string())
    }

    /// Fills `{name}` with `value`.
    pub(crate) fn fill(mut self, name: &str, value: &str) -> Self {
        self.config = self.config.replace(&format!("{{{name}}}"), value);
        self
    }

    /// Writes a file beside the config.
    pub(crate) fn file(self, name: &str, text: &str) -> Self {
        let path = self.dir.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
        self
    }

    /// Makes more files beside the config.
    pub(crate) fn made(self, make: impl FnOnce(&Path)) -> Self {
        make(self.dir.path());
        self
    }

    /// Logs what this filter lets through, instead of everything from `info` up.
    pub(crate) fn log_filter(self, filter: &str) -> Self {
        Self { log_filter: Some(filter.to_owned()), ..self }
    }

    /// A time server has answered, as systemd-timesyncd says it. Needs [`has_mounts`].
    pub(crate) fn synced(self) -> Self {
        let stamp = "mount -t tmpfs none /run && mkdir -p /run/systemd/timesync && \
                     : >/run/systemd/timesync/synchronized && exec \"$0\" \"$@\"";
        self.under(&["unshare", "--mount", "--", "sh", "-c", stamp])
    }

    /// Starts it by a command that becomes it, as `prlimit` does.
    pub(crate) fn under(self, words: &[&str]) -> Self {
        Self { under: owned(words), ..self }
    }

    /// Writes the config and gives the command that serves it.
    pub(crate) fn command(&self) -> Command {
        let config = self.config_path();
        std::fs::write(&config, &self.config).unwrap();
        let mut command = serve(&self.under, &config);
        command.envs(self.log_filter.iter().map(|filter| ("RUST_LOG", filter)));
        command
    }

    /// Where the config is written.
    pub(crate) fn config_path(&self) -> std::path::PathBuf {
        self.dir.path().join("gateway.toml")
    }

    /// Starts the gateway and waits until it says that it is ready, in both ways.
    pub(crate) fn start(self) -> Gateway {
        self.start_within(PATIENCE)
    }

    /// As [`Plan::start`], where there is much to load and the build is not optimised.
    pub(crate) fn start_within(self, limit: Duration) -> Gateway {
        let (child, log) = spawn(self.command());
        let loopback = |port| SocketAddr::from(([127, 0, 0, 1], port));
        let mut gateway = Gateway {
            child,
            log,
            dns: loopback(self.dns),
            admin: loopback(self.admin),
            dir: self.dir,
        };
        gateway.wait_until_ready(limit);
        gateway
    }
}

impl Gateway {
    /// A gateway with this config.
    ///
    /// `{dns}` and `{admin}` stand for free ports, `{dir}` for the directory of the config.
    pub(crate) fn plan(config: &str) -> Plan {
        let (dns, admin) = (free_port(), free_port());
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().display().to_string();
        Plan { config: config.to_owned(), dir, dns, admin, log_filter: None, under: Vec::new() }
            .fill("dns", &dns.to_string())
            .fill("admin", &admin.to_string())
            .fill("dir", &path)
    }

    fn wait_until_ready(&mut self, limit: Duration) {
        let ready = within(limit, || {
            if let Ok(Some(status)) = self.child.try_wait() {
                panic!("the gateway ended with {status}\n{}", self.log());
            }
            let is_logged =
                self.log().lines().any(|line| line.split_whitespace().any(|w| w == "ready"));
            (is_logged && self.try_get("/readyz").is_some_and(|(status, _)| status == 200))
                .then_some(())
        });
        assert!(ready.is_some(), "the gateway is not ready after {limit:?}\n{}", self.log());
    }

    /// The same gateway again, after it has ended: the same config, ports and directory.
    pub(crate) fn restart(self) -> Self {
        self.restart_under(&[])
    }

    /// As [`Gateway::restart`], by a command that becomes it.
    pub(crate) fn restart_under(mut self, words: &[&str]) -> Self {
        (self.child, self.log) = spawn(serve(&owned(words), &self.dir.path().join("gateway.toml")));
        self.wait_until_ready(PATIENCE);
        self
    }

    /// Where the admin listener is.
    pub(crate) fn admin_address(&self) -> SocketAddr {
        self.admin
    }

    /// All that it wrote to stdout and stderr.
    pub(crate) fn log(&self) -> String {
        self.log.lock().unwrap().clone()
    }

    /// Waits until its log has `text`: a line can come after what it tells of.
    #[track_caller]
    pub(crate) fn expect_log(&self, text: &str) {
        within(PATIENCE, || self.log().contains(text).then_some(()))
            .unwrap_or_else(|| panic!("no `{text}` in the log: {}", self.log()));
    }

    /// Reads its log no further until this is dropped: whoever logs much then waits, as where a
    /// journal is slow.
    pub(crate) fn hold_log(&self) -> MutexGuard<'_, String> {
        self.log.lock().unwrap()
    }

    /// The id of its process.
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// The directory of its config.
    pub(crate) fn dir(&self) -> &Path {
        self.dir.path()
    }

    /// Status and body of a page of the admin listener.
    pub(crate) fn get(&self, path: &str) -> (u16, String) {
        self.try_get(path).unwrap_or_else(|| panic!("GET {path} has no answer\n{}", self.log()))
    }

    /// As [`Gateway::get`]; `None` if nobody answers.
    pub(crate) fn try_get(&self, path: &str) -> Option<(u16, String)> {
        get(self.admin, path)
    }

    /// One scrape.
    pub(crate) fn metrics(&self) -> Metrics {
        let (status, text) = self.get("/metrics");
        assert_eq!(status, 200, "{text}");
        Metrics::parse(&text)
    }

    /// Waits until a metric has a value: counters of workers are summed at scrape.
    pub(crate) fn expect_metric(&self, name: &str, labels: &[(&str, &str)], value: f64) {
        let mut last = 0.0;
        let found = within(Duration::from_secs(2), || {
            last = self.metrics().value(name, labels);
            ((last - value).abs() < f64::EPSILON).then_some(())
        });
        assert!(found.is_some(), "{name}{labels:?} is {last}, expected {value}");
    }

    /// Asks the gateway to load its config again (SIGHUP).
    pub(crate) fn reload(&self) {
        signal(&self.child, "HUP");
    }

    /// Asks the gateway to drain and end (SIGTERM), and waits for it.
    pub(crate) fn terminate(&mut self) {
        signal(&self.child, "TERM");
        let status = eventually("the end after SIGTERM", || self.child.try_wait().unwrap());
        // Never by the signal itself: then nothing that is counted would be written.
        assert_eq!(status.code(), Some(0), "{status}: {}", self.log());
    }

    /// Ends it as a power cut does.
    pub(crate) fn kill(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    /// Whether it still runs.
    pub(crate) fn is_running(&mut self) -> bool {
        self.child.try_wait().unwrap().is_none()
    }
}

impl Drop for Gateway {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        if std::thread::panicking() {
            eprintln!("--- log of the gateway\n{}", self.log());
        }
    }
}

fn owned(words: &[&str]) -> Vec<String> {
    words.iter().map(|word| (*word).to_owned()).collect()
}

/// The command that serves a config, by another one that becomes it.
fn serve(under: &[String], config: &Path) -> Command {
    let mut words = under.iter().map(String::as_str).chain([LACHAN, "serve", "--config"]);
    let mut command = Command::new(words.next().unwrap_or(LACHAN));
    command.args(words).arg(config).current_dir(config.parent().unwrap());
    command.env_remove("RUST_LOG");
    command
}

/// Whether mounts of one's own are allowed here.
pub(crate) fn has_mounts() -> bool {
    let mut command = Command::new("unshare");
    command.args(["--mount", "--", "mount", "-t", "tmpfs", "none", "/run"]);
    command.status().is_ok_and(|status| status.success())
}

/// Starts a child and collects what it writes.
pub(crate) fn spawn(mut command: Command) -> (Child, Log) {
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let spawned = {
        let _alone = making_a_child();
        command.spawn()
    };
    let mut child = spawned.unwrap();
    let log = Log::default();
    collect(child.stdout.take().unwrap(), &log);
    collect(child.stderr.take().unwrap(), &log);
    (child, log)
}

/// Runs a command that should end by itself: its status and all that it wrote.
pub(crate) fn run(command: Command) -> (ExitStatus, String) {
    let (mut child, log) = spawn(command);
    let status = within(PATIENCE, || child.try_wait().unwrap());
    let Some(status) = status else {
        let _ = child.kill();
        panic!("still running after {PATIENCE:?}\n{}", log.lock().unwrap());
    };
    // The readers end with the pipes: the last of them to let go of the log is done.
    eventually("the end of the output", || (Arc::strong_count(&log) == 1).then_some(()));
    let text = log.lock().unwrap().clone();
    (status, text)
}

/// What a command with `--json` said, without what it complains of on stderr in between.
pub(crate) fn said_in_json(output: &str) -> serde_json::Value {
    let is_json = |line: &&str| !line.starts_with("without `");
    let lines: Vec<&str> = output.lines().filter(is_json).collect();
    serde_json::from_str(&lines.join("\n")).unwrap_or_else(|error| panic!("{error}: {output}"))
}

fn collect(from: impl Read + Send + 'static, log: &Log) {
    let log = Arc::clone(log);
    std::thread::spawn(move || {
        for line in BufReader::new(from).lines().map_while(Result::ok) {
            let mut log = log.lock().unwrap();
            log.push_str(&line);
            log.push('\n');
        }
    });
}

/// Sends a signal to a child that has not been waited for.
pub(crate) fn signal(child: &Child, name: &str) {
    let kill = format!("kill -{name} {}", child.id());
    let spawned = {
        let _alone = making_a_child();
        Command::new("sh").arg("-c").arg(kill).spawn()
    };
    assert!(spawned.unwrap().wait().unwrap().success());
}

/// Status and body of an HTTP page; `None` if nobody answers.
pub(crate) fn get(at: SocketAddr, path: &str) -> Option<(u16, String)> {
    let mut stream = TcpStream::connect_timeout(&at, Duration::from_secs(2)).ok()?;
    stream.set_read_timeout(Some(Duration::from_secs(5))).ok()?;
    write!(stream, "GET {path} HTTP/1.1\r\nHost: {at}\r\nConnection: close\r\n\r\n").ok()?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).ok()?;
    let answer = String::from_utf8(answer).ok()?;
    let (head, body) = answer.split_once("\r\n\r\n")?;
    let status = head.strip_prefix("HTTP/1.1 ")?.get(..3)?.parse().ok()?;
    Some((status, body.to_owned()))
}
