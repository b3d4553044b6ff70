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
pub(super) mod gpus;
mod meeting;
mod place;
mod pulse;
mod slurm;
mod step;

use std::cell::{Cell, RefCell};
use std::time::Duration;

use anyhow::{Context as _, anyhow, bail};
use crossbeam_channel::{RecvTimeoutError, bounded};
use serde::Serialize;
use serde::de::DeserializeOwned;
use tasklens_data::text::told;
use tasklens_torch::group::{Address, Group, Store};
use tch::{Device, Kind, Tensor, no_grad};

use meeting::Meeting;
pub use place::Place;
use pulse::Pulse;
pub(super) use step::{Gradients, Together};

use super::reporter::Reporter;
use super::setup::StoppedEarly;

/// For a second connection to the table of keys.
const PATIENCE: Duration = Duration::from_secs(60);
/// What gloo itself waits for in a collective operation: whether a process is there is told by its [`Pulse`].
const FOREVER: Duration = Duration::from_secs(7 * 24 * 3600);
/// Between two looks at whether the others are alive.
const LOOK: Duration = Duration::from_millis(50);

/// The other processes.
pub struct Ranks {
    place: Place,
    group: RefCell<Group>,
    pulse: RefCell<Pulse>,
    /// Whether the run has a checkpoint to go on from, as far as this process knows.
    is_kept: Cell<bool>,
    /// Only keeps the table of keys open, where this process has opened it.
    _table: Store,
}

impl Ranks {
    /// Waits until all are there; `is_kept`: the run has a checkpoint to go on from, as it is resumed.
    ///
    /// # Errors
    /// The user stopped, or they do not come or cannot be reached.
    pub fn join(place: Place, is_kept: bool, reporter: &mut Reporter) -> anyhow::Result<Self> {
        let Meeting { store, table, address } = Meeting::wait(&place, reporter)?;
        let signs =
            Store::open(&table, None, PATIENCE).map_err(first_line).context("cannot give signs of life")?;
        let mut pulse = Pulse::begin(signs, &place).context("cannot start a thread")?;
        match connected(&place, store, address, &pulse, is_kept, reporter) {
            Ok((group, table)) => Ok(Self {
                place,
                group: RefCell::new(group),
                pulse: RefCell::new(pulse),
                is_kept: Cell::new(is_kept),
                _table: table,
            }),
            Err(error) => {
                tell(&mut pulse, &place, &error);
                Err(error)
            }
        }
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

    /// Notes that the run has a checkpoint to go on from; process 0 tells the others the first time, while they wait for
    /// what it says next.
    ///
    /// # Errors
    /// As [`Self::sum`].
    pub fn kept(&self) -> anyhow::Result<()> {
        if !self.is_kept.replace(true) && self.leads() {
            self.say(&follower::Directive::Kept)?;
        }
        Ok(())
    }

    /// Tells the others that this process fails, and why.
    pub fn fail(&self, error: &anyhow::Error) {
        tell(&mut self.pulse.borrow_mut(), &self.place, error);
    }

    fn exchange(&self, begin: impl FnOnce(&mut Group) -> Result<(), tch::TchError>) -> anyhow::Result<()> {
        let mut group = self.group.borrow_mut();
        let mut result = begin(&mut group).map(|()| false);
        loop {
            result = match result {
                Ok(true) => return Ok(()),
                Ok(false) => match self.pulse.borrow().failure() {
                    Some(why) => bail!(Gone { why, is_kept: self.is_kept.get() }),
                    None => group.is_done(LOOK),
                },
                Err(error) => {
                    let why = self.pulse.borrow().reason();
                    let why = why.unwrap_or_else(|| {
                        format!("the connection to another process is lost ({})", first_line(error))
                    });
                    bail!(Gone { why, is_kept: self.is_kept.get() });
                }
            };
        }
    }
}

/// Connects to all others. gloo cannot be stopped while it does, so a thread waits for it, which is left behind where that
/// fails. Also returns the table.
fn connected(
    place: &Place,
    store: Store,
    address: Address,
    pulse: &Pulse,
    is_kept: bool,
    reporter: &mut Reporter,
) -> anyhow::Result<(Group, Store)> {
    let (rank, size) = (place.rank, place.size);
    let by = match &address {
        Address::Interface(name) => format!("the network {name}"),
        Address::Host(host) => format!("its address {host}"),
        Address::Own => "the address of its own name".to_owned(),
    };
    let (done, is_done) = bounded(1);
    let join = move || {
        let group = Group::join(&store, (rank, size), &address, FOREVER).map_err(first_line);
        // Nobody waits for it any more where this fails.
        let _ = done.send(group.map(|group| (group, store)));
    };
    std::thread::Builder::new().name("group".to_owned()).spawn(join).context("cannot start a thread")?;
    loop {
        match is_done.recv_timeout(LOOK) {
            Ok(joined) => {
                return joined.with_context(|| {
                    format!(
                        "cannot connect to the other processes by {by} (where a computer has several networks, \
                         GLOO_SOCKET_IFNAME names the one to use)"
                    )
                });
            }
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => bail!("the thread that connects to the others crashed"),
        }
        if let Some(why) = pulse.failure() {
            bail!(Gone { why, is_kept });
        }
        if reporter.should_stop() {
            bail!(StoppedEarly);
        }
    }
}

/// Tells the others that this process fails, and why.
fn tell(pulse: &mut Pulse, place: &Place, error: &anyhow::Error) {
    // The reason is known to them already where this process has it from one of them.
    if error.is::<Gone>() {
        return;
    }
    pulse.fail(&told(error));
    if place.opens_table && place.rank == 0 {
        // With this process the table goes, in which they find it.
        std::thread::sleep(pulse::HEARD);
    }
}

/// Another process is gone, or has failed.
#[derive(Debug, thiserror::Error)]
#[error("{why}; the training ends here{}", next_step(*is_kept))]
struct Gone {
    why: String,
    is_kept: bool,
}

fn next_step(is_kept: bool) -> &'static str {
    match is_kept {
        true => ": resume the run from its last checkpoint",
        false => ", before the first checkpoint: start it again once that is fixed",
    }
}

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
