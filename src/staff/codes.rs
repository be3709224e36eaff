//! The codes of teachers and the PIN, as hashes in a file of the state directory.
//!
//! All codes have one salt, so that what is typed is hashed once, however many codes there are: they
//! have 45 random bits each, and nothing that a table of common passwords has.
//!
//! Law: a code is good once. Where its use cannot be recorded it is refused, for a restart would make
//! it good again. Without a state directory codes live as long as the process.

use std::sync::{Mutex, MutexGuard, PoisonError};

use serde::{Deserialize, Serialize};
use tracing::warn;

use crate::overrides::ledger::{self, ChangeLine, LedgerEntry};
use crate::staff::code::Code;
use crate::staff::hash::{Salt, is_same};
use crate::staff::refusal::StaffRefusal;
pub use crate::staff::stored::{CodeState, FILE};
use crate::staff::stored::{CodesFile, OnDisk, StoredCode, StoredPin};
use crate::sys::read;
use crate::sys::state_dir::StateDir;
use crate::sys::state_dir::kept_file::{KeptFile, Unread};

/// Codes at one time, those that were used today among them.
const MOST: usize = 256;
/// Codes of one request.
const MOST_AT_ONCE: usize = 40;
/// The longest time of a code, in seconds: a day, and the hour by which one may be longer.
const DAY: u64 = 25 * 3600;
/// The time ahead for which codes are issued, in seconds.
const AHEAD: u64 = 60 * 86_400;
/// Digits of a PIN.
const PIN_DIGITS: std::ops::RangeInclusive<usize> = 6..=12;
/// The most characters of a person's name; what the ledger gets is a little longer.
const MAX_PERSON: usize = 60;

/// What is asked for: the body of `POST /api/codes`.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CodeRequest {
    /// The group that they are for.
    pub room: String,
    /// The person that they are handed to; empty where the person gives a name.
    #[serde(default)]
    pub by: String,
    /// The civil second from which they are good; from now without one.
    #[serde(default)]
    pub from: Option<u64>,
    /// The civil second at which they end.
    pub until: u64,
    /// How many.
    #[serde(default = "one")]
    pub count: usize,
}

fn one() -> usize {
    1
}

/// A code that was just made: the only moment at which it can be read.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct IssuedCode {
    /// The code, as it is typed.
    pub code: String,
    /// What it is for.
    #[serde(flatten)]
    pub state: CodeState,
}

/// The codes and the PIN of a gateway.
#[derive(Debug)]
pub struct Codes {
    state: Option<StateDir>,
    stored: Mutex<CodesFile>,
    /// The file of an earlier process that cannot be read now.
    unread: Mutex<Option<Unread>>,
}

impl Codes {
    /// Reads the codes of an earlier process. While their file cannot be read there are none, and none can be
    /// issued, used or revoked.
    pub fn open(state: Option<StateDir>) -> Self {
        let kept = state
            .as_ref()
            .map_or(KeptFile::Absent, |state| KeptFile::json(&state.join(FILE), read::MAX_TEXT));
        let (stored, unread) = CodesFile::of(kept);
        Self { state, stored: Mutex::new(stored), unread: Mutex::new(unread) }
    }

    /// Reads again what could not be read; true where nothing is left to read.
    pub fn read_again(&self) -> bool {
        let slot = || self.unread.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(file) = slot().take() else { return true };
        // Without a lock: a disk may take long to answer.
        let (stored, unread) = CodesFile::of(file.again());
        let is_read = unread.is_none();
        *slot() = unread;
        *self.lock() = stored;
        is_read
    }

    /// Refuses where it cannot be known which codes there are.
    ///
    /// # Errors
    ///
    /// [`StaffRefusal::Unread`].
    pub(super) fn known(&self) -> Result<(), StaffRefusal> {
        if self.lock().on_disk == OnDisk::Unread { Err(StaffRefusal::Unread) } else { Ok(()) }
    }

    /// True where they outlive the process.
    pub fn are_kept(&self) -> bool {
        self.state.is_some()
    }

    /// The last changes that people made, the newest first; none without a state directory.
    pub fn changes(&self) -> Vec<ChangeLine> {
        self.state.as_ref().map(ledger::last).unwrap_or_default()
    }

    /// Those that have not ended.
    pub fn list(&self, civil: u64) -> Vec<CodeState> {
        let stored = self.lock();
        let open = stored.codes.iter().filter(|one| civil < one.state.until);
        open.map(|one| one.state.clone()).collect()
    }

