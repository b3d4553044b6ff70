//! `tasklens serve`: a trained model answers other programs, and colleagues with a browser, by HTTP.

mod batches;
mod body;
mod figures;
mod model;
mod routes;

use std::net::{IpAddr, SocketAddr, TcpListener};
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use axum::serve::Listener;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use tasklens_data::work::cores;
use tokio::sync::{Notify, Semaphore};

use super::arguments::Serve;
use super::{interrupt, stdout};
use batches::Queue;
use figures::Figures;
use model::Current;

/// How long requests that have begun may go on after Ctrl-C.
const PATIENCE: Duration = Duration::from_secs(10);
/// After Ctrl-C, how long a connection may stay open on which nothing is asked: the head of a request may be on its way,
/// or the end of an answer.
const GRACE: Duration = Duration::from_secs(1);
/// How long a connection may stay open until the next request has begun: each one holds a file of this process.
const IDLE: Duration = Duration::from_secs(30);

/// What requests share.
struct Service {
    current: Current,
    queue: Queue,
    figures: Figures,
    limits: Limits,
    /// One permit for each request that is being answered.
    room: Arc<Semaphore>,
    /// One permit for each image that is being decoded.
    decoders: Arc<Semaphore>,
    is_local: bool,
}

/// What a request may ask for.
#[derive(Clone, Copy, Debug)]
struct Limits {
    /// Bytes of a body.
    bytes: usize,
    /// From the head of the request to its answer.
    time: Duration,
    /// Whether images may be fetched from URLs.
    addresses: bool,
}

pub fn run(arguments: &Serve) -> anyhow::Result<bool> {
    let is_local = arguments.host.is_loopback();
    let stop = Arc::new(Notify::new());
    let pressed = Arc::clone(&stop);
    interrupt::listen(move || pressed.notify_one())?;
    // Taken before the network is loaded: who asks early waits instead of being refused.
    let listener = listen(arguments.host, arguments.port)?;
    let address = listener.local_addr().context("the port is not known")?;
    let current = Current::open(&arguments.run, arguments.device)?;
    let queue = Queue::start().context("cannot start the thread that predicts")?;
    let service = Arc::new(Service {
        figures: Figures::new(&current.get()),
        current,
        queue,
        limits: Limits {
            bytes: arguments.max_mb as usize * 1_000_000,
            time: Duration::from_secs(arguments.timeout.into()),
            addresses: (is_local && !arguments.no_urls) || arguments.allow_urls,
        },
        room: Arc::new(Semaphore::new(arguments.queue.into())),
        decoders: Arc::new(Semaphore::new(cores())),
        is_local,
    });
    let _follower =
        model::follow(&service).context("cannot start the thread that looks for better weights")?;
    let model = service.current.get();
    out!("{} answers at http://{address}/", model.name());
    out!("{}", model.told());
    if !is_local {
        let name = sysinfo::System::host_name().filter(|_| arguments.host.is_unspecified());
        let at = name.map_or_else(String::new, |name| {
            format!(", at http://{name}:{}/ or by its address,", address.port())
        });
        out!("Everybody who reaches this computer{at} can ask it. There is no password");
    }
    out!("Ctrl-C ends it");
    stdout::flush();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .thread_name("serve")
        .enable_all()
        .build()
        .context("cannot start the threads that answer")?;
    runtime.block_on(serve(listener, service, stop))?;
    // Threads that still fetch or decode are not waited for.
    runtime.shutdown_background();
    out!("ended");
    Ok(true)
}

fn listen(host: IpAddr, port: u16) -> anyhow::Result<TcpListener> {
    let address = SocketAddr::new(host, port);
    let listener = TcpListener::bind(address).with_context(|| {
        format!(
            "cannot listen at {address}: give another --port, or 0 for any that is free, or another --host"
        )
    })?;
    listener.set_nonblocking(true).with_context(|| format!("cannot listen at {address}"))?;
    Ok(listener)
}

/// Answers until `stop`, and then those that have begun.
async fn serve(listener: TcpListener, service: Arc<Service>, stop: Arc<Notify>) -> anyhow::Result<()> {
    let mut listener = tokio::net::TcpListener::from_std(listener).context("cannot listen")?;
    let answers = TowerToHyperService::new(routes::router(Arc::clone(&service)));
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new()).header_read_timeout(IDLE);
    let connections = GracefulShutdown::new();
    loop {
        // It waits where there are too many connections, until some have ended.
        let (stream, _) = tokio::select! {
            accepted = Listener::accept(&mut listener) => accepted,
            () = stop.notified() => break,
        };
        // Else the end of an answer may wait for a client that waits to say that it has the beginning.
        if let Err(error) = stream.set_nodelay(true) {
            log::debug!("a connection may be slow: {error}");
        }
        let connection = connections.watch(http.serve_connection(TokioIo::new(stream), answers.clone()));
        tokio::spawn(async move {
            if let Err(error) = connection.await {
                log::debug!("a connection ended: {error}");
            }
        });
    }
    drop(listener);
    let nothing_begun = async {
        let mut times = 0;
        while times < 2 {
            tokio::time::sleep(GRACE).await;
            times = if service.figures.in_progress() == 0 { times + 1 } else { 0 };
        }
    };
    tokio::select! {
        () = connections.shutdown() => {}
        () = nothing_begun => {}
        () = tokio::time::sleep(PATIENCE) => say!("some requests took too long: they were not answered"),
    }
    Ok(())
}
