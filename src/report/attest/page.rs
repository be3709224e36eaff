//! The printed page of a document.

use std::collections::BTreeMap;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use maud::{Markup, html};

use super::document::{Attestation, SignedAttestation};
use crate::digest::sha256;
use crate::evidence::record::GapCause;
use crate::evidence::row_kind::RowKind;
use crate::lang::{Lang, Message, messages};
use crate::paper;

/// The most gaps and self-test rows of a page.
const MOST: usize = 30;

/// The most changes of a page.
const MOST_CHANGES: usize = 40;

/// Words of one language and time zone.
struct Words<'a> {
    lang: Lang,
    zone: &'a TimeZone,
}

impl Words<'_> {
    #[expect(clippy::needless_pass_by_value, reason = "a page makes a message where it says it")]
    fn say(&self, message: Message) -> String {
        message.in_lang(self.lang)
    }

    fn moment(&self, civil: u64) -> String {
        let at = i64::try_from(civil).ok().and_then(|at| Timestamp::from_second(at).ok());
        let form = if self.lang == Lang::Vi { "%d/%m/%Y %H:%M" } else { "%Y-%m-%d %H:%M" };
        at.map_or_else(String::new, |at| self.zone.to_datetime(at).strftime(form).to_string())
    }

    fn cause(&self, cause: GapCause) -> String {
        self.say(cause_words(cause))
    }
}

/// The words for a cause.
pub(in crate::report) fn cause_words(cause: GapCause) -> Message {
    match cause {
        GapCause::Uplink => messages::attest_gap_uplink(),
        GapCause::Power => messages::attest_gap_power(),
        GapCause::Stopped => messages::attest_gap_stopped(),
        GapCause::Program => messages::attest_gap_program(),
        GapCause::Clock => messages::attest_gap_clock(),
        GapCause::Config => messages::attest_gap_config(),
        GapCause::Lists => messages::attest_gap_lists(),
    }
}

/// The page of documents, each with its own section.
pub fn page(documents: &[SignedAttestation], lang: Lang, zone: &TimeZone) -> String {
    let words = Words { lang, zone };
    let title = words.say(messages::attest_title());
    let body = html! {
        p { (words.say(messages::attest_what())) }
        @for document in documents { (section(&words, document)) }
        @for sign in [messages::selftest_sign_name(), messages::selftest_sign_date(),
            messages::selftest_sign()] {
            span.sign { (words.say(sign)) }
        }
    };
    paper::page(lang, &title, &body)
}

fn section(words: &Words<'_>, document: &SignedAttestation) -> Markup {
    let signed = &document.signed;
    let digest = document.octets().map(|octets| sha256(&octets)).unwrap_or_default();
    html! {
        h2 { (words.say(messages::attest_month(&signed.month, &signed.school.name, &signed.school.id))) }
        @if !signed.is_over { p.no { (words.say(messages::attest_not_over())) } }
        @match document.signatures.first() {
            Some(signature) => {
                p { (words.say(messages::attest_signed(&signed.school.unit))) }
                p { code { (signature.key) } }
            }
            None => { p.no { (words.say(messages::attest_unsigned())) } }
        }
        (minutes(words, signed))
        (gaps(words, signed))
        (tests(words, signed))
        (changes(words, signed))
        (facts(words, signed, &digest))
    }
}

fn minutes(words: &Words<'_>, of: &Attestation) -> Markup {
    let row = |what: String, seconds: u64| vec![what, (seconds / 60).to_string()];
    let enforced = row(words.say(messages::attest_enforced()), of.enforcement.enforced);
    let gaps =
        of.enforcement.gaps.iter().map(|(cause, seconds)| row(words.cause(*cause), *seconds));
    let rows: Vec<Vec<String>> = std::iter::once(enforced).chain(gaps).collect();
    let head = [words.say(messages::attest_state()), words.say(messages::attest_minutes())];
    let head = head.each_ref().map(String::as_str);
    paper::table(&words.say(messages::attest_time()), &head, &rows)
}

fn gaps(words: &Words<'_>, of: &Attestation) -> Markup {
    let mut gaps: Vec<_> = of.gaps.iter().collect();
    gaps.sort_by_key(|gap| std::cmp::Reverse(gap.to.saturating_sub(gap.from)));
    let more = gaps.len().saturating_sub(MOST);
    gaps.truncate(MOST);
    gaps.sort_by_key(|gap| gap.from);
    let row = |gap: &&crate::evidence::record::Gap| {
        vec![words.moment(gap.from), words.moment(gap.to), words.cause(gap.cause)]
    };
    let rows: Vec<Vec<String>> = gaps.iter().map(row).collect();
    let head = [messages::attest_from(), messages::attest_to(), messages::attest_cause()];
    let head = head.map(|message| words.say(message));
    let head = head.each_ref().map(String::as_str);
    html! {
        @if !rows.is_empty() { (paper::table(&words.say(messages::attest_gaps()), &head, &rows)) }
        @if more > 0 { p { (words.say(messages::attest_more(more))) } }
    }
}

