//! Settings for Chrome and its kin, for Windows 11 and for Android.

use crate::cli::export::mdm::devices::ManagedDevices;
use crate::cli::export::text::{CommentStyle, CommentedLines};
use crate::cli::output::json;
use crate::dns::designated::{DOH_PORT, DOT_PORT};
use crate::lang::{Message, messages};

/// Two policies of Chrome, Edge and `ChromeOS`. JSON has no comments: [`chrome_notes`] are beside it.
pub(super) fn chrome(devices: &ManagedDevices<'_>) -> Result<String, Message> {
    let url = devices.url();
    let url = url.ok_or_else(|| messages::export_needs_doh("Chrome", "--doh-port"))?;
    // With the variable, queries go by GET (RFC 8484 §4.1).
    Ok(json(&serde_json::json!({
        "DnsOverHttpsMode": "secure",
        "DnsOverHttpsTemplates": format!("{url}{{?dns}}"),
    })))
}

/// What the comments of Chrome's policies would say.
pub(super) fn chrome_notes(devices: &ManagedDevices<'_>) -> String {
    let mut out = CommentedLines::new(CommentStyle::Hash, devices.lang);
    devices.introduce(&mut out, "Chrome, Edge, ChromeOS");
    out.say(&messages::export_chrome_where());
    out.say(&messages::export_chrome_home());
    out.finish()
}

/// Commands for a prompt of Windows 11.
pub(super) fn windows(devices: &ManagedDevices<'_>) -> String {
    let announced = devices.announced;
    let mut out = CommentedLines::new(CommentStyle::Rem, devices.lang);
    devices.introduce(&mut out, "Windows 11");
    out.say(&messages::export_windows_prompt());
    let Some(url) = devices.url() else {
        let port = announced.dot.unwrap_or(DOT_PORT);
        for address in announced.addresses() {
            out.put(format!(
                "netsh dns add encryption server={address} dothost={}:{port} autoupgrade=yes udpfallback=no",
                announced.host()
            ));
        }
        if port != DOT_PORT {
            out.say(&messages::export_windows_dot_port());
        }
        out.put("netsh dns add global dot=yes");
        out.say(&messages::export_windows_no_ztdns());
        return out.finish();
    };
    for address in announced.addresses() {
        out.put(format!(
            "netsh dns add encryption server={address} dohtemplate={url} autoupgrade=yes udpfallback=no"
        ));
    }
    out.say(&messages::export_windows_powershell());
    for address in announced.addresses() {
        out.put_comment(&format!(
            "Add-DnsClientDohServerAddress -ServerAddress '{address}' -DohTemplate '{url}' \
             -AllowFallbackToUdp $False -AutoUpgrade $True"
        ));
    }
    out.say(&messages::export_windows_ztdns());
    let port = announced.doh.unwrap_or(DOH_PORT);
    for address in announced.addresses() {
        out.put(format!(
            "netsh ztdns add server type=doh address={address} port={port} template={url}"
        ));
    }
    out.put("netsh ztdns set state enable=yes audit=yes");
    out.say(&messages::export_windows_enforce());
    out.put_comment("netsh ztdns set state enable=yes audit=no");
    out.finish()
}

/// The name for Private DNS, which is DNS over TLS at its own port and has no other setting.
pub(super) fn android(devices: &ManagedDevices<'_>) -> Result<String, Message> {
    let announced = devices.announced;
    if announced.dot != Some(DOT_PORT) {
        return Err(messages::export_needs_dot("--dot-port"));
    }
    let mut out = CommentedLines::new(CommentStyle::Hash, devices.lang);
    devices.introduce(&mut out, "Android");
    out.say(&messages::export_android_where());
    out.say(&messages::export_android_home());
    out.put(announced.host());
    Ok(out.finish())
}
