//! Any octets as a canonical list: refused, or a pack whose text compiles to the same rules.
#![no_main]

libfuzzer_sys::fuzz_target!(|octets: &[u8]| lachan_fuzz::release_list(octets));
