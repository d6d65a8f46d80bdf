//! The commands that are asked of a VirtualService.

use kubia::domain::shift::RouteChoice;
use proptest::{collection::vec, prelude::*, sample::Index, sample::select};
use serde_json::Value;

use super::reading::{Weighted, weighted};

/// `shift VERSION=PERCENT… --from … --route …`, with shares in hundredths of a percent.
#[derive(Clone, Debug, Default)]
pub(crate) struct Command {
    pub(crate) shares: Vec<(String, u64)>,
    pub(crate) from: Vec<(String, u64)>,
    pub(crate) route: RouteChoice,
}

/// What is wanted of an object that is not known yet.
#[derive(Clone, Debug)]
pub(crate) struct Ask {
    target: Index,
    shares: Vec<AskedShare>,
    /// The smallest step of a share, in hundredths.
    step: u64,
    from: From,
    route: Choice,
}

/// A destination, one of its names, and its share.
#[derive(Clone, Debug)]
struct AskedShare {
    destination: Index,
    name: Index,
    /// Takes a name that means nothing else.
    is_clear: bool,
    share: Share,
}

#[derive(Clone, Copy, Debug)]
enum Share {
    /// So many ten thousandths of what is left.
    Of(u64),
    /// What it has now.
    Now,
    /// So many hundredths, whether or not they are left.
    Exactly(u64),
}

#[derive(Clone, Copy, Debug)]
enum From {
    Nothing,
    /// What the destination has, as near as can be written.
    Now,
    Other,
}

#[derive(Clone, Copy, Debug)]
enum Choice {
    Nothing,
    Place,
    Name,
    All,
    Unknown,
}

pub(crate) fn asks() -> impl Strategy<Value = Ask> {
    let share = prop_oneof![
        1 => Just(Share::Of(0)),
        1 => Just(Share::Of(10_000)),
        12 => (0..=10_000_u64).prop_map(Share::Of),
        2 => Just(Share::Now),
        1 => (0..=10_000_u64).prop_map(Share::Exactly),

    ];
    let share = (any::<[Index; 2]>(), prop::bool::weighted(0.75), share).prop_map(
        |([destination, name], is_clear, share)| AskedShare { destination, name, is_clear, share },
    );
    let shares = prop_oneof![3 => vec(share.clone(), 1), 2 => vec(share, 2..=3)];
    let from = prop_oneof![16 => Just(From::Nothing), 4 => Just(From::Now), 1 => Just(From::Other)];
    let route = prop_oneof![
        6 => Just(Choice::Nothing),
        6 => Just(Choice::Place),
        4 => Just(Choice::Name),
        5 => Just(Choice::All),
        1 => Just(Choice::Unknown),
    ];
    let steps = select(vec![100, 100, 100, 10, 1]);
    (any::<Index>(), shares, steps, from, route)
        .prop_map(|(target, shares, step, from, route)| Ask { target, shares, step, from, route })
}

impl Ask {
    /// Returns the command, in the names of these objects.
    pub(crate) fn command(&self, objects: &[Value], rules: &[Value]) -> Command {
        let routes: Vec<_> = objects.iter().flat_map(weighted).collect();
        if routes.is_empty() {
            return Command { shares: vec![("v2".to_owned(), 3000)], ..Command::default() };
        }
        let target = self.target.get(&routes);
        let mut shares = self.shares(target, rules);
        if matches!(self.route, Choice::All) {
            shares.truncate(1);
        }
        let from = shares.first().and_then(|(name, share)| {
            let index = target.meant(name, rules).first().copied()?;
            let share = match self.from {
                From::Nothing => return None,
                From::Now => now(target, index)?,
                From::Other => *share,
            };
            Some((name.clone(), share))
        });
        Command {
            shares,
            from: from.into_iter().collect(),
            route: match self.route {
                Choice::Nothing => RouteChoice::Only,
                Choice::Name if target.name().is_empty() => RouteChoice::Only,
                Choice::Name if target.name() == "all" => RouteChoice::All,
                Choice::Name => RouteChoice::Called(target.name().to_owned()),
                // A place is one of the object that is named.
                Choice::Place if target.object != &objects[0] => RouteChoice::Only,
                Choice::Place => RouteChoice::Called(target.place()),
                Choice::All => RouteChoice::All,
                Choice::Unknown => RouteChoice::Called("nowhere".to_owned()),
            },
        }
    }

    fn shares(&self, target: &Weighted<'_>, rules: &[Value]) -> Vec<(String, u64)> {
        let mut others: Vec<_> = (0..target.destinations.len()).collect();
        let (mut shares, mut left) = (Vec::new(), 10_000);
        for asked in &self.shares {
            if others.is_empty() {
                break;
            }
            let index = others.remove(asked.destination.index(others.len()));
            let mut names = target.names(index, rules).concat();
            // A destination without a host has an empty name, which nobody can type.
            names.retain(|name| !name.is_empty());
            if asked.is_clear {
                names.retain(|name| target.meant(name, rules) == [index]);
            }
            let share = match asked.share {
                Share::Of(_) if others.is_empty() => left,
                Share::Of(part) => left * part / 10_000 / self.step * self.step,
                Share::Now => now(target, index).unwrap_or(left),
                Share::Exactly(share) => share,
            };
            // The first one is what several routes have in common most often.
            let name = match self.route {
                Choice::All => &names[0],
                _ => asked.name.get(&names),
            };
            shares.push((name.clone(), share));
            left = left.saturating_sub(share);
        }
        shares
    }
}

/// The share a destination has, where whole hundredths can say it.
fn now(target: &Weighted<'_>, index: usize) -> Option<u64> {
    let weights = target.weights();
    let sum: u64 = weights.iter().sum();
    let share = weights[index] * 10_000;
    (sum > 0 && share % sum == 0).then(|| share / sum)
}
