//! Upstream servers at link-local addresses, which mean a machine only with their interface.

use std::net::SocketAddr;
use std::process::Command;

use crate::kit::upstream::Scripted;
use crate::kit::upstream::answer::Answer;
use crate::kit::upstream::habits::Habits;
use crate::support::gateway::run;
use crate::support::namespace::{in_a_namespace, ip};
use crate::support::{Ask, Gateway, TWO_GROUPS, TWO_PROFILES, eventually};

/// An interface called `wan0` with the address `fe80::53`, and a server there; its number.
fn link(port: u16) -> (u32, Scripted) {
    ip("link add wan0 type veth peer name far0");
    ip("link set wan0 up");
    ip("link set far0 up");
    ip("address add fe80::53/64 dev wan0 nodad");
    // `/sys` is that of another namespace.
    let output = Command::new("ip").args(["-o", "link", "show", "wan0"]).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let number = text.split(':').next().unwrap().parse().unwrap();
    let address: SocketAddr = format!("[fe80::53%{number}]:{port}").parse().unwrap();
    let habits = Habits::new().below(".", Answer::a("192.0.2.53"));
    (number, habits.start_at(address).unwrap())
}

fn plan(servers: &str) -> crate::support::gateway::Plan {
    let config = format!("{TWO_GROUPS}{TWO_PROFILES}");
    Gateway::plan(&config.replace("\"udp://127.0.0.1:{upstream}\"", servers))
}

fn resolves(gateway: &Gateway, name: &str) {
    let reply = Ask::new(name, "A").expect(gateway.dns);
    assert_eq!(reply.answers(), ["A 192.0.2.53"], "{name}\n{}", gateway.log());
}

#[test]
fn a_link_local_server_is_asked_by_name_and_by_number_of_its_interface() {
    in_a_namespace(
        "link_local::a_link_local_server_is_asked_by_name_and_by_number_of_its_interface",
        || {
            let (number, server) = link(5353);
            for (case, servers) in [
                format!("\"udp://[fe80::53%wan0]:{}\"", server.port()),
                format!("\"udp://[fe80::53%{number}]:{}\"", server.port()),
                format!("\"tcp://[fe80::53%wan0]:{}\"", server.port()),
            ]
            .iter()
            .enumerate()
            {
                resolves(&plan(servers).start(), &format!("case{case}.example"));
            }
            // A forward zone, and the system's own resolver.
            let zone = format!(
                "\n[[forward]]\nzone = \"school.example\"\n\
                 servers = [\"udp://[fe80::53%wan0]:{}\"]\n",
                server.port()
            );
            let config = format!("{TWO_GROUPS}{TWO_PROFILES}{zone}");
            let gateway = Gateway::plan(&config).fill("upstream", "9").start();
            resolves(&gateway, "www.school.example");
            let config = format!("{TWO_GROUPS}{TWO_PROFILES}").replace(
                "servers = [\"udp://127.0.0.1:{upstream}\"]",
                "resolv_conf = \"resolv.conf\"",
            );
            let text = format!("nameserver [fe80::53%wan0]:{}\n", server.port());
            resolves(&Gateway::plan(&config).file("resolv.conf", &text).start(), "sys.example");
        },
    );
}

#[test]
fn an_interface_may_come_late_and_come_back_with_another_number() {
    in_a_namespace(
        "link_local::an_interface_may_come_late_and_come_back_with_another_number",
        || {
            let gateway = plan("\"udp://[fe80::53%wan0]:5353\"").start();
            let ask = |name: &str| Ask::new(name, "A").expect(gateway.dns);
            assert_eq!(ask("early.example").rcode(), "SERVFAIL");
            let answered = |name: &str| {
                let mut count = 0;
                eventually(name, || {
                    count += 1;
                    let reply = ask(&format!("{name}{count}.example"));
                    (reply.answers() == ["A 192.0.2.53"]).then_some(())
                });
            };
            let (first, server) = link(5353);
            answered("late");
            drop(server);
            ip("link delete wan0");
            // Another interface takes the next number.
            ip("link add other0 type veth peer name other1");
            let (second, _server) = link(5353);
            assert_ne!(first, second);
            answered("again");
        },
    );
}

#[test]
fn a_link_local_server_without_its_interface_is_refused() {
    let (status, output) = run(plan("\"udp://[fe80::53]:53\"").command());
    assert_eq!(status.code(), Some(3), "{output}");
    assert!(output.contains("write the interface behind it"), "{output}");
}
