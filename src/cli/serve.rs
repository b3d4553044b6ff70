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
use tasklens_data::work::cores;
use tokio::sync::{Notify, Semaphore};

use super::arguments::Serve;
use super::{interrupt, stdout};
use batches::Queue;
use figures::Figures;
use model::Current;

/// How long requests that have begun may go on after Ctrl-C.
const PATIENCE: Duration = Duration::from_secs(10);

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
            addresses: is_local || arguments.allow_urls,
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
        out!("Everybody who reaches this computer at that address can ask it. There is no password");
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
    let listener = tokio::net::TcpListener::from_std(listener).context("cannot listen")?;
    let ends = Arc::new(Notify::new());
    let end = Arc::clone(&ends);
    let until = async move {
        stop.notified().await;
        end.notify_one();
    };
    let all = axum::serve(listener, routes::router(service)).with_graceful_shutdown(until);
    tokio::select! {
        outcome = async { all.await } => outcome.context("the service failed"),
        () = async {
            ends.notified().await;
            tokio::time::sleep(PATIENCE).await;
        } => {
            say!("some requests took too long: they were not answered");
            Ok(())
        }
    }
}
