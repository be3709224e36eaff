//! A listen address that this machine does not have yet keeps no other down, and is served once it
//! is there: a VLAN, a VPN, an IPv6 address under test.

use std::net::{SocketAddr, TcpListener, UdpSocket};
use std::path::Path;
use std::process::Command;

use crate::support::gateway::{LACHAN, Plan, get, run, spawn};
use crate::support::namespace::{in_a_namespace, ip};
use crate::support::ports::free_port;
use crate::support::{Ask, Gateway, TWO_GROUPS, TWO_PROFILES, eventually, within};

/// No machine has it (RFC 5737).
const NOWHERE: &str = "203.0.113.7";

fn plan(listen: &str) -> Plan {
    let config = format!("{TWO_GROUPS}{TWO_PROFILES}")
        .replace("dns = [\"127.0.0.1:{dns}\"]", &format!("dns = [{listen}]"));
    Gateway::plan(&config).fill("upstream", "9")
}

fn absent(gateway: &Gateway, count: f64) {
    eventually(&format!("{count} absent addresses"), || {
        let now = gateway.metrics().value("lachan_listen_addresses_absent", &[]);
        ((now - count).abs() < f64::EPSILON).then_some(())
    });
}

/// Whether an address answers by UDP and TCP.
fn answers(to: SocketAddr) -> bool {
    let asks = [Ask::new("localhost", "A"), Ask::new("localhost", "A").tcp()];
    asks.into_iter().all(|ask| {
        ask.from(&to.ip().to_string()).send(to).is_some_and(|reply| reply.rcode() == "NOERROR")
    })
}

/// `lachan status --ready`, as a health check runs it: its exit code and what it says.
fn asked(config: &Path) -> (Option<i32>, String) {
    let mut command = Command::new(LACHAN);
    command.args(["status", "--ready", "--lang", "en", "--config"]).arg(config);
    let (status, output) = run(command);
    (status.code(), output)
}

#[test]
fn an_address_that_is_not_there_keeps_no_other_down() {
    for first in [true, false] {
        let gone = format!("\"{NOWHERE}:{{dns}}\"");
        let here = "\"127.0.0.1:{dns}\"";
        let gateway =
            plan(&if first { format!("{gone}, {here}") } else { format!("{here}, {gone}") })
                .start();
        assert!(answers(gateway.dns));
        absent(&gateway, 1.0);
        let (status, text) = gateway.get("/readyz");
        let port = gateway.dns.port();
        let said = format!("ready\nnot on this machine now: {NOWHERE}:{port}\n");
        assert_eq!((status, text), (200, said));
        let (code, said) = asked(&gateway.dir().join("gateway.toml"));
        assert!(code == Some(0) && said.contains("answers queries"), "{code:?} {said}");
        let address = format!("{NOWHERE}:{port}");
        eventually("the warning", || {
            let log = gateway.log();
            log.lines().any(|l| l.contains("WARN") && l.contains(&address)).then_some(())
        });
    }
}

#[test]
fn a_gateway_that_is_nowhere_yet_waits_and_is_not_ready() {
    let plan = plan(&format!("\"{NOWHERE}:{{dns}}\""));
    let command = plan.command();
    let text = std::fs::read_to_string(plan.config_path()).unwrap();
    let admin = text.split("listen = \"").nth(1).unwrap().split('"').next().unwrap();
    let admin: SocketAddr = admin.parse().unwrap();
    let (mut child, log) = spawn(command);
    let page = within(crate::support::PATIENCE, || get(admin, "/readyz"));
    let (code, said) = asked(&plan.config_path());
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(code == Some(1) && said.contains("answers no queries yet"), "{code:?} {said}");
    let (code, said) = asked(&plan.config_path());
    assert!(code == Some(3) && said.contains("does not answer"), "{code:?} {said}");
    let (status, text) = page.unwrap_or_else(|| panic!("{}", log.lock().unwrap()));
    assert!(status == 503 && text.starts_with("not ready\n"), "{status} {text}");
}

