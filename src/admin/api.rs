//! HTTP API of overrides and status, at the admin address.
//!
//! ```text
//! GET    /api/overrides                     those that are on
//! POST   /api/overrides   OverrideRequest   begins one
//! DELETE /api/overrides/ID?by=NAME          ends one
//! GET    /api/status                        Status
//! DELETE /api/kept                          drops what is kept of files; Status
//! POST   /api/release     ReleaseRequest    an update from a directory, or the way back; UpdateStatus
//! GET    /api/codes                         teachers' codes, without their secret; CodeList
//! POST   /api/codes       CodeRequest       issues some; CodesIssued
//! DELETE /api/codes/ID                      revokes one
//! POST   /api/pin         PinRequest        sets the teachers' PIN, or removes it
//! GET    /api/tokens                        tokens of DNS over HTTPS, without their secret; TokenList
//! POST   /api/tokens      TokenRequest      makes one; IssuedToken
//! POST   /api/tokens/NAME RotateRequest     gives it another secret; IssuedToken
//! DELETE /api/tokens/NAME                   revokes it; TokenState
//! DELETE /api/release/rejected              forgets that a release was rejected; UpdateStatus
//! GET    /api/selftest                      the last test of the gateway by itself; SelfTestRun
//! POST   /api/selftest                      runs one now; SelfTestRun
//! …      /api/reviews…                      in `reviews.rs`
//! ```
//!
//! Each needs `Authorization: Bearer TOKEN`. Law: a web page must never act through a browser. The
//! Host must be an address or `localhost` (no name whose owner makes it resolve to this machine),
//! and an Origin, which only browsers send, must be this same server.

use std::path::PathBuf;
use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, Path, RawQuery, Request, State};
use axum::http::{HeaderMap, StatusCode, Uri, header};
use axum::middleware::{self, Next};
use axum::response::Response;
use axum::routing::{delete, get, post};
use serde::{Deserialize, Serialize};

use crate::admin::codes::{self, CodesApi, NowSource};
use crate::admin::diagnosis::{self, DiagnosisApi};
use crate::admin::reply::{json, refuse};
use crate::admin::review_desk::ReviewDesk;
use crate::admin::tokens::{self, TokensApi};
use crate::devices::tokens::DeviceTokens;
use crate::lang::{Message, messages};
use crate::load::in_force::{Current, InForce};
use crate::overblock::Overblock;
use crate::overrides::ledger;
use crate::overrides::refusal::OverrideRefusal;
use crate::overrides::request::person;
use crate::overrides::{OverrideRequest, StoredOverride};
use crate::policy::group::time::{Now, Trust};
use crate::reviews::ReviewBook;
use crate::selftest::SelfTest;
use crate::staff::desk::Desk;
use crate::staff::token::TokenFile;
use crate::status::Status;
use crate::status::state::degradation;
use crate::sys::os::step_aside;
use crate::sys::state_dir::StateDir;
use crate::update::client::Updates;
use crate::update::error::UpdateError;
use crate::web::form::Fields;
use crate::web::head::{self, HostParts, is_from_elsewhere, only};

/// The longest request, in octets.
const MAX_BODY: usize = 64 << 10;

/// What the gateway shows of itself and does, beside overrides.
pub struct ApiActions {
    /// The state of the gateway.
    pub status: Arc<dyn Fn() -> Status + Send + Sync>,
    /// Drops what is kept of files.
    pub forget: Box<dyn Fn() + Send + Sync>,
    /// The reviews that people asked for.
    pub reviews: Arc<ReviewBook>,
    /// Codes, PIN and sessions.
    pub desk: Arc<Desk>,
    /// The tokens of DNS over HTTPS.
    pub tokens: Arc<DeviceTokens>,
    /// The gateway's test of itself.
    pub self_test: Arc<SelfTest>,
    /// What was blocked lately.
    pub overblock: Arc<Overblock>,
    /// The state directory, which has the change ledger.
    pub state: Option<StateDir>,
    /// The update client; none where the config names no repository.
    pub updates: Option<Arc<Updates>>,
}

/// A change of the release in use.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReleaseRequest {
    /// An update from a copy of the repository in a directory of this machine.
    From(PathBuf),
    /// The way back to a release that is kept; to the one before without a number.
    Back(Option<u64>),
}

/// The state behind the routes.
pub struct Api {
    /// While there is none in it every request is refused.
    token: Arc<TokenFile>,
    current: Arc<Current>,
    now: NowSource,
    actions: ApiActions,
    codes: Arc<CodesApi>,
    tokens: Arc<TokensApi>,
    diagnosis: Arc<DiagnosisApi>,
}

/// The reply to an override that has begun.
#[derive(Debug, Serialize, Deserialize)]
pub struct OverrideBegun {
    /// The override.
    #[serde(flatten)]
    pub kept: StoredOverride,
    /// True where it outlives a restart.
    pub is_kept: bool,
}

/// The reply to a list.
#[derive(Debug, Serialize, Deserialize)]
pub struct OverrideList {
    /// Those that are on.
    pub overrides: Vec<StoredOverride>,
}

