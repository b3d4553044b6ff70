//! Processes that train one network together, each on its part of every batch.
//!
//! Gradients are summed after the backward pass, with the number of rows, so that a step is that of one process with the
//! whole batch, up to rounding and to batch normalisation: each part is normalised by its own statistics, as in PyTorch's
//! `DistributedDataParallel`, and the running statistics are averaged after each pass over the training rows. Summing
//! while the backward pass goes on would hide what the exchange takes, 5 to 8 % of a step of the largest network on one
//! computer's loopback.
//!
//! Process 0 splits, validates, decides and writes; the others do what it tells them ([`follower`]).

pub(super) mod follower;
mod place;
mod pulse;
mod step;

use std::cell::RefCell;
use std::time::Duration;

use anyhow::{Context as _, anyhow, bail};
use serde::Serialize;
use serde::de::DeserializeOwned;
use tasklens_data::text::told;
use tasklens_torch::group::{Group, Store};
use tch::{Device, Kind, Tensor, no_grad};

pub use place::Place;
use pulse::Pulse;
pub(super) use step::{Gradients, Together};

use super::reporter::Reporter;
use super::setup::StoppedEarly;

/// How long a process waits for the others to be started.
const PATIENCE: Duration = Duration::from_secs(30 * 60);
/// What gloo itself waits for in a collective operation: whether a process is there is told by its [`Pulse`].
const FOREVER: Duration = Duration::from_secs(7 * 24 * 3600);
/// Between two looks at whether the others are alive.
const LOOK: Duration = Duration::from_millis(50);

/// The other processes.
pub struct Ranks {
    place: Place,
    group: RefCell<Group>,
    pulse: RefCell<Pulse>,
    /// Only keeps the table of keys open, where this process has opened it.
    _table: Store,
}

impl Ranks {
    /// Waits until all are there.
    ///
    /// # Errors
    /// The user stopped, or they do not come or cannot be reached.
    pub fn join(place: Place, reporter: &mut Reporter) -> anyhow::Result<Self> {
        let Place { rank, size, table, opens_table, address, .. } = &place;
        let (rank, size) = (*rank, *size);
        let what = "waiting for the other processes";
        reporter.preparing(what, 0, size as u64);
        let told = || format!("process {rank} of {size} cannot reach {}:{}", table.host, table.port);
        let opens_for = (*opens_table && rank == 0).then_some(size);
        let store = Store::open(table, opens_for, PATIENCE).map_err(first_line).with_context(told)?;
        let mut here = store.add("here", 1).map_err(first_line)? as u64;
        while here < size as u64 {
            if reporter.should_stop() {
                bail!(StoppedEarly);
            }
            reporter.preparing(what, here, size as u64);
            std::thread::sleep(LOOK);
            here = store.add("here", 0).map_err(first_line)? as u64;
        }
        let signs = Store::open(table, None, PATIENCE).map_err(first_line).with_context(told)?;
        let pulse = Pulse::begin(signs, &place).context("cannot start a thread")?;
        let group = Group::join(&store, (rank, size), address, FOREVER).map_err(first_line);
        let group = group.with_context(|| {
            format!(
                "process {rank} cannot connect to the others (where a computer has several networks, \
                 GLOO_SOCKET_IFNAME names the one to use)"
            )
        })?;
        reporter.preparing(what, size as u64, size as u64);
        Ok(Self { place, group: RefCell::new(group), pulse: RefCell::new(pulse), _table: store })
    }

    /// Which of them this is.
    pub fn place(&self) -> &Place {
        &self.place
    }

    /// Whether this process decides.
    pub fn leads(&self) -> bool {
        self.place.rank == 0
    }

