//! `kubectl kubia status` on a real API server.

use crate::support::{namespace::Namespace, sandbox::Sandbox};

#[test]
fn status_shows_the_chain_from_url_to_pods() {
    let namespace = Namespace::new(Sandbox::shared());
    namespace.deploy();
    namespace.kubia(&["shift", "--v2", "30"]).exits(0);
    let url = namespace.kubia(&["gateway-url"]).exits(0).stdout;
    let output = namespace.kubia(&["status"]).exits(0);
    for text in [url.trim(), "dr-v1", "dr-v2", "70", "30", "3/3", "1/1"] {
        assert!(output.stdout.contains(text), "no {text:?}: {output}");
    }
}

#[test]
fn status_before_deploy_says_what_to_do() {
    let namespace = Namespace::new(Sandbox::shared());
    namespace.kubia(&["status"]).exits(1).says(&["kubia-vs", "kubectl kubia deploy"]);
}
