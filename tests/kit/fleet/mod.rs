//! A fleet in virtual time: the gateways' own update client, poller and web client, over servers and a
//! record in memory.
//!
//! ```text
//! Fleet ──▶ Poller ▶ Updates (the program's, a state directory each)
//!              └ HttpClient ▶ Site (in memory, counted)
//! ```
//!
//! What is not theirs: the policy. A release is "in force" when its generation is in use.

pub(crate) mod site;

use std::collections::BTreeMap;
use std::io;
use std::net::IpAddr;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use lachan::config::{Config, load_text};
use lachan::dns::rtype;
use lachan::fetch::{Dial, HttpClient, Names};
use lachan::release::rollout::KnownTime;
use lachan::sys::clock::{Dates, system_time};
use lachan::sys::state_dir::StateDir;
use lachan::update::client::{UpdateHooks, Updates};
use lachan::update::emergency::UrgentHooks;
use lachan::update::poll::Poller;
use lachan::upstream::AskError;
use tempfile::TempDir;
use tokio::time::{Instant, sleep};
use url::Url;

use self::site::Site;
use super::wire::record;

/// Runs a future whose clock jumps to the next moment at which something is to be done.
pub(crate) fn in_virtual_time<F: Future>(work: F) -> F::Output {
    let mut builder = tokio::runtime::Builder::new_current_thread();
    let runtime = builder.enable_all().start_paused(true).build().unwrap();
    tokio::task::LocalSet::new().block_on(&runtime, work)
}

/// What a school has, and since when.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Has {
    /// The number of the release, or the version of the orders.
    pub(crate) number: u64,
    /// Its moment.
    pub(crate) since: Instant,
}

/// A school of the fleet.
pub(crate) struct School {
    /// Its update client.
    pub(crate) updates: Arc<Updates>,
    release: Arc<Mutex<Has>>,
    orders: Arc<Mutex<Has>>,
}

impl School {
    /// The release in use.
    pub(crate) fn release(&self) -> Has {
        *self.release.lock().unwrap()
    }

    /// The emergency list in force.
    pub(crate) fn orders(&self) -> Has {
        *self.orders.lock().unwrap()
    }

    /// How each of its servers did, by the last number of its address.
    pub(crate) fn servers(&self) -> BTreeMap<String, String> {
        let servers = self.updates.status().servers.into_iter();
        let said = |reason: Option<String>| reason.unwrap_or_else(|| "ok".to_owned());
        servers.map(|server| (server.url, said(server.reason))).collect()
    }
}

/// A fleet.
pub(crate) struct Fleet {
    dir: TempDir,
    sites: Arc<BTreeMap<IpAddr, Site>>,
    nudge: Arc<AtomicU64>,
    /// The beginning in both times.
    began: (Instant, u64),
    config: Config,
    /// The schools, in the order in which they came.
    pub(crate) schools: Vec<School>,
}

