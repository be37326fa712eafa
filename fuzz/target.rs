//! One fuzz target: the parser that the binary is named after.
//!
//! `strongroom_engine::untrusted` lists them and says what each promises.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    strongroom_engine::untrusted::parse(env!("CARGO_BIN_NAME"), data);
});
