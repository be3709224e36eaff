//! What runs: lessons and exams, begun and ended as `lachan override` does.

use std::sync::Arc;

use jiff::Timestamp;
use maud::{Markup, html};

use crate::lang::{Lang, Message, messages};
use crate::overrides::refusal::OverrideRefusal;
use crate::overrides::{OverrideRequest, StoredOverride};
use crate::policy::group::overrides::OverrideKind;
use crate::policy::group::time::Trust;
use crate::portal::form::post;
use crate::portal::state::Portal;
use crate::portal::visitor::Visitor;
use crate::staff::sessions::{Role, Session};
use crate::web::form::Fields;

/// The most words of one form.
const MOST_WORDS: usize = 50;
/// The longest word: a name, and what may stand before it.
const MAX_WORD: usize = 280;
/// The times that are offered, in minutes.
pub(super) const MINUTES: [u64; 6] = [10, 20, 45, 60, 90, 120];

/// The words of a text; none where one is no name and no word such as `category:ID`. Nothing that
/// could stand for markup, or turn a line around, is ever shown again.
pub(super) fn words(text: &str) -> Option<Vec<String>> {
    let split = text.split(|one: char| one.is_whitespace() || matches!(one, ',' | ';'));
    let words: Vec<&str> = split.filter(|word| !word.is_empty()).take(MOST_WORDS + 1).collect();
    let is_plain = |word: &&str| {
        let is_right = |one: char| one.is_alphanumeric() || matches!(one, '.' | '-' | '_' | ':');
        word.len() <= MAX_WORD && word.chars().all(|one| is_right(one) || is_mark(one))
    };
    let are_right = (1..=MOST_WORDS).contains(&words.len()) && words.iter().all(is_plain);
    are_right.then(|| words.into_iter().map(str::to_owned).collect())
}

/// Accents that are written apart from their letter, as macOS does.
fn is_mark(one: char) -> bool {
    matches!(one, '\u{300}'..='\u{36f}')
}

/// Begins what a form asks for, in the room of a teacher.
pub(super) async fn begin(
    portal: &Arc<Portal>,
    session: &Session,
    fields: &Fields,
) -> Result<(), Message> {
    let room = session.room.clone().filter(|_| session.role == Role::Teacher);
    let group = room.ok_or_else(messages::staff_not_yours)?;
    let what = fields.get("what").and_then(words).ok_or_else(messages::teacher_say_what)?;
    let minutes = fields.get("minutes").and_then(|text| text.parse::<u64>().ok());
    let minutes = minutes.filter(|minutes| MINUTES.contains(minutes));
    let seconds = minutes.ok_or_else(messages::teacher_say_minutes)? * 60;
    // One that is neither is refused where all are judged.
    let kind = fields.get("kind").unwrap_or_default().to_owned();
    let by = session.by.clone();
    let request = OverrideRequest { kind, group, what, deny: Vec::new(), seconds, by };
    let begun = blocking(portal, move |portal| {
        let now = (portal.now)();
        match now.trust {
            Trust::Untrusted => Err(OverrideRefusal::Clock),
            _ => portal.current.begin(&request, now.civil),
        }
    });
    begun.await.map(drop)
}

/// Ends one before its time: a teacher those of the own room, a technician any.
pub(super) async fn end(
    portal: &Arc<Portal>,
    session: &Session,
    fields: &Fields,
) -> Result<(), Message> {
    let id = fields.get("id").and_then(|text| text.parse::<u64>().ok());
    let id = id.ok_or_else(messages::staff_not_yours)?;
    let civil = (portal.now)().civil;
    let running = portal.current.in_force().overrides_at(civil);
    let is_own = |one: &StoredOverride| match session.role {
        Role::Technician => true,
        Role::Teacher => session.room.as_ref() == Some(&one.group),
        Role::Inspector => false,
    };
    if !running.iter().any(|one| one.id == id && is_own(one)) {
        return Err(messages::staff_not_yours());
    }
    let by = session.by.clone();
    blocking(portal, move |portal| portal.current.end(id, &by, civil)).await.map(drop)
}

/// Does a change, which derives a policy, on a blocking thread.
async fn blocking<T: Send + 'static>(
    portal: &Arc<Portal>,
    act: impl FnOnce(&Portal) -> Result<T, OverrideRefusal> + Send + 'static,
) -> Result<T, Message> {
    let portal = Arc::clone(portal);
    let done = tokio::task::spawn_blocking(move || act(&portal)).await;
    match done {
        Ok(done) => done.map_err(|refusal| refusal.message()),
        Err(_) => Err(messages::login_busy()),
    }
}

