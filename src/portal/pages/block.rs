//! The block page: what a browser gets that asked for a blocked site by plain HTTP.
//!
//! It is the one use of a foreign Host. It has no form, sets no cookie, and leads to the portal by
//! the portal's own name. Its status is 403: systems that look for a captive portal take a 200 or a
//! redirect for one, and a program that fetches a file must not take the page for the file.

use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use maud::{Markup, html};

use crate::category::Level;
use crate::config::PortalSettings;
use crate::dns::name::Name;
use crate::lang::messages;
use crate::portal::judgement::{Blocked, Judgement, Reason, judge, shown};
use crate::portal::layout::{bare, other_language, style_policy, with_policy};
use crate::portal::names;
use crate::portal::reference::ReferenceCode;
use crate::portal::state::Portal;
use crate::portal::visitor::Visitor;
use crate::web::head::{HostParts, Site};

/// The block page for the site that a Host names; none where it is not blocked for this visitor.
pub(in crate::portal) fn of(
    portal: &Portal,
    visitor: &Visitor,
    settings: &PortalSettings,
    host: &HostParts<'_>,
) -> Option<Response> {
    let Site::Name(name) = host.site else { return None };
    let name = Name::from_text(name).ok()?;
    let Judgement::Blocked(blocked) = judge(portal, visitor, &name) else { return None };
    let base = format!("http://{}{}", settings.shown_name(), host.port);
    Some(page(visitor, &name, &blocked, &base))
}

fn page(visitor: &Visitor, name: &Name, blocked: &Blocked, base: &str) -> Response {
    let is_young = is_young(visitor);
    let title = if is_young { messages::block_title_young() } else { messages::block_title() };
    let code = ReferenceCode::random();
    let query = format!("?name={}&code={code}", names::encoded(&shown(name)));
    let link = |path: &str| format!("{base}{}", visitor.link(&format!("{path}{query}")));
    let body = html! {
        @if is_young {
            p.lead { (visitor.say(messages::block_young_calm())) }
            p { (visitor.say(messages::block_young_go_back())) }
            p { (visitor.say(messages::block_young_tell())) }
            (help(visitor))
        } @else {
            p.site { (names::show(visitor, name)) }
            p { (visitor.say(blocked.reason.sentence(visitor))) }
            p { (visitor.say(messages::block_why_schools())) }
        }
        // Whoever may be in need reads of help first; a pupil with a task, of what to do.
        @if blocked.needs_care {
            (care(visitor))
            @if !is_young { (help(visitor)) }
        }
        @if !is_young { (what_to_do(visitor, blocked.reason)) }
        p {
            a.button href=(link("/review")) { (visitor.say(messages::do_review())) }
            a.button.plain href=(link("/blocked")) { (visitor.say(messages::do_look_up())) }
        }
        div.card {
            p { (visitor.say(messages::reference_code())) ": " strong.code { (code) } }
            p.soft { (visitor.say(messages::reference_about())) }
        }
        @if !is_young && !blocked.needs_care { (help(visitor)) }
        (other_language(visitor))
    };
    let document = bare(visitor, base, title, body);
    with_policy((StatusCode::FORBIDDEN, document).into_response(), &style_policy(base))
}

/// Whether the group is of children that read little.
fn is_young(visitor: &Visitor) -> bool {
    matches!(visitor.level(), Level::Preschool | Level::Primary)
}

/// A word to a pupil that may be in need; it names no category.
fn care(visitor: &Visitor) -> Markup {
    let text = if visitor.level().is_pupils() {
        messages::block_care()
    } else {
        messages::block_care_adult()
    };
    html! { p.lead { (visitor.say(text)) } }
}

/// The lines of the config that a pupil may call.
pub(super) fn help(visitor: &Visitor) -> Markup {
    let lines = visitor.settings().map_or(&[][..], |settings| &settings.help);
    html! {
        @if !lines.is_empty() {
            section {
                h2 { (visitor.say(messages::help_title())) }
                ul.help {
                    @for line in lines {
                        li {
                            (line.label_in(visitor.lang))
                            ": "
                            a href={ "tel:" (dialled(&line.number)) } { (line.number) }
                        }
                    }
                }
            }
        }
    }
}

/// What a visitor can do about a blocked site.
pub(super) fn what_to_do(visitor: &Visitor, reason: Reason) -> Markup {
    let contact = visitor.settings().and_then(|settings| settings.contact.clone());
    let contact = contact.unwrap_or_else(|| visitor.say(messages::school_staff()));
    let title =
        if visitor.level().is_pupils() { messages::do_title() } else { messages::do_title_adult() };
    let wait = match reason {
        Reason::Exam => Some(messages::do_wait_exam()),
        Reason::Lesson => Some(messages::do_wait_lesson()),
        Reason::Closed => Some(messages::do_wait_mended()),
        Reason::Category(_) | Reason::OnlyAllowed | Reason::Bare => None,
    };
    html! {
        h2 { (visitor.say(title)) }
        @if let Some(wait) = wait { p { (visitor.say(wait)) } }
        p { (visitor.say(messages::do_ask(contact))) }
    }
}

/// A number as a telephone dials it.
fn dialled(number: &str) -> String {
    number.chars().filter(|one| one.is_ascii_digit() || *one == '+').collect()
}
