//! A gateway without servers in its config asks the system's resolvers, whatever else their file
//! says, and follows the file.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::PathBuf;
use std::time::Duration;

use crate::kit::upstream::Scripted;
use crate::kit::upstream::answer::Answer;
use crate::kit::upstream::habits::Habits;
use crate::support::gateway::{Plan, run};
use crate::support::{Ask, Gateway, TWO_GROUPS, TWO_PROFILES, eventually};

/// A gateway that asks whom `resolv.conf` beside its config names.
fn plan() -> Plan {
    let config =
        format!("{TWO_GROUPS}{TWO_PROFILES}\n[local]\nrecords = [\"own.test A 192.0.2.77\"]\n");
    let servers = "servers = [\"udp://127.0.0.1:{upstream}\"]";
    Gateway::plan(&config.replace(servers, "resolv_conf = \"resolv.conf\""))
}

/// A server that answers every A with this address.
fn server(address: &str) -> Scripted {
    Habits::new().below(".", Answer::a(address)).start()
}

/// A `nameserver` line. Real ones have no port, and tests cannot bind port 53.
fn line(server: &Scripted) -> String {
    format!("nameserver {}\n", server.address())
}

fn conf(gateway: &Gateway) -> PathBuf {
    gateway.dir().join("resolv.conf")
}

/// Asks for names of its own until the answer is this.
fn expect(gateway: &Gateway, name: &str, answer: &str) {
    let mut number = 0;
    eventually(&format!("{name}: {answer}"), || {
        number += 1;
        let reply = Ask::new(&format!("{name}{number}.example"), "A").send(gateway.dns)?;
        (reply.answers() == [answer]).then_some(())
    });
}

#[test]
fn odd_lines_do_not_keep_a_server_away() {
    for odd in [
        "search .",
        "search truong..local",
        "search thpt\\032nguyen.local",
        "search -x.local",
        "domain a..b",
        "options ndots:999999 whatever:x",
        "nameserver what",
        "nameserver fe80::1",
        "sortlist 300.1.1.1",
        "\u{feff}",
    ] {
        let upstream = server("192.0.2.3");
        let gateway = plan().file("resolv.conf", &format!("{odd}\n{}", line(&upstream))).start();
        let reply = Ask::new("www.example", "A").expect(gateway.dns);
        assert_eq!(reply.answers(), ["A 192.0.2.3"], "{odd}");
    }
}

#[test]
fn a_changed_file_is_taken_up_however_it_changes() {
    let (one, two, three) = (server("192.0.2.1"), server("192.0.2.2"), server("192.0.2.3"));
    let gateway = plan().file("resolv.conf", &line(&one)).start();
    let path = conf(&gateway);
    expect(&gateway, "first", "A 192.0.2.1");

    fs::write(&path, line(&two)).unwrap();
    expect(&gateway, "written", "A 192.0.2.2");

    let beside = gateway.dir().join("resolv.conf.new");
    fs::write(&beside, line(&three)).unwrap();
    fs::rename(&beside, &path).unwrap();
    expect(&gateway, "renamed", "A 192.0.2.3");

    // As systemd-resolved and NetworkManager have it: a link into a directory of theirs.
    let run = gateway.dir().join("run");
    fs::create_dir(&run).unwrap();
    fs::write(run.join("stub.conf"), line(&one)).unwrap();
    fs::remove_file(&path).unwrap();
    symlink("run/stub.conf", &path).unwrap();
    expect(&gateway, "linked", "A 192.0.2.1");
    fs::write(run.join("stub.new"), line(&two)).unwrap();
    fs::rename(run.join("stub.new"), run.join("stub.conf")).unwrap();
    expect(&gateway, "linkedagain", "A 192.0.2.2");
}

