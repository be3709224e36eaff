//! HTTP connections of the admin address, with bounds of their own: none of them can take the
//! descriptors or the memory that answering needs.
//!
//! At the limit the oldest connection without a request under way makes room for a new one.

use std::collections::VecDeque;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use axum::Router;
use axum::extract::Request;
use axum::http::{StatusCode, Version, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use hyper::server::conn::http1;
use hyper::service::{Service as _, service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{AbortHandle, JoinSet};
use tokio::time::timeout;
use tracing::debug;

/// Connections at one time.
const CONNECTIONS: usize = 32;
/// The time for a request's header to come, and for an idle connection to send another one.
const HEADER: Duration = Duration::from_secs(5);
/// The time for a request's body to come and for its answer to be made.
const REQUEST: Duration = Duration::from_secs(10);
/// The same for a change of the release: lists are compiled, at the lowest priority.
pub(super) const LONG_REQUEST: Duration = Duration::from_secs(900);
/// Where a change of the release is asked for.
pub(super) const LONG: &str = "/api/release";
/// The longest life of a connection, whatever it does.
const LIFE: Duration = Duration::from_secs(1200);
/// Octets of a request's header.
const BUFFER: usize = 16 << 10;
/// The wait after a failure to accept.
const PAUSE: Duration = Duration::from_millis(50);

/// An open connection.
struct Open {
    task: AbortHandle,
    is_busy: Arc<AtomicBool>,
}

/// Serves the routes until the task is aborted.
pub(super) async fn serve(listener: TcpListener, router: Router) -> io::Result<()> {
    let router = router.layer(middleware::from_fn(guard));
    let mut tasks = JoinSet::new();
    let mut open: VecDeque<Open> = VecDeque::new();
    loop {
        let stream = match listener.accept().await {
            Ok((stream, _)) => stream,
            Err(error) => {
                debug!(%error, "accept failed");
                tokio::time::sleep(PAUSE).await;
                continue;
            }
        };
        while tasks.try_join_next().is_some() {}
        open.retain(|one| !one.task.is_finished());
        if open.len() >= CONNECTIONS {
            let idle = open.iter().position(|one| !one.is_busy.load(Ordering::Acquire));
            // Where all are busy the new one is closed.
            let Some(oldest) = idle.and_then(|at| open.remove(at)) else { continue };
            oldest.task.abort();
        }
        let is_busy = Arc::new(AtomicBool::new(false));
        let task = tasks.spawn(serve_one(stream, router.clone(), Arc::clone(&is_busy)));
        open.push_back(Open { task, is_busy });
    }
}

async fn serve_one(stream: TcpStream, router: Router, is_busy: Arc<AtomicBool>) {
    let routes = TowerToHyperService::new(router);
    let service = service_fn(move |request| {
        is_busy.store(true, Ordering::Release);
        let answer = routes.call(request);
        let is_busy = Arc::clone(&is_busy);
        async move {
            let answer = answer.await;
            is_busy.store(false, Ordering::Release);
            answer
        }
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEADER)
        .max_buf_size(BUFFER)
        .serve_connection(TokioIo::new(stream), service);
    if let Ok(Err(error)) = timeout(LIFE, connection).await {
        debug!(%error, "an admin connection ended");
    }
}

/// Refuses a request without exactly one Host (RFC 9112 §3.2), and one that takes too long.
async fn guard(request: Request, next: Next) -> Response {
    let hosts = request.headers().get_all(header::HOST).iter().count();
    if hosts > 1 || hosts == 0 && request.version() >= Version::HTTP_11 {
        return (StatusCode::BAD_REQUEST, "one Host is needed\n").into_response();
    }
    let limit = if request.uri().path() == LONG { LONG_REQUEST } else { REQUEST };
    match timeout(limit, next.run(request)).await {
        Ok(response) => response,
        Err(_) => (StatusCode::REQUEST_TIMEOUT, "the request took too long\n").into_response(),
    }
}
