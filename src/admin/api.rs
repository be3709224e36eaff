//! What can be changed over the admin address: overrides.
//!
//! ```text
//! GET    /api/overrides                     those that are on
//! POST   /api/overrides       a Wish        begins one
//! DELETE /api/overrides/ID?by=NAME          ends one
//! ```
//!
//! Each needs `Authorization: Bearer TOKEN`. A web page must not be able to act with a
//! browser's help: the Host must be an address or `localhost` (no name that somebody points
//! here), and an Origin, which only browsers send, must be this same server.

use std::net::IpAddr;
use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, Path, RawQuery, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{delete, get};
use serde::{Deserialize, Serialize};

use crate::admin::AdminServer;
use crate::admin::token::Token;
use crate::config::School;
use crate::overrides::refusal::OverrideRefusal;
use crate::overrides::{OverrideRequest, Overrides, StoredOverride};
use crate::policy::group::time::Trust;
use crate::serve::gateway::Gateway;
use crate::serve::reload::Reloads;

/// The longest request, in octets.
const MAX_BODY: usize = 64 << 10;

/// What actions need.
pub struct Api {
    /// Who may act; nobody where there is no token.
    pub token: Option<Token>,
    /// The overrides.
    pub overrides: Arc<Overrides>,
    /// How they come into force.
    pub reloads: Arc<Reloads>,
    /// The gateway that they bind.
    pub gateway: Arc<Gateway>,
}

/// What is answered to an override that has begun.
#[derive(Debug, Serialize, Deserialize)]
pub struct OverrideBegun {
    /// The override.
    #[serde(flatten)]
    pub kept: StoredOverride,
    /// Whether it outlives a restart.
    pub is_kept: bool,
}

/// What is answered to a list.
#[derive(Debug, Serialize, Deserialize)]
pub struct OverrideList {
    /// Those that are on.
    pub overrides: Vec<StoredOverride>,
}

/// What is answered where something is refused.
#[derive(Debug, Serialize, Deserialize)]
pub struct ApiRefusal {
    /// Why, for people.
    pub error: String,
}

/// The routes.
pub(super) fn routes() -> Router<Arc<AdminServer>> {
    Router::new()
        .route("/api/overrides", get(list).post(begin))
        .route("/api/overrides/{id}", delete(end))
        .layer(DefaultBodyLimit::max(MAX_BODY))
}

async fn list(State(admin): State<Arc<AdminServer>>, headers: HeaderMap) -> Response {
    if let Some(refused) = admin.actions.refuses(&headers) {
        return refused;
    }
    let civil = admin.actions.gateway.clock.now().civil;
    json(StatusCode::OK, &OverrideList { overrides: admin.actions.overrides.list(civil) })
}

async fn begin(State(admin): State<Arc<AdminServer>>, headers: HeaderMap, body: Bytes) -> Response {
    if let Some(refused) = admin.actions.refuses(&headers) {
        return refused;
    }
    let wish: OverrideRequest = match serde_json::from_slice(&body) {
        Ok(wish) => wish,
        Err(error) => return refuse(StatusCode::BAD_REQUEST, format!("no wish: {error}")),
    };
    blocking(admin, move |actions| {
        actions.begin(&wish).map(|begun| json(StatusCode::CREATED, &begun))
    })
    .await
}

