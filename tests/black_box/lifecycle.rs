//! Start, reload and end: what an operator sees, and what clients must never see.

use std::net::{SocketAddr, TcpListener, UdpSocket};
use std::process::Command;
use std::time::Duration;

use crate::support::gateway::{LACHAN, get, run, spawn};
use crate::support::ports::free_port;
use crate::support::{
    Ask, Canned, Gateway, PUPIL, STAFF, TWO_GROUPS, TWO_PROFILES, Upstream, eventually,
    gateway_blocking, now, within,
};

/// The exit code for a config or list that cannot be used.
const INVALID: i32 = 3;

/// What `serve` says of a config that it must refuse.
fn refused(config: &str) -> String {
    let plan = Gateway::plan(config).fill("upstream", "9");
    let (status, output) = run(plan.command());
    assert_eq!(status.code(), Some(INVALID), "{output}");
    output
}

/// Line of the first place where `text` stands.
fn line_of(config: &str, text: &str) -> usize {
    config.lines().position(|line| line.contains(text)).unwrap() + 1
}

#[test]
fn a_config_mistake_stops_the_start_with_its_place() {
    let config =
        format!("{TWO_GROUPS}[profile.pupils]\nblock = [\"adlut\"]\n[profile.staff]\nblock = []\n");
    let output = refused(&config);
    let place = format!("gateway.toml:{}:10: ", line_of(&config, "adlut"));
    assert!(output.contains(&place), "no {place:?} in\n{output}");
    assert!(output.contains("`adlut`") && output.contains("`adult`"), "{output}");
    assert!(!output.contains("ready"), "{output}");
}

#[test]
fn every_mistake_is_shown_at_once() {
    let config = format!("{TWO_GROUPS}{TWO_PROFILES}")
        .replace("127.0.20.0/24", "127.0.20.0/33")
        .replace("block = []", "block = [\"casino\"]\nanswer = \"sinkhole\"");
    let output = refused(&config);
    for text in ["127.0.20.0/33", "casino", "sinkhole"] {
        let place = format!("gateway.toml:{}:", line_of(&config, text));
        assert!(output.contains(&place) && output.contains(text), "{text}, {place}:\n{output}");
    }
    assert!(output.contains("nxdomain"), "what is allowed is named:\n{output}");
}

#[test]
fn an_unknown_key_is_refused() {
    let config = format!("{TWO_GROUPS}{TWO_PROFILES}\n[blok]\nttl = \"30s\"\n");
    let output = refused(&config);
    assert!(output.contains(&format!("gateway.toml:{}:", line_of(&config, "[blok]"))), "{output}");
    assert!(output.contains("blok"), "{output}");
}

#[test]
fn a_config_that_is_no_toml_is_refused_with_its_place() {
    let output = refused("[listen]\ndns = [\n");
    assert!(output.contains("gateway.toml:"), "{output}");
}

#[test]
fn an_allow_of_a_locked_name_is_void_and_stops_nobody() {
    let upstream = Upstream::start();
    let config = format!(
        "{TWO_GROUPS}{TWO_PROFILES}\n[[lists.source]]\ncategory = \"gambling\"\npath = \"g.txt\"\n"
    )
    .replace("block = []", "block = []\nallow = [\"www.bet.example\"]");
    let plan = Gateway::plan(&config).upstream(&upstream).file("g.txt", "||bet.example^\n");
    let gateway = plan.start();
    for from in [PUPIL, STAFF] {
        let reply = Ask::new("www.bet.example", "A").from(from).expect(gateway.dns);
        assert_eq!(reply.rcode(), "NXDOMAIN", "{from}");
    }
    gateway.expect_log("www.bet.example");
    // Else the school would believe that it had allowed it.
    let mut check = Command::new(LACHAN);
    check.current_dir(gateway.dir()).args(["check", "gateway.toml"]);
    let (status, output) = run(check);
    assert_eq!(status.code(), Some(INVALID), "{output}");
    assert!(output.contains("www.bet.example") && output.contains("gambling"), "{output}");
}

#[test]
fn usage_mistakes_exit_with_2() {
    for arguments in [&["serve", "--confg", "x"][..], &["srve"], &["serve", "--config"]] {
        let mut command = Command::new(LACHAN);
        command.args(arguments);
        let (status, output) = run(command);
        assert_eq!(status.code(), Some(2), "{arguments:?}: {output}");
    }
}

