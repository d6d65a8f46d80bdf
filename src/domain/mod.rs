//! The rules: plain data and pure functions. Nothing here reads a clock, a file or a network.

pub mod address;
pub mod backends;
pub mod deploy;
pub mod gateway;
pub mod gateway_url;
pub mod manifests;
pub mod named_gateway;
pub mod object;
pub mod opening;
pub mod plan;
pub mod platform;
pub mod proof;
mod rivals;
pub mod route;
pub mod shift;
pub mod snapshot;
pub mod source;
pub mod split;
pub mod status;
pub mod text;
pub mod virtual_service;
