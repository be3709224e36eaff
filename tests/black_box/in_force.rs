//! One policy in force: overrides and reloads that meet.
//!
//! Law: at every moment, what is listed as in force is what a query gets; an override is judged
//! by one policy, never by halves of two; a config that was refused has no effect.

use std::fmt::Write as _;
use std::path::Path;
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use crate::support::api::{Api, Reply};
use crate::support::held::Held;
use crate::support::{Ask, Gateway, PUPIL, STAFF, TWO_GROUPS, Upstream, eventually, within};

/// Files of the large source: each is a line in the log of a reload, more than a pipe holds.
const FILES: usize = 900;
/// What a gateway logs where a test holds its log: nothing that an override would wait for.
pub(crate) const NOT_OVERRIDES: &str = "info,lachan::serve::overrides=off,lachan::overrides=off";
/// How long a reply may take while the log is held, before the log goes on.
const HELD_LOG: Duration = Duration::from_secs(1);
/// The text of the list that a test holds.
const GAMES: &str = "games.example\n";
/// The lists: one to hold, one of many files.
const LISTS: &str = "[[lists.source]]\ncategory = \"games\"\npath = \"held.txt\"\n\
    [[lists.source]]\ncategory = \"adult\"\npath = \"lists\"\n[state]\ndir = \"state\"\n";
/// Pupils of the youngest level that browses, for whom `adult` is locked; staff may open it.
const LEVELS: &str = "[profile.pupils]\nlevel = \"primary\"\n[profile.staff]\nlevel = \"staff\"\n";

/// A gateway that has a source of many files, and one that [`Held`] can take the place of.
fn gateway(upstream: &Upstream) -> Gateway {
    let plan = Gateway::plan(&format!("{TWO_GROUPS}{LEVELS}{LISTS}")).upstream(upstream);
    let plan = plan.file("held.txt", GAMES).file("lists/a.txt", "adult.example\n");
    let name = |n| format!("lists/a-list-with-a-name-that-fills-a-line-{n}.txt");
    let files = (1..FILES).map(|n| (name(n), format!("n{n}.filler.example\n")));
    let plan = files.fold(plan, |plan, (name, text)| plan.file(&name, &text));
    plan.log_filter(NOT_OVERRIDES).start()
}

fn rcode(gateway: &Gateway, from: &str, name: &str) -> String {
    Ask::new(name, "A").from(from).expect(gateway.dns).rcode()
}

fn reloads(gateway: &Gateway, result: &str) -> f64 {
    gateway.metrics().value("lachan_reloads_total", &[("result", result)])
}

/// Whether an exam of the pupils is listed, and whether a query of theirs meets one.
fn listed_and_met(gateway: &Gateway, api: &Api) -> (bool, bool) {
    let is_met = rcode(gateway, PUPIL, "plain.example") == "NXDOMAIN";
    (api.id_for("pupils").is_some(), is_met)
}

//------------ Overrides during a reload ---------------------------------------

/// When an override is asked for, in milliseconds from the end of a reload's reading.
const MOMENTS: [i64; 10] = [-150, -20, 0, 20, 40, 60, 90, 130, 180, 250];

#[test]
fn an_override_that_meets_a_reload_is_in_force_after_both() {
    let upstream = Upstream::start();
    let gateway = gateway(&upstream);
    let api = Api::of(&gateway);
    let mut wrong = String::new();
    for (round, moment) in MOMENTS.into_iter().enumerate() {
        let held = Held::at(&gateway.dir().join("held.txt"), GAMES);
        gateway.reload();
        let reading = held.reading();
        let done = reloads(&gateway, "ok");
        let asking = api.clone();
        let pause = |moment: i64| {
            std::thread::sleep(Duration::from_millis(u64::try_from(moment).unwrap_or(0)));
        };
        // Between what a reload has read and what is in force nothing may come in: it is made
        // to take its time there, if it logs first.
        let log = gateway.hold_log();
        let (sender, replies) = channel();
        std::thread::spawn(move || {
            pause(moment);
            let reply = match asking.id_for("pupils") {
                None => asking.exam("pupils", "other.example"),
                Some(id) => asking.end(id),
            };
            sender.send(reply.expect("a reply")).unwrap();
        });
        pause(-moment);
        reading.release();
        let early = replies.recv_timeout(HELD_LOG);
        drop(log);
        let (status, body) = early.unwrap_or_else(|_| replies.recv().unwrap());
        assert!(matches!(status, 200 | 201), "round {round}: {status} {body}");
        eventually("the reload", || (reloads(&gateway, "ok") > done).then_some(()));
        let (is_listed, is_met) = listed_and_met(&gateway, &api);
        if is_listed != is_met {
            let _ = write!(wrong, "\n  {moment} ms: listed {is_listed}, in force {is_met}");
        }
    }
    assert_eq!(wrong, "", "what is listed is not what a query gets");
}

