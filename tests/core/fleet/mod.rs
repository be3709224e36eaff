//! The update client of many schools in virtual time: a day of a department, and what goes wrong.

mod day;

use std::thread;
use std::time::Duration;

use tokio::time::sleep;

use crate::kit::fleet::site::{Habit, Site};
use crate::kit::fleet::{Fleet, in_virtual_time};
use crate::kit::repository::TestRepository;

const HOUR: Duration = Duration::from_secs(3600);

#[test]
fn waits_after_failures_double_up_to_six_hours_and_begin_anew_after_a_poll_that_ends_well() {
    let office = TestRepository::new();
    in_virtual_time(async {
        let site = Site::new(Habit::Refuses);
        let mut fleet = Fleet::new(&office.root(), "every = \"1h\"", [("10.0.0.1", &site)]);
        fleet.join("a", &["http://10.0.0.1/"]);
        sleep(40 * HOUR).await;
        let waits = site.waits();
        assert!(waits.len() > 10, "{waits:?}");
        for (times, wait) in waits.iter().enumerate() {
            let full = Duration::from_secs(60 << times).min(6 * HOUR);
            // The time of a try itself comes on top.
            let within = full.mul_f64(0.75)..=full + Duration::from_secs(1);
            assert!(within.contains(wait), "after {} failures: {waits:?}", times + 1);
        }
        assert_eq!(fleet.schools[0].servers()["http://10.0.0.1/"], "unreachable");
        site.becomes(Habit::Serves(office.path()));
        sleep(7 * HOUR).await;
        site.becomes(Habit::Refuses);
        let before = site.waits().len();
        sleep(3 * HOUR).await;
        let waits = site.waits().split_off(before + 1);
        assert!(waits[0] <= Duration::from_secs(61), "{waits:?}");
    });
}

#[test]
fn a_server_that_says_unchanged_for_ever_is_frozen_once_its_files_are_past_their_date() {
    let office = TestRepository::new();
    in_virtual_time(async {
        let site = Site::new(Habit::Serves(office.path()));
        let mut fleet = Fleet::new(&office.root(), "every = \"1h\"", [("10.0.0.1", &site)]);
        office.ends_in(5);
        fleet.join("a", &["http://10.0.0.1/"]);
        let reason = |place: usize| fleet.schools[place].servers()["http://10.0.0.1/"].clone();
        sleep(3 * HOUR).await;
        assert_eq!(reason(0), "ok");
        // The dates are compared with the machine's own clock.
        thread::sleep(Duration::from_secs(6));
        sleep(2 * HOUR).await;
        assert_eq!(reason(0), "frozen");
        let state = fleet.schools[0].updates.status();
        assert_eq!((state.state.as_str(), state.reason.as_deref()), ("rejected", Some("frozen")));
        // What comes anew and is past its date is no more than that, until it comes again.
        fleet.join("b", &["http://10.0.0.1/"]);
        assert!(fleet.until(HOUR, |one| !one.servers().is_empty()).await.is_some());
        assert_eq!(fleet.schools[1].servers()["http://10.0.0.1/"], "expired");
        sleep(HOUR).await;
        assert_eq!(fleet.schools[1].servers()["http://10.0.0.1/"], "frozen");
        office.refresh();
        let is_well =
            |one: &crate::kit::fleet::School| one.servers().values().all(|reason| reason == "ok");
        assert!(fleet.until(8 * HOUR, is_well).await.is_some(), "it is followed again");
    });
}
