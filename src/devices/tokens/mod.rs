//! Tokens of DNS over HTTPS: the last part of a path names the group of the devices that ask there.
//!
//! ```text
//! lachan token add ▸ admin API ▸ DeviceTokens ┬▸ tokens.json   names, groups, hashes
//!                                       └▸ by hash       /dns-query/SECRET ▸ the group's name
//! ```
//!
//! Laws: a secret is shown once, to the person that has it made, and stored as a hash. A token is for a
//! group of devices, never for a child: nothing is counted, logged or remembered of the use of one. A
//! change acts at once. A file that cannot be read must never be written over.

pub mod refusal;
pub mod secret;

use std::io;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use arc_swap::ArcSwap;
use serde::{Deserialize, Serialize};
use tracing::{error, warn};

use crate::devices::tokens::refusal::TokenRefusal;
use crate::devices::tokens::secret::{TokenHash, TokenSecret};
use crate::metrics::counters::{Counters, Event};
use crate::overrides::ledger::{self, LedgerEntry};
use crate::sys::read::MAX_TEXT;
use crate::sys::state_dir::StateDir;
use crate::sys::state_dir::kept_file::{KeptFile, Unread};

/// The file, in the state directory.
pub const FILE: &str = "tokens.json";
/// The path before a secret.
const PATH: &str = "/dns-query/";
/// The most tokens: one for each group of devices that are set up together.
const MOST: usize = 256;
/// The most characters of a name.
const MOST_CHARACTERS: usize = 32;
/// The longest time that a secret outlives its successor, in days: a school holiday.
const MOST_DAYS: u64 = 120;
/// Stands for no end.
const NEVER: u64 = u64::MAX;

/// What is asked for: the body of `POST /api/tokens`.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TokenRequest {
    /// Its name, for people.
    pub name: String,
    /// The group of the devices.
    pub group: String,
}

/// A token without its secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TokenState {
    /// Its name.
    pub name: String,
    /// The group of the devices that have it.
    pub group: String,
    /// The civil second at which its secret was made.
    pub created: u64,
    /// The civil second until which the secret before it is good; none where it is not.
    #[serde(default)]
    pub old_until: Option<u64>,
}

/// A token whose secret was just made: the only moment at which it can be read.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct IssuedToken {
    /// The secret.
    pub token: String,
    /// The path with it.
    pub path: String,
    /// What it is for.
    #[serde(flatten)]
    pub state: TokenState,
    /// True where it outlives a restart.
    pub is_kept: bool,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
struct StoredToken {
    #[serde(flatten)]
    state: TokenState,
    hash: TokenHash,
    #[serde(default)]
    old_hash: Option<TokenHash>,
}

/// The content of the file.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
struct TokensFile {
    tokens: Vec<StoredToken>,
}

/// The tokens, and where they are stored.
#[derive(Debug, Default)]
struct TokenStore {
    state: Option<StateDir>,
    file: TokensFile,
    /// What is wrong with the file of an earlier life.
    damage: Option<String>,
    /// Whether that file cannot be read now.
    is_unread: bool,
}

/// The tokens of a gateway.
#[derive(Debug)]
pub struct DeviceTokens {
    store: Mutex<TokenStore>,
    /// The file that cannot be read now.
    unread: Mutex<Option<Unread>>,
    /// The group of each hash, by hash.
    by_hash: ArcSwap<Vec<(TokenHash, Arc<str>)>>,
    /// The next civil second at which an old secret ends.
    next_end: AtomicU64,
    counters: Arc<Counters>,
}

impl DeviceTokens {
    /// No tokens, and none are stored; refused ones are counted in `counters`.
    pub fn new(counters: Arc<Counters>) -> Self {
        Self {
            store: Mutex::default(),
            unread: Mutex::default(),
            by_hash: ArcSwap::default(),
            next_end: AtomicU64::new(NEVER),
            counters,
        }
    }

    /// Reads the tokens of an earlier process; from now on they are stored in `state`. Where the file
    /// is damaged there are none, and none can be made until it is mended or removed; where it cannot be read now,
    /// until it can be.
    pub fn open(&self, state: &StateDir) {
        self.lock().state = Some(state.clone());
        self.take(KeptFile::json(&state.join(FILE), MAX_TEXT));
    }

    /// Reads again what could not be read; true where nothing is left to read.
    pub fn read_again(&self) -> bool {
        let Some(file) = self.unread().take() else { return true };
        // Without a lock: a disk may take long to answer.
        self.take(file.again());
        self.unread().is_none()
    }

