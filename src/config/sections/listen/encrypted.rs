//! `[listen] dot, doh` and `[[listen.tls]]`: encrypted listeners and their certificates.

use std::net::{IpAddr, SocketAddr};

use toml::Spanned;

use super::{CertificateFiles, Listen, collide};
use crate::config::file::report::Report;
use crate::config::file::shape::{ListenFile, SpannedText, Table, TlsFile};
use crate::config::file::value::each;
use crate::dns::name::Name;
use crate::lang::messages;
use crate::policy::tables::local_zones::is_public_suffix;

/// The most certificates.
const MOST_CERTIFICATES: usize = 16;

impl Report<'_> {
    /// Checks the encrypted listeners, which stand beside those of `listen`.
    pub(super) fn encrypted(&mut self, file: &ListenFile, listen: &mut Listen) {
        if let Some(given) = &file.dot {
            listen.dot = self.encrypted_listeners("dot", 853, given, &listen.dns, &[]);
        }
        if let Some(given) = &file.doh {
            listen.doh = self.encrypted_listeners("doh", 443, given, &listen.dns, &listen.dot);
        }
        listen.names = each(&file.names).filter_map(|text| self.own_name(text)).collect();
        listen.tls = self.certificates(&file.tls);
        let wanted = [("dot", &file.dot), ("doh", &file.doh)];
        let wanted = wanted.into_iter().find_map(|(key, given)| Some((key, given.as_ref()?)));
        if let Some((key, given)) = wanted.filter(|_| file.tls.is_empty()) {
            self.mistake(given.span(), messages::no_certificate(key)).hint =
                Some(messages::give_certificate("[[listen.tls]]", "lachan certs self"));
        }
    }

    fn encrypted_listeners(
        &mut self,
        key: &'static str,
        port: u16,
        given: &Spanned<Vec<Spanned<String>>>,
        dns: &[SocketAddr],
        dot: &[SocketAddr],
    ) -> Vec<SocketAddr> {
        let addresses = self.addresses(key, port, given);
        // With an address less than texts there is a mistake to mend first.
        let is_whole = addresses.len() == given.get_ref().len();
        for (address, text) in addresses.iter().zip(given.get_ref()).filter(|_| is_whole) {
            let is_taken = |others: &[SocketAddr]| {
                address.port() != 0 && others.iter().any(|other| collide(*other, *address))
            };
            let by = match () {
                () if is_taken(dns) => "[listen] dns",
                () if is_taken(dot) => "[listen] dot",
                () => continue,
            };
            self.mistake(text.span(), messages::port_taken(address, by)).hint =
                Some(messages::give_listener_another_port(key));
        }
        addresses
    }

    /// A name of the gateway itself: the records of what has it elsewhere are no longer seen.
    fn own_name(&mut self, text: &Spanned<String>) -> Option<Name> {
        let name = self.name("names", text)?;
        if text.get_ref().parse::<IpAddr>().is_ok()
            || name.label_count() < 2
            || is_public_suffix(&name)
        {
            self.mistake(text.span(), messages::no_own_name(text.get_ref())).hint =
                Some(messages::write("names = [\"dns.school.example\"]"));
        }
        Some(name)
    }

    fn certificates(&mut self, given: &[Spanned<Table<TlsFile>>]) -> Vec<CertificateFiles> {
        if let Some(one) = given.get(MOST_CERTIFICATES) {
            let message = messages::too_many_certificates("[[listen.tls]]", MOST_CERTIFICATES);
            self.mistake(one.span(), message);
        }
        let files = given.iter().take(MOST_CERTIFICATES).filter_map(|table| {
            let file = table.get_ref();
            let mut path = |key: &'static str, given: &SpannedText| {
                let Some(text) = given else {
                    self.mistake(
                        table.span(),
                        messages::certificate_needs("[[listen.tls]]", key),
                    )
                    .hint = Some(messages::write(format!("{key} = \"dns.{key}.pem\"")));
                    return None;
                };
                self.path(key, text)
            };
            let certificate = path("certificate", &file.certificate);
            let key = path("key", &file.key);
            Some(CertificateFiles { certificate: certificate?, key: key? })
        });
        files.collect()
    }
}
