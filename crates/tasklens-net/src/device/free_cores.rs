//! How many threads the network computes with on the processor: as many as cores that other programs leave free.
//!
//! Each step of a network waits for its slowest thread. Where another program has one of two cores, two threads are
//! slower than one: the thread that shares its core holds up the other. Measured on two cores with a small network, as
//! multiples of the time that two threads need alone: beside one busy program two threads 2.6, one 1.6, and 1.9 with
//! these looks in a run of a few seconds; beside two 2.5 to 3.1, 2.3 to 2.4, 2.3.

use std::time::{Duration, Instant};

use sysinfo::{Pid, ProcessRefreshKind, ProcessesToUpdate, System, get_current_pid};
use tch::Device;

/// Between two looks at the load.
const PAUSE: Duration = Duration::from_secs(1);
/// So far the free cores must be from the threads before their number changes: what is gained by one more or less is
/// small where it is close.
const SLACK: f32 = 0.65;
/// The share that the latest look has in what is known of the load.
const LATEST: f32 = 0.6;

/// Sets libtorch's threads, and sets them back when it is dropped.
pub struct FreeCores {
    /// `None` where the number is fixed.
    load: Option<Load>,
    /// Threads without other programs.
    most: usize,
    /// Threads as they were found.
    before: usize,
    now: usize,
}

struct Load {
    system: System,
    own: Pid,
    looked: Instant,
    /// Cores that other programs are busy on.
    others: f32,
}

impl FreeCores {
    /// For work of this thread on `device`; `fixed` threads where their number is given, as `OMP_NUM_THREADS` gives it.
    pub fn new(device: Device, fixed: Option<usize>) -> Self {
        let before = usize::try_from(tch::get_num_threads()).unwrap_or(1).max(1);
        let most = fixed.unwrap_or(before);
        let is_fixed = fixed.is_some()
            || device != Device::Cpu
            || most == 1
            || std::env::var_os("OMP_NUM_THREADS").is_some();
        let mut cores = Self { load: if is_fixed { None } else { Load::begin() }, most, before, now: before };
        cores.set(most);
        cores
    }

    /// Looks at the load, where a moment has passed; to be called before each batch.
    pub fn follow(&mut self) {
        let Some(load) = &mut self.load else { return };
        if load.looked.elapsed() < PAUSE {
            return;
        }
        load.look();
        let free = load.system.cpus().len() as f32 - load.others;
        let wanted = wanted(free, self.most, self.now);
        self.set(wanted);
    }

    fn set(&mut self, threads: usize) {
        if threads != self.now {
            log::debug!("the network computes with {threads} threads, {} before", self.now);
            tch::set_num_threads(i32::try_from(threads).unwrap_or(1));
            self.now = threads;
        }
    }
}

impl Drop for FreeCores {
    fn drop(&mut self) {
        self.set(self.before);
    }
}

impl Load {
    /// `None` where the system tells nothing.
    fn begin() -> Option<Self> {
        let own = get_current_pid().ok()?;
        let mut load = Self { system: System::new(), own, looked: Instant::now(), others: 0.0 };
        load.refresh();
        (!load.system.cpus().is_empty()).then_some(load)
    }

    fn refresh(&mut self) {
        self.system.refresh_cpu_usage();
        let kind = ProcessRefreshKind::nothing().with_cpu();
        self.system.refresh_processes_specifics(ProcessesToUpdate::Some(&[self.own]), false, kind);
        self.looked = Instant::now();
    }

    fn look(&mut self) {
        self.refresh();
        let busy: f32 = self.system.cpus().iter().map(|core| core.cpu_usage() / 100.0).sum();
        let own = self.system.process(self.own).map_or(0.0, |own| own.cpu_usage() / 100.0);
        let others = (busy - own).max(0.0);
        self.others += LATEST * (others - self.others);
    }
}

/// Threads for so many free cores, where there are `now`.
fn wanted(free: f32, most: usize, now: usize) -> usize {
    if (free - now as f32).abs() < SLACK {
        return now;
    }
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "cores are few")]
    let rounded = free.round().max(1.0) as usize;
    rounded.min(most)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn threads_follow_the_free_cores_and_not_every_flicker() {
        // Two cores, one busy program: it gets two thirds of a core beside two threads, and a whole one beside one.
        assert_eq!(wanted(2.0 - 0.7, 2, 2), 1);
        assert_eq!(wanted(1.0, 2, 1), 1);
        assert_eq!(wanted(0.4, 2, 1), 1, "one is the least");
        // It ends.
        assert_eq!(wanted(1.95, 2, 1), 2);
        // A browser.
        assert_eq!(wanted(2.0 - 0.4, 2, 2), 2);
        assert_eq!(wanted(2.0 - 0.4, 2, 1), 1);
        // Many cores, and a machine of which only some may be used.
        assert_eq!(wanted(16.0 - 5.2, 16, 16), 11);
        assert_eq!(wanted(60.0, 4, 2), 4);
    }

    #[test]
    fn what_this_process_does_is_not_another_program() {
        let Some(mut load) = Load::begin() else { return };
        let began = Instant::now();
        let mut work = 0_u64;
        while began.elapsed() < Duration::from_millis(600) {
            work = std::hint::black_box(work.wrapping_mul(31).wrapping_add(7));
        }
        load.refresh();
        let own = load.system.process(load.own).map_or(0.0, sysinfo::Process::cpu_usage);
        assert!(own > 30.0, "a busy process uses {own} % of a core");
    }
}
