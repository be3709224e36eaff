//! Two settings that contradict: one of them is void, or neither can be what was meant.

use std::collections::HashMap;
use std::ops::Range;
use std::path::{Component, Path, PathBuf};

use toml::Spanned;

use crate::category::CategorySet;
use crate::config::file::quantity::{self, show_duration, show_size};
use crate::config::file::shape::{Amount, File, Size, SpannedText, Time};
use crate::config::file::value::each;
use crate::config::model::Config;
use crate::config::warnings::networks::Networks;
use crate::config::warnings::profiles::void;
use crate::diagnostic::Diagnostic;
use crate::lang::messages;

/// Every pair of settings that contradict.
pub(super) fn contradictions(file: &File, config: &Config) -> Vec<Diagnostic> {
    let mut found = bounds(file, config);
    found.extend(voids(file, config));
    found.extend(exempt(file, config));
    found.extend(fail_modes(file, config));
    found.extend(lessons(file, config));
    found.extend(one_file_twice(file));
    if let Some(policy) = &file.department.policy {
        let department = config.department.contradictions(&config.taxonomy);
        found.extend(
            department.into_iter().map(|message| {
                Diagnostic::new(policy.span(), message).hint(messages::remove_one())
            }),
        );
    }
    found
}

/// A bound of a part above the bound of the whole.
fn bounds(file: &File, config: &Config) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    let mut crossed = |span: Option<Range<usize>>, (key, own), (limit, most)| {
        if let Some(span) = span {
            let message = messages::more_than(key, own, limit, most);
            found.push(Diagnostic::new(span, message).hint(messages::lower_or_raise(key, limit)));
        }
    };
    let number = |given: &Option<Spanned<i64>>| given.as_ref().map(Spanned::span);
    let (listen, upstream) = (&config.listen, &config.upstream);
    for (part, own, whole, most, span) in [
        (
            "tcp_per_client",
            listen.tcp_per_client,
            "tcp_connections",
            listen.tcp_connections,
            number(&file.listen.tcp_per_client),
        ),
        (
            "server_in_flight",
            upstream.server_in_flight,
            "in_flight",
            upstream.in_flight,
            number(&file.upstream.server_in_flight),
        ),
    ] {
        crossed(span.filter(|_| own > most), (part, own.to_string()), (whole, most.to_string()));
    }
    let size = |given: &Amount<Size>| {
        let given = given.as_ref()?;
        Some((quantity::size(&given.get_ref().text).ok()?, given.span()))
    };
    let client = size(&file.listen.stream_memory_client);
    let connection = size(&file.listen.stream_memory_connection);
    for (part, given, whole, most) in [
        ("stream_memory_client", client, "stream_memory", listen.stream_memory),
        (
            "stream_memory_connection",
            connection,
            "stream_memory_client",
            listen.stream_memory_client,
        ),
    ] {
        let Some((own, span)) = given.filter(|(own, _)| *own > most) else { continue };
        crossed(Some(span), (part, show_size(own)), (whole, show_size(most)));
    }
    for table in &file.lists.source {
        let source = table.get_ref();
        let time = |given: &Amount<Time>| {
            given.as_ref().and_then(|given| quantity::duration(&given.get_ref().text).ok())
        };
        let (Some(timeout), Some(every)) = (time(&source.timeout), time(&source.every)) else {
            continue;
        };
        let span = source.timeout.as_ref().map(Spanned::span).filter(|_| timeout > every);
        crossed(span, ("timeout", show_duration(timeout)), ("every", show_duration(every)));
    }
    found
}

/// Settings that another one makes void.
fn voids(file: &File, config: &Config) -> Vec<Diagnostic> {
    let is = |key, value| messages::key_is(key, value);
    let zones = config.forwards.iter().flat_map(|zone| &zone.servers);
    let mut servers = config.upstream.servers.iter().chain(zones);
    let encrypts = servers.any(|server| server.transport.has_certificate());
    let has_https =
        config.lists.sources.iter().any(|source| {
            source.fetch.as_ref().is_some_and(|fetch| fetch.url.starts_with("https:"))
        });
    let lists = &config.lists;
    let (limits, cache) = (&config.limits, &config.cache);
    let span_of = |given: &SpannedText| given.as_ref().map(Spanned::span);
    let rows = [
        (
            file.rebinding.allow.as_ref().map(Spanned::span).filter(|_| !config.rebinding.protect),
            "allow",
            is("protect", "false"),
        ),
        (
            file.limits
                .client_burst
                .as_ref()
                .map(Spanned::span)
                .filter(|_| limits.client_rate == 0),
            "client_burst",
            is("client_rate", "0"),
        ),
        (
            file.cache.stale_after.as_ref().map(Spanned::span).filter(|_| cache.stale.is_zero()),
            "stale_after",
            is("stale", "0s"),
        ),
        (
            span_of(&file.lists.keywords).filter(|_| !lists.use_keywords),
            "keywords",
            is("use_keywords", "false"),
        ),
        (
            span_of(&file.upstream.resolv_conf).filter(|_| !config.upstream.servers.is_empty()),
            "resolv_conf",
            messages::servers_are_named("servers"),
        ),
        (
            span_of(&file.upstream.tls_roots).filter(|_| !encrypts),
            "tls_roots",
            messages::nothing_is_encrypted(),
        ),
        (
            span_of(&file.lists.tls_roots).filter(|_| !has_https),
            "tls_roots",
            messages::nothing_is_encrypted(),
        ),
    ];
    let found = rows
        .into_iter()
        .filter_map(|(span, key, why)| Some(void(span?, key, why, messages::change_one())));
    found.collect()
}