#[test]
fn an_address_that_is_taken_still_ends_the_start() {
    let port = free_port();
    let _tcp = TcpListener::bind(("127.0.0.1", port)).unwrap();
    let _udp = UdpSocket::bind(("127.0.0.1", port)).unwrap();
    let listen = format!("\"{NOWHERE}:{{dns}}\", \"127.0.0.1:{port}\"");
    let (status, output) = run(plan(&listen).command());
    assert_eq!(status.code(), Some(1), "{output}");
    assert!(output.contains(&format!("cannot listen on 127.0.0.1:{port}")), "{output}");
}

#[test]
fn check_warns_of_what_is_not_there_in_both_languages() {
    let plan = plan(&format!("\"127.0.0.1:{{dns}}\", \"{NOWHERE}:{{dns}}\""));
    plan.command();
    let path = plan.config_path();
    let text = std::fs::read_to_string(&path).unwrap();
    std::fs::write(&path, text.replace("udp://127.0.0.1:9", "udp://[fe80::1%nolink0]")).unwrap();
    let check = |arguments: &[&str]| {
        let mut command = Command::new(LACHAN);
        command.arg("check").arg(&path).args(arguments);
        let (status, output) = run(command);
        assert_eq!(status.code(), Some(0), "{output}");
        output
    };
    let text = check(&[]);
    assert!(
        text.contains("warning: this machine does not have the address `203.0.113.7:"),
        "{text}"
    );
    assert!(text.contains("has no interface `nolink0`") && text.contains(": ok ("), "{text}");
    let text = check(&["--lang", "vi"]);
    assert!(text.contains("không có địa chỉ") && text.contains("không có cổng mạng"), "{text}");
    let json: serde_json::Value = serde_json::from_str(&check(&["--json"])).unwrap();
    assert_eq!(json["ok"], true);
    // That no list is there is another one.
    let warnings = json["warnings"].as_array().unwrap();
    let of_this_machine = |warning: &&serde_json::Value| {
        let message = warning["message"].as_str().unwrap();
        message.contains("203.0.113.7") || message.contains("nolink0")
    };
    assert_eq!(warnings.iter().filter(of_this_machine).count(), 2, "{json}");
}

#[test]
fn an_address_is_served_when_it_comes_and_when_it_comes_back() {
    in_a_namespace("absent::an_address_is_served_when_it_comes_and_when_it_comes_back", || {
        let gateway =
            plan("\"127.0.0.1:{dns}\", \"10.20.0.1:{dns}\", \"[fd00:20::1]:{dns}\"").start();
        let at = |ip: &str| SocketAddr::new(ip.parse().unwrap(), gateway.dns.port());
        let comes = |ip: &str| eventually(ip, || answers(at(ip)).then_some(()));
        absent(&gateway, 2.0);
        ip("link add lan0 type veth peer name lan1");
        ip("link set lan0 up");
        ip("link set lan1 up");
        ip("address add 10.20.0.1/24 dev lan0");
        comes("10.20.0.1");
        absent(&gateway, 1.0);
        // Under test (DAD) for a second or two: the kernel lets nobody bind to it meanwhile.
        ip("-6 address add fd00:20::1/64 dev lan0");
        absent(&gateway, 0.0);
        comes("fd00:20::1");
        assert_eq!(gateway.get("/readyz"), (200, "ready\n".to_owned()));

        ip("address delete 10.20.0.1/24 dev lan0");
        ip("link delete lan0");
        absent(&gateway, 2.0);
        assert!(answers(gateway.dns));
        ip("link add lan0 type veth peer name lan1");
        ip("link set lan0 up");
        ip("link set lan1 up");
        ip("address add 10.20.0.1/24 dev lan0");
        ip("-6 address add fd00:20::1/64 dev lan0");
        absent(&gateway, 0.0);
        comes("10.20.0.1");
        comes("fd00:20::1");
    });
}