/// The table of what runs in a room, or everywhere; with buttons where somebody may end it.
pub(super) fn table(portal: &Portal, visitor: &Visitor, room: Option<&str>) -> Markup {
    let all = visitor.in_force.overrides_at((portal.now)().civil);
    // An allow is an answer to a review, and stands in its queue.
    let runs = |one: &&StoredOverride| one.kind != OverrideKind::Allow.id();
    let shown: Vec<&StoredOverride> =
        all.iter().filter(runs).filter(|one| room.is_none_or(|room| one.group == room)).collect();
    html! {
        section {
            h2 #running { (visitor.say(messages::running_title())) }
            @if shown.is_empty() {
                p { (visitor.say(messages::running_none())) }
            } @else {
                div.wide tabindex="0" role="region" aria-labelledby="running" {
                    table.stack {
                        thead { tr {
                            th scope="col" { (visitor.say(messages::running_kind())) }
                            th scope="col" { (visitor.say(messages::running_room())) }
                            th scope="col" { (visitor.say(messages::running_names())) }
                            th scope="col" { (visitor.say(messages::running_until())) }
                            th scope="col" { (visitor.say(messages::running_by())) }
                            th scope="col" { (visitor.say(messages::running_end())) }
                        } }
                        tbody { @for one in shown { (row(visitor, one)) } }
                    }
                }
            }
        }
    }
}

fn row(visitor: &Visitor, one: &StoredOverride) -> Markup {
    html! {
        tr {
            td { (visitor.say(kind(&one.kind))) }
            td { bdi { (one.group) } }
            td { @for word in named(visitor, one) { bdi.name { (word) } " " } }
            td { (time(visitor, one.until, "%H:%M")) }
            td { bdi { (one.by) } }
            td {
                (post(visitor, "/staff/end", &html! {
                    input type="hidden" name="id" value=(one.id);
                    button aria-label=(visitor.say(messages::running_end_of(one.id))) {
                        (visitor.say(messages::running_end())) }
                }))
            }
        }
    }
}

/// The kind of an override in words.
pub(super) fn kind(id: &str) -> Message {
    match id {
        "lesson" => messages::running_lesson(),
        "exam" => messages::running_exam(),
        "allow" => messages::queue_allowed(),
        "review" => messages::queue_review(),
        other => messages::change_other(other),
    }
}

/// A word as people say it: a service by its label.
fn called(visitor: &Visitor, word: &str) -> String {
    let services = visitor.in_force.config().words.services();
    let service = word.strip_prefix("service:").and_then(|id| services.get(id));
    let label = service.map(|one| if visitor.lang == Lang::En { &one.en } else { &one.vi });
    label.map_or_else(|| word.to_owned(), Clone::clone)
}

/// What an override is about.
fn named(visitor: &Visitor, one: &StoredOverride) -> Vec<String> {
    let categories = one.categories.iter().map(|id| format!("category:{id}"));
    let denied = one.deny.iter().map(|name| visitor.say(messages::running_without(name)));
    categories.chain(one.names.iter().map(|word| called(visitor, word))).chain(denied).collect()
}

/// A moment as the school's clock has it.
pub(super) fn time(visitor: &Visitor, civil: u64, form: &str) -> String {
    let at = i64::try_from(civil).ok().and_then(|at| Timestamp::from_second(at).ok());
    let zone = visitor.in_force.config().school.zone();
    at.map_or_else(String::new, |at| zone.to_datetime(at).strftime(form).to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_names_or_words_of_policy() {
        let right = |text: &str| words(text).unwrap().join("|");
        assert_eq!(right(" youtube.com, service:tiktok\n"), "youtube.com|service:tiktok");
        assert_eq!(right("tiếngviệt.vn category:video;b"), "tiếngviệt.vn|category:video|b");
        for odd in ["", " ,; ", "<script>", "a\u{202e}b", "a\0b", "\"", "a'b", "a/b", "a&b"] {
            assert!(words(odd).is_none(), "{odd}");
        }
        assert!(words(&"a ".repeat(MOST_WORDS + 1)).is_none());
        assert!(words(&"a".repeat(MAX_WORD + 1)).is_none());
    }
}
