//! State of a scrape: gauges of the gateway, beside the counters.

use std::net::{SocketAddr, UdpSocket};
use std::sync::Arc;

use crate::evidence::EvidenceBook;
use crate::life::reload::Reloads;
use crate::load::in_force::InForce;
use crate::metrics::counters::{Counters, Totals};
use crate::metrics::{Distribution, Sample, ScrapeState, StateSource, UpstreamSample, families};
use crate::portal::Portal;
use crate::reviews::ReviewBook;
use crate::selftest::SelfTest;
use crate::serve::gateway::Gateway;
use crate::serve::listener::udp;
use crate::status::judge::judged;
use crate::status::state::{BlockedStatus, FilteringStatus, uncovered};
use crate::status::{
    CertificateStatus, DevicesStatus, EmergencyStatus, EvidenceStatus, Status, UpstreamStatus,
};
use crate::sys::certificates::{CertificateState, Certificates};
use crate::sys::log;
use crate::sys::presence::absent;
use crate::sys::state_dir;
use crate::update::client::Updates;
use crate::upstream::{Failure, ServerState};

/// What a scrape and the state of the gateway are made of.
#[derive(Clone)]
pub(super) struct Observed {
    /// The gateway.
    pub gateway: Arc<Gateway>,
    /// Its reloads.
    pub reloads: Arc<Reloads>,
    /// The reviews that people asked for.
    pub reviews: Arc<ReviewBook>,
    /// The records of the gateway.
    pub evidence: Arc<EvidenceBook>,
    /// The update client; none where the config names no repository.
    pub updates: Option<Arc<Updates>>,
    /// The gateway's test of itself.
    pub self_test: Arc<SelfTest>,
    /// The addresses that clients are answered at.
    pub listen: Vec<SocketAddr>,
    /// The certificates of the encrypted listeners.
    pub certificates: Arc<Certificates>,
    /// The counters of all workers.
    pub counters: Vec<Arc<Counters>>,
}

impl Observed {
    /// The source of a scrape. All samples of policy are of one value in force.
    pub(super) fn source(self, portal: Arc<Portal>, sockets: Vec<Arc<UdpSocket>>) -> StateSource {
        Box::new(move || {
            let Self { gateway, reloads, reviews, evidence, updates, self_test, listen, .. } =
                &self;
            let in_force = gateway.current.in_force();
            let now = gateway.clock.now();
            ScrapeState {
                snapshot: Arc::clone(&in_force.snapshot),
                cache: (gateway.cache.len() as u64, gateway.cache.octets()),
                upstreams: gateway
                    .upstreams
                    .load()
                    .servers()
                    .iter()
                    .map(|server| sample(server))
                    .collect(),
                zones: in_force.zone_samples(),
                in_flight: gateway.flights.waiting(),
                samples: [
                    vec![school(&in_force), listeners(listen), self.kept(), written()],
                    reloads.samples(in_force.generation),
                    udp::samples(&sockets),
                    gateway.connections.samples(),
                    gateway.clock.samples(),
                    ends(&self.certificates),
                    gateway.devices.samples(),
                    in_force.override_samples(now.civil),
                    reviews.samples(),
                    evidence.samples(),
                    self_test.samples(),
                    in_force.urgent().samples(now),
                    in_force.list_samples(now, reloads.oldest_download()),
                    updates.as_ref().map_or_else(Vec::new, |updates| updates.samples()),
                    in_force.config().portal.as_ref().map_or_else(Vec::new, |_| portal.samples()),
                ]
                .concat(),
            }
        })
    }

    /// Whether a restart finds all that is in memory now.
    fn is_kept(&self) -> bool {
        let Self { gateway, reloads, reviews, evidence, .. } = self;
        let of_policy = reloads.is_kept() && gateway.current.keeps_overrides();
        of_policy && reviews.is_kept() && evidence.is_kept()
    }

    /// The same as a sample.
    fn kept(&self) -> Sample {
        families::STATE_KEPT.flag((), self.is_kept())
    }