    /// Issues codes for a room that there is; they are hashed here, which takes a while.
    ///
    /// # Errors
    ///
    /// [`StaffRefusal`]; none was issued.
    pub fn issue(
        &self,
        request: &CodeRequest,
        who: &str,
        civil: u64,
    ) -> Result<Vec<IssuedCode>, StaffRefusal> {
        let by = match request.by.trim() {
            "" => "",
            by => person(by)?,
        };
        let from = request.from.unwrap_or(civil);
        let is_day = (from..from.saturating_add(DAY)).contains(&request.until)
            && request.until > civil.max(from)
            && from <= civil.saturating_add(AHEAD);
        if !is_day {
            return Err(StaffRefusal::Time);
        }
        if !(1..=MOST_AT_ONCE).contains(&request.count) {
            return Err(StaffRefusal::CodeCount { most: MOST_AT_ONCE });
        }
        self.known()?;
        let salt = self.lock().salt.get_or_insert_with(Salt::fresh).clone();
        let secrets: Option<Vec<(Code, String)>> = (0..request.count)
            .map(|_| {
                let code = Code::of(rand::random());
                salt.hash(code.octets()).map(|hash| (code, hash))
            })
            .collect();
        let secrets = secrets.ok_or(StaffRefusal::Busy)?;
        let mut stored = self.lock();
        let before = stored.clone();
        stored.codes.retain(|one| civil < one.state.until);
        if stored.codes.len() + secrets.len() > MOST {
            return Err(StaffRefusal::TooManyCodes { most: MOST });
        }
        let mut issued = Vec::new();
        for (code, hash) in secrets {
            stored.next += 1;
            let state = CodeState {
                id: stored.next,
                room: request.room.clone(),
                by: by.to_owned(),
                from,
                until: request.until,
                used: None,
            };
            issued.push(IssuedCode { code: code.shown(), state: state.clone() });
            stored.codes.push(StoredCode { state, hash });
        }
        self.save(&mut stored, before)?;
        drop(stored);
        for one in &issued {
            self.record("issue_code", who, &one.state, civil);
        }
        Ok(issued)
    }

    /// Revokes a code, whether it was used or not.
    ///
    /// # Errors
    ///
    /// [`StaffRefusal`].
    pub fn revoke(&self, id: u64, who: &str, civil: u64) -> Result<CodeState, StaffRefusal> {
        self.known()?;
        let mut stored = self.lock();
        let before = stored.clone();
        let place = stored.codes.iter().position(|one| one.state.id == id);
        let place = place.ok_or(StaffRefusal::NoCode { id })?;
        let revoked = stored.codes.remove(place).state;
        self.save(&mut stored, before)?;
        drop(stored);
        self.record("revoke_code", who, &revoked, civil);
        Ok(revoked)
    }

    /// The salt of codes; none before the first was issued.
    pub(super) fn salt(&self) -> Option<Salt> {
        self.lock().salt.clone()
    }

    /// Takes the code of a hash: it is good no more. One that was handed to nobody by name gets the
    /// name of the person that uses it.
    ///
    /// # Errors
    ///
    /// [`StaffRefusal`]; the code is as good as before.
    pub(super) fn take(
        &self,
        hash: &str,
        name: &str,
        civil: u64,
    ) -> Result<CodeState, StaffRefusal> {
        self.known()?;
        let mut stored = self.lock();
        let before = stored.clone();
        let mut places = stored.codes.iter_mut().filter(|one| is_same(&one.hash, hash));
        let found = places.next().ok_or(StaffRefusal::Wrong)?;
        let state = &mut found.state;
        match () {
            () if civil >= state.until => return Err(StaffRefusal::Wrong),
            () if state.used.is_some() => return Err(StaffRefusal::Used),
            () if civil < state.from => return Err(StaffRefusal::NotNow),
            () if state.by.is_empty() => person(name)?.clone_into(&mut state.by),
            () => {}
        }
        state.used = Some(civil);
        let taken = state.clone();
        self.save(&mut stored, before)?;
        Ok(taken)
    }

    /// True where a PIN is set.
    pub fn has_pin(&self) -> bool {
        self.lock().pin.is_some()
    }

    /// Sets the PIN, or removes it; it is hashed here, which takes a while.
    ///
    /// # Errors
    ///
    /// [`StaffRefusal`].
    pub fn set_pin(&self, pin: Option<&str>, who: &str, civil: u64) -> Result<(), StaffRefusal> {
        let next = match pin {
            None => None,
            Some(pin) if is_strong(pin) => {
                let salt = Salt::fresh();
                let hash = salt.hash(pin.as_bytes()).ok_or(StaffRefusal::Busy)?;
                Some(StoredPin { salt, hash })
            }
            Some(_) => return Err(StaffRefusal::WeakPin),
        };
        let mut stored = self.lock();
        let before = stored.clone();
        stored.pin = next;
        self.save(&mut stored, before)?;
        drop(stored);
        let action = if pin.is_some() { "set_pin" } else { "remove_pin" };
        self.record(action, who, &serde_json::json!({}), civil);
        Ok(())
    }

