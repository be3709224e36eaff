//! Any octets as a file that a school forwards.
#![no_main]

libfuzzer_sys::fuzz_target!(|octets: &[u8]| lachan_fuzz::forwarded(octets));
