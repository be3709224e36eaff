//! Any octets as a file of certificates, in PEM and in DER, and as the key beside it.
#![no_main]

libfuzzer_sys::fuzz_target!(|octets: &[u8]| lachan_fuzz::certificate(octets));
