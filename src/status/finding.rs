//! What is not as it should be, and what to do about it.

use serde::{Deserialize, Serialize};

use crate::lang::{Lang, Message, messages};
use crate::status::machine::MachineFault;

/// How much a finding matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Gravity {
    /// The gateway is degraded.
    Fault,
    /// It does all that it should; somebody should look all the same.
    Notice,
}

/// The kind of a finding. The order is that in which they are told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FindingId {
    /// No name is listed at all.
    NoLists,
    /// A list is not in force, and has no kept copy.
    ListLeftOut,
    /// A category without its list is closed.
    FailClosed,
    /// No upstream server answers.
    NoUpstream,
    /// The clock is not trusted.
    Clock,
    /// The files are refused.
    Refused,
    /// A kept copy stands in for a file.
    Held,
    /// A file of the state cannot be read now.
    StateUnread,
    /// The gateway's test of itself failed.
    SelfTestFailed,
    /// A listen address is not there.
    AddressAbsent,
    /// No certificate is in use for encrypted DNS where there should be one, or it has ended.
    CertificateUnusable,
    /// No certificate covers a server name of a group.
    NameUncovered,
    /// The files of a certificate cannot be used; the one before them is.
    CertificateHeld,
    /// A certificate ends soon.
    CertificateEnds,
    /// The tokens of DNS over HTTPS cannot be read.
    TokensDamaged,
    /// A lease file cannot be used.
    LeasesUnread,
    /// The neighbour table cannot be followed.
    NeighboursUnseen,
    /// The department's repository has brought no release yet.
    NoRelease,
    /// A release waits for a person.
    ReleaseHeld,
    /// A release, or the repository, is refused.
    ReleaseRejected,
    /// The program that is chosen was refused, or gone back from: the one before runs.
    ProgramRefused,
    /// An upgrade failed by this machine or on the way.
    UpgradeFailed,
    /// No update ended well for long.
    ReleaseStale,
    /// A downloaded list was confirmed by no server for long.
    ListStale,
    /// The repository is not reached.
    RepositorySilent,
    /// One of several upstream servers does not answer.
    UpstreamDown,
    /// Entries of the emergency list are beyond the limits.
    EmergencyRefused,
    /// A restart may not find what is in force.
    NotKept,
    /// A token is of a group that the config does not have.
    StrayToken,
    /// The record of this month was damaged.
    EvidenceLost,
    /// Evidence was removed before its time.
    EvidenceCut,
    /// The machine, or the network around it.
    #[serde(untagged)]
    Machine(MachineFault),
}

/// One finding.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// Its kind.
    pub id: FindingId,
    /// How much it matters.
    pub gravity: Gravity,
    /// The list, file, server or address that it is about; empty where it is about the gateway.
    pub subject: String,
    /// The cause as it was found; empty where the kind says all.
    pub why: String,
    /// The finding, for people.
    #[serde(default)]
    pub text: String,
    /// What to do, for people.
    #[serde(default)]
    pub remedy: String,
}

impl Finding {
    /// A finding without texts.
    pub fn new(id: FindingId, subject: impl Into<String>, why: impl Into<String>) -> Self {
        let gravity = match id {
            FindingId::RepositorySilent
            | FindingId::ProgramRefused
            | FindingId::UpgradeFailed
            | FindingId::UpstreamDown
            | FindingId::CertificateHeld
            | FindingId::CertificateEnds
            | FindingId::EmergencyRefused
            | FindingId::NotKept
            | FindingId::StrayToken
            | FindingId::EvidenceLost
            | FindingId::EvidenceCut => Gravity::Notice,
            FindingId::Machine(fault) if fault.is_notice() => Gravity::Notice,
            _ => Gravity::Fault,
        };
        let (subject, why) = (subject.into(), why.into());
        Self { id, gravity, subject, why, text: String::new(), remedy: String::new() }
    }

    /// Puts its texts into a language.
    pub fn speak(&mut self, lang: Lang) {
        let (text, remedy) = self.messages();
        (self.text, self.remedy) = (text.in_lang(lang), remedy.in_lang(lang));
    }

