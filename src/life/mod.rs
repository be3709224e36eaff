//! The life of the program: start and stop in order, and what changes what is in force meanwhile.
//!
//! [`run`] reads from top to bottom: policy first, then sockets, then readiness; the end is the
//! reverse. Law: no query may be answered before policy is loaded, so no socket is opened before.

pub mod certificates;
mod end;
mod evidence;
mod reload;
mod resolvers;
mod scrape;
mod time;
mod unread;
mod updates;
mod workers;

use std::io;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::net::TcpListener;
use tokio::runtime::Runtime;
use tokio::task::JoinSet;
use tracing::info;

use crate::admin::api::{Api, ApiActions};
use crate::admin::diagnosis::end_of_earlier_life;
use crate::admin::{self, AdminServer, Apart, banner};
use crate::config::{Config, Listen};
use crate::evidence::EvidenceBook;
use crate::fetch::{FetchError, Fetcher, HttpClient, Names};
use crate::life::end::{EndSignals, drain, end, keep};
use crate::life::evidence::GatewayWitness;
use crate::life::reload::Reloads;
use crate::life::scrape::Observed;
use crate::life::workers::Workers;
use crate::load::assemble::Assembler;
use crate::load::candidate::Candidate;
use crate::load::degraded;
use crate::load::in_force::Current;
use crate::load::rehearsal;
use crate::load::release::urgent;
use crate::metrics::Metrics;
use crate::overrides::Overrides;
use crate::portal::{self, Portal, StaffRoom};
use crate::report::attest::seal;
use crate::reviews::ReviewBook;
use crate::selftest::{AskedListeners, SelfTest, SelfTestHooks};
use crate::serve::ServeError;
use crate::serve::gateway::Gateway;
use crate::serve::listener::{doh, tcp, tls};
use crate::serve::sockets::{self, Sockets, workers};
use crate::staff::desk::Desk;
use crate::staff::token::TokenFile;
use crate::sys::certificates::{Certificates, server};
use crate::sys::clock::Clock;
use crate::sys::os;
use crate::sys::service::{ServiceManager, SocketStore, Turn};
use crate::sys::state_dir::StateDir;
use crate::sys::state_dir::kept_file::Unread;
use crate::update::client::Updates;
use crate::update::tried::end_life;
use crate::upstream::Upstreams;

/// Threads of what is not a query.
const ASIDE: usize = 2;

/// Serves until SIGTERM or SIGINT.
///
/// `config` is the file to read; the embedded config where there is none.
///
/// # Errors
///
/// [`ServeError`]; nothing was answered then.
pub fn run(config: Option<&Path>) -> Result<(), ServeError> {
    let mut began = None;
    // A port in use is no fault of the release on trial.
    live(config, &mut began).inspect_err(|_| began.iter().for_each(end_life))
}

