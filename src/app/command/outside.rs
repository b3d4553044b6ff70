//! The question whether to write outside of the project's folder, as it travels to the one who asks it.

use std::path::PathBuf;

use tasklens_data::config::{Config, Outside};
use tasklens_net::study::StudyRequest;
use tasklens_net::training::Request;

/// The question whether to write outside of the project's folder.
#[derive(Debug)]
pub struct AskedOutside {
    /// The project's folder.
    pub folder: PathBuf,
    /// What its config would write elsewhere.
    pub outside: Vec<Outside>,
    /// What happens if the answer is yes.
    pub then: Then,
}

/// What happens if the answer is yes.
#[derive(Debug)]
pub enum Then {
    /// The run begins.
    Train(Box<Request>),
    /// The study begins.
    Study(Box<StudyRequest>),
    /// The sample that the config names is drawn.
    DrawSample(Box<Config>),
    /// The run of a model that Keras saved is written.
    ImportKeras(PathBuf),
}

impl AskedOutside {
    /// Before a run of a config.
    pub fn to_train(request: Box<Request>, outside: Vec<Outside>) -> Self {
        let folder = request.config.folder().to_path_buf();
        Self { folder, outside, then: Then::Train(request) }
    }

    /// Before a study.
    pub fn to_study(request: Box<StudyRequest>, outside: Vec<Outside>) -> Self {
        Self { folder: request.plan.folder().to_path_buf(), outside, then: Then::Study(request) }
    }

    /// Before the sample that a config names is drawn.
    pub fn to_draw(config: Box<Config>, outside: Vec<Outside>) -> Self {
        Self { folder: config.folder().to_path_buf(), outside, then: Then::DrawSample(config) }
    }

    /// Before a model of Keras becomes a run of the project in `folder`.
    pub fn to_import(folder: PathBuf, model: PathBuf, outside: Vec<Outside>) -> Self {
        Self { folder, outside, then: Then::ImportKeras(model) }
    }
}
