//! Real krew and real kubectl, without a network.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use tempfile::TempDir;

use super::support::{
    VERSION, archive_name, checksum, in_repository, pack, packaged, read, run, serve, this_arch,
    try_run,
};

/// A release that never was, to upgrade from.
const OLDER: &str = "0.0.1";

/// A user with krew, and nothing else.
struct User {
    home: TempDir,
    kubectl: PathBuf,
}

impl User {
    fn new() -> Self {
        Self::with_kubectl("target/sandbox/tools/bin")
    }

    fn with_kubectl(folder: &str) -> Self {
        Self { home: TempDir::new().expect("a temporary folder"), kubectl: in_repository(folder) }
    }

    fn krew_root(&self) -> PathBuf {
        self.home.path().join("krew")
    }

    fn command(&self, program: &Path) -> Command {
        let folders =
            [self.krew_root().join("bin"), in_repository("target/krew"), self.kubectl.clone()];
        let folders = folders.into_iter().chain(["/usr/bin".into(), "/bin".into()]);
        let mut command = Command::new(program);
        command
            .env_clear()
            .env("HOME", self.home.path())
            .env("PATH", std::env::join_paths(folders).unwrap())
            .env("KREW_ROOT", self.krew_root())
            .env("KREW_NO_UPGRADE_CHECK", "1")
            .env("KREW_DEFAULT_INDEX_URI", self.home.path().join("empty-index"))
            .current_dir(self.home.path());
        command
    }

    fn kubectl(&self, arguments: &[&str]) -> Command {
        let mut command = self.command(&self.kubectl.join("kubectl"));
        command.args(arguments);
        command
    }

    fn installs(&self, manifest: &Path, archive: &Path) -> Command {
        let mut command = self.kubectl(&["krew", "install"]);
        command.arg("--manifest").arg(manifest).arg("--archive").arg(archive);
        command
    }

    /// The version that the installed plugin says it has.
    #[track_caller]
    fn installed_version(&self) -> String {
        let printed = run(&mut self.kubectl(&["kubia", "--version"]));
        printed.split_whitespace().nth(1).unwrap().to_owned()
    }
}

/// A custom index: a git repository with one manifest, whose archives come from loopback.
struct Index {
    folder: TempDir,
    archives: TempDir,
    url: String,
}

impl Index {
    fn new(user: &User) -> Self {
        let (folder, archives) = (
            TempDir::new().expect("a temporary folder"),
            TempDir::new().expect("a temporary folder"),
        );
        let url = serve(archives.path());
        let index = Self { folder, archives, url };
        fs::create_dir(index.folder.path().join("plugins")).unwrap();
        index.git(user, &["init", "--quiet"]);
        // krew wants its default index too, be it empty.
        let empty = user.home.path().join("empty-index");
        fs::create_dir_all(empty.join("plugins")).unwrap();
        fs::write(empty.join("plugins/.keep"), "").unwrap();
        for arguments in
            [&["init", "--quiet"][..], &["add", "."], &["commit", "--quiet", "-m", "a"]]
        {
            run(git(user, &empty).args(arguments));
        }
        index
    }

    fn git(&self, user: &User, arguments: &[&str]) {
        run(git(user, self.folder.path()).args(arguments));
    }

    /// Publishes a version for every platform. Only this one's can be run.
    fn publish(&self, user: &User, version: &str, binary: &Path) -> PathBuf {
        let stand_in = in_repository("LICENSE");
        let pack_for = |os: &str, arch: &str| {
            let runs = (os, arch) == ("linux", this_arch());
            let binary = if runs { binary } else { &stand_in };
            let archive = pack(version, os, arch, binary, self.archives.path());
            format!("{}  {}\n", checksum(&archive), archive_name(version, os, arch))
        };
        let systems = ["linux", "darwin", "windows"].into_iter();
        let sums = systems.flat_map(|os| ["amd64", "arm64"].map(|arch| pack_for(os, arch)));
        let releases = concat!(env!("CARGO_PKG_REPOSITORY"), "/releases/download");
        let manifest = read("plugin.yaml").replace(releases, &self.url);
        let manifest = manifest.replace(&format!("v{VERSION}"), &format!("v{version}"));
        let inputs = ["plugin.yaml", "SHA256SUMS"].map(|name| self.archives.path().join(name));
        fs::write(&inputs[0], manifest).unwrap();
        fs::write(&inputs[1], sums.collect::<String>()).unwrap();
        let filled = run(Command::new(in_repository("packaging/manifest")).args(&inputs));
        let published = self.folder.path().join("plugins/kubia.yaml");
        fs::write(&published, filled).unwrap();
        self.git(user, &["add", "."]);
        self.git(user, &["commit", "--quiet", "-m", version]);
        published
    }
}

fn git(user: &User, folder: &Path) -> Command {
    let mut command = user.command(Path::new("/usr/bin/git"));
    command.current_dir(folder);
    command.args(["-c", "user.name=test", "-c", "user.email=test@example.com"]);
    command
}

