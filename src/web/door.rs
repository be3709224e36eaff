//! HTTP connections within bounds: none of them can take the descriptors or the memory that
//! answering needs.
//!
//! At a limit, of all or of one client, the oldest connection without a request under way makes room
//! for a new one.

use std::collections::VecDeque;
use std::io;
use std::net::{IpAddr, SocketAddr};
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

/// Bounds of one server.
#[derive(Debug, Clone, Copy)]
pub struct DoorLimits {
    /// Connections at one time.
    pub connections: usize,
    /// Those of one client.
    pub per_client: usize,
    /// The time for a request's body to come and for its answer to be made, by its path.
    pub request: fn(&str) -> Duration,
}

/// The two ends of a connection, an extension of each request.
#[derive(Debug, Clone, Copy)]
pub struct Ends {
    /// The client.
    pub peer: SocketAddr,
    /// The address that it reached.
    pub local: SocketAddr,
}

/// The time for a request's header to come, and for an idle connection to send another one.
const HEADER: Duration = Duration::from_secs(5);
/// The longest life of a connection, whatever it does.
const LIFE: Duration = Duration::from_secs(1200);
/// Octets of a request's header.
const BUFFER: usize = 16 << 10;
/// The wait after a failure to accept.
const PAUSE: Duration = Duration::from_millis(50);

/// An open connection.
struct Open {
    client: IpAddr,
    task: AbortHandle,
    is_busy: Arc<AtomicBool>,
}

/// Serves the routes until the task is aborted.
///
/// # Errors
///
/// None.
pub async fn serve(listener: TcpListener, router: Router, limits: DoorLimits) -> io::Result<()> {
    let bound = move |request, next| guard(request, next, limits.request);
    let router = router.layer(middleware::from_fn(bound));
    let mut tasks = JoinSet::new();
    let mut open: VecDeque<Open> = VecDeque::new();
    loop {
        let accepted = listener.accept().await;
        let accepted = accepted.and_then(|(stream, peer)| {
            let ends = Ends { peer: canonical(peer), local: canonical(stream.local_addr()?) };
            Ok((stream, ends))
        });
        let (stream, ends) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                debug!(%error, "accept failed");
                tokio::time::sleep(PAUSE).await;
                continue;
            }
        };
        while tasks.try_join_next().is_some() {}
        open.retain(|one| !one.task.is_finished());
        let client = ends.peer.ip();
        let own = open.iter().filter(|one| one.client == client).count();
        // Where all are busy the new one is closed.
        if own >= limits.per_client && !make_room(&mut open, |one| one.client == client)
            || open.len() >= limits.connections && !make_room(&mut open, |_| true)
        {
            continue;
        }
        let is_busy = Arc::new(AtomicBool::new(false));
        let task = tasks.spawn(serve_one(stream, ends, router.clone(), Arc::clone(&is_busy)));
        open.push_back(Open { client, task, is_busy });
    }
}

/// Ends the oldest of some connections that has no request under way; false where all have one.
fn make_room(open: &mut VecDeque<Open>, of: impl Fn(&Open) -> bool) -> bool {
    let idle = open.iter().position(|one| of(one) && !one.is_busy.load(Ordering::Acquire));
    let Some(oldest) = idle.and_then(|at| open.remove(at)) else { return false };
    oldest.task.abort();
    true
}

/// An IPv4 client of a socket for both families is an IPv4 client.
fn canonical(address: SocketAddr) -> SocketAddr {
    SocketAddr::new(address.ip().to_canonical(), address.port())
}

async fn serve_one(stream: TcpStream, ends: Ends, router: Router, is_busy: Arc<AtomicBool>) {
    let routes = TowerToHyperService::new(router);
    let service = service_fn(move |mut request: hyper::Request<hyper::body::Incoming>| {
        is_busy.store(true, Ordering::Release);
        request.extensions_mut().insert(ends);
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
        debug!(%error, "an HTTP connection ended");
    }
}

/// Refuses a request without exactly one Host (RFC 9112 §3.2), and one that takes too long.
async fn guard(request: Request, next: Next, limit: fn(&str) -> Duration) -> Response {
    let hosts = request.headers().get_all(header::HOST).iter().count();
    if hosts > 1 || hosts == 0 && request.version() >= Version::HTTP_11 {
        return (StatusCode::BAD_REQUEST, "one Host is needed\n").into_response();
    }
    match timeout(limit(request.uri().path()), next.run(request)).await {
        Ok(response) => response,
        Err(_) => (StatusCode::REQUEST_TIMEOUT, "the request took too long\n").into_response(),
    }
}
