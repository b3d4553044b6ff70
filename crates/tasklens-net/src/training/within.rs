//! Where a run is within an epoch, so that one that is left there goes on with the next batch.
//!
//! Everything that a batch depends on follows from the seed, the epoch and the batch's place in it, so this is all that
//! is to be kept beside the weights and the optimizer.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use tch::{Device, Kind, TchError, Tensor};

use super::gradient_shares::GradientShares;
use super::metrics::Totals;
use crate::inference::samples::mix;

/// Work that a killed run may lose.
pub const KEEP_EVERY: Duration = Duration::from_secs(5 * 60);

/// What the batches of an epoch have come to.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct WithinEpoch {
    /// The epoch (from 1).
    pub epoch: usize,
    /// Its batches that were trained on.
    pub batches: usize,
    /// What tells its batches from those of other images, or of another size; see [`order_of`].
    pub order: u64,
    /// Images of these batches.
    pub done: usize,
    /// Images among them that could be read.
    pub used: usize,
    /// Seconds that this took.
    pub secs: f64,
    /// Sums for the metrics of the epoch.
    pub totals: Totalled,
    /// Sums for the shares of the gradient.
    pub shares: Shared,
}

/// The numbers of [`Totals`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Totalled {
    pub loss: Vec<f64>,
    pub correct: Vec<f64>,
    pub counts: Vec<usize>,
}

/// The numbers of [`GradientShares`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Shared {
    pub sum: Vec<f64>,
    pub batches: usize,
}

impl WithinEpoch {
    /// Whether it is of a run with this many tasks: it may come from anywhere.
    pub fn fits(&self, tasks: usize) -> bool {
        let lengths = [self.totals.loss.len(), self.totals.correct.len(), self.totals.counts.len()];
        lengths.iter().chain([&self.shares.sum.len()]).all(|length| *length == tasks)
            && self.secs.is_finite()
            && self.secs >= 0.0
    }

    /// The sums, on `device`.
    ///
    /// # Errors
    /// The device is out of memory.
    pub fn sums(&self, device: Device) -> Result<(Totals, GradientShares), TchError> {
        Ok((Totals::of(&self.totals, device)?, GradientShares::of(&self.shares, device)?))
    }
}

/// A number for an order of rows in batches: the same for the same batches, on every machine.
pub fn order_of(batches: &[Vec<usize>]) -> u64 {
    batches.iter().fold(batches.len() as u64, |order, batch| {
        batch.iter().fold(mix(order, batch.len() as u64, u64::MAX), |order, row| mix(order, *row as u64, 0))
    })
}

/// Numbers as a tensor of a kind.
pub fn tensor_of(values: &[f64], kind: Kind, device: Device) -> Result<Tensor, TchError> {
    Tensor::f_from_slice(values)?.f_to_kind(kind)?.f_to_device(device)
}

/// The numbers of a tensor. Waits for the device.
pub fn numbers_of(tensor: &Tensor) -> Result<Vec<f64>, TchError> {
    Vec::<f64>::try_from(tensor.f_to_device(Device::Cpu)?.f_to_kind(Kind::Double)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn other_rows_and_other_batches_are_another_order() {
        let order =
            |batches: &[&[usize]]| order_of(&batches.iter().map(|batch| batch.to_vec()).collect::<Vec<_>>());
        let one = order(&[&[1, 2], &[3]]);
        assert_eq!(one, order(&[&[1, 2], &[3]]));
        for other in [&[&[2, 1][..], &[3]][..], &[&[1], &[2, 3]], &[&[1, 2, 3]], &[&[1, 2]]] {
            assert_ne!(one, order(other), "{other:?}");
        }
    }

    #[test]
    fn sums_come_back_to_the_bit() {
        let totals = Totalled { loss: vec![0.1 + 0.2, 1e-300], correct: vec![3.0, 5.0], counts: vec![4, 9] };
        let shares = Shared { sum: vec![f64::from(0.1_f32), 2.0], batches: 7 };
        let within =
            WithinEpoch { epoch: 1, batches: 7, order: 3, done: 9, used: 8, secs: 1.5, totals, shares };
        let text = serde_json::to_string(&within).unwrap();
        let read: WithinEpoch = serde_json::from_str(&text).unwrap();
        assert!(read.fits(2) && !read.fits(3));
        let (totals, shares) = read.sums(Device::Cpu).unwrap();
        assert_eq!((totals.numbers().unwrap(), shares.numbers().unwrap()), (within.totals, within.shares));
    }
}
