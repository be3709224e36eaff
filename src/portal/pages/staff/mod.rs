//! Pages of staff: teacher, technician, inspector, behind one path.
//!
//! ```text
//! GET  /staff          the page of whom the session is, or the ways to log in
//! POST /staff/login    code, PIN or token ─▶ a session, its cookie
//! POST /staff/leave    ends it
//! POST /staff/begin    a lesson or an exam, in the teacher's room
//! POST /staff/end      ends one before its time
//! POST /staff/codes    issues codes        POST /staff/revoke   makes one good no more
//! POST /staff/review   a technician's word about a review
//! POST /staff/why      why a name is blocked; a POST, so that no name stands in a history
//! ```
//!
//! Laws: nothing changes by a GET; what a session may do is asked at each request; nothing that was
//! filled in is shown again but names of sites.

mod inspector;
mod known;
mod login;
mod reviews;
mod running;
mod teacher;
mod technician;

use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use axum::routing::{get, post};

use self::known::{Notice, PATH, back, back_with, cookie, known};
use self::technician::Brought;
use crate::lang::{Message, messages};
use crate::portal::form::Submitted;
use crate::portal::state::Portal;
use crate::portal::visitor::Visitor;
use crate::staff::codes::CodeRequest;
use crate::staff::sessions::{Role, Session};
use crate::web::form::Fields;

/// The routes of these pages.
pub(super) fn routes() -> Router<Arc<Portal>> {
    Router::new()
        .route(PATH, get(show))
        .route("/staff/login", post(log_in))
        .route("/staff/leave", post(leave))
        .route("/staff/begin", post(begin))
        .route("/staff/end", post(end))
        .route("/staff/codes", post(issue))
        .route("/staff/revoke", post(revoke))
        .route("/staff/why", post(why))
        .route(reviews::WORD, post(review))
}

async fn show(State(portal): State<Arc<Portal>>, visitor: Visitor, headers: HeaderMap) -> Response {
    match known(&portal, &visitor, &headers) {
        None => login::show(&portal, &visitor, None),
        Some(session) => page(&portal, &visitor, &session, (None, Brought::default())).await,
    }
}

/// The page of a session's role.
async fn page(
    portal: &Arc<Portal>,
    visitor: &Visitor,
    session: &Session,
    (notice, brought): (Option<Notice>, Brought),
) -> Response {
    let visitor = &visitor.on(PATH);
    match session.role {
        Role::Teacher => teacher::show(portal, visitor, session, notice.as_ref()),
        Role::Technician => technician::show(portal, visitor, session, (notice.as_ref(), &brought)),
        Role::Inspector => {
            let asked = Arc::clone(portal);
            let read = tokio::task::spawn_blocking(move || asked.staff.desk.codes().changes());
            inspector::show(portal, visitor, session, &read.await.unwrap_or_default())
        }
    }
}

/// The session of a request; else the page on which to log in.
fn let_in(
    portal: &Portal,
    visitor: &Visitor,
    headers: &HeaderMap,
) -> Result<Session, Box<Response>> {
    known(portal, visitor, headers).ok_or_else(|| {
        let notice = Notice::bad(messages::staff_not_logged_in());
        Box::new(login::show(portal, visitor, Some(&notice)))
    })
}

async fn log_in(
    State(portal): State<Arc<Portal>>,
    visitor: Visitor,
    headers: HeaderMap,
    Submitted(fields): Submitted,
) -> Response {
    // A log-in ends the session before it on the same device.
    end_session(&portal, &visitor, &headers);
    login::receive(&portal, &visitor, &fields).await
}

/// Ends the session of a request, if it is one of this visitor.
fn end_session(portal: &Portal, visitor: &Visitor, headers: &HeaderMap) {
    if known(portal, visitor, headers).is_some()
        && let Some(id) = cookie(headers)
    {
        portal.staff.desk.leave(id);
    }
}

async fn leave(
    State(portal): State<Arc<Portal>>,
    visitor: Visitor,
    headers: HeaderMap,
) -> Response {
    end_session(&portal, &visitor, &headers);
    back_with(&visitor, None)
}

async fn begin(
    State(portal): State<Arc<Portal>>,
    visitor: Visitor,
    headers: HeaderMap,
    Submitted(fields): Submitted,
) -> Response {
    let session = match let_in(&portal, &visitor, &headers) {
        Ok(session) => session,
        Err(response) => return *response,
    };
    let done = running::begin(&portal, &session, &fields).await;
    answer(&portal, &visitor, &session, done).await
}

