//! What the end-to-end tests, the demo, the bench and the soak stand on.

pub(crate) mod admin_log;
pub(crate) mod audit;
pub(crate) mod binomial;
pub(crate) mod control;
pub(crate) mod cost;
pub(crate) mod extra_pod;
pub(crate) mod http;
pub(crate) mod kubeconfig;
pub(crate) mod kubectl;
pub(crate) mod load;
pub(crate) mod namespace;
pub(crate) mod objects;
pub(crate) mod process;
pub(crate) mod proofs;
pub(crate) mod proxies;
pub(crate) mod races;
pub(crate) mod relay;
pub(crate) mod rollout;
pub(crate) mod sandbox;
pub(crate) mod small_gateway;
pub(crate) mod terminal;
pub(crate) mod timeline;
pub(crate) mod traffic;
pub(crate) mod wait;
pub(crate) mod watch;
