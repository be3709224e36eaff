//! The service manager: what it is told, and a socket that it hands from one life to the next.

use std::os::fd::OwnedFd;
use std::os::unix::net::UnixDatagram;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use crate::support::gateway::{Plan, spawn};
use crate::support::ports::{free_port, making_a_child};
use crate::support::{Ask, Gateway, PATIENCE, PUPIL, TWO_GROUPS, TWO_PROFILES};

/// A gateway without upstream that blocks `.example` names of one list.
fn plan(dns: u16) -> Plan {
    let lists = "[[lists.source]]\ncategory = \"adult\"\npath = \"adult.txt\"\n";
    let config = format!("{TWO_GROUPS}{TWO_PROFILES}{lists}")
        .replace("{dns}\"]", &format!("{dns}\"]\nworkers = 1"));
    Gateway::plan(&config).fill("upstream", "9").file("adult.txt", "blocked.example\n")
}

/// A manager's socket in the directory of a test.
fn manager(folder: &Path) -> UnixDatagram {
    let socket = UnixDatagram::bind(folder.join("notify")).unwrap();
    socket.set_read_timeout(Some(PATIENCE)).unwrap();
    socket
}

/// The next message that is not of the watchdog.
fn told(socket: &UnixDatagram) -> String {
    loop {
        let message = any(socket);
        if message != "WATCHDOG=1" {
            return message;
        }
    }
}

fn any(socket: &UnixDatagram) -> String {
    let mut octets = [0; 512];
    let length = socket.recv(&mut octets).expect("a message of the gateway");
    String::from_utf8(octets[..length].to_vec()).unwrap()
}

fn signal(child: &Child, number: i32) {
    let pid = child.id().to_string();
    let mut sent = Command::new("sh");
    sent.args(["-c", "kill -$0 $1", &number.to_string(), &pid]);
    assert!(sent.status().unwrap().success());
}

#[test]
fn turns_of_a_life_are_told() {
    let folder = tempfile::tempdir().unwrap();
    let socket = manager(folder.path());
    let dns = free_port();
    let plan = plan(dns);
    let mut command = plan.command();
    command.env("NOTIFY_SOCKET", folder.path().join("notify")).env("WATCHDOG_USEC", "300000");
    let (mut child, _log) = spawn(command);

    // New sockets are to be stored: UDP, TCP, the administrator's.
    let stored: Vec<_> = (0..3).map(|_| told(&socket)).collect();
    let wanted = format!("FDSTORE=1\nFDNAME=udp-127.0.0.1_{dns}-0\nFDPOLL=0");
    assert!(stored.contains(&wanted), "{stored:?}");
    assert!(stored.iter().all(|message| message.starts_with("FDSTORE=1\n")), "{stored:?}");
    assert_eq!(told(&socket), "READY=1");
    assert_eq!(any(&socket), "WATCHDOG=1");

    signal(&child, libc::SIGHUP);
    assert_eq!(told(&socket), "RELOADING=1");
    assert_eq!(told(&socket), "READY=1");
    signal(&child, libc::SIGTERM);
    assert_eq!(told(&socket), "STOPPING=1");
    assert!(child.wait().unwrap().success());
}

#[test]
fn a_query_that_came_while_no_gateway_ran_is_answered() {
    let folder = tempfile::tempdir().unwrap();
    let socket = manager(folder.path());
    let held = std::net::UdpSocket::bind(("127.0.0.1", 0)).unwrap();
    let stale = std::net::UdpSocket::bind(("127.0.0.1", 0)).unwrap();
    let dns = held.local_addr().unwrap();
    let ask = Ask::new("www.blocked.example", "A").from(PUPIL).limit(PATIENCE);
    let waiting = std::thread::spawn(move || ask.expect(dns));

    let plan = plan(dns.port());
    let served = plan.command();
    // The two sockets, at 3 and 4, as a service manager passes them.
    let passed = format!("udp-127.0.0.1_{}-0:udp-127.0.0.9_53-0", dns.port());
    let script = "exec 3<&0 4<&1 0</dev/null 1>&2; LISTEN_PID=$$ exec \"$0\" \"$@\"";
    let mut command = Command::new("sh");
    command.args(["-c", script]).arg(served.get_program()).args(served.get_args());
    command.current_dir(served.get_current_dir().unwrap());
    command.env("LISTEN_FDS", "2").env("LISTEN_FDNAMES", passed);
    command.env("NOTIFY_SOCKET", folder.path().join("notify"));
    command.stdin(Stdio::from(OwnedFd::from(held))).stdout(Stdio::from(OwnedFd::from(stale)));
    let mut child = {
        let _alone = making_a_child();
        command.spawn().unwrap()
    };
    // What it does not know it gives up before it opens any.
    assert_eq!(told(&socket), "FDSTOREREMOVE=1\nFDNAME=udp-127.0.0.9_53-0");
    let reply = waiting.join().unwrap();
    assert_eq!(reply.rcode(), "NXDOMAIN");
    // It took the socket: that of UDP is not stored anew.
    let stored: Vec<_> =
        std::iter::repeat_with(|| told(&socket)).take_while(|m| m != "READY=1").collect();
    assert!(stored.iter().all(|message| !message.contains("FDNAME=udp-")), "{stored:?}");
    child.kill().unwrap();
    child.wait().unwrap();
}
