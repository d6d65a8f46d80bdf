//! What must hold of every shift, on a real API server behind istiod's webhook: in memory, nobody
//! compares strings as Go does.

#[path = "../it/planning/laws/mod.rs"]
#[expect(dead_code, reason = "tests/it uses the rest")]
mod laws;

use std::io::Write;

use http::{Method, StatusCode};
use kubia::domain::shift::{Shift, ShiftError, history::History, plan};
use proptest::{
    strategy::{BoxedStrategy, Just, Strategy, ValueTree},
    test_runner::TestRunner,
};
use serde_json::{Value, json};

use self::laws::{
    Outcome, Stored,
    case::{Case, address},
    features::Table,
    generator, history_goes_on, nothing_else_differs, outcomes,
    refusals::{candidates, refusal},
    shares_are_as_asked,
};
use crate::support::{
    namespace::{ISTIO, Namespace},
    process::Output,
    sandbox::Sandbox,
    wait::{holds, wait_for},
};

/// How many generated cases are wanted that istiod accepts.
const ACCEPTED: usize = 100;

/// The namespace of the VirtualService that is named, and another one.
struct World<'a> {
    namespaces: [Namespace<'a>; 2],
    rules: Vec<Value>,
}

impl<'a> World<'a> {
    fn new(sandbox: &'a Sandbox, random: &mut TestRunner) -> Self {
        let namespaces = [Namespace::new(sandbox), Namespace::new(sandbox)];
        let names = namespaces.each_ref().map(|each| each.name().to_owned());
        let rules = sample(&generator::rules(&names), random);
        let world = Self { namespaces, rules };
        for rule in &world.rules {
            let mut rule = rule.clone();
            rule["apiVersion"] = json!("networking.istio.io/v1");
            rule["kind"] = json!("DestinationRule");
            let namespace = rule["metadata"]["namespace"].as_str().expect("it has one").to_owned();
            let namespace = world.namespace(&namespace);
            let path = namespace.path(ISTIO, "destinationrules");
            let answer =
                namespace.admin().send_json(Method::POST, &path, "application/json", &rule);
            assert_eq!(answer.status, StatusCode::CREATED, "{rule}: {}", answer.body);
        }
        world.namespaces.iter().for_each(|namespace| world.wait_listed(namespace));
        world
    }

    fn names(&self) -> [String; 2] {
        self.namespaces.each_ref().map(|each| each.name().to_owned())
    }