/// One life of the gateway; its state once there is a policy to answer by.
fn live(config: Option<&Path>, began: &mut Option<StateDir>) -> Result<(), ServeError> {
    let (manager, mut stored) = process();

    // Policy. What can fail has failed when there is a candidate.
    let clock = Clock::start();
    let mut assembler = Assembler::serving(config.map(Path::to_owned), clock.dates());
    updates::begin_life(config);
    let candidate = assembler.candidate(None)?;
    let settings = candidate.config().clone();
    let (state, unread_state) = state_of(&settings, &clock);
    began.clone_from(&state);
    let (current, unread_list) = first_policy(candidate, &settings, state.as_ref());
    let (reviews, evidence) = open_books(&current, state.as_ref());
    reload::report(&current.in_force(), false);
    degraded::warn_of(&settings);

    // Servers and sockets.
    let (runtime, aside) = start_runtimes(&settings.listen)?;
    let upstreams = Upstreams::of(&settings, clock.dates())?;
    let certificates = Arc::new(Certificates::new(&settings.listen.tls));
    certificates::look(&certificates);
    let mut sockets = Sockets::open(&settings, &manager, &mut stored)?;
    let handle = runtime.handle().clone();
    let gateway = Arc::new(Gateway::new(&settings, Arc::clone(&current), upstreams, clock, handle));
    begin_with(&gateway, &settings, state.as_ref());

    // Sources of change and observers of the policy: downloads, reloads, overrides, scrapes.
    let fetcher = Fetcher::new(names(&gateway), gateway.clock.dates());
    let reloads = Reloads::new(assembler, &settings, fetcher, Arc::clone(&gateway));
    let workers = Workers::new(std::mem::take(&mut sockets.udp));
    let listen: Vec<_> = settings.listen.all().collect();
    let client = web_client(&gateway, &settings);
    let updates = updates::start(&gateway, &reloads, (&settings, state.as_ref()), client);
    let asked = asked(&sockets, &certificates);
    let self_test = self_test(&gateway, &evidence, asked, updates.clone());
    let observed = Observed {
        gateway: Arc::clone(&gateway),
        reloads: Arc::clone(&reloads),
        reviews: Arc::clone(&reviews),
        evidence,
        updates,
        self_test: Arc::clone(&self_test),
        listen: listen.clone(),
        certificates: Arc::clone(&certificates),
        counters: workers.counters(&gateway),
    };
    let desk = Arc::new(Desk::open(state.as_ref(), settings.portal.is_some()));
    let token = Arc::new(TokenFile::of(&settings.admin, state.as_ref()));
    read_again(&gateway, (&desk, &token), (unread_state, unread_list));
    let actions = actions(&observed, desk, state.clone());
    let portal = portal(&gateway, &actions);
    let witness = GatewayWitness::of(&observed, state.clone());
    let source = observed.source(Arc::clone(&portal), workers.sockets());
    let metrics = Metrics::new(witness.observed.counters.clone(), source)?;
    let admin = Arc::new(admin_server(&gateway, (metrics, listen), token, actions));

    // Answering.
    let crew = workers.start(&gateway)?;
    runtime.block_on(async {
        let ending = EndSignals::catch()?;
        let mut tasks = JoinSet::new();
        accept_streams(&mut tasks, &mut sockets, &gateway, &certificates)?;
        tasks.spawn(crew.watch(Arc::clone(&manager)));
        follow_surroundings(&mut tasks, &gateway, &settings, &certificates);
        {
            let _aside = aside.enter();
            serve_people(&mut tasks, &sockets, (&admin, &portal))?;
            let books = (Arc::clone(&reviews), Arc::clone(&witness));
            tasks.spawn(time::follow(Arc::clone(&gateway)));
            tasks.spawn(time::settle(Arc::clone(&gateway), state.clone(), books));
            tasks.spawn(Arc::clone(&reloads).run(Arc::clone(&manager)));
        }
        greet(config, &gateway, &sockets);
        announce(&admin, &sockets, (&manager, stored));
        attest(&gateway, self_test, state.as_ref());
        ending.first().await;

        // The end, in reverse.
        info!("stopping");
        manager.tell(Turn::Stopping);
        admin.is_ready.store(false, Ordering::Release);
        crew.stop();
        drain(&gateway).await;
        tasks.abort_all();
        Ok::<(), io::Error>(())
    })?;
    crew.join();
    end([runtime, aside]);
    keep(gateway, state, (reviews, witness));
    info!("stopped");
    Ok(())
}

/// Says what to try, for a first start without a config.
fn greet(config: Option<&Path>, gateway: &Gateway, sockets: &Sockets) {
    if config.is_some() {
        return;
    }
    let upstreams = gateway.upstreams.load();
    let labels: Vec<_> = upstreams.servers().iter().map(|s| s.label().to_owned()).collect();
    let policy = gateway.current.snapshot();
    banner::print(&sockets.addresses, sockets.admin_address, &labels, &policy);
}