/// The packaged binary, unpacked.
fn binary(folder: &TempDir) -> PathBuf {
    let archive = packaged(&archive_name(VERSION, "linux", this_arch()));
    run(Command::new("tar").arg("-xf").arg(archive).arg("-C").arg(folder.path()));
    folder.path().join("kubectl-kubia")
}

#[test]
fn there_is_no_network_but_loopback() {
    let interfaces = fs::read_to_string("/proc/self/net/dev").unwrap();
    let names: Vec<_> = interfaces.lines().filter_map(|line| line.split_once(':')).collect();
    assert!(
        matches!(names.as_slice(), [(name, _)] if name.trim() == "lo"),
        "run these tests with `make test-krew`, which runs them without a network:\n{interfaces}"
    );
}

#[test]
fn krew_installs_the_archive_and_kubectl_finds_it() {
    let archive = packaged(&archive_name(VERSION, "linux", this_arch()));
    for (kubectl, version) in [("target/sandbox/tools/bin", "1.37"), ("target/krew/old", "1.20")] {
        let user = User::with_kubectl(kubectl);
        let client = run(&mut user.kubectl(&["version", "--client"]));
        assert!(client.contains(&format!("v{version}.")), "{client}");
        let mut install = user.installs(&packaged("kubia.yaml"), &archive);
        let printed = run(&mut install);
        assert!(printed.contains("Installed plugin: kubia"), "{printed}");
        assert!(printed.contains("Needs Istio in the cluster."), "{printed}");
        assert_eq!(user.installed_version(), VERSION, "{kubectl}");
        let help = run(&mut user.kubectl(&["kubia"]));
        assert!(help.contains("Usage: kubectl kubia"), "{help}");

        let (clean, listed) = try_run(&mut user.kubectl(&["plugin", "list"]));
        assert!(clean && !listed.contains("warning"), "{kubectl}: {listed}");
        assert!(listed.contains("/krew/bin/kubectl-kubia\n"), "{listed}");
        let store = user.krew_root().join(format!("store/kubia/v{VERSION}"));
        assert!(store.join("LICENSE").is_file());
        // Again is no failure, and changes nothing.
        run(&mut install);
    }
}

#[test]
fn krew_refuses_an_archive_that_is_not_the_manifest_s() {
    let (user, folder) = (User::new(), TempDir::new().expect("a temporary folder"));
    let archive = pack(VERSION, "linux", this_arch(), &in_repository("LICENSE"), folder.path());
    let (installed, printed) = try_run(&mut user.installs(&packaged("kubia.yaml"), &archive));
    assert!(!installed && printed.contains("checksum"), "{printed}");
}

#[test]
fn an_index_installs_lists_upgrades_and_uninstalls() {
    let (user, unpacked) = (User::new(), TempDir::new().expect("a temporary folder"));
    let index = Index::new(&user);
    let older = unpacked.path().join("older");
    fs::write(&older, format!("#!/bin/sh\necho kubectl-kubia {OLDER}\n")).unwrap();
    index.publish(&user, OLDER, &older);

    let repository = index.folder.path().to_str().unwrap();
    let krew = |arguments: &[&str]| run(user.kubectl(&["krew"]).args(arguments));
    krew(&["index", "add", "kubia", repository]);
    krew(&["install", "kubia/kubia"]);
    assert_eq!(user.installed_version(), OLDER);

    index.publish(&user, VERSION, &binary(&unpacked));
    krew(&["update"]);
    let found = krew(&["search", "kubia"]);
    assert!(found.contains("Find Istio gateway URLs and shift traffic weights"), "{found}");
    let printed = krew(&["upgrade", "kubia"]);
    assert!(printed.contains("Upgraded plugin: kubia"), "{printed}");
    assert_eq!(user.installed_version(), VERSION);
    assert_eq!(krew(&["list"]), "kubia/kubia\n");
    let info = krew(&["info", "kubia/kubia"]);
    assert!(info.contains(&format!("VERSION: v{VERSION}")), "{info}");

    krew(&["uninstall", "kubia"]);
    let (found, printed) = try_run(&mut user.kubectl(&["kubia", "--version"]));
    assert!(!found, "{printed}");
    for (folder, rest) in [("store", "kubia"), ("receipts", "kubia.yaml"), ("bin", "kubectl-kubia")]
    {
        let path = user.krew_root().join(folder).join(rest);
        assert!(fs::symlink_metadata(&path).is_err(), "{} is left", path.display());
    }
    // krew takes a file that is left in its bin folder for an ancient installation.
    krew(&["list"]);
}

#[test]
fn krew_s_own_validator_passes() {
    let user = User::new();
    let validator = in_repository("target/krew/validate-krew-manifest");
    let structure = packaged("kubia.yaml");
    run(user.command(&validator).arg("-skip-install").arg("-manifest").arg(structure));

    // In full: it downloads and installs every platform's archive, and looks for the licence.
    let unpacked = TempDir::new().expect("a temporary folder");
    let index = Index::new(&user);
    let published = index.publish(&user, VERSION, &binary(&unpacked));
    let printed = run(user.command(&validator).arg("-manifest").arg(published));
    assert_eq!(printed.matches("installed  spec.platforms[").count(), 6, "{printed}");
}