#[test]
fn a_server_that_stays_keeps_its_counters() {
    let (one, two) = (server("192.0.2.1"), server("192.0.2.1"));
    let gateway = plan().file("resolv.conf", &line(&one)).start();
    expect(&gateway, "before", "A 192.0.2.1");
    let label = one.url("udp");
    let queries =
        || gateway.metrics().value("lachan_upstream_queries_total", &[("upstream", &label)]);
    let before = queries();
    assert!(before >= 1.0);
    fs::write(conf(&gateway), format!("search x.example\n{}{}", line(&one), line(&two))).unwrap();
    eventually("the second server", || {
        let other = two.url("udp");
        gateway.metrics().has("lachan_upstream_up", &[("upstream", &other)]).then_some(())
    });
    assert!(queries() >= before);
}

#[test]
fn a_file_that_names_nobody_else_leaves_the_servers_as_they_are() {
    let one = server("192.0.2.1");
    let gateway = plan().file("resolv.conf", &line(&one)).start();
    let path = conf(&gateway);
    let own = format!("nameserver {}\n", gateway.dns);
    for (text, said) in [
        (Some(own.as_str()), "is this gateway itself"),
        (Some(""), "no name server"),
        (Some("search example\n"), "no name server"),
        (None, "No such file"),
    ] {
        let before = gateway.log().len();
        match text {
            Some(text) => fs::write(&path, text).unwrap(),
            None => fs::remove_file(&path).unwrap(),
        }
        eventually(said, || gateway.log()[before..].contains(said).then_some(()));
        expect(&gateway, "still", "A 192.0.2.1");
    }
    // Beside another server, this gateway alone is left out.
    let two = server("192.0.2.2");
    fs::write(&path, own + &line(&two)).unwrap();
    expect(&gateway, "other", "A 192.0.2.2");
    // SIGHUP reads the file too, and no list waits for it.
    fs::write(&path, "").unwrap();
    let before = gateway.log().len();
    gateway.reload();
    eventually("the reload", || gateway.log()[before..].contains("reloaded").then_some(()));
    expect(&gateway, "reloaded", "A 192.0.2.2");
}

#[test]
fn it_starts_before_there_is_a_resolver_and_takes_one_up() {
    for text in [None, Some("search example\n")] {
        let plan = match text {
            None => plan(),
            Some(text) => plan().file("resolv.conf", text),
        };
        let gateway = plan.start();
        let ask = |name| Ask::new(name, "A").edns(1232).expect(gateway.dns);
        assert_eq!(ask("own.test").answers(), ["A 192.0.2.77"]);
        assert_eq!(ask("localhost").answers(), ["A 127.0.0.1"]);
        let reply = ask("www.example");
        assert_eq!((reply.rcode().as_str(), reply.ede().map(|ede| ede.0)), ("SERVFAIL", Some(23)));
        let upstream = server("192.0.2.5");
        fs::write(conf(&gateway), line(&upstream)).unwrap();
        // The same name, which was refused a moment ago.
        eventually("the answer", || {
            (ask("www.example").answers() == ["A 192.0.2.5"]).then_some(())
        });
    }
}

#[test]
fn a_start_with_nobody_but_itself_is_refused() {
    let plan = plan().fill("nothing", "");
    let command = plan.command();
    let text = fs::read_to_string(plan.config_path()).unwrap();
    let own = text.split("dns = [\"").nth(1).unwrap().split('"').next().unwrap();
    fs::write(plan.config_path().with_file_name("resolv.conf"), format!("nameserver {own}\n"))
        .unwrap();
    let (status, output) = run(command);
    assert_eq!(status.code(), Some(1), "{output}");
    assert!(output.contains("is this gateway itself"), "{output}");
}

#[test]
fn a_server_that_is_dead_is_left_as_soon_as_the_file_names_another() {
    let (mut one, two) = (server("192.0.2.1"), server("192.0.2.2"));
    let gateway = plan().file("resolv.conf", &line(&one)).start();
    expect(&gateway, "alive", "A 192.0.2.1");
    one.stop();
    fs::write(conf(&gateway), line(&two)).unwrap();
    let started = crate::support::now();
    expect(&gateway, "moved", "A 192.0.2.2");
    assert!(started.elapsed() < Duration::from_secs(20), "without waiting for the dead one");
}