#[test]
fn a_config_file_that_is_not_there_is_named() {
    let mut command = Command::new(LACHAN);
    command.args(["serve", "--config", "/nonexistent/gateway.toml"]);
    let (status, output) = run(command);
    assert_ne!(status.code(), Some(0), "{output}");
    assert!(output.contains("/nonexistent/gateway.toml"), "{output}");
}

#[test]
fn a_port_in_use_ends_the_start_with_its_address() {
    let port = free_port();
    let _tcp = TcpListener::bind(("127.0.0.1", port)).unwrap();
    let _udp = UdpSocket::bind(("127.0.0.1", port)).unwrap();
    let taken = format!("127.0.0.1:{port}");
    for key in ["{dns}", "{admin}"] {
        let config = format!("{TWO_GROUPS}{TWO_PROFILES}").replace(key, &port.to_string());
        let (status, output) = run(Gateway::plan(&config).fill("upstream", "9").command());
        assert_eq!(status.code(), Some(1), "{output}");
        assert!(output.contains(&taken), "{key}: no {taken} in\n{output}");
        assert!(!output.contains("panicked"), "{output}");
    }
}

/// A config cannot know which addresses this machine has: that is looked at when sockets open.
/// An address of this machine that is not loopback, if it has one.
fn own_address() -> Option<SocketAddr> {
    // Asks for the route to a documentation address; nothing is sent.
    let socket = UdpSocket::bind(("0.0.0.0", 0)).unwrap();
    let routed = socket.connect(("192.0.2.1", 53)).and_then(|()| socket.local_addr());
    let own = routed.ok().filter(|own| !own.ip().is_loopback());
    if own.is_none() {
        eprintln!("SKIPPED: this machine has no address but loopback");
    }
    own
}

#[test]
fn a_forward_zone_at_an_address_of_this_machine_is_refused_by_a_reload_and_by_check() {
    let Some(own) = own_address() else { return };
    let upstream = Upstream::start();
    let config =
        format!("{TWO_GROUPS}{TWO_PROFILES}").replace("dns = [\"127.0.0.1:", "dns = [\"0.0.0.0:");
    let gateway = Gateway::plan(&config).upstream(&upstream).start();
    let path = gateway.dir().join("gateway.toml");
    let (ip, port) = (own.ip(), gateway.dns.port());
    let zone = format!("[[forward]]\nzone = \"a.example\"\nservers = [\"udp://{ip}:{port}\"]\n");
    std::fs::write(&path, format!("{}\n{zone}", std::fs::read_to_string(&path).unwrap())).unwrap();
    gateway.reload();
    gateway.expect_log("not reloaded");
    gateway.expect_log("is this gateway itself");
    let mut command = Command::new(LACHAN);
    command.arg("check").arg(&path);
    let (status, output) = run(command);
    assert_eq!(status.code(), Some(3), "{output}");
    assert!(output.contains("is this gateway itself"), "{output}");
}

#[test]
fn an_upstream_at_an_address_of_this_machine_is_refused() {
    let Some(own) = own_address() else { return };
    let config = format!("{TWO_GROUPS}{TWO_PROFILES}")
        .replace("dns = [\"127.0.0.1:", "dns = [\"0.0.0.0:")
        .replace("udp://127.0.0.1:{upstream}", &format!("udp://{}:{{dns}}", own.ip()));
    let (status, output) = run(Gateway::plan(&config).command());
    assert_eq!(status.code(), Some(1), "{output}");
    assert!(output.contains(&format!("udp://{}", own.ip())), "{output}");
    assert!(output.contains("is this gateway itself"), "{output}");
    assert!(!output.contains("ready"), "{output}");
}

#[test]
fn it_filters_within_a_second_without_a_network() {
    // The upstream's port answers nobody. Best of three: the machine runs other tests.
    let started = (0..3).map(|_| {
        let config = format!(
            "{TWO_GROUPS}{TWO_PROFILES}\n[[lists.source]]\ncategory = \"adult\"\npath = \"a.txt\"\n"
        )
        .replace("starter = false", "starter = true");
        let plan = Gateway::plan(&config)
            .fill("upstream", &free_port().to_string())
            .file("a.txt", "badname.example\n");
        let begun = now();
        let gateway = plan.start();
        let answer = Ask::new("badname.example", "A").from(PUPIL).expect(gateway.dns);
        assert_eq!(answer.rcode(), "NXDOMAIN");
        begun.elapsed()
    });
    let best = started.min().unwrap();
    assert!(best < Duration::from_secs(1), "the first filtered answer came after {best:?}");
}

