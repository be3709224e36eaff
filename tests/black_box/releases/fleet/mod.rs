//! Fifty gateways of the real program, or as many as `LACHAN_GATEWAYS` says (at least 10), and a real nginx
//! with TLS, at full length alone (`LACHAN_LONG`).
//!
//! Some have a dead first server, a frozen mirror, an old one. The same history is then played in virtual
//! time: the octets of a school must be the same within 5 %, so that a day of 2,000 schools in virtual time
//! (`core`, `fleet::day`) says what a department's link will carry. How many polls there are is a matter of
//! the machine's pace: as many are counted in virtual time as there were.

mod nginx;

use std::fs;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use tokio::time::sleep;

use self::nginx::Nginx;
use super::refused::rejected;
use crate::kit::data::skipped;
use crate::kit::fleet::site::{Habit, Site, Tally};
use crate::kit::fleet::{Fleet, in_virtual_time};
use crate::kit::repository::TestRepository;
use crate::support::api::Api;
use crate::support::gateway::has_mounts;
use crate::support::{Canned, Gateway, Metrics, Upstream, now, within};

const HOST: &str = "releases.example";
const EVERY: Duration = Duration::from_secs(15);
/// The time that each part of the history gets.
const PART: Duration = Duration::from_secs(60);
const LIMIT: Duration = Duration::from_secs(600);
/// One group, and no list but the department's.
const CONFIG: &str = r#"
[listen]
dns = ["127.0.0.1:{dns}"]
[admin]
listen = "127.0.0.1:{admin}"
[upstream]
servers = ["udp://127.0.0.1:{upstream}"]
[state]
dir = "{dir}/state"
"#;

/// The second server of all, and the first one of most.
const MAIN: usize = 0;
const FROZEN: usize = 1;
const OLD: usize = 2;

/// The first server of a school by its number: each twenty have one that is dead.
fn first(number: usize) -> Option<usize> {
    match number {
        6 | 26 => Some(FROZEN),
        7 | 27 => Some(OLD),
        _ if number % 20 == 5 => None,
        _ => Some(MAIN),
    }
}

/// The number of gateways.
fn count() -> usize {
    std::env::var("LACHAN_GATEWAYS").map_or(50, |text| text.parse().unwrap())
}

fn is_plain(number: usize) -> bool {
    first(number) == Some(MAIN)
}

fn id(number: usize) -> String {
    format!("school-{number:04}")
}

