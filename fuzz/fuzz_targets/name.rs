//! Any octets as a name, on the wire and as text.
#![no_main]

libfuzzer_sys::fuzz_target!(|octets: &[u8]| {
    lachan_fuzz::name_wire(octets);
    if let Ok(text) = std::str::from_utf8(octets) {
        lachan_fuzz::name_text(text);
    }
});
