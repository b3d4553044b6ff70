//! Downloads large files over HTTP: progress, resume, digest, limits of time and size.
//!
//! Received bytes are kept beside the file as its [`part`], and the next attempt continues from there. The file
//! itself appears only when it is complete and the digest of the bytes on disk is right.

mod part;
pub mod stream;

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use part::PartialFile;
use stream::{Broken, Get, Stream};

/// A file to download.
#[derive(Clone, Debug)]
pub struct Download {
    /// URL, http or https.
    pub url: String,
    /// Target path. Missing folders are created.
    pub to: PathBuf,
    /// Expected SHA-256 in lower-case hex; `None` accepts anything.
    pub sha256: Option<String>,
    /// Size in bytes, if known beforehand.
    pub size: Option<u64>,
    /// Maximum number of bytes to accept, whatever the server announces.
    pub limit: u64,
    /// How long to wait for a server, and how often to try again.
    pub patience: Patience,
}

/// Timeouts and retries for a server.
#[derive(Clone, Copy, Debug)]
pub struct Patience {
    /// Timeout for establishing a connection.
    pub connect: Duration,
    /// Time within which `pace` more bytes must arrive.
    pub stall: Duration,
    /// Number of bytes that must arrive within `stall`, so that a server that sends a few bytes now and then counts
    /// as silent.
    pub pace: u64,
    /// Maximum number of consecutive attempts that bring fewer new bytes than `pace`.
    pub tries: u32,
    /// Wait before the second attempt; doubled before each further one.
    pub pause: Duration,
    /// Time limit for all attempts together.
    pub total: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(5),
            stall: Duration::from_secs(20),
            pace: 20 * 1024,
            tries: 4,
            pause: Duration::from_millis(500),
            // Enough for a hundred megabytes over a slow line.
            total: Duration::from_secs(4 * 60 * 60),
        }
    }
}

/// Why a download failed. The messages say what to do.
#[derive(Debug, thiserror::Error)]
pub enum DownloadError {
    /// Cancelled by `keep_going`; received bytes are kept for the next time.
    #[error("the download was cancelled")]
    Cancelled,
    /// Several attempts failed; received bytes are kept for the next time.
    #[error("{url} could not be downloaded: {reason}. Try again later, or {by_hand}")]
    Network {
        /// URL of the request.
        url: String,
        /// Reason of the last failure.
        reason: String,
        /// What to do without this download.
        by_hand: String,
    },
    /// The server answered with something other than the file.
    #[error("{url}: the server answered {answer} instead of the file. If that persists, {by_hand}")]
    Refused {
        /// URL of the request.
        url: String,
        /// Such as `status 404`.
        answer: String,
        /// What to do without this download.
        by_hand: String,
    },
    /// The bytes are not the expected ones, and were discarded.
    #[error(
        "{url}: the downloaded file is damaged or a different one ({reason}), and was discarded. {by_hand}"
    )]
    Damaged {
        /// URL of the request.
        url: String,
        /// What differs from the expectation.
        reason: String,
        /// What to do without this download.
        by_hand: String,
    },
    /// The file could not be written.
    #[error("{} cannot be written: {source}", path.display())]
    Disk {
        path: PathBuf,
        /// Error of the operating system.
        source: io::Error,
    },
}

/// Removes leftovers of abandoned downloads of `to`.
pub fn remove_left_over(to: &Path) {
    part::remove_left_over(to);
}

/// How one attempt failed.
enum Failed {
    /// Another attempt may succeed.
    Again(String),
    For(DownloadError),
}

impl Download {
    /// Downloads the file. `progress` gets (bytes done, total bytes or 0), `keep_going` is called at least every 100
    /// ms.
    ///
    /// # Errors
    /// See [`DownloadError`].
    pub fn run(
        &self,
        progress: &dyn Fn(u64, u64),
        keep_going: &dyn Fn() -> bool,
    ) -> Result<(), DownloadError> {
        let folder = self.to.parent().unwrap_or(Path::new("."));
        fs::create_dir_all(folder).map_err(|source| self.disk(folder, source))?;
        let mut part = PartialFile::take(&self.to).map_err(|source| self.disk(folder, source))?;
        match self.try_often(&mut part, progress, keep_going) {
            Ok(()) => {
                part.place(&self.to).map_err(|source| self.disk(&self.to, source))?;
                remove_left_over(&self.to);
                Ok(())
            }
            Err(error) => {
                if part.len() == 0 {
                    part.remove();
                }
                Err(error)
            }
        }
    }

