//! One HTTP answer, read by a thread of its own: whoever waits for it can stop waiting at any moment.

use std::io::Read as _;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::time::{Duration, Instant};

/// How often a waiting reader asks whether to go on.
const ASK: Duration = Duration::from_millis(50);
/// Why an answer is no longer waited for, whoever notices it first.
const TOO_LONG: &str = "it took too long";

/// What to get, and how patiently.
#[derive(Clone, Debug)]
pub struct Get {
    /// Address, `http` or `https`.
    pub url: String,
    /// Names and values to send.
    pub headers: Vec<(&'static str, String)>,
    /// Follow so many redirects.
    pub redirects: u32,
    /// At most so long until the connection stands.
    pub connect: Duration,
    /// At most so long without a byte.
    pub stall: Duration,
}

/// The beginning of an answer.
#[derive(Clone, Debug)]
pub struct Head {
    /// Of HTTP.
    pub status: u16,
    headers: ureq::http::HeaderMap,
}

impl Head {
    /// The value of a header, where it is text.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// Whether the server says that this is a web page.
    pub fn is_web_page(&self) -> bool {
        self.header("content-type").is_some_and(|kind| kind.to_ascii_lowercase().contains("text/html"))
    }
}

enum Message {
    Head(Head),
    Data(Vec<u8>),
    End,
    Failed(String),
}

/// Why an answer did not come whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Broken {
    /// The caller said so.
    Cancelled,
    /// The network's reason.
    Network(String),
}

/// An answer on its way.
pub struct Stream {
    messages: Receiver<Message>,
    /// At most so long without a message.
    stall: Duration,
    /// The whole must be here by then.
    deadline: Option<Instant>,
}

impl Stream {
    /// Asks for `get`; the answer is read in the background. `total` bounds the whole time.
    pub fn open(get: Get, total: Option<Duration>) -> Self {
        let (sender, messages) = sync_channel(8);
        // The connection may take its own time before the first byte.
        let stall = get.connect + get.stall;
        let thread = std::thread::Builder::new().name("download".to_owned());
        let spawned = thread.spawn(move || {
            if let Err(error) = read(&get, total, &sender) {
                // Nobody listens any more: the download was cancelled.
                drop(sender.send(Message::Failed(explain(&error))));
            }
        });
        if let Err(error) = spawned {
            // The sender is gone with it, so that the answer ends at once.
            log::error!("no thread for a download: {error}");
        }
        Self { messages, stall, deadline: total.map(|total| Instant::now() + total) }
    }

    /// The status and headers; call it first.
    pub fn head(&self, keep_going: &dyn Fn() -> bool) -> Result<Head, Broken> {
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
    // Proxies come from the environment, as everywhere.
    let agent = ureq::Agent::config_builder()
        .http_status_as_error(false)
        .max_redirects(get.redirects)
        .timeout_connect(Some(get.connect))
        .timeout_resolve(Some(get.connect))
        .timeout_per_read(Some(get.stall))
        // Who listens has given up by then; a server that drips must not keep this thread.
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
    let head = Head { status: response.status().as_u16(), headers: response.headers().clone() };
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
        other => other.to_string(),
    }
}
