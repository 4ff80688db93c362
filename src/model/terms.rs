//! The terms of a loss.

/// Name of the term that says how much a model's samples of one caption differ: their variance as a share of that of true
/// pictures, no gradient. A run in which it stays low on what is validated has collapsed and is stopped.
pub const DIVERSITY: &str = "diversity";

/// Named terms of a loss, in an order that does not change during a run; their sum is minimised.
#[derive(Clone, Debug, PartialEq)]
pub struct Terms<T>(pub Vec<(&'static str, T)>);

impl<T> Terms<T> {
    /// Their names.
    pub fn names(&self) -> Vec<&'static str> {
        self.0.iter().map(|(name, _)| *name).collect()
    }

    /// The same names with other values.
    pub fn map<U>(self, mut value: impl FnMut(T) -> U) -> Terms<U> {
        Terms(self.0.into_iter().map(|(name, term)| (name, value(term))).collect())
    }
}

impl Terms<f64> {
    /// Their sum: the loss, nats per image for the models with a bound.
    pub fn total(&self) -> f64 {
        self.0.iter().map(|(_, value)| value).sum()
    }

    /// One of them; 0 where the model has no such term.
    pub fn get(&self, name: &str) -> f64 {
        self.0.iter().filter(|(term, _)| *term == name).map(|(_, value)| value).sum()
    }
}
