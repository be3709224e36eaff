//! A configuration profile with one payload, `com.apple.dnsSettings.managed` (iOS 14, macOS 11).
//!
//! Its UUIDs are of version 8 (RFC 9562 §5.8), from school, group and payload: the same settings
//! replace themselves on a device instead of standing there twice.

use crate::cli::export::mdm::devices::ManagedDevices;
use crate::cli::export::text::{CommentStyle, CommentedLines};
use crate::lang::messages;

/// The profile as a property list.
pub(super) fn profile(devices: &ManagedDevices<'_>) -> String {
    let announced = devices.announced;
    let mut out = CommentedLines::new(CommentStyle::Xml, devices.lang);
    out.put("<?xml version=\"1.0\" encoding=\"UTF-8\"?>");
    out.put(
        "<!DOCTYPE plist PUBLIC \"-//Apple//DTD PLIST 1.0//EN\" \
         \"http://www.apple.com/DTDs/PropertyList-1.0.dtd\">",
    );
    devices.introduce(&mut out, "Apple");
    networks(&mut out, devices);
    out.say(&if devices.is_supervised {
        messages::export_apple_supervised()
    } else {
        messages::export_apple_removable("--supervised")
    });
    let title = escaped(&format!("DNS: {}, {}", devices.school_name, devices.group));
    let identifier = escaped(&format!("lachan.{}.{}", devices.school, devices.group));
    let (inner, outer) = (uuid(devices, "dns"), uuid(devices, "profile"));
    out.put("<plist version=\"1.0\">\n<dict>\n    <key>PayloadContent</key>\n    <array>\n        <dict>");
    out.put("            <key>DNSSettings</key>\n            <dict>");
    let mut setting = |key: &str, value: &str| {
        out.put(format!("                <key>{key}</key>\n                {value}"));
    };
    let addresses = announced.addresses();
    let list = |texts: &[String]| {
        let each: Vec<String> = texts.iter().map(|text| string(text)).collect();
        format!("<array>{}</array>", each.concat())
    };
    let addresses: Vec<String> = addresses.iter().map(ToString::to_string).collect();
    if let Some(url) = devices.url() {
        setting("DNSProtocol", &string("HTTPS"));
        setting("ServerURL", &string(&url));
    } else {
        setting("DNSProtocol", &string("TLS"));
        setting("ServerName", &string(&announced.host()));
    }
    setting("ServerAddresses", &list(&addresses));
    out.put("            </dict>\n            <key>OnDemandRules</key>\n            <array>");
    let (key, values) = if devices.ssids.is_empty() {
        ("DNSServerAddressMatch", list(&addresses))
    } else {
        ("SSIDMatch", list(devices.ssids))
    };
    out.put(format!(
        "                <dict><key>Action</key><string>Connect</string><key>{key}</key>{values}</dict>\n                \
         <dict><key>Action</key><string>Disconnect</string></dict>\n            </array>"
    ));
    if devices.is_supervised {
        out.put("            <key>ProhibitDisablement</key>\n            <true/>");
    }
    let payload = |kind: &str, identifier: &str, uuid: &str, indent: &str| {
        [
            ("PayloadType", kind),
            ("PayloadIdentifier", identifier),
            ("PayloadUUID", uuid),
            ("PayloadDisplayName", &title),
        ]
        .map(|(key, value)| format!("{indent}<key>{key}</key>\n{indent}<string>{value}</string>\n"))
        .concat()
            + &format!("{indent}<key>PayloadVersion</key>\n{indent}<integer>1</integer>")
    };
    let own = format!("{identifier}.dns");
    out.put(payload("com.apple.dnsSettings.managed", &own, &inner, "            "));
    out.put("        </dict>\n    </array>");
    out.put(payload("Configuration", &identifier, &outer, "    "));
    out.put("</dict>\n</plist>");
    out.finish()
}

/// Says in which networks the profile acts.
fn networks(out: &mut CommentedLines, devices: &ManagedDevices<'_>) {
    out.say(&if devices.ssids.is_empty() {
        messages::export_apple_networks()
    } else {
        messages::export_apple_ssids(escaped(&devices.ssids.join(", ")))
    });
}

/// A string of a property list.
fn string(text: &str) -> String {
    format!("<string>{}</string>", escaped(text))
}

/// Text as XML has it.
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

/// A UUID of version 8 that school, group and payload have alone.
fn uuid(devices: &ManagedDevices<'_>, payload: &str) -> String {
    let mut hasher = blake3::Hasher::new();
    for part in ["lachan export mdm", devices.school, devices.group, payload] {
        hasher.update(part.as_bytes()).update(&[0]);
    }
    let mut octets = [0; 16];
    hasher.finalize_xof().fill(&mut octets);
    octets[6] = octets[6] & 0x0f | 0x80;
    octets[8] = octets[8] & 0x3f | 0x80;
    let digits = format!("{:032X}", u128::from_be_bytes(octets));
    let parts =
        [0..8, 8..12, 12..16, 16..20, 20..32].map(|range| digits.get(range).unwrap_or_default());
    parts.join("-")
}
