//! A day of a department: a refresh, a release by rings, a bad one that is halted, an order.
//!
//! With `LACHAN_LONG` of 2,000 schools, or of as many as `LACHAN_SCHOOLS` says, else of 20. Printed: octets at the department's web server, and
//! times to 50, 95 and 100 % of the schools.

use std::time::Duration;

use tokio::time::{Instant, sleep};

use super::HOUR;
use crate::kit::fleet::site::{Habit, Site, Tally};
use crate::kit::fleet::{Fleet, School, in_virtual_time, shares};
use crate::kit::repository::TestRepository;

const MINUTE: Duration = Duration::from_secs(60);
const MAIN: &str = "http://10.0.0.1/";
const DEAD: &str = "http://10.0.0.2/";
const FROZEN: &str = "http://10.0.0.3/";
const OLD: &str = "http://10.0.0.4/";
/// The most octets of 2,000 schools a day.
const MOST: u64 = 300_000_000;

/// Whether all of it is played.
fn is_long() -> bool {
    std::env::var_os("LACHAN_LONG").is_some_and(|value| value == "1")
}

/// Names of a day, of which some of each hundred are others than on the first day: 1,430 names, which are
/// random from end to end, make the difference of a day of 1.1 million real names, 33 kB.
fn names(percent: u64) -> Vec<String> {
    let count = if is_long() { 2600 } else { 260 };
    let changed = count * percent / 100;
    let name = |n: u64| {
        let day = if n < changed { changed } else { 0 };
        let drawn = |part: u64| {
            let mixed = (part + 3 * (n + day * 100_000 + 1)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
            (mixed ^ (mixed >> 29)).wrapping_mul(0xbf58_476d_1ce4_e5b9)
        };
        format!("{:016x}{:016x}{:08x}.example", drawn(0), drawn(1), drawn(2) >> 32)
    };
    (0..count).map(name).collect()
}

fn moment(seconds: u64) -> String {
    jiff::Timestamp::from_second(i64::try_from(seconds).unwrap()).unwrap().to_string()
}

/// The schools, and the servers that they ask.
struct Department {
    office: TestRepository,
    main: Site,
    fleet: Fleet,
    /// Schools of the first ring: the first ones.
    labs: usize,
}

impl Department {
    /// Of each twenty schools one has a dead first URL, of each forty one a frozen mirror and one an old one.
    fn new(count: usize) -> Self {
        let office = TestRepository::new();
        office.release_of(&names(0));
        let (old, frozen) = (office.file("old"), office.file("frozen"));
        office.copy_to(&old);
        office.rollout(1);
        office.copy_to(&frozen);
        office.refresh();
        let main = Site::new(Habit::Serves(office.path()));
        let settings = "every = \"1h\"\nnudge = \"nudge.example\"";
        let mut fleet = Fleet::new(
            &office.root(),
            settings,
            [
                ("10.0.0.1", &main),
                ("10.0.0.2", &Site::new(Habit::Hangs)),
                ("10.0.0.3", &Site::new(Habit::Serves(frozen))),
                ("10.0.0.4", &Site::new(Habit::Serves(old))),
            ],
        );
        for number in 0..count {
            let first = match number % 40 {
                5 | 25 => DEAD,
                6 => FROZEN,
                7 => OLD,
                _ => MAIN,
            };
            let urls = [first, MAIN];
            let urls = if first == MAIN { &urls[..1] } else { &urls[..] };
            fleet.join(&format!("school-{number:04}"), urls);
        }
        Self { office, main, fleet, labs: count.div_ceil(100) }
    }

    /// Publishes, and changes the record.
    fn publishes<T>(&self, work: impl FnOnce(&TestRepository) -> T) -> Instant {
        work(&self.office);
        self.fleet.nudge();
        Instant::now()
    }

    fn labs(&self) -> &[School] {
        &self.fleet.schools[..self.labs]
    }

    fn lab_ring(&self) -> String {
        let ids: Vec<String> = (0..self.labs).map(|number| format!("school-{number:04}")).collect();
        format!("lab=now:{}", ids.join(","))
    }

    fn have(&self, release: u64) -> usize {
        self.fleet.schools.iter().filter(|one| one.release().number == release).count()
    }

    async fn all_have(&self, release: u64, limit: Duration) {
        let taken = self.fleet.until(limit, |one| one.release().number == release).await;
        assert!(taken.is_some(), "{} have release {release}", self.have(release));
    }

    fn times(&self, from: Instant) -> [Duration; 3] {
        shares(self.fleet.schools.iter().map(|one| one.release().since), from)
    }
}

/// A release by rings: nobody before the date of its ring, then everybody by the next poll.
async fn by_rings(department: &Department) {
    let (fleet, office) = (&department.fleet, &department.office);
    office.release_of(&names(55));
    let (tenth, all) = (fleet.civil() + 3600, fleet.civil() + 3 * 3600);
    let tenth = format!("tenth={}:10%", moment(tenth));
    let rings = [&department.lab_ring(), &tenth, &format!("all={}:100%", moment(all))];
    let began = department.publishes(|office| office.rollout_by(2, &rings.map(String::as_str)));
    sleep(59 * MINUTE).await;
    assert_eq!(department.have(2), department.labs, "before the date of the second ring");
    let labs = shares(department.labs().iter().map(|one| one.release().since), began);
    sleep(119 * MINUTE).await;
    let (some, count) = (department.have(2), fleet.schools.len());
    assert!(some > department.labs && some <= count / 4, "{some} before the date of the last ring");
    sleep(2 * MINUTE).await;
    let from = began + 3 * HOUR;
    department.all_have(2, 90 * MINUTE).await;
    eprintln!(
        "release: the first ring after {labs:?}; the last one after its date {:?}",
        department.times(from)
    );
}

/// A bad release in the first ring: halted, and gone ten minutes later.
async fn halted(department: &Department) {
    department.office.release_of(&names(58));
    let later = format!("all={}:100%", moment(department.fleet.civil() + 86_400));
    let rings = [department.lab_ring(), later];
    let began = department
        .publishes(|office| office.rollout_by(3, &[rings[0].as_str(), rings[1].as_str()]));
    while department.have(3) < department.labs {
        sleep(MINUTE / 12).await;
        assert!(began.elapsed() < 10 * MINUTE, "the first ring has no release 3");
    }
    sleep(10 * MINUTE).await;
    let halted = department.publishes(|office| office.say("--halt"));
    sleep(MINUTE / 2).await;
    department.publishes(|office| office.say("--back"));
    assert_eq!(department.have(3), department.labs, "nobody else has it");
    while department.have(3) > 0 {
        sleep(Duration::from_secs(1)).await;
        let left = department.have(3);
        assert!(halted.elapsed() < 10 * MINUTE, "{left} have the bad release");
    }
    assert_eq!(department.have(2), department.fleet.schools.len());
    let (reached, count) = (department.labs, department.fleet.schools.len());
    eprintln!("halted: {reached} of {count} had it, none {:?} after the halt", halted.elapsed());
}

/// An order: with the record and one dead URL at most within two minutes and a half.
async fn ordered(department: &Department) {
    let began = department.publishes(|office| office.order("scam.example"));
    let taken = department.fleet.until(HOUR, |one| one.orders().number > 1).await;
    assert!(taken.is_some(), "an order has not come to all");
    let times = shares(department.fleet.schools.iter().map(|one| one.orders().since), began);
    eprintln!("an order: 50, 95 and 100 % after {times:?}");
    assert!(times[1] <= 2 * MINUTE && times[2] <= 3 * MINUTE, "{times:?}");
}

/// What those with a bad first URL say of it.
fn told(schools: &[School]) {
    for (number, school) in schools.iter().enumerate() {
        let servers = school.servers();
        let expected = match number % 40 {
            5 | 25 => Some((DEAD, "unreachable")),
            6 => Some((FROZEN, "rollback")),
            7 => Some((OLD, "rollback")),
            _ => None,
        };
        if let Some((url, reason)) = expected {
            assert_eq!(servers[url], reason, "{number}: {servers:?}");
        }
        assert_eq!(servers[MAIN], "ok", "{number}: {servers:?}");
        assert_eq!(school.updates.status().state, "ok");
    }
}

#[test]
fn a_day_of_a_department() {
    let wanted = std::env::var("LACHAN_SCHOOLS").map(|text| text.parse().unwrap());
    let count: usize = if is_long() { wanted.unwrap_or(2000) } else { 20 };
    in_virtual_time(async {
        let mut department = Department::new(count);
        let began = Instant::now();
        // Whoever asks the old copy first takes it from the other server, at the next poll.
        department.all_have(1, 2 * HOUR).await;
        let first = department.main.take();
        eprintln!("the first release: 50, 95 and 100 % after {:?}", department.times(began));
        eprintln!("{} schools, {} octets:\n{}", count, first.octets(), first.lines());
        // One that knows the frozen mirror alone stays where it is.
        department.fleet.join("alone", &[FROZEN]);
        let alone = department.fleet.schools.pop().unwrap();

        let day = Instant::now();
        sleep(HOUR).await;
        department.publishes(TestRepository::refresh);
        sleep(HOUR).await;
        by_rings(&department).await;
        sleep(HOUR).await;
        halted(&department).await;
        sleep(HOUR).await;
        ordered(&department).await;
        sleep((24 * HOUR).saturating_sub(day.elapsed())).await;

        assert_eq!((alone.release().number, alone.updates.status().state.as_str()), (1, "ok"));
        told(&department.fleet.schools);
        let octets: Tally = department.main.take();
        let of_2000 = octets.octets() * 2000 / count as u64;
        let lines = octets.lines();
        eprintln!(
            "a day of {count} schools: {} octets, {of_2000} of 2,000:\n{lines}",
            octets.octets()
        );
        assert!(of_2000 <= MOST, "{of_2000}");
    });
}