async fn end(
    State(portal): State<Arc<Portal>>,
    visitor: Visitor,
    headers: HeaderMap,
    Submitted(fields): Submitted,
) -> Response {
    let session = match let_in(&portal, &visitor, &headers) {
        Ok(session) => session,
        Err(response) => return *response,
    };
    let done = running::end(&portal, &session, &fields).await;
    answer(&portal, &visitor, &session, done).await
}

/// The page anew where something was done, else the page with the reason.
async fn answer(
    portal: &Arc<Portal>,
    visitor: &Visitor,
    session: &Session,
    done: Result<(), Message>,
) -> Response {
    match done {
        Ok(()) => back(visitor),
        Err(why) => {
            let notice = Some(Notice::bad(why));
            page(portal, visitor, session, (notice, Brought::default())).await
        }
    }
}

/// The session of a technician; else the page that says why not.
async fn technician(
    portal: &Arc<Portal>,
    visitor: &Visitor,
    headers: &HeaderMap,
) -> Result<Session, Box<Response>> {
    let session = let_in(portal, visitor, headers)?;
    if session.role == Role::Technician {
        return Ok(session);
    }
    let refused = answer(portal, visitor, &session, Err(messages::staff_not_yours())).await;
    Err(Box::new(refused))
}

async fn issue(
    State(portal): State<Arc<Portal>>,
    visitor: Visitor,
    headers: HeaderMap,
    Submitted(fields): Submitted,
) -> Response {
    let session = match technician(&portal, &visitor, &headers).await {
        Ok(session) => session,
        Err(response) => return *response,
    };
    let now = (portal.now)();
    let (notice, brought) = match code_request(&visitor, &fields, now.civil) {
        None => (Notice::bad(messages::code_time()), Brought::default()),
        Some(request) => match portal.staff.desk.issue(request, session.by.clone(), now).await {
            Ok(codes) => {
                let notice = Notice::good(messages::staff_done());
                (notice, Brought { codes, ..Brought::default() })
            }
            Err(refusal) => (Notice::bad(refusal.message()), Brought::default()),
        },
    };
    page(&portal, &visitor, &session, (Some(notice), brought)).await
}

/// The codes that a form asks for; none where a number is none, or the room is not there.
fn code_request(visitor: &Visitor, fields: &Fields, civil: u64) -> Option<CodeRequest> {
    let room = fields.get("room")?.to_owned();
    let config = visitor.in_force.config();
    config.groups.iter().find(|group| group.name == room)?;
    let hours =
        fields.get("hours")?.parse::<u64>().ok().filter(|hours| (1..=24).contains(hours))?;
    let count = fields.get("count")?.parse().ok()?;
    let by = fields.get("by").unwrap_or_default().to_owned();
    let until = civil.saturating_add(hours * 3600);
    Some(CodeRequest { room, by, from: Some(civil), until, count })
}

async fn revoke(
    State(portal): State<Arc<Portal>>,
    visitor: Visitor,
    headers: HeaderMap,
    Submitted(fields): Submitted,
) -> Response {
    let session = match technician(&portal, &visitor, &headers).await {
        Ok(session) => session,
        Err(response) => return *response,
    };
    let id = fields.get("id").and_then(|id| id.parse().ok()).unwrap_or(0);
    let (asked, by, civil) = (Arc::clone(&portal), session.by.clone(), (portal.now)().civil);
    let done = tokio::task::spawn_blocking(move || asked.staff.desk.revoke(id, &by, civil)).await;
    let done = match done {
        Ok(Ok(_)) => Ok(()),
        Ok(Err(refusal)) => Err(refusal.message()),
        Err(_) => Err(messages::login_busy()),
    };
    answer(&portal, &visitor, &session, done).await
}

async fn review(
    State(portal): State<Arc<Portal>>,
    visitor: Visitor,
    headers: HeaderMap,
    Submitted(fields): Submitted,
) -> Response {
    let session = match technician(&portal, &visitor, &headers).await {
        Ok(session) => session,
        Err(response) => return *response,
    };
    let done = reviews::decide(&portal, &session, &fields).await;
    answer(&portal, &visitor, &session, done).await
}

async fn why(
    State(portal): State<Arc<Portal>>,
    visitor: Visitor,
    headers: HeaderMap,
    Submitted(fields): Submitted,
) -> Response {
    let session = match technician(&portal, &visitor, &headers).await {
        Ok(session) => session,
        Err(response) => return *response,
    };
    let field = |name: &str| fields.get(name).unwrap_or_default();
    let why = technician::why(&portal, &visitor, field("name"), field("group"));
    let notice = why.is_none().then(|| Notice::bad(messages::technician_no_name()));
    let brought = Brought { why, ..Brought::default() };
    page(&portal, &visitor, &session, (notice, brought)).await
}
