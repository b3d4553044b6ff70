//! Large files by HTTP: progress, resume, digest, time-out.
//!
//! What has arrived is kept in `NAME.part` beside the file, with the server's mark of the version in
//! `NAME.part.etag`; the next try goes on from there. The file itself appears only when it is whole and
//! its digest is right.

pub(crate) mod stream;

use std::ffi::OsString;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use sha2::{Digest as _, Sha256};

use stream::{Broken, Get, Stream};

/// A file to fetch.
#[derive(Clone, Debug)]
pub struct Download {
    /// Where it is (http or https).
    pub url: String,
    /// Where it goes. Missing folders are created.
    pub to: PathBuf,
    /// SHA-256 in lower-case hex; `None` takes what comes.
    pub sha256: Option<String>,
    /// Bytes, where they are known beforehand.
    pub size: Option<u64>,
    /// How long to wait and how often to try.
    pub patience: Patience,
}

/// How long to wait for a server, and how often to try.
#[derive(Clone, Copy, Debug)]
pub struct Patience {
    /// Until a connection stands.
    pub connect: Duration,
    /// Without a byte.
    pub stall: Duration,
    /// Tries in a row that bring no new byte.
    pub tries: u32,
    /// Before the second try; doubled before each further one.
    pub pause: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(5),
            stall: Duration::from_secs(20),
            tries: 4,
            pause: Duration::from_millis(500),
        }
    }
}

