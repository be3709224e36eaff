//! The UDP workers: their start, their end, and the watchdog that the service manager hears of them.

use std::io;
use std::net::UdpSocket;
use std::sync::Arc;
use std::thread::JoinHandle;

use tracing::warn;

use crate::metrics::counters::Counters;
use crate::serve::gateway::Gateway;
use crate::serve::listener::udp::{self, Shift};
use crate::sys::service::{ServiceManager, Turn};

/// The UDP workers, each with its socket and its counters.
pub(super) struct Workers(Vec<(Arc<UdpSocket>, Arc<Counters>)>);

impl Workers {
    pub(super) fn new(sockets: Vec<UdpSocket>) -> Self {
        let worker = |socket| (Arc::new(socket), Arc::new(Counters::single_writer()));
        let workers = Self(sockets.into_iter().map(worker).collect());
        udp::report(&workers.sockets());
        workers
    }

    pub(super) fn sockets(&self) -> Vec<Arc<UdpSocket>> {
        self.0.iter().map(|(socket, _)| Arc::clone(socket)).collect()
    }

    /// The counters of all workers, and of all others.
    pub(super) fn counters(&self, gateway: &Gateway) -> Vec<Arc<Counters>> {
        let own = self.0.iter().map(|(_, counters)| Arc::clone(counters));
        std::iter::once(Arc::clone(&gateway.counters)).chain(own).collect()
    }

    /// Starts a thread for each.
    pub(super) fn start(self, gateway: &Arc<Gateway>) -> io::Result<Crew> {
        let start = |(number, (socket, counters)): (usize, (Arc<UdpSocket>, Arc<Counters>))| {
            let (gateway, shift) = (Arc::clone(gateway), Arc::new(Shift::default()));
            let own = Arc::clone(&shift);
            let thread = std::thread::Builder::new()
                .name(format!("lachan-udp-{number}"))
                .spawn(move || udp::work(socket, &gateway, &counters, &own))?;
            Ok((shift, thread))
        };
        let started: io::Result<Vec<_>> = self.0.into_iter().enumerate().map(start).collect();
        let (shifts, threads) = started?.into_iter().unzip();
        Ok(Crew { shifts: Arc::new(shifts), threads })
    }
}

/// The workers at work.
pub(super) struct Crew {
    shifts: Arc<Vec<Arc<Shift>>>,
    threads: Vec<JoinHandle<()>>,
}

impl Crew {
    /// Has them answer what has arrived, and end.
    pub(super) fn stop(&self) {
        self.shifts.iter().for_each(|shift| shift.end());
    }

    /// Waits for their end.
    pub(super) fn join(self) {
        for thread in self.threads {
            if thread.join().is_err() {
                warn!("a worker had panicked");
            }
        }
    }

    /// Tells the manager's watchdog that they live, until it is aborted; ends where there is none.
    ///
    /// A worker makes a turn in each 200 ms, queries or not. One that has made none since the last
    /// look has ended or hangs: then nothing is told, and the manager starts the program anew.
    pub(super) fn watch(
        &self,
        manager: Arc<ServiceManager>,
    ) -> impl Future<Output = io::Result<()>> + use<> {
        let shifts = Arc::clone(&self.shifts);
        async move {
            let Some(patience) = manager.patience() else { return Ok(()) };
            let mut seen: Vec<Option<u64>> = vec![None; shifts.len()];
            loop {
                let now: Vec<_> = shifts.iter().map(|shift| Some(shift.turns())).collect();
                if now.iter().zip(&seen).all(|(now, seen)| now != seen) {
                    manager.tell(Turn::Alive);
                }
                seen = now;
                tokio::time::sleep(patience / 3).await;
            }
        }
    }
}