    /// Puts what the file says in force.
    fn take(&self, kept: KeptFile<TokensFile>) {
        let mut store = self.lock();
        store.is_unread = false;
        match kept {
            KeptFile::Good(file) => {
                store.file = file;
                // A person may have edited it: they are searched by name.
                store.file.tokens.sort_by(|a, b| a.state.name.cmp(&b.state.name));
            }
            KeptFile::Absent => {}
            KeptFile::Bad(fault) => {
                error!(%fault, "{FILE} is damaged: no token is good until it is mended");
                store.damage = Some(fault);
            }
            KeptFile::Unread(file) => {
                store.is_unread = true;
                *self.unread() = Some(file);
            }
        }
        self.publish(&store);
    }

    /// The name of the group of a token, as it stands in a path; a text that is none is counted.
    ///
    /// The time of a look-up says nothing of a secret: what is compared is the hash of what was sent.
    pub fn group_of(&self, token: &str) -> Option<Arc<str>> {
        let found = TokenSecret::read(token).and_then(|secret| {
            let (hash, groups) = (secret.hash(), self.by_hash.load());
            let place = groups.binary_search_by(|(other, _)| other.cmp(&hash)).ok()?;
            groups.get(place).map(|(_, group)| Arc::clone(group))
        });
        if found.is_none() {
            self.counters.event(Event::TokenRefused);
        }
        found
    }

    /// The name of the group of the token with this name.
    pub fn named(&self, name: &str) -> Option<String> {
        let store = self.lock();
        let found = store.file.tokens.iter().find(|one| one.state.name == name);
        found.map(|one| one.state.group.clone())
    }

    /// All of them, by name.
    pub fn list(&self) -> Vec<TokenState> {
        self.lock().file.tokens.iter().map(|one| one.state.clone()).collect()
    }

    /// What is wrong with the file of an earlier life.
    pub fn damage(&self) -> Option<String> {
        self.lock().damage.clone()
    }

    /// Makes a token of a group that there is.
    ///
    /// # Errors
    ///
    /// [`TokenRefusal`]; nothing has changed.
    pub fn add(
        &self,
        request: &TokenRequest,
        who: &str,
        civil: u64,
    ) -> Result<IssuedToken, TokenRefusal> {
        let name = request.name.as_str();
        if !is_name(name) {
            return Err(TokenRefusal::Name { given: name.chars().take(MOST_CHARACTERS).collect() });
        }
        let secret = TokenSecret::fresh();
        let state = TokenState {
            name: name.to_owned(),
            group: request.group.clone(),
            created: civil,
            old_until: None,
        };
        let stored = StoredToken { state: state.clone(), hash: secret.hash(), old_hash: None };
        let mut store = self.lock();
        match store.file.tokens.binary_search_by(|one| one.state.name.as_str().cmp(name)) {
            Ok(_) => return Err(TokenRefusal::Taken { name: name.to_owned() }),
            Err(_) if store.file.tokens.len() >= MOST => {
                return Err(TokenRefusal::TooMany { most: MOST });
            }
            Err(place) => {
                self.change(&mut store, |tokens| tokens.insert(place, stored))?;
            }
        }
        record(&store, "add_token", (who, civil), &state);
        Ok(issued(&store, &secret, state))
    }

    /// Makes a token good no more, and the secret before it.
    ///
    /// # Errors
    ///
    /// [`TokenRefusal`]; nothing has changed.
    pub fn revoke(&self, name: &str, who: &str, civil: u64) -> Result<TokenState, TokenRefusal> {
        let mut store = self.lock();
        let place = place_of(&store, name)?;
        let state = store.file.tokens[place].state.clone();
        self.change(&mut store, |tokens| drop(tokens.remove(place)))?;
        record(&store, "revoke_token", (who, civil), &state);
        Ok(state)
    }

    /// Gives a token another secret. The one before it is good no more, or for `keep_old` seconds
    /// beside it; an even older one ends in any case.
    ///
    /// # Errors
    ///
    /// [`TokenRefusal`]; nothing has changed.
    pub fn rotate(
        &self,
        name: &str,
        keep_old: u64,
        who: &str,
        civil: u64,
    ) -> Result<IssuedToken, TokenRefusal> {
        if keep_old > MOST_DAYS * 86_400 {
            return Err(TokenRefusal::TooLong { days: MOST_DAYS });
        }
        let mut store = self.lock();
        let place = place_of(&store, name)?;
        let secret = TokenSecret::fresh();
        let mut next = store.file.tokens[place].clone();
        next.old_hash = (keep_old > 0).then_some(next.hash);
        next.state.old_until = (keep_old > 0).then(|| civil.saturating_add(keep_old));
        (next.hash, next.state.created) = (secret.hash(), civil);
        let state = next.state.clone();
        self.change(&mut store, |tokens| tokens[place] = next)?;
        record(&store, "rotate_token", (who, civil), &state);
        Ok(issued(&store, &secret, state))
    }

