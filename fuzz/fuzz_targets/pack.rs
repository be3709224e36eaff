//! Any octets as a pack: verified, and then asked, told and verified by name.
#![no_main]

libfuzzer_sys::fuzz_target!(|octets: &[u8]| lachan_fuzz::pack(octets));