    /// This process' part of a batch.
    pub fn part<'a>(&self, batch: &'a [usize]) -> &'a [usize] {
        let bound = |rank: usize| batch.len() * rank / self.place.size;
        &batch[bound(self.place.rank)..bound(self.place.rank + 1)]
    }

    /// Replaces `tensor`, on the processor, by its sum over all.
    ///
    /// # Errors
    /// A process is gone.
    pub fn sum(&self, tensor: &Tensor) -> anyhow::Result<()> {
        self.exchange(|group| group.begin_sum(tensor))
    }

    /// Replaces numbers by their sums over all.
    ///
    /// # Errors
    /// As [`Self::sum`].
    pub fn sum_numbers(&self, numbers: &mut [f64]) -> anyhow::Result<()> {
        let tensor = Tensor::f_from_slice(numbers)?;
        self.sum(&tensor)?;
        Ok(tensor.f_copy_data(numbers, numbers.len())?)
    }

    /// Replaces tensors, on any device, by their means over all.
    ///
    /// # Errors
    /// As [`Self::sum`].
    pub fn average<'a>(&self, tensors: impl Iterator<Item = &'a Tensor>) -> anyhow::Result<()> {
        for tensor in tensors {
            let own = on_processor(tensor)?;
            self.sum(&own)?;
            no_grad(|| {
                let mean = own.shallow_clone().f_div_scalar_(self.place.size as f64)?;
                tensor.shallow_clone().f_copy_(&mean)
            })?;
        }
        Ok(())
    }

    /// Replaces tensors, on any device, by those of process 0.
    ///
    /// # Errors
    /// As [`Self::sum`].
    pub fn share<'a>(&self, tensors: impl Iterator<Item = &'a Tensor>) -> anyhow::Result<()> {
        for tensor in tensors {
            let own = on_processor(tensor)?;
            self.exchange(|group| group.begin_broadcast(&own))?;
            no_grad(|| tensor.shallow_clone().f_copy_(&own))?;
        }
        Ok(())
    }

    /// Process 0 says something that all others [`hear`](Self::hear).
    ///
    /// # Errors
    /// As [`Self::sum`].
    pub fn say(&self, what: &impl Serialize) -> anyhow::Result<()> {
        let bytes = serde_json::to_vec(what)?;
        let length = Tensor::f_from_slice(&[bytes.len() as i64])?;
        self.exchange(|group| group.begin_broadcast(&length))?;
        let text = Tensor::f_from_slice(&bytes)?;
        self.exchange(|group| group.begin_broadcast(&text))
    }

    /// What process 0 says.
    ///
    /// # Errors
    /// As [`Self::sum`], or it says something else.
    pub fn hear<T: DeserializeOwned>(&self) -> anyhow::Result<T> {
        let length = Tensor::f_zeros([1], (Kind::Int64, Device::Cpu))?;
        self.exchange(|group| group.begin_broadcast(&length))?;
        let text = Tensor::f_zeros([length.f_int64_value(&[0])?], (Kind::Uint8, Device::Cpu))?;
        self.exchange(|group| group.begin_broadcast(&text))?;
        let bytes = Vec::<u8>::try_from(text)?;
        serde_json::from_slice(&bytes).context("process 0 is another version of Tasklens")
    }

    /// Tells the others that this process fails, and why.
    pub fn fail(&self, error: &anyhow::Error) {
        // The reason is known to them already where this process has it from one of them.
        if error.is::<Gone>() {
            return;
        }
        self.pulse.borrow_mut().fail(&told(error));
        if self.place.opens_table && self.leads() {
            // With this process the table goes, in which they find it.
            std::thread::sleep(pulse::HEARD);
        }
    }

    fn exchange(&self, begin: impl FnOnce(&mut Group) -> Result<(), tch::TchError>) -> anyhow::Result<()> {
        let mut group = self.group.borrow_mut();
        let mut result = begin(&mut group).map(|()| false);
        loop {
            result = match result {
                Ok(true) => return Ok(()),
                Ok(false) => match self.pulse.borrow().failure() {
                    Some(why) => bail!(Gone(why)),
                    None => group.is_done(LOOK),
                },
                Err(error) => {
                    let why = self.pulse.borrow().reason();
                    bail!(Gone(why.unwrap_or_else(|| {
                        format!("the connection to another process is lost ({})", first_line(error))
                    })));
                }
            };
        }
    }
}

/// Another process is gone, or has failed.
#[derive(Debug, thiserror::Error)]
#[error("{0}; the training ends here: resume the run from its last checkpoint")]
struct Gone(String);

/// A tensor's values on the processor, contiguous and without gradient: the tensor itself where it is that.
fn on_processor(tensor: &Tensor) -> Result<Tensor, tch::TchError> {
    tensor.f_detach()?.f_to_device(Device::Cpu)?.f_contiguous()
}

/// What c10d says of an error goes on with its own stack.
fn first_line(error: tch::TchError) -> anyhow::Error {
    let text = match error {
        tch::TchError::Torch(text) => text,
        other => other.to_string(),
    };
    anyhow!("{}", text.lines().next().unwrap_or_default().to_owned())
}
