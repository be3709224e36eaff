//! The findings of a state: a pure function of what is told.

use crate::lang::{Lang, messages};
use crate::load::list_state::ListCondition;
use crate::metrics::labels::{Protection, UpdateRefusal};
use crate::policy::group::time::Trust;
use crate::status::finding::{Finding, FindingId, Gravity};
use crate::status::state::{CertificateStatus, DevicesStatus, Status, moment, seconds};
use crate::update::status::UpdateStatus;

/// The time without an update from which the department's release is stale, in seconds.
const STALE: u64 = 14 * 86_400;

/// The days before a certificate's end from which it is told.
const SOON: i64 = 14;

/// Refusals that are about the way to the repository, not about what is in it.
const UNREACHED: [UpdateRefusal; 3] =
    [UpdateRefusal::Unreachable, UpdateRefusal::Portal, UpdateRefusal::Busy];

/// A state with its findings at a civil time, in a language, and with the state that they make.
pub fn judged(mut status: Status, civil: u64, lang: Lang) -> Status {
    status.findings = findings(&status, civil, lang);
    let has_fault = status.findings.iter().any(|one| one.gravity == Gravity::Fault);
    if has_fault && status.state == "ok" {
        "degraded".clone_into(&mut status.state);
        if let Some(since) = down_since(&status, civil) {
            status.since = moment(since);
        }
    }
    status.speak(lang);
    status
}

/// The moment from which no upstream server answers; what else has no moment of its own is as old
/// as the process.
fn down_since(status: &Status, civil: u64) -> Option<u64> {
    let down: Option<Vec<u64>> = status.upstreams.iter().map(|one| one.down_s).collect();
    let shortest = down.and_then(|down| down.into_iter().min());
    shortest.map(|down| civil.saturating_sub(down)).or_else(|| seconds(&status.filtering.since))
}

/// What is not as it should be, the worst first.
fn findings(status: &Status, civil: u64, lang: Lang) -> Vec<Finding> {
    let mut found = Vec::new();
    let mut add = |id, subject: &str, why: &str| found.push(Finding::new(id, subject, why));
    let protection = status.filtering.protection.as_str();
    let is = |what: Protection| protection == what.id();
    if is(Protection::NoLists) {
        add(FindingId::NoLists, "", "");
    }
    if is(Protection::FailClosed) {
        add(FindingId::FailClosed, "", "");
    }
    if is(Protection::StaleList) {
        add(FindingId::ListStale, "", "");
    }
    for list in status.lists.iter().filter(|list| list.state == ListCondition::LeftOut) {
        add(FindingId::ListLeftOut, &list.name, list.why.as_deref().unwrap_or_default());
    }
    for held in &status.held {
        add(FindingId::Held, &held.name, &held.why);
    }
    for (path, why) in &status.unread {
        add(FindingId::StateUnread, path, why);
    }
    if let Some(why) = &status.refused {
        add(FindingId::Refused, "", why);
    }
    let down: Vec<&str> =
        status.upstreams.iter().filter(|one| !one.up).map(|one| one.name.as_str()).collect();
    if !down.is_empty() && down.len() == status.upstreams.len() {
        add(FindingId::NoUpstream, "", &down.join(" "));
    } else {
        for name in down {
            add(FindingId::UpstreamDown, name, "");
        }
    }
    if status.clock == Trust::Untrusted.id() {
        add(FindingId::Clock, "", "");
    }
    if let Some(test) = status.self_test.as_ref().filter(|test| test.failed > 0) {
        add(FindingId::SelfTestFailed, &test.failed.to_string(), &test.rows.join("\n"));
    }
    for address in &status.absent {
        add(FindingId::AddressAbsent, address, "");
    }
    if !status.is_kept {
        add(FindingId::NotKept, "", "");
    }
    if let Some(evidence) = &status.evidence {
        if evidence.began_anew {
            add(FindingId::EvidenceLost, "", "");
        }
        if evidence.was_cut {
            add(FindingId::EvidenceCut, "", "");
        }
    }
    if let Some(list) = status.emergency.as_ref().filter(|list| list.refused > 0) {
        add(FindingId::EmergencyRefused, &list.refused.to_string(), "");
    }
    found.extend(device_findings(&status.devices));
    if let Some(update) = &status.update {
        found.extend(update_findings(update, civil));
    }
    found.extend(certificate_findings(&status.certificates, &status.uncovered, lang));
    found.sort_by_key(|one| (one.gravity, one.id));
    found
}

