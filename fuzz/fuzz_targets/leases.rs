//! Any octets as the lease file of a DHCP server.
#![no_main]

libfuzzer_sys::fuzz_target!(|octets: &[u8]| lachan_fuzz::leases(octets));