    /// The salt of the PIN; none where no PIN is set.
    pub(super) fn pin_salt(&self) -> Option<Salt> {
        self.lock().pin.as_ref().map(|pin| pin.salt.clone())
    }

    /// Whether a hash is that of the PIN.
    pub(super) fn is_pin(&self, hash: &str) -> bool {
        self.lock().pin.as_ref().is_some_and(|pin| is_same(&pin.hash, hash))
    }

    fn lock(&self) -> MutexGuard<'_, CodesFile> {
        self.stored.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Writes the file; where that fails nothing has changed.
    fn save(&self, stored: &mut CodesFile, before: CodesFile) -> Result<(), StaffRefusal> {
        let Some(state) = &self.state else { return Ok(()) };
        if stored.on_disk == OnDisk::Unread {
            *stored = before;
            return Err(StaffRefusal::Unread);
        }
        stored.write(state).map_err(|error| {
            warn!(%error, "{FILE} cannot be written: no code is issued, used or revoked");
            *stored = before;
            StaffRefusal::Disk
        })
    }

    fn record<T: Serialize>(&self, action: &'static str, who: &str, what: &T, at: u64) {
        let Some(state) = &self.state else { return };
        ledger::write(state, &LedgerEntry::new(at, action, who, what));
    }
}

/// The name of a person, of which the ledger gets a little more.
///
/// # Errors
///
/// [`StaffRefusal::NoOne`].
pub fn person(name: &str) -> Result<&str, StaffRefusal> {
    let name = name.trim();
    let is_name = (1..=MAX_PERSON).contains(&name.chars().count())
        && !name.chars().any(|one| one.is_control() || is_bidi(one));
    if is_name { Ok(name) } else { Err(StaffRefusal::NoOne) }
}

