//! The five answers: school, level, network, upstream, department.
//!
//! Law: an answer that is wrong is told with its line, what is allowed and what to do, all at once;
//! no default stands in for it.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};

use ipnet::IpNet;
use jiff::tz::TimeZone;
use serde::Deserialize;
use toml::Spanned;

use crate::category::Level;
use crate::config::ConfigErrors;
use crate::config::file::report::Report;
use crate::config::file::shape::{SpannedText, SpannedTexts, Table, parse};
use crate::config::file::value::each;
use crate::config::sections::server::Server;
use crate::diagnostic::Diagnostic;
use crate::dns::address::is_internal;
use crate::lang::{Lang, messages};
use crate::release::enrolment::{fingerprint, is_id};

/// Where the schools are.
const TIMEZONE: &str = "Asia/Ho_Chi_Minh";
/// The longest name of a school, in characters.
const MAX_NAME: usize = 200;
/// The port of DNS.
const PORT: u16 = 53;
/// The shortest prefix of a public network that is a school's, by family.
const SCHOOL_NETWORK: (u8, u8) = (16, 32);

/// The answers, checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct SetupAnswers {
    pub(super) lang: Lang,
    pub(super) id: String,
    pub(super) name: String,
    pub(super) level: Level,
    pub(super) timezone: String,
    /// Addresses of the gateway in the school's networks; never none.
    pub(super) addresses: Vec<IpAddr>,
    /// Networks that may ask; none for all that can only be local.
    pub(super) clients: Vec<IpNet>,
    /// Whether the stub of systemd-resolved is to be switched off even where it is in nobody's way.
    pub(super) stub_off: bool,
    /// Upstream servers as the config has them; never none.
    pub(super) servers: Vec<String>,
    /// The department's enrolment file.
    pub(super) enrolment: Option<PathBuf>,
    /// The fingerprint of its root, as it came another way.
    pub(super) fingerprint: Option<String>,
}