fn names(changed: usize) -> Vec<String> {
    let name = |n: usize| {
        let day = if n < changed { changed } else { 0 };
        format!("{:x}.example", (n + day * 10_000 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 16)
    };
    (0..1000).map(name).collect()
}

/// A repository whose first release every school takes, and an older copy of it.
fn office() -> TestRepository {
    let office = TestRepository::new();
    office.release_of(&names(0));
    office.copy_to(&office.file("old"));
    office.rollout(1);
    office
}

/// The second release, for all at once.
fn second(office: &TestRepository) {
    office.release_of(&names(200));
    office.rollout(2);
}

/// What the web server has: all that is new, the timestamp last.
fn push(office: &TestRepository) -> PathBuf {
    fn new_files(from: &Path, to: &Path) {
        fs::create_dir_all(to).unwrap();
        for entry in fs::read_dir(from).unwrap().flatten() {
            let to = to.join(entry.file_name());
            match entry.path() {
                path if path.is_dir() => new_files(&path, &to),
                path if to.exists() || path.ends_with("timestamp.json") => drop(path),
                path => drop(fs::copy(path, to).unwrap()),
            }
        }
    }
    let (from, www) = (office.path(), office.file("www"));
    new_files(&from, &www);
    let (new, last) = (www.join("new"), "timestamp.json");
    fs::copy(from.join(last), &new).unwrap();
    fs::rename(new, www.join(last)).unwrap();
    www
}

/// The release that a gateway has, where it answers.
fn release(gateway: &Gateway) -> u64 {
    let page = gateway.try_get("/metrics").filter(|(status, _)| *status == 200);
    let shown =
        page.map(|(_, text)| Metrics::parse(&text).value("lachan_release", &[]).to_string());
    shown.and_then(|text| text.parse().ok()).unwrap_or_default()
}

struct Schools {
    gateways: Vec<Gateway>,
    began: Instant,
}

impl Schools {
    /// Polls until all have a release: the times to 50, 95 and 100 %.
    fn take(&self, release: u64, from: Instant, all: impl Fn(usize) -> bool) -> [Duration; 3] {
        let wanted: Vec<usize> = (0..count()).filter(|number| all(*number)).collect();
        let mut times = vec![None; wanted.len()];
        let done = within(LIMIT, || {
            // Scrapes of fifty gateways are work, too.
            std::thread::sleep(Duration::from_secs(1));
            for (time, number) in times.iter_mut().zip(&wanted) {
                if time.is_none() && self::release(&self.gateways[*number]) == release {
                    *time = Some(from.elapsed());
                }
            }
            times.iter().all(Option::is_some).then_some(())
        });
        assert!(done.is_some(), "release {release}: {times:?}");
        let mut times: Vec<Duration> = times.into_iter().flatten().collect();
        times.sort_unstable();
        [50, 95, 100].map(|percent| times[(times.len() * percent).div_ceil(100) - 1])
    }

    fn have(&self, release: u64) -> usize {
        self.gateways.iter().filter(|one| self::release(one) == release).count()
    }
}

fn start(office: &TestRepository, nginx: &Nginx, dead: u16, upstream: &Upstream) -> Schools {
    let began = now();
    let url = |port: u16| format!("https://{HOST}:{port}/");
    let gateway = |number: usize| {
        let port = first(number).map_or(dead, |place| nginx.ports[place]);
        let urls = [url(port), url(nginx.ports[MAIN])];
        let urls = if is_plain(number) { &urls[1..] } else { &urls[..] };
        let config = format!(
            "{CONFIG}[school]\nid = {:?}\n[lists]\nstarter = false\ntls_roots = \"{}\"\n[update]\n\
             root = \"root.json\"\nurls = {urls:?}\nevery = \"{}s\"\nsilence = \"5s\"\n",
            id(number),
            nginx.roots().display(),
            EVERY.as_secs()
        );
        Gateway::plan(&config)
            .upstream(upstream)
            .synced()
            .made(|dir| assert!(fs::copy(office.root(), dir.join("root.json")).is_ok()))
            .start()
    };
    Schools { gateways: (0..count()).map(gateway).collect(), began }
}

/// The history: what the department does, and how long nothing else happens.
fn real(office: &TestRepository, upstream: &Upstream) -> Tally {
    let (www, frozen) = (push(office), office.file("frozen"));
    office.copy_to(&frozen);
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let nginx = Nginx::start(HOST, &[www, frozen, office.file("old")]);
    let schools = start(office, &nginx, silent.local_addr().unwrap().port(), upstream);
    eprintln!("first release: {:?}", schools.take(1, schools.began, |_| true));

    let from = nginx.lines(MAIN);
    std::thread::sleep(PART);
    let began = now();
    second(office);
    push(office);
    eprintln!("second release: 50, 95, 100 % after {:?}", schools.take(2, began, |_| true));
    std::thread::sleep(PART.saturating_sub(began.elapsed()));
    office.refresh();
    push(office);
    std::thread::sleep(PART);
    let plain = |agent: &str| (0..count()).any(|n| is_plain(n) && agent.contains(&id(n)));
    let tally = || nginx.tally(MAIN, from, plain);
    let both = 2 * (0..count()).filter(|number| is_plain(*number)).count() as u64;
    let have_both = || {
        std::thread::sleep(EVERY);
        (tally().count("timestamp") >= both).then_some(())
    };
    within(LIMIT, have_both).expect("two timestamps a school");
    let tally = tally();
    eprintln!("nginx: {} octets\n{}", tally.octets(), tally.lines());

    for number in 0..count() {
        let reason = match first(number) {
            None => "unreachable",
            Some(FROZEN | OLD) => "rollback",
            _ => continue,
        };
        let gateway = &schools.gateways[number];
        assert!(rejected(gateway, reason) >= 1.0, "{number}: {reason}");
        assert_eq!(Api::of(gateway).status()["update"]["state"], "ok", "{number}");
    }
    halted(office, &schools);
    tally
}

/// A bad release reaches the first ring alone, and is gone soon after it was halted.
fn halted(office: &TestRepository, schools: &Schools) {
    office.release_of(&names(250));
    let began = now();
    office.rollout_by(3, &[&format!("lab=now:{}", id(0)), "all=+1d:100%"]);
    push(office);
    eprintln!(
        "bad release: in the lab after {:?}",
        schools.take(3, began, |number| number == 0)[2]
    );
    std::thread::sleep(2 * EVERY);
    assert_eq!(schools.have(3), 1, "the lab alone has it");
    let halted = now();
    office.say("--halt");
    office.say("--back");
    push(office);
    let back = schools.take(2, halted, |number| number == 0)[2];
    assert!(back <= Duration::from_secs(600));
    eprintln!("bad release: back {back:?} after the halt; 1 of {} had it", count());
}

/// The same history in virtual time.
fn virtually(office: &TestRepository) -> Tally {
    in_virtual_time(async {
        let main = Site::new(Habit::Serves(office.path()));
        let settings = format!("every = \"{}s\"", EVERY.as_secs());
        // As long as the host of the real ones.
        let url = "http://10.100.100.1:10000/";
        let mut fleet = Fleet::new(&office.root(), &settings, [("10.100.100.1", &main)]);
        for number in (0..count()).filter(|number| is_plain(*number)) {
            fleet.join(&id(number), &[url]);
        }
        let taken = |release| fleet.until(LIMIT, move |one| one.release().number == release);
        taken(1).await.unwrap();
        main.take();
        sleep(PART).await;
        second(office);
        sleep(PART).await;
        assert!(taken(2).await.is_some());
        office.refresh();
        sleep(PART).await;
        main.take()
    })
}

#[test]
fn fifty_gateways_cost_what_they_cost_in_virtual_time() {
    if std::env::var_os("LACHAN_LONG").is_none_or(|value| value != "1") {
        return;
    }
    if !Nginx::is_here() || !has_mounts() {
        return skipped("no nginx, or no mounts (root is needed): a fleet of real gateways");
    }
    let upstream = Upstream::start();
    let here = vec![format!("{HOST}. 3600 A 127.0.0.1")];
    upstream.answer(HOST, Some(1), Canned { answer: here, ..Canned::default() });
    upstream.answer(HOST, Some(28), Canned::default());
    let plain = (0..count()).filter(|number| is_plain(*number)).count() as u64;
    let [real, virtually] = [real(&office(), &upstream), virtually(&office())];
    for (name, tally) in [("nginx", &real), ("virtual", &virtually)] {
        eprintln!("{name}: {} octets a school\n{}", tally.octets() / plain, tally.lines());
    }
    let idle = "poll without news";
    let [polls, virtual_polls] = [&real, &virtually].map(|tally| tally.count(idle));
    let each = virtually.0[idle].1 as f64 / virtual_polls as f64;
    let expected = virtually.octets() as f64 + (polls as f64 - virtual_polls as f64) * each;
    let ratio = real.octets() as f64 / expected;
    eprintln!("polls: {polls}, in virtual time {virtual_polls}; octets: {ratio:.3}");
    assert!((0.95..=1.05).contains(&ratio), "{ratio}");
}
