//! End-to-end tests: the plugin and the sandbox's own promises, on a real API server, istiod and
//! Envoy. `make test` starts the sandbox they need.

mod addresses;
mod completion;
mod connection;
mod cost;
mod demo;
mod demos;
mod deploy;
mod faults;
mod gateway_url;
mod guards;
mod interrupted;
mod kills;
mod owners;
mod planning;
mod pods;
mod proof;
mod readme;
mod requests;
mod rights;
mod rollout;
mod routes;
mod sandbox;
mod shift;
mod status;
mod support;
mod tutorial;
mod walk;