#[test]
fn an_override_never_waits_for_a_reload() {
    let upstream = Upstream::start();
    let gateway = gateway(&upstream);
    let api = Api::of(&gateway).limit(Duration::from_secs(8));
    let held = Held::at(&gateway.dir().join("held.txt"), GAMES);
    gateway.reload();
    let reading = held.reading();
    let reply = api.exam("pupils", "other.example");
    // The proof that it did not wait: the reload still has nothing to put in force.
    assert!(reloads(&gateway, "ok") == 0.0);
    let (status, exam) = reply.expect("no reply to an override while a reload reads its lists");
    assert_eq!(status, 201, "{exam}");
    assert_eq!(listed_and_met(&gateway, &api), (true, true), "while the reload reads");
    let ended = api.end(exam["id"].as_u64().unwrap()).expect("no reply to the end of an override");
    assert_eq!(ended.0, 200, "{}", ended.1);
    assert_eq!(listed_and_met(&gateway, &api), (false, false), "while the reload reads");
    assert_eq!(api.exam("pupils", "other.example").expect("no reply to another").0, 201);
    assert!(reloads(&gateway, "ok") == 0.0);

    // What began while it read is in force after it.
    reading.release();
    eventually("the reload", || (reloads(&gateway, "ok") > 0.0).then_some(()));
    assert_eq!(listed_and_met(&gateway, &api), (true, true), "after the reload");
}

/// Puts the groups, each with its clients and profile, in the other order.
fn reorder(config: &Path) {
    let text = std::fs::read_to_string(config).unwrap();
    let (head, rest) = text.split_once("[[group]]\n").unwrap();
    let (first, rest) = rest.split_once("[[group]]\n").unwrap();
    let (second, tail) = rest.split_once("[profile.pupils]").unwrap();
    let text = format!("{head}[[group]]\n{second}\n[[group]]\n{first}\n[profile.pupils]{tail}");
    std::fs::write(config, text).unwrap();
}

/// Asks for a lesson from another thread.
fn lesson(api: &Api, group: &'static str, name: &'static str) -> Receiver<Reply> {
    let (api, (sender, replies)) = (api.clone(), channel());
    std::thread::spawn(move || sender.send(api.lesson(group, name).expect("a reply")).unwrap());
    replies
}

#[test]
fn an_override_is_judged_by_one_policy_while_groups_change_places() {
    let upstream = Upstream::start();
    let gateway = gateway(&upstream);
    let api = Api::of(&gateway);
    let mut wrong = String::new();
    for round in 0..8 {
        let held = Held::at(&gateway.dir().join("held.txt"), GAMES);
        reorder(&gateway.dir().join("gateway.toml"));
        gateway.reload();
        let reading = held.reading();
        let done = reloads(&gateway, "ok");
        let (locked, open) =
            (lesson(&api, "pupils", "adult.example"), lesson(&api, "staff", "adult.example"));
        // They have come by then, and are judged or wait.
        within(Duration::from_millis(150), || None::<()>);
        let log = gateway.hold_log();
        reading.release();
        let early = [&locked, &open].map(|replies| replies.recv_timeout(HELD_LOG));
        drop(log);
        let [(locked, said), (open, begun)] =
            [(early[0].clone(), &locked), (early[1].clone(), &open)]
                .map(|(early, late)| early.unwrap_or_else(|_| late.recv().unwrap()));
        if locked != 422 {
            let _ = write!(wrong, "\n  {round}: a locked name for pupils: {locked} {said}");
        }
        if open != 201 {
            let _ = write!(wrong, "\n  {round}: an open name for staff: {open} {begun}");
        }
        eventually("the reload", || (reloads(&gateway, "ok") > done).then_some(()));
    }
    assert_eq!(wrong, "", "judged by the group of one policy at the place of another");
}

//------------ A config that is refused ----------------------------------------

/// The end of a config that is refused: nothing that a certificate is for.
const NO_CERTIFICATE: &str =
    "\n[[forward]]\nzone = \"school.example\"\nservers = [\"https://[2001:db8::1]\"]\n";

/// A gateway of one list of games, whose config is then replaced by one that is refused.
fn refusing(upstream: &Upstream, worse: impl FnOnce(&str) -> String) -> (Gateway, String) {
    let config = format!(
        "{TWO_GROUPS}\n[profile.pupils]\nlevel = \"primary\"\nblock = [\"games\"]\n\
         [profile.staff]\nlevel = \"staff\"\n[[lists.source]]\ncategory = \"games\"\n\
         path = \"games.txt\"\n[state]\ndir = \"state\"\n"
    );
    let gateway = Gateway::plan(&config).upstream(upstream).file("games.txt", GAMES).start();
    let path = gateway.dir().join("gateway.toml");
    let good = std::fs::read_to_string(&path).unwrap();
    std::fs::write(&path, worse(&good) + NO_CERTIFICATE).unwrap();
    gateway.reload();
    gateway.expect_log("not reloaded");
    (gateway, good)
}

