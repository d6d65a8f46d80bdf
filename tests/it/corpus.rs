//! Replays what fuzzers were given and have found: `fuzz/corpus/TARGET/*`.

use std::{collections::BTreeSet, fs};

#[expect(dead_code, unreachable_pub, reason = "the fuzzers use the rest")]
#[path = "../../fuzz/src/lib.rs"]
mod targets;

#[test]
fn every_target_takes_its_corpus() {
    for (name, target) in targets::TARGETS {
        let files = fs::read_dir(format!("fuzz/corpus/{name}")).unwrap();
        let files: Vec<_> = files.map(|file| fs::read(file.unwrap().path()).unwrap()).collect();
        assert!(!files.is_empty(), "{name}");
        for bytes in files {
            target(&bytes);
            // What a fuzzer would do with it first.
            for seed in 0..8 {
                if let Some(changed) = targets::changed(&bytes, seed) {
                    target(&changed);
                }
            }
        }
    }
}

#[test]
fn every_corpus_has_a_target() {
    let folders = fs::read_dir("fuzz/corpus").unwrap();
    let folders: BTreeSet<_> =
        folders.map(|folder| folder.unwrap().file_name().into_string().unwrap()).collect();
    let names: BTreeSet<_> = targets::TARGETS.map(|(name, _)| name.to_owned()).into();
    assert_eq!(folders, names);
}
