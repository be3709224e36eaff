//! Who is logged in: the cookie of a request, and the session behind it.

use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use maud::{Markup, html};

use crate::lang::{Message, messages};
use crate::portal::form::post;
use crate::portal::state::Portal;
use crate::portal::visitor::Visitor;
use crate::staff::desk::Caller;
use crate::staff::sessions::{BoundTo, Role, Session};

/// The path of all pages of staff, and of their cookie.
pub(super) const PATH: &str = "/staff";
/// The cookie.
const COOKIE: &str = "lachan";
/// What a browser must do with it: keep it from scripts and from what other sites start, send it to
/// these pages only, and forget it when it is closed.
const ATTRIBUTES: &str = "HttpOnly; SameSite=Strict; Path=/staff";

/// What is said above a page after something was tried.
pub(super) struct Notice {
    /// Whether it was done.
    pub(super) is_good: bool,
    /// What is said.
    pub(super) text: Message,
}

impl Notice {
    pub(super) fn good(text: Message) -> Self {
        Self { is_good: true, text }
    }

    pub(super) fn bad(text: Message) -> Self {
        Self { is_good: false, text }
    }

    /// The status of a page with it.
    pub(super) fn status(notice: Option<&Self>) -> StatusCode {
        match notice {
            Some(Self { is_good: false, .. }) => StatusCode::UNPROCESSABLE_ENTITY,
            _ => StatusCode::OK,
        }
    }

    pub(super) fn show(notice: Option<&Self>, visitor: &Visitor) -> Markup {
        html! {
            @if let Some(notice) = notice {
                p.card.good[notice.is_good].stop[!notice.is_good]
                    role=(if notice.is_good { "status" } else { "alert" }) {
                    (visitor.say(notice.text.clone()))
                }
            }
        }
    }
}

/// What a session of a visitor is bound to.
fn bound(visitor: &Visitor) -> BoundTo {
    BoundTo { client: visitor.client, group: visitor.group().name.clone() }
}

/// A visitor as the desk judges a log-in.
pub(super) fn caller(visitor: &Visitor) -> Caller {
    Caller { bound: bound(visitor), is_staff: visitor.is_staff }
}

/// The session of a request; none where there is none, or it is another's.
pub(super) fn known(portal: &Portal, visitor: &Visitor, headers: &HeaderMap) -> Option<Session> {
    let now = (portal.now)();
    let session = portal.staff.desk.session(cookie(headers)?, &bound(visitor), now)?;
    let config = visitor.in_force.config();
    let is_there = |room: &String| config.groups.iter().any(|group| group.name == *room);
    // A network may have been taken from the staff, or a room away, since the log-in.
    let is_right = match session.role {
        Role::Teacher => session.room.as_ref().is_some_and(is_there),
        Role::Technician | Role::Inspector => visitor.is_staff,
    };
    is_right.then_some(session)
}

/// The id of a session that a browser sends; the first one.
pub(super) fn cookie(headers: &HeaderMap) -> Option<&str> {
    let lines = headers.get_all(header::COOKIE).into_iter();
    let pairs = lines.filter_map(|line| line.to_str().ok()).flat_map(|line| line.split(';'));
    pairs
        .filter_map(|pair| pair.trim().split_once('='))
        .find_map(|(name, value)| (name == COOKIE).then_some(value))
}

/// The reply after something was done: the page is fetched anew, so that nothing is sent twice.
pub(super) fn back(visitor: &Visitor) -> Response {
    (StatusCode::SEE_OTHER, [(header::LOCATION, visitor.link(PATH))]).into_response()
}

/// The same with the cookie of a session, or with the order to forget it.
pub(super) fn back_with(visitor: &Visitor, id: Option<&str>) -> Response {
    let mut response = back(visitor);
    let text = match id {
        Some(id) => format!("{COOKIE}={id}; {ATTRIBUTES}"),
        None => format!("{COOKIE}=; Max-Age=0; {ATTRIBUTES}"),
    };
    if let Ok(value) = HeaderValue::from_str(&text) {
        response.headers_mut().insert(header::SET_COOKIE, value);
    }
    response
}

/// Who is logged in, and the way out.
pub(super) fn bar(visitor: &Visitor, session: &Session) -> Markup {
    let by = match session.role {
        Role::Inspector => visitor.say(messages::staff_as_inspector()),
        _ => session.by.clone(),
    };
    html! {
        div.bar {
            p.soft { (visitor.say(messages::staff_greeting(by))) }
            (post(visitor, "/staff/leave", &html! {
                button.plain { (visitor.say(messages::staff_leave())) }
            }))
            p.soft { (visitor.say(messages::staff_session_note())) }
        }
    }
}
