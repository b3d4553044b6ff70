//! Faults on purpose: a test lets any call that changes the disk fail, or lets nothing reach the disk from
//! there on, as if the program had been killed.
//!
//! Per thread. Where nothing is injected, a call costs a look at a thread-local cell.

use std::cell::{Cell, RefCell};
use std::io;

/// A call that changes the disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Call {
    /// A folder is made.
    CreateFolder,
    /// A file is made, or opened to be written.
    Create,
    /// Bytes are written.
    Write,
    /// A file is cut off.
    SetLength,
    /// A file's bytes go to the disk.
    Sync,
    /// A folder's names go to the disk.
    SyncFolder,
    /// A file takes its name.
    Rename,
    /// A file goes.
    Remove,
}

/// What happens at the chosen call. Numbers are error codes of the system.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// It fails; later ones do not.
    Once(i32),
    /// It fails, as do all later ones that need room on the disk.
    FromHere(i32),
    /// If it writes, it fails after half of its bytes.
    Short(i32),
    /// The program ends before it: it and all later ones do nothing.
    Killed,
    /// The same, but if it writes, half of its bytes arrive.
    KilledHalfway,
}

struct Plan {
    at: u64,
    fault: Fault,
    calls: Vec<Call>,
    is_dead: bool,
    is_failing: bool,
}

/// What another program does, and during which call.
type Meanwhile = (Call, Box<dyn FnOnce()>);

/// Lets no sync on this thread wait for the disk: to try a thousand faults, where only the program ends and
/// never the machine.
pub fn skip_syncs() {
    SKIPS_SYNCS.set(true);
}

pub(super) fn skips_syncs() -> bool {
    SKIPS_SYNCS.get()
}

thread_local! {
    static SKIPS_SYNCS: Cell<bool> = const { Cell::new(false) };
    static PLAN: RefCell<Option<Plan>> = const { RefCell::new(None) };
    static MEANWHILE: RefCell<Option<Meanwhile>> = const { RefCell::new(None) };
}

/// Does `work`, and `act` during the first call of that kind, as another program would.
pub fn meanwhile<T>(call: Call, act: impl FnOnce() + 'static, work: impl FnOnce() -> T) -> T {
    MEANWHILE.with(|cell| *cell.borrow_mut() = Some((call, Box::new(act))));
    let made = work();
    MEANWHILE.with(|cell| *cell.borrow_mut() = None);
    made
}

/// Does `work` with a fault at one of its calls (from 0), and returns the calls that it made. There were not
/// enough for the fault to happen if there are no more than `at`.
pub fn inject<T>(at: u64, fault: Fault, work: impl FnOnce() -> T) -> (T, Vec<Call>) {
    let plan = Plan { at, fault, calls: Vec::new(), is_dead: false, is_failing: false };
    PLAN.with(|cell| *cell.borrow_mut() = Some(plan));
    let made = work();
    let calls = PLAN.with(|cell| cell.borrow_mut().take()).map(|plan| plan.calls);
    (made, calls.unwrap_or_default())
}

/// How much of a call goes through before it fails, if it does.
pub(super) enum Verdict {
    Goes,
    /// Nothing of it.
    Fails(io::Error),
    /// Half of its bytes.
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

/// Whether the call may be made.
///
/// # Errors
/// It is to fail.
pub(super) fn check(call: Call) -> io::Result<()> {
    match verdict(call) {
        Verdict::Goes => Ok(()),
        Verdict::Fails(error) | Verdict::Halfway(error) => Err(error),
    }
}

impl Plan {
    fn judge(&mut self, call: Call) -> Verdict {
        let is_here = self.calls.len() as u64 == self.at;
        self.calls.push(call);
        let dead = || io::Error::other("the program was killed");
        if self.is_dead {
            return Verdict::Fails(dead());
        }
        let needs_room = matches!(call, Call::CreateFolder | Call::Create | Call::Write);
        match self.fault {
            Fault::Once(code) if is_here => Verdict::Fails(io::Error::from_raw_os_error(code)),
            Fault::FromHere(code) if is_here || (self.is_failing && needs_room) => {
                self.is_failing = true;
                Verdict::Fails(io::Error::from_raw_os_error(code))
            }
            Fault::Short(code) if is_here && call == Call::Write => {
                Verdict::Halfway(io::Error::from_raw_os_error(code))
            }
            Fault::Killed if is_here => {
                self.is_dead = true;
                Verdict::Fails(dead())
            }
            Fault::KilledHalfway if is_here => {
                self.is_dead = true;
                Verdict::Halfway(dead())
            }
            _ => Verdict::Goes,
        }
    }
}