/// Networks without limits that get no answer at all.
fn exempt(file: &File, config: &Config) -> Vec<Diagnostic> {
    let allowed = Networks::new(&config.listen.allow);
    // The networks are read in the order of the texts, and one text may be several.
    let Some(given) = &file.limits.exempt else { return Vec::new() };
    let never = config.limits.exempt.iter().find(|network| !allowed.meets(network));
    let found = never.map(|network| {
        Diagnostic::new(given.span(), messages::exempt_never_answered(network))
            .hint(messages::widen_allow())
    });
    found.into_iter().collect()
}

/// Categories with a missing list that would close or open something, and that have no list at all.
fn fail_modes(file: &File, config: &Config) -> Vec<Diagnostic> {
    let lists = &config.lists;
    if lists.starter || lists.packs.is_some() {
        return Vec::new();
    }
    let listed: CategorySet = lists
        .sources
        .iter()
        .map(|source| source.category)
        .chain(lists.sealed.iter().map(|sealed| sealed.category))
        .collect();
    let mut found = Vec::new();
    let is_listed = |given: &Spanned<String>| {
        config.taxonomy.find(given.get_ref()).is_none_or(|category| listed.contains(category))
    };
    for given in file.fail_mode.keys().filter(|given| !is_listed(given)) {
        let why = messages::no_list_of_it();
        let hint = messages::add("[[lists.source]]");
        found.push(void(given.span(), given.get_ref(), why, hint));
    }
    // Where there is no list whatever, that is told once.
    if listed.is_empty() {
        return found;
    }
    for profile in file.profile.values() {
        let during = profile.during.values().map(|during| &during.block);
        let texts = std::iter::once(&profile.block).chain(during).flat_map(each);
        for given in texts.filter(|given| !is_listed(given)) {
            let why = messages::no_list_of_it();
            let hint = messages::add("[[lists.source]]");
            found.push(void(given.span(), given.get_ref(), why, hint));
        }
    }
    found
}

/// Groups that name the schedule of their lessons, and for which lessons change nothing.
fn lessons(file: &File, config: &Config) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    for (table, group) in file.group.iter().zip(&config.groups) {
        let Some(given) = &table.get_ref().lessons else { continue };
        let own = group.lesson_schedule;
        let changes = !group.lessons.is_empty()
            || group.during.iter().any(|during| Some(during.schedule) == own);
        if !changes {
            let why = messages::lessons_change_nothing(&group.name);
            found.push(void(given.span(), "lessons", why, messages::remove_it()));
        }
    }
    found
}

/// One file for two purposes: each is read in its own way, so that one of them is mistaken.
fn one_file_twice(file: &File) -> Vec<Diagnostic> {
    let mut named: Vec<(&str, &Spanned<String>)> = Vec::new();
    for (key, given) in [
        ("token", &file.admin.token),
        ("policy", &file.department.policy),
        ("keywords", &file.lists.keywords),
        ("packs", &file.lists.packs),
        ("dir", &file.state.dir),
        ("resolv_conf", &file.upstream.resolv_conf),
    ] {
        named.extend(given.as_ref().map(|given| (key, given)));
    }
    for table in file.lists.source.iter().map(Spanned::get_ref) {
        named.extend(table.path.as_ref().map(|given| ("path", given)));
        named.extend(table.key.as_ref().map(|given| ("key", given)));
    }
    for table in file.schedule.iter().map(Spanned::get_ref) {
        named.extend(table.calendar.as_ref().map(|given| ("calendar", given)));
        named.extend(each(&table.except).map(|given| ("calendar", given)));
    }
    let mut seen: HashMap<PathBuf, &str> = HashMap::new();
    let mut found = Vec::new();
    for (key, given) in named {
        let parts = Path::new(given.get_ref()).components();
        let path: PathBuf = parts.filter(|part| *part != Component::CurDir).collect();
        let other = *seen.entry(path).or_insert(key);
        if other != key {
            let message = messages::one_file_for_two(given.get_ref(), key, other);
            found.push(Diagnostic::new(given.span(), message).hint(messages::change_one()));
        }
    }
    found
}
