//! `lachan export mdm`: settings of managed devices, so that they use the gateway's encrypted DNS as
//! a group.
//!
//! A group's token stands in what is printed where one is given; the program stores and logs it
//! nowhere. A template with an id for each device (`DnsOverHttpsTemplatesWithIdentifiers`) is absent
//! on purpose: that id would be a child's.

mod apple;
mod devices;
mod others;

use crate::cli::export::announced::{Announced, AnnouncedArguments};
use crate::cli::export::config::from_config;
use crate::cli::export::mdm::devices::{ManagedDevices, PLACEHOLDER};
use crate::cli::output::complain;
use crate::config::Config;
use crate::devices::tokens::secret::TokenSecret;
use crate::dns::name::Name;
use crate::lang::{Message, messages};
use crate::policy::GroupRules;

/// Arguments of `export mdm`.
#[derive(Debug, clap::Args)]
pub(super) struct MdmArguments {
    #[command(flatten)]
    announced: AnnouncedArguments,
    /// The group that the devices are to be in.
    #[arg(long, value_name = "GROUP")]
    group: String,
    /// The devices.
    #[arg(long = "for", value_name = "SYSTEM")]
    system: System,
    /// The group's token, behind the path of DNS over HTTPS.
    #[arg(long, value_name = "TOKEN")]
    token: Option<String>,
    /// Print the word TOKEN where the group's token goes.
    #[arg(long, conflicts_with = "token")]
    token_placeholder: bool,
    /// Apple: a wireless network of the school, in which alone it acts; may be given many times.
    #[arg(long = "ssid", value_name = "NAME")]
    ssids: Vec<String>,
    /// Apple: the devices are supervised, so that users can be kept from switching it off.
    #[arg(long)]
    supervised: bool,
}

/// A system of devices.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum System {
    /// iPhone, iPad, Mac: a configuration profile (`.mobileconfig`).
    Apple,
    /// Chrome, Edge and `ChromeOS`: policies as JSON.
    Chrome,
    /// Windows 11: DNS over HTTPS, and Zero Trust DNS in audit mode.
    Windows,
    /// Android: the name for Private DNS.
    Android,
}

/// The settings.
pub(super) fn exported(arguments: &MdmArguments) -> Result<String, String> {
    from_config(&arguments.announced.config, |config| settings(config, arguments))
}

fn settings(config: &Config, arguments: &MdmArguments) -> Result<String, Message> {
    let group = config.groups.iter().find(|group| group.name == arguments.group);
    let group = group.ok_or_else(|| {
        let known: Vec<String> = config.groups.iter().map(|g| format!("`{}`", g.name)).collect();
        messages::export_no_group(&arguments.group, known.join(", "))
    })?;
    let announced = Announced::of(config, &arguments.announced, &server_names(group))?;
    let given = arguments.token.as_deref();
    if given.is_some_and(|token| TokenSecret::read(token).is_none()) {
        return Err(messages::export_token_form());
    }
    let token = given.or(arguments.token_placeholder.then_some(PLACEHOLDER));
    if token.is_some() && announced.doh.is_none() {
        return Err(messages::export_token_without_doh("--doh-port"));
    }
    let is_ssid =
        |name: &String| (1..=32).contains(&name.len()) && !name.chars().any(char::is_control);
    if !arguments.ssids.iter().all(is_ssid) {
        return Err(messages::export_ssid_form());
    }
    let school = &config.school;
    let devices = ManagedDevices {
        announced: &announced,
        school: &school.id,
        school_name: if school.name.is_empty() { &school.id } else { &school.name },
        group: &group.name,
        token,
        is_placeholder: arguments.token_placeholder,
        ssids: &arguments.ssids,
        is_supervised: arguments.supervised,
        lang: school.lang,
    };
    let text = made(arguments.system, &devices)?;
    announced.warn(config, &arguments.announced);
    if arguments.system == System::Chrome {
        complain(&others::chrome_notes(&devices));
    }
    Ok(text)
}

/// The settings for a system.
fn made(system: System, devices: &ManagedDevices<'_>) -> Result<String, Message> {
    match system {
        System::Apple => Ok(apple::profile(devices)),
        System::Chrome => others::chrome(devices),
        System::Windows => Ok(others::windows(devices)),
        System::Android => others::android(devices),
    }
}

/// The server names of a group; the first is the one its devices take.
fn server_names(group: &GroupRules) -> Vec<Name> {
    let names = group.claims.server_names.iter();
    names.filter_map(|name| Name::from_text(name).ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::export::announced::tests::school;
    use crate::lang::Lang;

    /// What each system gets of a gateway.
    fn each(change: impl Fn(&mut Announced), token: Option<&str>) -> String {
        let mut announced = school();
        change(&mut announced);
        let devices = ManagedDevices {
            announced: &announced,
            school: "thcs-hoa-binh",
            school_name: "THCS <Hòa Bình> & bạn",
            group: "pupils",
            token,
            is_placeholder: token == Some(PLACEHOLDER),
            ssids: &[],
            is_supervised: false,
            lang: Lang::En,
        };
        let systems = [System::Apple, System::Chrome, System::Windows, System::Android];
        let shown = systems.map(|system| match made(system, &devices) {
            Ok(text) => text,
            Err(refused) => refused.in_lang(Lang::En),
        });
        shown.join("\n--------\n")
    }

    #[test]
    fn settings_of_each_system() {
        insta::assert_snapshot!("both", each(|_| {}, None));
        insta::assert_snapshot!("token", each(|_| {}, Some(PLACEHOLDER)));
        insta::assert_snapshot!("dot_alone", each(|gateway| gateway.doh = None, None));
        insta::assert_snapshot!(
            "odd_ports",
            each(
                |gateway| {
                    (gateway.dot, gateway.doh) = (Some(8853), Some(8443));
                },
                None
            )
        );
    }

    #[test]
    fn apple_networks_and_supervision() {
        let announced = school();
        let ssids = ["Trường & bạn".to_owned(), "Lab".to_owned()];
        let devices = ManagedDevices {
            announced: &announced,
            school: "thcs-hoa-binh",
            school_name: "Hòa Bình",
            group: "staff",
            token: None,
            is_placeholder: false,
            ssids: &ssids,
            is_supervised: true,
            lang: Lang::Vi,
        };
        insta::assert_snapshot!("supervised", apple::profile(&devices));
    }
}
