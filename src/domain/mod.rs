//! The rules: plain data and pure functions. Nothing here reads a clock, a file or a network.

pub mod deploy;
pub mod gateway_url;
pub mod manifests;
pub mod object;
pub mod plan;
pub mod route;
pub mod shift;
pub mod snapshot;
pub mod split;
pub mod status;
pub mod text;