    /// Ends old secrets whose time is over.
    pub fn expire(&self, civil: u64) {
        if civil < self.next_end.load(Ordering::Relaxed) {
            return;
        }
        let mut store = self.lock();
        for token in &mut store.file.tokens {
            if token.state.old_until.is_some_and(|until| until <= civil) {
                (token.state.old_until, token.old_hash) = (None, None);
            }
        }
        self.publish(&store);
        // They end whether the disk takes it or not: the next life ends them again.
        if let Err(error) = save(&store) {
            warn!(%error, "{FILE} cannot be written");
        }
    }

    fn lock(&self) -> MutexGuard<'_, TokenStore> {
        self.store.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn unread(&self) -> MutexGuard<'_, Option<Unread>> {
        self.unread.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Changes the tokens, in the file first; where that fails nothing has changed.
    fn change(
        &self,
        store: &mut TokenStore,
        change: impl FnOnce(&mut Vec<StoredToken>),
    ) -> Result<(), TokenRefusal> {
        match () {
            () if store.is_unread => return Err(TokenRefusal::Unread),
            () if store.damage.is_some() => return Err(TokenRefusal::Damaged),
            () => {}
        }
        let before = store.file.clone();
        change(&mut store.file.tokens);
        if let Err(error) = save(store) {
            warn!(%error, "{FILE} cannot be written: no token is made, changed or revoked");
            store.file = before;
            return Err(TokenRefusal::Disk);
        }
        self.publish(store);
        Ok(())
    }

    /// Puts what is stored in force.
    fn publish(&self, store: &TokenStore) {
        let ends = store.file.tokens.iter().filter_map(|one| one.state.old_until);
        self.next_end.store(ends.min().unwrap_or(NEVER), Ordering::Relaxed);
        self.by_hash.store(Arc::new(groups(&store.file)));
    }
}

/// The groups of all secrets that are good, by hash.
fn groups(file: &TokensFile) -> Vec<(TokenHash, Arc<str>)> {
    let of = |token: &StoredToken| {
        let group: Arc<str> = token.state.group.as_str().into();
        let hashes = [Some(token.hash), token.old_hash].into_iter().flatten();
        hashes.map(move |hash| (hash, Arc::clone(&group))).collect::<Vec<_>>()
    };
    let mut groups: Vec<_> = file.tokens.iter().flat_map(of).collect();
    groups.sort_unstable();
    groups
}

fn save(store: &TokenStore) -> io::Result<()> {
    let Some(state) = &store.state else { return Ok(()) };
    state.replace(FILE, &serde_json::to_vec_pretty(&store.file)?)
}

fn place_of(store: &TokenStore, name: &str) -> Result<usize, TokenRefusal> {
    if store.is_unread {
        return Err(TokenRefusal::Unread);
    }
    let tokens = &store.file.tokens;
    tokens.iter().position(|one| one.state.name == name).ok_or_else(|| TokenRefusal::NoToken {
        given: name.chars().take(MOST_CHARACTERS).collect(),
        known: tokens.iter().map(|one| one.state.name.clone()).collect(),
    })
}

fn issued(store: &TokenStore, secret: &TokenSecret, state: TokenState) -> IssuedToken {
    let token = secret.text();
    IssuedToken { path: format!("{PATH}{token}"), token, state, is_kept: store.state.is_some() }
}

/// Records a change in the ledger, without the secret.
fn record(store: &TokenStore, action: &'static str, (who, civil): (&str, u64), what: &TokenState) {
    let Some(state) = &store.state else { return };
    ledger::write(state, &LedgerEntry::new(civil, action, who, what));
}