/// What is not as it should be of tokens and hardware addresses.
fn device_findings(devices: &DevicesStatus) -> Vec<Finding> {
    let damage = devices.damage.iter().map(|why| Finding::new(FindingId::TokensDamaged, "", why));
    let strays = devices.stray_tokens.iter();
    let strays = strays.map(|name| Finding::new(FindingId::StrayToken, name, ""));
    let leases = devices.leases.iter();
    let leases = leases.map(|(path, why)| Finding::new(FindingId::LeasesUnread, path, why));
    let neighbours = devices.neighbours.iter();
    let neighbours = neighbours.map(|why| Finding::new(FindingId::NeighboursUnseen, "", why));
    damage.chain(strays).chain(leases).chain(neighbours).collect()
}

/// What is not as it should be of certificates.
pub fn certificate_findings(
    certificates: &[CertificateStatus],
    uncovered: &[String],
    lang: Lang,
) -> Vec<Finding> {
    let mut found = Vec::new();
    for one in certificates {
        let why = one.why.as_deref();
        let until = one.until.as_deref().unwrap_or_default();
        let (id, why) = match one.days_left {
            _ if one.state == "not_yet" => {
                (FindingId::CertificateUnusable, messages::certificate_not_yet().in_lang(lang))
            }
            Some(days) if days < 0 => {
                (FindingId::CertificateUnusable, messages::certificate_ended(until).in_lang(lang))
            }
            _ if one.until.is_none() => {
                (FindingId::CertificateUnusable, why.unwrap_or_default().to_owned())
            }
            _ if why.is_some() => (FindingId::CertificateHeld, why.unwrap_or_default().to_owned()),
            Some(days) if days < SOON => {
                (FindingId::CertificateEnds, messages::certificate_ends(until).in_lang(lang))
            }
            _ => continue,
        };
        found.push(Finding::new(id, &one.file, why));
    }
    for name in uncovered {
        found.push(Finding::new(FindingId::NameUncovered, name, ""));
    }
    found
}

