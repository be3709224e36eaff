//! Queries that wait for upstream: together, bounded, and not for ever.

use std::net::UdpSocket;
use std::time::Duration;

use crate::kit::upstream::answer::Answer as Said;
use crate::kit::upstream::habits::Habits;
use crate::support::ask::name_to_wire;
use crate::support::{
    Answer, Ask, Canned, Gateway, PUPIL, STAFF, TWO_GROUPS, TWO_PROFILES, Upstream, eventually,
    gateway_blocking,
};

/// Two groups, `names` listed as adult, and more tables of config.
fn gateway_with(tables: &str, names: &[&str], upstream: &Upstream) -> Gateway {
    let list = "[[lists.source]]\ncategory = \"adult\"\npath = \"adult.txt\"\n";
    let config = format!("{TWO_GROUPS}{TWO_PROFILES}\n{tables}\n{list}");
    Gateway::plan(&config).upstream(upstream).file("adult.txt", &names.join("\n")).start()
}

fn silent() -> Canned {
    Canned { is_silent: true, ..Canned::default() }
}

fn address(line: &str, times: Option<usize>) -> Canned {
    Canned { answer: vec![line.into()], times, ..Canned::default() }
}

/// A client with many queries at one time.
struct Crowd(UdpSocket);

impl Crowd {
    fn new(gateway: &Gateway, from: &str) -> Self {
        let socket = UdpSocket::bind((from, 0)).unwrap();
        socket2::SockRef::from(&socket).set_recv_buffer_size(4 << 20).unwrap();
        socket.connect(gateway.dns).unwrap();
        Self(socket)
    }

    fn send(&self, name: &str) {
        self.0.send(&Ask::new(name, "A").to_wire()).unwrap();
    }

    /// Replies that come until none does for `patience`.
    fn replies(&self, patience: Duration) -> Vec<Answer> {
        self.0.set_read_timeout(Some(patience)).unwrap();
        let mut buffer = [0; 2048];
        std::iter::from_fn(|| {
            let length = self.0.recv(&mut buffer).ok()?;
            Some(Answer::decode(buffer[..length].to_vec()))
        })
        .collect()
    }

    /// The next `count` replies.
    fn next(&self, count: usize) -> Vec<Answer> {
        self.0.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
        let mut buffer = [0; 2048];
        (0..count)
            .map(|number| {
                let length = self.0.recv(&mut buffer);
                let length = length.unwrap_or_else(|error| panic!("reply {number}: {error}"));
                Answer::decode(buffer[..length].to_vec())
            })
            .collect()
    }
}

#[test]
fn upstream_is_asked_once_however_many_wait() {
    let upstream = Upstream::start();
    let slow = Canned {
        delay: Duration::from_millis(300),
        ..address("slow.example. 300 A 192.0.2.50", None)
    };
    upstream.answer("slow.example", None, slow);
    // The answer is judged for each by its own policy.
    let alias = Canned {
        delay: Duration::from_millis(300),
        answer: vec![
            "alias.example. 300 CNAME bad.example.".into(),
            "bad.example. 300 A 192.0.2.51".into(),
        ],
        ..Canned::default()
    };
    upstream.answer("alias.example", None, alias);
    let gateway = gateway_blocking(&["bad.example"], &upstream);
    let asks = ["slow.example", "SLOW.example", "sLoW.eXaMpLe"]
        .into_iter()
        .flat_map(|name| [Ask::new(name, "A"), Ask::new(name, "A").edns(1232)])
        .flat_map(|ask| [ask.clone().from(PUPIL), ask.clone().from(STAFF), ask.from(PUPIL).tcp()]);
    let asks: Vec<Ask> = asks.collect();
    let dns = gateway.dns;
    std::thread::scope(|scope| {
        let waiting: Vec<_> = asks.iter().map(|ask| scope.spawn(|| ask.expect(dns))).collect();
        for (answer, ask) in waiting.into_iter().zip(&asks) {
            let answer = answer.join().unwrap();
            assert_eq!(answer.answers(), ["A 192.0.2.50"], "{ask:?}");
        }
        let by = |from| Ask::new("alias.example", "A").from(from);
        let waiting = [PUPIL, STAFF].map(|from| scope.spawn(move || by(from).expect(dns).rcode()));
        assert_eq!(waiting.map(|answer| answer.join().unwrap()), ["NXDOMAIN", "NOERROR"]);
    });
    assert_eq!(
        (upstream.count("slow.example", None), upstream.count("alias.example", None)),
        (1, 1)
    );
    gateway.expect_metric("lachan_inflight", &[], 0.0);
    // Each waited for the first, or came when the answer was there.
    let metrics = gateway.metrics();
    let waited = metrics.value("lachan_coalesced_total", &[]);
    let late = metrics.value("lachan_response_duration_seconds_count", &[("source", "cache")]);
    assert!(waited > 0.0 && late < asks.len() as f64 / 2.0, "{waited} waited, {late} came late");
}

