//! What a result was computed from: edited labels make a new [`Loaded`] with the same images, and what follows
//! from the images alone is still right then.

use tasklens_data::dataset::split::Part;
use tasklens_net::inference::outputs::Features;

use super::session::Loaded;

/// Features and parts of the items at some time.
#[derive(Default)]
pub struct Origin {
    /// The version that was compared last.
    version: u64,
    features: Features,
    parts: Vec<Part>,
}

impl Origin {
    /// Takes over what is loaded now; returns whether it is anything else than before.
    pub fn renew(&mut self, loaded: &Loaded) -> bool {
        // A version is loaded from 1 on.
        if self.version == loaded.version {
            return false;
        }
        self.version = loaded.version;
        let inspection = &loaded.inspection;
        if self.features.is_same(&inspection.features) && self.parts == inspection.parts {
            return false;
        }
        self.features = inspection.features.clone();
        self.parts.clone_from(&inspection.parts);
        true
    }

    /// The features of the items.
    pub fn features(&self) -> &Features {
        &self.features
    }
}
