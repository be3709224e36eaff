//! Replies of the admin address to requests that change something: JSON.

use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};

/// The reply to a request that is refused.
#[derive(Debug, Serialize, Deserialize)]
pub struct ApiRefusal {
    /// The reason, for people.
    pub error: String,
}

pub(super) fn refuse(status: StatusCode, error: String) -> Response {
    json(status, &ApiRefusal { error })
}

pub(super) fn json(status: StatusCode, value: &impl Serialize) -> Response {
    let text = serde_json::to_string(value).unwrap_or_default();
    (status, [(header::CONTENT_TYPE, "application/json")], text + "\n").into_response()
}