/// Settles what is the process's own: memory, limits, what the service manager has passed.
fn process() -> (Arc<ServiceManager>, SocketStore) {
    let manager = ServiceManager::of_environment();
    // First: later descriptors must not be taken for passed ones.
    let stored = SocketStore::of_environment(&manager);
    os::return_memory();
    os::raise_file_limit();
    (Arc::new(manager), stored)
}

/// Says that queries are answered: to scrapers, in the log, to the service manager.
fn announce(admin: &AdminServer, sockets: &Sockets, manager: (&ServiceManager, SocketStore)) {
    admin.is_ready.store(true, Ordering::Release);
    sockets.report();
    let (manager, stored) = manager;
    stored.store(manager);
    manager.tell(Turn::Ready);
    info!("ready");
}

/// The first policy in force, with the overrides and the emergency list that were kept; the file of the list where it
/// cannot be read now.
fn first_policy(
    candidate: Candidate,
    settings: &Config,
    state: Option<&StateDir>,
) -> (Arc<Current>, Option<Unread>) {
    let current = Current::start(candidate, Overrides::open(state.cloned()));
    let unread = state.and_then(|state| {
        let (list, unread) = urgent::kept(state, settings);
        current.replace_urgent(list);
        unread
    });
    (Arc::new(current), unread)
}

/// What the gateway goes on with of the lives before, and which devices it looks for.
fn begin_with(gateway: &Gateway, settings: &Config, state: Option<&StateDir>) {
    gateway.devices.follow(settings);
    let Some(state) = state else { return };
    rehearsal::remember(&gateway.recent, state);
    gateway.tokens.open(state);
}

/// Reads again what the disk did not give at the start.
fn read_again(
    gateway: &Gateway,
    (desk, token): (&Arc<Desk>, &Arc<TokenFile>),
    (unread_state, unread_list): (Option<Unread>, Option<Unread>),
) {
    let (current, tokens) = (Arc::clone(&gateway.current), Arc::clone(&gateway.tokens));
    let (desk, token) = (Arc::clone(desk), Arc::clone(token));
    unread::start(vec![
        unread::directory(unread_state),
        Box::new(move || current.read_overrides_again()),
        Box::new(move || tokens.read_again()),
        Box::new(move || desk.read_again()),
        Box::new(move || token.read_again()),
        unread::urgent_list(Arc::clone(&gateway.current), unread_list),
    ]);
}

/// The state directory, and what is to be told of it; the clock is not earlier than what it remembers.
///
/// One that the disk does not give now is used all the same: each of its files is one that cannot be read now. One that
/// others can write to is not used.
fn state_of(settings: &Config, clock: &Clock) -> (Option<StateDir>, Option<Unread>) {
    let (state, unread) = match StateDir::open(&settings.state) {
        Ok(state) => (state, None),
        Err(fault) => {
            let (path, is_refused) = (fault.path().to_owned(), fault.is_of_mode());
            let fault = fault.cause();
            if is_refused {
                (None, Some(Unread::refused(&path, &fault)))
            } else {
                let unread = Unread::of_directory(&path, &fault);
                (Some(StateDir::unasked(path)), Some(unread))
            }
        }
    };
    if let Some(state) = &state {
        state.sweep_all();
        clock.remember(state);
    }
    (state, unread)
}

