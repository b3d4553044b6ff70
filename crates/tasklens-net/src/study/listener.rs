//! The way from the thread of a study to the one who watches it, and back.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crossbeam_channel::{Sender, unbounded};

use super::{Study, StudyEvent};

/// Asks a study to stop: after the batch in hand, or at once where nothing is trained. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct Stopper(Arc<AtomicBool>);

impl Stopper {
    /// Asks.
    pub fn stop(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    /// Whether somebody asked.
    pub fn is_asked(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// Who hears of a study, and may stop it.
pub(super) struct Listener {
    events: Sender<StudyEvent>,
    stopper: Stopper,
    wake: Box<dyn Fn() + Send>,
}

impl Listener {
    /// With the other end.
    pub(super) fn new(wake: Box<dyn Fn() + Send>) -> (Self, Study) {
        let (sender, events) = unbounded();
        let stopper = Stopper::default();
        (Self { events: sender, stopper: stopper.clone(), wake }, Study { events, stopper })
    }

    pub(super) fn clone_events(&self) -> Sender<StudyEvent> {
        self.events.clone()
    }

    pub(super) fn tell(&self, event: StudyEvent) {
        // The watcher may have gone: then nobody wants to know.
        if self.events.send(event).is_ok() {
            (self.wake)();
        }
    }

    /// Says how far a measurement is, and returns whether to go on with it.
    pub(super) fn measuring(&self, what: &'static str, done: usize, of: usize) -> bool {
        self.tell(StudyEvent::Measuring { what, done, of });
        self.goes_on()
    }

    pub(super) fn goes_on(&self) -> bool {
        !self.stopper.is_asked()
    }
}
