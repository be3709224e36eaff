//! The laws of the first screen: nobody is absent, unknown is not protected, a log proves nothing.

use std::collections::BTreeMap;

use jiff::tz::TimeZone;
use proptest::prelude::*;

use super::protection::SchoolProtection;
use super::question::FleetQuestion;
use super::shown::ShownFleet;
use super::view::{FleetMoment, FleetView};
use super::*;
use crate::lang::Lang;
use crate::publish::status::ReportedBox;
use crate::release::organisation::SchoolRegistry;

fn registry() -> SchoolRegistry {
    SchoolRegistry::parse(include_str!("../../config/org.example.toml")).unwrap()
}

/// 2026-11-29 06:26:40 UTC.
fn moment() -> FleetMoment {
    FleetMoment { now: 1_795_933_600, zone: TimeZone::UTC }
}

fn series(labels: &[(&str, &str)], value: f64) -> SeriesValue {
    let of = labels.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned()));
    SeriesValue { labels: of.collect(), value }
}

/// A series of a gateway of `thcs-thuong`.
fn of(instance: &str, more: &[(&str, &str)], value: f64) -> SeriesValue {
    series(&[&[("school", "thcs-thuong"), ("instance", instance)][..], more].concat(), value)
}

#[test]
fn a_school_is_what_the_worse_of_its_gateways_is() {
    let ok = [("reason", "ok")];
    let answers = FleetAnswers::from([
        (FleetQuestion::Up, vec![of("a", &[], 1.0), of("b", &[], 0.0)]),
        (FleetQuestion::Protected, vec![of("a", &ok, 1.0)]),
        (FleetQuestion::LastProtected, vec![of("a", &[], 200.0), of("b", &[], 100.0)]),
        (FleetQuestion::Release, vec![of("a", &[], 8.0), of("b", &[], 7.0)]),
        (FleetQuestion::Silent, vec![of("b", &[], 60.0)]),
        (FleetQuestion::Enforced, vec![of("a", &[("state", "uplink")], 119.6)]),
    ]);
    let view = FleetView::new(&registry(), (&answers, false), &[], &moment());
    let school = view.schools.iter().find(|one| one.id == "thcs-thuong").unwrap();
    assert_eq!(school.protected, SchoolProtection::Unknown);
    assert_eq!((school.since, school.release, school.gateways), (Some(100), Some(7), 2));
    assert_eq!(school.seconds, Some((60, 180)), "an uplink that is away enforces");
    assert_eq!(view.schools[0].id, "thcs-thuong", "minutes first");
    assert!(!view.is_protected());
    // The same school through a gateway that is gone from the target files.
    let gone = FleetAnswers::from([(FleetQuestion::Release, vec![of("b", &[], 7.0)])]);
    let view = FleetView::new(&registry(), (&gone, false), &[], &moment());
    let school = view.schools.iter().find(|one| one.id == "thcs-thuong").unwrap();
    assert_eq!(school.protected, SchoolProtection::Unknown);
    assert_eq!(school.causes, [cause::FleetCause::Silent]);
}

fn reported(school: &str, state: &str) -> ReportedBox {
    ReportedBox {
        school: school.into(),
        box_id: "1".into(),
        last: 1,
        version: "1".into(),
        release: 1,
        ring: "all".into(),
        state: state.into(),
        is_silent: false,
    }
}