    /// Retries until the part is complete and verified.
    fn try_often(
        &self,
        part: &mut PartialFile,
        progress: &dyn Fn(u64, u64),
        keep_going: &dyn Fn() -> bool,
    ) -> Result<(), DownloadError> {
        let until = Instant::now() + self.patience.total;
        let (mut failures, mut restarts, mut pause) = (0, 0, self.patience.pause);
        loop {
            let before = part.len();
            let reason = match self.try_once(part, until, progress, keep_going) {
                Ok(()) => return Ok(()),
                Err(Failed::For(error)) => return Err(error),
                Err(Failed::Again(reason)) => reason,
            };
            if part.len() >= before + self.patience.pace.max(1) {
                (failures, pause) = (0, self.patience.pause);
            }
            failures += 1;
            // The bytes so far were useless; a server that keeps truncating a wrong file would deliver new bytes for
            // ever.
            restarts += u32::from(part.len() < before);
            let tries = self.patience.tries;
            if failures >= tries || restarts >= tries || Instant::now() >= until {
                let (url, by_hand) = (self.url.clone(), self.by_hand());
                return Err(DownloadError::Network { url, reason, by_hand });
            }
            log::warn!("{}: {reason}; trying again", self.url);
            wait(pause, keep_going)?;
            pause *= 2;
        }
    }

    fn try_once(
        &self,
        part: &mut PartialFile,
        until: Instant,
        progress: &dyn Fn(u64, u64),
        keep_going: &dyn Fn() -> bool,
    ) -> Result<(), Failed> {
        let mark = part.mark();
        // Without an ETag only the digest can tell whether two halves belong together.
        let resumable = mark.is_some() || self.sha256.is_some();
        let have = if resumable { part.len() } else { 0 };
        if have > 0 && self.size == Some(have) && self.sha256.is_some() {
            // The program ended before the rename.
            return self.check(part, have, keep_going);
        }
        // A range of compressed bytes would be a range of something else.
        let mut headers = vec![("Accept-Encoding", "identity".to_owned())];
        if have > 0 {
            headers.push(("Range", format!("bytes={have}-")));
            headers.extend(mark.map(|mark| ("If-Range", mark)));
        }
        let Patience { connect, stall, .. } = self.patience;
        let get = Get { url: self.url.clone(), headers, redirects: 10, connect, stall };
        let stream = Stream::open(get, Some(until.saturating_duration_since(Instant::now())));
        let head = stream.head(keep_going)?;
        let start = match head.status {
            206 if content_range_start(head.header("content-range")) == Some(have) => have,
            200 if !head.is_web_page() => 0,
            // We have more bytes than the server: the file has changed.
            206 | 416 => {
                part.forget();
                return Err(Failed::Again("the file changed on the server".to_owned()));
            }
            200 => return Err(Failed::For(self.refused("a web page".to_owned()))),
            408 | 429 | 500..=599 => return Err(Failed::Again(format!("status {}", head.status))),
            status => return Err(Failed::For(self.refused(format!("status {status}")))),
        };
        let length = head.header("content-length").and_then(|n| n.parse::<u64>().ok());
        let of = length.map(|n| n.saturating_add(start)).or(self.size);
        if let (Some(promised), Some(of)) = (self.size, of)
            && promised != of
        {
            part.forget();
            return Err(Failed::For(self.damaged(format!("{of} bytes instead of {promised}"))));
        }
        if of.is_some_and(|of| of > self.limit) {
            part.forget();
            return Err(Failed::For(self.too_large(self.limit)));
        }
        // A weak ETag does not guarantee identical bytes.
        let mark = head.header("etag").filter(|mark| !mark.starts_with("W/")).unwrap_or_default();
        part.set_mark(mark).and_then(|()| part.go_on_at(start)).map_err(|source| self.disk_failed(source))?;
        self.receive(&stream, part, start, of, progress, keep_going)?;
        self.check(part, start, keep_going)
    }