/// The shape of an answers file.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct SetupFile {
    lang: SpannedText,
    school: Table<SchoolAnswers>,
    network: Table<NetworkAnswers>,
    upstream: Table<UpstreamAnswers>,
    department: Table<DepartmentAnswers>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct SchoolAnswers {
    id: SpannedText,
    name: SpannedText,
    level: SpannedText,
    timezone: SpannedText,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct NetworkAnswers {
    addresses: SpannedTexts,
    clients: SpannedTexts,
    stub: SpannedText,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct UpstreamAnswers {
    servers: SpannedTexts,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct DepartmentAnswers {
    enrolment: SpannedText,
    fingerprint: SpannedText,
}

/// Mistakes, and the language to tell them in.
type Mistaken = (Vec<Diagnostic>, Lang);

impl SetupAnswers {
    /// The answers of a text; paths in it are below `base`. `enrolment` is given beside it.
    pub(super) fn parse(
        text: &str,
        base: &Path,
        enrolment: Option<&Path>,
    ) -> Result<Self, Mistaken> {
        let file: SetupFile = parse(text).map_err(|mistake| (vec![mistake], Lang::Vi))?;
        let mut report = Report::new(base);
        let lang = file.lang.as_ref();
        let lang =
            lang.and_then(|given| report.choice(messages::lang(), given, &Lang::ALL, Lang::id));
        let lang = lang.unwrap_or(Lang::Vi);
        let (id, name, timezone) = school(&mut report, &file.school);
        let level = level(&mut report, &file.school);
        let addresses = addresses(&mut report, &file.network);
        let clients = clients(&mut report, &file.network);
        let stub_off = stub(&mut report, &file.network);
        let servers = servers(&mut report, &file.upstream, &addresses);
        let (document, fingerprint) = department(&mut report, &file.department, base);
        let mistakes = report.into_mistakes();
        let (true, Some(id), Some(level)) = (mistakes.is_empty(), id, level) else {
            return Err((mistakes, lang));
        };
        let enrolment = enrolment.map(Path::to_owned).or(document);
        Ok(Self {
            lang,
            id,
            name,
            level,
            timezone,
            addresses,
            clients,
            stub_off,
            servers,
            enrolment,
            fingerprint,
        })
    }

    /// The addresses that the gateway listens at: those of its networks, and loopback.
    pub(super) fn listeners(&self) -> Vec<SocketAddr> {
        let local = IpAddr::V4(Ipv4Addr::LOCALHOST);
        let all = self.addresses.iter().copied().chain([local]);
        all.map(|ip| SocketAddr::new(ip, PORT)).collect()
    }
}

/// The mistakes of a text, for people.
pub(super) fn shown(path: &str, text: &str, mistakes: Vec<Diagnostic>, lang: Lang) -> String {
    ConfigErrors::new(path, text, mistakes).in_lang(lang).to_string()
}

/// Whether no device of a LAN reaches this address.
pub(super) fn is_no_host(ip: IpAddr) -> bool {
    let is_link_local = match ip {
        IpAddr::V4(v4) => v4.is_link_local() || v4.is_broadcast(),
        IpAddr::V6(v6) => v6.is_unicast_link_local() || v6.to_ipv4_mapped().is_some(),
    };
    ip.is_unspecified() || ip.is_loopback() || ip.is_multicast() || is_link_local
}

fn school(report: &mut Report<'_>, file: &SchoolAnswers) -> (Option<String>, String, String) {
    let id = match &file.id {
        None => report.missing(0..0, "[school]", "id"),
        Some(given) if is_id(given.get_ref()) => Some(given.get_ref().clone()),
        Some(given) => {
            report.mistake(given.span(), messages::no_school_id(quoted(given.get_ref())));
            None
        }
    };
    let name = file.name.as_ref();
    let is_name =
        |text: &str| text.chars().count() <= MAX_NAME && !text.chars().any(char::is_control);
    if let Some(given) = name.filter(|given| !is_name(given.get_ref())) {
        report.mistake(given.span(), messages::no_school_name(quoted(given.get_ref())));
    }
    let zone = file.timezone.as_ref();
    if let Some(given) = zone.filter(|given| TimeZone::get(given.get_ref()).is_err()) {
        report.mistake(given.span(), messages::no_time_zone(given.get_ref())).hint =
            Some(messages::write(format!("timezone = \"{TIMEZONE}\"")));
    }
    let text = |given: Option<&Spanned<String>>| given.map(|given| given.get_ref().clone());
    (id, text(name).unwrap_or_default(), text(zone).unwrap_or_else(|| TIMEZONE.to_owned()))
}

fn quoted(text: &str) -> String {
    format!("`{text}`")
}

fn level(report: &mut Report<'_>, file: &SchoolAnswers) -> Option<Level> {
    if file.level.is_none() {
        let all = Level::ALL.map(Level::id).join(", ");
        report.mistake(0..0, messages::setup_no_level(all)).hint =
            Some(messages::add("level = \"lower-secondary\""));
    }
    report.level(&file.level)
}

fn addresses(report: &mut Report<'_>, file: &NetworkAnswers) -> Vec<IpAddr> {
    let example = || messages::write("addresses = [\"192.168.1.2\"]");
    let mut found = Vec::new();
    if each(&file.addresses).next().is_none() {
        let span = file.addresses.as_ref().map_or(0..0, Spanned::span);
        report.mistake(span, messages::setup_no_addresses()).hint = Some(example());
    }
    for given in each(&file.addresses) {
        match given.get_ref().parse::<IpAddr>() {
            Ok(ip) if is_no_host(ip) => {
                report.mistake(given.span(), messages::export_no_host(ip)).hint = Some(example());
            }
            Ok(ip) if found.contains(&ip) => {
                report.mistake(given.span(), messages::stands_twice(ip, "addresses")).hint =
                    Some(messages::remove_one());
            }
            Ok(ip) => found.push(ip),
            Err(_) => {
                report.mistake(given.span(), messages::setup_no_address(given.get_ref())).hint =
                    Some(example());
            }
        }
    }
    found
}

fn clients(report: &mut Report<'_>, file: &NetworkAnswers) -> Vec<IpNet> {
    let mut found = Vec::new();
    for given in each(&file.clients) {
        let Some(network) = report.network(given) else { continue };
        let least = if network.addr().is_ipv4() { SCHOOL_NETWORK.0 } else { SCHOOL_NETWORK.1 };
        let is_private = network.prefix_len() >= 7 && is_internal(network.addr());
        if network.prefix_len() < least && !is_private {
            report.mistake(given.span(), messages::setup_wide_network(network)).hint =
                Some(messages::write("clients = [\"192.168.1.0/24\"]"));
        }
        found.push(network);
    }
    found
}

/// Whether the stub of systemd-resolved is to be switched off.
fn stub(report: &mut Report<'_>, file: &NetworkAnswers) -> bool {
    let Some(given) = &file.stub else { return false };
    let words = [true, false];
    let id = |is_off: bool| if is_off { "off" } else { "keep" };
    report.choice(messages::setup_stub(), given, &words, id).unwrap_or_default()
}

fn servers(report: &mut Report<'_>, file: &UpstreamAnswers, own: &[IpAddr]) -> Vec<String> {
    let mut found = Vec::new();
    if each(&file.servers).next().is_none() {
        let span = file.servers.as_ref().map_or(0..0, Spanned::span);
        report.mistake(span, messages::setup_no_servers()).hint = Some(messages::write_server());
    }
    for given in each(&file.servers) {
        let text = given.get_ref();
        match text.parse::<Server>() {
            Err(error) => {
                report.mistake(given.span(), messages::no_server(text, error.message())).hint =
                    Some(messages::write_server());
            }
            Ok(server) => {
                let ip = server.address.ip();
                if ip.is_loopback() && server.address.port() == PORT || own.contains(&ip) {
                    report.mistake(given.span(), messages::own_server(text, server.address)).hint =
                        Some(messages::name_another_server());
                }
                found.push(text.clone());
            }
        }
    }
    found
}

fn department(
    report: &mut Report<'_>,
    file: &DepartmentAnswers,
    base: &Path,
) -> (Option<PathBuf>, Option<String>) {
    let path = file.enrolment.as_ref().map(|given| given.get_ref().as_str());
    let path = path.filter(|path| !path.is_empty()).map(|path| base.join(path));
    let Some(given) = &file.fingerprint else { return (path, None) };
    let hex = fingerprint(given.get_ref());
    if hex.is_none() {
        report.mistake(given.span(), messages::enrol_no_fingerprint(given.get_ref()));
    }
    (path, hex)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The mistakes of a text in a language, or the answers.
    fn parsed(text: &str, lang: Lang) -> Result<SetupAnswers, String> {
        let read = SetupAnswers::parse(text, Path::new("/usb"), None);
        read.map_err(|(mistakes, _)| shown("answers.toml", text, mistakes, lang))
    }

    const GOOD: &str = "[school]\nid = \"thcs-da-bac\"\nname = \"THCS Đà Bắc\"\nlevel = \"lower-secondary\"\n\
                        [network]\naddresses = [\"192.168.1.2\", \"fd00::2\"]\nclients = [\"192.168.1.0/24\", \"fd00::/64\"]\n\
                        [upstream]\nservers = [\"udp://203.113.131.1\"]\n[department]\nenrolment = \"truong.json\"\n";

    #[test]
    fn five_answers_are_a_school() {
        let answers = parsed(GOOD, Lang::En).unwrap();
        assert_eq!(answers.enrolment.as_deref(), Some(Path::new("/usb/truong.json")));
        assert_eq!((answers.lang, answers.timezone.as_str()), (Lang::Vi, TIMEZONE));
        let listen: Vec<String> = answers.listeners().iter().map(ToString::to_string).collect();
        assert_eq!(listen, ["192.168.1.2:53", "[fd00::2]:53", "127.0.0.1:53"]);
    }

    #[test]
    fn what_is_wrong_is_told_all_at_once_in_both_languages() {
        let text = "[school]\nid = \"đà bắc\"\nlevel = \"secondary\"\ntimezone = \"Hanoi\"\n[network]\n\
                    addresses = [\"127.0.0.1\", \"192.168.1\"]\nclients = [\"0.0.0.0/0\", \"10.0.0.0/8\"]\n\
                    stub = \"of\"\n[upstream]\nservers = [\"dns.google\"]\n[department]\nfingerprint = \"abc\"\n";
        for lang in Lang::ALL {
            insta::assert_snapshot!(
                format!("wrong_{}", lang.id()),
                parsed(text, lang).unwrap_err()
            );
        }
        let absent = parsed("", Lang::Vi).unwrap_err();
        insta::assert_snapshot!("absent", absent);
        let unknown = parsed("[network]\nadress = [\"10.0.0.1\"]\n", Lang::Vi).unwrap_err();
        insta::assert_snapshot!("unknown_key", unknown);
    }

    #[test]
    fn a_gateway_is_not_its_own_server() {
        for own in ["udp://192.168.1.2", "udp://127.0.0.1"] {
            let text = GOOD.replace("udp://203.113.131.1", own);
            assert!(parsed(&text, Lang::En).unwrap_err().contains("answers.toml:9:12"), "{own}");
        }
    }
}