/// Whether a character turns the direction of what stands behind it.
fn is_bidi(one: char) -> bool {
    matches!(one, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// Whether a PIN is long enough and not the first that anybody guesses.
fn is_strong(pin: &str) -> bool {
    let digits: Vec<i32> =
        pin.bytes().filter(u8::is_ascii_digit).map(|digit| i32::from(digit - b'0')).collect();
    let is_row = |step: i32| digits.windows(2).all(|two| matches!(two, [a, b] if b - a == step));
    digits.len() == pin.len()
        && PIN_DIGITS.contains(&digits.len())
        && !(is_row(0) || is_row(1) || is_row(-1))
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: u64 = 1_800_000_000;

    fn request(until: u64) -> CodeRequest {
        let (room, by) = ("room3".to_owned(), "Lan".to_owned());
        CodeRequest { room, by, from: None, until, count: 1 }
    }

    fn hash(codes: &Codes, code: &str) -> String {
        let code = Code::read(code).unwrap();
        codes.salt().unwrap().hash(code.octets()).unwrap()
    }

    #[test]
    fn a_code_is_good_once_also_after_a_restart_and_its_file_does_not_have_it() {
        let scratch = tempfile::tempdir().unwrap();
        let state = StateDir::at(scratch.path().to_owned()).unwrap();
        let codes = Codes::open(Some(state.clone()));
        let issued = codes.issue(&request(NOW + 3600), "admin", NOW).unwrap();
        let code = issued[0].code.clone();
        let text = std::fs::read_to_string(state.join(FILE)).unwrap();
        assert!(!text.contains(&code) && !text.contains(&code.replace('-', "")), "{text}");
        let codes = Codes::open(Some(state.clone()));
        let hash = hash(&codes, &code);
        assert_eq!(codes.take(&hash, "", NOW + 3600), Err(StaffRefusal::Wrong));
        assert_eq!(codes.take(&hash, "", NOW + 5).unwrap().used, Some(NOW + 5));
        assert_eq!(codes.take(&hash, "", NOW + 6), Err(StaffRefusal::Used));
        let codes = Codes::open(Some(state.clone()));
        assert_eq!(codes.take(&hash, "", NOW + 6), Err(StaffRefusal::Used));
        assert_eq!(codes.revoke(issued[0].state.id, "admin", NOW).unwrap().room, "room3");
        assert_eq!(codes.take(&hash, "", NOW + 6), Err(StaffRefusal::Wrong));
        let ledger = std::fs::read_to_string(state.join("ledger.jsonl")).unwrap();
        let actions: Vec<&str> = ledger.lines().filter_map(|line| line.split('"').nth(9)).collect();
        assert_eq!(actions, ["issue_code", "revoke_code"]);
        // A damaged file makes no code good again, and no number is given twice.
        state.replace(FILE, b"{").unwrap();
        let codes = Codes::open(Some(state.clone()));
        assert!(codes.list(NOW).is_empty());
        assert!(codes.issue(&request(NOW + 60), "admin", NOW).unwrap()[0].state.id > 2);
        assert_eq!(std::fs::read_to_string(state.join("codes.json.broken")).unwrap(), "{");
    }

    #[test]
    fn codes_that_cannot_be_read_are_not_written_over_and_are_good_when_they_can_be() {
        let scratch = tempfile::tempdir().unwrap();
        let state = StateDir::at(scratch.path().join("state")).unwrap();
        let codes = Codes::open(Some(state.clone()));
        let issued = codes.issue(&request(NOW + 3600), "admin", NOW).unwrap();
        codes.set_pin(Some("602214"), "admin", NOW).unwrap();
        let hash = hash(&codes, &issued[0].code);
        let (file, aside) = (state.join(FILE), state.join("aside"));
        std::fs::rename(&file, &aside).unwrap();
        std::fs::create_dir(&file).unwrap();
        let codes = Codes::open(Some(state));
        let refused = Some(StaffRefusal::Unread);
        assert_eq!(codes.issue(&request(NOW + 60), "admin", NOW).err(), refused);
        assert_eq!(codes.set_pin(None, "admin", NOW).err(), refused);
        assert_eq!(codes.revoke(issued[0].state.id, "admin", NOW).err(), refused);
        assert_eq!(codes.take(&hash, "", NOW).err(), refused);
        assert!(!codes.read_again());
        std::fs::remove_dir(&file).unwrap();
        std::fs::rename(&aside, &file).unwrap();
        assert!(codes.read_again() && codes.read_again());
        assert!(codes.has_pin() && codes.take(&hash, "", NOW).is_ok());
    }

    #[test]
    fn what_cannot_be_recorded_is_refused_and_changes_nothing() {
        let scratch = tempfile::tempdir().unwrap();
        let state = StateDir::at(scratch.path().join("state")).unwrap();
        let codes = Codes::open(Some(state.clone()));
        let issued = codes.issue(&request(NOW + 3600), "admin", NOW).unwrap();
        let hash = hash(&codes, &issued[0].code);
        std::fs::remove_file(state.join(FILE)).unwrap();
        std::fs::create_dir(state.join(FILE)).unwrap();
        assert_eq!(codes.take(&hash, "", NOW), Err(StaffRefusal::Disk));
        assert_eq!(codes.list(NOW)[0].used, None);
        std::fs::remove_dir(state.join(FILE)).unwrap();
        assert!(codes.take(&hash, "", NOW).is_ok());
    }

    #[test]
    fn a_code_is_for_one_day_soon() {
        let codes = Codes::open(None);
        let issue = |from, until| {
            let request = CodeRequest { from, ..request(until) };
            codes.issue(&request, "admin", NOW).map(|issued| issued[0].state.from)
        };
        assert_eq!(issue(None, NOW), Err(StaffRefusal::Time));
        assert_eq!(issue(None, NOW + 26 * 3600), Err(StaffRefusal::Time));
        assert_eq!(issue(Some(NOW + 61 * 86_400), NOW + 61 * 86_400 + 60), Err(StaffRefusal::Time));
        assert_eq!(issue(Some(u64::MAX), u64::MAX), Err(StaffRefusal::Time));
        assert_eq!(issue(Some(NOW + 86_400), NOW + 2 * 86_400), Ok(NOW + 86_400));
        for count in [0, MOST_AT_ONCE + 1] {
            let many = CodeRequest { count, ..request(NOW + 60) };
            let refused = codes.issue(&many, "admin", NOW).unwrap_err();
            assert_eq!(refused, StaffRefusal::CodeCount { most: MOST_AT_ONCE });
        }
        let odd = CodeRequest { by: "\u{202e}naL".into(), ..request(NOW + 60) };
        assert_eq!(codes.issue(&odd, "admin", NOW).unwrap_err(), StaffRefusal::NoOne);
    }

    #[test]
    fn a_pin_is_not_the_first_that_anybody_guesses() {
        for pin in ["", "12345", "123456", "987654", "111111", "12a456", "1234567890123", "٣٣٣٣٤٥"]
        {
            assert!(!is_strong(pin), "{pin}");
        }
        assert!(is_strong("602214") && is_strong("112233"));
    }
}