async fn end(
    State(admin): State<Arc<AdminServer>>,
    Path(id): Path<u64>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Response {
    if let Some(refused) = admin.actions.refuses(&headers) {
        return refused;
    }
    let query = query.unwrap_or_default();
    let by = query.split('&').find_map(|pair| pair.strip_prefix("by=")).map(decoded);
    blocking(admin, move |actions| {
        actions.end(id, &by.unwrap_or_default()).map(|kept| json(StatusCode::OK, &kept))
    })
    .await
}

/// Puts policy together away from the threads that answer.
async fn blocking(
    admin: Arc<AdminServer>,
    act: impl FnOnce(&Api) -> Result<Response, OverrideRefusal> + Send + 'static,
) -> Response {
    let done = tokio::task::spawn_blocking(move || {
        let lang = admin.actions.school().lang;
        act(&admin.actions).map_err(|refusal| refusal.say(lang))
    });
    match done.await {
        Ok(Ok(response)) => response,
        Ok(Err(said)) => refuse(StatusCode::UNPROCESSABLE_ENTITY, said),
        Err(_) => refuse(StatusCode::INTERNAL_SERVER_ERROR, "it failed; please report it".into()),
    }
}

impl Api {
    /// Actions on a gateway.
    pub fn new(
        token: Option<Token>,
        overrides: Arc<Overrides>,
        reloads: &Arc<Reloads>,
        gateway: &Arc<Gateway>,
    ) -> Self {
        Self { token, overrides, reloads: Arc::clone(reloads), gateway: Arc::clone(gateway) }
    }

    fn school(&self) -> School {
        self.reloads.in_force(|config| config.school.clone()).unwrap_or_default()
    }

    fn begin(&self, wish: &OverrideRequest) -> Result<OverrideBegun, OverrideRefusal> {
        let now = self.gateway.clock.now();
        if now.trust == Trust::Untrusted {
            return Err(OverrideRefusal::Clock);
        }
        let snapshot = self.gateway.current.snapshot();
        let begun = self
            .reloads
            .in_force(|config| self.overrides.begin(wish, config, &snapshot, now.civil));
        let kept = begun.unwrap_or(Err(OverrideRefusal::Clock))?;
        self.reloads.again(&self.gateway);
        Ok(OverrideBegun { kept, is_kept: self.overrides.are_kept() })
    }

    fn end(&self, id: u64, by: &str) -> Result<StoredOverride, OverrideRefusal> {
        if by.trim().is_empty() {
            return Err(OverrideRefusal::NoOne);
        }
        let kept = self.overrides.end(id, by.trim(), self.gateway.clock.now().civil)?;
        self.reloads.again(&self.gateway);
        Ok(kept)
    }

    /// Why a request may not act, if it may not.
    fn refuses(&self, headers: &HeaderMap) -> Option<Response> {
        let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
        let host = text(header::HOST).unwrap_or_default();
        if !is_plain_host(host) {
            return Some(refuse(StatusCode::FORBIDDEN, "the Host is not an address".into()));
        }
        let is_own = |origin: &str| origin == format!("http://{host}");
        if headers.contains_key(header::ORIGIN) && !text(header::ORIGIN).is_some_and(is_own) {
            return Some(refuse(StatusCode::FORBIDDEN, "a page of elsewhere may not act".into()));
        }
        let Some(token) = &self.token else {
            let why = "there is no token: give `dir` in [state] or `token` in [admin]";
            return Some(refuse(StatusCode::SERVICE_UNAVAILABLE, why.into()));
        };
        let given = text(header::AUTHORIZATION).and_then(|text| text.strip_prefix("Bearer "));
        let is_right = given.is_some_and(|given| token.is(given));
        (!is_right)
            .then(|| refuse(StatusCode::UNAUTHORIZED, "the token is missing or wrong".into()))
    }
}

/// Whether a Host is an address or `localhost`, with or without a port.
fn is_plain_host(host: &str) -> bool {
    let name = match host.strip_prefix('[') {
        Some(rest) => rest.split(']').next(),
        None => host.split(':').next(),
    };
    name.is_some_and(|name| name == "localhost" || name.parse::<IpAddr>().is_ok())
}

/// `%41+b` → `A b`.
fn decoded(text: &str) -> String {
    let octets = text.as_bytes();
    let (mut plain, mut at) = (Vec::new(), 0);
    while let Some(&octet) = octets.get(at) {
        let hex = octets.get(at + 1..at + 3).and_then(|hex| std::str::from_utf8(hex).ok());
        match (octet, hex.and_then(|hex| u8::from_str_radix(hex, 16).ok())) {
            (b'%', Some(octet)) => {
                plain.push(octet);
                at += 2;
            }
            (b'+', _) => plain.push(b' '),
            (octet, _) => plain.push(octet),
        }
        at += 1;
    }
    String::from_utf8_lossy(&plain).into_owned()
}

fn refuse(status: StatusCode, error: String) -> Response {
    json(status, &ApiRefusal { error })
}

fn json(status: StatusCode, value: &impl Serialize) -> Response {
    let text = serde_json::to_string(value).unwrap_or_default();
    (status, [(header::CONTENT_TYPE, "application/json")], text + "\n").into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_is_an_address() {
        for fine in ["127.0.0.1:9153", "127.0.0.1", "[::1]:9153", "localhost:9153"] {
            assert!(is_plain_host(fine), "{fine}");
        }
        for odd in ["", "filter.school:9153", "127.0.0.1.evil.example", "evil.example:80"] {
            assert!(!is_plain_host(odd), "{odd}");
        }
        assert_eq!(decoded("C%C3%B4+Lan%"), "Cô Lan%");
    }
}
