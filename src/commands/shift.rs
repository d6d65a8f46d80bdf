//! `shift`: plans new weights for a VirtualService, and has them written and proven.

use clap::Args;

use super::{
    Invocation,
    change::{Change, ChangeArgs, carry_out},
    read_snapshot, virtual_service,
};
use crate::{
    domain::{
        shift::{self, RouteChoice, Wanted},
        split::Percent,
    },
    error::Error,
    view::OutputFormat,
};

/// Flags of `shift`.
///
/// Set the share of requests that goes to a version; the other versions keep their proportions.
///
/// A VERSION is the value of the label `version` that a subset selects, else the name of a subset,
/// else a host. The write is refused when anybody changed the route since it was read, and what was
/// written is proven on the gateway proxies.
#[derive(Args, Debug)]
#[command(
    override_usage = "kubectl kubia shift [NAME] VERSION=PERCENT… [OPTIONS]",
    after_help = "Examples:\n  \
    # 30 % of requests to v2, everything else to v1\n  \
    kubectl kubia shift --v2 30\n\n  \
    # Any VirtualService, any number of versions, with decimals\n  \
    kubectl kubia shift reviews v2=0.5 v3=10 -n shop\n\n  \
    # Only if v2 has 5 % now\n  \
    kubectl kubia shift reviews v2=25 --from v2=5"
)]
pub struct ShiftArgs {
    /// The VirtualService, and the share of each version in percent
    #[arg(value_name = "NAME | VERSION=PERCENT", value_parser = parse_word,
          required_unless_present_any = ["v1", "v2"])]
    words: Vec<Word>,
    /// Send this share of requests to v1, in percent
    #[arg(long, value_name = "PERCENT", allow_negative_numbers = true)]
    v1: Vec<Percent>,
    /// Send this share of requests to v2, in percent
    #[arg(long, value_name = "PERCENT", allow_negative_numbers = true)]
    v2: Vec<Percent>,
    /// Only if the versions have these shares now
    #[arg(long, value_name = "VERSION=PERCENT", value_delimiter = ',', value_parser = parse_share)]
    from: Vec<(String, Percent)>,
    /// The route: its name, its place (`#0`, `tls#0`, `tcp#0`), or `all` that have the versions
    #[arg(long, value_name = "NAME | #N | all", value_parser = parse_route)]
    route: Vec<RouteChoice>,
    #[command(flatten)]
    change: ChangeArgs,
}

/// A word without a flag.
#[derive(Clone, Debug)]
enum Word {
    Name(String),
    Share((String, Percent)),
}

fn parse_word(text: &str) -> Result<Word, String> {
    if text.contains('=') {
        parse_share(text).map(Word::Share)
    } else {
        super::parse_virtual_service(text).map(Word::Name)
    }
}

fn parse_share(text: &str) -> Result<(String, Percent), String> {
    match text.rsplit_once('=') {
        Some((version, share)) if !version.is_empty() => {
            let share = share.parse().map_err(|error| format!("{error}"))?;
            Ok((version.to_owned(), share))
        }
        _ => Err("a share is written VERSION=PERCENT".to_owned()),
    }
}

#[expect(clippy::unnecessary_wraps, reason = "clap takes a parser that can fail")]
fn parse_route(text: &str) -> Result<RouteChoice, String> {
    Ok(match text {
        "" => RouteChoice::Only,
        "all" => RouteChoice::All,
        name => RouteChoice::Called(name.to_owned()),
    })
}

impl ShiftArgs {
    /// Returns the name of the VirtualService, if one is given.
    fn name(&self) -> Result<Option<&str>, Error> {
        let mut names = self.words.iter().filter_map(|word| match word {
            Word::Name(name) => Some(name.as_str()),
            Word::Share(_) => None,
        });
        let name = names.next();
        match names.next() {
            None => Ok(name),
            Some(second) => Err(Error::Usage(format!(
                "{second} is one name too many: a share is written VERSION=PERCENT"
            ))),
        }
    }

    fn wanted(&self) -> Result<Wanted, Error> {
        let named = [("v1", &self.v1), ("v2", &self.v2)].into_iter();
        let named = named
            .flat_map(|(name, shares)| shares.iter().map(move |share| (name.to_owned(), *share)));
        let words = self.words.iter().filter_map(|word| match word {
            Word::Share(share) => Some(share.clone()),
            Word::Name(_) => None,
        });
        let shares: Vec<_> = words.chain(named).collect();
        if shares.is_empty() {
            return Err(Error::Usage(
                "no share is given: VERSION=PERCENT, --v1 or --v2".to_owned(),
            ));
        }
        for given in [&shares, &self.from] {
            if let Some(name) = given_twice(given) {
                return Err(Error::Usage(format!("{name} is given two shares")));
            }
        }
        let route = match self.route.as_slice() {
            [] => RouteChoice::Only,
            [route] => route.clone(),
            _ => return Err(Error::Usage("--route is given twice".to_owned())),
        };
        Ok(Wanted { shares, from: self.from.clone(), route })
    }
}

fn given_twice(shares: &[(String, Percent)]) -> Option<&str> {
    let names: Vec<_> = shares.iter().map(|(name, _)| name.as_str()).collect();
    (1..names.len()).find(|&index| names[..index].contains(&names[index])).map(|index| names[index])
}

/// Shifts traffic.
///
/// # Errors
/// When the VirtualService is missing, the versions are not clear, a guard refuses, the route was
/// changed meanwhile, or a proxy runs other weights in the end.
pub async fn run(invocation: &mut Invocation<'_>, args: &ShiftArgs) -> Result<(), Error> {
    invocation.require_format(OutputFormat::USUAL)?;
    let (name, wanted) = (args.name()?, args.wanted()?);
    let cluster = invocation.connect().await?;
    let object = virtual_service(name, &cluster.namespace);
    let snapshot = read_snapshot(&cluster, &object).await?;
    let shift = shift::plan(&snapshot, &wanted)?;
    let change = Change { snapshot, shift, undo: None, edited: vec![] };
    carry_out(invocation, &cluster, &change, &args.change).await
}
