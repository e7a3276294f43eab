//! What restraint costs and saves: the few offers that the policy `default` makes of the same questions.

/// What the offers of a restrained policy are worth.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Restraint {
    /// How many questions were asked.
    pub questions: usize,
    /// Of these, the share that got any offer. 0 to 1.
    pub answered: f64,
    /// Offers of an answer that has any, on average.
    pub offers: f64,
    /// Share of the offers that were bought. 0 to 1.
    pub precision: f64,
    /// Share of all questions with something bought among their offers. 0 to 1.
    pub hit: f64,
}

impl Restraint {
    /// Counts what was offered to each question, by whether it was bought.
    pub(super) fn of(answers: &[Vec<bool>]) -> Self {
        let count = |chosen: fn(&&Vec<bool>) -> bool| answers.iter().filter(chosen).count();
        let answered = count(|answer| !answer.is_empty());
        let offers: usize = answers.iter().map(Vec::len).sum();
        let bought = answers.iter().flatten().filter(|bought| **bought).count();
        Self {
            questions: answers.len(),
            answered: share(answered, answers.len()),
            offers: share(offers, answered),
            precision: share(bought, offers),
            hit: share(count(|answer| answer.contains(&true)), answers.len()),
        }
    }
}

fn share(part: usize, whole: usize) -> f64 {
    part as f64 / whole.max(1) as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn silence_lowers_the_hit_rate_and_not_the_precision() {
        let answers = [vec![true, false, false], vec![], vec![false], vec![]];
        let expected = Restraint { questions: 4, answered: 0.5, offers: 2.0, precision: 0.25, hit: 0.25 };
        assert_eq!(Restraint::of(&answers), expected);
    }

    #[test]
    fn no_questions_are_no_numbers_that_are_none() {
        assert_eq!(Restraint::of(&[]), Restraint::default());
    }
}
