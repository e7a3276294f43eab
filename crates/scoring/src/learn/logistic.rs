//! Logistic regression: how signals tell the odds of something.

/// How much each signal adds to the logarithm of the odds. By convention the first signal is always 1.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Logistic<const N: usize> {
    /// By signal.
    pub weights: [f64; N],
}

/// Signals, and whether it came about.
pub(crate) struct Example<const N: usize> {
    pub(crate) signals: [f64; N],
    pub(crate) is_so: bool,
}

/// Strength of the prior that a weight is what it is without examples, in examples.
const PRIOR_STRENGTH: f64 = 1.0;
/// Steps of Newton's method, which settles in a few.
const STEPS: usize = 12;
/// How often a step that goes too far is halved.
const HALVINGS: usize = 8;
/// Examples below which nothing is fitted.
const EXAMPLES_MIN: usize = 100;

impl<const N: usize> Default for Logistic<N> {
    fn default() -> Self {
        Self { weights: [0.0; N] }
    }
}

impl<const N: usize> Logistic<N> {
    /// The chance of these signals.
    pub(crate) fn chance(&self, signals: &[f64; N]) -> f64 {
        let sum: f64 = self.weights.iter().zip(signals).map(|(weight, signal)| weight * signal).sum();
        1.0 / (1.0 + (-sum).exp())
    }

    /// The most likely weights given examples and a prior, by Newton's method; the prior itself, with few examples.
    pub(crate) fn fitted(examples: &[Example<N>], prior: Self) -> Self {
        if examples.len() < EXAMPLES_MIN {
            return prior;
        }
        let mut fit = prior;
        for _ in 0..STEPS {
            let mut slope: [f64; N] =
                std::array::from_fn(|at| PRIOR_STRENGTH * (prior.weights[at] - fit.weights[at]));
            let mut bend: [[f64; N]; N] = std::array::from_fn(|row| {
                std::array::from_fn(|at| if at == row { PRIOR_STRENGTH } else { 0.0 })
            });
            for Example { signals, is_so } in examples {
                let chance = fit.chance(signals);
                let (miss, weight) = (f64::from(u8::from(*is_so)) - chance, chance * (1.0 - chance));
                slope.iter_mut().zip(signals).for_each(|(slope, signal)| *slope += miss * signal);
                for (row, signal) in bend.iter_mut().zip(signals) {
                    let weight = weight * signal;
                    row.iter_mut().zip(signals).for_each(|(entry, other)| *entry += weight * other);
                }
            }
            let Some(better) = fit.along(&solved(bend, slope), examples, &prior) else { break };
            fit = better;
        }
        fit
    }

    /// The weights as far along a step as makes the examples likelier; none, where nothing does.
    fn along(&self, step: &[f64; N], examples: &[Example<N>], prior: &Self) -> Option<Self> {
        let now = self.likelihood(examples, prior);
        let shares = std::iter::successors(Some(1.0), |share| Some(share * 0.5)).take(HALVINGS);
        let moved =
            |share: f64| Self { weights: std::array::from_fn(|at| self.weights[at] + share * step[at]) };
        shares.map(moved).find(|moved| moved.likelihood(examples, prior) > now)
    }

    /// The logarithm of the likelihood of examples and prior, but for what all weights share.
    fn likelihood(&self, examples: &[Example<N>], prior: &Self) -> f64 {
        let of_prior: f64 = self.weights.iter().zip(&prior.weights).map(|(a, b)| (a - b).powi(2)).sum();
        let of_example = |Example { signals, is_so }: &Example<N>| {
            let chance = self.chance(signals);
            if *is_so { chance } else { 1.0 - chance }.max(f64::MIN_POSITIVE).ln()
        };
        examples.iter().map(of_example).sum::<f64>() - 0.5 * PRIOR_STRENGTH * of_prior
    }
}

/// What a symmetric, positive definite matrix turns into `right`: Gaussian elimination, which such a matrix needs no
/// pivots for.
fn solved<const N: usize>(mut matrix: [[f64; N]; N], mut right: [f64; N]) -> [f64; N] {
    for at in 0..N {
        let (above, value) = (matrix[at], right[at]);
        for (row, right) in matrix.iter_mut().zip(&mut right).skip(at + 1) {
            let factor = row[at] / above[at];
            row.iter_mut().zip(above).for_each(|(entry, above)| *entry -= factor * above);
            *right -= factor * value;
        }
    }
    for at in (0..N).rev() {
        let known: f64 = matrix[at].iter().zip(&right).skip(at + 1).map(|(entry, found)| entry * found).sum();
        right[at] = (right[at] - known) / matrix[at][at];
    }
    right
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_weights_are_found_again() {
        let truth = Logistic { weights: [-1.0, 0.8, -0.3, 0.1] };
        let examples: Vec<Example<4>> = (0_u32..40_000)
            .map(|n| {
                let part = |salt: u32| f64::from(n.wrapping_mul(salt) >> 8) / f64::from(1 << 24);
                let signal = |salt| part(salt) * 4.0 - 2.0;
                let signals = [1.0, signal(2_654_435_761), signal(2_246_822_519), signal(3_266_489_917)];
                Example { signals, is_so: part(668_265_263) < truth.chance(&signals) }
            })
            .collect();
        let found = Logistic::fitted(&examples, Logistic::default());
        let both = found.weights.iter().zip(&truth.weights);
        both.for_each(|(a, b)| assert!((a - b).abs() < 0.06, "{found:?}"));
    }

    #[test]
    fn what_signals_tell_for_certain_is_fitted_too() {
        let sure = |at: i32| Example { signals: [1.0, f64::from(at)], is_so: at > 0 };
        let found = Logistic::fitted(&(-100..=100).map(sure).collect::<Vec<_>>(), Logistic::default());
        assert!(found.chance(&[1.0, 2.0]) > 0.8 && found.chance(&[1.0, -2.0]) < 0.2, "{found:?}");
    }

    #[test]
    fn few_examples_leave_the_prior() {
        let prior = Logistic { weights: [-2.0, 1.0] };
        assert_eq!(Logistic::fitted(&[Example { signals: [1.0, 1.0], is_so: true }], prior), prior);
    }
}
