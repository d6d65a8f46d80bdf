//! What `deploy --dry-run=client` prints.

use insta::assert_snapshot;

use crate::support::{FakeApi, kubia};

#[test]
fn dry_run_on_the_client_asks_no_server() {
    let api = FakeApi::default();
    let output = kubia(&api, "deploy --dry-run=client --image v2=registry.example/app:2");
    assert_snapshot!("manifests", output);
    assert_eq!(api.requests(), [""; 0]);
}

#[test]
fn dry_run_as_json_is_one_list() {
    let output = kubia(&FakeApi::default(), "deploy --dry-run=client -o json");
    let list: serde_json::Value = serde_json::from_str(&output.stdout).unwrap();
    assert_eq!(list["kind"], "List");
    assert_eq!(list["items"].as_array().unwrap().len(), 6);
}