/// The routes, and `more` behind the same door.
pub(super) fn routes(api: Arc<Api>, more: Router<Arc<Api>>) -> Router {
    let codes = codes::routes(Arc::clone(&api.codes));
    let tokens = tokens::routes(Arc::clone(&api.tokens));
    let diagnosis = diagnosis::routes(Arc::clone(&api.diagnosis));
    more.route("/api/overrides", get(list).post(begin))
        .route("/api/overrides/{id}", delete(end))
        .route("/api/status", get(status))
        .route("/api/kept", delete(forget))
        .route("/api/selftest", get(last_test).post(run_test))
        .route("/api/release", post(change_release))
        .route("/api/release/rejected", delete(accept_release))
        .with_state(Arc::clone(&api))
        .merge(codes)
        .merge(tokens)
        .merge(diagnosis)
        .layer(DefaultBodyLimit::max(MAX_BODY))
        .route_layer(middleware::from_fn_with_state(api, authorise))
}

/// Refuses a request before its body is read.
async fn authorise(State(api): State<Arc<Api>>, request: Request, next: Next) -> Response {
    if let Some(refused) = api.refuses(request.headers(), request.uri()) {
        return refused;
    }
    let length = only(request.headers(), &header::CONTENT_LENGTH);
    if length
        .and_then(|length| length.parse().ok())
        .is_some_and(|length: u64| length > MAX_BODY as u64)
    {
        return refuse(StatusCode::PAYLOAD_TOO_LARGE, "the request is too long".into());
    }
    next.run(request).await
}

async fn list(State(api): State<Arc<Api>>) -> Response {
    // Of the value in force: the overrides that queries are judged by.
    let overrides = api.current.in_force().overrides_at((api.now)().civil);
    json(StatusCode::OK, &OverrideList { overrides })
}

async fn begin(State(api): State<Arc<Api>>, body: Bytes) -> Response {
    let request: OverrideRequest = match serde_json::from_slice(&body) {
        Ok(request) => request,
        Err(error) => return refuse(StatusCode::BAD_REQUEST, format!("no override: {error}")),
    };
    blocking(api, move |api| {
        let begun = api.begin(&request).map_err(|refusal| refusal.message())?;
        Ok(json(StatusCode::CREATED, &begun))
    })
    .await
}

async fn end(
    State(api): State<Arc<Api>>,
    Path(id): Path<u64>,
    RawQuery(query): RawQuery,
) -> Response {
    let query = Fields::read(query.unwrap_or_default().as_bytes());
    let by = query.get("by").map(str::to_owned);
    blocking(api, move |api| {
        let ended = api.end(id, &by.unwrap_or_default()).map_err(|refusal| refusal.message())?;
        Ok(json(StatusCode::OK, &ended))
    })
    .await
}

async fn status(State(api): State<Arc<Api>>) -> Response {
    json(StatusCode::OK, &(api.actions.status)())
}

async fn forget(State(api): State<Arc<Api>>) -> Response {
    blocking(api, |api| {
        (api.actions.forget)();
        Ok(json(StatusCode::OK, &(api.actions.status)()))
    })
    .await
}

async fn last_test(State(api): State<Arc<Api>>) -> Response {
    match api.actions.self_test.last() {
        Some(run) => json(StatusCode::OK, &*run),
        None => refuse(StatusCode::NOT_FOUND, "no test has run yet".into()),
    }
}

async fn run_test(State(api): State<Arc<Api>>) -> Response {
    blocking(api, |api| Ok(json(StatusCode::OK, &*api.actions.self_test.run()))).await
}

async fn change_release(State(api): State<Arc<Api>>, body: Bytes) -> Response {
    let request: ReleaseRequest = match serde_json::from_slice(&body) {
        Ok(request) => request,
        Err(error) => return refuse(StatusCode::BAD_REQUEST, format!("no request: {error}")),
    };
    with_updates(api, move |updates| match request {
        ReleaseRequest::From(directory) => updates.update_from(directory).map(drop),
        ReleaseRequest::Back(to) => updates.back(to).map(drop),
    })
    .await
}

async fn accept_release(State(api): State<Arc<Api>>) -> Response {
    with_updates(api, |updates| updates.accept().map(drop)).await
}

/// Runs a change of the release on a thread of its own: lists are compiled there.
async fn with_updates(
    api: Arc<Api>,
    act: impl FnOnce(&Updates) -> Result<(), UpdateError> + Send + 'static,
) -> Response {
    let Some(updates) = api.actions.updates.clone() else {
        return refuse(StatusCode::CONFLICT, "the config has no `root` in [update]".into());
    };
    let (sender, ended) = tokio::sync::oneshot::channel();
    let work = move || {
        step_aside();
        let done = act(&updates).map_err(|error| updates.say(&error));
        let _ = sender.send(done.map(|()| updates.status()));
    };
    let thread = std::thread::Builder::new().name("lachan-update".into());
    if let Err(error) = thread.spawn(work) {
        return refuse(StatusCode::INTERNAL_SERVER_ERROR, format!("no thread: {error}"));
    }
    match ended.await {
        Ok(Ok(status)) => json(StatusCode::OK, &status),
        Ok(Err(said)) => refuse(StatusCode::UNPROCESSABLE_ENTITY, said),
        Err(_) => refuse(StatusCode::INTERNAL_SERVER_ERROR, "it failed; please report it".into()),
    }
}

