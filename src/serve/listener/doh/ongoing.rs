//! Requests of a connection of HTTP/2, side by side in the connection's own task.
//!
//! Replies to what came together leave together: tasks of their own would wake the connection for each, and
//! have each written by itself.

use std::future::Future;
use std::mem::take;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};

use futures_util::StreamExt as _;
use futures_util::stream::FuturesUnordered;
use hyper::rt::Executor;

type Request = Pin<Box<dyn Future<Output = ()> + Send>>;

/// Requests that have been read and not begun: where hyper puts them.
#[derive(Clone, Default)]
pub(super) struct Requests(Arc<Mutex<Vec<Request>>>);

impl<F: Future<Output = ()> + Send + 'static> Executor<F> for Requests {
    fn execute(&self, request: F) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(Box::pin(request));
    }
}

/// Requests that have been begun. They end with their connection.
#[derive(Default)]
pub(super) struct Ongoing(FuturesUnordered<Request>);

impl Ongoing {
    /// Begins what is new and goes on with what can; whether any has ended, so that there is something to
    /// write.
    pub(super) fn advance(&mut self, new: &Requests, cx: &mut Context<'_>) -> bool {
        self.0.extend(take(&mut *new.0.lock().unwrap_or_else(PoisonError::into_inner)));
        let mut has_ended = false;
        while let Poll::Ready(Some(())) = self.0.poll_next_unpin(cx) {
            has_ended = true;
        }
        has_ended
    }
}
