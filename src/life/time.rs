//! The civil time: what ends or is kept by it.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use tracing::debug;

use crate::admin::diagnosis::ended_by;
use crate::life::evidence::GatewayWitness;
use crate::load::in_force::InForce;
use crate::load::rehearsal;
use crate::reviews::ReviewBook;
use crate::reviews::ask::today;
use crate::serve::gateway::Gateway;
use crate::sys::os::step_aside;
use crate::sys::state_dir::StateDir;

/// The interval at which the civil time is read.
const LOOK: Duration = Duration::from_secs(1);

/// Reads the clock, renews timetables, frees old policies. No file is in its way: a lesson begins and ends while
/// a disk hangs.
///
/// # Errors
///
/// None: it runs until it is aborted.
pub(super) async fn follow(gateway: Arc<Gateway>) -> io::Result<()> {
    loop {
        tokio::time::sleep(LOOK).await;
        gateway.clock.look();
        free(gateway.current.let_go());
        let asked = Arc::clone(&gateway);
        // It ends only with the process.
        let _ = tokio::task::spawn_blocking(move || {
            asked.current.renew(asked.clock.now().civil);
        })
        .await;
    }
}

/// Ends overrides, reviews and diagnoses, and stores the time and what was counted.
///
/// # Errors
///
/// None: it runs until it is aborted.
pub(super) async fn settle(
    gateway: Arc<Gateway>,
    state: Option<StateDir>,
    (reviews, witness): (Arc<ReviewBook>, Arc<GatewayWitness>),
) -> io::Result<()> {
    loop {
        tokio::time::sleep(LOOK).await;
        let (gateway, state) = (Arc::clone(&gateway), state.clone());
        let (reviews, witness) = (Arc::clone(&reviews), Arc::clone(&witness));
        // It ends only with the process.
        let _ = tokio::task::spawn_blocking(move || {
            let (clock, current) = (&gateway.clock, &gateway.current);
            let now = clock.now();
            if let Some(state) = &state {
                clock.keep(state, false);
                let in_force = current.in_force();
                rehearsal::keep_hourly(&gateway.recent, state, in_force.config(), clock.micros());
            }
            if let Some(ended) = gateway.blocks.overblock.expire(now) {
                ended_by(state.as_ref(), &ended.by, &ended, now.civil);
            }
            current.expire(now.civil);
            gateway.tokens.expire(now.civil);
            if let Some(today) = today(current.in_force().config(), now) {
                reviews.expire(today);
                reviews.settle(|name| {
                    let allows = current.in_force().allows_at(now.civil);
                    allows.iter().any(|one| one.names.iter().any(|allowed| allowed == name))
                });
            }
            reviews.keep(now.mono, false);
            witness.tell(false);
        })
        .await;
    }
}

/// Frees old policies on a thread of low priority: large lists take milliseconds.
fn free(policies: Vec<Arc<InForce>>) {
    if policies.is_empty() {
        return;
    }
    let thread = std::thread::Builder::new().name("lachan-free".into()).spawn(move || {
        step_aside();
        drop(policies);
    });
    if let Err(error) = thread {
        debug!(%error, "no thread to free the old policy");
    }
}