impl Fleet {
    /// A fleet enrolled with a root, and `[update]` settings; `sites` are servers by their addresses.
    pub(crate) fn new<const N: usize>(
        root: &Path,
        settings: &str,
        sites: [(&str, &Site); N],
    ) -> Self {
        // Each look at a repository writes some small files: in memory, where there is room.
        let dir = tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).unwrap();
        std::fs::copy(root, dir.path().join("root.json")).unwrap();
        let text = format!(
            "[school]\nid = \"a\"\n[state]\ndir = \"state\"\n[update]\nroot = \"root.json\"\n\
             urls = [\"http://10.0.0.1/\"]\n{settings}"
        );
        let config = load_text(&text, "gateway.toml", dir.path()).unwrap();
        let sites = sites.map(|(address, site)| (address.parse().unwrap(), site.clone()));
        Self {
            dir,
            sites: Arc::new(sites.into_iter().collect()),
            nudge: Arc::default(),
            began: (Instant::now(), system_time()),
            config,
            schools: Vec::new(),
        }
    }

    /// Seconds since 1970.
    pub(crate) fn civil(&self) -> u64 {
        self.began.1 + self.began.0.elapsed().as_secs()
    }

    /// Changes the record that nudges.
    pub(crate) fn nudge(&self) {
        self.nudge.fetch_add(1, Ordering::Relaxed);
    }

    /// A school begins to poll these URLs.
    pub(crate) fn join(&mut self, id: &str, urls: &[&str]) {
        let mut config = self.config.clone();
        id.clone_into(&mut config.school.id);
        config.update.urls = urls.iter().map(|url| Url::parse(url).unwrap()).collect();
        let state = StateDir::at(self.dir.path().join(id)).unwrap();
        let none = || Arc::new(Mutex::new(Has { number: 0, since: Instant::now() }));
        let (release, orders) = (none(), none());
        let hooks = self.hooks(&release, &orders);
        let updates = Arc::new(Updates::open(&config, Some(&state), hooks).unwrap().unwrap());
        let client = HttpClient::over(self.dial(), None, self.names(), Dates::default()).unwrap();
        tokio::task::spawn_local(Poller::new(Arc::clone(&updates), client).run());
        self.schools.push(School { updates, release, orders });
    }

    fn hooks(&self, release: &Arc<Mutex<Has>>, orders: &Arc<Mutex<Has>>) -> UpdateHooks {
        let began = self.began;
        let (tried, put, version) = (Arc::clone(release), Arc::clone(orders), Arc::clone(orders));
        UpdateHooks {
            is_serving: false,
            time: Box::new(move || KnownTime::Synced(began.1 + began.0.elapsed().as_secs())),
            trial: Box::new(move |directory| {
                let text = std::fs::read_to_string(directory.join("generation.json")).unwrap();
                let generation: serde_json::Value = serde_json::from_str(&text).unwrap();
                let number = generation["serial"].as_u64().unwrap();
                *tried.lock().unwrap() = Has { number, since: Instant::now() };
                Ok(())
            }),
            adopt: Box::new(|| Ok(())),
            urgent: UrgentHooks {
                version: Box::new(move || version.lock().unwrap().number),
                put: Box::new(move |list| {
                    *put.lock().unwrap() = Has { number: list.version, since: Instant::now() };
                    Ok(())
                }),
            },
        }
    }

    fn dial(&self) -> Dial {
        let sites = Arc::clone(&self.sites);
        Arc::new(move |address| {
            let site = sites.get(&address.ip()).cloned();
            let unreachable = io::Error::from(io::ErrorKind::NetworkUnreachable);
            Box::pin(async move { site.ok_or(unreachable)?.connect() })
        })
    }

    /// Names of which each has the record that nudges.
    fn names(&self) -> Names {
        let nudge = Arc::clone(&self.nudge);
        Names::by(move |_, qtype| {
            let text = nudge.load(Ordering::Relaxed).to_string();
            Box::pin(async move {
                if qtype != rtype::TXT {
                    return Err(AskError::Network);
                }
                let data = [&[text.len() as u8], text.as_bytes()].concat();
                let head = [0, 0, 0x81, 0x80, 0, 0, 0, 1, 0, 0, 0, 0];
                Ok([head.as_slice(), &record(&[0], rtype::TXT, 30, &data)].concat())
            })
        })
    }

    /// Lets time pass until this is so; the time that it took, `None` where it is not so within `limit`.
    pub(crate) async fn until(
        &self,
        limit: Duration,
        is_so: impl Fn(&School) -> bool,
    ) -> Option<Duration> {
        let began = Instant::now();
        while began.elapsed() < limit {
            if self.schools.iter().all(&is_so) {
                return Some(began.elapsed());
            }
            sleep(Duration::from_secs(1)).await;
        }
        None
    }
}

/// The times at which 50, 95 and 100 percent of some moments had come, since `from`.
pub(crate) fn shares(moments: impl Iterator<Item = Instant>, from: Instant) -> [Duration; 3] {
    let mut all: Vec<Duration> = moments.map(|at| at.saturating_duration_since(from)).collect();
    all.sort_unstable();
    [50, 95, 100].map(|percent| all[(all.len() * percent).div_ceil(100) - 1])
}
