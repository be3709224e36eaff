//! Tokens of DNS over HTTPS, at the admin address.

use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use axum::routing::{get, post};
use serde::{Deserialize, Serialize};

use crate::admin::codes::NowSource;
use crate::admin::reply::{json, refuse};
use crate::devices::tokens::refusal::TokenRefusal;
use crate::devices::tokens::{DeviceTokens, TokenRequest, TokenState};
use crate::load::in_force::Current;

/// Who acts by the admin token, in the ledger.
const ADMIN: &str = "admin";

/// The state behind the routes.
pub(super) struct TokensApi {
    pub(super) tokens: Arc<DeviceTokens>,
    pub(super) current: Arc<Current>,
    pub(super) now: NowSource,
}

/// The reply to a list.
#[derive(Debug, Serialize, Deserialize)]
pub struct TokenList {
    /// All of them, by name.
    pub tokens: Vec<TokenState>,
}

/// The body of a rotation.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RotateRequest {
    /// The seconds for which the old secret stays good.
    #[serde(default)]
    pub keep_old: u64,
}

/// The routes, behind the token of the admin address.
pub(super) fn routes(api: Arc<TokensApi>) -> Router {
    Router::new()
        .route("/api/tokens", get(list).post(add))
        .route("/api/tokens/{name}", post(rotate).delete(revoke))
        .with_state(api)
}

async fn list(State(api): State<Arc<TokensApi>>) -> Response {
    json(StatusCode::OK, &TokenList { tokens: api.tokens.list() })
}

async fn add(State(api): State<Arc<TokensApi>>, body: Bytes) -> Response {
    let request: TokenRequest = match serde_json::from_slice(&body) {
        Ok(request) => request,
        Err(error) => return refuse(StatusCode::BAD_REQUEST, format!("no request: {error}")),
    };
    let in_force = api.current.in_force();
    let groups = &in_force.config().groups;
    if !groups.iter().any(|group| group.name == request.group) {
        let known = groups.iter().map(|group| group.name.clone()).collect();
        return api.refused(&TokenRefusal::NoGroup { given: request.group, known });
    }
    api.act(StatusCode::CREATED, move |tokens, civil| tokens.add(&request, ADMIN, civil)).await
}

async fn rotate(
    State(api): State<Arc<TokensApi>>,
    Path(name): Path<String>,
    body: Bytes,
) -> Response {
    let request: RotateRequest = match serde_json::from_slice(&body) {
        Ok(request) => request,
        Err(error) => return refuse(StatusCode::BAD_REQUEST, format!("no request: {error}")),
    };
    let rotate =
        move |tokens: &DeviceTokens, civil| tokens.rotate(&name, request.keep_old, ADMIN, civil);
    api.act(StatusCode::CREATED, rotate).await
}

async fn revoke(State(api): State<Arc<TokensApi>>, Path(name): Path<String>) -> Response {
    api.act(StatusCode::OK, move |tokens, civil| tokens.revoke(&name, ADMIN, civil)).await
}

impl TokensApi {
    /// Makes a change, which is written to the disk, on a blocking thread.
    async fn act<T: Serialize + Send + 'static>(
        self: &Arc<Self>,
        status: StatusCode,
        act: impl FnOnce(&DeviceTokens, u64) -> Result<T, TokenRefusal> + Send + 'static,
    ) -> Response {
        let (tokens, civil) = (Arc::clone(&self.tokens), (self.now)().civil);
        let done = tokio::task::spawn_blocking(move || act(&tokens, civil)).await;
        match done.unwrap_or(Err(TokenRefusal::Failed)) {
            Ok(done) => json(status, &done),
            Err(refusal) => self.refused(&refusal),
        }
    }

    fn refused(&self, refusal: &TokenRefusal) -> Response {
        let lang = self.current.in_force().config().school.lang;
        refuse(StatusCode::UNPROCESSABLE_ENTITY, refusal.message().in_lang(lang))
    }
}
