//! Polls of a repository's servers: when, and which server first.
//!
//! ```text
//! due (schedule) ─┬▶ the server in turn ▶ trusted ▶ the end; a poll without news is one request
//! nudged (TXT) ───┘        └ refused, dead ▶ it rests, and the next one is asked
//! ```
//!
//! Laws:
//!
//! - Servers take turns. So one that is frozen is found out by the next poll of the other, and that
//!   costs no request.
//! - A server that fails rests, the longer the more often; it is asked earlier only where no other
//!   one is left.
//! - A nudged poll ends with the server that has something new.

pub mod nudge;
pub mod schedule;

use std::sync::Arc;

use rand::RngExt as _;
use tokio::time::{Duration, Instant, sleep_until};
use tracing::{debug, error};

use self::nudge::Nudge;
use self::schedule::LastPoll;
use super::carrier::{Settled, TrustedFiles, Web};
use super::client::Updates;
use super::error::{Blame, UpdateError};
use crate::fetch::{HttpClient, Names};
use crate::metrics::labels::UpdateRefusal;

/// The poller of one gateway.
pub struct Poller {
    updates: Arc<Updates>,
    servers: Vec<Server>,
    /// Polls so far: the server in turn is one behind.
    turn: usize,
    names: Names,
    nudge: Option<Nudge>,
}

/// A server, and how it does.
#[derive(Debug)]
struct Server {
    web: Web,
    failures: u32,
    rests_until: Option<Instant>,
}

/// The end of a poll.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PollEnd {
    /// Whether a repository was trusted and could be looked at, whatever became of its release.
    pub is_good: bool,
    /// Whether something new came.
    pub is_new: bool,
}

impl Poller {
    /// A poller of the URLs in the settings.
    pub fn new(updates: Arc<Updates>, client: HttpClient) -> Self {
        let (settings, names) = (updates.settings(), client.names().clone());
        let (client, trusted) = (Arc::new(client), TrustedFiles::default());
        let server = |url: &url::Url| Server {
            web: Web::new(Arc::clone(&client), url.clone(), trusted.clone(), settings.silence),
            failures: 0,
            rests_until: None,
        };
        let servers = settings.urls.iter().map(server).collect();
        let looks = (settings.nudge_every, settings.every);
        let nudge = settings.nudge.as_ref().map(|_| Nudge::new(looks.0, looks.1));
        Self { updates, servers, turn: 0, names, nudge }
    }

    /// Polls on this thread, until the process ends.
    pub fn work(self) {
        match tokio::runtime::Builder::new_current_thread().enable_all().build() {
            Ok(runtime) => runtime.block_on(self.run()),
            Err(fault) => error!("no repository is polled: {fault}"),
        }
    }

    /// Polls without an end.
    pub async fn run(mut self) {
        let every = self.updates.settings().every;
        let random = || rand::rng().random();
        let mut last = LastPoll::None;
        let mut due = Instant::now() + schedule::wait(every, last, random());
        let mut polled = None;
        let mut look = self.nudge.as_ref().map(|_| Instant::now());
        loop {
            let wanted = self.nudge.as_ref().and_then(Nudge::wants);
            let nudged = wanted.map(|gap| polled.map_or_else(Instant::now, |at: Instant| at + gap));
            sleep_until([Some(due), look, nudged].into_iter().flatten().min().unwrap_or(due)).await;
            let now = Instant::now();
            if look.is_some_and(|at| at <= now) {
                self.look().await;
                look = Some(now + self.updates.settings().nudge_every);
                continue;
            }
            let is_nudged = nudged.is_some_and(|at| at <= now);
            if is_nudged {
                debug!("the repository is said to be another one: it is polled now");
            }
            let ended = self.poll(is_nudged).await;
            if let Some(nudge) = &mut self.nudge {
                nudge.polled(ended.is_new);
            }
            last = match (ended.is_good, last) {
                (true, _) => LastPoll::Good,
                (false, LastPoll::Failed(times)) => LastPoll::Failed(times.saturating_add(1)),
                (false, _) => LastPoll::Failed(1),
            };
            polled = Some(Instant::now());
            due = Instant::now() + schedule::wait(every, last, random());
        }
    }

