//! Race of the tries for one question: the start of each, and the first usable answer.
//!
//! A try listens until the race ends, however late: a timeout counts against the server and starts
//! the next try. Law: a try that ends, or is late, is booked; a late one that is answered after all is
//! booked as an answer too. Those of a race that is evicted are not: nobody knows how they end.

use std::collections::VecDeque;
use std::future::{Future, poll_fn};
use std::hash::BuildHasher;
use std::pin::{Pin, pin};
use std::sync::{Arc, LazyLock};
use std::task::Poll;
use std::time::Duration;

use tokio::time::{Instant, Sleep, sleep_until, timeout_at};

use super::error::AskError;
use super::health::{Failure, HEDGE_UNKNOWN};
use super::message::Reply;
use super::message::reading::Reading;
use super::servers::{Asked, Inner, UpstreamAnswer, Way};

/// The wait for a better answer than a doubtful one.
const DOUBT: Duration = HEDGE_UNKNOWN;
/// A server that was there so lately may be starting anew: it is asked again.
const LATELY: Duration = Duration::from_secs(5);
/// The pause before that.
const RESTART: Duration = Duration::from_millis(150);
/// The most such pauses of one question.
const RESTARTS: u32 = 8;

/// Hashes names of rejected questions, seeded anew in each process.
static NAMES: LazyLock<std::hash::RandomState> = LazyLock::new(std::hash::RandomState::new);

/// One try to come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Step {
    server: usize,
    way: Way,
}

/// One try under way.
struct Running {
    step: Step,
    started: Instant,
    /// Whether its timeout has passed, and is booked.
    is_late: bool,
    exchange: Pin<Box<dyn Future<Output = Result<Reply, Failure>> + Send>>,
}

/// The tries for one question.
pub(super) struct Race {
    inner: Arc<Inner>,
    asked: Arc<Asked>,
    /// The tries to come; a server that is reached over UDP may be in it more than once.
    plan: VecDeque<Step>,
    running: Vec<Running>,
    /// When the next try is due though none has failed.
    next_at: Instant,
    /// When the wait ends.
    ends_at: Instant,
    /// Servers that replied otherwise than with an answer, or did not reply, and why.
    failed: Vec<(usize, Failure)>,
    /// Servers whose try over UDP is late.
    silent: Vec<usize>,
    /// Pauses for a server that starts anew.
    restarts: u32,
    /// An answer to use if there is none better.
    doubtful: Option<UpstreamAnswer>,
    /// The last SERVFAIL: the answer where no server does better, as it says why.
    servfail: Option<UpstreamAnswer>,
}

/// What a race waits for.
enum Event {
    Ended(Running, Result<Reply, Failure>),
    /// A sign that a try may fail.
    Hint,
    Time,
}

impl Race {
    pub(super) fn new(inner: &Arc<Inner>, asked: Arc<Asked>, order: &VecDeque<usize>) -> Self {
        let now = Instant::now();
        let first = |&server: &usize| Step { server, way: inner.first_way(server, now) };
        let mut plan: VecDeque<Step> = order.iter().map(first).collect();
        // A server that is down is asked once: each try has a socket of its own, and thousands of
        // waiting ones would slow down the queries that need no upstream.
        let mut again =
            order.iter().filter(|&&server| inner.loses_packets(server) && inner.is_up(server));
        if order.len() == 1
            && let (Some(&server), Some(step)) = (again.clone().next(), plan.front())
            && step.way == Way::Usual
        {
            plan.push_back(Step { server, way: Way::Usual });
        }
        let others: Vec<usize> = again.by_ref().take(2).copied().collect();
        plan.extend(others.into_iter().map(|server| Step { server, way: Way::Other }));
        Self {
            inner: Arc::clone(inner),
            asked,
            plan,
            running: Vec::new(),
            next_at: now,
            ends_at: now + inner.options.give_up(),
            failed: Vec::new(),
            silent: Vec::new(),
            restarts: 0,
            doubtful: None,
            servfail: None,
        }
    }

    /// Runs until there is an answer, no server is left, or the time is up.
    pub(super) async fn run(mut self) -> Result<UpstreamAnswer, AskError> {
        self.start_next();
        let mut timer = pin!(sleep_until(self.wakes_at()));
        while !self.running.is_empty() || self.waits_for_restart() {
            match self.next(timer.as_mut()).await {
                Event::Ended(Running { step, started, .. }, outcome) => {
                    if let Some(answer) = self.ended(step, started, outcome) {
                        self.leave_the_rest();
                        return Ok(answer);
                    }
                }
                Event::Hint => self.start_next(),
                Event::Time => {
                    if !self.is_time() {
                        break;
                    }
                }
            }
            let at = self.wakes_at();
            if timer.deadline() != at {
                timer.as_mut().reset(at);
            }
        }
        let answer = self.doubtful.take().or(self.servfail.take());
        answer.ok_or_else(|| self.error())
    }

