//! Shares and weights: how the traffic of one route is divided among its destinations.
//!
//! Istio reads a weight relative to the sum of its route's weights (istio/istio#39544): an omitted
//! weight counts as 0, but a lone destination takes everything whatever its weight is.

use std::{cmp::Reverse, fmt, str::FromStr};

/// The sum of the weights this program writes, unless decimals are asked for.
pub const TOTAL: u64 = 100;

/// The hundredths of a percent in a whole route.
const WHOLE: u16 = 10_000;

/// A share in percent, 0 to 100, with at most two decimals.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Percent {
    hundredths: u16,
}

impl Percent {
    /// Returns `value` percent, or nothing above 100.
    #[must_use]
    pub const fn new(value: u8) -> Option<Self> {
        if value <= 100 { Some(Self { hundredths: value as u16 * 100 }) } else { None }
    }

    /// Returns the share in percent.
    #[must_use]
    pub fn get(self) -> f64 {
        f64::from(self.hundredths) / 100.0
    }

    /// Returns the smallest sum of weights that expresses the share exactly: 100, 1 000 or 10 000.
    #[must_use]
    pub const fn total(self) -> u64 {
        match (self.hundredths % 100, self.hundredths % 10) {
            (0, _) => TOTAL,
            (_, 0) => 10 * TOTAL,
            _ => 100 * TOTAL,
        }
    }

    /// Returns the weight of this share when weights sum to `total`, a multiple of [`Self::total`].
    #[must_use]
    pub fn weight(self, total: u64) -> u64 {
        u64::from(self.hundredths) * total / u64::from(WHOLE)
    }

    /// Returns whether a destination of `weights` has this share, to the hundredth that can be said; 0
    /// and 100 are meant exactly.
    #[must_use]
    pub fn is_share_of(self, index: usize, weights: &[u64]) -> bool {
        let (part, sum) = match weights {
            [_] => (1, 1),
            _ => (weights[index], sum(weights)),
        };
        let has = u128::from(part) * u128::from(WHOLE);
        let wanted = u128::from(self.hundredths) * sum;
        let is_whole = self.hundredths == 0 || self.hundredths == WHOLE;
        sum > 0 && if is_whole { has == wanted } else { has.abs_diff(wanted) * 2 < sum }
    }
}

impl fmt::Display for Percent {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&display(self.get()))
    }
}

/// A share that is not a number from 0 to 100 with at most two decimals.
#[derive(Debug, thiserror::Error)]
#[error("a share is a number of percent from 0 to 100, with at most two decimals")]
pub struct PercentError;

impl FromStr for Percent {
    type Err = PercentError;

    fn from_str(text: &str) -> Result<Self, PercentError> {
        let number = text.strip_suffix('%').unwrap_or(text);
        let (whole, decimals) = number.split_once('.').unwrap_or((number, "0"));
        // `parse` takes a sign; a share has none.
        let is_number =
            |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        let exact = decimals.trim_end_matches('0');
        if !is_number(whole) || !is_number(decimals) || exact.len() > 2 {
            return Err(PercentError);
        }
        let hundredths = format!("{whole}{exact:0<2}").parse().map_err(|_| PercentError)?;
        if hundredths > WHOLE { Err(PercentError) } else { Ok(Self { hundredths }) }
    }
}

/// Why wanted shares do not lead to weights.
#[derive(Debug, PartialEq, thiserror::Error)]
pub enum SplitError {
    /// The named shares sum to more than 100, or to less with nobody left to take the rest.
    #[error("the shares asked for sum to {sum} %, not to 100 %")]
    Sum {
        /// What was asked for, in percent.
        sum: f64,
    },
    /// Several destinations would share the rest, and all of them have weight 0 now.
    #[error("several other destinations have weight 0, so nothing says how to divide the rest")]
    UndividedRest,
}

/// Returns each destination's share of the route, in percent, as Istio reads the weights.
#[must_use]
pub fn shares(weights: &[u64]) -> Vec<f64> {
    let sum = sum(weights);
    // Weights of a real route fit 32 bits, so nothing is lost; the largest round to more than all.
    #[expect(clippy::cast_precision_loss, reason = "a share is shown with two decimals")]
    let percent = |weight: u64| (weight as f64 * 100.0 / sum as f64).min(100.0);
    match weights {
        [_] => vec![100.0],
        _ if sum == 0 => vec![0.0; weights.len()],
        _ => weights.iter().map(|weight| percent(*weight)).collect(),
    }
}

