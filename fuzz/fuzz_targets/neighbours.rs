//! Any octets as what the kernel tells of its neighbours.
#![no_main]

libfuzzer_sys::fuzz_target!(|octets: &[u8]| lachan_fuzz::neighbours(octets));
