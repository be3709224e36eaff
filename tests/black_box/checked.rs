//! What `check` accepts, `serve` runs: a config is refused by both or by neither, for every
//! reason that config and files give. Only what the machine has is looked at when sockets open.

use std::ops::RangeInclusive;
use std::process::Command;

use serde_json::Value;

use crate::support::gateway::{LACHAN, Plan, run};
use crate::support::{Ask, Gateway, PUPIL, TWO_GROUPS, TWO_PROFILES, Upstream, eventually};

const LIST: &str = "\n[[lists.source]]\ncategory = \"adult\"\npath = \"adult.txt\"\n";
const SERVERS: &str = "servers = [\"udp://127.0.0.1:{upstream}\"]";
const DNS: &str = "dns = [\"127.0.0.1:{dns}\"]";
const ADMIN: &str = "\n[admin]\nlisten = \"127.0.0.1:{admin}\"\n";

/// A certificate whose octets are none.
const BROKEN: &str = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
/// PEM without a certificate.
const KEY: &str = "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n";

/// A config that `serve` cannot run, by one change of a good one.
struct Bad {
    /// What is wrong, for whoever reads a failure.
    what: &'static str,
    /// What is replaced; the end of the config where it is empty.
    from: &'static str,
    /// What stands there instead.
    to: &'static str,
    /// The line of the mistake is the first that holds this.
    at: &'static str,
}

impl Bad {
    fn of(&self, good: &str) -> String {
        if self.from.is_empty() {
            return format!("{good}{}", self.to);
        }
        assert!(good.contains(self.from), "{}: {good}", self.what);
        good.replace(self.from, self.to)
    }

    /// The lines that may be named: of the key, or of the table that it stands in.
    fn lines(&self, config: &str) -> RangeInclusive<u64> {
        let lines: Vec<&str> = config.lines().collect();
        let at = lines.iter().position(|line| line.contains(self.at)).unwrap();
        let table = lines[..=at].iter().rposition(|line| line.starts_with('[')).unwrap();
        let first = if lines[table].starts_with("[[") { table } else { at };
        first as u64 + 1..=at as u64 + 1
    }
}

