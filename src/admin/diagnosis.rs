//! The diagnostic mode over HTTP, at the admin address; and its lines in the change ledger.

use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{RawQuery, State};
use axum::http::StatusCode;
use axum::response::Response;
use axum::routing::get;
use serde::{Deserialize, Serialize};
use tracing::{info, warn};

use crate::admin::codes::NowSource;
use crate::admin::reply::{json, refuse};
use crate::lang::{Message, messages};
use crate::load::in_force::Current;
use crate::overblock::Overblock;
use crate::overblock::diagnosis::{DiagnosedBlock, DiagnosisState, MOST_MINUTES};
use crate::overrides::allow::reason;
use crate::overrides::ledger::{self, LedgerEntry};
use crate::overrides::refusal::OverrideRefusal;
use crate::overrides::request::person;
use crate::policy::group::time::Trust;
use crate::sys::state_dir::StateDir;
use crate::web::form::Fields;

/// What the ledger says of a beginning and of an end.
const BEGIN: &str = "diagnose";
const END: &str = "diagnose_end";

/// The state behind the routes.
pub(super) struct DiagnosisApi {
    pub(super) overblock: Arc<Overblock>,
    pub(super) current: Arc<Current>,
    pub(super) now: NowSource,
    pub(super) state: Option<StateDir>,
}

/// The body of `POST /api/diagnosis`.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DiagnosisRequest {
    /// The group.
    pub group: String,
    /// For how many minutes.
    pub minutes: u64,
    /// The name of the person that looks.
    pub by: String,
    /// The reason.
    pub reason: String,
}

/// The reply to `GET /api/diagnosis`.
#[derive(Debug, Serialize, Deserialize)]
pub struct DiagnosisShown {
    /// What is on.
    pub on: DiagnosisState,
    /// What was blocked since, the oldest first.
    pub blocks: Vec<DiagnosedBlock>,
}

/// The routes, behind the token of the admin address.
pub(super) fn routes(api: Arc<DiagnosisApi>) -> Router {
    Router::new().route("/api/diagnosis", get(show).post(start).delete(stop)).with_state(api)
}

async fn show(State(api): State<Arc<DiagnosisApi>>) -> Response {
    let Some(on) = api.overblock.diagnosis.state() else {
        return api.refused(&messages::diagnosis_is_off());
    };
    let snapshot = api.current.snapshot();
    let blocks = api.overblock.diagnosis.blocks(|id| snapshot.taxonomy().category(id).id.clone());
    json(StatusCode::OK, &DiagnosisShown { on, blocks })
}

async fn start(State(api): State<Arc<DiagnosisApi>>, body: Bytes) -> Response {
    let request: DiagnosisRequest = match serde_json::from_slice(&body) {
        Ok(request) => request,
        Err(error) => return refuse(StatusCode::BAD_REQUEST, format!("no request: {error}")),
    };
    let asked = Arc::clone(&api);
    let begun = tokio::task::spawn_blocking(move || asked.start(&request)).await;
    match begun {
        Ok(Ok(state)) => json(StatusCode::CREATED, &state),
        Ok(Err(why)) => api.refused(&why),
        Err(_) => refuse(StatusCode::INTERNAL_SERVER_ERROR, "it failed; please report it".into()),
    }
}

async fn stop(State(api): State<Arc<DiagnosisApi>>, RawQuery(query): RawQuery) -> Response {
    let query = Fields::read(query.unwrap_or_default().as_bytes());
    let by = match person(query.get("by").unwrap_or_default()) {
        Ok(by) => by.to_owned(),
        Err(refusal) => return api.refused(&refusal.message()),
    };
    let Some(ended) = api.overblock.diagnosis.stop() else {
        return api.refused(&messages::diagnosis_is_off());
    };
    let (asked, what) = (Arc::clone(&api), ended.clone());
    let write = move || ended_by(asked.state.as_ref(), &by, &what, (asked.now)().civil);
    let _ = tokio::task::spawn_blocking(write).await;
    json(StatusCode::OK, &ended)
}

impl DiagnosisApi {
    fn refused(&self, why: &Message) -> Response {
        let lang = self.current.in_force().config().school.lang;
        refuse(StatusCode::UNPROCESSABLE_ENTITY, why.in_lang(lang))
    }

    /// Begins one, and writes that down first of all that it does.
    fn start(&self, request: &DiagnosisRequest) -> Result<DiagnosisState, Message> {
        let now = (self.now)();
        if now.trust == Trust::Untrusted {
            return Err(OverrideRefusal::Clock.message());
        }
        if !(1..=MOST_MINUTES).contains(&request.minutes) {
            return Err(messages::diagnosis_length(MOST_MINUTES));
        }
        let by = person(&request.by).map_err(|refusal| refusal.message())?;
        let why = reason(&request.reason).map_err(|refusal| refusal.message())?;
        let snapshot = self.current.snapshot();
        let group = snapshot.groups().iter().find(|group| group.name == request.group);
        let Some(group) = group else {
            let known: Vec<&str> = snapshot.groups().iter().map(|one| one.name.as_str()).collect();
            return Err(messages::override_no_group(&request.group, known.join(", ")));
        };
        let state = DiagnosisState {
            kind: "diagnosis".into(),
            group: request.group.clone(),
            by: by.to_owned(),
            reason: why.to_owned(),
            minutes: request.minutes,
            until: now.civil + request.minutes * 60,
        };
        let begun = self.overblock.diagnosis.start(state.clone(), group.counters, now);
        begun.map_err(|on| messages::diagnosis_is_on(on.by, on.group))?;
        let written = self.state.as_ref().map(|dir| {
            ledger::write_or_refuse(dir, &LedgerEntry::new(now.civil, BEGIN, by, &state))
        });
        match written {
            Some(Ok(())) => {}
            failed => {
                self.overblock.diagnosis.stop();
                warn!(?failed, "no diagnosis begins without its line in the ledger");
                return Err(messages::diagnosis_no_ledger());
            }
        }
        info!(group = %state.group, minutes = state.minutes, "diagnosis begins");
        Ok(state)
    }
}

/// Writes the end of a diagnosis that ended with the life before, which could not write it.
pub fn end_of_earlier_life(dir: &StateDir, civil: u64) {
    let changes = ledger::last(dir);
    let newest = changes.iter().find(|one| one.action == BEGIN || one.action == END);
    let Some(begun) = newest.filter(|one| one.action == BEGIN) else { return };
    let ended = DiagnosisState {
        kind: begun.kind.clone(),
        group: begun.group.clone(),
        by: begun.who.clone(),
        reason: begun.reason.clone(),
        minutes: 0,
        until: begun.at,
    };
    ended_by(Some(dir), &begun.who, &ended, civil.max(begun.at));
}

/// Writes the end of a diagnosis into the ledger and the log; `by` is the person that ended it, or the
/// one that began it where it ended by itself.
pub fn ended_by(dir: Option<&StateDir>, by: &str, ended: &DiagnosisState, civil: u64) {
    if let Some(dir) = dir {
        ledger::write(dir, &LedgerEntry::new(civil, END, by, ended));
    }
    info!(group = %ended.group, "diagnosis ended");
}
