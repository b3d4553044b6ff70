//! Running what may panic, such as a decoder on a strange file: the panic becomes an error with its
//! message and place, and is not printed. All other panics are printed as ever.

use std::any::Any;
use std::cell::{Cell, RefCell};
use std::panic::{AssertUnwindSafe, PanicHookInfo, catch_unwind, set_hook, take_hook};
use std::sync::Once;

thread_local! {
    /// How many [`catch`] this thread is in.
    static DEPTH: Cell<usize> = const { Cell::new(0) };
    /// Where the last panic that was not printed began.
    static PLACE: RefCell<Option<String>> = const { RefCell::new(None) };
}

/// Runs `work`. What it changes must bear being left half done.
///
/// # Errors
/// It panicked: the panic's message, and where it began.
pub fn catch<T>(work: impl FnOnce() -> T) -> Result<T, String> {
    quieten_caught();
    let result = {
        let _inside = Inside::enter();
        PLACE.take();
        catch_unwind(AssertUnwindSafe(work))
    };
    result.map_err(|payload| match PLACE.take() {
        Some(place) => format!("{} at {place}", message(&*payload)),
        None => message(&*payload).to_owned(),
    })
}

/// What a panic said.
pub fn message(payload: &(dyn Any + Send)) -> &str {
    let text = payload.downcast_ref::<String>().map(String::as_str);
    text.or_else(|| payload.downcast_ref::<&str>().copied()).unwrap_or("an unknown fault")
}

/// While it lives, panics of this thread are not printed.
struct Inside;

impl Inside {
    fn enter() -> Self {
        DEPTH.set(DEPTH.get() + 1);
        Self
    }
}

impl Drop for Inside {
    fn drop(&mut self) {
        DEPTH.set(DEPTH.get() - 1);
    }
}

/// Puts a hook before the one that prints, once.
fn quieten_caught() {
    static ONCE: Once = Once::new();
    // A thread that panics already may not change the hook.
    if std::thread::panicking() {
        return;
    }
    ONCE.call_once(|| {
        let print = take_hook();
        set_hook(Box::new(move |info| {
            // A thread that ends has no `DEPTH` any more, and catches nothing.
            if DEPTH.try_with(Cell::get).unwrap_or(0) == 0 {
                print(info);
            } else {
                PLACE.set(place(info));
            }
        }));
    });
}

/// `image.rs:12`: without the folders of the machine that the program was built on.
fn place(info: &PanicHookInfo<'_>) -> Option<String> {
    let location = info.location()?;
    let file = location.file().rsplit(['/', '\\']).next()?;
    Some(format!("{file}:{}", location.line()))
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::*;

    #[test]
    fn a_panic_becomes_its_message_and_place() {
        assert_eq!(catch(|| 7), Ok(7));
        let said = catch(|| panic!("index {}", 7)).unwrap_err();
        assert!(said.starts_with("index 7 at panics.rs:"), "{said}");
        assert_eq!(catch(|| std::panic::resume_unwind(Box::new(3_u8))).unwrap_err(), "an unknown fault");
        let nested: Result<(), String> = catch(|| {
            assert!(catch(|| panic!("inner")).unwrap_err().starts_with("inner"));
            panic!("outer")
        });
        assert!(nested.unwrap_err().starts_with("outer at panics.rs:"));
    }

    /// Not a test of its own: the process that the next one starts.
    #[test]
    fn caught_and_uncaught() {
        if std::env::var_os("TASKLENS_TEST_PANICS").is_some() {
            catch(|| panic!("caught alone")).unwrap_err();
            std::thread::spawn(|| panic!("of another thread")).join().unwrap_err();
            panic!("after the catch");
        }
    }

    #[test]
    fn only_what_is_not_caught_is_printed() {
        let mut child = Command::new(std::env::current_exe().unwrap());
        child.args(["--exact", "panics::tests::caught_and_uncaught", "--nocapture"]);
        let output = child.env("TASKLENS_TEST_PANICS", "1").output().unwrap();
        let printed = String::from_utf8_lossy(&output.stderr) + String::from_utf8_lossy(&output.stdout);
        assert!(!output.status.success());
        assert!(!printed.contains("caught alone"), "{printed}");
        assert!(printed.contains("of another thread") && printed.contains("after the catch"), "{printed}");
    }
}
