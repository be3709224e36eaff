//! Replies that come to a stream connection after their queries' turn.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::clients::place::{ConnectionState, Room};

/// Octets that wait to be written, and the room they take.
pub struct Waiting {
    /// The octets, framed.
    pub octets: Box<[u8]>,
    /// None for a few octets that each connection may hold without.
    pub room: Option<Room>,
}

impl Waiting {
    /// Keeps a copy of `octets`; the rest of the room is given back.
    pub fn new(octets: Box<[u8]>, mut room: Option<Room>) -> Self {
        if let Some(room) = &mut room {
            room.shrink(octets.len());
        }
        Self { octets, room }
    }
}

/// The late replies of one connection.
#[derive(Default)]
pub struct Mailbox(Mutex<Content>);

#[derive(Default)]
struct Content {
    replies: VecDeque<Waiting>,
    /// Replies that will come.
    expected: usize,
    is_closed: bool,
}

impl Mailbox {
    fn lock(&self) -> MutexGuard<'_, Content> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Moves the replies that have come into `output`; returns their octets.
    pub fn empty_into(&self, output: &mut VecDeque<Waiting>) -> usize {
        let mut content = self.lock();
        let octets = content.replies.iter().map(|reply| reply.octets.len()).sum();
        output.append(&mut content.replies);
        if content.replies.capacity() > 0 {
            content.replies = VecDeque::new();
        }
        octets
    }

    /// The number of replies that have come or will.
    pub fn pending(&self) -> usize {
        let content = self.lock();
        content.expected + content.replies.len()
    }

    /// Drops all replies, now and later.
    pub fn close(&self) {
        let mut content = self.lock();
        content.is_closed = true;
        let replies = std::mem::take(&mut content.replies);
        drop(content);
        drop(replies);
    }
}

/// The way back of one late reply.
pub struct Late {
    place: Arc<ConnectionState>,
    mailbox: Arc<Mailbox>,
    room: Option<Room>,
}

impl Late {
    /// The way back to a connection, with room for the longest reply.
    pub fn new(place: &Arc<ConnectionState>, mailbox: &Arc<Mailbox>, room: Option<Room>) -> Self {
        mailbox.lock().expected += 1;
        Self { place: Arc::clone(place), mailbox: Arc::clone(mailbox), room }
    }

    /// Hands a reply over.
    pub fn send(mut self, reply: &[u8]) {
        let room = self.room.take();
        if self.mailbox.lock().is_closed {
            return;
        }
        let octets = [&(reply.len() as u16).to_be_bytes(), reply].concat();
        let waiting = Waiting::new(octets.into(), room);
        let mut content = self.mailbox.lock();
        if !content.is_closed {
            content.replies.push_back(waiting);
        }
    }
}

impl Drop for Late {
    fn drop(&mut self) {
        // Without a reply too: its connection must not wait for it.
        self.mailbox.lock().expected -= 1;
        self.place.wake();
    }
}