/// Whether a text can be a token's name: it stands in paths of the API and on a command line.
fn is_name(text: &str) -> bool {
    (1..=MOST_CHARACTERS).contains(&text.len())
        && text.bytes().all(|c| matches!(c, b'a'..=b'z' | b'0'..=b'9' | b'_' | b'-'))
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;
    use crate::metrics::counters::Totals;

    const NOON: u64 = 1_800_000_000;

    fn tokens() -> DeviceTokens {
        DeviceTokens::new(Arc::new(Counters::shared()))
    }

    fn add(tokens: &DeviceTokens, name: &str) -> Result<IssuedToken, TokenRefusal> {
        let request = TokenRequest { name: name.into(), group: "staff".into() };
        tokens.add(&request, "admin", NOON)
    }

    #[test]
    fn a_token_outlives_the_process_as_a_hash_that_only_its_owner_reads() {
        let scratch = tempfile::tempdir().unwrap();
        let state = StateDir::at(scratch.path().join("state")).unwrap();
        let tokens = tokens();
        tokens.open(&state);
        let one = add(&tokens, "laptops").unwrap();
        assert_eq!((one.path.as_str(), one.is_kept), (&*format!("/dns-query/{}", one.token), true));
        assert_eq!(
            add(&tokens, "laptops").unwrap_err(),
            TokenRefusal::Taken { name: "laptops".into() }
        );
        let mode = fs::metadata(state.join(FILE)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        for file in fs::read_dir(state.path()).unwrap() {
            let text = fs::read_to_string(file.unwrap().path()).unwrap();
            assert!(!text.contains(&one.token), "{text}");
        }
        let next = self::tokens();
        next.open(&state);
        assert_eq!(next.group_of(&one.token).as_deref(), Some("staff"));
        assert_eq!(next.named("laptops").as_deref(), Some("staff"));
        assert_eq!(next.list(), [one.state]);
        let changes = ledger::last(&state);
        assert_eq!(changes.len(), 1, "{changes:?}");
    }

    #[test]
    fn a_rotated_token_is_good_by_its_old_secret_for_as_long_as_it_was_said() {
        let tokens = tokens();
        let one = add(&tokens, "laptops").unwrap().token;
        let two = tokens.rotate("laptops", 60, "admin", NOON).unwrap().token;
        let is_good = |secret: &str| tokens.group_of(secret).is_some();
        assert!(is_good(&one) && is_good(&two));
        tokens.expire(NOON + 59);
        assert!(is_good(&one) && is_good(&two));
        tokens.expire(NOON + 60);
        assert!(!is_good(&one) && is_good(&two));
        let three = tokens.rotate("laptops", 0, "admin", NOON).unwrap().token;
        assert!(!is_good(&two) && is_good(&three));
        let too_long = tokens.rotate("laptops", u64::MAX, "admin", NOON).unwrap_err();
        assert_eq!(too_long, TokenRefusal::TooLong { days: MOST_DAYS });
        tokens.rotate("laptops", 60, "admin", NOON).unwrap();
        tokens.revoke("laptops", "admin", NOON).unwrap();
        assert!(!is_good(&three));
        let unknown = tokens.revoke("laptops", "admin", NOON).unwrap_err();
        assert!(matches!(unknown, TokenRefusal::NoToken { .. }));
        assert_eq!(Totals::of([&*tokens.counters]).events(Event::TokenRefused), 3);
    }

    #[test]
    fn a_damaged_file_is_not_written_over() {
        let scratch = tempfile::tempdir().unwrap();
        let state = StateDir::at(scratch.path().join("state")).unwrap();
        let torn = "{\"tokens\": [{\"name\"";
        fs::write(state.join(FILE), torn).unwrap();
        let tokens = tokens();
        tokens.open(&state);
        assert!(tokens.damage().is_some());
        assert_eq!(add(&tokens, "laptops").unwrap_err(), TokenRefusal::Damaged);
        assert_eq!(fs::read_to_string(state.join(FILE)).unwrap(), torn);
    }

    #[test]
    fn a_file_that_cannot_be_read_is_not_written_over_and_is_read_again() {
        let scratch = tempfile::tempdir().unwrap();
        let state = StateDir::at(scratch.path().join("state")).unwrap();
        let before = tokens();
        before.open(&state);
        let one = add(&before, "laptops").unwrap().token;
        let (file, aside) = (state.join(FILE), state.join("aside"));
        fs::rename(&file, &aside).unwrap();
        fs::create_dir(&file).unwrap();
        let tokens = tokens();
        tokens.open(&state);
        assert_eq!(tokens.damage(), None);
        assert_eq!(add(&tokens, "phones").unwrap_err(), TokenRefusal::Unread);
        let unknown = tokens.rotate("laptops", 0, "admin", NOON).unwrap_err();
        assert_eq!(unknown, TokenRefusal::Unread);
        assert!(!tokens.read_again() && tokens.group_of(&one).is_none());
        fs::remove_dir(&file).unwrap();
        fs::rename(&aside, &file).unwrap();
        assert!(tokens.read_again() && tokens.group_of(&one).is_some());
        assert!(add(&tokens, "phones").is_ok());
    }

    #[test]
    fn a_name_can_stand_in_a_path() {
        let tokens = tokens();
        for odd in ["", "Laptops", "a/b", "a b", "..", &"a".repeat(33)] {
            assert!(matches!(add(&tokens, odd), Err(TokenRefusal::Name { .. })), "{odd}");
        }
    }
}
