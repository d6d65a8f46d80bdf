//! What `shift` and `status` cost: no more when thousands of other objects stand beside theirs.

use std::time::Duration;

use crate::support::{
    audit::AuditedUser, cost::measure, namespace::Namespace, process, sandbox::Sandbox,
};

/// The most requests of a shift that changes nothing, behind two gateway proxies.
const UNCHANGED: usize = 6;

#[test]
fn a_shift_that_changes_nothing_takes_six_requests() {
    let namespace = Namespace::new(Sandbox::shared());
    namespace.deploy();
    namespace.kubia(&["shift", "--v2", "30"]).exits(0);
    let user = AuditedUser::new(&namespace);
    let kubeconfig = user.kubeconfig().write(namespace.folder(), "audited.kubeconfig");
    let output =
        process::run(&mut namespace.plugin(&kubeconfig, &["shift", "--v2", "30"])).exits(0);
    assert!(output.stdout.contains("unchanged\ngateway proxies 2/2 live\n"), "{output}");
    let requests = user.requests();
    assert!(requests.len() <= UNCHANGED, "{requests:#?}");
}

#[test]
fn other_objects_of_a_namespace_cost_nothing() {
    let sandbox = Sandbox::for_faults();
    let namespace = Namespace::new(&sandbox);
    // Requests and bytes are counted however near the server is.
    measure(&namespace, (200, 20), Duration::from_millis(1)).assert_equal();
}