    /// The state of the gateway, for `lachan status` and the technician's page.
    pub(super) fn status(&self) -> Arc<dyn Fn() -> Status + Send + Sync> {
        let observed = self.clone();
        Arc::new(move || {
            let Self { gateway, reloads, evidence, reviews, updates, self_test, listen, .. } =
                &observed;
            let (counters, certificates) = (&observed.counters, &observed.certificates);
            let now = gateway.clock.now();
            let upstreams = gateway.upstreams.load();
            let server = |server: &Arc<ServerState>| UpstreamStatus {
                name: server.label().to_owned(),
                up: server.is_up(),
                down_s: server.down_for().map(|time| time.as_secs()),
            };
            let in_force = gateway.current.in_force();
            let lang = in_force.config().school.lang;
            let protection = in_force.protection(now.trust, reloads.oldest_download());
            let update = updates.as_ref().map(|updates| updates.status());
            let totals = Totals::of(counters.iter().map(Arc::as_ref));
            let snapshot = &in_force.snapshot;
            let status = Status {
                filtering: FilteringStatus::of(protection, now.civil.saturating_sub(now.mono)),
                release: update.as_ref().map(|one| one.release.to_string()),
                update,
                emergency: EmergencyStatus::of(in_force.urgent(), now),
                is_kept: observed.is_kept(),
                evidence: EvidenceStatus::of(evidence),
                devices: devices(gateway, &in_force),
                blocked: BlockedStatus::of(&totals, snapshot),
                lists: in_force.valued_lists(now, |place| totals.matches(place)),
                diagnosis: gateway.blocks.overblock.diagnosis.state(),
                top_names: gateway.blocks.overblock.top.shown(snapshot),
                reviews_open: reviews.open_count(),
                self_test: self_test.status(),
                upstreams: upstreams.servers().iter().map(server).collect(),
                clock: now.trust.id().to_owned(),
                absent: absent(listen).iter().map(ToString::to_string).collect(),
                certificates: CertificateStatus::of(certificates, now, lang),
                uncovered: uncovered(certificates, in_force.config()),
                errors: log::recent().into_iter().map(Into::into).collect(),
                ..Status::of(&gateway.current, now.civil)
            };
            judged(status, now.civil, lang)
        })
    }
}

/// What does not work of tokens and hardware addresses.
fn devices(gateway: &Gateway, in_force: &InForce) -> DevicesStatus {
    let config = in_force.config();
    let is_there = |name: &str| config.groups.iter().any(|group| group.name == name);
    let strays = gateway.tokens.list().into_iter().filter(|token| !is_there(&token.group));
    let faults = gateway.devices.faults(config.school.lang);
    DevicesStatus {
        damage: gateway.tokens.damage(),
        stray_tokens: strays.map(|token| token.name).collect(),
        neighbours: faults.neighbours,
        leases: faults.leases,
    }
}

/// The school, as labels.
fn school(in_force: &InForce) -> Sample {
    let school = &in_force.config().school;
    let level = school.level.map_or("", crate::category::Level::id);
    let zone = school.timezone.as_str();
    let labels =
        (school.id.as_str().into(), school.name.as_str().into(), level.into(), zone.into());
    families::SCHOOL_INFO.flag(labels, true)
}

/// The listen addresses that are not there.
fn listeners(listen: &[SocketAddr]) -> Sample {
    families::LISTEN_ADDRESSES_ABSENT.sample((), absent(listen).len() as f64)
}

/// The ends of the certificates in use, by their files.
fn ends(certificates: &Certificates) -> Vec<Sample> {
    let states = certificates.states().into_iter();
    let sample = |state: CertificateState| {
        let label = state.files.certificate.file_name()?.to_string_lossy().into_owned();
        let end = state.facts.map_or(0.0, |facts| facts.not_after as f64);
        Some(families::CERTIFICATE_END.sample((label.into(),), end))
    };
    states.filter_map(sample).collect()
}

/// The wear of the disk.
fn written() -> Sample {
    families::STATE_WRITTEN.sample((), state_dir::written_octets())
}

fn sample(server: &ServerState) -> UpstreamSample {
    let durations = server.durations();
    let bounds = ServerState::BOUNDS.into_iter();
    UpstreamSample {
        label: server.label().to_owned(),
        queries: server.queries(),
        errors: Failure::ALL.map(|f| (f.label(), server.errors(f))).to_vec(),
        durations: Distribution {
            count: durations.cumulative.last().copied().unwrap_or(0),
            cumulative: bounds.zip(durations.cumulative).collect(),
            sum: durations.sum.as_secs_f64(),
        },
        is_up: server.is_up(),
    }
}