#[test]
fn a_name_in_use_is_fetched_before_its_time_is_over() {
    let upstream = Upstream::start();
    upstream.answer("used.example", None, address("used.example. 10 A 192.0.2.60", Some(1)));
    upstream.answer("used.example", None, address("used.example. 10 A 192.0.2.61", None));
    upstream.answer("once.example", None, address("once.example. 10 A 192.0.2.62", None));
    let gateway = gateway_blocking(&["bad.example"], &upstream);
    let ask = |name| Ask::new(name, "A").expect(gateway.dns).answers();
    assert_eq!(ask("once.example"), ["A 192.0.2.62"]);
    for _ in 0..2 {
        assert_eq!(ask("used.example"), ["A 192.0.2.60"]);
    }
    // The last tenth begins: asked until it does.
    eventually("the refresh", || {
        let answers = ask("used.example");
        let is_asked = upstream.count("used.example", None) == 2;
        // Nobody waits for it: what is there goes out.
        assert!(is_asked || answers == ["A 192.0.2.60"], "{answers:?}");
        (answers == ["A 192.0.2.61"]).then_some(())
    });
    gateway.expect_metric("lachan_prefetches_total", &[], 1.0);
    gateway.expect_metric(
        "lachan_responses_total",
        &[("rcode", "NOERROR"), ("source", "upstream")],
        2.0,
    );
    assert_eq!(upstream.count("once.example", None), 1);
}

#[test]
fn a_stale_answer_comes_while_upstream_is_silent_and_is_judged_anew() {
    let upstream = Upstream::start();
    for name in ["old.example", "other.example"] {
        upstream.answer(name, None, address(&format!("{name}. 1 A 192.0.2.8"), Some(1)));
        upstream.answer(name, None, silent());
    }
    let gateway = gateway_with("[cache]\nstale_after = \"100ms\"", &["bad.example"], &upstream);
    let ask = |name: &str| Ask::new(name, "A").edns(1232).expect(gateway.dns);
    for name in ["old.example", "other.example"] {
        assert_eq!(ask(name).answers(), ["A 192.0.2.8"]);
    }
    std::thread::sleep(Duration::from_millis(2100));
    let stale = ask("old.example");
    assert_eq!((stale.answers(), stale.ttls()), (vec!["A 192.0.2.8".to_owned()], vec![30]));
    assert_eq!(stale.ede().map(|ede| ede.0), Some(3));
    // Nobody has listed it, until now.
    std::fs::write(gateway.dir().join("adult.txt"), "other.example\n").unwrap();
    gateway.reload();
    eventually("the block", || {
        let answer = ask("other.example");
        if answer.rcode() != "NXDOMAIN" {
            assert_eq!(answer.ede().map(|ede| ede.0), Some(3));
            return None;
        }
        assert_eq!(answer.ede().map(|ede| ede.0), Some(15));
        Some(())
    });
}

#[test]
fn when_no_server_is_up_a_stale_answer_does_not_wait() {
    let upstream = Upstream::start();
    upstream.answer("old.example", None, address("old.example. 1 A 192.0.2.8", Some(1)));
    upstream.answer("old.example", None, silent());
    for number in 0..3 {
        upstream.answer(&format!("n{number}.example"), None, silent());
    }
    let gateway = gateway_with("[cache]\nstale_after = \"10s\"", &["bad.example"], &upstream);
    assert_eq!(Ask::new("old.example", "A").expect(gateway.dns).answers(), ["A 192.0.2.8"]);
    // Three failures in a row put the server back.
    for number in 0..3 {
        let answer = Ask::new(&format!("n{number}.example"), "A").expect(gateway.dns);
        assert_eq!(answer.rcode(), "SERVFAIL");
    }
    gateway.expect_metric("lachan_upstream_up", &[], 0.0);
    let told = |words: &str| gateway.log().matches(words).count();
    assert_eq!(told("no upstream server answers"), 1, "{}", gateway.log());
    // A client that waits no longer than a try of upstream takes.
    let ask = Ask::new("old.example", "A").edns(1232).limit(Duration::from_millis(1200));
    let answer = ask.expect(gateway.dns);
    assert_eq!(answer.ede().map(|ede| ede.0), Some(3));
    // One line when it ends, and one when it is over.
    eventually("an answer", || {
        let answer = Ask::new("back.example", "A").send(gateway.dns)?;
        (answer.rcode() != "SERVFAIL").then_some(())
    });
    eventually("the line", || (told("answers again") == 1).then_some(()));
    assert_eq!(told("no upstream server answers"), 1, "{}", gateway.log());
}