/// Why a file did not come. The messages say what to do.
#[derive(Debug, thiserror::Error)]
pub enum DownloadError {
    /// `keep_going` said no; what arrived is kept for the next time.
    #[error("the download was cancelled")]
    Cancelled,
    /// Several tries failed; what arrived is kept for the next time.
    #[error("{url} could not be downloaded: {reason}. Try again later, or {by_hand}")]
    Network {
        /// Where it was asked for.
        url: String,
        /// The last try's reason.
        reason: String,
        /// What to do without this download.
        by_hand: String,
    },
    /// The server answered something else than the file.
    #[error("{url}: the server answered {answer} instead of the file. If that stays so, {by_hand}")]
    Refused {
        /// Where it was asked for.
        url: String,
        /// Such as `status 404`.
        answer: String,
        /// What to do without this download.
        by_hand: String,
    },
    /// The bytes are not those that were promised; they were thrown away.
    #[error("{url}: the file that came is damaged or another ({reason}); it was thrown away. {by_hand}")]
    Damaged {
        /// Where it was asked for.
        url: String,
        /// Which promise was broken.
        reason: String,
        /// What to do without this download.
        by_hand: String,
    },
    /// The disk.
    #[error("{} cannot be written: {source}", path.display())]
    Disk {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

/// How one try ended without the file.
enum Failed {
    /// Another try may help.
    Again(String),
    For(DownloadError),
}

impl Download {
    /// Fetches the file. `progress` gets (bytes done, bytes in all or 0), `keep_going` is asked at least
    /// every 100 ms.
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
        let (mut failures, mut pause) = (0, self.patience.pause);
        loop {
            let before = self.part_len();
            let reason = match self.try_once(progress, keep_going) {
                Ok(()) => return Ok(()),
                Err(Failed::For(error)) => return Err(error),
                Err(Failed::Again(reason)) => reason,
            };
            if self.part_len() > before {
                (failures, pause) = (0, self.patience.pause);
            }
            failures += 1;
            if failures >= self.patience.tries {
                let (url, by_hand) = (self.url.clone(), self.by_hand());
                return Err(DownloadError::Network { url, reason, by_hand });
            }
            log::warn!("{}: {reason}; trying again", self.url);
            wait(pause, keep_going)?;
            pause *= 2;
        }
    }

    fn try_once(&self, progress: &dyn Fn(u64, u64), keep_going: &dyn Fn() -> bool) -> Result<(), Failed> {
        let etag = fs::read_to_string(self.beside(".part.etag")).ok().filter(|etag| !etag.is_empty());
        // Without the server's mark only the digest can tell whether two halves belong together.
        let resumable = etag.is_some() || self.sha256.is_some();
        let have = if resumable { self.part_len() } else { 0 };
        let mut headers = Vec::new();
        if have > 0 {
            headers.push(("Range", format!("bytes={have}-")));
            headers.extend(etag.map(|etag| ("If-Range", etag)));
        }
        let get = Get {
            url: self.url.clone(),
            headers,
            redirects: 10,
            connect: self.patience.connect,
            stall: self.patience.stall,
        };
        let stream = Stream::open(get, None);
        let head = stream.head(keep_going)?;
        let start = match head.status {
            206 if content_range_start(head.header("content-range")) == Some(have) => have,
            200 if !head.is_web_page() => 0,
            // What we have is more than the server has: it is another file by now.
            206 | 416 => {
                self.forget();
                return Err(Failed::Again("the file changed on the server".to_owned()));
            }
            200 => return Err(Failed::For(self.refused("a web page".to_owned()))),
            408 | 429 | 500..=599 => return Err(Failed::Again(format!("status {}", head.status))),
            status => return Err(Failed::For(self.refused(format!("status {status}")))),
        };
        let length = head.header("content-length").and_then(|n| n.parse::<u64>().ok());
        let of = length.map(|n| n + start).or(self.size);
        if let (Some(promised), Some(of)) = (self.size, of)
            && promised != of
        {
            self.forget();
            return Err(Failed::For(self.damaged(format!("{of} bytes instead of {promised}"))));
        }
        // A weak mark does not promise the same bytes.
        let etag = head.header("etag").filter(|etag| !etag.starts_with("W/")).unwrap_or_default();
        fs::write(self.beside(".part.etag"), etag).map_err(|source| self.disk_failed(source))?;
        self.receive(&stream, start, of, progress, keep_going)
    }

    /// Appends what comes to the part, and puts the file in place when all of it is there.
    fn receive(
        &self,
        stream: &Stream,
        start: u64,
        of: Option<u64>,
        progress: &dyn Fn(u64, u64),
        keep_going: &dyn Fn() -> bool,
    ) -> Result<(), Failed> {
        let part = self.beside(".part");
        let mut digest = Sha256::new();
        let mut file = if start > 0 {
            hash_file(&part, &mut digest).map_err(|source| self.disk_failed(source))?;
            OpenOptions::new().append(true).open(&part)
        } else {
            File::create(&part)
        }
        .map_err(|source| self.disk_failed(source))?;
        let mut done = start;
        progress(done, of.unwrap_or(0));
        while let Some(bytes) = stream.data(keep_going)? {
            file.write_all(&bytes).map_err(|source| self.disk_failed(source))?;
            digest.update(&bytes);
            done += bytes.len() as u64;
            progress(done, of.unwrap_or(0).max(done));
        }
        if of.is_some_and(|of| done < of) {
            return Err(Failed::Again("the connection was cut".to_owned()));
        }
        if let Some(expected) = &self.sha256 {
            let found = hex(&digest.finalize());
            if found != *expected {
                self.forget();
                // Two halves of different versions: the next try fetches the whole.
                if start > 0 {
                    return Err(Failed::Again("the file changed on the server".to_owned()));
                }
                return Err(Failed::For(self.damaged(format!("SHA-256 {found} instead of {expected}"))));
            }
        }
        file.sync_all().map_err(|source| self.disk_failed(source))?;
        drop(file);
        fs::rename(&part, &self.to).map_err(|source| self.disk_failed(source))?;
        self.forget();
        Ok(())
    }

    fn beside(&self, end: &str) -> PathBuf {
        let mut name: OsString = self.to.as_os_str().to_owned();
        name.push(end);
        PathBuf::from(name)
    }

    fn part_len(&self) -> u64 {
        fs::metadata(self.beside(".part")).map_or(0, |data| data.len())
    }

    /// Throws away what has arrived.
    fn forget(&self) {
        for end in [".part", ".part.etag"] {
            // It may not be there, and a leftover is overwritten later.
            drop(fs::remove_file(self.beside(end)));
        }
    }

    fn by_hand(&self) -> String {
        format!("fetch it with a browser and save it as {}", self.to.display())
    }

    fn refused(&self, answer: String) -> DownloadError {
        DownloadError::Refused { url: self.url.clone(), answer, by_hand: self.by_hand() }
    }

    fn damaged(&self, reason: String) -> DownloadError {
        let by_hand = format!("If that stays so, {}", self.by_hand());
        DownloadError::Damaged { url: self.url.clone(), reason, by_hand }
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

/// `bytes 100-199/200` -> 100.
fn content_range_start(header: Option<&str>) -> Option<u64> {
    header?.strip_prefix("bytes ")?.split('-').next()?.parse().ok()
}

fn hash_file(path: &Path, digest: &mut Sha256) -> io::Result<()> {
    let mut file = File::open(path)?;
    let mut buffer = vec![0; 1 << 20];
    loop {
        match file.read(&mut buffer)? {
            0 => return Ok(()),
            n => digest.update(&buffer[..n]),
        }
    }
}

/// Lower-case hex.
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn wait(pause: Duration, keep_going: &dyn Fn() -> bool) -> Result<(), DownloadError> {
    let until = std::time::Instant::now() + pause;
    while std::time::Instant::now() < until {
        if !keep_going() {
            return Err(DownloadError::Cancelled);
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    Ok(())
}
