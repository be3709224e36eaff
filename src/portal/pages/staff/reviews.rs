//! The technician's review queue: what people ask for, and the word about it.

use std::sync::Arc;

use maud::{Markup, html};

use crate::admin::review_desk::ReviewDesk;
use crate::config::data::answers::{AnswerVerdict, ReviewAnswer};
use crate::lang::{Message, messages};
use crate::overrides::{AllowRequest, StoredOverride};
use crate::policy::group::overrides::EVERY_GROUP;
use crate::portal::form::post;
use crate::portal::pages::staff::running::time;
use crate::portal::state::Portal;
use crate::portal::visitor::Visitor;
use crate::reviews::day::CivilDay;
use crate::reviews::request::AskedSite;
use crate::reviews::stored::{ReviewState, StoredReview};
use crate::staff::sessions::Session;
use crate::web::form::Fields;

/// The path that a word is sent to.
pub(super) const WORD: &str = "/staff/review";
/// The rows that are shown: the rest is in `lachan review list`.
const MOST_ROWS: usize = 15;
/// The days that are offered.
const DAYS: [u64; 3] = [7, 30, 365];

/// The queue, and what is allowed by it.
pub(super) fn queue(portal: &Portal, visitor: &Visitor) -> Markup {
    let rows = portal.reviews.list();
    let allows = visitor.in_force.allows_at((portal.now)().civil);
    let answers = visitor.in_force.config().data.answers().unwrap_or_default();
    let said = |row: &StoredReview| answers.iter().rev().find(|one| one.name == row.name).cloned();
    html! {
        section {
            h2 #reviews { (visitor.say(messages::queue_title())) }
            @if rows.is_empty() && allows.is_empty() {
                p { (visitor.say(messages::no_reviews())) }
            }
            ul { @for row in rows.iter().take(MOST_ROWS) { li { (review(visitor, row, said(row))) } } }
            @if rows.len() > MOST_ROWS {
                p { (visitor.say(messages::queue_more(rows.len() - MOST_ROWS))) }
            }
            @if !portal.reviews.is_kept() { p.stop { (visitor.say(messages::reviews_not_kept())) } }
            ul { @for one in &allows { li { (allowed(visitor, one)) } } }
        }
    }
}

fn review(visitor: &Visitor, row: &StoredReview, answer: Option<ReviewAnswer>) -> Markup {
    let reasons = row.reasons.iter();
    let reasons: Vec<String> = reasons
        .map(|(reason, count)| format!("{} ({count})", visitor.say(reason.label())))
        .collect();
    let day = |day: Option<CivilDay>| day.map_or_else(|| "-".to_owned(), |day| day.to_string());
    html! {
        bdi.name dir="ltr" { (row.name) } " – "
        (visitor.say(messages::queue_asked(row.count, day(row.first), day(row.last)))) " – "
        strong { (visitor.say(state(row.state))) }
        p.soft { (reasons.join("; ")) }
        @if let Some(word) = &row.word { p { bdi { (word.by) } ": " bdi { (word.reason) } } }
        @if let Some(answer) = answer {
            p { bdi { (visitor.say(match answer.verdict {
                AnswerVerdict::Accepted => messages::department_accepted(answer.day, answer.reason),
                AnswerVerdict::Denied => messages::department_denied(answer.day, answer.reason),
            })) } }
        }
        @if !row.codes.is_empty() {
            p.soft { (visitor.say(messages::reference_code())) ": "
                span.code { (row.codes.join(" ")) } }
        }
        @if row.state != ReviewState::Allowed { (form(visitor, row)) }
    }
}

/// The form of one row; its ids have the name, which is once on the page.
fn form(visitor: &Visitor, row: &StoredReview) -> Markup {
    let (why, days) = (format!("why-{}", row.name), format!("days-{}", row.name));
    let button = |act: &str, label: Message| {
        let label = visitor.say(label);
        html! {
            button.plain[act != "allow"] name="act" value=(act) aria-label={ (label) " " (row.name) } {
                (label)
            }
        }
    };
    let fields = html! {
        input type="hidden" name="name" value=(row.name);
        label for=(why) { (visitor.say(messages::queue_why())) }
        input id=(why) name="reason" maxlength="300" required;
        label for=(days) { (visitor.say(messages::queue_days())) }
        select id=(days) name="days" {
            @for days in DAYS { option value=(days) { (days) } }
        }
        (button("allow", messages::queue_allow()))
        (button("deny", messages::queue_deny()))
    };
    post(visitor, WORD, &fields)
}

fn state(state: ReviewState) -> Message {
    match state {
        ReviewState::Open => messages::review_open(),
        ReviewState::Forwarded => messages::review_forwarded(),
        ReviewState::Allowed => messages::review_allowed(),
        ReviewState::Denied => messages::review_denied(),
    }
}

fn allowed(visitor: &Visitor, one: &StoredOverride) -> Markup {
    let group = match one.group.as_str() {
        EVERY_GROUP => visitor.say(messages::every_group()),
        group => group.to_owned(),
    };
    let names = one.names.join(" ");
    let day = time(visitor, one.until, "%Y-%m-%d");
    let label = visitor.say(messages::queue_revoke());
    html! {
        bdi { (visitor.say(messages::review_allow(&names, group, day, &one.by, &one.reason))) }
        (post(visitor, WORD, &html! {
            input type="hidden" name="name" value=(names);
            button.plain name="act" value="revoke" aria-label={ (label) " " (names) } { (label) }
        }))
    }
}

/// Does what a form of the queue says.
pub(super) async fn decide(
    portal: &Arc<Portal>,
    session: &Session,
    fields: &Fields,
) -> Result<(), Message> {
    let field = |name: &str| fields.get(name).unwrap_or_default().to_owned();
    let (name, reason, by, act) =
        (field("name"), field("reason"), session.by.clone(), field("act"));
    let days = field("days").parse::<u64>().ok().filter(|days| DAYS.contains(days));
    // What is no site is not shown again.
    AskedSite::read(&name).map_err(|_| messages::portal_review_no_site())?;
    let portal = Arc::clone(portal);
    let done = tokio::task::spawn_blocking(move || {
        let (book, now) = (&*portal.reviews, (portal.now)());
        let desk = ReviewDesk { current: &portal.current, book, now };
        match (act.as_str(), days) {
            ("allow", Some(days)) => {
                let seconds = days * 86_400;
                desk.allow(AllowRequest { name, group: None, seconds, by, reason }).map(drop)
            }
            ("deny", _) => desk.deny(&name, &by, &reason).map(drop),
            ("revoke", _) => desk.revoke(&name, &by).map(drop),
            _ => Err(messages::portal_bad_request_text()),
        }
    });
    done.await.unwrap_or_else(|_| Err(messages::login_busy()))
}
