//! Why a school is not known to be protected, or what is to be said of it, in words.

use crate::lang::{Message, messages};
use crate::metrics::labels::Protection;

/// The most characters of another program's word that are shown.
const MAX_WORD: usize = 40;

/// A cause, the worst first.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum FleetCause {
    /// A gateway says what is wrong, by the reason of `lachan_protected`, and that something passes.
    Passes(String),
    /// A gateway that is to be there does not answer.
    Silent,
    /// A gateway answers, and does not say whether it is protected.
    Unsaid,
    /// No gateway of the school was ever heard of.
    NeverHeard,
    /// Prometheus did not answer, so that it is not known whether there is a gateway.
    NotAnswered,
    /// The box polls the department, and is not scraped.
    ReportedOnly,
    /// The box has not polled for days.
    ReportedSilent,
    /// The box reports that it refused a release.
    ReportedRejected(String),
    /// The box reports that a release waits for a person.
    ReportedHeld,
    /// No upstream server answers a gateway: nothing is resolved, and nothing passes.
    Uplink,
    /// A gateway says what is wrong, and that nothing passes.
    Remark(String),
}

impl FleetCause {
    /// The cause of a gateway by its `lachan_protected`; none where all is as configured.
    pub(super) fn of_reason(is_protected: bool, reason: &str) -> Option<Self> {
        let word: String = reason.chars().filter(|c| !c.is_control()).take(MAX_WORD).collect();
        if !is_protected {
            return Some(Self::Passes(word));
        }
        (reason != Protection::Ok.id()).then_some(Self::Remark(word))
    }

    /// A word for scripts.
    pub fn id(&self) -> String {
        match self {
            Self::Passes(reason) | Self::Remark(reason) => reason.clone(),
            Self::Silent => "silent".into(),
            Self::Unsaid => "unsaid".into(),
            Self::NeverHeard => "never_heard".into(),
            Self::NotAnswered => "not_answered".into(),
            Self::ReportedOnly => "reported_only".into(),
            Self::ReportedSilent => "reported_silent".into(),
            Self::ReportedRejected(reason) => format!("reported_rejected:{reason}"),
            Self::ReportedHeld => "reported_held".into(),
            Self::Uplink => "uplink".into(),
        }
    }

    /// The cause in words.
    pub fn message(&self) -> Message {
        match self {
            Self::Passes(reason) | Self::Remark(reason) => of_word(reason),
            Self::Silent => messages::fleet_silent(),
            Self::Unsaid => messages::fleet_unsaid(),
            Self::NeverHeard => messages::fleet_never_heard(),
            Self::NotAnswered => messages::fleet_not_answered(),
            Self::ReportedOnly => messages::fleet_reported_only(),
            Self::ReportedSilent => messages::fleet_reported_silent(),
            Self::ReportedRejected(reason) => messages::fleet_reported_rejected(reason),
            Self::ReportedHeld => messages::fleet_reported_held(),
            Self::Uplink => messages::fleet_uplink(),
        }
    }
}

/// A reason of `lachan_protected` in words; a word of a newer program as it is.
fn of_word(word: &str) -> Message {
    let known = Protection::ALL.into_iter().find(|one| one.id() == word);
    match known {
        Some(Protection::Ok) => messages::fleet_reason_ok(),
        Some(Protection::StaleList) => messages::fleet_reason_stale_list(),
        Some(Protection::Clock) => messages::fleet_reason_clock(),
        Some(Protection::Held) => messages::fleet_reason_held(),
        Some(Protection::FailClosed) => messages::fleet_reason_fail_closed(),
        Some(Protection::ListMissing) => messages::fleet_reason_list_missing(),
        Some(Protection::NoLists) => messages::fleet_reason_no_lists(),
        None => messages::fleet_reason_other(word),
    }
}
