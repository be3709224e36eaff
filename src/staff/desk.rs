//! The desk: where codes, PIN and tokens are judged, and sessions begin.
//!
//! One hash is computed at a time. A few may wait for it, on networks of staff and elsewhere apart:
//! a class that tries codes keeps a teacher waiting for those few at most.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Semaphore;

use crate::clients::client_id::ClientId;
use crate::policy::group::time::{Now, Trust};
use crate::staff::code::Code;
use crate::staff::codes::{CodeRequest, CodeState, Codes, IssuedCode, person};
use crate::staff::hash::Salt;
use crate::staff::refusal::StaffRefusal;
use crate::staff::sessions::{BoundTo, Role, Session, SessionId, Sessions};
use crate::staff::token::{Token, TokenFile};
use crate::staff::tries::Tries;
use crate::sys::state_dir::StateDir;

/// Those that wait for a hash on networks of staff, and elsewhere.
const WAITING: [usize; 2] = [16, 4];
/// The longest PIN or token that is looked at.
const MAX_SECRET: usize = 128;

/// A client that logs in.
#[derive(Debug, Clone)]
pub struct Caller {
    /// What a session of them is bound to.
    pub bound: BoundTo,
    /// Whether they are on a network of staff.
    pub is_staff: bool,
}

impl Caller {
    fn number(&self) -> u64 {
        ClientId::of(self.bound.client).number()
    }
}

/// Codes, tokens, tries and sessions of a gateway.
pub struct Desk {
    codes: Codes,
    technician: TokenFile,
    inspector: TokenFile,
    tries: Mutex<Tries>,
    sessions: Mutex<Sessions>,
    hashing: Semaphore,
    waiting: [Semaphore; 2],
}

impl Desk {
    /// The desk of a gateway with this state directory. The tokens of technician and inspector are
    /// files in it, made where they are not there and somebody is to use them.
    pub fn open(state: Option<&StateDir>, has_portal: bool) -> Self {
        let state_of_tokens = state.filter(|_| has_portal);
        let token = |file| TokenFile::open(state_of_tokens.map(|state| state.join(file)));
        Self {
            codes: Codes::open(state.cloned()),
            technician: token(Token::TECHNICIAN),
            inspector: token(Token::INSPECTOR),
            tries: Mutex::default(),
            sessions: Mutex::default(),
            hashing: Semaphore::new(1),
            waiting: WAITING.map(Semaphore::new),
        }
    }

    /// The codes and the PIN.
    pub fn codes(&self) -> &Codes {
        &self.codes
    }

    /// Reads again what could not be read; true where nothing is left to read.
    pub fn read_again(&self) -> bool {
        let tokens = self.technician.read_again() & self.inspector.read_again();
        self.codes.read_again() & tokens
    }

    /// Issues codes, when no other hash is computed.
    ///
    /// # Errors
    ///
    /// [`StaffRefusal`].
    pub async fn issue(
        self: &Arc<Self>,
        request: CodeRequest,
        who: String,
        now: Now,
    ) -> Result<Vec<IssuedCode>, StaffRefusal> {
        if now.trust == Trust::Untrusted {
            return Err(StaffRefusal::Clock);
        }
        self.alone(true, move |desk| desk.codes.issue(&request, &who, now.civil)).await?
    }

    /// Sets the PIN, or removes it; whoever logged in with the one before is known no more.
    ///
    /// # Errors
    ///
    /// [`StaffRefusal`].
    pub async fn set_pin(
        self: &Arc<Self>,
        pin: Option<String>,
        who: String,
        civil: u64,
    ) -> Result<(), StaffRefusal> {
        let set = move |desk: &Self| desk.codes.set_pin(pin.as_deref(), &who, civil);
        self.alone(true, set).await??;
        self.tries().forget_pin();
        self.sessions().end_of_pin();
        Ok(())
    }

    /// Revokes a code; whoever used it is known no more.
    ///
    /// # Errors
    ///
    /// [`StaffRefusal`].
    pub fn revoke(&self, id: u64, who: &str, civil: u64) -> Result<CodeState, StaffRefusal> {
        let revoked = self.codes.revoke(id, who, civil)?;
        self.sessions().end_of_code(id);
        Ok(revoked)
    }

