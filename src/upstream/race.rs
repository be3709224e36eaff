//! Race of the tries for one question: the start of each, and the first usable answer.

use std::collections::VecDeque;
use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, mpsc};
use tokio::time::Instant;

use super::error::AskError;
use super::health::{Failure, HEDGE_MAX, ServerState};
use super::servers::{Endpoint, Inner, Refusal, UpstreamAnswer};
use crate::dns::message::Question;

/// The tries for one question.
pub(super) struct Race<'a> {
    inner: &'a Arc<Inner>,
    question: &'a Question,
    /// Shared with every try, so that those in the background count against the bound as well.
    permit: Arc<OwnedSemaphorePermit>,
    /// The servers to ask next; one that is reached over UDP may be in it more than once.
    plan: VecDeque<usize>,
    asked: Vec<usize>,
    /// Servers that replied, and so are not asked again.
    failed: Vec<(usize, Failure)>,
    running: usize,
    /// The last rejection, the answer where no server does better.
    rejection: Option<UpstreamAnswer>,
    sender: mpsc::Sender<(usize, Result<Vec<u8>, Refusal>)>,
    outcomes: mpsc::Receiver<(usize, Result<Vec<u8>, Refusal>)>,
}

impl<'a> Race<'a> {
    pub(super) fn new(
        inner: &'a Arc<Inner>,
        question: &'a Question,
        permit: Arc<OwnedSemaphorePermit>,
        order: VecDeque<usize>,
    ) -> Self {
        // A server that is down is asked once: each try has a socket of its own, and thousands of
        // waiting ones would slow down the queries that need no upstream.
        let again = |&&index: &&usize| {
            inner.endpoints.get(index).is_some_and(Endpoint::loses_packets) && inner.is_up(index)
        };
        let repeats: Vec<_> = order.iter().filter(again).copied().collect();
        let room = inner.options.attempts.saturating_sub(order.len());
        let mut plan = order;
        plan.extend(repeats.iter().cycle().take(room));
        let (sender, outcomes) = mpsc::channel(plan.len().max(1));
        Self {
            inner,
            question,
            permit,
            plan,
            asked: Vec::new(),
            failed: Vec::new(),
            running: 0,
            rejection: None,
            sender,
            outcomes,
        }
    }

    /// Runs until there is an answer, no server is left, or the time is up.
    pub(super) async fn run(mut self) -> Result<UpstreamAnswer, AskError> {
        let deadline = Instant::now() + self.inner.options.deadline;
        match tokio::time::timeout_at(deadline, self.first_answer()).await {
            Ok(Some(answer)) => Ok(answer),
            Ok(None) => self.rejection.take().ok_or_else(|| self.error()),
            Err(_) => self.rejection.take().ok_or(AskError::Timeout),
        }
    }

    async fn first_answer(&mut self) -> Option<UpstreamAnswer> {
        let mut hedge_at = self.start_next();
        while self.running > 0 {
            tokio::select! {
                Some((server, outcome)) = self.outcomes.recv() => {
                    self.running -= 1;
                    match outcome {
                        Ok(octets) => {
                            self.book_outdone();
                            return Some(UpstreamAnswer { octets, server });
                        }
                        Err(refusal) => {
                            self.set_aside(server, refusal);
                            hedge_at = self.start_next();
                        }
                    }
                }
                () = tokio::time::sleep_until(hedge_at), if !self.plan.is_empty() => {
                    hedge_at = self.start_next();
                }
            }
        }
        None
    }

    /// Starts a try at the next server of the plan; returns the time until another is due.
    fn start_next(&mut self) -> Instant {
        let now = Instant::now();
        let Some(index) = self.plan.pop_front() else { return now };
        let sender = self.sender.clone();
        let (inner, question) = (Arc::clone(self.inner), self.question.clone());
        let permit = Arc::clone(&self.permit);
        tokio::spawn(async move {
            let outcome = inner.attempt(index, &question).await;
            // The receiver is gone when another server has won.
            let _ = sender.send((index, outcome)).await;
            drop(permit);
        });
        self.asked.push(index);
        self.running += 1;
        // A repeat at the same server is for a lost packet, not for a slow one: the longest wait.
        let repeat = self.plan.front().is_some_and(|next| self.asked.contains(next));
        let state = self.inner.states.get(index).filter(|_| !repeat);
        now + state.map_or(HEDGE_MAX, ServerState::hedge_after)
    }

    fn set_aside(&mut self, server: usize, refusal: Refusal) {
        self.plan.retain(|&index| index != server);
        self.failed.push((server, refusal.failure));
        if let Some(octets) = refusal.message {
            self.rejection = Some(UpstreamAnswer { octets, server });
        }
    }

    /// A server answered: those that rejected the question are at fault after all.
    fn book_outdone(&self) {
        let now = Instant::now();
        for (server, _) in self.failed.iter().filter(|(_, failure)| failure.is_rejection()) {
            if let Some(state) = self.inner.states.get(*server) {
                state.book_fault(now);
            }
        }
    }

    /// The most specific failure: a truncated or malformed reply did arrive.
    fn error(&self) -> AskError {
        let any = |wanted| self.failed.iter().any(|(_, failure)| *failure == wanted);
        if self.failed.iter().all(|(_, failure)| *failure == Failure::Busy) {
            AskError::Busy
        } else if any(Failure::Truncated) {
            AskError::Truncated
        } else if any(Failure::Malformed) || any(Failure::NotUnderstood) {
            AskError::Malformed
        } else if any(Failure::Timeout) {
            AskError::Timeout
        } else {
            AskError::Network
        }
    }
}
