//! Asking for a review: the form, and the page after it.
//!
//! Law: the page after it is the same for every name, and shows none.

use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use axum::routing::get;
use maud::{Markup, html};

use crate::lang::{Message, messages};
use crate::metrics::labels::ReviewOutcome;
use crate::portal::form::{Submitted, post};
use crate::portal::layout::page;
use crate::portal::reference::ReferenceCode;
use crate::portal::state::Portal;
use crate::portal::visitor::{QueryFields, Visitor};
use crate::reviews::request::{AskedSite, ReviewReason};
use crate::web::form::Fields;

/// The path of the form.
const PATH: &str = "/review";

/// The routes of these pages.
pub(super) fn routes() -> Router<Arc<Portal>> {
    Router::new().route(PATH, get(show).post(receive))
}

/// What of a form goes on: each part only where it is what it should be.
struct Filled {
    site: Option<AskedSite>,
    reason: Option<ReviewReason>,
    code: Option<ReferenceCode>,
}

impl Filled {
    fn read(fields: &Fields) -> Self {
        Self {
            site: fields.get("name").and_then(|name| AskedSite::read(name).ok()),
            reason: fields.get("reason").and_then(ReviewReason::of),
            code: fields.get("code").and_then(ReferenceCode::read),
        }
    }
}

async fn show(visitor: Visitor, QueryFields(fields): QueryFields) -> Response {
    form(&visitor, StatusCode::OK, &Filled::read(&fields), None)
}

async fn receive(
    State(portal): State<Arc<Portal>>,
    visitor: Visitor,
    Submitted(fields): Submitted,
) -> Response {
    let filled = Filled::read(&fields);
    let (Some(site), Some(reason)) = (&filled.site, filled.reason) else {
        portal.reviews.tell(ReviewOutcome::Invalid);
        let mistake = match filled.site {
            None => messages::portal_review_no_site(),
            Some(_) => messages::portal_review_no_reason(),
        };
        return form(&visitor, StatusCode::UNPROCESSABLE_ENTITY, &filled, Some(mistake));
    };
    let now = (portal.now)();
    // Asked before the name is looked at: the answer is the same for every name.
    if !portal.review_quota.take(visitor.client, now.mono) {
        portal.reviews.tell(ReviewOutcome::Limited);
        let body = html! { p { (visitor.say(messages::portal_review_too_often_text())) } };
        let title = messages::portal_review_too_often();
        return page(&visitor, StatusCode::TOO_MANY_REQUESTS, title, body);
    }
    let code = filled.code.unwrap_or_else(ReferenceCode::random).to_string();
    let policy = (visitor.in_force.config(), &*visitor.in_force.snapshot);
    let request = (site, reason, Some(code.as_str()));
    let receipt = portal.reviews.ask(policy, visitor.group, request, now);
    let body = html! {
        p { (visitor.say(messages::portal_review_thanks_text())) }
        p { (visitor.say(messages::portal_review_code())) }
        p.code { strong { (code) } }
        p { (visitor.say(messages::portal_review_urgent())) }
        @if !receipt.is_kept {
            p role="status" { (visitor.say(messages::portal_review_not_kept())) }
        }
    };
    page(&visitor, StatusCode::OK, messages::portal_review_thanks(), body)
}

/// The form, with what was right of an earlier one and what was not.
fn form(
    visitor: &Visitor,
    status: StatusCode,
    filled: &Filled,
    mistake: Option<Message>,
) -> Response {
    let name = filled.site.as_ref().map(AskedSite::text).unwrap_or_default();
    let body = html! {
        p.lead { (visitor.say(messages::portal_review_about())) }
        @if let Some(mistake) = mistake {
            p.stop #mistake role="alert" { (visitor.say(mistake)) }
        }
        (post(visitor, PATH, &fields(visitor, &name, filled)))
    };
    page(visitor, status, messages::portal_review_title(), body)
}

fn fields(visitor: &Visitor, name: &str, filled: &Filled) -> Markup {
    html! {
        label for="name" { (visitor.say(messages::portal_review_name())) }
        p.soft #name-hint { (visitor.say(messages::portal_review_name_hint())) }
        input #name name="name" type="text" value=(name) required maxlength="1000" inputmode="url"
            autocapitalize="none" spellcheck="false" aria-describedby="name-hint";
        fieldset {
            legend { (visitor.say(messages::portal_review_why())) }
            @for reason in ReviewReason::ALL {
                label.choice {
                    input type="radio" name="reason" value=(reason.id()) required
                        checked[filled.reason == Some(reason)];
                    span { (visitor.say(reason.label())) }
                }
            }
        }
        @if let Some(code) = &filled.code {
            input type="hidden" name="code" value=(code.to_string());
        }
        p { button type="submit" { (visitor.say(messages::portal_review_send())) } }
    }
}