#[test]
fn nothing_is_answered_before_the_policy_is_loaded() {
    let upstream = Upstream::start();
    let names: String =
        (0..50_000).fold(String::new(), |text, n| text + &format!("n{n}.example\n"));
    let config = format!(
        "{TWO_GROUPS}{TWO_PROFILES}\n[[lists.source]]\ncategory = \"adult\"\npath = \"long.txt\"\n"
    );
    let (dns, admin) = (free_port(), free_port());
    let config = config.replace("{dns}", &dns.to_string()).replace("{admin}", &admin.to_string());
    let plan =
        Gateway::plan(&config).upstream(&upstream).file("long.txt", &(names + "badname.example\n"));
    let (mut child, log) = spawn(plan.command());

    let (dns, admin) = (([127, 0, 0, 1], dns).into(), ([127, 0, 0, 1], admin).into());
    let socket = UdpSocket::bind((PUPIL, 0)).unwrap();
    let query = Ask::new("badname.example", "A").to_wire();
    socket.set_read_timeout(Some(Duration::from_millis(5))).unwrap();
    let mut buffer = [0; 512];
    let is_ready = within(Duration::from_secs(20), || {
        socket.send_to(&query, dns).unwrap();
        if let Ok(length) = socket.recv(&mut buffer) {
            assert!(length >= 12);
            assert_eq!(buffer[3] & 0x0f, 3, "an answer without policy: {:02x?}", &buffer[..length]);
        }
        get(admin, "/readyz").filter(|(status, _)| *status == 200)
    });
    // Ready means ready: both transports, at once.
    let ready_and_right = is_ready.is_some()
        && [Ask::new("badname.example", "A"), Ask::new("badname.example", "A").tcp()]
            .iter()
            .all(|ask| ask.clone().from(PUPIL).expect(dns).rcode() == "NXDOMAIN");
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(ready_and_right, "{}", log.lock().unwrap());
}

#[test]
fn sigterm_drains_and_exits_with_0() {
    let upstream = Upstream::start();
    let slow = Canned {
        answer: vec!["slow.example. 300 A 192.0.2.50".into()],
        delay: Duration::from_millis(500),
        ..Canned::default()
    };
    upstream.answer("slow.example", None, slow);
    let mut gateway = gateway_blocking(&["badname.example"], &upstream);
    let dns = gateway.dns;
    let waiting = std::thread::spawn(move || Ask::new("slow.example", "A").from(PUPIL).send(dns));
    eventually("the query upstream", || (upstream.count("slow.example", None) > 0).then_some(()));
    gateway.terminate();
    let answer = waiting.join().unwrap().expect("a query in flight is answered");
    assert_eq!(answer.answers(), ["A 192.0.2.50"]);
}

#[test]
fn an_end_at_once_after_the_start_is_an_end_as_any_other() {
    let upstream = Upstream::start();
    let mut gateway = gateway_blocking(&["badname.example"], &upstream);
    for _ in 0..10 {
        gateway.terminate();
        gateway = gateway.restart();
    }
}

#[test]
fn sighup_loads_lists_and_config_again() {
    let upstream = Upstream::start();
    let gateway = gateway_blocking(&["badname.example"], &upstream);
    let ask = |name: &str| Ask::new(name, "A").from(PUPIL).expect(gateway.dns).rcode();
    assert_eq!(ask("new.example"), "NOERROR");

    std::fs::write(gateway.dir().join("adult.txt"), "new.example\n").unwrap();
    gateway.reload();
    // The name was cached: policy comes before the cache.
    eventually("the new list", || (ask("new.example") == "NXDOMAIN").then_some(()));
    assert_eq!(ask("badname.example"), "NOERROR");
}