#[test]
fn five_thousand_queries_to_a_dead_upstream_leave_room_for_hits() {
    let upstream = Upstream::start();
    upstream.answer("dead.example", None, silent());
    let gateway = gateway_blocking(&["bad.example"], &upstream);
    let hits = [("good.example", "NOERROR"), ("bad.example", "NXDOMAIN")];
    let hit = || {
        for (name, rcode) in hits {
            assert_eq!(Ask::new(name, "A").from(PUPIL).expect(gateway.dns).rcode(), rcode);
        }
    };
    hit();
    let asked_before = upstream.asked().len();
    // A name of its own each, so that none waits with another; upstream answers none of them.
    let crowd = Crowd::new(&gateway, "127.0.0.77");
    for number in 0..5000 {
        upstream.answer(&format!("n{number}.dead.example"), None, silent());
    }
    for number in 0..5000 {
        crowd.send(&format!("n{number}.dead.example"));
        // What is asked meanwhile is answered meanwhile: `hit` fails where it is not.
        if number % 500 == 0 {
            hit();
        }
    }
    hit();
    let replies = crowd.replies(Duration::from_secs(4));
    assert_eq!(replies.len(), 5000, "every query has an end");
    assert!(replies.iter().all(|reply| reply.rcode() == "SERVFAIL"));
    hit();
    // Those who found no place had their end at once, and upstream was spared.
    let overflow = gateway.metrics().value("lachan_overflow_total", &[]);
    assert!(overflow > 0.0, "{overflow}");
    let asked = upstream.asked().len() - asked_before;
    assert!(asked < 3 * 5000, "{asked}");
    gateway.expect_metric("lachan_inflight", &[], 0.0);
}

#[test]
fn what_waits_is_bounded_in_all_and_for_each_client() {
    let upstream = Upstream::start();
    for number in 0..40 {
        upstream.answer(&format!("n{number}.example"), None, silent());
    }
    let bounds = "[limits]\nclient_in_flight = 10\nexempt = []\nclient_rate = 0";
    let config = format!("{TWO_GROUPS}{TWO_PROFILES}\n{bounds}\n")
        .replace("[upstream]\n", "[upstream]\nin_flight = 25\n");
    let gateway = Gateway::plan(&config).upstream(&upstream).start();
    let clients = ["127.0.10.1", "127.0.10.2", "127.0.10.3"].map(|from| Crowd::new(&gateway, from));
    let overflow = |bound| gateway.metrics().value("lachan_overflow_total", &[("bound", bound)]);
    // Ten of the first client wait; five are too many, and say so at once.
    for number in 0..15 {
        clients[0].send(&format!("n{number}.example"));
    }
    let early = clients[0].next(5);
    assert!(early.iter().all(|reply| reply.rcode() == "SERVFAIL"));
    assert_eq!((overflow("client"), overflow("all")), (5.0, 0.0));
    // Ten more of the second, and the third finds five places.
    for (client, names) in [(&clients[1], 15..25), (&clients[2], 25..35)] {
        for number in names {
            client.send(&format!("n{number}.example"));
        }
    }
    assert_eq!(clients[2].next(5).len(), 5);
    assert_eq!((overflow("client"), overflow("all")), (5.0, 5.0));
    // All have an end, and their places are free again.
    let ends = clients.iter().map(|client| client.replies(Duration::from_secs(4)).len());
    assert_eq!(ends.collect::<Vec<_>>(), [10, 10, 5]);
    gateway.expect_metric("lachan_inflight", &[], 0.0);
    clients[0].send("good.example");
    assert_eq!(clients[0].next(1)[0].rcode(), "NOERROR");
}