#[test]
fn a_school_that_only_a_log_has_is_counted_apart() {
    let mut boxes: Vec<ReportedBox> =
        (0..30).map(|number| reported(&format!("made-up-{number:02}"), "rejected:hash")).collect();
    boxes.extend([reported("thcs-thuong", "ok"), reported("pilot", "ok")]);
    // What is scraped the department itself has named: it stays on the first screen.
    let answers = FleetAnswers::from([(
        FleetQuestion::Up,
        vec![series(&[("school", "pilot"), ("instance", "p")], 1.0)],
    )]);
    let registry = registry();
    let view = FleetView::new(&registry, (&answers, false), &boxes, &moment());
    let alone = FleetView::new(&registry, (&FleetAnswers::new(), false), &[], &moment());
    let counted = |view: &FleetView| view.counts().values().sum::<usize>();
    assert_eq!((counted(&view), view.strangers.len()), (counted(&alone), 30));
    assert_eq!(view.counts()[&SchoolProtection::Reported], 1);
    assert!(view.schools.iter().any(|one| one.id == "pilot" && !one.is_registered));
    assert_eq!(view.releases, BTreeMap::from([(1, 2)]), "no stranger's release");
    assert!(!view.communes.iter().any(|unit| unit.schools.values().sum::<usize>() > 2));
    let shown = ShownFleet::new(&view, BTreeMap::new(), &moment(), Lang::En);
    assert_eq!((shown.not_registered, shown.not_registered_ids.len()), (30, 20));
    let text = text::text(&shown, Lang::En);
    assert!(text.contains("30 reported schools are not in the registry"), "{text}");
    assert!(text.contains("made-up-19, …") && !text.contains("made-up-20"), "{text}");
    // Without a registry nobody is a stranger.
    let none = SchoolRegistry::default();
    let view = FleetView::new(&none, (&FleetAnswers::new(), false), &boxes, &moment());
    assert_eq!((counted(&view), view.strangers.len()), (32, 0));
}

#[test]
fn a_month_begins_where_the_zone_says() {
    assert_eq!(moment().age(), 28 * 86_400 + 6 * 3_600 + 26 * 60 + 40);
    let first = FleetMoment { now: 1_795_933_600 - 28 * 86_400, zone: TimeZone::UTC };
    let viet_nam = FleetMoment { zone: TimeZone::fixed(jiff::tz::offset(7)), ..first.clone() };
    assert_eq!(viet_nam.age(), first.age() + 7 * 3_600);
}

fn some_series() -> impl Strategy<Value = SeriesValue> {
    let school = prop_oneof![Just("thcs-thuong"), Just("th-song-xanh"), Just("other"), Just("")];
    let reason = prop_oneof![Just("ok"), Just("no_lists"), Just("\u{1b}[2J")];
    let value =
        prop_oneof![Just(0.0), Just(1.0), any::<f64>().prop_filter("finite", |v| v.is_finite())];
    (school, 0..3_u8, reason, value).prop_map(|(school, instance, reason, value)| {
        let instance = instance.to_string();
        let labels = [
            ("school", school),
            ("instance", instance.as_str()),
            ("reason", reason),
            ("state", reason),
        ];
        series(&labels, value)
    })
}

fn some_answers() -> impl Strategy<Value = FleetAnswers> {
    let question = proptest::sample::select(FleetQuestion::ALL.to_vec());
    proptest::collection::btree_map(question, proptest::collection::vec(some_series(), 0..6), 0..9)
}

proptest! {
    #[test]
    fn no_answer_hides_a_school_and_no_log_protects_one(
        answers in some_answers(),
        state in prop_oneof![Just("ok"), Just("held"), Just("rejected:hash")],
        is_silent in any::<bool>(),
    ) {
        let registry = registry();
        let one = ReportedBox { is_silent, ..reported("th-song-xanh", state) };
        let without = FleetView::new(&registry, (&answers, false), &[], &moment());
        let with = FleetView::new(&registry, (&answers, false), &[one], &moment());
        let states = |view: &FleetView| -> BTreeMap<String, SchoolProtection> {
            view.schools.iter().map(|school| (school.id.clone(), school.protected)).collect()
        };
        let (before, after) = (states(&without), states(&with));
        for id in ["thcs-thuong", "th-song-xanh"] {
            prop_assert!(before.contains_key(id));
        }
        prop_assert_eq!(before.len(), without.schools.len(), "each school once");
        for (id, protected) in after {
            let was = before.get(&id).copied().unwrap_or(SchoolProtection::Unknown);
            prop_assert!(protected == was || protected == SchoolProtection::Reported);
            prop_assert!(was != SchoolProtection::No || protected == was);
        }
    }
}
