//! The admin address: metrics and health over HTTP.
//!
//! `/healthz` says that the process runs; `/readyz` says 200 only while policy
//! is loaded and the listeners answer. `/api/` is for who has the token (`actions.rs`).

pub mod api;
pub mod banner;
pub mod client;
pub mod token;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use axum::Router;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use tokio::net::TcpListener;

use crate::metrics::Metrics;

/// What the admin address can tell.
pub struct AdminServer {
    /// The metrics.
    pub metrics: Metrics,
    /// Whether the listeners answer.
    pub is_ready: AtomicBool,
    /// What can be changed.
    pub actions: api::Api,
}

/// Serves until the task is aborted.
///
/// # Errors
///
/// What the system said of the listening socket.
pub async fn serve(listener: TcpListener, admin: Arc<AdminServer>) -> std::io::Result<()> {
    let router = Router::new()
        .route("/metrics", get(metrics))
        .route("/healthz", get(|| async { "ok\n" }))
        .route("/readyz", get(ready))
        .merge(api::routes())
        .with_state(admin);
    axum::serve(listener, router).await
}

async fn metrics(State(admin): State<Arc<AdminServer>>) -> Response {
    match admin.metrics.text() {
        Ok(text) => ([(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], text)
            .into_response(),
        Err(error) => {
            tracing::error!(%error, "metrics could not be written");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}

async fn ready(State(admin): State<Arc<AdminServer>>) -> (StatusCode, &'static str) {
    if admin.is_ready.load(Ordering::Acquire) {
        (StatusCode::OK, "ready\n")
    } else {
        (StatusCode::SERVICE_UNAVAILABLE, "not ready\n")
    }
}
