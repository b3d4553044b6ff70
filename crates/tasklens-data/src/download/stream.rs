//! An HTTP response that is read in a separate thread, so that waiting for it can be cancelled at any moment.

use std::io::{ErrorKind, Read as _};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::time::{Duration, Instant};

use crate::text::plain;

/// How often a waiting reader checks for a cancel.
const ASK: Duration = Duration::from_millis(50);
/// The message for a timeout.
const TOO_LONG: &str = "it took too long";

/// A request with its timeouts.
#[derive(Clone, Debug)]
pub struct Get {
    /// URL, `http` or `https`.
    pub url: String,
    /// Headers to send, as names and values.
    pub headers: Vec<(&'static str, String)>,
    /// Maximum number of redirects.
    pub redirects: u32,
    /// Timeout for establishing the connection.
    pub connect: Duration,
    /// Timeout for each wait for data.
    pub stall: Duration,
}

/// The head of a response.
#[derive(Clone, Debug)]
pub struct ResponseHead {
    /// HTTP status code.
    pub status: u16,
    headers: ureq::http::HeaderMap,
}

impl ResponseHead {
    /// The value of a header, if it is text.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// Whether the content type is a web page.
    pub(crate) fn is_web_page(&self) -> bool {
        self.header("content-type").is_some_and(|kind| kind.to_ascii_lowercase().contains("text/html"))
    }
}

enum Message {
    Head(ResponseHead),
    Data(Vec<u8>),
    End,
    Failed(String),
}

/// Why a response is incomplete.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Broken {
    /// Cancelled by the caller.
    Cancelled,
    /// The connection failed or ended early: why.
    Network(String),
}

/// A response that is being received.
pub struct Stream {
    messages: Receiver<Message>,
    /// Timeout for each message of the thread.
    stall: Duration,
    /// Deadline for the whole response.
    deadline: Option<Instant>,
}

impl Stream {
    /// Sends the request `get`; the response is read in the background. `total` limits the total time.
    pub fn open(get: Get, total: Option<Duration>) -> Self {
        let (sender, messages) = sync_channel(8);
        // The connection has its own timeout before the first byte.
        let stall = get.connect + get.stall;
        let thread = std::thread::Builder::new().name("download".to_owned());
        let spawned = thread.spawn(move || {
            if let Err(error) = read(&get, total, &sender) {
                // No receiver: the download was cancelled.
                drop(sender.send(Message::Failed(explain(&error))));
            }
        });
        if let Err(error) = spawned {
            // The sender is dropped, so that the response ends at once.
            log::error!("no thread for a download: {error}");
        }
        Self { messages, stall, deadline: total.map(|total| Instant::now() + total) }
    }

    /// Waits for the status and headers; must be called first.
    pub fn head(&self, keep_going: &dyn Fn() -> bool) -> Result<ResponseHead, Broken> {
        match self.next(keep_going)? {
            Message::Head(head) => Ok(head),
            Message::Failed(why) => Err(Broken::Network(why)),
            Message::Data(_) | Message::End => Err(Broken::Network("no answer".to_owned())),
        }
    }

    /// The next bytes; `None` at the end.
    pub fn data(&self, keep_going: &dyn Fn() -> bool) -> Result<Option<Vec<u8>>, Broken> {
        match self.next(keep_going)? {
            Message::Data(bytes) => Ok(Some(bytes)),
            Message::Failed(why) => Err(Broken::Network(why)),
            Message::End | Message::Head(_) => Ok(None),
        }
    }

    fn next(&self, keep_going: &dyn Fn() -> bool) -> Result<Message, Broken> {
        let began = Instant::now();
        loop {
            if !keep_going() {
                return Err(Broken::Cancelled);
            }
            if self.deadline.is_some_and(|deadline| Instant::now() > deadline) {
                return Err(Broken::Network(TOO_LONG.to_owned()));
            }
            if began.elapsed() > self.stall {
                return Err(Broken::Network("the server stopped sending".to_owned()));
            }
            match self.messages.recv_timeout(ASK) {
                Ok(message) => return Ok(message),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => {
                    return Err(Broken::Network("the connection was lost".to_owned()));
                }
            }
        }
    }
}

fn read(get: &Get, total: Option<Duration>, sender: &SyncSender<Message>) -> Result<(), ureq::Error> {
    // Proxies are taken from the environment.
    let agent = ureq::Agent::config_builder()
        .http_status_as_error(false)
        .max_redirects(get.redirects)
        .timeout_connect(Some(get.connect))
        .timeout_resolve(Some(get.connect))
        .timeout_per_read(Some(get.stall))
        // The receiver has given up by then; a slow server must not keep this thread alive.
        .timeout_recv_response(Some(get.connect + get.stall))
        .timeout_global(total)
        .user_agent(concat!("tasklens/", env!("CARGO_PKG_VERSION")))
        .build()
        .new_agent();
    let mut request = agent.get(&get.url);
    for (name, value) in &get.headers {
        request = request.header(*name, value);
    }
    let response = request.call()?;
    let head = ResponseHead { status: response.status().as_u16(), headers: response.headers().clone() };
    if sender.send(Message::Head(head)).is_err() {
        return Ok(());
    }
    let mut body = response.into_body().into_reader();
    let mut buffer = vec![0; 64 * 1024];
    loop {
        let n = body.read(&mut buffer)?;
        let message = if n == 0 { Message::End } else { Message::Data(buffer[..n].to_vec()) };
        if sender.send(message).is_err() || n == 0 {
            return Ok(());
        }
    }
}

fn explain(error: &ureq::Error) -> String {
    match error {
        ureq::Error::HostNotFound => "the server was not found: is this machine online?".to_owned(),
        ureq::Error::ConnectionFailed => "no connection: is this machine online?".to_owned(),
        ureq::Error::Timeout(ureq::Timeout::Global) => TOO_LONG.to_owned(),
        ureq::Error::Timeout(_) => "the server does not answer".to_owned(),
        ureq::Error::Io(error) => match error.kind() {
            ErrorKind::ConnectionRefused => "the server refuses the connection".to_owned(),
            ErrorKind::ConnectionReset | ErrorKind::ConnectionAborted | ErrorKind::UnexpectedEof => {
                "the connection was lost".to_owned()
            }
            ErrorKind::TimedOut => "the server does not answer".to_owned(),
            ErrorKind::HostUnreachable | ErrorKind::NetworkUnreachable => {
                "no connection: is this machine online?".to_owned()
            }
            _ => plain(&error.to_string()),
        },
        other => other.to_string(),
    }
}
