//! End-to-end tests: the plugin and the sandbox's own promises, on a real API server, istiod and
//! Envoy. `make test` starts the sandbox they need.

mod addresses;
mod completion;
mod connection;
mod demo;
mod demos;
mod deploy;
mod faults;
mod gateway_url;
mod kills;
mod owners;
mod pods;
mod readme;
mod requests;
mod sandbox;
mod shift;
mod status;
mod support;
mod tutorial;
mod walk;
