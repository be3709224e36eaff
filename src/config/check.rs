//! File → Config: the meaning of each key, every mistake at once.
//!
//! A section starts from its `Default` and each key that is given and right
//! replaces one value. A key that is wrong leaves a mistake and the default
//! behind, so that checking goes on; the [`Config`] is built only if no mistake
//! was left. Groups and profiles are in `group.rs`, single values in `value.rs`.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::path::Path;
use std::time::Duration;

use ipnet::IpNet;
use jiff::tz::TimeZone;
use toml::Spanned;

use super::external::Externals;
use super::{
    AdminSettings, BlockSettings, Config, ListSettings, Listen, Rebinding, School, StateSettings,
    Upstream,
};
use crate::category::{CategoryLock, CategorySet, Taxonomy};
use crate::config::data::essential;
use crate::config::data::safesearch::SafeSearch;
use crate::config::file::shape::{
    AdminFile, BlockFile, File, ListenFile, ListsFile, RebindingFile, SchoolFile, SpannedText,
    StateFile, UpstreamFile,
};
use crate::config::file::value::{Checker, each};
use crate::config::layers::{group, profile};
use crate::config::sections::local;
use crate::config::sections::server::Server;
use crate::diagnostic::{Diagnostic, nearest};
use crate::dns::name::Name;
use crate::lang::Lang;

/// Says what a file means, or all that is wrong with it.
///
/// # Errors
///
/// Every mistake, in the order of the text.
pub(super) fn check(
    file: &File,
    base_dir: &Path,
    taxonomy: Taxonomy,
    safesearch: SafeSearch,
    bundles: BTreeMap<String, Vec<Name>>,
    externals: Externals,
) -> Result<Config, Vec<Diagnostic>> {
    let mut checker = Checker::new(base_dir, &taxonomy, &safesearch);
    checker.bundles = bundles;
    checker.externals = externals;
    for mistake in std::mem::take(&mut checker.externals.mistakes) {
        checker.push(mistake);
    }
    let school = checker.school(&file.school);
    checker.schedules = checker.schedules(&file.schedule, &school.zone());
    checker.read_bundles(file);
    let listen = checker.listen(&file.listen);
    let admin = checker.admin(&file.admin, &listen);
    let upstream = checker.upstream(&file.upstream, &listen);
    let cache = checker.cache(&file.cache);
    let limits = checker.limits(&file.limits);
    let block = checker.block(&file.block);
    let rebinding = checker.rebinding(&file.rebinding);
    let local = local::local(&mut checker, &file.local);
    let forwards = local::forwards(&mut checker, file, &listen);
    let essential = essential::check(&mut checker, &file.essential);
    let fail_closed = checker.fail_closed(file);
    let (groups, default_group) = group::check(&mut checker, file, school.level, &listen.dns);
    let lists = checker.lists(&file.lists);
    let state = checker.state(&file.state);
    let schedules = std::mem::take(&mut checker.schedules);
    let bundles = std::mem::take(&mut checker.bundles);
    let Externals { department, files, texts, .. } = std::mem::take(&mut checker.externals);
    let mistakes = checker.into_mistakes();
    if mistakes.is_empty() {
        return Ok(Config {
            school,
            listen,
            admin,
            upstream,
            cache,
            limits,
            block,
            rebinding,
            local,
            forwards,
            essential,
            fail_closed,
            groups,
            default_group,
            lists,
            state,
            taxonomy,
            safesearch,
            department,
            schedules,
            bundles,
            files,
            texts,
        });
    }
    Err(mistakes)
}

