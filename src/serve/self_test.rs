//! The gateway's test of itself: what it is about here, and its thread.

use std::net::SocketAddr;
use std::sync::Arc;

use tracing::error;

use crate::selftest::{SelfTest, SelfTestHooks};
use crate::serve::gateway::Gateway;
use crate::update::client::Updates;

/// The test of a gateway through its listeners.
pub(super) fn of(
    gateway: &Arc<Gateway>,
    listen: Vec<SocketAddr>,
    updates: Option<Arc<Updates>>,
) -> Arc<SelfTest> {
    let clock = Arc::clone(gateway);
    let hooks = SelfTestHooks {
        now: Box::new(move || clock.clock.now()),
        release: Box::new(move || updates.as_ref().map(|updates| updates.status().release)),
    };
    let (current, own_asks) = (Arc::clone(&gateway.current), Arc::clone(&gateway.own_asks));
    Arc::new(SelfTest::new(current, listen, own_asks, hooks))
}

/// Starts the thread that runs the test at its interval; it ends with the process.
pub(super) fn start(test: Arc<SelfTest>) {
    let thread = std::thread::Builder::new().name("lachan-selftest".into());
    if let Err(fault) = thread.spawn(move || test.follow()) {
        error!("no thread `lachan-selftest`: {fault}");
    }
}