/// Accepts connections of clients, in a task for each listener.
fn accept_streams(
    tasks: &mut JoinSet<io::Result<()>>,
    sockets: &mut Sockets,
    gateway: &Arc<Gateway>,
    certificates: &Arc<Certificates>,
) -> io::Result<()> {
    let server = |protocols| server(certificates, protocols).map_err(io::Error::other);
    for listener in std::mem::take(&mut sockets.tcp) {
        let listener = TcpListener::from_std(listener)?;
        spawn(tasks, tcp::accept(listener, Arc::clone(gateway)));
    }
    let settings = server(tls::PROTOCOLS)?;
    for listener in std::mem::take(&mut sockets.dot) {
        let listener = TcpListener::from_std(listener)?;
        spawn(tasks, tls::accept(listener, Arc::clone(gateway), Arc::clone(&settings)));
    }
    let settings = server(doh::PROTOCOLS)?;
    for listener in std::mem::take(&mut sockets.doh) {
        let listener = TcpListener::from_std(listener)?;
        spawn(tasks, doh::accept(listener, Arc::clone(gateway), Arc::clone(&settings)));
    }
    Ok(())
}

/// Spawns what ends only when it is aborted.
fn spawn(tasks: &mut JoinSet<io::Result<()>>, endless: impl Future<Output = ()> + Send + 'static) {
    tasks.spawn(async move {
        endless.await;
        Ok(())
    });
}

/// Follows what is around the gateway and changes by itself: certificates, addresses, devices,
/// resolvers.
fn follow_surroundings(
    tasks: &mut JoinSet<io::Result<()>>,
    gateway: &Arc<Gateway>,
    settings: &Config,
    certificates: &Arc<Certificates>,
) {
    let listen = Arc::new(settings.listen.clone());
    tasks.spawn(sockets::follow(listen.all().collect()));
    tasks.spawn(follow_devices(Arc::clone(gateway)));
    tasks.spawn(resolvers::follow(Arc::clone(gateway), settings.clone()));
    // Before readiness is told: the first to look for encrypted DNS finds it.
    certificates::lead(certificates, gateway, &listen);
    tasks.spawn(certificates::follow(Arc::clone(certificates), Arc::clone(gateway), listen));
}

/// Follows where devices are, until it is aborted.
async fn follow_devices(gateway: Arc<Gateway>) -> io::Result<()> {
    gateway.devices.run().await;
    Ok(())
}

/// The administrator's server, not ready yet.
fn admin_server(
    gateway: &Arc<Gateway>,
    (metrics, listen): (Metrics, Vec<SocketAddr>),
    token: Arc<TokenFile>,
    actions: ApiActions,
) -> AdminServer {
    let asked = Arc::clone(gateway);
    let now = Arc::new(move || asked.clock.now());
    let api = Arc::new(Api::new(token, Arc::clone(&gateway.current), now, actions));
    let (is_ready, apart) = (AtomicBool::new(false), Apart::default());
    AdminServer { metrics, is_ready, listen, api, apart }
}

/// The listeners that the gateway asks itself through.
fn asked(sockets: &Sockets, certificates: &Arc<Certificates>) -> AskedListeners {
    AskedListeners {
        plain: sockets.addresses.clone(),
        encrypted: sockets.encrypted.clone(),
        certificates: Arc::clone(certificates),
    }
}

/// The gateway's test of itself through its listeners.
fn self_test(
    gateway: &Arc<Gateway>,
    evidence: &Arc<EvidenceBook>,
    listeners: AskedListeners,
    updates: Option<Arc<Updates>>,
) -> Arc<SelfTest> {
    let (asked, book) = (Arc::clone(gateway), Arc::clone(evidence));
    let known = Arc::clone(gateway);
    let hooks = SelfTestHooks {
        has_upstream: Box::new(move || known.upstreams.load().servers().iter().any(|s| s.is_up())),
        now: Box::new(move || asked.clock.now()),
        record: Box::new(move |rows| book.self_tested(rows)),
        release: Box::new(move || updates.as_ref().map(|updates| updates.status().release)),
    };
    let (current, own_asks) = (Arc::clone(&gateway.current), Arc::clone(&gateway.own_asks));
    Arc::new(SelfTest::new(current, listeners, own_asks, hooks))
}