    async fn next(&mut self, mut timer: Pin<&mut Sleep>) -> Event {
        poll_fn(|context| {
            for place in 0..self.running.len() {
                let Some(tried) = self.running.get_mut(place) else { break };
                if let Poll::Ready(outcome) = tried.exchange.as_mut().poll(context) {
                    return Poll::Ready(Event::Ended(self.running.swap_remove(place), outcome));
                }
            }
            if self.asked.hint.take() {
                return Poll::Ready(Event::Hint);
            }
            timer.as_mut().poll(context).map(|()| Event::Time)
        })
        .await
    }

    /// The next instant at which something is due.
    fn wakes_at(&self) -> Instant {
        let timeout = self.inner.options.timeout;
        let late = self.running.iter().filter(|tried| !tried.is_late);
        let late = late.map(|tried| tried.started + timeout).min();
        let next = (!self.plan.is_empty()).then_some(self.next_at);
        [late, next].into_iter().flatten().fold(self.ends_at, Instant::min)
    }

    /// Does what is due; false when the time is up.
    fn is_time(&mut self) -> bool {
        let now = Instant::now();
        let timeout = self.inner.options.timeout;
        let mut is_late = false;
        for tried in &mut self.running {
            if !tried.is_late && tried.started + timeout <= now {
                tried.is_late = true;
                is_late = true;
                let Step { server, way } = tried.step;
                let question = &self.asked.question;
                self.inner.book(server, question, tried.started, &Err(Failure::Timeout));
                self.failed.push((server, Failure::Timeout));
                if way == Way::Usual {
                    self.silent.push(server);
                }
            }
        }
        if now >= self.ends_at {
            self.running.clear();
            return false;
        }
        let is_due = !self.plan.is_empty() && self.next_at <= now;
        if is_due
            && let Some(tried) = self.running.last()
            && let Some(state) = self.inner.states.get(tried.step.server)
        {
            state.note_overdue(tried.started);
        }
        if is_late || is_due {
            self.start_next();
        }
        true
    }

    /// Starts the next try of the plan.
    fn start_next(&mut self) {
        let now = Instant::now();
        while let Some(step) = self.plan.pop_front() {
            let Step { server, way } = step;
            if self.is_crowded(step) {
                if let Some(state) = self.inner.states.get(server) {
                    state.count_failure(Failure::Busy);
                }
                self.failed.push((server, Failure::Busy));
                continue;
            }
            let (inner, asked) = (Arc::clone(&self.inner), Arc::clone(&self.asked));
            let exchange = Box::pin(async move { inner.exchange(server, way, &asked).await });
            self.running.push(Running { step, started: now, is_late: false, exchange });
            let wait =
                self.inner.states.get(server).map_or(HEDGE_UNKNOWN, |state| state.hedge_after());
            // A repeat at the same server is for a lost packet, not for a slow one.
            let repeats = self.plan.front().is_some_and(|next| self.was_asked(next.server));
            self.next_at = now + if repeats { wait.max(HEDGE_UNKNOWN) } else { wait };
            return;
        }
    }

    /// Whether a server has so many tries under way that this one goes to the next. The last that
    /// is left unasked is asked all the same: the tries of other questions must never take its
    /// place. A repeat at a server that was asked is no substitute for it.
    fn is_crowded(&self, step: Step) -> bool {
        let waiting = self.inner.states.get(step.server).map_or(0, |state| state.waiting());
        let is_repeat = self.was_asked(step.server);
        let others =
            self.plan.iter().any(|next| next.server != step.server && !self.was_asked(next.server));
        let most = self.inner.options.server_in_flight;
        waiting >= if is_repeat { most / 2 } else { most } && (is_repeat || others)
    }

    fn was_asked(&self, server: usize) -> bool {
        self.running.iter().any(|tried| tried.step.server == server)
            || self.failed.iter().any(|&(failed, _)| failed == server)
    }