/// `{dns}` stands in `to` for the port of queries, as in the config.
const BAD: &[Bad] = &[
    Bad {
        what: "an upstream server without a name for its certificate",
        from: SERVERS,
        to: "servers = [\"https://[2001:db8::1]\"]",
        at: "https://[2001:db8::1]",
    },
    Bad {
        what: "the same beside a good one",
        from: SERVERS,
        to: "servers = [\"udp://127.0.0.1:{upstream}\", \"https://[2001:db8::2]:8443/q\"]",
        at: "https://[2001:db8::2]",
    },
    Bad {
        what: "a forward zone's server without a name for its certificate",
        from: "",
        to: "\n[[forward]]\nzone = \"school.example\"\nservers = [\"https://[2001:db8::3]\"]\n",
        at: "https://[2001:db8::3]",
    },
    Bad {
        what: "TLS roots that are not there",
        from: SERVERS,
        to: "servers = [\"udp://127.0.0.1:{upstream}\"]\ntls_roots = \"gone.pem\"",
        at: "gone.pem",
    },
    Bad {
        what: "TLS roots that are a directory",
        from: SERVERS,
        to: "servers = [\"udp://127.0.0.1:{upstream}\"]\ntls_roots = \".\"",
        at: "tls_roots",
    },
    Bad {
        what: "TLS roots that are not PEM",
        from: SERVERS,
        to: "servers = [\"udp://127.0.0.1:{upstream}\"]\ntls_roots = \"adult.txt\"",
        at: "tls_roots = \"adult.txt\"",
    },
    Bad {
        what: "TLS roots without a certificate",
        from: SERVERS,
        to: "servers = [\"udp://127.0.0.1:{upstream}\"]\ntls_roots = \"key.pem\"",
        at: "key.pem",
    },
    Bad {
        what: "TLS roots of no certificate's octets",
        from: SERVERS,
        to: "servers = [\"udp://127.0.0.1:{upstream}\"]\ntls_roots = \"broken.pem\"",
        at: "broken.pem",
    },
    Bad {
        what: "every address of a port beside one of them",
        from: DNS,
        to: "dns = [\"0.0.0.0:{dns}\", \"127.0.0.1:{dns}\"]",
        at: "dns = [",
    },
    Bad {
        what: "one address of a port beside every one",
        from: DNS,
        to: "dns = [\"127.0.0.1:{dns}\", \"0.0.0.0:{dns}\"]",
        at: "dns = [",
    },
    Bad {
        what: "the same in IPv6",
        from: DNS,
        to: "dns = [\"127.0.0.1:{dns}\", \"[::]:{dns}\", \"[::1]:{dns}\"]",
        at: "dns = [",
    },
    Bad {
        what: "a group of machines, not one",
        from: DNS,
        to: "dns = [\"[ff02::1]:{dns}\"]",
        at: "dns = [",
    },
    Bad {
        what: "an address of every link, without an interface",
        from: DNS,
        to: "dns = [\"[fe80::1]:{dns}\"]",
        at: "dns = [",
    },
    Bad {
        what: "the gateway itself as its server, its address written as IPv6",
        from: SERVERS,
        to: "servers = [\"udp://[::ffff:127.0.0.1]:{dns}\"]",
        at: "servers = [",
    },
    Bad {
        what: "an IPv4 address written as IPv6",
        from: DNS,
        to: "dns = [\"[::ffff:127.0.0.1]:{dns}\"]",
        at: "dns = [",
    },
    Bad {
        what: "a name that begins with a hyphen, where a certificate's belongs",
        from: SERVERS,
        to: "servers = [\"tls://192.0.2.1#-dns.example\"]",
        at: "#-dns.example\"",
    },
    Bad {
        what: "a label that ends with a hyphen, where a certificate's belongs",
        from: SERVERS,
        to: "servers = [\"tls://192.0.2.1#dns-.example\"]",
        at: "#dns-.example\"",
    },
    Bad {
        what: "a name that is a number, where a certificate's belongs",
        from: SERVERS,
        to: "servers = [\"tls://192.0.2.1#853\"]",
        at: "#853\"",
    },
    Bad {
        what: "half an address, where a certificate's belongs",
        from: SERVERS,
        to: "servers = [\"tls://192.0.2.1#192.0.2\"]",
        at: "#192.0.2\"",
    },
    Bad {
        what: "the same for HTTPS in a forward zone",
        from: "",
        to: "\n[[forward]]\nzone = \"school.example\"\nservers = [\"https://192.0.2.1#-dns.example\"]\n",
        at: "#-dns.example",
    },
    Bad {
        what: "the port of the admin address, which is not written",
        from: ADMIN,
        to: "\n",
        at: "dns = [",
    },
    Bad {
        what: "a list by URL without a place for its copy",
        from: "",
        to: "\n[[lists.source]]\ncategory = \"games\"\nurl = \"https://127.0.0.1:9/games.txt\"\n",
        at: "games.txt",
    },
];

/// The good config with its files; nobody gives a state directory.
fn plan(config: &str) -> Plan {
    let plan = Gateway::plan(config).file("adult.txt", "adult.example\n");
    plan.file("key.pem", KEY).file("broken.pem", BROKEN)
}

fn good() -> String {
    format!("{TWO_GROUPS}{TWO_PROFILES}{LIST}")
}

/// Runs `lachan check` on a file: its exit code and output.
fn check(plan: &Plan, arguments: &[&str]) -> (Option<i32>, String) {
    let mut command = Command::new(LACHAN);
    command.arg("check").args(arguments).arg(plan.config_path()).env_remove("STATE_DIRECTORY");
    let (status, output) = run(command);
    (status.code(), output)
}