#[test]
fn a_broken_config_at_reload_keeps_the_old_policy() {
    let upstream = Upstream::start();
    let mut gateway = gateway_blocking(&["badname.example"], &upstream);
    let path = gateway.dir().join("gateway.toml");
    let text = std::fs::read_to_string(&path).unwrap();
    std::fs::write(&path, text.replace("\"games\"", "\"gaems\"")).unwrap();
    gateway.reload();
    gateway.expect_log("gaems");
    let answer = Ask::new("badname.example", "A").from(PUPIL).expect(gateway.dns);
    assert_eq!(answer.rcode(), "NXDOMAIN");
    assert!(gateway.is_running());

    std::fs::write(&path, text.replace("block = []", "block = [\"adult\"]")).unwrap();
    gateway.reload();
    eventually("the mended config", || {
        let answer = Ask::new("badname.example", "A").from(STAFF);
        (answer.expect(gateway.dns).rcode() == "NXDOMAIN").then_some(())
    });
}

#[test]
fn admin_pages_tell_the_truth() {
    let upstream = Upstream::start();
    let gateway = gateway_blocking(&["badname.example", "worse.example"], &upstream);
    assert_eq!(gateway.get("/healthz").0, 200);
    assert_eq!(gateway.get("/readyz").0, 200);
    assert_eq!(gateway.get("/nothing").0, 404);

    for name in ["badname.example", "good.example", "good.example"] {
        Ask::new(name, "A").from(PUPIL).expect(gateway.dns);
    }
    Ask::new("good.example", "A").from(PUPIL).tcp().expect(gateway.dns);
    for (name, labels, value) in [
        ("lachan_queries_total", &[("proto", "udp")][..], 3.0),
        ("lachan_queries_total", &[("proto", "tcp")], 1.0),
        ("lachan_responses_total", &[("rcode", "NXDOMAIN"), ("source", "blocked")], 1.0),
        ("lachan_responses_total", &[("rcode", "NOERROR"), ("source", "upstream")], 1.0),
        ("lachan_responses_total", &[("rcode", "NOERROR"), ("source", "cache")], 2.0),
        ("lachan_response_duration_seconds_count", &[("source", "blocked")], 1.0),
        ("lachan_upstream_queries_total", &[], 1.0),
        ("lachan_cache_entries", &[], 1.0),
        ("lachan_list_entries", &[("category", "adult")], 2.0),
    ] {
        gateway.expect_metric(name, labels, value);
    }
    let metrics = gateway.metrics();
    for name in
        ["lachan_build_info", "lachan_cache_bytes", "lachan_school_info", "lachan_upstream_up"]
    {
        assert!(metrics.has(name, &[]), "no {name} in\n{}", metrics.text);
    }
    assert!(metrics.series_count() <= 300, "{} series", metrics.series_count());
    // What a group's policy can produce is there from 0, the rest is absent.
    assert!(metrics.has("lachan_blocked_total", &[("group", "pupils"), ("category", "games")]));
    assert!(!metrics.has("lachan_blocked_total", &[("group", "staff"), ("category", "games")]));
}

#[test]
fn without_a_config_it_says_what_to_try() {
    // The embedded default has fixed ports; where somebody holds them there is nothing to see.
    let is_free = UdpSocket::bind("127.0.0.1:5300").is_ok()
        && TcpListener::bind("127.0.0.1:5300").is_ok()
        && TcpListener::bind("127.0.0.1:9153").is_ok();
    if !is_free {
        eprintln!("skipped: 127.0.0.1:5300 or :9153 is in use");
        return;
    }
    let mut command = Command::new(LACHAN);
    command.arg("serve").env_remove("RUST_LOG");
    let (mut child, log) = spawn(command);
    let admin = "127.0.0.1:9153".parse().unwrap();
    let is_ready = within(Duration::from_secs(10), || {
        get(admin, "/readyz").filter(|(status, _)| *status == 200)
    });
    let blocked = is_ready.as_ref().and_then(|_| {
        let ask = Ask::new("adult.test.lachan.example", "A").edns(1232);
        ask.send("127.0.0.1:5300".parse().unwrap())
    });
    child.kill().unwrap();
    child.wait().unwrap();
    let log = log.lock().unwrap().clone();
    assert!(is_ready.is_some(), "{log}");
    let blocked = blocked.expect("an answer");
    assert_eq!((blocked.rcode().as_str(), blocked.ede().map(|e| e.0)), ("NXDOMAIN", Some(15)));
    let digs: Vec<&str> =
        log.lines().filter(|line| line.contains("dig @127.0.0.1 -p 5300 ")).collect();
    assert_eq!(digs.len(), 2, "{log}");
    assert!(digs[0].contains("adult.test.lachan.example"), "{log}");
}