/// Sections.
impl Checker<'_> {
    fn school(&mut self, file: &SchoolFile) -> School {
        let mut school = School::default();
        let is_id = |text: &str| {
            (1..=64).contains(&text.len())
                && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"._-".contains(&b))
        };
        let is_name =
            |text: &str| text.chars().count() <= 200 && !text.chars().any(char::is_control);
        self.text(
            &file.id,
            is_id,
            "is not a school id; it must be 1 to 64 of letters, digits, `.`, `_` and `-`",
            &mut school.id,
        );
        self.text(
            &file.name,
            is_name,
            "is not a name; it must be at most 200 characters on one line",
            &mut school.name,
        );
        self.text(
            &file.timezone,
            is_zone,
            "is not an IANA time zone; it must be a name such as `Asia/Ho_Chi_Minh` or `UTC`",
            &mut school.timezone,
        );
        self.known_zone(&file.timezone);
        school.level = self.level(&file.level);
        if let Some(lang) = &file.lang {
            school.lang = self.choice("lang", lang, &Lang::ALL, Lang::id).unwrap_or_default();
        }
        school
    }

    /// Reports a time zone that looks like one and does not exist.
    fn known_zone(&mut self, given: &SpannedText) {
        let Some(given) = given.as_ref().filter(|given| is_zone(given.get_ref())) else { return };
        if TimeZone::get(given.get_ref()).is_err() {
            let known: Vec<String> = jiff::tz::db().available().map(|z| z.to_string()).collect();
            // A city that begins otherwise is another city, however near its letters.
            let begins = |zone: &&str| {
                let city = |zone: &str| zone.rsplit('/').next().map(str::to_lowercase);
                let (own, other) = (city(given.get_ref()), city(zone));
                own.zip(other).is_some_and(|(own, other)| own.get(..3) == other.get(..3))
            };
            let alike = known.iter().map(String::as_str).filter(begins);
            let meant = nearest(given.get_ref(), alike);
            let message = format!("there is no time zone `{}`", given.get_ref());
            self.report(given.span(), message).hint = Some(meant.map_or_else(
                || "write an IANA name such as `Asia/Ho_Chi_Minh`".into(),
                |meant| format!("did you mean `{meant}`?"),
            ));
        }
    }

    fn listen(&mut self, file: &ListenFile) -> Listen {
        let mut listen = Listen::default();
        if let Some(dns) = &file.dns {
            listen.dns = self.addresses(dns);
        }
        if let Some(allow) = &file.allow {
            if allow.get_ref().is_empty() {
                self.report(allow.span(), "`allow` is empty, so no client would be answered")
                    .hint = Some("name the networks of the school, or leave the key out".into());
            }
            listen.allow = self.networks("allow", allow);
        }
        self.number("workers", &file.workers, 0..=256, &mut listen.workers);
        self.number(
            "tcp_connections",
            &file.tcp_connections,
            1..=65_535,
            &mut listen.tcp_connections,
        );
        self.number("tcp_per_client", &file.tcp_per_client, 1..=65_535, &mut listen.tcp_per_client);
        self.duration(
            "tcp_idle",
            file.tcp_idle.as_ref(),
            Duration::from_secs(1)..=Duration::from_secs(600),
            &mut listen.tcp_idle,
        );
        self.number("tcp_in_flight", &file.tcp_in_flight, 1..=1024, &mut listen.tcp_in_flight);
        listen
    }

    fn addresses(&mut self, given: &Spanned<Vec<Spanned<String>>>) -> Vec<SocketAddr> {
        if given.get_ref().is_empty() {
            self.report(given.span(), "`dns` is empty; it must have at least one address").hint =
                Some("write `dns = [\"127.0.0.1:5300\"]`, or leave the key out".into());
        }
        let mut addresses: Vec<SocketAddr> = Vec::new();
        for text in given.get_ref() {
            let Some(address) = self.address(text, 53) else { continue };
            // Port 0 asks the system for a free port, another one each time.
            if address.port() != 0 && addresses.contains(&address) {
                self.report(text.span(), format!("`{address}` stands twice in `dns`")).hint =
                    Some("remove one of the two".into());
            }
            addresses.push(address);
        }
        addresses
    }

    /// Networks, no two alike.
    pub(super) fn networks(
        &mut self,
        key: &str,
        given: &Spanned<Vec<Spanned<String>>>,
    ) -> Vec<IpNet> {
        let mut networks = Vec::new();
        for text in given.get_ref() {
            let Some(network) = self.network(text) else { continue };
            if networks.contains(&network) {
                self.report(text.span(), format!("`{network}` stands twice in `{key}`")).hint =
                    Some("remove one of the two".into());
            }
            networks.push(network);
        }
        networks
    }

    fn admin(&mut self, file: &AdminFile, listen: &Listen) -> AdminSettings {
        let token = file.token.as_ref().and_then(|text| self.path("token", text));
        let mut admin = AdminSettings { token, ..AdminSettings::default() };
        let Some(text) = &file.listen else { return admin };
        let Some(address) = self.address(text, 9153) else { return admin };
        if address.port() != 0 && listen.dns.iter().any(|own| collide(*own, address)) {
            self.report(
                text.span(),
                format!("`{address}` is taken: `[listen] dns` answers there over TCP"),
            )
            .hint = Some("give the admin server another port".into());
        }
        admin.listen = address;
        admin
    }

    fn upstream(&mut self, file: &UpstreamFile, listen: &Listen) -> Upstream {
        let mut upstream = Upstream::default();
        for text in each(&file.servers) {
            if let Some(server) = self.server(text, listen) {
                if upstream.servers.iter().any(|other| is_same(other, &server)) {
                    self.report(
                        text.span(),
                        format!("`{}` stands twice in `servers`", text.get_ref()),
                    )
                    .hint = Some("remove one of the two".into());
                }
                upstream.servers.push(server);
            }
        }
        self.duration(
            "timeout",
            file.timeout.as_ref(),
            Duration::from_millis(50)..=Duration::from_secs(30),
            &mut upstream.timeout,
        );
        self.number("in_flight", &file.in_flight, 1..=65_536, &mut upstream.in_flight);
        self.number(
            "server_in_flight",
            &file.server_in_flight,
            1..=65_536,
            &mut upstream.server_in_flight,
        );
        upstream.tls_roots = file.tls_roots.as_ref().and_then(|text| self.path("tls_roots", text));
        upstream
    }

    pub(super) fn server(&mut self, text: &Spanned<String>, listen: &Listen) -> Option<Server> {
        let server: Server = match text.get_ref().parse() {
            Ok(server) => server,
            Err(error) => {
                self.report(
                    text.span(),
                    format!("`{}` is not an upstream server: {error}", text.get_ref()),
                )
                .hint = Some(
                    "write `udp://192.0.2.1`, `tcp://…`, `tls://192.0.2.1#dns.example` or \
                     `https://192.0.2.1/dns-query#dns.example`"
                        .into(),
                );
                return None;
            }
        };
        if let Some(own) = listen.dns.iter().find(|own| server.is_at(**own, IpAddr::is_loopback)) {
            self.report(
                text.span(),
                format!("`{}` is this gateway itself, which listens on `{own}`", text.get_ref()),
            )
            .hint = Some("name another server: a query must not come back to its sender".into());
        }
        Some(server)
    }

    fn block(&mut self, file: &BlockFile) -> BlockSettings {
        let mut block = BlockSettings::default();
        self.ttl("ttl", file.ttl.as_ref(), 1..=3600, &mut block.ttl);
        block.ede_text = file.ede_text.unwrap_or(block.ede_text);
        block
    }

    fn rebinding(&mut self, file: &RebindingFile) -> Rebinding {
        let allow = profile::names(self, "allow", &file.allow);
        Rebinding { protect: file.protect.unwrap_or(Rebinding::default().protect), allow }
    }

    fn state(&mut self, file: &StateFile) -> StateSettings {
        StateSettings { dir: file.dir.as_ref().and_then(|text| self.path("dir", text)) }
    }

    /// The categories that are closed when they have no list.
    fn fail_closed(&mut self, file: &File) -> CategorySet {
        let mut closed = self.taxonomy.select(|row| row.fails_closed);
        for (given, mode) in &file.fail_mode {
            let category = self.category(given);
            let mode = self.choice("mode", mode, &["closed", "open"], |mode| mode);
            let Some((category, mode)) = category.zip(mode) else { continue };
            let row = self.taxonomy.category(category);
            if row.is_positive {
                self.report(given.span(), format!("`{}` never blocks, and cannot fail", row.id));
            } else if mode == "closed" {
                closed = closed.with(category);
            } else if row.lock == CategoryLock::Everyone && row.fails_closed {
                let message = format!("`{}` cannot be open without its list: it is locked", row.id);
                self.report(given.span(), message).hint =
                    Some("remove the line; nobody at a school can loosen it".into());
            } else {
                closed = closed.without(CategorySet::EMPTY.with(category));
            }
        }
        closed
    }

    fn lists(&mut self, file: &ListsFile) -> ListSettings {
        let mut lists = ListSettings::default();
        lists.starter = file.starter.unwrap_or(lists.starter);
        lists.use_keywords = file.use_keywords.unwrap_or(lists.use_keywords);
        lists.keywords = file.keywords.as_ref().and_then(|text| self.path("keywords", text));
        lists.packs = file.packs.as_ref().and_then(|text| self.path("packs", text));
        lists.tls_roots = file.tls_roots.as_ref().and_then(|text| self.path("tls_roots", text));
        self.sources(file, &mut lists);
        lists
    }
}

/// Whether a text has the shape of an IANA time zone.
fn is_zone(text: &str) -> bool {
    (1..=64).contains(&text.len())
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"/_+-".contains(&b))
        && text.starts_with(|c: char| c.is_ascii_uppercase())
}

/// Whether two sockets cannot be bound at one time.
fn collide(one: SocketAddr, other: SocketAddr) -> bool {
    one.port() == other.port()
        && one.is_ipv4() == other.is_ipv4()
        && (one.ip() == other.ip() || one.ip().is_unspecified() || other.ip().is_unspecified())
}

/// Whether two servers are one, whatever way they are written.
pub(super) fn is_same(one: &Server, other: &Server) -> bool {
    let place = |server: &Server| (server.transport, server.address);
    place(one) == place(other) && one.tls_name == other.tls_name && one.path == other.path
}
