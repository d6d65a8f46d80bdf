//! The rules: plain data and pure functions. Nothing here reads a clock, a file or a network.

pub mod address;
pub mod deploy;
pub mod gateway;
pub mod gateway_url;
mod ignore_rule;
pub mod manifests;
pub mod named_gateway;
pub mod object;
pub mod opening;
pub mod owner;
pub mod plan;
pub mod platform;
mod rivals;
pub mod route;
pub mod shift;
pub mod snapshot;
pub mod source;
pub mod split;
pub mod status;
pub mod text;
