//! Tests without a cluster: the library behind a fake API, and the binary itself.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod binary;
mod completion;
mod corpus;
mod deploy;
mod failures;
mod fixtures;
mod gateway_url;
mod layering;
mod manifests;
mod owners;
mod planning;
mod readme;
mod shift;
mod status;
mod support;
