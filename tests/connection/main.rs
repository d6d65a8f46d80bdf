//! The plugin beside real kubectl: the same kubeconfig, flags, environment and server, so that both
//! reach the same host as the same user, and say the same when they cannot. What differs on purpose
//! is in `docs/differences-from-kubectl.md`, which these tests read.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

/// Declares cases: each is a test that sets the scene once for either program. A case that is known
/// to differ names its row in the table of differences; where kubectl's own words depend on which of
/// two things happens first, it may differ or not.
macro_rules! cases {
    ($($name:ident $(differs $difference:literal)? $(may_differ $possible:literal)? : $set_up:expr;)*) => {
        pub(crate) const CASES: &[$crate::support::Case] = &[
            $($crate::support::Case {
                name: stringify!($name),
                differences: &[$($difference,)? $($possible,)?],
            }),*
        ];
        $(
            #[test]
            fn $name() {
                cases!(@ $set_up $(, differs $difference)? $(, may_differ $possible)?);
            }
        )*
    };
    (@ $set_up:expr) => { $crate::support::compare($set_up) };
    (@ $set_up:expr, differs $difference:literal) => {
        $crate::support::compare_known($difference, $set_up)
    };
    (@ $set_up:expr, may_differ $difference:literal) => {
        $crate::support::compare_possible($difference, $set_up)
    };
}

mod config_files;
mod credentials;
mod faults;
mod flags;
mod own;
mod proxies;
mod statuses;
mod support;
mod tls;

use support::{Case, Differences};

const GROUPS: [(&str, &[Case]); 7] = [
    ("config files", config_files::CASES),
    ("TLS", tls::CASES),
    ("credentials and exec", credentials::CASES),
    ("proxies", proxies::CASES),
    ("namespaces and flags", flags::CASES),
    ("HTTP status and bodies", statuses::CASES),
    ("transport faults", faults::CASES),
];

#[test]
fn every_group_has_its_cases() {
    for (group, cases) in GROUPS {
        assert!(cases.len() >= 8, "{group}: {}", cases.len());
    }
    let names = GROUPS.iter().flat_map(|(_, cases)| cases.iter().map(|case| case.name));
    assert!(names.collect::<std::collections::BTreeSet<_>>().len() >= 80);
}

#[test]
fn every_row_of_the_table_of_differences_has_a_case() {
    let differences = Differences::read();
    let cases = GROUPS.iter().flat_map(|(_, cases)| *cases);
    let named: Vec<&str> = cases.flat_map(|case| case.differences).copied().collect();
    let stale: Vec<&str> =
        differences.names().into_iter().filter(|name| !named.contains(name)).collect();
    assert!(stale.is_empty(), "{stale:?}");
}
