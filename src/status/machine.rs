//! What is not as it should be of the machine and the network around a gateway: the findings of
//! `lachan doctor` that no gateway can have of itself.

use serde::{Deserialize, Serialize};

use crate::lang::{Message, messages};

/// The kind of a finding about the machine. The order is that in which they are told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MachineFault {
    /// No gateway answers at the admin address.
    GatewaySilent,
    /// A gateway runs, and a listen address does not answer.
    ListenerSilent,
    /// Another program has a port of the gateway.
    PortHeld,
    /// The stub of systemd-resolved has it.
    StubHeld,
    /// A gateway that does not answer at the admin address has it.
    StaleGateway,
    /// Everybody may ask, and can.
    OpenResolver,
    /// The network hands out another resolver.
    SecondResolver,
    /// A group reaches public resolvers over HTTPS.
    DohOpen,
    /// Nothing can be written: the file system is read-only.
    DiskReadOnly,
    /// Nothing can be written: it is full, or nearly.
    DiskFull,
    /// Nothing can be written for another reason.
    StateUnwritable,
    /// Others can write there: it is not used.
    StateOpen,
    /// Something there belongs to another account.
    StateForeign,
    /// systemd stores the sockets of a gateway that does not run.
    SocketsStored,
    /// The clock follows no time server.
    ClockUnsynced,
    /// No clock runs without power.
    RtcAbsent,
    /// The one that does is wrong.
    RtcWrong,
    /// The disk is nearly full.
    DiskLow,
    /// There is no state directory.
    StateAbsent,
    /// Everybody may ask; only the addresses hold strangers off.
    OpenAllow,
    /// This machine is told to ask another resolver of its network.
    ForeignResolver,
    /// Browsers are not told to leave their own resolver.
    CanaryOpen,
    /// A list is old.
    ListOld,
}

impl MachineFault {
    /// Whether the gateway does all that it should all the same.
    pub(in crate::status) fn is_notice(self) -> bool {
        matches!(
            self,
            Self::SocketsStored
                | Self::ClockUnsynced
                | Self::RtcAbsent
                | Self::RtcWrong
                | Self::DiskLow
                | Self::StateAbsent
                | Self::OpenAllow
                | Self::ForeignResolver
                | Self::CanaryOpen
                | Self::ListOld
        )
    }

    /// The finding about a subject, and what to do about it.
    pub(in crate::status) fn messages(self, subject: &str) -> (Message, Message) {
        match self {
            Self::GatewaySilent => {
                (messages::machine_gateway_silent(subject), messages::remedy_gateway_silent())
            }
            Self::ListenerSilent => {
                (messages::machine_listener_silent(subject), messages::remedy_listener_silent())
            }
            Self::PortHeld => (messages::machine_port_held(subject), messages::remedy_port_held()),
            Self::StubHeld => (messages::machine_stub_held(subject), messages::remedy_stub_held()),
            Self::StaleGateway => {
                (messages::machine_stale_gateway(subject), messages::remedy_stale_gateway())
            }
            Self::SocketsStored => {
                (messages::machine_sockets_stored(subject), messages::remedy_sockets_stored())
            }
            Self::OpenResolver => {
                (messages::machine_open_resolver(subject), messages::remedy_open_resolver())
            }
            Self::OpenAllow => {
                (messages::machine_open_allow(subject), messages::remedy_open_resolver())
            }
            Self::SecondResolver => {
                (messages::machine_second_resolver(subject), messages::remedy_second_resolver())
            }
            Self::ForeignResolver => {
                (messages::machine_foreign_resolver(subject), messages::remedy_second_resolver())
            }
            Self::DohOpen => (messages::machine_doh_open(subject), messages::remedy_doh_open()),
            Self::CanaryOpen => {
                (messages::machine_canary_open(subject), messages::remedy_canary_open())
            }
            Self::DiskReadOnly => {
                (messages::machine_disk_read_only(subject), messages::remedy_disk_read_only())
            }
            Self::DiskFull => (messages::machine_disk_full(subject), messages::remedy_disk_space()),
            Self::DiskLow => (messages::machine_disk_low(subject), messages::remedy_disk_space()),
            Self::StateUnwritable => {
                (messages::machine_state_unwritable(subject), messages::remedy_state_unwritable())
            }
            Self::StateOpen => {
                (messages::machine_state_open(subject), messages::remedy_state_open(subject))
            }
            Self::StateForeign => {
                (messages::machine_state_foreign(subject), messages::remedy_state_foreign(subject))
            }
            Self::StateAbsent => {
                (messages::machine_state_absent(), messages::remedy_state_absent())
            }
            Self::ClockUnsynced => (messages::machine_clock_unsynced(), messages::remedy_clock()),
            Self::RtcAbsent => (messages::machine_rtc_absent(), messages::remedy_rtc_absent()),
            Self::RtcWrong => (messages::machine_rtc_wrong(), messages::remedy_rtc_wrong()),
            Self::ListOld => (messages::machine_list_old(subject), messages::remedy_list_stale()),
        }
    }
}
