//! The admin address: metrics and health over HTTP.
//!
//! `/healthz` returns 200 while the process runs, `/readyz` only while policy is loaded and the
//! listeners answer, and names the listen addresses that are not there; `/api/` needs the token ([`api`]).
//!
//! It reads the policy in force from its owner, [`Current`](crate::load::in_force::Current), and
//! does not depend on the listeners; `serve` starts it.

pub mod api;
pub mod banner;
pub mod client;
pub mod codes;
pub mod diagnosis;
pub mod reply;
pub mod review_desk;
pub mod reviews;
pub mod tokens;

use std::fmt::Write as _;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use tokio::net::TcpListener;
use tokio::sync::Semaphore;

use crate::metrics::Metrics;
use crate::sys::presence::absent;
use crate::sys::state_dir::kept_file::{self, UnreadFile};
use crate::web::door::{self, DoorLimits};

/// Connections at one time: a scraper and few people.
const CONNECTIONS: usize = 32;
/// The time for a request's body to come and for its answer to be made.
const REQUEST: Duration = Duration::from_secs(10);
/// The same for a change of the release: lists are compiled, at the lowest priority.
const LONG_REQUEST: Duration = Duration::from_secs(900);
/// The same for a test of the gateway by itself: without servers upstream each question takes long.
const TEST_REQUEST: Duration = Duration::from_secs(120);
/// The longest wait for what may wait for a disk itself.
const APART: Duration = Duration::from_secs(5);
/// How many such answers are made at one time.
const MADE_APART: usize = 4;
/// Where a change of the release is asked for.
const LONG: &str = "/api/release";
/// Where a test is asked for.
const TEST: &str = "/api/selftest";

/// What is said where such an answer is not made in time.
const SILENT_DISK: &str = "the disk of the state does not answer; what else is wrong is not known";

/// The parts behind the routes.
pub struct AdminServer {
    /// The metrics.
    pub metrics: Metrics,
    /// True while the listeners answer.
    pub is_ready: AtomicBool,
    /// The addresses of the listeners, some of which this machine may not have.
    pub listen: Vec<SocketAddr>,
    /// The changes that a client with the token can make.
    pub api: Arc<api::Api>,
    /// Seats for answers that may wait for a disk.
    pub apart: Apart,
}

/// Makes answers on threads that may wait: for a lock that is held while a file is written, by a disk that
/// hangs. So many threads at most wait with it.
#[derive(Debug, Clone)]
pub struct Apart(Arc<Semaphore>);

impl Default for Apart {
    fn default() -> Self {
        Self(Arc::new(Semaphore::new(MADE_APART)))
    }
}

impl Apart {
    /// What `work` returns; `None` where that takes longer than [`APART`].
    async fn make<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Option<T> {
        let made = async {
            let seat = Arc::clone(&self.0).acquire_owned().await.ok()?;
            let work = move || {
                let made = work();
                drop(seat);
                made
            };
            tokio::task::spawn_blocking(work).await.ok()
        };
        tokio::time::timeout(APART, made).await.ok().flatten()
    }
}

/// Serves until the task is aborted.
///
/// # Errors
///
/// The error of the listening socket.
pub async fn serve(listener: TcpListener, admin: Arc<AdminServer>) -> std::io::Result<()> {
    let api = api::routes(Arc::clone(&admin.api), reviews::routes());
    let router = Router::new()
        .route("/metrics", get(metrics))
        .route("/healthz", get(|| async { "ok\n" }))
        .route("/readyz", get(ready))
        .with_state(admin)
        .merge(api);
    let limits =
        DoorLimits { connections: CONNECTIONS, per_client: CONNECTIONS, request: patience };
    door::serve(listener, router, limits).await
}

/// The time limit of a request, by its path.
fn patience(path: &str) -> Duration {
    match path {
        LONG => LONG_REQUEST,
        TEST => TEST_REQUEST,
        _ => REQUEST,
    }
}

async fn metrics(State(admin): State<Arc<AdminServer>>) -> Response {
    let asked = Arc::clone(&admin);
    match admin.apart.make(move || asked.metrics.text()).await {
        Some(Ok(text)) => {
            ([(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], text)
                .into_response()
        }
        None => (StatusCode::SERVICE_UNAVAILABLE, SILENT_DISK).into_response(),
        Some(Err(error)) => {
            tracing::error!(%error, "metrics could not be written");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}

/// Ready with a line for each listen address that is not there; not ready if none is. Where kept
/// copies stand in for files, a list is missing, or a file of the state cannot be read, it is ready and degraded.
async fn ready(State(admin): State<Arc<AdminServer>>) -> (StatusCode, String) {
    let absent = absent(&admin.listen);
    let is_ready = admin.is_ready.load(Ordering::Acquire) && absent.len() < admin.listen.len();
    let (status, mut text) = if is_ready {
        (StatusCode::OK, "ready\n".to_owned())
    } else {
        (StatusCode::SERVICE_UNAVAILABLE, "not ready\n".to_owned())
    };
    for address in absent {
        let _ = writeln!(text, "not on this machine now: {address}");
    }
    let api = Arc::clone(&admin.api);
    let degraded = admin.apart.make(move || api.degradation()).await;
    for line in degraded.unwrap_or_else(|| vec![SILENT_DISK.to_owned()]) {
        let _ = writeln!(text, "degraded: {line}");
    }
    for UnreadFile { path, why } in kept_file::unread() {
        let _ = writeln!(text, "degraded: {}: it cannot be read now: {why}", path.display());
    }
    (status, text)
}
