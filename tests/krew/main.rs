//! What a release is made of, and real krew doing with it what people do: install, list, upgrade
//! and uninstall.
//!
//! `make test-krew` packs the release build, builds krew, and runs these tests in a network
//! namespace that has nothing but its loopback interface.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod archive;
mod install;
mod manifest;
mod support;
mod template;
