//! The shell: everything that can block, fail or tick.
//!
//! [`run`] is the life of the resolver: policy first, then sockets, then
//! readiness; and at the end the same in reverse. Nothing is answered before
//! policy is loaded, because no socket is open before that.

pub mod budget;
pub mod gateway;
pub mod inflight;
pub mod listener;
mod miss;
pub mod reload;
mod settings;

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::runtime::Runtime;
use tokio::signal::unix::{SignalKind, signal};
use tokio::task::JoinSet;
use tracing::{info, warn};

use crate::admin::api::Api;
use crate::admin::banner;
use crate::admin::{self, AdminServer};
use crate::config::Config;
use crate::config::sections::server::Server;
use crate::fetch::{Fetcher, Names};
use crate::load::assemble::{AssembleError, Assembled, Assembler};
use crate::metrics::counters::Counters;
use crate::metrics::{Distribution, Metrics, MetricsError, ScrapeState, UpstreamSample};
use crate::overrides::Overrides;
use crate::policy::Snapshot;
use crate::serve::gateway::Gateway;
use crate::serve::listener::tcp::Connections;
use crate::serve::listener::{tcp, udp};
use crate::serve::reload::Reloads;
use crate::sys::clock::{Dates, system_time};
use crate::sys::os;
use crate::upstream::zones::{Numbered, Zones};
use crate::upstream::{self, Failure, UpstreamError, Upstreams};

/// How long queries in flight are waited for at the end.
const DRAIN: Duration = Duration::from_millis(2500);

/// Why the resolver did not start, or ended.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ServeError {
    /// Config or lists.
    #[error(transparent)]
    Assemble(#[from] AssembleError),
    /// No upstream server can be used.
    #[error(transparent)]
    Upstream(#[from] UpstreamError),
    /// An upstream server that is this process: queries would go round.
    #[error(
        "the upstream server `{server}` is this gateway itself, which listens on `{own}`; \
         set `servers` to another one"
    )]
    OwnServer {
        /// The server, as configured or as the system names it.
        server: String,
        /// Where we listen.
        own: SocketAddr,
    },
    /// A file that the config names cannot be read.
    #[error("{path}: cannot be read: {error}; check `tls_roots` in [upstream]")]
    TlsRoots {
        /// The file.
        path: PathBuf,
        /// What the system said.
        error: io::Error,
    },
    /// A socket cannot be opened.
    #[error("cannot listen on {address} ({proto}): {error}; {}", advice(error))]
    Listen {
        /// The address asked for.
        address: SocketAddr,
        /// `udp`, `tcp` or `admin`.
        proto: &'static str,
        /// What the system said.
        error: io::Error,
    },
    /// Lists are to be downloaded, and nothing can be kept.
    #[error(
        "lists by `url` need a directory for their last good copies; set `dir` in [state], \
         or let the service manager give one (StateDirectory=)"
    )]
    NoState,
    /// Threads, signals, metrics: what no config can mend.
    #[error("cannot start: {0}")]
    System(#[from] io::Error),
    /// Two metrics of one name.
    #[error("cannot start: {0}")]
    Metrics(#[from] MetricsError),
}

fn advice(error: &io::Error) -> &'static str {
    match error.kind() {
        io::ErrorKind::AddrInUse => "another program listens there; stop it or change the address",
        io::ErrorKind::PermissionDenied => {
            "ports below 1024 need CAP_NET_BIND_SERVICE; use the systemd unit or another port"
        }
        io::ErrorKind::AddrNotAvailable => "the address is not of this machine",
        _ => "check the address",
    }
}