/// Starts what a gateway hands in: its test of itself, and the sealing of months.
fn attest(gateway: &Arc<Gateway>, self_test: Arc<SelfTest>, state: Option<&StateDir>) {
    self_test.start();
    let Some(state) = state else { return };
    end_of_earlier_life(state, gateway.clock.now().civil);
    let asked = Arc::clone(gateway);
    seal::start(Arc::clone(&gateway.current), state.clone(), move || asked.clock.now());
}

/// The portal, which has pages where the config has a `[portal]`.
fn portal(gateway: &Arc<Gateway>, actions: &ApiActions) -> Arc<Portal> {
    let asked = Arc::clone(gateway);
    let now = Box::new(move || asked.clock.now());
    let staff = StaffRoom {
        desk: Arc::clone(&actions.desk),
        status: Arc::clone(&actions.status),
        self_test: Arc::clone(&actions.self_test),
        overblock: Arc::clone(&actions.overblock),
    };
    let reviews = Arc::clone(&actions.reviews);
    Arc::new(Portal::new(
        Arc::clone(&gateway.current),
        now,
        reviews,
        Arc::clone(&gateway.devices),
        staff,
    ))
}

/// Serves administrators, and the portal in a task for each of its addresses.
fn serve_people(
    tasks: &mut JoinSet<io::Result<()>>,
    sockets: &Sockets,
    (admin, portal): (&Arc<AdminServer>, &Arc<Portal>),
) -> io::Result<()> {
    let listener = TcpListener::from_std(sockets.admin.try_clone()?)?;
    tasks.spawn(admin::serve(listener, Arc::clone(admin)));
    for listener in &sockets.portal {
        let listener = TcpListener::from_std(listener.try_clone()?)?;
        tasks.spawn(portal::serve(listener, Arc::clone(portal)));
    }
    Ok(())
}

/// What people asked for and what was counted, of the lives before.
fn open_books(current: &Current, state: Option<&StateDir>) -> (Arc<ReviewBook>, Arc<EvidenceBook>) {
    let urgent = current.in_force().urgent().version;
    let reviews = ReviewBook::open(state.cloned());
    (Arc::new(reviews), Arc::new(EvidenceBook::open(state, urgent)))
}

/// The runtime of queries, and the one of what may wait for a disk, or for a lock that is held over a file. Law:
/// a disk that hangs must not take a thread of queries.
fn start_runtimes(listen: &Listen) -> io::Result<(Runtime, Runtime)> {
    let start = |name, threads| {
        let mut builder = tokio::runtime::Builder::new_multi_thread();
        builder.worker_threads(threads).thread_name(name).enable_all().build()
    };
    Ok((start("lachan-io", workers(listen).clamp(2, 8))?, start("lachan-aside", ASIDE)?))
}

/// Resolves names of list servers by the policy and servers of all names.
fn names(gateway: &Arc<Gateway>) -> Names {
    let asked = Arc::clone(gateway);
    let own = Arc::clone(gateway);
    Names::new(move |name| asked.servers_for(name), gateway.runtime.clone())
        .with_own(move |name| own.current.in_force().config().local.addresses(name))
}

/// A web client for the department's repository.
fn web_client(gateway: &Arc<Gateway>, settings: &Config) -> Result<HttpClient, FetchError> {
    let roots = settings.lists.tls_roots.as_deref();
    HttpClient::new(roots, names(gateway), gateway.clock.dates())
}

/// What the administrator's API may do.
fn actions(observed: &Observed, desk: Arc<Desk>, state: Option<StateDir>) -> ApiActions {
    let forgets = Arc::clone(&observed.reloads);
    ApiActions {
        reviews: Arc::clone(&observed.reviews),
        status: observed.status(),
        forget: Box::new(move || forgets.forget()),
        self_test: Arc::clone(&observed.self_test),
        desk,
        tokens: Arc::clone(&observed.gateway.tokens),
        overblock: Arc::clone(&observed.gateway.blocks.overblock),
        state,
        updates: observed.updates.clone(),
    }
}