/// What is not as it should be of releases.
fn update_findings(update: &UpdateStatus, civil: u64) -> Vec<Finding> {
    let mut found = Vec::new();
    let why = update.why.as_deref().unwrap_or_default();
    let reason = update.reason.as_deref().unwrap_or_default();
    if update.release == 0 {
        found.push(Finding::new(FindingId::NoRelease, "", why));
    }
    let is_unreached = UNREACHED.iter().any(|one| one.id() == reason);
    match update.state.as_str() {
        "held" => found.push(Finding::new(FindingId::ReleaseHeld, "", why)),
        "rejected" if !is_unreached && update.release > 0 => {
            found.push(Finding::new(FindingId::ReleaseRejected, "", why));
        }
        _ => {}
    }
    let refusal = update.upgrade.as_ref().zip(update.program.as_ref());
    let refusal = refusal.and_then(|(record, program)| record.refusal(&program.sha256));
    if let Some(refusal) = refusal {
        found.push(Finding::new(FindingId::ProgramRefused, &refusal.version, &refusal.why));
    }
    if let Some(why) = update.upgrade.as_ref().and_then(|record| record.fault.as_deref()) {
        found.push(Finding::new(FindingId::UpgradeFailed, "", why));
    }
    for server in &update.servers {
        if let Some(why) = &server.why {
            found.push(Finding::new(FindingId::RepositorySilent, &server.url, why));
        }
    }
    let age = civil.saturating_sub(update.last_success);
    if update.last_success > 0 && !update.servers.is_empty() && age > STALE {
        found.push(Finding::new(FindingId::ReleaseStale, (age / 86_400).to_string(), ""));
    }
    found
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// The state of a gateway without a fault, with some keys replaced.
    fn status(with: &serde_json::Value) -> Status {
        let mut value = json!({
            "state": "ok", "since": "2026-09-05T00:00:00Z", "version": "1", "release": null,
            "filtering": {"state": "on", "since": "2026-09-05T00:00:00Z", "protection": "ok"},
            "update": null, "emergency": null, "generation": 1, "is_kept": true, "lists": [],
            "upstreams": [{"name": "a", "up": true}, {"name": "b", "up": true}],
            "clock": "synced", "held": [], "refused": null, "absent": [], "findings": [],
            "errors": [],
        });
        for (key, with) in with.as_object().unwrap() {
            value[key] = with.clone();
        }
        serde_json::from_value(value).unwrap()
    }

    const DAY: u64 = 86_400;
    const NOW: u64 = 1_800_000_000;

    fn found(with: &serde_json::Value) -> (String, Vec<FindingId>) {
        let status = judged(status(with), NOW, Lang::Vi);
        for one in &status.findings {
            assert!(!one.text.is_empty() && !one.remedy.is_empty(), "{one:?}");
        }
        (status.state, status.findings.iter().map(|one| one.id).collect())
    }

    fn update(release: u64, state: &str, reason: Option<&str>) -> serde_json::Value {
        json!({"update": {
            "release": release, "ring": "", "last_attempt": 0, "last_success": NOW - 15 * DAY,
            "state": state, "reason": reason, "why": reason, "kept": [], "emergency": 0,
            "servers": [],
        }})
    }

    #[test]
    fn a_fault_degrades_and_a_notice_does_not() {
        let ok = |ids: &[FindingId]| ("ok".to_owned(), ids.to_vec());
        let bad = |ids: &[FindingId]| ("degraded".to_owned(), ids.to_vec());
        assert_eq!(found(&json!({})), ok(&[]));
        assert_eq!(found(&json!({"is_kept": false})), ok(&[FindingId::NotKept]));
        assert_eq!(found(&json!({"clock": "plausible"})), ok(&[]));
        let evidence = json!({"month": "2026-11", "enforced_s": 1, "gaps_s": {"power": 60},
            "began_anew": true, "was_cut": true});
        let lost = ok(&[FindingId::EvidenceLost, FindingId::EvidenceCut]);
        assert_eq!(found(&json!({"evidence": evidence})), lost);
        assert_eq!(
            found(&json!({"clock": "untrusted", "is_kept": false, "absent": ["10.0.0.1:53"]})),
            bad(&[FindingId::Clock, FindingId::AddressAbsent, FindingId::NotKept])
        );
        assert_eq!(found(&json!({"unread": [["a", "x"]]})), bad(&[FindingId::StateUnread]));
        let down = json!({"name": "a", "up": false, "down_s": 60});
        let up = json!({"name": "b", "up": true});
        assert_eq!(found(&json!({"upstreams": [down, up]})), ok(&[FindingId::UpstreamDown]));
        assert_eq!(found(&json!({"upstreams": [down, down]})), bad(&[FindingId::NoUpstream]));
        let devices =
            json!({"damage": null, "stray_tokens": ["old"], "neighbours": null, "leases": []});
        assert_eq!(found(&json!({"devices": devices})), ok(&[FindingId::StrayToken]));
        let devices =
            json!({"damage": "x", "stray_tokens": [], "neighbours": "x", "leases": [["a", "x"]]});
        let broken =
            [FindingId::TokensDamaged, FindingId::LeasesUnread, FindingId::NeighboursUnseen];
        assert_eq!(found(&json!({"devices": devices})), bad(&broken));
        assert_eq!(found(&json!({"refused": "1:1"})), bad(&[FindingId::Refused]));
    }

    #[test]
    fn a_release_is_told_by_what_must_be_done() {
        let ids = |with: &serde_json::Value| found(with).1;
        assert_eq!(ids(&update(0, "ok", None)), [FindingId::NoRelease]);
        assert_eq!(ids(&update(3, "ok", None)), []);
        assert_eq!(ids(&update(3, "held", Some("rehearsal"))), [FindingId::ReleaseHeld]);
        assert_eq!(ids(&update(3, "rejected", Some("signature"))), [FindingId::ReleaseRejected]);
        // The line is down: the old release is good for weeks.
        let mut silent = update(3, "rejected", Some("unreachable"));
        silent["update"]["servers"] = json!([{"url": "https://a", "reason": "x", "why": "x"}]);
        silent["update"]["last_success"] = (NOW - DAY).into();
        assert_eq!(found(&silent), ("ok".into(), vec![FindingId::RepositorySilent]));
        silent["update"]["last_success"] = (NOW - 15 * DAY).into();
        assert_eq!(ids(&silent), [FindingId::ReleaseStale, FindingId::RepositorySilent]);
    }

    #[test]
    fn a_certificate_is_told_before_its_end_and_after() {
        let ids = |until: serde_json::Value, days: serde_json::Value, why: serde_json::Value| {
            let one =
                json!({"file": "a", "covers": [], "until": until, "days_left": days, "why": why});
            found(&json!({"certificates": [one]})).1
        };
        let (until, none) = (json!("2026-09-05T00:00:00Z"), json!(null));
        assert_eq!(ids(until.clone(), json!(14), none.clone()), []);
        assert_eq!(ids(until.clone(), none.clone(), none.clone()), []);
        assert_eq!(ids(until.clone(), json!(13), none.clone()), [FindingId::CertificateEnds]);
        assert_eq!(ids(until.clone(), json!(300), json!("torn")), [FindingId::CertificateHeld]);
        assert_eq!(ids(until, json!(-1), json!("torn")), [FindingId::CertificateUnusable]);
        assert_eq!(ids(none.clone(), none, json!("gone")), [FindingId::CertificateUnusable]);
    }

    #[test]
    fn it_is_as_old_as_the_outage() {
        let down = json!({"name": "a", "up": false, "down_s": 60});
        let status = judged(status(&json!({"upstreams": [down]})), NOW, Lang::En);
        assert_eq!(status.since, moment(NOW - 60));
    }
}