/// The self-tests by kind and group, on one sheet, and each row that did not always pass.
fn tests(words: &Words<'_>, of: &Attestation) -> Markup {
    let test = &of.self_test;
    let parts = |id: &str| {
        let mut parts = id.splitn(3, '/').map(str::to_owned);
        (parts.next().unwrap_or_default(), parts.next().unwrap_or_default())
    };
    let mut sums: BTreeMap<(usize, String), (u64, u64)> = BTreeMap::new();
    for (id, counts) in &test.rows {
        let (kind, group) = parts(id);
        let place = RowKind::ALL.iter().position(|known| known.id() == kind).unwrap_or(usize::MAX);
        let sum = sums.entry((place, group)).or_default();
        *sum = (sum.0.saturating_add(counts.asked), sum.1.saturating_add(counts.passed));
    }
    let rows: Vec<Vec<String>> = sums
        .into_iter()
        .map(|((place, group), (asked, passed))| {
            let kind = RowKind::ALL
                .get(place)
                .map_or_else(|| "-".to_owned(), |kind| words.say(kind.message()));
            vec![kind, group, asked.to_string(), passed.to_string()]
        })
        .collect();
    let failed = test.rows.iter().filter(|(_, counts)| counts.passed != counts.asked);
    let more = failed.clone().count().saturating_sub(MOST);
    let failed: Vec<Vec<String>> = failed
        .take(MOST)
        .map(|(id, counts)| vec![id.clone(), counts.asked.to_string(), counts.passed.to_string()])
        .collect();
    let say = |message: Message| words.say(message);
    let (asked, right) = (say(messages::attest_asked()), say(messages::attest_right()));
    let (kind, group) = (say(messages::selftest_kind()), say(messages::selftest_group()));
    let head = [kind.as_str(), &group, &asked, &right];
    let row = say(messages::attest_row());
    html! {
        p { (say(messages::attest_tests(test.runs, test.failed))) }
        @if !rows.is_empty() { (paper::table(&say(messages::inspector_tests()), &head, &rows)) }
        @if !failed.is_empty() {
            (paper::table(&say(messages::selftest_failed()), &[&row, &asked, &right], &failed))
        }
        @if more > 0 { p { (say(messages::attest_more(more))) } }
    }
}

fn changes(words: &Words<'_>, of: &Attestation) -> Markup {
    let shown = of.changes.iter().take(MOST_CHANGES);
    let more = of.changes.len().saturating_sub(MOST_CHANGES) as u64 + of.more_changes;
    let rows: Vec<Vec<String>> = shown
        .map(|one| {
            let what = [one.kind.as_str(), one.action.as_str(), one.group.as_str()];
            let what = what.into_iter().chain(one.about.iter().map(String::as_str));
            let what = what.filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ");
            vec![words.moment(one.at), one.who.clone(), what, one.reason.clone()]
        })
        .collect();
    let head = [
        messages::inspector_time(),
        messages::inspector_who(),
        messages::inspector_what(),
        messages::attest_reason(),
    ];
    let head = head.map(|message| words.say(message));
    let head = head.each_ref().map(String::as_str);
    html! {
        @if rows.is_empty() {
            p { (words.say(messages::inspector_no_changes())) }
        } @else {
            (paper::table(&words.say(messages::inspector_changes()), &head, &rows))
        }
        @if more > 0 { p { (words.say(messages::attest_more(more))) } }
    }
}

fn facts(words: &Words<'_>, of: &Attestation, digest: &str) -> Markup {
    let releases: Vec<String> = of
        .releases
        .iter()
        .map(|used| format!("{} ({})", used.release, words.moment(used.from)))
        .collect();
    let row = |what: Message, value: String| vec![words.say(what), value];
    let reviews = format!("{} / {}", of.reviews.accepted, of.reviews.received);
    let mut rows = vec![
        row(messages::attest_releases(), releases.join(", ")),
        row(messages::attest_reviews(), reviews),
        row(messages::attest_orders(), of.orders.applied.to_string()),
        row(messages::attest_config(), of.config_digest.clone()),
        row(messages::attest_version(), of.version.clone()),
        row(messages::attest_made(), words.moment(of.made_at)),
        row(messages::attest_before(), of.before.clone()),
        row(messages::attest_digest(), digest.to_owned()),
    ];
    rows.extend(of.roles.iter().map(|(role, who)| vec![role.clone(), who.clone()]));
    let head = ["", ""];
    paper::table(&words.say(messages::attest_facts()), &head, &rows)
}
