//! A question for a file or a folder of the user's, whoever asks it: the system's dialog, or a field in the window
//! where the system has none.

use std::fmt;
use std::path::PathBuf;

use super::AppCommand;

/// What is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AskedFile {
    /// A file that is there.
    File,
    /// One or several of them.
    Files,
    /// A folder that is there.
    Folder,
    /// A file to be written.
    NewFile {
        /// The name that is offered.
        name: String,
    },
}

/// See the module's documentation.
pub struct FileQuestion {
    /// Title of the dialog.
    pub title: String,
    pub asked: AskedFile,
    /// What files are called that can be chosen, and their endings without the dot; all if there is none.
    pub filter: Option<(&'static str, Vec<&'static str>)>,
    then: Box<dyn FnOnce(Vec<PathBuf>) -> Option<AppCommand> + Send>,
}

impl FileQuestion {
    /// Asks for one; `then` is called with it, in the background.
    pub fn new(
        title: impl Into<String>,
        asked: AskedFile,
        then: impl FnOnce(PathBuf) -> AppCommand + Send + 'static,
    ) -> Self {
        let then = |paths: Vec<PathBuf>| paths.into_iter().next().map(then);
        Self { title: title.into(), asked, filter: None, then: Box::new(then) }
    }

    /// Asks for files; `then` is called with them, in the background.
    pub fn of_files(
        title: impl Into<String>,
        then: impl FnOnce(Vec<PathBuf>) -> AppCommand + Send + 'static,
    ) -> Self {
        let then = |paths: Vec<PathBuf>| Some(then(paths));
        Self { title: title.into(), asked: AskedFile::Files, filter: None, then: Box::new(then) }
    }

    /// Offers only files with these endings.
    #[must_use]
    pub fn with_endings(mut self, name: &'static str, endings: impl Into<Vec<&'static str>>) -> Self {
        self.filter = Some((name, endings.into()));
        self
    }

    /// What to do with the answer. May write files: not for the UI thread.
    pub fn answer(self, paths: Vec<PathBuf>) -> Option<AppCommand> {
        (self.then)(paths)
    }
}

impl fmt::Debug for FileQuestion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FileQuestion").field("title", &self.title).field("asked", &self.asked).finish()
    }
}