/// Serves until SIGTERM or SIGINT.
///
/// `config` is the file to read; the embedded config where there is none.
///
/// # Errors
///
/// [`ServeError`]; nothing was answered then.
pub fn run(config: Option<&Path>) -> Result<(), ServeError> {
    os::return_memory();
    os::raise_file_limit();
    let mut assembler = Assembler::keeping(config.map(Path::to_owned));
    let made = assembler.assemble()?;
    let Assembled { config: settings, snapshot, files, zones: wanted, .. } = made;
    let (downloads, left_out) = (made.downloads, made.left_out);
    if downloads.state.is_none() && !downloads.sources.is_empty() {
        return Err(ServeError::NoState);
    }
    let state = settings::state(&settings);
    let overrides = Arc::new(Overrides::open(state.clone()));
    let snapshot = with_overrides(&mut assembler, &overrides)?.unwrap_or(snapshot);
    reload::report(&files, &left_out, &snapshot);
    let runtime = start_runtime(&settings)?;
    let handle = runtime.handle().clone();
    let clock = settings::clock(state.as_ref());
    let (upstreams, zones) = {
        let _inside = runtime.enter();
        open_upstreams(&settings, &wanted, clock.dates())?
    };
    let listeners = Listeners::open(&settings)?;
    let gateway = Gateway::new(&settings, snapshot, upstreams, zones, clock, handle);
    let gateway = Arc::new(gateway);
    let workers: Vec<(Arc<UdpSocket>, Arc<Counters>)> = listeners
        .udp
        .into_iter()
        .map(|socket| (Arc::new(socket), Arc::new(Counters::single_writer())))
        .collect();
    let sockets: Vec<_> = workers.iter().map(|(socket, _)| Arc::clone(socket)).collect();
    udp::report(&sockets);
    let fetcher = Fetcher::new(names(&gateway), gateway.clock.dates());
    // Before the watch: the directory of the copies is there then.
    fetcher.update(downloads);
    let reloads = Arc::new(Reloads::new(assembler, &settings, fetcher, Arc::clone(&overrides)));
    let mut blocks = vec![Arc::clone(&gateway.counters)];
    blocks.extend(workers.iter().map(|(_, counters)| Arc::clone(counters)));
    let metrics = Metrics::new(blocks, state_source(&gateway, &reloads, &overrides, sockets))?;
    let token = settings::token(&settings, state.as_ref());
    let actions = Api::new(token, overrides, &reloads, &gateway);
    let admin = Arc::new(AdminServer { metrics, is_ready: AtomicBool::new(false), actions });
    let stop = Arc::new(AtomicBool::new(false));
    let threads = spawn_workers(workers, &gateway, &stop)?;
    runtime.block_on(async {
        let mut tasks = JoinSet::new();
        tasks.spawn(admin::serve(TcpListener::from_std(listeners.admin)?, Arc::clone(&admin)));
        tasks.spawn(Arc::clone(&reloads).keep_time(Arc::clone(&gateway), state.clone()));
        let limits = settings::streams(&settings);
        let connections = Arc::new(Connections::new(limits));
        for listener in listeners.tcp {
            let listener = TcpListener::from_std(listener)?;
            let (gateway, connections) = (Arc::clone(&gateway), Arc::clone(&connections));
            tasks.spawn(async move {
                tcp::accept(listener, gateway, connections).await;
                Ok(())
            });
        }
        tasks.spawn(Arc::clone(&reloads).run(Arc::clone(&gateway)));
        if config.is_none() {
            banner::print(&listeners.addresses, listeners.admin_address, &gateway);
        }
        admin.is_ready.store(true, Ordering::Release);
        report(&listeners.addresses, listeners.admin_address);
        info!("ready");
        until_stopped().await?;
        info!("stopping");
        admin.is_ready.store(false, Ordering::Release);
        stop.store(true, Ordering::Relaxed);
        drain(&gateway).await;
        tasks.abort_all();
        Ok::<(), io::Error>(())
    })?;
    end(threads, runtime);
    if let Some(state) = &state {
        gateway.clock.keep(state, true);
    }
    info!("stopped");
    Ok(())
}

/// The threads of everything that waits.
fn start_runtime(settings: &Config) -> io::Result<Runtime> {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(settings::workers(settings).clamp(2, 8))
        .thread_name("lachan-io")
        .enable_all()
        .build()
}

/// The policy with the overrides of an earlier life, where there are any.
fn with_overrides(
    assembler: &mut Assembler,
    overrides: &Overrides,
) -> Result<Option<Snapshot>, AssembleError> {
    let on = overrides.list(system_time());
    if on.is_empty() {
        return Ok(None);
    }
    assembler.set_overrides(on);
    Ok(assembler.again()?.map(|again| again.snapshot))
}

