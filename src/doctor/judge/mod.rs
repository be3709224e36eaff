//! Facts → findings, part by part: a pure function.

mod network;
mod part;
pub(super) mod ports;
#[cfg(test)]
mod tests;

use crate::doctor::facts::{
    ClockFacts, DiskFacts, ExaminedPart, GroupReach, MachineFacts, RtcFact, WriteTrial,
};
use crate::doctor::judge::part::JudgedPart;
use crate::lang::{Lang, messages};
use crate::policy::group::time::Trust;
use crate::status::finding::{Finding, FindingId};
use crate::status::judge::certificate_findings;
use crate::status::machine::MachineFault;
use crate::sys::os::FileSystem;

/// Octets below which nothing can be relied on to be written.
const FULL: u64 = 32 << 20;
/// Octets below which two generations of lists may not fit.
const LOW: u64 = 256 << 20;
/// Files below which nothing can be relied on to be made.
const FEW_FILES: u64 = 1_000;
/// Seconds by which the clock without power may differ: it may have the local time.
const RTC_ASTRAY: u64 = 86_400;
/// Seconds from which a list is old: two weeks, as a release is.
const OLD: u64 = 14 * DAY;
/// Seconds of a day.
const DAY: u64 = 86_400;

/// All parts; causes in a language.
pub(super) fn judged(facts: &MachineFacts, lang: Lang) -> Vec<JudgedPart> {
    let mut parts = vec![
        gateway(facts),
        ports::judged(facts, lang),
        clock(facts.clock),
        disk(facts.disk.as_ref()),
        upstreams(facts, lang),
        network::exposure(facts),
        network::second_resolver(facts, lang),
        doh(facts),
        lists(facts, lang),
        certificates(facts, lang),
    ];
    let Some(status) = &facts.status else { return parts };
    // What was looked at here and now is newer than what the gateway remembers of its servers.
    let is_asked = |id: FindingId| matches!(id, FindingId::NoUpstream | FindingId::UpstreamDown);
    for finding in status.findings.iter().filter(|one| !is_asked(one.id)) {
        let is_found = |part: &JudgedPart| {
            part.findings.iter().any(|own| own.id == finding.id && own.subject == finding.subject)
        };
        if !parts.iter().any(is_found) {
            let part = part_of(finding.id);
            let place = parts.iter_mut().find(|one| one.part == part);
            if let Some(one) = place {
                one.findings.push(finding.clone());
            }
        }
    }
    parts
}

/// The part of a finding that a gateway has of itself.
fn part_of(id: FindingId) -> ExaminedPart {
    match id {
        FindingId::NoLists
        | FindingId::ListLeftOut
        | FindingId::FailClosed
        | FindingId::Held
        | FindingId::ListStale => ExaminedPart::Lists,
        FindingId::Clock => ExaminedPart::Clock,
        FindingId::AddressAbsent => ExaminedPart::Ports,
        FindingId::CertificateUnusable
        | FindingId::NameUncovered
        | FindingId::CertificateHeld
        | FindingId::CertificateEnds => ExaminedPart::Certificates,
        FindingId::NotKept | FindingId::EvidenceLost | FindingId::EvidenceCut => ExaminedPart::Disk,
        FindingId::NoUpstream | FindingId::UpstreamDown => ExaminedPart::Upstreams,
        _ => ExaminedPart::Gateway,
    }
}

fn gateway(facts: &MachineFacts) -> JudgedPart {
    let mut part = JudgedPart::new(ExaminedPart::Gateway);
    let (admin, silent) = &facts.admin;
    if let Some(why) = silent {
        part.find(MachineFault::GatewaySilent, admin.to_string(), why);
        return part;
    }
    let absent = facts.status.iter().flat_map(|status| &status.absent);
    let absent: Vec<&String> = absent.collect();
    let silent = facts.answering.iter().filter(|(_, answers)| !answers);
    for (address, _) in silent {
        let address = address.to_string();
        if !absent.contains(&&address) {
            part.find(MachineFault::ListenerSilent, address, "");
        }
    }
    let answering = facts.answering.iter().filter(|(_, answers)| *answers).count();
    part.line = Some(match &facts.status {
        Some(status) => messages::looked_gateway(admin, &status.version, answering),
        None => messages::looked_listeners(admin, answering),
    });
    part.unseen.extend(facts.untold.as_ref().map(messages::unseen_status));
    part
}

fn clock(facts: ClockFacts) -> JudgedPart {
    let mut part = JudgedPart::new(ExaminedPart::Clock);
    part.line = Some(match facts.trust {
        Trust::Untrusted => messages::looked_clock_wrong(),
        Trust::Plausible => messages::looked_clock_plausible(),
        Trust::Synced => messages::looked_clock_right(),
    });
    match facts.trust {
        Trust::Untrusted => part.findings.push(Finding::new(FindingId::Clock, "", "")),
        Trust::Plausible => part.find(MachineFault::ClockUnsynced, "", ""),
        Trust::Synced => {}
    }
    match facts.rtc {
        RtcFact::Absent => part.find(MachineFault::RtcAbsent, "", ""),
        RtcFact::Invalid => part.find(MachineFault::RtcWrong, "", ""),
        RtcFact::Unread => part.unseen.push(messages::unseen_rtc()),
        RtcFact::Seconds(seconds) => {
            let is_known = facts.trust != Trust::Untrusted;
            if is_known && seconds.abs_diff(facts.civil) > RTC_ASTRAY {
                part.find(MachineFault::RtcWrong, "", "");
            }
        }
    }
    part
}

