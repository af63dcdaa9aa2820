#![no_main]

libfuzzer_sys::fuzz_target!(init: parterre_fuzz::decode_on_this_thread(), |bytes: &[u8]| parterre_fuzz::scan(bytes));