/// Logs where it is asked.
fn report(addresses: &[SocketAddr], admin: SocketAddr) {
    for address in addresses {
        info!(%address, "listening for queries");
    }
    info!(address = %admin, "listening for scrapes");
}

/// The sockets of the process, all open or none.
struct Listeners {
    udp: Vec<UdpSocket>,
    tcp: Vec<std::net::TcpListener>,
    admin: std::net::TcpListener,
    /// Where queries are really answered: port 0 is chosen by now.
    addresses: Vec<SocketAddr>,
    admin_address: SocketAddr,
}

impl Listeners {
    fn open(settings: &Config) -> Result<Self, ServeError> {
        let (mut udp, mut tcp, mut addresses) = (Vec::new(), Vec::new(), Vec::new());
        for &asked in &settings.listen.dns {
            let failed = |proto| move |error| ServeError::Listen { address: asked, proto, error };
            let (first, stream) = open_pair(asked)?;
            let address = first.local_addr().map_err(failed("udp"))?;
            tcp.push(stream);
            udp.push(first);
            for _ in 1..settings::workers(settings) {
                udp.push(udp::open(address).map_err(failed("udp"))?);
            }
            addresses.push(address);
        }
        let address = settings.admin.listen;
        let failed = |error| ServeError::Listen { address, proto: "admin", error };
        let admin = tcp::open(address).map_err(failed)?;
        let admin_address = admin.local_addr().map_err(failed)?;
        Ok(Self { udp, tcp, admin, addresses, admin_address })
    }
}

/// The first UDP socket of an address and the TCP socket of the same port.
///
/// The first socket says which port it is; TCP, opened before any other UDP socket
/// joins, says whether another resolver is there. Where the system chooses the port,
/// it may choose one that TCP cannot have: then it chooses again.
fn open_pair(asked: SocketAddr) -> Result<(UdpSocket, std::net::TcpListener), ServeError> {
    let failed = |proto| move |error| ServeError::Listen { address: asked, proto, error };
    let mut tries = if asked.port() == 0 { 20 } else { 1 };
    loop {
        tries -= 1;
        let udp = udp::open(asked).map_err(failed("udp"))?;
        let address = udp.local_addr().map_err(failed("udp"))?;
        match tcp::open(address) {
            Ok(tcp) => return Ok((udp, tcp)),
            Err(error) if tries > 0 && error.kind() == io::ErrorKind::AddrInUse => {}
            Err(error) => return Err(failed("tcp")(error)),
        }
    }
}

/// Names of list servers are asked where all names are.
fn names(gateway: &Arc<Gateway>) -> Names {
    let asked = Arc::clone(gateway);
    Names::new(move |name| asked.servers_for(name), gateway.runtime.clone())
}

/// The upstream servers of a config, and those of its zones; to be called inside a runtime.
///
/// # Errors
///
/// [`ServeError`], for a server that is this process too.
pub fn open_upstreams(
    settings: &Config,
    wanted: &[Numbered],
    dates: Dates,
) -> Result<(Upstreams, Zones), ServeError> {
    let tls_roots = match &settings.upstream.tls_roots {
        None => None,
        Some(path) => Some(
            std::fs::read(path)
                .map_err(|error| ServeError::TlsRoots { path: path.clone(), error })?,
        ),
    };
    let options = upstream::Options {
        timeout: settings.upstream.timeout,
        in_flight: settings.upstream.in_flight,
        server_in_flight: settings.upstream.server_in_flight,
        tls_roots,
        dates,
        ..upstream::Options::default()
    };
    for (_, forward) in wanted {
        refuse_own(&forward.servers, settings)?;
    }
    let zones = Zones::new(&options);
    zones.follow(wanted)?;
    Ok((Upstreams::new(&servers(settings)?, options)?, zones))
}

/// The servers to ask: those of the config, else the system's resolvers. None may be us.
fn servers(settings: &Config) -> Result<Vec<Server>, ServeError> {
    let servers = match settings.upstream.servers.as_slice() {
        [] => upstream::system_servers()?,
        configured => configured.to_vec(),
    };
    refuse_own(&servers, settings)?;
    Ok(servers)
}

