//! The end of the program, in the reverse order of its start: queries in flight, then what is kept.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use tokio::runtime::Runtime;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tracing::warn;

use crate::admin::diagnosis::ended_by;
use crate::life::evidence::GatewayWitness;
use crate::load::rehearsal;
use crate::reviews::ReviewBook;
use crate::serve::gateway::Gateway;
use crate::sys::state_dir::StateDir;
use crate::update::tried::end_life;

/// The longest wait at the end for queries in flight: longer than upstream's deadline of 1.9 s.
const DRAIN: Duration = Duration::from_millis(2500);
/// The longest wait at the end for the disk: with [`DRAIN`] less than the ten seconds of the unit.
const KEEP: Duration = Duration::from_secs(5);

/// The signals that end the program.
///
/// They are caught before it says that it is ready: one that comes at once after that ends it as any
/// other does, with all that is counted written.
pub(super) struct EndSignals {
    terminate: Signal,
    interrupt: Signal,
}

impl EndSignals {
    /// Catches them from now on.
    pub(super) fn catch() -> io::Result<Self> {
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
        })
    }

    /// Waits for the first, which may have come already.
    pub(super) async fn first(mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }
}

/// Waits for the queries in flight, at most [`DRAIN`].
pub(super) async fn drain(gateway: &Gateway) {
    let waiting = || gateway.flights.unanswered();
    let all_ended = async {
        while waiting() > 0 {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    if tokio::time::timeout(DRAIN, all_ended).await.is_err() {
        warn!(unanswered = waiting(), "stopped with queries in flight");
    }
}

/// Ends all tasks.
pub(super) fn end(runtimes: [Runtime; 2]) {
    for runtime in runtimes {
        runtime.shutdown_timeout(Duration::from_millis(200));
    }
}

/// Keeps what the next life goes on with, as far as the disk answers: a service manager waits for the end.
pub(super) fn keep(
    gateway: Arc<Gateway>,
    state: Option<StateDir>,
    (reviews, witness): (Arc<ReviewBook>, Arc<GatewayWitness>),
) {
    let (sender, ended) = std::sync::mpsc::channel();
    let work = move || {
        keep_all(&gateway, state.as_ref(), (&reviews, &witness));
        // Nobody waits any more where it was late.
        let _ = sender.send(());
    };
    let thread = std::thread::Builder::new().name("lachan-keep".into()).spawn(work);
    if thread.is_err() || ended.recv_timeout(KEEP).is_err() {
        warn!("the state directory does not answer: what was counted last is not kept");
    }
}

fn keep_all(
    gateway: &Gateway,
    state: Option<&StateDir>,
    (reviews, witness): (&ReviewBook, &GatewayWitness),
) {
    reviews.keep(gateway.clock.now().mono, true);
    witness.tell(true);
    let Some(state) = state else { return };
    gateway.clock.keep(state, true);
    end_life(state);
    if let Some(ended) = gateway.blocks.overblock.diagnosis.stop() {
        ended_by(Some(state), &ended.by, &ended, gateway.clock.now().civil);
    }
    let in_force = gateway.current.in_force();
    rehearsal::keep(&gateway.recent, state, in_force.config());
    // Last: it waits longest where the disk has failed all the time.
    gateway.current.keep_overrides();
}
