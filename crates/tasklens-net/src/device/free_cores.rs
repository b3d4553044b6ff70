//! Adapts the number of CPU threads of the network to the cores that other programs leave free.
//!
//! Each step of a network waits for its slowest thread. If another program occupies one of two cores, two threads are
//! slower than one: the thread that shares its core holds up the other. Measured on two cores with a small network,
//! as multiples of the time that two threads need alone: beside one busy program two threads 2.6, one thread 1.6,
//! adaptive 1.9 in a run of a few seconds; beside two busy programs 2.5 to 3.1, 2.3 to 2.4, and 2.3.

use std::time::{Duration, Instant};

use sysinfo::{Pid, ProcessRefreshKind, ProcessesToUpdate, System, get_current_pid};
use tch::Device;

/// Time between two measurements of the load.
const PAUSE: Duration = Duration::from_secs(1);
/// Hysteresis: how far the free cores must differ from the threads before their number changes, because close to the
/// limit little is gained.
const SLACK: f32 = 0.65;
/// Weight of the latest measurement in the smoothed load.
const LATEST: f32 = 0.6;

/// Sets libtorch's number of threads, and restores it when dropped.
pub struct FreeCores {
    /// `None` if the number is fixed.
    load: Option<Load>,
    /// Threads without other programs.
    most: usize,
    /// Number of threads before.
    before: usize,
    now: usize,
}

struct Load {
    system: System,
    own: Pid,
    looked: Instant,
    /// Cores occupied by other programs.
    others: f32,
}

impl FreeCores {
    /// For work of this thread on `device`, with `fixed` threads if the number is given, also by `OMP_NUM_THREADS`.
    pub fn new(device: Device, fixed: Option<usize>) -> Self {
        tasklens_torch::begin_threads();
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

    /// Measures the load if enough time has passed; call it before each batch.
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
    /// `None` if the system does not report it.
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

/// Number of threads for this many free cores, with `now` threads at present.
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