/// Refuses servers that are this gateway itself.
fn refuse_own(servers: &[Server], settings: &Config) -> Result<(), ServeError> {
    let own_server = servers.iter().find_map(|server| {
        let is_at = |own: &&SocketAddr| server.is_at(**own, is_of_this_host);
        settings.listen.dns.iter().find(is_at).map(|&own| (server.label.clone(), own))
    });
    own_server.map_or(Ok(()), |(server, own)| Err(ServeError::OwnServer { server, own }))
}

/// Whether this machine has an address: what is sent there, it would send from there.
fn is_of_this_host(address: &IpAddr) -> bool {
    let source = || {
        let any: IpAddr = match address {
            IpAddr::V4(_) => Ipv4Addr::UNSPECIFIED.into(),
            IpAddr::V6(_) => Ipv6Addr::UNSPECIFIED.into(),
        };
        let socket = UdpSocket::bind((any, 0))?;
        // Nothing is sent: it only asks for the route.
        socket.connect((*address, 53))?;
        socket.local_addr()
    };
    address.is_loopback() || source().is_ok_and(|source| source.ip() == *address)
}

fn spawn_workers(
    workers: Vec<(Arc<UdpSocket>, Arc<Counters>)>,
    gateway: &Arc<Gateway>,
    stop: &Arc<AtomicBool>,
) -> io::Result<Vec<JoinHandle<()>>> {
    let spawn = |(number, (socket, counters)): (usize, (Arc<UdpSocket>, Arc<Counters>))| {
        let (gateway, stop) = (Arc::clone(gateway), Arc::clone(stop));
        std::thread::Builder::new()
            .name(format!("lachan-udp-{number}"))
            .spawn(move || udp::work(socket, &gateway, &counters, &stop))
    };
    workers.into_iter().enumerate().map(spawn).collect()
}

/// Waits for the signal to stop.
async fn until_stopped() -> io::Result<()> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    tokio::select! {
        _ = terminate.recv() => Ok(()),
        _ = interrupt.recv() => Ok(()),
    }
}

/// Lets the queries in flight end.
async fn drain(gateway: &Gateway) {
    let waiting = || gateway.flights.waiting();
    let all_ended = async {
        while waiting() > 0 {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    if tokio::time::timeout(DRAIN, all_ended).await.is_err() {
        warn!(unanswered = waiting(), "stopped with queries in flight");
    }
}

fn end(threads: Vec<JoinHandle<()>>, runtime: Runtime) {
    for thread in threads {
        if thread.join().is_err() {
            warn!("a worker had panicked");
        }
    }
    runtime.shutdown_timeout(Duration::from_millis(200));
}

/// What the metrics say of the gateway at a scrape.
fn state_source(
    gateway: &Arc<Gateway>,
    reloads: &Arc<Reloads>,
    overrides: &Arc<Overrides>,
    sockets: Vec<Arc<UdpSocket>>,
) -> crate::metrics::StateSource {
    let (gateway, reloads) = (Arc::clone(gateway), Arc::clone(reloads));
    let overrides = Arc::clone(overrides);
    Box::new(move || ScrapeState {
        snapshot: gateway.current.snapshot(),
        cache: (gateway.cache.len() as u64, gateway.cache.octets()),
        upstreams: gateway.upstreams.load().servers().iter().map(sample).collect(),
        zones: gateway.zones.samples(),
        in_flight: gateway.flights.waiting(),
        samples: [
            reloads.samples(&gateway),
            udp::samples(&sockets),
            gateway.clock.samples(),
            overrides.samples(gateway.clock.now().civil),
        ]
        .concat(),
    })
}

fn sample(server: &upstream::ServerState) -> UpstreamSample {
    let durations = server.durations();
    let bounds = upstream::ServerState::BOUNDS.into_iter();
    UpstreamSample {
        label: server.label().to_owned(),
        queries: server.queries(),
        errors: Failure::ALL.map(|f| (f.label(), server.errors(f))).to_vec(),
        durations: Distribution {
            count: durations.cumulative.last().copied().unwrap_or(0),
            cumulative: bounds.zip(durations.cumulative).collect(),
            sum: durations.sum.as_secs_f64(),
        },
        is_up: server.is_up(),
    }
}