    /// The end of a try; an answer to be used at once.
    fn ended(
        &mut self,
        Step { server, way }: Step,
        started: Instant,
        outcome: Result<Reply, Failure>,
    ) -> Option<UpstreamAnswer> {
        self.inner.book(server, &self.asked.question, started, &outcome);
        match outcome {
            Ok(reply) if reply.reading.failure().is_none() => {
                self.note_silence(server, way);
                let is_doubtful = reply.reading == Reading::Doubtful;
                let answer = UpstreamAnswer { octets: reply.octets, server };
                if !is_doubtful {
                    self.book_outdone();
                    return Some(answer);
                }
                self.plan.retain(|step| step.server != server);
                self.doubtful.get_or_insert(answer);
                self.ends_at = self.ends_at.min(Instant::now() + DOUBT);
            }
            Ok(reply) => {
                let failure = reply.reading.failure().unwrap_or(Failure::Lame);
                self.plan.retain(|step| step.server != server);
                self.failed.push((server, failure));
                if failure == Failure::ServFail {
                    let message = reply.message();
                    self.servfail = message.map(|octets| UpstreamAnswer { octets, server });
                }
            }
            Err(failure) => {
                // Refused at once: a repeat would be too, unless the server starts anew.
                if self.is_restarting(server, failure) {
                    self.restarts += 1;
                    self.plan.clear();
                    self.plan.push_back(Step { server, way });
                    self.next_at = Instant::now() + RESTART;
                    self.failed.push((server, failure));
                    return None;
                }
                if failure != Failure::Timeout {
                    self.plan.retain(|step| step.server != server);
                }
                self.failed.push((server, failure));
            }
        }
        self.start_next();
        None
    }

    /// Whether a server that was there lately refuses the connection, and no other is left.
    fn is_restarting(&self, server: usize, failure: Failure) -> bool {
        let is_last = self.running.is_empty() && self.plan.iter().all(|s| s.server == server);
        failure == Failure::Network
            && is_last
            && self.restarts < RESTARTS
            && self.inner.states.get(server).is_some_and(|state| state.was_heard(LATELY))
    }

    /// Whether a try is to come though none is under way.
    fn waits_for_restart(&self) -> bool {
        !self.plan.is_empty() && self.next_at > Instant::now()
    }

    /// UDP answered, or was silent where the other way answered.
    fn note_silence(&self, server: usize, way: Way) {
        if way == Way::Usual {
            self.inner.note_silence(server, false);
        } else if self.silent.contains(&server) || self.is_waiting_for(server) {
            self.inner.note_silence(server, true);
        }
    }

    fn is_waiting_for(&self, server: usize) -> bool {
        let usual = Step { server, way: Way::Usual };
        self.running.iter().any(|tried| tried.step == usual)
    }

    /// A server answered: those that rejected the question are at fault after all.
    fn book_outdone(&self) {
        if self.failed.is_empty() {
            return;
        }
        let (now, name) = (Instant::now(), NAMES.hash_one(&self.asked.question.name));
        for &(server, failure) in &self.failed {
            let is_rejection =
                !matches!(failure, Failure::Timeout | Failure::Network | Failure::Busy);
            if is_rejection && let Some(state) = self.inner.states.get(server) {
                state.book_outdone(name, now);
            }
        }
    }

    /// Leaves the tries that lost to themselves, until their timeouts: they tell the health of
    /// their servers, and nobody waits for it.
    fn leave_the_rest(&mut self) {
        for mut tried in self.running.drain(..).filter(|tried| !tried.is_late) {
            let (inner, asked) = (Arc::clone(&self.inner), Arc::clone(&self.asked));
            tokio::spawn(async move {
                let until = tried.started + inner.options.timeout;
                let outcome = timeout_at(until, &mut tried.exchange).await;
                let outcome = outcome.unwrap_or(Err(Failure::Timeout));
                inner.book(tried.step.server, &asked.question, tried.started, &outcome);
            });
        }
    }

    /// The most specific failure: a truncated or malformed reply did arrive.
    fn error(&self) -> AskError {
        let any = |wanted| self.failed.iter().any(|(_, failure)| *failure == wanted);
        if any(Failure::Truncated) {
            AskError::Truncated
        } else if [Failure::Refused, Failure::Lame, Failure::NotUnderstood, Failure::ServFail]
            .into_iter()
            .any(any)
        {
            AskError::Rejected
        } else if any(Failure::Malformed) {
            AskError::Malformed
        } else if any(Failure::Timeout) || !self.running.is_empty() {
            AskError::Timeout
        } else if any(Failure::Busy) && !any(Failure::Network) {
            AskError::Busy
        } else {
            AskError::Network
        }
    }
}