/// Runs a change, which derives a policy, on a blocking thread.
pub(super) async fn blocking(
    api: Arc<Api>,
    act: impl FnOnce(&Api) -> Result<Response, Message> + Send + 'static,
) -> Response {
    let done = tokio::task::spawn_blocking(move || {
        act(&api).map_err(|refusal| {
            let lang = api.current.in_force().config().school.lang;
            refusal.in_lang(lang)
        })
    });
    match done.await {
        Ok(Ok(response)) => response,
        Ok(Err(said)) => refuse(StatusCode::UNPROCESSABLE_ENTITY, said),
        Err(_) => refuse(StatusCode::INTERNAL_SERVER_ERROR, "it failed; please report it".into()),
    }
}

impl Api {
    /// An API that changes the policy in force for a client with the token.
    pub fn new(
        token: Arc<TokenFile>,
        current: Arc<Current>,
        now: NowSource,
        actions: ApiActions,
    ) -> Self {
        let (desk, judged_by) = (Arc::clone(&actions.desk), Arc::clone(&current));
        let codes = Arc::new(CodesApi { desk, current: judged_by, now: Arc::clone(&now) });
        let tokens = Arc::new(TokensApi {
            tokens: Arc::clone(&actions.tokens),
            current: Arc::clone(&current),
            now: Arc::clone(&now),
        });
        let diagnosis = Arc::new(DiagnosisApi {
            overblock: Arc::clone(&actions.overblock),
            current: Arc::clone(&current),
            now: Arc::clone(&now),
            state: actions.state.clone(),
        });
        Self { token, current, now, actions, codes, tokens, diagnosis }
    }

    /// A line for each thing that is not as the files have it.
    pub(super) fn degradation(&self) -> Vec<String> {
        let mut lines = degradation(&self.current);
        let status = self.actions.updates.as_ref().map(|updates| updates.status());
        let why = status.and_then(|status| status.why);
        lines.extend(why.map(|why| format!("no update: {why}")));
        if self.actions.state.as_ref().is_some_and(|state| !ledger::is_kept(state)) {
            lines.push("the change ledger cannot be written: its lines wait".to_owned());
        }
        lines
    }

    fn begin(&self, request: &OverrideRequest) -> Result<OverrideBegun, OverrideRefusal> {
        let now = (self.now)();
        if now.trust == Trust::Untrusted {
            return Err(OverrideRefusal::Clock);
        }
        Ok(self.begun(self.current.begin(request, now.civil)?))
    }

    /// An override that has begun, for a reply.
    pub(super) fn begun(&self, kept: StoredOverride) -> OverrideBegun {
        OverrideBegun { kept, is_kept: self.current.keeps_overrides() }
    }

    /// What people decide about reviews, now.
    pub(super) fn desk(&self) -> ReviewDesk<'_> {
        let (book, now) = (&*self.actions.reviews, (self.now)());
        ReviewDesk { current: &self.current, book, now }
    }

    /// The release of the department in use; none without one.
    pub(super) fn release(&self) -> Option<u64> {
        self.actions.updates.as_ref().map(|updates| updates.status().release)
    }

    /// The policy in force, the time and the reviews.
    pub(super) fn at_hand(&self) -> (Arc<InForce>, Now, &ReviewBook) {
        (self.current.in_force(), (self.now)(), &self.actions.reviews)
    }

    fn end(&self, id: u64, by: &str) -> Result<StoredOverride, OverrideRefusal> {
        let by = person(by)?;
        self.current.end(id, by, (self.now)().civil)
    }

    /// The refusal of a request without the right Host, Origin and token; none for one with all.
    fn refuses(&self, headers: &HeaderMap, uri: &Uri) -> Option<Response> {
        let is_plain = |host: &&str| HostParts::of(host).is_some_and(|parts| parts.is_plain());
        let Some(host) = head::host(headers, uri).filter(is_plain) else {
            return Some(refuse(StatusCode::FORBIDDEN, "the Host is not an address".into()));
        };
        if is_from_elsewhere(headers, "http", host) {
            return Some(refuse(StatusCode::FORBIDDEN, "a page of elsewhere may not act".into()));
        }
        let Some(token) = self.token.get() else {
            let unread = self.token.unread();
            let why = unread.map_or_else(messages::api_no_token, messages::api_token_unread);
            let lang = self.current.in_force().config().school.lang;
            return Some(refuse(StatusCode::SERVICE_UNAVAILABLE, why.in_lang(lang)));
        };
        let given = only(headers, &header::AUTHORIZATION);
        let given = given.and_then(|text| text.strip_prefix("Bearer "));
        let is_right = given.is_some_and(|given| token.is(given));
        (!is_right)
            .then(|| refuse(StatusCode::UNAUTHORIZED, "the token is missing or wrong".into()))
    }
}
