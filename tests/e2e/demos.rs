//! README shows what the demo prints; on a reader's cluster the demo leaves nothing behind.

use tempfile::TempDir;

use crate::{
    demo::{self, Cluster},
    readme,
    support::{kubectl::Kubectl, process, sandbox::Sandbox},
};

#[test]
fn readme_shows_what_the_demo_prints() {
    let blocks = demo::on_sandbox(Sandbox::shared(), &|_| ()).unwrap_or_else(|e| panic!("{e}"));
    let differences = readme::differences(&readme::read(), &blocks);
    assert!(differences.is_empty(), "`UPDATE=1 make demo` rewrites README\n{differences}");
}

#[test]
fn the_demo_on_a_readers_cluster_removes_its_namespace() {
    let sandbox = Sandbox::shared();
    let home = TempDir::new().expect("a temporary folder");
    let path = demo::path_with_plugin(sandbox.path());
    let shell = || process::clean("sh", &sandbox.admin_kubeconfig(), home.path(), &path);
    let cluster = Cluster { context: "kubia-sandbox", kubectl: sandbox.kubectl(), shell: &shell };
    let blocks = demo::on_cluster(&cluster, "kubia-sandbox", &|_| ());
    let blocks = blocks.unwrap_or_else(|error| panic!("{error}"));
    let deployed = &blocks[0].text;
    let words: Vec<&str> = deployed.lines().next().expect("a command").split(' ').collect();
    let namespace = words.iter().skip_while(|word| **word != "-n").nth(1).expect("a namespace");
    assert!(namespace.starts_with("kubia-demo-"), "{deployed}");
    assert!(deployed.contains(&format!("--host {namespace}.kubia.test")), "{deployed}");
    let gone = cluster.kubectl.run(&["get", "namespace", namespace]).exits(1);
    assert!(gone.stderr.contains("NotFound"), "{gone}");
}

#[test]
fn the_demo_on_a_readers_cluster_is_refused_until_confirmed() {
    let shell = || panic!("nothing is run");
    let kubectl = Kubectl::of_reader("production");
    let cluster = Cluster { context: "production", kubectl, shell: &shell };
    let refused = demo::on_cluster(&cluster, "staging", &|_| panic!("nothing is shown"));
    let message = refused.err().expect("it is refused");
    assert!(message.contains("CONFIRM=production"), "{message}");
}
