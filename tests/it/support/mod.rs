//! What the tests share: an API server made of objects in memory, and a command's whole output.

mod fake_api;
pub(crate) mod objects;
mod output;
mod schemas;

pub(crate) use self::{
    fake_api::FakeApi,
    output::{kubia, kubia_in},
};