    /// Looks at the record that nudges.
    async fn look(&mut self) {
        let name = self.updates.settings().nudge.clone();
        if let (Some(nudge), Some(name)) = (&mut self.nudge, name) {
            nudge.saw(self.names.texts(&name).await);
        }
    }

    /// One poll.
    async fn poll(&mut self, is_nudged: bool) -> PollEnd {
        let agent = self.updates.report().to_string();
        let mut end = PollEnd { is_good: false, is_new: false };
        let mut failure = None;
        for place in self.order() {
            let Some(server) = self.servers.get_mut(place) else { continue };
            let (is_new, ended) = poll_one(&self.updates, &server.web, &agent).await;
            end.is_new |=
                is_new && ended.as_ref().err().map(UpdateError::blame) != Some(Blame::Server);
            match ended {
                Err(fault) if fault.blame() == Blame::Server => {
                    self.updates.note_server(server.web.url(), Some(&fault));
                    server.rest(self.updates.settings().every);
                    failure = Some(fault);
                    continue;
                }
                Err(fault) => {
                    end.is_good = fault.blame() == Blame::Release;
                    self.updates.note(Err(&fault));
                    return end;
                }
                Ok(()) => {}
            }
            self.updates.note_server(server.web.url(), None);
            (server.failures, server.rests_until) = (0, None);
            end.is_good = true;
            if is_new || !is_nudged {
                break;
            }
        }
        match failure {
            Some(fault) if !end.is_good => self.updates.note_unreached(&fault),
            _ => self.updates.note(Ok(())),
        }
        end
    }

    /// The servers in the order of this poll.
    fn order(&mut self) -> Vec<usize> {
        let (turn, now) = (self.turn, Instant::now());
        self.turn = turn.wrapping_add(1);
        order(self.servers.len(), turn, |place| {
            self.servers.get(place).is_some_and(|server| server.rests(now))
        })
    }
}

/// The order of so many servers: the one in turn first, those that rest last.
fn order(count: usize, turn: usize, rests: impl Fn(usize) -> bool) -> Vec<usize> {
    let mut order: Vec<usize> = (0..count).map(|step| turn.wrapping_add(step) % count).collect();
    order.sort_by_key(|place| rests(*place));
    order
}

impl Server {
    fn rests(&self, now: Instant) -> bool {
        self.rests_until.is_some_and(|until| now < until)
    }

    /// Lets it rest after a failure.
    fn rest(&mut self, every: Duration) {
        self.failures = self.failures.saturating_add(1);
        let wait = schedule::wait(every, LastPoll::Failed(self.failures), rand::rng().random());
        self.rests_until = Some(Instant::now() + wait);
    }
}

/// A poll of one server, and whether it has another timestamp than before. Where it has not, its files
/// are in memory: the date of a ring may have come, and no other request is made.
async fn poll_one(updates: &Updates, web: &Web, agent: &str) -> (bool, Result<(), UpdateError>) {
    let is_new = match web.ask(agent).await {
        Ok(is_new) => is_new,
        Err(fault) => return (false, Err(fault)),
    };
    let ended = match updates.attempt(web.clone()).await {
        Err(fault) if !is_new && fault.refusal() == UpdateRefusal::Expired => {
            Err(UpdateError::Frozen)
        }
        ended => ended.map(drop),
    };
    web.settle(match ended.as_ref().map_err(UpdateError::blame) {
        Ok(()) | Err(Blame::Release) => Settled::Trusted,
        Err(Blame::Server) => Settled::Refused,
        Err(Blame::Gateway) => Settled::Unknown,
    });
    (is_new, ended)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn servers_take_turns_and_those_that_rest_come_last() {
        let firsts = |rests: fn(usize) -> bool| -> Vec<Vec<usize>> {
            (0..3).map(|turn| order(2, turn, rests)).collect()
        };
        assert_eq!(firsts(|_| false), [[0, 1], [1, 0], [0, 1]]);
        assert_eq!(firsts(|place| place == 0), [[1, 0], [1, 0], [1, 0]]);
        assert_eq!(firsts(|_| true), [[0, 1], [1, 0], [0, 1]], "none is left out");
        assert_eq!(order(1, 7, |_| true), [0]);
        assert!(order(0, 7, |_| true).is_empty());
    }
}
