//! Fuzz targets for what databases write: the parser that the binary is named after.
//!
//! `strongroom_source::audit::untrusted` says what each promises.

#![no_main]

use strongroom_source::audit::untrusted;

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    match env!("CARGO_BIN_NAME") {
        "audit_line" => untrusted::line(data),
        "audit_lines" => untrusted::lines(data),
        _ => untrusted::position(data),
    }
});
