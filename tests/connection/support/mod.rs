//! What the cases share: certificates, scripted servers and proxies, and both programs.

use std::sync::LazyLock;

use tokio::runtime::Runtime;

mod differences;
mod outcome;
pub(crate) mod pki;
pub(crate) mod proxy;
mod scene;
pub(crate) mod server;

pub(crate) use self::{
    differences::Differences,
    outcome::{compare, compare_known, compare_possible},
    scene::{Config, Program, Scene},
};

/// A case that is compared, and the differences it may show.
pub(crate) struct Case {
    pub(crate) name: &'static str,
    pub(crate) differences: &'static [&'static str],
}

/// Where all servers and proxies of this process run.
fn runtime() -> &'static Runtime {
    static RUNTIME: LazyLock<Runtime> = LazyLock::new(|| {
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap()
    });
    &RUNTIME
}