#[test]
fn what_waits_for_one_server_is_bounded() {
    let silent = Habits::new().always(Said::silence()).start();
    let good = Habits::new().start();
    let servers = format!("\"{}\", \"{}\"", silent.url("udp"), good.url("udp"));
    let config = format!("{TWO_GROUPS}{TWO_PROFILES}\n")
        .replace("\"udp://127.0.0.1:{upstream}\"", &servers)
        .replace("[upstream]\n", "[upstream]\nserver_in_flight = 5\n");
    let gateway = Gateway::plan(&config).start();
    let crowd = Crowd::new(&gateway, PUPIL);
    for number in 0..8 {
        crowd.send(&format!("n{number}.example"));
    }
    assert!(crowd.next(8).iter().all(|reply| reply.rcode() == "NOERROR"));
    // Three found no place at the first server, and went to the second at once.
    assert_eq!((silent.queries().len(), good.queries().len()), (5, 8));
    let url = silent.url("udp");
    let busy = [("upstream", url.as_str()), ("reason", "busy")];
    gateway.expect_metric("lachan_upstream_errors_total", &busy, 3.0);
    gateway.expect_metric("lachan_inflight", &[], 0.0);
}

#[test]
fn a_crowd_at_the_second_server_leaves_no_question_unasked() {
    let silent = Habits::new().always(Said::silence()).start();
    // Three questions are still under way when five more come from the silent one.
    let slow = Habits::new().slow(Duration::from_secs(1)).start();
    let servers = format!("\"{}\", \"{}\"", silent.url("udp"), slow.url("udp"));
    let config = format!("{TWO_GROUPS}{TWO_PROFILES}\n")
        .replace("\"udp://127.0.0.1:{upstream}\"", &servers)
        .replace("[upstream]\n", "[upstream]\nserver_in_flight = 5\n");
    let gateway = Gateway::plan(&config).start();
    let crowd = Crowd::new(&gateway, PUPIL);
    for number in 0..8 {
        crowd.send(&format!("n{number}.example"));
    }
    assert!(crowd.next(8).iter().all(|reply| reply.rcode() == "NOERROR"));
}

/// Five times as many hostile names as may wait, all of one client.
#[test]
fn names_that_nobody_answers_take_no_place_from_those_that_are_there() {
    let server = Habits::new().below("dead.example", Said::silence()).start();
    let config = format!("{TWO_GROUPS}{TWO_PROFILES}\n")
        .replace("udp://127.0.0.1:{upstream}", &server.url("udp"))
        .replace("[upstream]\n", "[upstream]\nin_flight = 128\n");
    let gateway = Gateway::plan(&config).start();
    let hostile = Crowd::new(&gateway, PUPIL);
    for round in 0..40 {
        for number in 0..16 {
            hostile.send(&format!("n{number}.r{round}.dead.example"));
        }
        for from in [STAFF, PUPIL] {
            let name = format!("r{round}.{}.example.net", if from == STAFF { "s" } else { "p" });
            assert_eq!(Ask::new(&name, "A").from(from).expect(gateway.dns).rcode(), "NOERROR");
        }
    }
    let url = server.url("udp");
    gateway.expect_metric("lachan_upstream_up", &[("upstream", url.as_str())], 1.0);
    assert!(gateway.metrics().value("lachan_overflow_total", &[("bound", "all")]) > 0.0);
}

#[test]
fn the_only_server_is_asked_however_many_wait_for_it() {
    let upstream = Upstream::start();
    for number in 0..8 {
        upstream.answer(&format!("n{number}.example"), None, silent());
    }
    let config = format!("{TWO_GROUPS}{TWO_PROFILES}\n")
        .replace("[upstream]\n", "[upstream]\nserver_in_flight = 5\n");
    let gateway = Gateway::plan(&config).upstream(&upstream).start();
    let crowd = Crowd::new(&gateway, PUPIL);
    for number in 0..8 {
        crowd.send(&format!("n{number}.example"));
    }
    crowd.send("good.example");
    assert_eq!(crowd.next(1)[0].rcode(), "NOERROR");
    assert!(crowd.next(8).iter().all(|reply| reply.rcode() == "SERVFAIL"));
    eventually("the end of the questions", || {
        (gateway.metrics().value("lachan_inflight", &[]) == 0.0).then_some(())
    });
}

#[test]
fn too_many_waiting_is_a_stale_answer_where_there_is_one() {
    let upstream = Upstream::start();
    upstream.answer("old.example", None, address("old.example. 1 A 192.0.2.8", Some(1)));
    upstream.answer("old.example", None, silent());
    upstream.answer("slow.example", None, silent());
    let config = format!("{TWO_GROUPS}{TWO_PROFILES}\n[cache]\nstale_after = \"10s\"\n")
        .replace("[upstream]\n", "[upstream]\nin_flight = 1\n");
    let gateway = Gateway::plan(&config).upstream(&upstream).start();
    assert_eq!(Ask::new("old.example", "A").expect(gateway.dns).answers(), ["A 192.0.2.8"]);
    std::thread::sleep(Duration::from_millis(2100));
    let crowd = Crowd::new(&gateway, PUPIL);
    crowd.send("slow.example");
    eventually("a query that waits", || {
        (gateway.metrics().value("lachan_inflight", &[]) >= 1.0).then_some(())
    });
    crowd.send("old.example");
    // It comes before the end of the one that waits.
    let first = &crowd.next(1)[0];
    assert_eq!(first.raw.get(12..12 + 13), Some(name_to_wire("old.example").as_slice()));
    assert_eq!((first.rcode(), first.ttls()), ("NOERROR".into(), vec![30]));
    gateway.expect_metric("lachan_overflow_total", &[("bound", "all")], 1.0);
}

