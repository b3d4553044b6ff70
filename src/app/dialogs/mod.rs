//! The forms that open over a place, and the system's file dialogs.

pub(in crate::app) mod deepfashion;
pub(in crate::app) mod export;
pub(in crate::app) mod file_dialogs;
pub(in crate::app) mod keras;
pub(in crate::app) mod new_project;
pub(in crate::app) mod path_field;
pub(in crate::app) mod proposal;
pub(in crate::app) mod run_note;
pub(in crate::app) mod vocabulary;
