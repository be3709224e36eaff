//! Any octets as a query.
#![no_main]

libfuzzer_sys::fuzz_target!(|octets: &[u8]| lachan_fuzz::query(octets));
