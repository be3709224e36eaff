//! Sessions of people that logged in, for a moment. In RAM only; a restart ends them all.
//!
//! ```text
//! log in ─▶ fresh id ─▶ cookie ─▶ each request: id, address and group are those of the log-in
//!                                   └─ idle for ten minutes, its life over, left, revoked ▶ ended
//! ```
//!
//! Law: an id is given at log-in, has 128 random bits, and is never taken from a client. Time is an
//! argument, and monotonic: a step of the civil clock ends no session, and lengthens none.

use std::net::IpAddr;

use crate::digest::hex;

/// The longest time without a request, in seconds.
const IDLE: u64 = 600;
/// The longest life, in seconds: a school day.
const LIFE: u64 = 12 * 3600;
/// Sessions at one time.
const MOST: usize = 128;
/// Those of one address.
const MOST_OF_CLIENT: usize = 8;

/// What somebody may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// Open something for one room, for some minutes.
    Teacher,
    /// Keep the gateway.
    Technician,
    /// Read what is enforced.
    Inspector,
}

/// One log-in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Session {
    /// What they may do.
    pub role: Role,
    /// The name that the ledger gets.
    pub by: String,
    /// The room of a teacher: a group.
    pub room: Option<String>,
    /// The code that it began with.
    pub code: Option<u64>,
}

/// What a session is bound to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BoundTo {
    /// The client's address.
    pub client: IpAddr,
    /// The group of the client.
    pub group: String,
}

/// The id of a session: 128 random bits.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct SessionId([u8; 16]);

impl SessionId {
    /// A fresh one.
    pub fn fresh() -> Self {
        Self(rand::random())
    }

    /// As a cookie has it.
    pub fn text(self) -> String {
        hex(&self.0)
    }

    /// Reads a cookie.
    pub fn read(text: &str) -> Option<Self> {
        let is_hex = text.len() == 32 && text.bytes().all(|octet| octet.is_ascii_hexdigit());
        let number = is_hex.then(|| u128::from_str_radix(text, 16).ok())??;
        Some(Self(number.to_be_bytes()))
    }

    /// Whether two are one, in constant time.
    fn is(self, other: Self) -> bool {
        self.0.iter().zip(other.0).fold(0, |odd, (a, b)| odd | (a ^ b)) == 0
    }
}

#[derive(Debug)]
struct Open {
    id: [u8; 16],
    session: Session,
    bound: BoundTo,
    ends: u64,
    last: u64,
}

impl Open {
    fn is_over(&self, now: u64) -> bool {
        now >= self.ends || now.saturating_sub(self.last) >= IDLE
    }
}

/// The sessions of a gateway.
#[derive(Debug, Default)]
pub struct Sessions(Vec<Open>);

impl Sessions {
    /// Begins a session of at most `life` seconds under an id that was never used.
    pub fn begin(
        &mut self,
        id: SessionId,
        session: Session,
        bound: BoundTo,
        (life, now): (u64, u64),
    ) {
        self.0.retain(|open| !open.is_over(now));
        let is_same = |open: &Open| open.bound.client == bound.client;
        if self.0.iter().filter(|open| is_same(open)).count() >= MOST_OF_CLIENT {
            self.drop_idlest(is_same);
        }
        if self.0.len() >= MOST {
            self.drop_idlest(|_| true);
        }
        let ends = now.saturating_add(life.min(LIFE));
        self.0.push(Open { id: id.0, session, bound, ends, last: now });
    }

    /// The session of an id at a client, from which it goes on.
    pub fn find(&mut self, id: SessionId, bound: &BoundTo, now: u64) -> Option<Session> {
        self.0.retain(|open| !open.is_over(now));
        let open = self.0.iter_mut().find(|open| id.is(SessionId(open.id)))?;
        if open.bound != *bound {
            return None;
        }
        open.last = now;
        Some(open.session.clone())
    }

    /// Ends a session.
    pub fn end(&mut self, id: SessionId) {
        self.0.retain(|open| !id.is(SessionId(open.id)));
    }

    /// Ends the sessions that began with a code.
    pub fn end_of_code(&mut self, code: u64) {
        self.0.retain(|open| open.session.code != Some(code));
    }

    /// Ends the sessions that began with the PIN.
    pub fn end_of_pin(&mut self) {
        self.0.retain(|open| open.session.role != Role::Teacher || open.session.code.is_some());
    }

    fn drop_idlest(&mut self, among: impl Fn(&Open) -> bool) {
        let candidates = self.0.iter().enumerate().filter(|(_, open)| among(open));
        let idlest = candidates.min_by_key(|(_, open)| open.last).map(|(place, _)| place);
        if let Some(place) = idlest {
            self.0.remove(place);
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn teacher() -> Session {
        let (by, room) = ("Lan".to_owned(), Some("room3".to_owned()));
        Session { role: Role::Teacher, by, room, code: Some(7) }
    }

    fn at(client: u8) -> BoundTo {
        BoundTo { client: [127, 0, 10, client].into(), group: "pupils".into() }
    }

    #[test]
    fn it_lives_while_it_is_used_and_ends_with_its_life() {
        let (mut sessions, id) = (Sessions::default(), SessionId::fresh());
        sessions.begin(id, teacher(), at(1), (3600, 100));
        let mut now = 100;
        while now < 3600 {
            assert_eq!(sessions.find(id, &at(1), now), Some(teacher()));
            now += IDLE - 1;
        }
        assert_eq!(sessions.find(id, &at(1), 3700), None);
        sessions.begin(id, teacher(), at(1), (u64::MAX, 100));
        assert!(sessions.find(id, &at(1), 100 + IDLE - 1).is_some());
        assert_eq!(sessions.find(id, &at(1), 99 + 2 * IDLE), None);
    }

    #[test]
    fn another_address_or_group_and_another_id_are_nobody() {
        let (mut sessions, id) = (Sessions::default(), SessionId::fresh());
        sessions.begin(id, teacher(), at(1), (3600, 0));
        assert_eq!(sessions.find(id, &at(2), 1), None);
        let moved = BoundTo { group: "staff".into(), ..at(1) };
        assert_eq!(sessions.find(id, &moved, 1), None);
        assert_eq!(sessions.find(SessionId::fresh(), &at(1), 1), None);
        assert!(sessions.find(id, &at(1), 1).is_some());
        sessions.end_of_code(7);
        assert_eq!(sessions.find(id, &at(1), 1), None);
    }

    #[test]
    fn an_id_is_read_as_it_is_written() {
        let id = SessionId::fresh();
        assert!(SessionId::read(&id.text()) == Some(id));
        for odd in ["", "0", &"g".repeat(32), &"0".repeat(33), &"+".repeat(32)] {
            assert!(SessionId::read(odd).is_none());
        }
    }

    proptest! {
        #[test]
        fn there_are_never_more_than_the_bound(clients in prop::collection::vec(any::<u8>(), 0..400)) {
            let mut sessions = Sessions::default();
            for (now, client) in clients.into_iter().enumerate() {
                let id = SessionId::fresh();
                sessions.begin(id, teacher(), at(client), (3600, now as u64));
                prop_assert!(sessions.find(id, &at(client), now as u64).is_some());
                prop_assert!(sessions.0.len() <= MOST);
                let of_client = sessions.0.iter().filter(|open| open.bound == at(client)).count();
                prop_assert!(of_client <= MOST_OF_CLIENT);
            }
        }
    }
}