    /// A session for a code; `name` is asked where the code names nobody.
    ///
    /// # Errors
    ///
    /// [`StaffRefusal`].
    pub async fn with_code(
        self: &Arc<Self>,
        (typed, name): (&str, &str),
        caller: &Caller,
        now: Now,
    ) -> Result<SessionId, StaffRefusal> {
        let code = Code::read(typed).ok_or(StaffRefusal::Mistyped)?;
        if now.trust == Trust::Untrusted {
            return Err(StaffRefusal::Clock);
        }
        self.codes.known()?;
        self.begin_try(caller, now)?;
        let salt = self.codes.salt().ok_or(StaffRefusal::Wrong)?;
        let hash = self.hash(caller, salt, code.octets().to_vec()).await?;
        let taken = self.codes.take(&hash, name, now.civil)?;
        let session = Session {
            role: Role::Teacher,
            by: format!("{} (code {})", taken.by, taken.id),
            room: Some(taken.room.clone()),
            code: Some(taken.id),
        };
        let life = taken.until.saturating_sub(now.civil);
        Ok(self.begin_session(session, caller, life, now))
    }

    /// A session for the PIN, on a network of staff, for a room that there is.
    ///
    /// # Errors
    ///
    /// [`StaffRefusal`].
    pub async fn with_pin(
        self: &Arc<Self>,
        (pin, name, room): (&str, &str, &str),
        caller: &Caller,
        now: Now,
    ) -> Result<SessionId, StaffRefusal> {
        if !caller.is_staff {
            return Err(StaffRefusal::NotStaff);
        }
        let name = person(name)?.to_owned();
        self.codes.known()?;
        let salt = self.codes.pin_salt().ok_or(StaffRefusal::NoPin)?;
        if pin.len() > MAX_SECRET {
            return Err(StaffRefusal::Wrong);
        }
        self.begin_try(caller, now)?;
        self.tries().begin_pin(now.mono).map_err(waiting)?;
        let hash = self.hash(caller, salt, pin.trim().as_bytes().to_vec()).await?;
        if !self.codes.is_pin(&hash) {
            return Err(StaffRefusal::Wrong);
        }
        self.tries().pin_was_right();
        let (by, room) = (format!("{name} (PIN)"), Some(room.to_owned()));
        let session = Session { role: Role::Teacher, by, room, code: None };
        Ok(self.begin_session(session, caller, u64::MAX, now))
    }

    /// A session for a token, on a network of staff.
    ///
    /// # Errors
    ///
    /// [`StaffRefusal`].
    pub fn with_token(
        &self,
        role: Role,
        (token, name): (&str, &str),
        caller: &Caller,
        now: Now,
    ) -> Result<SessionId, StaffRefusal> {
        if !caller.is_staff {
            return Err(StaffRefusal::NotStaff);
        }
        let (own, by) = match role {
            Role::Technician => (&self.technician, format!("{} (technician)", person(name)?)),
            Role::Inspector => (&self.inspector, String::new()),
            Role::Teacher => return Err(StaffRefusal::Wrong),
        };
        if let Some(file) = own.unread() {
            return Err(StaffRefusal::UnreadToken { file });
        }
        self.begin_try(caller, now)?;
        let given = token.trim();
        let is_right = given.len() <= MAX_SECRET && own.get().is_some_and(|own| own.is(given));
        if !is_right {
            return Err(StaffRefusal::Wrong);
        }
        let session = Session { role, by, room: None, code: None };
        Ok(self.begin_session(session, caller, u64::MAX, now))
    }

    /// The session of a cookie at a client, from which it goes on.
    pub fn session(&self, cookie: &str, bound: &BoundTo, now: Now) -> Option<Session> {
        self.sessions().find(SessionId::read(cookie)?, bound, now.mono)
    }

    /// Ends the session of a cookie.
    pub fn leave(&self, cookie: &str) {
        if let Some(id) = SessionId::read(cookie) {
            self.sessions().end(id);
        }
    }

    fn begin_try(&self, caller: &Caller, now: Now) -> Result<(), StaffRefusal> {
        self.tries().begin(caller.number(), caller.is_staff, now.mono).map_err(waiting)
    }

    fn begin_session(&self, session: Session, caller: &Caller, life: u64, now: Now) -> SessionId {
        self.tries().succeeded(caller.number(), caller.is_staff);
        let id = SessionId::fresh();
        self.sessions().begin(id, session, caller.bound.clone(), (life, now.mono));
        id
    }