#[test]
fn hits_are_answered_while_as_many_wait_as_may() {
    const ROOM: u8 = 4;
    let upstream = Upstream::start();
    upstream.answer("old.example", None, address("old.example. 1 A 192.0.2.8", Some(1)));
    upstream.answer("old.example", None, silent());
    let list = "[[lists.source]]\ncategory = \"adult\"\npath = \"adult.txt\"\n";
    let config = format!("{TWO_GROUPS}{TWO_PROFILES}\n[cache]\nstale_after = \"10s\"\n{list}")
        .replace("[upstream]\n", &format!("[upstream]\nin_flight = {ROOM}\n"));
    let plan = Gateway::plan(&config).upstream(&upstream).file("adult.txt", "bad.example\n");
    let gateway = plan.start();
    let ask = |name: &str| Ask::new(name, "A").edns(1232).from(PUPIL).expect(gateway.dns);
    let is_full = || gateway.metrics().value("lachan_inflight", &[]) >= f64::from(ROOM);
    for name in ["good.example", "old.example"] {
        assert_eq!(ask(name).rcode(), "NOERROR");
    }
    std::thread::sleep(Duration::from_millis(2100));
    let overflow = || gateway.metrics().value("lachan_overflow_total", &[("bound", "all")]);
    let mut round = 0;
    // Full before and full afterwards, or it does not count: those who wait come to their end.
    let (answers, over) = eventually("a full table", || {
        round += 1;
        let crowd = Crowd::new(&gateway, STAFF);
        for number in 0..ROOM {
            let name = format!("n{number}.r{round}.example");
            upstream.answer(&name, None, silent());
            crowd.send(&name);
        }
        eventually("all places taken", || is_full().then_some(()));
        let before = overflow();
        let new = format!("new{round}.example");
        let names = ["good.example", "bad.example", "old.example"];
        let answers = names.map(|name| {
            let answer = ask(name);
            (answer.rcode(), answer.ede().map(|ede| ede.0))
        });
        let (is_full, over) = (is_full(), overflow() - before);
        // A new name takes the place of the oldest.
        let is_new = ask(&new).rcode() == "NOERROR";
        crowd.next(ROOM.into());
        is_full.then(|| {
            assert!(is_new);
            (answers, over)
        })
    });
    let answers = answers.each_ref().map(|(rcode, ede)| (rcode.as_str(), *ede));
    let (blocked, stale) = (("NXDOMAIN", Some(15)), ("NOERROR", Some(3)));
    assert_eq!(answers, [("NOERROR", None), blocked, stale]);
    // The stale one, if nobody had failed to get it before.
    assert!((0.0..=1.0).contains(&over), "{over}");
}

/// A worker keeps what the lists say of names in use: of those lists only.
#[test]
fn a_name_in_use_is_blocked_as_soon_as_it_is_listed() {
    let upstream = Upstream::start();
    let config = format!(
        "{TWO_GROUPS}{TWO_PROFILES}\n[[lists.source]]\ncategory = \"adult\"\npath = \"adult.txt\"\n"
    )
    .replace("[listen]\n", "[listen]\nworkers = 1\n");
    let gateway =
        Gateway::plan(&config).upstream(&upstream).file("adult.txt", "bad.example\n").start();
    let ask = || Ask::new("www.used.example", "A").from(PUPIL).expect(gateway.dns).rcode();
    for _ in 0..4 {
        assert_eq!(ask(), "NOERROR");
    }
    std::fs::write(gateway.dir().join("adult.txt"), "bad.example\nused.example\n").unwrap();
    gateway.reload();
    eventually("the block", || (ask() == "NXDOMAIN").then_some(()));
    // And never again as it was; others are judged by their own policy.
    for _ in 0..4 {
        assert_eq!(ask(), "NXDOMAIN");
        let staff = Ask::new("www.used.example", "A").from(STAFF).expect(gateway.dns);
        assert_eq!(staff.rcode(), "NOERROR");
    }
    assert_eq!(upstream.count("www.used.example", None), 1);
}
