//! Shares and weights: how the traffic of one route is divided among its destinations.
//!
//! Istio reads a weight relative to the sum of its route's weights (istio/istio#39544): an omitted
//! weight counts as 0, but a lone destination takes everything whatever its weight is.

use std::{fmt, str::FromStr};

/// The sum of the weights this program writes.
pub const TOTAL: u32 = 100;

/// A whole number of percent, 0 to 100.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Percent(u8);

impl Percent {
    /// Returns `value` percent, or nothing above 100.
    #[must_use]
    pub const fn new(value: u8) -> Option<Self> {
        if value <= 100 { Some(Self(value)) } else { None }
    }

    /// Returns the number, 0 to 100.
    #[must_use]
    pub const fn get(self) -> u8 {
        self.0
    }
}

impl fmt::Display for Percent {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(formatter)
    }
}

/// A share that is not a whole number from 0 to 100.
#[derive(Debug, thiserror::Error)]
#[error("a share is a whole number of percent from 0 to 100")]
pub struct PercentError;

impl FromStr for Percent {
    type Err = PercentError;

    fn from_str(text: &str) -> Result<Self, PercentError> {
        let digits = text.strip_suffix('%').unwrap_or(text);
        // `u8::from_str` takes a sign; a share has none.
        if !digits.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(PercentError);
        }
        digits.parse().ok().and_then(Self::new).ok_or(PercentError)
    }
}

/// Why wanted shares do not lead to weights.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum SplitError {
    /// The named shares sum to more than 100, or to less with nobody left to take the rest.
    #[error("the shares asked for sum to {sum} %, not to 100 %")]
    Sum {
        /// What was asked for, in percent.
        sum: u32,
    },
    /// Several destinations would share the rest, and all of them have weight 0 now.
    #[error("several other destinations have weight 0, so nothing says how to divide the rest")]
    UndividedRest,
}

/// Returns each destination's share of the route, in percent, as Istio reads the weights.
#[must_use]
pub fn shares(weights: &[u32]) -> Vec<f64> {
    let sum: f64 = weights.iter().copied().map(f64::from).sum();
    match weights {
        [_] => vec![100.0],
        _ if sum == 0.0 => vec![0.0; weights.len()],
        _ => weights.iter().map(|weight| f64::from(*weight) * 100.0 / sum).collect(),
    }
}

/// Returns weights that sum to [`TOTAL`]: the wanted shares for the destinations named by index, and
/// the rest divided among the others in the proportions they have now, by largest remainder.
///
/// # Errors
/// [`SplitError`] when the wanted shares cannot be met.
pub fn divide(current: &[u32], wanted: &[(usize, Percent)]) -> Result<Vec<u32>, SplitError> {
    let sum = wanted.iter().map(|(_, share)| u32::from(share.get())).sum::<u32>();
    let others: Vec<usize> =
        (0..current.len()).filter(|index| wanted.iter().all(|(named, _)| named != index)).collect();
    let Some(rest) = TOTAL.checked_sub(sum) else { return Err(SplitError::Sum { sum }) };
    if others.is_empty() && rest > 0 {
        return Err(SplitError::Sum { sum });
    }
    let mut weights = vec![0; current.len()];
    for (index, share) in wanted {
        weights[*index] = u32::from(share.get());
    }
    let proportions: Vec<u32> = others.iter().map(|index| current[*index]).collect();
    let parts = apportion(rest, &proportions)?;
    for (index, part) in others.into_iter().zip(parts) {
        weights[index] = part;
    }
    Ok(weights)
}

/// Divides `total` in `proportions` so that the parts sum to it exactly (largest remainder).
fn apportion(total: u32, proportions: &[u32]) -> Result<Vec<u32>, SplitError> {
    let sum: u64 = proportions.iter().copied().map(u64::from).sum();
    match proportions {
        _ if total == 0 => return Ok(vec![0; proportions.len()]),
        [_] => return Ok(vec![total]),
        _ if sum == 0 => return Err(SplitError::UndividedRest),
        _ => {}
    }
    let exact = |proportion: u32| u64::from(total) * u64::from(proportion);
    let mut parts: Vec<u64> = proportions.iter().map(|each| exact(*each) / sum).collect();
    let missing = u64::from(total) - parts.iter().sum::<u64>();
    let mut by_remainder: Vec<usize> = (0..parts.len()).collect();
    by_remainder.sort_by_key(|index| std::cmp::Reverse(exact(proportions[*index]) % sum));
    for index in by_remainder.into_iter().cycle().take(usize::try_from(missing).unwrap_or(0)) {
        parts[index] += 1;
    }
    Ok(parts.into_iter().map(|part| u32::try_from(part).expect("a part of a u32 fits")).collect())
}

/// Returns whether two weight vectors mean the same shares, whatever their sums are.
#[must_use]
pub fn same_shares(left: &[u32], right: &[u32]) -> bool {
    let sum = |weights: &[u32]| weights.iter().copied().map(u128::from).sum::<u128>();
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

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn percent(value: u8) -> Percent {
        Percent::new(value).unwrap()
    }

    #[track_caller]
    fn check(current: &[u32], wanted: &[(usize, u8)], expected: Result<&[u32], SplitError>) {
        let wanted: Vec<_> =
            wanted.iter().map(|(index, share)| (*index, percent(*share))).collect();
        assert_eq!(divide(current, &wanted), expected.map(<[u32]>::to_vec));
    }

    #[test]
    fn the_other_of_two_takes_the_rest() {
        check(&[50, 50], &[(1, 30)], Ok(&[70, 30]));
        check(&[100, 0], &[(1, 100)], Ok(&[0, 100]));
        check(&[0, 100], &[(1, 0)], Ok(&[100, 0]));
    }

    #[test]
    fn the_rest_keeps_its_proportions() {
        check(&[60, 30, 10], &[(2, 40)], Ok(&[40, 20, 40]));
        check(&[1, 1, 1], &[(0, 1)], Ok(&[1, 50, 49]));
    }

    #[test]
    fn a_rest_without_proportions_is_refused() {
        check(&[100, 0, 0], &[(0, 40)], Err(SplitError::UndividedRest));
        check(&[0, 0, 100], &[(2, 100)], Ok(&[0, 0, 100]));
    }

    #[test]
    fn shares_must_sum_to_100() {
        check(&[50, 50], &[(0, 30), (1, 30)], Err(SplitError::Sum { sum: 60 }));
        check(&[50, 50], &[(0, 70), (1, 40)], Err(SplitError::Sum { sum: 110 }));
        check(&[100], &[(0, 30)], Err(SplitError::Sum { sum: 30 }));
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
    fn a_share_is_a_plain_whole_number() {
        assert_eq!("30%".parse::<Percent>().unwrap().get(), 30);
        for refused in ["101", "-1", "+1", "1.5", "", "%", "30%%", "256", "３"] {
            assert!(refused.parse::<Percent>().is_err(), "{refused:?}");
        }
    }

    proptest! {
        #[test]
        fn weights_always_sum_to_the_total(
            current in prop::collection::vec(0..=u32::MAX, 1..8), share in 0u8..=100, pick: prop::sample::Index,
        ) {
            if let Ok(weights) = divide(&current, &[(pick.index(current.len()), percent(share))]) {
                prop_assert_eq!(weights.iter().sum::<u32>(), TOTAL);
                prop_assert_eq!(weights[pick.index(current.len())], u32::from(share));
            }
        }
    }
}