    async fn hash(
        self: &Arc<Self>,
        caller: &Caller,
        salt: Salt,
        secret: Vec<u8>,
    ) -> Result<String, StaffRefusal> {
        let hash = self.alone(caller.is_staff, move |_| salt.hash(&secret)).await?;
        hash.ok_or(StaffRefusal::Busy)
    }

    /// Does work with hashes on a thread of its own, when no other is done.
    async fn alone<T: Send + 'static>(
        self: &Arc<Self>,
        is_staff: bool,
        work: impl FnOnce(&Self) -> T + Send + 'static,
    ) -> Result<T, StaffRefusal> {
        let [staff, others] = &self.waiting;
        let place = if is_staff { staff } else { others };
        let _place = place.try_acquire().map_err(|_| StaffRefusal::Busy)?;
        let _alone = self.hashing.acquire().await.map_err(|_| StaffRefusal::Busy)?;
        let desk = Arc::clone(self);
        let done = tokio::task::spawn_blocking(move || work(&desk)).await;
        done.map_err(|_| StaffRefusal::Busy)
    }

    fn tries(&self) -> MutexGuard<'_, Tries> {
        self.tries.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn sessions(&self) -> MutexGuard<'_, Sessions> {
        self.sessions.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn waiting(seconds: u64) -> StaffRefusal {
    StaffRefusal::Wait { minutes: seconds.div_ceil(60) }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOON: u64 = 1_800_000_000;

    fn now(mono: u64, civil: u64) -> Now {
        Now { mono, civil, trust: Trust::Plausible }
    }

    fn caller(client: u8, is_staff: bool) -> Caller {
        let bound = BoundTo { client: [127, 0, 10, client].into(), group: "room3".into() };
        Caller { bound, is_staff }
    }

    async fn code(desk: &Arc<Desk>, at: Now) -> String {
        let request = CodeRequest {
            room: "room3".into(),
            by: String::new(),
            from: None,
            until: at.civil + 3600,
            count: 1,
        };
        desk.issue(request, "admin".into(), at).await.unwrap()[0].code.clone()
    }

    #[tokio::test]
    async fn a_clock_that_jumps_ends_no_session_and_lets_no_code_into_another_day() {
        let desk = Arc::new(Desk::open(None, false));
        let (first, second) = (code(&desk, now(10, NOON)).await, code(&desk, now(10, NOON)).await);
        let lan = caller(1, false);
        let id = desk.with_code((&first, "Lan"), &lan, now(20, NOON)).await.unwrap().text();
        for civil in [0, NOON - 86_400, NOON + 86_400, u64::MAX] {
            let session = desk.session(&id, &lan.bound, now(21, civil)).unwrap();
            assert_eq!((session.by.as_str(), session.code), ("Lan (code 1)", Some(1)));
        }
        let at = |civil| desk.with_code((&second, "Lan"), &lan, now(22, civil));
        assert_eq!(at(NOON - 1).await.err(), Some(StaffRefusal::NotNow));
        assert_eq!(at(NOON + 3600).await.err(), Some(StaffRefusal::Wrong));
        let unknown = Now { trust: Trust::Untrusted, ..now(22, NOON) };
        let refused = desk.with_code((&second, "Lan"), &lan, unknown).await;
        assert_eq!(refused.err(), Some(StaffRefusal::Clock));
        assert!(at(NOON).await.is_ok());
        // By the clock that does not jump it ends.
        assert_eq!(desk.session(&id, &lan.bound, now(21 + 600, NOON)), None);
    }

    #[tokio::test]
    async fn a_code_is_taken_once_whoever_comes_at_the_same_time() {
        let desk = Arc::new(Desk::open(None, false));
        let code = code(&desk, now(10, NOON)).await;
        let (lan, binh) = (caller(1, true), caller(2, true));
        let (one, two) = tokio::join!(
            desk.with_code((&code, "Lan"), &lan, now(20, NOON)),
            desk.with_code((&code, "Bình"), &binh, now(20, NOON)),
        );
        let refused: Vec<StaffRefusal> = [one.err(), two.err()].into_iter().flatten().collect();
        assert_eq!(refused, [StaffRefusal::Used]);
    }
}