    /// Appends received bytes to the part, from byte `start` to the end, which is at `of` if that is known.
    fn receive(
        &self,
        stream: &Stream,
        part: &mut PartialFile,
        start: u64,
        of: Option<u64>,
        progress: &dyn Fn(u64, u64),
        keep_going: &dyn Fn() -> bool,
    ) -> Result<(), Failed> {
        let mut done = start;
        let (mut since, mut done_then) = (Instant::now(), done);
        progress(done, of.unwrap_or(0));
        while let Some(bytes) = stream.data(keep_going)? {
            done += bytes.len() as u64;
            let most = of.unwrap_or(self.limit);
            if done > most {
                part.forget();
                return Err(Failed::For(self.too_large(most)));
            }
            part.append(&bytes).map_err(|source| self.disk_failed(source))?;
            progress(done, of.unwrap_or(0).max(done));
            if since.elapsed() >= self.patience.stall {
                if done - done_then < self.patience.pace {
                    return Err(Failed::Again("the server sends too slowly".to_owned()));
                }
                (since, done_then) = (Instant::now(), done);
            }
        }
        if of.is_some_and(|of| done < of) {
            return Err(Failed::Again("the connection was cut".to_owned()));
        }
        if part.len() != done {
            part.forget();
            return Err(Failed::Again("another program changed the partial download".to_owned()));
        }
        Ok(())
    }

    /// Verifies the digest by reading back the file on disk.
    fn check(&self, part: &mut PartialFile, start: u64, keep_going: &dyn Fn() -> bool) -> Result<(), Failed> {
        let Some(expected) = &self.sha256 else { return Ok(()) };
        let found = part.digest(keep_going).map_err(|source| self.disk_failed(source))?;
        let found = found.ok_or(Failed::For(DownloadError::Cancelled))?;
        if found == *expected {
            return Ok(());
        }
        part.forget();
        // Two halves of different versions: the next attempt fetches everything.
        if start > 0 {
            return Err(Failed::Again("the file changed on the server".to_owned()));
        }
        Err(Failed::For(self.damaged(format!("SHA-256 {found} instead of {expected}"))))
    }

    fn by_hand(&self) -> String {
        format!("fetch it with a browser and save it as {}", self.to.display())
    }

    fn refused(&self, answer: String) -> DownloadError {
        DownloadError::Refused { url: self.url.clone(), answer, by_hand: self.by_hand() }
    }

    fn damaged(&self, reason: String) -> DownloadError {
        let by_hand = format!("If that persists, {}", self.by_hand());
        DownloadError::Damaged { url: self.url.clone(), reason, by_hand }
    }

    fn too_large(&self, most: u64) -> DownloadError {
        self.damaged(format!("more than {most} bytes"))
    }

    fn disk(&self, path: &Path, source: io::Error) -> DownloadError {
        DownloadError::Disk { path: path.to_path_buf(), source }
    }

    fn disk_failed(&self, source: io::Error) -> Failed {
        Failed::For(self.disk(&self.to, source))
    }
}

impl From<Broken> for Failed {
    fn from(broken: Broken) -> Self {
        match broken {
            Broken::Cancelled => Self::For(DownloadError::Cancelled),
            Broken::Network(why) => Self::Again(why),
        }
    }
}

/// Start of a `Content-Range`: `bytes 100-199/200` -> 100.
fn content_range_start(header: Option<&str>) -> Option<u64> {
    header?.strip_prefix("bytes ")?.split('-').next()?.parse().ok()
}

/// Encodes bytes as lower-case hex.
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn wait(pause: Duration, keep_going: &dyn Fn() -> bool) -> Result<(), DownloadError> {
    let until = Instant::now() + pause;
    while Instant::now() < until {
        if !keep_going() {
            return Err(DownloadError::Cancelled);
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    Ok(())
}
