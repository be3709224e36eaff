//! Any octets as what a server sends in reply to a question.
#![no_main]

libfuzzer_sys::fuzz_target!(|octets: &[u8]| lachan_fuzz::heard(octets));