/// Returns a share as people write it: at most two decimals, none where they are zero.
#[must_use]
pub fn display(percent: f64) -> String {
    let text = format!("{percent:.2}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// Returns the shares of versions as people write them: `v1 70, v2 30`.
pub fn in_words<V: fmt::Display>(shares: impl IntoIterator<Item = (V, f64)>) -> String {
    let shares = shares.into_iter().map(|(version, share)| format!("{version} {}", display(share)));
    shares.collect::<Vec<_>>().join(", ")
}

/// Returns weights as Istio reads them: an omitted one counts as 0.
#[must_use]
pub fn counted(weights: &[Option<u64>]) -> Vec<u64> {
    weights.iter().map(|weight| weight.unwrap_or(0)).collect()
}

/// Returns weights with the wanted shares for the destinations named by index, and the rest divided
/// among the others in the proportions they have now, by largest remainder.
///
/// They are the current ones where those have the wanted shares already, whatever their sum is.
/// Otherwise they sum to 100, or to 1 000 or 10 000 when decimals are asked for, or when a share would be
/// rounded to nothing, from which it could not come back.
///
/// # Errors
/// [`SplitError`] when the wanted shares cannot be met.
pub fn divide(current: &[u64], wanted: &[(usize, Percent)]) -> Result<Vec<u64>, SplitError> {
    let mut total = wanted.iter().map(|(_, share)| share.total()).max().unwrap_or(TOTAL);
    let named: u64 = wanted.iter().map(|(_, share)| share.weight(total)).sum();
    let others: Vec<usize> =
        (0..current.len()).filter(|index| wanted.iter().all(|(named, _)| named != index)).collect();
    let rest = total.checked_sub(named).filter(|rest| *rest == 0 || !others.is_empty());
    let Some(rest) = rest else {
        return Err(SplitError::Sum { sum: wanted.iter().map(|(_, share)| share.get()).sum() });
    };
    if wanted.iter().all(|(index, share)| share.is_share_of(*index, current)) {
        return Ok(current.to_vec());
    }
    let proportions: Vec<u64> = others.iter().map(|index| current[*index]).collect();
    let (factor, parts) = keep_all(rest, &proportions, 100 * TOTAL / total)?;
    total *= factor;
    let mut weights = vec![0; current.len()];
    for (index, share) in wanted {
        weights[*index] = share.weight(total);
    }
    for (index, part) in others.into_iter().zip(parts) {
        weights[index] = part;
    }
    Ok(weights)
}

/// Divides `total` in `proportions`; ten or a hundred times as much, at most `limit` times, where only
/// that leaves something to everybody who has something. Returns how many times, and the parts.
fn keep_all(total: u64, proportions: &[u64], limit: u64) -> Result<(u64, Vec<u64>), SplitError> {
    let keeps = |parts: &[u64]| {
        let mut both = parts.iter().zip(proportions);
        both.all(|(part, had)| *part > 0 || *had == 0)
    };
    for factor in [1, 10, 100].into_iter().filter(|factor| *factor <= limit) {
        let parts = apportion(total * factor, proportions)?;
        if total == 0 || keeps(&parts) {
            return Ok((factor, parts));
        }
    }
    Ok((1, apportion(total, proportions)?))
}

/// Divides `total` in `proportions` so that the parts sum to it exactly (largest remainder).
fn apportion(total: u64, proportions: &[u64]) -> Result<Vec<u64>, SplitError> {
    let sum = sum(proportions);
    match proportions {
        _ if total == 0 => return Ok(vec![0; proportions.len()]),
        [_] => return Ok(vec![total]),
        _ if sum == 0 => return Err(SplitError::UndividedRest),
        _ => {}
    }
    let exact = |proportion: u64| u128::from(total) * u128::from(proportion);
    let part = |proportion: &u64| u64::try_from(exact(*proportion) / sum).unwrap_or(total);
    let mut parts: Vec<u64> = proportions.iter().map(part).collect();
    let missing = total - parts.iter().sum::<u64>();
    let mut by_remainder: Vec<usize> = (0..parts.len()).collect();
    by_remainder.sort_by_key(|index| Reverse(exact(proportions[*index]) % sum));
    for index in by_remainder.into_iter().take(usize::try_from(missing).unwrap_or(0)) {
        parts[index] += 1;
    }
    Ok(parts)
}

/// Returns whether two weight vectors mean the same shares, whatever their sums are.
#[must_use]
pub fn same_shares(left: &[u64], right: &[u64]) -> bool {
    let (left_sum, right_sum) = (sum(left), sum(right));
    if left.len() != right.len() {
        return false;
    }
    if left.len() == 1 {
        return true;
    }
    // Two all-zero vectors have no shares to compare.
    left_sum > 0
        && right_sum > 0
        && left
            .iter()
            .zip(right)
            .all(|(one, other)| u128::from(*one) * right_sum == u128::from(*other) * left_sum)
}

fn sum(weights: &[u64]) -> u128 {
    weights.iter().copied().map(u128::from).sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn percent(text: &str) -> Percent {
        text.parse().unwrap()
    }

    #[track_caller]
    fn check(current: &[u64], wanted: &[(usize, &str)], expected: Result<&[u64], SplitError>) {
        let wanted: Vec<_> = wanted.iter().map(|(index, share)| (*index, percent(share))).collect();
        assert_eq!(divide(current, &wanted), expected.map(<[u64]>::to_vec));
    }

    #[test]
    fn the_other_of_two_takes_the_rest() {
        check(&[50, 50], &[(1, "30")], Ok(&[70, 30]));
        check(&[100, 0], &[(1, "100")], Ok(&[0, 100]));
        check(&[0, 100], &[(1, "0")], Ok(&[100, 0]));
    }

    #[test]
    fn the_rest_keeps_its_proportions() {
        check(&[60, 30, 10], &[(2, "40")], Ok(&[40, 20, 40]));
        check(&[1, 1, 1], &[(0, "1")], Ok(&[1, 50, 49]));
    }

    #[test]
    fn nobody_who_has_a_share_is_rounded_to_nothing() {
        check(&[97, 3, 0], &[(2, "90")], Ok(&[97, 3, 900]));
        check(&[97, 3, 900], &[(2, "0")], Ok(&[97, 3, 0]));
        check(&[1, 99, 0], &[(2, "60")], Ok(&[4, 396, 600]));
        check(&[1, 1_000_000, 0], &[(2, "50")], Ok(&[0, 50, 50]));
        check(&[1, 99, 0], &[(2, "100")], Ok(&[0, 0, 100]));
    }

    #[test]
    fn a_share_that_is_shown_is_there_already() {
        check(&[1, 1, 1], &[(2, "33.33")], Ok(&[1, 1, 1]));
        check(&[1, 1, 1], &[(2, "33.34")], Ok(&[3333, 3333, 3334]));
        check(&[100_000, 1], &[(1, "0")], Ok(&[100, 0]));
    }

    #[test]
    fn decimals_need_a_larger_sum() {
        check(&[100, 0], &[(1, "0.5")], Ok(&[995, 5]));
        check(&[100, 0], &[(1, "0.05")], Ok(&[9995, 5]));
        check(&[50, 50], &[(0, "99.90"), (1, "0.1")], Ok(&[999, 1]));
    }

    #[test]
    fn shares_that_are_right_keep_their_weights() {
        check(&[7, 3], &[(1, "30")], Ok(&[7, 3]));
        check(&[0, 1], &[(1, "100")], Ok(&[0, 1]));
        check(&[995, 5], &[(1, "0.50")], Ok(&[995, 5]));
    }

    #[test]
    fn a_rest_without_proportions_is_refused() {
        check(&[100, 0, 0], &[(0, "40")], Err(SplitError::UndividedRest));
        check(&[0, 0, 100], &[(2, "100")], Ok(&[0, 0, 100]));
    }

    #[test]
    fn shares_must_sum_to_100() {
        check(&[50, 50], &[(0, "30"), (1, "30")], Err(SplitError::Sum { sum: 60.0 }));
        check(&[50, 50], &[(0, "70"), (1, "40")], Err(SplitError::Sum { sum: 110.0 }));
        check(&[100], &[(0, "30")], Err(SplitError::Sum { sum: 30.0 }));
    }

    #[test]
    fn shares_are_relative_to_the_sum() {
        assert_eq!(shares(&[995, 5]), [99.5, 0.5]);
        assert_eq!(shares(&[0]), [100.0]);
        assert_eq!(shares(&[0, 0]), [0.0, 0.0]);
        assert!(same_shares(&[7, 3], &[70, 30]));
        assert!(same_shares(&[0], &[100]));
        assert!(!same_shares(&[70, 30], &[71, 29]));
        assert!(!same_shares(&[0, 0], &[50, 50]));
    }

    #[test]
    fn shares_are_shown_without_needless_decimals() {
        assert_eq!([70.0, 99.5, 100.0 / 3.0, 0.0].map(display), ["70", "99.5", "33.33", "0"]);
    }

    #[test]
    fn a_share_is_a_plain_number_with_at_most_two_decimals() {
        for (text, share) in [("30%", 30.0), ("0.5", 0.5), ("12.340", 12.34), ("100.00", 100.0)] {
            assert!((percent(text).get() - share).abs() < 1e-9, "{text}");
        }
        for refused in [
            "101",
            "100.01",
            "-1",
            "+1",
            "1.",
            ".5",
            "1.234",
            "1e1",
            "1.5.0",
            "1,5",
            "",
            "%",
            "30%%",
            "99999999999999999999",
            "３",
        ] {
            assert!(refused.parse::<Percent>().is_err(), "{refused:?}");
        }
    }

    proptest! {
        #[test]
        fn weights_have_the_wanted_share_and_planning_again_keeps_them(
            current in prop::collection::vec(0..=u64::from(u32::MAX), 1..8),
            hundredths in 0u16..=WHOLE, pick: prop::sample::Index,
        ) {
            let wanted = [(pick.index(current.len()), Percent { hundredths })];
            if let Ok(weights) = divide(&current, &wanted) {
                prop_assert!(wanted[0].1.is_share_of(wanted[0].0, &weights));
                prop_assert_eq!(divide(&weights, &wanted), Ok(weights));
            }
        }
    }
}
