//! The teacher's page: open something for one room, and see what runs there.

use axum::response::Response;
use maud::{Markup, html};

use crate::lang::{Lang, Message, messages};
use crate::portal::form::post;
use crate::portal::layout::page;
use crate::portal::pages::staff::known::{Notice, bar};
use crate::portal::pages::staff::running::{MINUTES, table};
use crate::portal::state::Portal;
use crate::portal::visitor::Visitor;
use crate::staff::sessions::Session;

/// The page, with what is said above it.
pub(super) fn show(
    portal: &Portal,
    visitor: &Visitor,
    session: &Session,
    notice: Option<&Notice>,
) -> Response {
    let room = session.room.as_deref().unwrap_or_default();
    let config = visitor.in_force.config();
    let body = html! {
        (bar(visitor, session))
        (Notice::show(notice, visitor))
        (table(portal, visitor, Some(room)))
        (form(visitor, "lesson", &Texts {
            title: messages::teacher_open(),
            what: messages::teacher_open_what(),
            button: messages::teacher_open_do(),
        }))
        (form(visitor, "exam", &Texts {
            title: messages::teacher_exam(),
            what: messages::teacher_exam_what(),
            button: messages::teacher_exam_do(),
        }))
        datalist #words {
            @for (id, service) in config.words.services() {
                option value={ "service:" (id) } {
                    (if visitor.lang == Lang::En { &service.en } else { &service.vi })
                }
            }
            @for bundle in config.words.bundles() { option value={ "bundle:" (bundle) } {} }
        }
    };
    page(visitor, Notice::status(notice), messages::teacher_title(room), body)
}

struct Texts {
    title: Message,
    what: Message,
    button: Message,
}

fn form(visitor: &Visitor, kind: &str, texts: &Texts) -> Markup {
    let (what, minutes, hint) =
        (format!("{kind}-what"), format!("{kind}-minutes"), format!("{kind}-hint"));
    html! {
        section.card {
            h2 { (visitor.say(texts.title.clone())) }
            (post(visitor, "/staff/begin", &html! {
                input type="hidden" name="kind" value=(kind);
                label for=(what) { (visitor.say(texts.what.clone())) }
                input #(what) name="what" list="words" maxlength="2000" autocapitalize="none"
                    spellcheck="false" required aria-describedby=(hint);
                p.soft #(hint) { (visitor.say(messages::teacher_open_hint())) }
                label for=(minutes) { (visitor.say(messages::teacher_minutes())) }
                select #(minutes) name="minutes" {
                    @for time in MINUTES { option value=(time) selected[time == 20] { (time) } }
                }
                button { (visitor.say(texts.button.clone())) }
            }))
        }
    }
}