fn disk(facts: Option<&DiskFacts>) -> JudgedPart {
    let mut part = JudgedPart::new(ExaminedPart::Disk);
    let Some(DiskFacts { path, space, writing, foreign }) = facts else {
        part.find(MachineFault::StateAbsent, "", "");
        return part;
    };
    let subject = path.display().to_string();
    let is_read_only = space.as_ref().is_ok_and(|space| space.is_read_only);
    match writing {
        WriteTrial::ReadOnly => part.find(MachineFault::DiskReadOnly, &subject, ""),
        _ if is_read_only => part.find(MachineFault::DiskReadOnly, &subject, ""),
        WriteTrial::OpenToOthers(mode) => {
            part.find(MachineFault::StateOpen, &subject, format!("{mode:04o}"));
        }
        WriteTrial::Full => part.find(MachineFault::DiskFull, &subject, ""),
        WriteTrial::Failed(why) => part.find(MachineFault::StateUnwritable, &subject, why),
        WriteTrial::Denied => part.unseen.push(messages::unseen_writing(&subject)),
        WriteTrial::Done => {}
    }
    if let Some(foreign) = foreign {
        part.find(MachineFault::StateForeign, &subject, foreign.display().to_string());
    }
    match space {
        Err(why) => part.unseen.push(messages::unseen_space(&subject, why)),
        Ok(FileSystem { free, files, .. }) => {
            let mib = free >> 20;
            part.line = Some(messages::looked_disk(&subject, mib));
            let has_few_files = files.is_some_and(|files| files < FEW_FILES);
            let is_told = part
                .findings
                .iter()
                .any(|one| one.id == FindingId::Machine(MachineFault::DiskFull));
            match *free {
                _ if is_told || is_read_only => {}
                _ if has_few_files => part.find(MachineFault::DiskFull, &subject, ""),
                0..FULL => part.find(MachineFault::DiskFull, &subject, format!("{mib} MiB")),
                FULL..LOW => part.find(MachineFault::DiskLow, &subject, format!("{mib} MiB")),
                LOW.. => {}
            }
        }
    }
    part
}

fn upstreams(facts: &MachineFacts, lang: Lang) -> JudgedPart {
    let mut part = JudgedPart::new(ExaminedPart::Upstreams);
    if let Some(why) = &facts.upstreams_unusable {
        part.findings.push(Finding::new(FindingId::NoUpstream, "", why));
        return part;
    }
    let down: Vec<(&String, String)> = facts
        .upstreams
        .iter()
        .filter_map(|(name, why)| Some((name, why.as_ref()?.in_lang(lang))))
        .collect();
    part.line =
        Some(messages::looked_upstreams(facts.upstreams.len() - down.len(), facts.upstreams.len()));
    if down.len() == facts.upstreams.len() {
        let why: Vec<String> = down.iter().map(|(name, why)| format!("{name}: {why}")).collect();
        part.findings.push(Finding::new(FindingId::NoUpstream, "", why.join("\n")));
    } else {
        let each = down.into_iter();
        part.findings
            .extend(each.map(|(name, why)| Finding::new(FindingId::UpstreamDown, name, why)));
    }
    part
}

fn doh(facts: &MachineFacts) -> JudgedPart {
    let mut part = JudgedPart::new(ExaminedPart::Doh);
    let groups = match &facts.reach {
        Ok(groups) => groups,
        Err(why) => {
            part.unseen.push(messages::unseen_policy(why));
            return part;
        }
    };
    for GroupReach { name, canaries, hosts, .. } in groups.iter().filter(|group| !group.is_staff) {
        if !hosts.is_empty() {
            part.find(MachineFault::DohOpen, name, hosts.join(" "));
        }
        if !canaries.is_empty() {
            part.find(MachineFault::CanaryOpen, name, canaries.join(" "));
        }
    }
    let pupils = groups.iter().filter(|group| !group.is_staff).count();
    part.line = Some(messages::looked_doh(pupils));
    part.unseen.push(messages::unseen_doh_by_address());
    part
}

fn lists(facts: &MachineFacts, lang: Lang) -> JudgedPart {
    let mut part = JudgedPart::new(ExaminedPart::Lists);
    for (name, age) in facts.lists.iter().filter(|(_, age)| *age > OLD) {
        let days = age / DAY;
        part.find(MachineFault::ListOld, name, messages::list_days(days).in_lang(lang));
    }
    let oldest = facts.lists.iter().map(|(_, age)| age / DAY).max();
    part.line = Some(match oldest {
        Some(days) => messages::looked_lists(facts.lists.len(), days),
        None => messages::looked_no_lists(),
    });
    part
}

fn certificates(facts: &MachineFacts, lang: Lang) -> JudgedPart {
    let mut part = JudgedPart::new(ExaminedPart::Certificates);
    part.findings = certificate_findings(&facts.certificates, &facts.uncovered, lang);
    let is_off = facts.listen.dot.is_empty() && facts.listen.doh.is_empty();
    let shortest = facts.certificates.iter().filter_map(|one| one.days_left).min();
    part.line = match shortest {
        Some(days) => Some(messages::looked_certificates(facts.certificates.len(), days)),
        None if is_off => Some(messages::looked_no_encryption()),
        None => None,
    };
    let keys = facts.keys_unread.iter();
    part.unseen.extend(keys.map(|path| messages::unseen_key(path.display())));
    part
}
