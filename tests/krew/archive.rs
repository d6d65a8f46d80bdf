//! The archive: what is in it, how large it is, and that packing again gives the same bytes.

use std::{collections::BTreeMap, fs, process::Command};

use tempfile::TempDir;

use super::support::{VERSION, archive_name, checksum, pack, packaged, run, this_arch};

const MIB: u64 = 1024 * 1024;

/// Returns the mode of each entry of an archive, such as `-rw-r--r--`, by its name.
fn entries(archive: &std::path::Path) -> BTreeMap<String, String> {
    let mut command = Command::new("tar");
    let listing =
        run(command.args(["--list", "--verbose", "--numeric-owner", "--file"]).arg(archive));
    let entry = |line: &str| {
        let columns: Vec<_> = line.split_whitespace().collect();
        assert_eq!(columns[1], "0/0", "an owner: {line}");
        assert_eq!(columns[3..5], ["1980-01-01", "00:00"], "a date: {line}");
        (columns[5..].join(" "), columns[0].to_owned())
    };
    listing.lines().map(entry).collect()
}

#[test]
fn is_flat_and_has_what_krew_and_people_need() {
    let entries = entries(&packaged(&archive_name(VERSION, "linux", this_arch())));
    let expected = [
        ("CHANGELOG.md", "-rw-r--r--"),
        ("LICENSE", "-rw-r--r--"),
        ("README.md", "-rw-r--r--"),
        ("kubectl-kubia", "-rwxr-xr-x"),
    ];
    for (name, mode) in expected {
        assert_eq!(entries.get(name).map(String::as_str), Some(mode), "{name}");
    }
    let others =
        entries.iter().filter(|(name, _)| !expected.iter().any(|(known, _)| known == name));
    for (name, mode) in others {
        let expected = match name.as_str() {
            "completions/" => "drwxr-xr-x",
            "completions/kubectl_complete-kubia" => "-rwxr-xr-x",
            _ => "-rw-r--r--",
        };
        assert_eq!(mode, expected, "{name}");
        assert!(name.starts_with("completions/"), "{name}");
    }
    // krew refuses any `..`, also within a name, and absolute paths.
    assert!(!entries.keys().any(|name| name.contains("..") || name.starts_with(['/', '\\'])));
    assert!(entries.contains_key("completions/kubectl_complete-kubia"));
}

#[test]
fn its_checksum_is_in_the_manifest_beside_it() {
    let name = archive_name(VERSION, "linux", this_arch());
    let sum = checksum(&packaged(&name));
    let manifest = super::manifest::parse(&fs::read_to_string(packaged("kubia.yaml")).unwrap());
    let platform = manifest.spec.platforms.iter().find(|each| each.uri.ends_with(&name));
    assert_eq!(platform.unwrap().sha256, sum);
    let sums = fs::read_to_string(packaged("SHA256SUMS")).unwrap();
    assert_eq!(sums, format!("{sum}  {name}\n"));
}

#[test]
fn keeps_its_size() {
    let archive = packaged(&archive_name(VERSION, "linux", this_arch()));
    let folder = TempDir::new().expect("a temporary folder");
    run(Command::new("tar").arg("-xf").arg(&archive).arg("-C").arg(folder.path()));
    let sizes = [folder.path().join("kubectl-kubia"), archive]
        .map(|file| fs::metadata(file).unwrap().len());
    assert!(sizes[0] <= 8 * MIB, "the binary has {} bytes", sizes[0]);
    assert!(sizes[1] <= 4 * MIB, "the archive has {} bytes", sizes[1]);
}

#[test]
fn packing_again_gives_the_same_bytes() {
    let first = packaged(&archive_name(VERSION, "linux", this_arch()));
    let (unpacked, again) =
        (TempDir::new().expect("a temporary folder"), TempDir::new().expect("a temporary folder"));
    run(Command::new("tar").arg("-xf").arg(&first).arg("-C").arg(unpacked.path()));
    let binary = unpacked.path().join("kubectl-kubia");
    // Neither the date nor the mode of the input matters.
    run(Command::new("touch").arg(&binary));
    run(Command::new("chmod").arg("700").arg(&binary));
    let second = pack(VERSION, "linux", this_arch(), &binary, again.path());
    assert_eq!(checksum(&first), checksum(&second));
}
