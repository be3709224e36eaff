//! *Is this site blocked?*, for anybody on the school's network: the visitor types a name.
//!
//! The name comes by POST, so that it is in no history of a shared machine; a link of the block page
//! has it in its query. Nothing of it is kept.

use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use axum::routing::get;
use maud::{Markup, html};

use crate::dns::name::Name;
use crate::lang::messages;
use crate::portal::form::{self, Submitted};
use crate::portal::judgement::{Blocked, Judgement, Reason, judge, label, shown};
use crate::portal::layout::page;
use crate::portal::names;
use crate::portal::pages::block::{help, what_to_do};
use crate::portal::reference::ReferenceCode;
use crate::portal::state::Portal;
use crate::portal::visitor::{QueryFields, Visitor};
use crate::web::form::Fields;

/// The path of this page.
const PATH: &str = "/blocked";

/// The routes of this page.
pub(super) fn routes() -> Router<Arc<Portal>> {
    Router::new().route(PATH, get(ask).post(answer))
}

async fn ask(
    State(portal): State<Arc<Portal>>,
    visitor: Visitor,
    QueryFields(fields): QueryFields,
) -> Response {
    look_up(&portal, &visitor, &fields)
}

async fn answer(
    State(portal): State<Arc<Portal>>,
    visitor: Visitor,
    Submitted(fields): Submitted,
) -> Response {
    look_up(&portal, &visitor, &fields)
}

fn look_up(portal: &Portal, visitor: &Visitor, fields: &Fields) -> Response {
    let typed = fields.get("name");
    let name = typed.map(names::read);
    let code = fields.get("code").and_then(ReferenceCode::read);
    let status = match name {
        Some(None) => StatusCode::BAD_REQUEST,
        _ => StatusCode::OK,
    };
    let body = html! {
        @if let Some(Some(name)) = &name {
            (found(visitor, name, &judge(portal, visitor, name), code.as_ref()))
        }
        p { (visitor.say(messages::blocked_about())) }
        (question(visitor, matches!(name, Some(None))))
        section {
            h2 { (visitor.say(messages::blocked_https_title())) }
            p { (visitor.say(messages::blocked_https())) }
        }
    };
    page(visitor, status, messages::blocked_menu(), body)
}

/// The form; `is_wrong` where what was typed is no name.
fn question(visitor: &Visitor, is_wrong: bool) -> Markup {
    let fields = html! {
        label for="name" { (visitor.say(messages::blocked_name())) }
        p.hint #hint { (visitor.say(messages::blocked_example())) }
        @if is_wrong {
            p.stop #wrong role="alert" { (visitor.say(messages::blocked_no_name())) }
        }
        input #name name="name" type="text" inputmode="url" maxlength="400" required
            autocomplete="off" autocapitalize="none" spellcheck="false"
            aria-describedby=(if is_wrong { "hint wrong" } else { "hint" })
            aria-invalid=[is_wrong.then_some("true")];
        button type="submit" { (visitor.say(messages::blocked_look())) }
    };
    form::post(visitor, PATH, &fields)
}

/// The verdict about a name.
fn found(
    visitor: &Visitor,
    name: &Name,
    judgement: &Judgement,
    code: Option<&ReferenceCode>,
) -> Markup {
    html! {
        section.card role="status" {
            h2 { (names::show(visitor, name)) }
            @match judgement {
                Judgement::Own => p.good { (visitor.say(messages::blocked_is_own())) }
                Judgement::Open => {
                    p.good { (visitor.say(messages::blocked_is_open())) }
                    p { (visitor.say(messages::blocked_open_help())) }
                }
                Judgement::Safe => p.good { (visitor.say(messages::blocked_is_safe())) }
                Judgement::Blocked(blocked) => (stopped(visitor, name, blocked, code)),
            }
        }
    }
}

/// A block with its reason, and what can be done.
fn stopped(
    visitor: &Visitor,
    name: &Name,
    blocked: &Blocked,
    code: Option<&ReferenceCode>,
) -> Markup {
    let name = names::encoded(&shown(name));
    let review = match code {
        Some(code) => format!("/review?name={name}&code={code}"),
        None => format!("/review?name={name}"),
    };
    html! {
        p.stop { (visitor.say(messages::blocked_is_blocked())) }
        @if let Reason::Category(category) = blocked.reason {
            dl {
                dt { (visitor.say(messages::blocked_group_of_site())) }
                dd { (label(visitor, category)) }
                @if let Some((listed, list)) = &blocked.listed {
                    dt { (visitor.say(messages::blocked_rule())) }
                    dd { bdi.name dir="ltr" { (listed) } }
                    dt { (visitor.say(messages::blocked_list())) }
                    dd { bdi { (list) } }
                }
                dt { (visitor.say(messages::blocked_device_group())) }
                dd { bdi { (visitor.group().name) } }
            }
        } @else if blocked.reason != Reason::Bare {
            p { (visitor.say(blocked.reason.sentence(visitor))) }
        }
        (what_to_do(visitor, blocked.reason))
        p { a.button href=(visitor.link(&review)) { (visitor.say(messages::do_review())) } }
        @if let Some(code) = code {
            p { (visitor.say(messages::reference_code())) ": " strong.code { (code) } }
        }
        (help(visitor))
    }
}
