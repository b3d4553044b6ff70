//! Fault injection for tests: any call that changes the disk can fail, or the program can seem to be killed there, so
//! that nothing reaches the disk from then on.
//!
//! Per thread. Without injection, a call costs one access to a thread-local cell.

use std::cell::{Cell, RefCell};
use std::io;

/// A call that changes the disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Call {
    /// Creating a folder.
    CreateFolder,
    /// Creating a file or opening it for writing.
    Create,
    /// Writing bytes.
    Write,
    /// Truncating a file.
    SetLength,
    /// Syncing a file.
    Sync,
    /// Syncing a folder.
    SyncFolder,
    /// Renaming a file.
    Rename,
    /// Removing a file.
    Remove,
}

/// The fault at the chosen call. Numbers are OS error codes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DiskFault {
    /// It fails; later calls succeed.
    Once(i32),
    /// It fails, as do all later calls that need disk space.
    FromHere(i32),
    /// If it is a write, it fails after half of its bytes.
    Short(i32),
    /// The program is killed before it: it and all later calls do nothing.
    Killed,
    /// The same, but if it is a write, half of its bytes are written.
    KilledHalfway,
}

struct FaultPlan {
    at: u64,
    fault: DiskFault,
    calls: Vec<Call>,
    is_dead: bool,
    is_failing: bool,
}

/// An action of another program, and the call during which it happens.
type Meanwhile = (Call, Box<dyn FnOnce()>);

/// Makes syncs on this thread return at once: for tests that kill only the program, never the machine, a thousand
/// times.
pub fn skip_syncs() {
    SKIPS_SYNCS.set(true);
}

pub(super) fn skips_syncs() -> bool {
    SKIPS_SYNCS.get()
}

thread_local! {
    static SKIPS_SYNCS: Cell<bool> = const { Cell::new(false) };
    static PLAN: RefCell<Option<FaultPlan>> = const { RefCell::new(None) };
    static MEANWHILE: RefCell<Option<Meanwhile>> = const { RefCell::new(None) };
}

/// Runs `work`, and `act` during the first call of that kind, as another program would.
pub fn meanwhile<T>(call: Call, act: impl FnOnce() + 'static, work: impl FnOnce() -> T) -> T {
    MEANWHILE.with(|cell| *cell.borrow_mut() = Some((call, Box::new(act))));
    let made = work();
    MEANWHILE.with(|cell| *cell.borrow_mut() = None);
    made
}

/// Runs `work` with a fault at its call number `at` (from 0), and returns the calls that it made. If there are no
/// more than `at`, the fault did not happen.
pub fn inject<T>(at: u64, fault: DiskFault, work: impl FnOnce() -> T) -> (T, Vec<Call>) {
    let plan = FaultPlan { at, fault, calls: Vec::new(), is_dead: false, is_failing: false };
    PLAN.with(|cell| *cell.borrow_mut() = Some(plan));
    let made = work();
    let calls = PLAN.with(|cell| cell.borrow_mut().take()).map(|plan| plan.calls);
    (made, calls.unwrap_or_default())
}

/// How much of a failing call is carried out.
pub(super) enum Verdict {
    Goes,
    /// Nothing.
    Fails(io::Error),
    /// Half of the bytes.
    Halfway(io::Error),
}

pub(super) fn verdict(call: Call) -> Verdict {
    let act = MEANWHILE.with(|cell| cell.borrow_mut().take_if(|(of, _)| *of == call));
    if let Some((_, act)) = act {
        act();
    }
    PLAN.with(|cell| match cell.borrow_mut().as_mut() {
        None => Verdict::Goes,
        Some(plan) => plan.judge(call),
    })
}

/// Checks whether the call may proceed.
///
/// # Errors
/// The injected fault.
pub(super) fn check(call: Call) -> io::Result<()> {
    match verdict(call) {
        Verdict::Goes => Ok(()),
        Verdict::Fails(error) | Verdict::Halfway(error) => Err(error),
    }
}

impl FaultPlan {
    fn judge(&mut self, call: Call) -> Verdict {
        let is_here = self.calls.len() as u64 == self.at;
        self.calls.push(call);
        let dead = || io::Error::other("the program was killed");
        if self.is_dead {
            return Verdict::Fails(dead());
        }
        let needs_room = matches!(call, Call::CreateFolder | Call::Create | Call::Write);
        match self.fault {
            DiskFault::Once(code) if is_here => Verdict::Fails(io::Error::from_raw_os_error(code)),
            DiskFault::FromHere(code) if is_here || (self.is_failing && needs_room) => {
                self.is_failing = true;
                Verdict::Fails(io::Error::from_raw_os_error(code))
            }
            DiskFault::Short(code) if is_here && call == Call::Write => {
                Verdict::Halfway(io::Error::from_raw_os_error(code))
            }
            DiskFault::Killed if is_here => {
                self.is_dead = true;
                Verdict::Fails(dead())
            }
            DiskFault::KilledHalfway if is_here => {
                self.is_dead = true;
                Verdict::Halfway(dead())
            }
            _ => Verdict::Goes,
        }
    }
}
