//! Planning on VirtualServices of every kind: a shift is exact, touches nothing else, and can be
//! taken back.

pub(crate) mod laws;
mod misshapen;

use std::{cell::RefCell, fmt::Debug, io::Write};

use proptest::{
    prelude::*,
    strategy::ValueTree,
    test_runner::{Config, TestCaseError, TestError, TestRunner},
};

use self::laws::{edits, features::Table, generator};

fn namespaces() -> [String; 2] {
    ["shop", "other"].map(str::to_owned)
}

/// Holds a law against so many cases, and shows the smallest one that breaks it.
fn hold<S: Strategy<Value: Debug>>(
    cases: u32,
    strategy: &S,
    law: impl Fn(S::Value) -> Result<(), TestCaseError>,
) {
    let config = Config { cases, failure_persistence: None, ..Config::default() };
    match TestRunner::new(config).run(strategy, law) {
        Err(TestError::Fail(why, case)) => panic!("{why}\n{case:?}"),
        result => result.unwrap(),
    }
}

#[test]
fn every_shift_is_exact_touches_nothing_else_and_can_be_undone() {
    let cases = generator::cases(&namespaces(), generator::rules(&namespaces()));
    let table = RefCell::new(Table::default());
    hold(5000, &(cases, edits::picks()), |(case, picks)| {
        let outcomes = laws::check(&case, &picks)?;
        table.borrow_mut().count(&case, &outcomes);
        Ok(())
    });
    let table = table.into_inner();
    // Not `println!`: the table is for those who see that the test passes.
    let _ = write!(std::io::stdout(), "{table}");
    assert_eq!(table.rare(), [""; 0], "too few cases");
}

#[test]
fn istios_own_virtual_services_are_no_exception() {
    let mut random = TestRunner::default();
    let rules = generator::rules(&namespaces()).new_tree(&mut random).unwrap().current();
    for seed in generator::seeds() {
        let cases = generator::cases_of(seed, &namespaces(), rules.clone());
        hold(5, &(cases, edits::picks()), |(case, picks)| laws::check(&case, &picks).map(drop));
    }
}

#[test]
fn strings_may_hold_anything() {
    for text in generator::TEXTS {
        let case = generator::case_with(text, &namespaces());
        hold(5, &edits::picks(), |picks| laws::check(&case, &picks).map(drop));
    }
}

#[test]
fn nothing_panics_on_misshapen_objects() {
    let cases = generator::cases(&namespaces(), generator::rules(&namespaces()));
    hold(1000, &misshapen::misshapen(cases), |case| {
        misshapen::use_all(&case);
        Ok(())
    });
}