fn success(gateway: &Gateway) -> f64 {
    gateway.metrics().value("lachan_config_last_reload_success", &[])
}

/// What the refused config says otherwise.
const ALLOW: (&str, &str) =
    ("block = [\"games\"]", "block = [\"games\"]\nallow = [\"games.example\"]");

#[test]
fn a_look_at_a_refused_config_does_not_say_that_it_is_in_force() {
    let upstream = Upstream::start();
    let (gateway, _) = refusing(&upstream, |good| good.replace(ALLOW.0, ALLOW.1));
    // Looks at files that are as they were when they were refused.
    let path = gateway.dir().join("gateway.toml");
    for _ in 0..3 {
        let before = reloads(&gateway, "refused");
        std::fs::copy(&path, path.with_extension("new")).unwrap();
        std::fs::rename(path.with_extension("new"), &path).unwrap();
        let is_refused = eventually("another look", || {
            let is_refused = reloads(&gateway, "refused") > before;
            (is_refused || success(&gateway) != 0.0).then_some(is_refused)
        });
        assert!(is_refused, "a look at a refused config says that it is in force");
    }
    assert!(!gateway.log().contains("as they are in force"), "{}", gateway.log());
    assert_eq!(rcode(&gateway, PUPIL, "games.example"), "NXDOMAIN");
}

#[test]
fn an_override_puts_no_refused_config_in_force() {
    let upstream = Upstream::start();
    let (mut gateway, _) = refusing(&upstream, |good| good.replace(ALLOW.0, ALLOW.1));
    let api = Api::of(&gateway);
    assert_eq!(rcode(&gateway, PUPIL, "games.example"), "NXDOMAIN");
    // It makes a policy of what is in force, not of what was read last.
    let (status, exam) = api.exam("staff", "other.example").unwrap();
    assert_eq!(status, 201, "{exam}");
    assert_eq!(rcode(&gateway, STAFF, "plain.example"), "NXDOMAIN", "the exam");
    assert_eq!(rcode(&gateway, PUPIL, "games.example"), "NXDOMAIN", "the refused config's allow");
    assert_eq!(api.end(exam["id"].as_u64().unwrap()).unwrap().0, 200);
    assert_eq!(rcode(&gateway, PUPIL, "games.example"), "NXDOMAIN", "the refused config's allow");
    assert_eq!((success(&gateway), reloads(&gateway, "ok")), (0.0, 0.0));
    assert!(gateway.is_running());
}

/// Fourteen more groups, so that there are as many as there are counters.
fn rooms(first: usize) -> String {
    (first..first + 14).fold(String::new(), |text, n| {
        text + &format!(
            "\n[[group]]\nname = \"room-{n}\"\nclients = [\"127.0.{n}.0/24\"]\n\
             profile = \"pupils\"\n"
        )
    })
}

#[test]
fn a_group_of_a_refused_config_is_unknown_to_overrides_and_metrics() {
    let upstream = Upstream::start();
    let (gateway, _) = refusing(&upstream, |good| format!("{good}{}", rooms(100)));
    let (status, said) = Api::of(&gateway).exam("room-100", "other.example").unwrap();
    assert_eq!(status, 422, "{said}");
    assert!(!said["error"].as_str().unwrap().contains("room-101"), "{said}");
    assert!(!gateway.metrics().text.contains("room-100"), "a group that is not in force");
}

#[test]
fn a_refused_config_takes_no_counters_from_the_groups_that_come_after_it() {
    let upstream = Upstream::start();
    let (gateway, good) = refusing(&upstream, |good| format!("{good}{}", rooms(100)));
    std::fs::write(gateway.dir().join("gateway.toml"), format!("{good}{}", rooms(200))).unwrap();
    gateway.reload();
    eventually("the good config", || (reloads(&gateway, "ok") > 0.0).then_some(()));
    assert_eq!(rcode(&gateway, "127.0.200.5", "games.example"), "NXDOMAIN");
    let of = |group| [("group", group), ("category", "games"), ("source", "list")];
    gateway.expect_metric("lachan_blocked_total", &of("room-200"), 1.0);
    gateway.expect_metric("lachan_blocked_total", &of("room-201"), 0.0);
}

#[test]
fn a_list_of_a_refused_config_is_not_downloaded() {
    let upstream = Upstream::start();
    let web = crate::support::web::Web::start();
    web.put("/list.txt", crate::support::web::Page::text("downloaded.example\n"));
    let source =
        format!("\n[[lists.source]]\ncategory = \"adult\"\nurl = \"{}\"\n", web.url("/list.txt"));
    let (gateway, _) = refusing(&upstream, |good| format!("{good}{source}"));
    let (status, begun) = Api::of(&gateway).exam("staff", "other.example").unwrap();
    assert_eq!(status, 201, "{begun}");
    let asked = within(Duration::from_secs(2), || web.requests().first().cloned());
    assert_eq!(asked, None, "a refused config was acted on");
}
