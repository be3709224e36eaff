//! The whole catalogue in both languages. A reworded sentence shows in the snapshot beside its
//! translation.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use super::department::{emergency, enrolment, findings, fleet, organisation, rehearsal, updates};
use super::export::{comments, refusals};
use super::inspection::{attest, certificates, doctor, selftest, setup};
use super::portal::{blocked, check, review, settings, shell};
use super::report::{faults, labels};
use super::staff::{codes, devices, diagnosis, evidence, pages, state, upgrade};
use super::{
    calendar, data, groups, lists, locks, names, overrides, reviews, sections, shape, unusable,
    values, warnings,
};
use crate::lang::{Lang, Message};

fn all() -> impl Iterator<Item = Message> {
    let rooms = [
        names::SAMPLES,
        shape::SAMPLES,
        values::SAMPLES,
        sections::SAMPLES,
        groups::SAMPLES,
        enrolment::SAMPLES,
        locks::SAMPLES,
        calendar::SAMPLES,
        certificates::SAMPLES,
        data::SAMPLES,
        overrides::SAMPLES,
        reviews::SAMPLES,
        warnings::SAMPLES,
        lists::SAMPLES,
        unusable::SAMPLES,
        updates::SAMPLES,
        rehearsal::SAMPLES,
        findings::SAMPLES,
        emergency::SAMPLES,
        organisation::SAMPLES,
        fleet::SAMPLES,
        review::SAMPLES,
        settings::SAMPLES,
        shell::SAMPLES,
        blocked::SAMPLES,
        state::SAMPLES,
        upgrade::SAMPLES,
        codes::SAMPLES,
        devices::SAMPLES,
        evidence::SAMPLES,
        diagnosis::SAMPLES,
        pages::SAMPLES,
        check::SAMPLES,
        selftest::SAMPLES,
        attest::SAMPLES,
        doctor::SAMPLES,
        setup::SAMPLES,
        faults::SAMPLES,
        labels::SAMPLES,
        refusals::SAMPLES,
        comments::SAMPLES,
    ];
    rooms.into_iter().flatten().map(|sample| sample())
}

#[test]
fn every_message_in_every_language() {
    let mut shown = String::new();
    for message in all() {
        let _ = writeln!(shown, "{}", message.id().unwrap());
        for lang in Lang::ALL.into_iter().filter(|&lang| message.is_in(lang)) {
            let _ = writeln!(shown, "  {}: {}", lang.id(), message.in_lang(lang));
        }
    }
    insta::assert_snapshot!(shown);
}

/// Messages without Vietnamese: those of the released tables, and those still to be translated.
#[test]
fn what_has_no_vietnamese_is_listed() {
    let english: Vec<&str> =
        all().filter(|one| !one.is_in(Lang::Vi)).filter_map(|one| one.id()).collect();
    insta::assert_snapshot!(english.join("\n"), @r"
    category_already
    id_used_once
    too_many_categories
    level_already
    no_level_table
    is_empty
    engine_already
    too_many_engines
    engine_needs
    before_heading
    unknown_kind
    kind_and_name
    ");
}

#[test]
fn an_id_is_given_once() {
    let ids: BTreeSet<&str> = all().filter_map(|message| message.id()).collect();
    assert_eq!(ids.len(), all().count());
}

#[test]
fn a_message_inside_another_is_in_the_same_language() {
    let message = super::no_name("a..b", super::empty_label());
    assert_eq!(
        message.in_lang(Lang::En),
        "`a..b` is no name: a label is empty; write single dots between labels"
    );
    assert_eq!(
        message.in_lang(Lang::Vi),
        "`a..b` không phải là tên miền: có nhãn trống; giữa các nhãn chỉ viết một dấu chấm"
    );
    // A value is never taken for a sentence.
    assert_eq!(
        super::no_port("the name is empty").in_lang(Lang::Vi),
        "`the name is empty` thiếu số cổng"
    );
    // A sentence without Vietnamese is English as a whole, with what is in it.
    assert_eq!(super::is_empty(super::level()).in_lang(Lang::Vi), "`level` is empty");
}
