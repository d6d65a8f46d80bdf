//! Requests that go on while traffic moves to a version that is late.

use crate::support::{
    namespace::Namespace,
    rollout::{Traffic, with_patches, with_plugin},
    sandbox::Sandbox,
};

const TRAFFIC: Traffic = Traffic { per_second: 100, per_step: 500 };

#[test]
fn no_request_fails_while_traffic_moves_to_a_version_that_is_late() {
    let report = with_plugin(&Namespace::new(Sandbox::shared()), TRAFFIC);
    assert_eq!(report.tally.failed(), 0, "{report:?}");
    assert!(report.tally.ended >= 4 * TRAFFIC.per_step, "{report:?}");
    assert!(report.tally.answers["v2"] > TRAFFIC.per_step, "{report:?}");
    assert!(report.refused > 0, "{report:?}");
}

#[test]
fn requests_fail_where_weights_are_patched_without_looking() {
    let report = with_patches(&Namespace::new(Sandbox::shared()), TRAFFIC);
    assert!(report.tally.failed() > 0, "{report:?}");
}
