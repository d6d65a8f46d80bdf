//! The exact two-sided binomial test: do counts follow a weight?

/// The chance of a false alarm that a test suite may take.
pub(crate) const ALPHA: f64 = 1e-6;

/// The probability, under `share`, of a count that is no likelier than the one seen:
/// the sum over all counts k with P(k) ≤ P(`hits`), as R's `binom.test` has it.
pub(crate) fn p_value(hits: u32, trials: u32, share: f64) -> f64 {
    assert!(hits <= trials, "{hits} of {trials}");
    if share <= 0.0 || share >= 1.0 {
        let expected = if share <= 0.0 { 0 } else { trials };
        return if hits == expected { 1.0 } else { 0.0 };
    }
    // Equal probabilities computed along different ways differ in their last digits.
    let bound = ln_probability(hits, trials, share) + 1e-7;
    let total: f64 = (0..=trials)
        .map(|count| ln_probability(count, trials, share))
        .filter(|&ln| ln <= bound)
        .map(f64::exp)
        .sum();
    total.min(1.0)
}

fn ln_probability(hits: u32, trials: u32, share: f64) -> f64 {
    ln_factorial(trials) - ln_factorial(hits) - ln_factorial(trials - hits)
        + f64::from(hits) * share.ln()
        + f64::from(trials - hits) * (1.0 - share).ln()
}

fn ln_factorial(n: u32) -> f64 {
    (2..=n).map(|k| f64::from(k).ln()).sum()
}

/// Panics, with the figures, when the counts contradict the weight.
pub(crate) fn assert_follows(hits: u32, trials: u32, percent: u32) {
    let p = p_value(hits, trials, f64::from(percent) / 100.0);
    assert!(p >= ALPHA, "{hits} of {trials} contradict {percent} %: p = {p:.2e} < {ALPHA:.0e}");
}

#[cfg(test)]
mod tests {
    use super::p_value;

    fn check(hits: u32, trials: u32, share: f64, expected: f64) {
        let found = p_value(hits, trials, share);
        assert!(
            (found - expected).abs() <= 1e-6 * expected.max(1e-300),
            "p({hits} of {trials}, {share}) = {found:e}, expected {expected:e}"
        );
    }

    #[test]
    fn p_values_agree_with_exact_fractions() {
        check(5, 10, 0.5, 1.0);
        check(8, 10, 0.5, 0.109_375);
        check(0, 10, 0.3, 0.038_839_603_3);
        check(350, 600, 0.5, 5.114_064_866_353_958e-5);
        check(361, 600, 0.5, 7.192_195_189_500_694e-7);
        check(235, 600, 0.3, 1.743_055_881_434_766_4e-6);
        check(122, 400, 0.3, 0.827_358_709_701_050_5);
        check(600, 600, 0.5, 4.819_839_730_205_768e-181);
    }

    #[test]
    fn a_share_of_nothing_or_all_allows_no_exception() {
        check(0, 50, 0.0, 1.0);
        check(1, 50, 0.0, 0.0);
        check(50, 50, 1.0, 1.0);
        check(49, 50, 1.0, 0.0);
    }
}
