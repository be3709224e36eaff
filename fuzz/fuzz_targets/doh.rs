//! Any octets as a request to DNS over HTTPS.
#![no_main]

libfuzzer_sys::fuzz_target!(|octets: &[u8]| lachan_fuzz::doh(octets));
