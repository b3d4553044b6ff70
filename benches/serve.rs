//! Load on `tasklens serve`: the latency of requests with 1, 8 and 64 clients that ask as soon as they are answered, and
//! the images per second of each, as a ratio to one client. Every request must be answered.
//!
//! `cargo bench -p tasklens --bench serve [-- RUN FOLDER_OF_IMAGES [REQUESTS]]`; by default a small network on drawings.

#![allow(
    clippy::disallowed_methods,
    clippy::print_stdout,
    clippy::expect_used,
    reason = "a bench makes threads of its own, prints, and may panic"
)]

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

const CLIENTS: [usize; 3] = [1, 8, 64];

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    let (run, images) = match arguments.as_slice() {
        [run, images, ..] => (PathBuf::from(run), PathBuf::from(images)),
        _ => small_network(),
    };
    let requests: usize = arguments.get(2).map_or(512, |text| text.parse().expect("a number of requests"));
    let bodies: Arc<Vec<Vec<u8>>> = Arc::new(
        std::fs::read_dir(&images)
            .expect("a folder of images")
            .filter_map(|entry| std::fs::read(entry.ok()?.path()).ok())
            .take(64)
            .collect(),
    );
    assert!(!bodies.is_empty(), "{} has no files", images.display());
    let (mut service, address) = start(&run);
    // The first ones allocate memory.
    load(&address, &bodies, 2, 16);
    println!("| clients | p50, ms | p99, ms | images/s | to one client | told to try again |");
    println!("| ---: | ---: | ---: | ---: | ---: | ---: |");
    let mut alone = None;
    for clients in CLIENTS {
        let Load { mut latencies, refused, secs } = load(&address, &bodies, clients, requests);
        latencies.sort_unstable();
        let at = |share: f64| {
            let place = ((latencies.len() - 1) as f64 * share).round() as usize;
            latencies[place].as_secs_f64() * 1e3
        };
        let rate = latencies.len() as f64 / secs;
        let ratio = rate / *alone.get_or_insert(rate);
        println!("| {clients} | {:.1} | {:.1} | {rate:.1} | {ratio:.2} | {refused} |", at(0.5), at(0.99));
        assert_eq!(latencies.len(), requests, "requests were lost");
    }
    service.kill().expect("it ends");
    service.wait().expect("it has ended");
}

/// A run on the sample and the folder of its images, kept in `target/serve`.
fn small_network() -> (PathBuf, PathBuf) {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("serve");
    let (run, images) = (folder.join("run"), folder.join("s/garments"));
    if !run.join("best.safetensors").is_file() {
        std::fs::create_dir_all(&folder).expect("a folder");
        let tasklens = |arguments: &[&str]| {
            let status =
                Command::new(env!("CARGO_BIN_EXE_tasklens")).current_dir(&folder).args(arguments).status();
            assert!(status.expect("the program starts").success());
        };
        tasklens(&["sample", "s", "--images", "100"]);
        tasklens(&["train", "s/config.yml", "--run", "run", "--set", "model.epochs=1"]);
    }
    (run, images)
}

fn start(run: &Path) -> (Child, String) {
    let mut service = Command::new(env!("CARGO_BIN_EXE_tasklens"))
        .arg("serve")
        .arg(run)
        .args(["--port", "0"])
        .stdout(Stdio::piped())
        .spawn()
        .expect("the program starts");
    let mut lines = BufReader::new(service.stdout.take().expect("a pipe")).lines();
    let first = lines.next().expect("a line").expect("UTF-8");
    let address = first.split("http://").nth(1).expect("an address").trim_end_matches('/').to_owned();
    for line in lines.by_ref() {
        if line.expect("UTF-8").contains("Ctrl-C") {
            break;
        }
    }
    (service, address)
}

struct Load {
    latencies: Vec<Duration>,
    refused: usize,
    secs: f64,
}

fn load(address: &str, bodies: &Arc<Vec<Vec<u8>>>, clients: usize, requests: usize) -> Load {
    let next = Arc::new(AtomicUsize::new(0));
    let began = Instant::now();
    let threads: Vec<_> = (0..clients)
        .map(|_| {
            let (address, bodies, next) = (address.to_owned(), Arc::clone(bodies), Arc::clone(&next));
            std::thread::spawn(move || {
                let (mut latencies, mut refused) = (Vec::new(), 0);
                // Head and body are written apart: the second would wait for the service to say that it has the first.
                let stream = TcpStream::connect(&address).expect("it listens");
                stream.set_nodelay(true).expect("an option of the socket");
                let mut stream = BufReader::new(stream);
                loop {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    if number >= requests {
                        return (latencies, refused);
                    }
                    let began = Instant::now();
                    while ask(&mut stream, &address, &bodies[number % bodies.len()]) == 503 {
                        refused += 1;
                        std::thread::sleep(Duration::from_millis(100));
                    }
                    latencies.push(began.elapsed());
                }
            })
        })
        .collect();
    let (mut latencies, mut refused) = (Vec::new(), 0);
    for thread in threads {
        let (own, again) = thread.join().expect("a client");
        latencies.extend(own);
        refused += again;
    }
    Load { latencies, refused, secs: began.elapsed().as_secs_f64() }
}

/// The status of the answer: 200, or 503.
fn ask(stream: &mut BufReader<TcpStream>, address: &str, body: &[u8]) -> u16 {
    let head = format!("POST /predict HTTP/1.1\r\nHost: {address}\r\nContent-Length: {}\r\n\r\n", body.len());
    stream.get_mut().write_all(head.as_bytes()).expect("written");
    stream.get_mut().write_all(body).expect("written");
    let (mut status, mut length) = (None, 0);
    loop {
        let mut line = String::new();
        stream.read_line(&mut line).expect("a line");
        let line = line.trim_end().to_ascii_lowercase();
        if let Some(rest) = line.strip_prefix("http/1.1 ") {
            status = rest.get(..3).and_then(|code| code.parse().ok());
        } else if let Some(rest) = line.strip_prefix("content-length:") {
            length = rest.trim().parse().expect("a length");
        } else if line.is_empty() {
            break;
        }
    }
    let mut answer = vec![0; length];
    stream.read_exact(&mut answer).expect("a body");
    let status = status.expect("a status");
    assert!(status == 200 || status == 503, "{status}: {}", String::from_utf8_lossy(&answer));
    status
}