    /// The same of evidence.
    fn of_evidence(&self) -> (Message, Message) {
        if self.id == FindingId::EvidenceCut {
            return (messages::finding_evidence_cut(), messages::remedy_evidence_cut());
        }
        (messages::finding_evidence_lost(), messages::remedy_evidence_lost())
    }

    /// The finding, and what to do about it.
    fn messages(&self) -> (Message, Message) {
        let subject = self.subject.as_str();
        match self.id {
            FindingId::Machine(fault) => fault.messages(subject),
            FindingId::NoLists => (messages::finding_no_lists(), messages::remedy_no_lists()),
            FindingId::ListLeftOut => {
                (messages::finding_left_out(subject), messages::remedy_left_out())
            }
            FindingId::FailClosed => {
                (messages::finding_fail_closed(), messages::remedy_fail_closed())
            }
            FindingId::NoUpstream => {
                (messages::finding_no_upstream(), messages::remedy_no_upstream())
            }
            FindingId::Clock => (messages::finding_clock(), messages::remedy_clock()),
            FindingId::Refused => (messages::finding_refused(), messages::remedy_refused()),
            FindingId::Held => (messages::finding_held(subject), messages::remedy_held()),
            FindingId::StateUnread => {
                (messages::finding_state_unread(subject), messages::remedy_state_unread())
            }
            FindingId::SelfTestFailed => {
                (messages::finding_self_test(subject), messages::remedy_self_test())
            }
            FindingId::AddressAbsent => {
                (messages::finding_absent(subject), messages::remedy_absent())
            }
            FindingId::CertificateUnusable => {
                (messages::finding_certificate_unusable(subject), messages::remedy_certificate())
            }
            FindingId::NameUncovered => {
                (messages::finding_name_uncovered(subject), messages::remedy_name_uncovered())
            }
            FindingId::CertificateHeld => {
                (messages::finding_certificate_held(subject), messages::remedy_certificate())
            }
            FindingId::CertificateEnds => {
                (messages::finding_certificate_ends(subject), messages::remedy_certificate())
            }
            FindingId::TokensDamaged => {
                (messages::finding_tokens_damaged(), messages::remedy_tokens_damaged())
            }
            FindingId::StrayToken => {
                (messages::finding_token_group(subject), messages::remedy_token_group())
            }
            FindingId::LeasesUnread => {
                (messages::finding_leases(subject), messages::remedy_leases())
            }
            FindingId::NeighboursUnseen => {
                (messages::finding_neighbours(), messages::remedy_neighbours())
            }
            FindingId::NoRelease => (messages::finding_no_release(), messages::remedy_no_release()),
            FindingId::ReleaseHeld => {
                (messages::finding_release_held(), messages::remedy_release_held())
            }
            FindingId::ReleaseRejected => {
                (messages::finding_release_rejected(), messages::remedy_release_rejected())
            }
            FindingId::ProgramRefused => {
                (messages::finding_program_refused(subject), messages::remedy_tell_department())
            }
            FindingId::UpgradeFailed => {
                (messages::finding_upgrade_failed(), messages::remedy_upgrade_failed())
            }
            FindingId::ReleaseStale => {
                (messages::finding_release_stale(subject), messages::remedy_repository())
            }
            FindingId::ListStale => (messages::finding_list_stale(), messages::remedy_list_stale()),
            FindingId::RepositorySilent => {
                (messages::finding_repository_silent(subject), messages::remedy_repository())
            }
            FindingId::UpstreamDown => {
                (messages::finding_upstream_down(subject), messages::remedy_upstream_down())
            }
            FindingId::EmergencyRefused => {
                (messages::finding_emergency_refused(subject), messages::remedy_tell_department())
            }
            FindingId::NotKept => (messages::finding_not_kept(), messages::remedy_not_kept()),
            FindingId::EvidenceLost | FindingId::EvidenceCut => self.of_evidence(),
        }
    }
}
