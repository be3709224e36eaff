//! Any octets as a form of the portal.
#![no_main]

libfuzzer_sys::fuzz_target!(|octets: &[u8]| lachan_fuzz::form(octets));
