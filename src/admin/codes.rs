//! Teachers' codes and the PIN over HTTP, at the admin address.

use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use axum::routing::{delete, get, post};
use serde::{Deserialize, Serialize};

use crate::admin::reply::{json, refuse};
use crate::load::in_force::Current;
use crate::policy::group::time::Now;
use crate::staff::codes::{CodeRequest, CodeState, IssuedCode};
use crate::staff::desk::Desk;
use crate::staff::refusal::StaffRefusal;

/// Returns the time by which queries are judged.
pub type NowSource = Arc<dyn Fn() -> Now + Send + Sync>;

/// Who acts by the admin token, in the ledger.
const ADMIN: &str = "admin";

/// The state behind the routes.
pub(super) struct CodesApi {
    pub(super) desk: Arc<Desk>,
    pub(super) current: Arc<Current>,
    pub(super) now: NowSource,
}

/// The reply to a list.
#[derive(Debug, Serialize, Deserialize)]
pub struct CodeList {
    /// Those that have not ended.
    pub codes: Vec<CodeState>,
    /// True where a PIN is set.
    pub has_pin: bool,
}

/// The reply where codes were issued.
#[derive(Debug, Serialize, Deserialize)]
pub struct CodesIssued {
    /// The codes, which are shown this once.
    pub codes: Vec<IssuedCode>,
    /// True where they outlive a restart.
    pub is_kept: bool,
}

/// The body of `POST /api/pin`.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PinRequest {
    /// The PIN; none removes it.
    pub pin: Option<String>,
}

/// The routes, behind the token of the admin address.
pub(super) fn routes(api: Arc<CodesApi>) -> Router {
    Router::new()
        .route("/api/codes", get(list).post(issue))
        .route("/api/codes/{id}", delete(revoke))
        .route("/api/pin", post(set_pin))
        .with_state(api)
}

async fn list(State(api): State<Arc<CodesApi>>) -> Response {
    json(StatusCode::OK, &api.listed())
}

async fn issue(State(api): State<Arc<CodesApi>>, body: Bytes) -> Response {
    let request: CodeRequest = match serde_json::from_slice(&body) {
        Ok(request) => request,
        Err(error) => return refuse(StatusCode::BAD_REQUEST, format!("no request: {error}")),
    };
    let in_force = api.current.in_force();
    let groups = &in_force.config().groups;
    if !groups.iter().any(|group| group.name == request.room) {
        let known = groups.iter().map(|group| group.name.clone()).collect();
        return api.refused(&StaffRefusal::NoRoom { given: request.room, known });
    }
    drop(in_force);
    match api.desk.issue(request, ADMIN.to_owned(), (api.now)()).await {
        Ok(codes) => {
            let issued = CodesIssued { codes, is_kept: api.desk.codes().are_kept() };
            json(StatusCode::CREATED, &issued)
        }
        Err(refusal) => api.refused(&refusal),
    }
}

async fn revoke(State(api): State<Arc<CodesApi>>, Path(id): Path<u64>) -> Response {
    let civil = (api.now)().civil;
    let asked = Arc::clone(&api);
    let done = tokio::task::spawn_blocking(move || asked.desk.revoke(id, ADMIN, civil)).await;
    match done.unwrap_or(Err(StaffRefusal::Busy)) {
        Ok(revoked) => json(StatusCode::OK, &revoked),
        Err(refusal) => api.refused(&refusal),
    }
}

async fn set_pin(State(api): State<Arc<CodesApi>>, body: Bytes) -> Response {
    let request: PinRequest = match serde_json::from_slice(&body) {
        Ok(request) => request,
        // What was sent may be a PIN: nothing of it is said.
        Err(_) => return refuse(StatusCode::BAD_REQUEST, "no request".into()),
    };
    match api.desk.set_pin(request.pin, ADMIN.to_owned(), (api.now)().civil).await {
        Ok(()) => json(StatusCode::OK, &api.listed()),
        Err(refusal) => api.refused(&refusal),
    }
}

impl CodesApi {
    fn listed(&self) -> CodeList {
        let codes = self.desk.codes();
        CodeList { codes: codes.list((self.now)().civil), has_pin: codes.has_pin() }
    }

    fn refused(&self, refusal: &StaffRefusal) -> Response {
        let lang = self.current.in_force().config().school.lang;
        refuse(StatusCode::UNPROCESSABLE_ENTITY, refusal.say(lang))
    }
}