/// What is wrong with what `check` says of a bad config, if anything is.
fn wrong_in_check(bad: &Bad) -> Option<String> {
    let mut config = bad.of(&good());
    if bad.from == ADMIN {
        // The address where the admin server is by default.
        config = config.replace("127.0.0.1:{dns}", "127.0.0.1:9153");
    }
    let plan = plan(&config).fill("upstream", "9");
    // Writes the config; it is not started.
    drop(plan.command());
    let config = std::fs::read_to_string(plan.config_path()).unwrap();
    let lines = bad.lines(&config);
    let (code, output) = check(&plan, &["--json"]);
    if code != Some(3) {
        return Some(format!("`check` exits with {code:?}"));
    }
    let said: Value = serde_json::from_str(&output).unwrap_or_else(|_| panic!("{output}"));
    let mistake = &said["mistakes"][0];
    let path = mistake["path"].as_str().unwrap_or_default();
    if !path.ends_with("gateway.toml")
        || !mistake["line"].as_u64().is_some_and(|line| lines.contains(&line))
    {
        return Some(format!("not placed in gateway.toml:{lines:?}: {mistake}"));
    }
    let advice = mistake["hint"].as_str().is_some_and(|hint| !hint.is_empty())
        || mistake["message"].as_str().is_some_and(|message| message.contains("; "));
    if !advice {
        return Some(format!("does not say what to do: {mistake}"));
    }
    let (_, text) = check(&plan, &[]);
    let place = format!("gateway.toml:{}:", mistake["line"]);
    (!text.contains(&place)).then(|| format!("no {place} in {text}"))
}

#[test]
fn check_refuses_what_serve_cannot_run() {
    // The reason for the table: `serve` does refuse each of them.
    let serve = |bad: &Bad| {
        let plan = plan(&bad.of(&good())).fill("upstream", "9");
        let mut command = plan.command();
        command.env_remove("STATE_DIRECTORY");
        run(command).0.code()
    };
    for bad in BAD.iter().filter(|bad| bad.from != ADMIN) {
        assert!(matches!(serve(bad), Some(1 | 3)), "`serve` runs with {}", bad.what);
    }
    let wrong: Vec<String> = BAD
        .iter()
        .filter_map(|bad| wrong_in_check(bad).map(|wrong| format!("{}: {wrong}", bad.what)))
        .collect();
    assert!(wrong.is_empty(), "\n  {}", wrong.join("\n  "));
}

#[test]
fn a_reload_refuses_what_serve_cannot_run() {
    let upstream = Upstream::start();
    let gateway = plan(&good()).upstream(&upstream).start();
    let path = gateway.dir().join("gateway.toml");
    let text = std::fs::read_to_string(&path).unwrap();
    let is_blocked =
        |name: &str| Ask::new(name, "A").from(PUPIL).expect(gateway.dns).rcode() == "NXDOMAIN";
    let refusals = || gateway.log().matches("not reloaded").count();
    let mut adopted = Vec::new();
    for (row, bad) in BAD.iter().enumerate().filter(|(_, bad)| bad.from != ADMIN) {
        let fill = |part: &str| {
            let part = part.replace("{upstream}", &upstream.port().to_string());
            part.replace("{dns}", &gateway.dns.port().to_string())
        };
        // A mark of the config, to tell whether it is in force.
        let (mark, before) = (format!("mark{row}.example"), refusals());
        let (from, to) = (fill(bad.from), fill(bad.to));
        let bad_text =
            if from.is_empty() { format!("{text}{to}") } else { text.replace(&from, &to) };
        assert_ne!(bad_text, text);
        let block = "block = [\"adult\", \"games\"]";
        let marked = bad_text.replace(block, &format!("{block}\ndeny = [\"{mark}\"]"));
        std::fs::write(&path, marked).unwrap();
        gateway.reload();
        let is_adopted = eventually(bad.what, || {
            (refusals() > before).then_some(false).or_else(|| is_blocked(&mark).then_some(true))
        });
        let success = gateway.metrics().value("lachan_config_last_reload_success", &[]);
        if is_adopted || success != 0.0 || is_blocked(&mark) {
            adopted.push(bad.what);
        }
    }
    assert!(
        adopted.is_empty(),
        "in force, though the next start fails:\n  {}",
        adopted.join("\n  ")
    );
    assert!(is_blocked("adult.example"), "the policy before");
}
