//! One program for all targets: libFuzzer's flags, and the target's name in `KUBIA_FUZZ`.

#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::{fuzz_mutator, fuzz_target, fuzzer_mutate};

static TARGET: LazyLock<String> =
    LazyLock::new(|| std::env::var("KUBIA_FUZZ").expect("KUBIA_FUZZ names the target"));

fuzz_target!(|data: &[u8]| kubia_fuzz::run(&TARGET, data));

// Of two changes one is to the JSON, where there is any: a change to its bytes mostly breaks it.
fuzz_mutator!(|data: &mut [u8], size: usize, max_size: usize, seed: u32| {
    if seed % 2 == 0
        && let Some(changed) = kubia_fuzz::changed(&data[..size], seed)
        && changed.len() <= max_size
    {
        data[..changed.len()].copy_from_slice(&changed);
        return changed.len();
    }
    fuzzer_mutate(data, size, max_size)
});