    fn namespace(&self, name: &str) -> &Namespace<'a> {
        self.namespaces.iter().find(|each| each.name() == name).expect("it is one of the two")
    }

    /// The plugin lists from the server's cache, which comes after the write.
    fn wait_listed(&self, namespace: &Namespace<'_>) {
        let path = namespace.path(ISTIO, "destinationrules?resourceVersion=0");
        let name = namespace.name();
        let of_namespace = |rule: &&Value| rule["metadata"]["namespace"] == name;
        let wanted = self.rules.iter().filter(of_namespace).count();
        wait_for("the DestinationRules to be listed", || {
            let answer = namespace.admin().get(&path);
            let listed = answer.json()["items"].as_array().map(Vec::len);
            holds(listed == Some(wanted), || format!("{wanted}: {}", answer.body))
        });
    }

    /// The same object as it is now.
    fn now(&self, object: &Value) -> Value {
        let here = address(object);
        let version = object["apiVersion"].as_str().expect("it has one");
        let name = format!("virtualservices/{}", here.name);
        self.namespace(&here.namespace).object(&format!("/apis/{version}"), &name)
    }

    /// Creates the objects of a case, and returns it with what the server made of them; nothing stays
    /// when one of them is refused.
    fn create(&self, case: &Case) -> Result<Case, String> {
        let mut created = Case { objects: vec![], ..case.clone() };
        for object in &case.objects {
            let namespace = self.namespace(&address(object).namespace);
            let version = object["apiVersion"].as_str().expect("it has one");
            let path = namespace.path(&format!("/apis/{version}"), "virtualservices");
            let answer =
                namespace.admin().send_json(Method::POST, &path, "application/json", object);
            if answer.status != StatusCode::CREATED {
                assert!(answer.status.is_client_error(), "{object}: {}", answer.body);
                self.delete(&created);
                return Err(answer.body);
            }
            created.objects.push(self.now(object));
        }
        Ok(created)
    }

    fn delete(&self, case: &Case) {
        for object in case.objects.iter().map(address) {
            let namespace = self.namespace(&object.namespace);
            let path = namespace.path(ISTIO, &format!("virtualservices/{}", object.name));
            let answer = namespace.admin().send(Method::DELETE, &path, &[], String::new());
            assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);
        }
    }

    fn kubia(&self, namespace: &str, arguments: &[String]) -> Output {
        let namespace = self.namespace(namespace);
        // There are no Services, and some histories are not ours.
        let allowed = "--allow=missing,no-endpoints,unrecorded";
        let always = ["--proof=none", allowed, "--reason=a<b> & \"c\" \u{2028}'ü\u{1b}"];
        let arguments: Vec<_> = arguments.iter().map(String::as_str).chain(always).collect();
        namespace.kubia(&arguments)
    }

    /// Runs the command of a case, and holds what it did to the laws.
    fn check(&self, case: &Case) -> Vec<Outcome> {
        let output = self.kubia(&case.named.namespace, &case.arguments());
        let shift = match plan(&case.snapshot(), &case.wanted()) {
            Ok(shift) => shift,
            Err(error) => {
                let conflict = matches!(error, ShiftError::FromDiffers { .. });
                output.exits(if conflict { 6 } else { 3 });
                self.is_untouched(case);
                return vec![refusal(&error)];
            }
        };
        let output = output.exits(0);
        if shift.is_unchanged() {
            assert!(output.stdout.contains(" unchanged"), "{output}");
            self.is_untouched(case);
            return vec!["unchanged"];
        }
        let is_recorded = self.check_written(case, &shift);
        outcomes(&case.snapshot(), &shift, is_recorded)
    }

    fn is_untouched(&self, case: &Case) {
        for object in &case.objects {
            assert_eq!(&self.now(object), object, "{case:?}");
        }
    }

    /// Returns whether the write was recorded.
    fn check_written(&self, case: &Case, shift: &Shift) -> bool {
        let before = &shift.virtual_service.json;
        let after = self.now(before);
        let snapshot = case.snapshot();
        let routes = candidates(case, &snapshot);
        nothing_else_differs(&ours(before), &ours(&after), shift)
            .and_then(|()| shares_are_as_asked(case, before, &after, &routes))
            .unwrap_or_else(|why| panic!("{why}\n{after:#}\n{case:?}"));
        assert_eq!(after["spec"], shift.applied().json["spec"], "{case:?}");

        let mut again = case.clone();
        again.command.from.clear();
        let output = self.kubia(&again.named.namespace, &again.arguments()).exits(0);
        assert!(output.stdout.contains(" unchanged"), "{output}\n{case:?}");
        assert_eq!(self.now(before), after, "{case:?}");

        let object = &shift.virtual_service.object;
        let is_recorded = History::read(object, before).is_ok();
        if is_recorded {
            self.check_undo(case, [before, &after]);
        }
        is_recorded
    }

    /// Undo gives back the route as it was, and once more as it was written.
    fn check_undo(&self, case: &Case, [before, after]: [&Value; 2]) {
        let object = address(before);
        let mut states = vec![before.clone(), after.clone()];
        for expected in [before, after] {
            let undo = ["undo".to_owned(), object.name.clone()];
            self.kubia(&object.namespace, &undo).exits(0);
            let now = self.now(before);
            assert_eq!(now["spec"], expected["spec"], "{case:?}");
            states.push(now);
        }
        let states: Vec<_> = states.into_iter().map(Stored::new).collect();
        for pair in states.windows(2) {
            history_goes_on(&pair[0], &pair[1]).unwrap_or_else(|why| panic!("{why}\n{case:?}"));
        }
    }
}

/// Takes away what the server counts and notes by itself.
fn ours(object: &Value) -> Value {
    let mut object = object.clone();
    if let Some(metadata) = object["metadata"].as_object_mut() {
        for field in ["generation", "managedFields", "resourceVersion"] {
            metadata.remove(field);
        }
    }
    object
}

fn sample<T: std::fmt::Debug>(strategy: &BoxedStrategy<T>, random: &mut TestRunner) -> T {
    strategy.new_tree(random).expect("it makes cases").current()
}

#[test]
fn every_shift_holds_on_the_server_what_it_holds_in_memory() {
    let mut random = TestRunner::default();
    let world = World::new(Sandbox::shared(), &mut random);
    let mut table = Table::default();
    let mut is_accepted = |case: &Case| {
        let Ok(case) = world.create(case) else { return false };
        let outcomes = world.check(&case);
        world.delete(&case);
        table.count(&case, &outcomes);
        true
    };
    let seeds = generator::seeds();
    let of_seed = |seed: &Value| {
        let cases = generator::cases_of(seed.clone(), &world.names(), world.rules.clone());
        sample(&cases, &mut random)
    };
    let of_seeds: Vec<_> = seeds.iter().map(of_seed).collect();
    let accepted = of_seeds.iter().filter(|case| is_accepted(case)).count();
    assert!(accepted * 2 > seeds.len(), "istiod accepts {accepted} of its own");

    let rules = Just(world.rules.clone()).boxed();
    let cases = generator::cases(&world.names(), rules);
    let generated = std::iter::repeat_with(|| sample(&cases, &mut random)).take(4 * ACCEPTED);
    let accepted = generated.filter(|case| is_accepted(case)).take(ACCEPTED).count();
    let _ = write!(std::io::stdout(), "{table}");
    assert_eq!(accepted, ACCEPTED, "istiod accepts too few");
}

#[test]
fn strings_that_go_escapes_are_compared_as_they_are_stored() {
    let namespaces = [Namespace::new(Sandbox::shared()), Namespace::new(Sandbox::shared())];
    let world = World { namespaces, rules: vec![] };
    for text in generator::TEXTS {
        let case = generator::case_with(text, &world.names());
        let case = world.create(&case).unwrap_or_else(|why| panic!("{text:?}: {why}"));
        assert_eq!(world.check(&case), ["written"], "{text:?}");
        world.delete(&case);
    }
}
