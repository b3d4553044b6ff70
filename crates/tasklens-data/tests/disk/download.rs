//! Downloads against a server on loopback that is slow, cuts off, lies, or changes its mind.
#![expect(clippy::unwrap_used, reason = "a test may panic, and so may what helps it")]

use std::cell::{Cell, RefCell};
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::mpsc::channel;
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use sha2::{Digest as _, Sha256};
use tasklens_data::download::{Download, DownloadError, Patience, hex};

/// A server that hands each request (its headers in lower case) to `answer`.
fn serve(answer: impl Fn(usize, &str, &mut TcpStream) + Send + 'static) -> (String, Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/weights", listener.local_addr().unwrap());
    let requests = Arc::new(Mutex::new(Vec::new()));
    let seen = Arc::clone(&requests);
    thread::spawn(move || {
        for (n, stream) in listener.incoming().enumerate() {
            let mut stream = stream.unwrap();
            let lines = BufReader::new(stream.try_clone().unwrap()).lines();
            let request: Vec<_> = lines.map_while(Result::ok).take_while(|line| !line.is_empty()).collect();
            let request = request.join("\n").to_ascii_lowercase();
            seen.lock().unwrap().push(request.clone());
            answer(n, &request, &mut stream);
        }
    });
    (url, requests)
}

/// Sends a head and a body; a client that hung up is no concern of the server.
fn send(stream: &mut TcpStream, status: &str, headers: &str, body: &[u8]) {
    drop(write!(stream, "HTTP/1.1 {status}\r\nConnection: close\r\n{headers}\r\n"));
    drop(stream.write_all(body));
}

/// Sends the content from where the client wants to go on, `at_most` bytes of it.
fn send_range(stream: &mut TcpStream, request: &str, headers: &str, at_most: usize) {
    let body = content();
    let range = request.lines().find_map(|line| line.strip_prefix("range: bytes="));
    let start: usize = range.map_or(0, |range| range.trim_end_matches('-').parse().unwrap());
    let status = if range.is_some() { "206 Partial Content" } else { "200 OK" };
    let headers = format!(
        "Content-Length: {}\r\nContent-Range: bytes {start}-299999/300000\r\n{headers}",
        body.len() - start
    );
    send(stream, status, &headers, &body[start..(start + at_most).min(body.len())]);
}

fn send_whole(stream: &mut TcpStream) {
    send(stream, "200 OK", "Content-Length: 300000\r\n", &content());
}

/// Keeps a connection open without a word.
fn stay_silent(stream: &TcpStream) {
    let stream = stream.try_clone().unwrap();
    thread::spawn(move || {
        thread::sleep(Duration::from_secs(30));
        drop(stream);
    });
}

fn content() -> Vec<u8> {
    (0..300_000_u32).map(|n| (n * 7 % 251) as u8).collect()
}

fn download(url: &str, to: &Path) -> Download {
    let patience = Patience {
        connect: Duration::from_secs(2),
        stall: Duration::from_millis(300),
        pace: 1000,
        tries: 3,
        pause: Duration::from_millis(5),
        total: Duration::from_secs(20),
    };
    let sha256 = Some(hex(&Sha256::digest(content())));
    let (url, to) = (url.to_owned(), to.to_path_buf());
    Download { url, to, sha256, size: None, limit: 1 << 20, patience }
}

fn run(download: &Download) -> Result<(), DownloadError> {
    download.run(&|_, _| {}, &|| true)
}

/// The only part of `weights` in a folder.
fn part(folder: &Path) -> PathBuf {
    let is_part = |name: &String| name.starts_with("weights.") && name.ends_with(".part");
    let parts: Vec<_> = names(folder).into_iter().filter(is_part).collect();
    assert_eq!(parts.len(), 1, "{parts:?}");
    folder.join(&parts[0])
}

/// The names in a folder, to see that nothing is left behind.
fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<_> =
        folder.read_dir().unwrap().map(|item| item.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[test]
fn a_file_arrives_with_progress_and_leaves_nothing_beside_it() {
    let (url, _) = serve(|_, _, stream| send_whole(stream));
    let folder = tempfile::tempdir().unwrap();
    let to = folder.path().join("deep/weights");
    let steps = RefCell::new(Vec::new());
    download(&url, &to).run(&|done, of| steps.borrow_mut().push((done, of)), &|| true).unwrap();
    assert_eq!(std::fs::read(&to).unwrap(), content());
    assert_eq!(names(to.parent().unwrap()), ["weights"]);
    let steps = steps.into_inner();
    assert!(steps.len() > 2 && steps.is_sorted());
    assert_eq!(steps.last(), Some(&(300_000, 300_000)));
}

#[test]
fn a_connection_that_is_cut_goes_on_where_it_was() {
    let (url, requests) =
        serve(|_, request, stream| send_range(stream, request, "ETag: \"v1\"\r\n", 100_000));
    let folder = tempfile::tempdir().unwrap();
    let to = folder.path().join("weights");
    run(&download(&url, &to)).unwrap();
    assert_eq!(std::fs::read(&to).unwrap(), content());
    assert_eq!(names(folder.path()), ["weights"]);
    let requests = requests.lock().unwrap();
    assert_eq!(requests.len(), 3);
    assert!(requests[1].contains("range: bytes=100000-") && requests[1].contains("if-range: \"v1\""));
}

#[test]
fn what_a_stopped_program_left_is_taken_up() {
    let (url, requests) = serve(|_, request, stream| send_range(stream, request, "", usize::MAX / 2));
    let folder = tempfile::tempdir().unwrap();
    let to = folder.path().join("weights");
    std::fs::write(folder.path().join("weights.part"), &content()[..250_000]).unwrap();
    run(&download(&url, &to)).unwrap();
    assert_eq!(std::fs::read(&to).unwrap(), content());
    let requests = requests.lock().unwrap();
    assert!(requests.len() == 1 && requests[0].contains("range: bytes=250000-"), "{requests:?}");
}

#[test]
fn a_server_without_ranges_sends_the_whole_again() {
    let (url, _) = serve(|_, _, stream| send_whole(stream));
    let folder = tempfile::tempdir().unwrap();
    let to = folder.path().join("weights");
    std::fs::write(folder.path().join("weights.part"), b"the beginning of something else").unwrap();
    run(&download(&url, &to)).unwrap();
    assert_eq!(std::fs::read(&to).unwrap(), content());
}

#[test]
fn halves_of_two_versions_are_never_put_together() {
    let (url, requests) = serve(|_, request, stream| send_range(stream, request, "", usize::MAX / 2));
    let folder = tempfile::tempdir().unwrap();
    let to = folder.path().join("weights");
    std::fs::write(folder.path().join("weights.part"), vec![7; 1000]).unwrap();
    run(&download(&url, &to)).unwrap();
    assert_eq!(std::fs::read(&to).unwrap(), content());
    assert_eq!(requests.lock().unwrap().len(), 2);
}

#[test]
fn a_wrong_file_that_comes_in_pieces_is_not_fetched_for_ever() {
    let (url, requests) = serve(|_, request, stream| send_range(stream, request, "", 100_000));
    let folder = tempfile::tempdir().unwrap();
    let wrong = Some(hex(&Sha256::digest(b"something else")));
    let download = Download { sha256: wrong, ..download(&url, &folder.path().join("weights")) };
    let began = Instant::now();
    let error = download.run(&|_, _| {}, &|| began.elapsed() < Duration::from_secs(10)).unwrap_err();
    assert!(error.to_string().contains("the file changed on the server"), "{error}");
    assert!(requests.lock().unwrap().len() <= 9);
    assert_eq!(names(folder.path()), [""; 0]);
}

#[test]
fn wrong_bytes_are_thrown_away() {
    let (url, _) = serve(|_, _, stream| send(stream, "200 OK", "Content-Length: 4\r\n", b"lies"));
    let folder = tempfile::tempdir().unwrap();
    let error = run(&download(&url, &folder.path().join("weights"))).unwrap_err();
    assert!(matches!(error, DownloadError::Damaged { .. }), "{error}");
    assert!(error.to_string().contains(&url) && error.to_string().contains("save it as"), "{error}");
    assert_eq!(names(folder.path()), [""; 0]);
}

#[test]
fn another_size_than_promised_is_noticed_before_the_bytes() {
    let (url, _) = serve(|_, _, stream| send(stream, "200 OK", "Content-Length: 4\r\n", b"lies"));
    let folder = tempfile::tempdir().unwrap();
    let promised = Download { size: Some(300_000), ..download(&url, &folder.path().join("weights")) };
    let error = run(&promised).unwrap_err().to_string();
    assert!(error.contains("4 bytes instead of 300000"), "{error}");
}

#[test]
fn an_answer_that_is_not_the_file_is_not_tried_again() {
    let page = "Content-Type: text/html; charset=utf-8\r\nContent-Length: 6\r\n";
    for (status, headers, word) in
        [("404 Not Found", "Content-Length: 0\r\n", "status 404"), ("200 OK", page, "a web page")]
    {
        let (url, requests) = serve(move |_, _, stream| send(stream, status, headers, b"<html>"));
        let folder = tempfile::tempdir().unwrap();
        let error = run(&download(&url, &folder.path().join("weights"))).unwrap_err();
        assert!(matches!(error, DownloadError::Refused { .. }), "{error}");
        assert!(error.to_string().contains(word), "{error}");
        assert_eq!(requests.lock().unwrap().len(), 1);
        assert_eq!(names(folder.path()), [""; 0]);
    }
}

#[test]
fn a_busy_server_is_asked_again() {
    let (url, _) = serve(|n, _, stream| match n {
        0 => send(stream, "503 Service Unavailable", "Content-Length: 0\r\n", b""),
        _ => send_whole(stream),
    });
    let folder = tempfile::tempdir().unwrap();
    run(&download(&url, &folder.path().join("weights"))).unwrap();
}

#[test]
fn a_server_that_stops_sending_is_given_up_and_what_came_is_kept() {
    let (url, requests) = serve(|_, _, stream| {
        send(stream, "200 OK", "Content-Length: 300000\r\n", &content()[..5000]);
        stay_silent(stream);
    });
    let folder = tempfile::tempdir().unwrap();
    let began = Instant::now();
    let error = run(&download(&url, &folder.path().join("weights"))).unwrap_err();
    assert!(matches!(error, DownloadError::Network { .. }), "{error}");
    assert!(began.elapsed() < Duration::from_secs(15));
    assert!(requests.lock().unwrap().len() >= 3);
    assert_eq!(std::fs::metadata(part(folder.path())).unwrap().len(), 5000);
}

#[test]
fn a_server_that_drips_is_given_up_and_what_came_is_kept() {
    let (url, _) = serve(|_, request, stream| {
        send_range(stream, request, "ETag: \"v1\"\r\n", 50);
        let mut stream = stream.try_clone().unwrap();
        thread::spawn(move || {
            while stream.write_all(b"x").is_ok() {
                thread::sleep(Duration::from_millis(20));
            }
        });
    });
    let folder = tempfile::tempdir().unwrap();
    let began = Instant::now();
    let error = download(&url, &folder.path().join("weights"))
        .run(&|_, _| {}, &|| began.elapsed() < Duration::from_secs(15))
        .unwrap_err();
    assert!(error.to_string().contains("the server sends too slowly"), "{error}");
    assert!(std::fs::metadata(part(folder.path())).unwrap().len() >= 50);
}

#[test]
fn a_server_that_never_ends_its_headers_is_hung_up_on() {
    let (said, heard) = channel();
    let (url, _) = serve(move |_, _, stream| {
        let (mut stream, said) = (stream.try_clone().unwrap(), said.clone());
        thread::spawn(move || {
            drop(stream.write_all(b"HTTP/1.1 200 OK\r\n"));
            while stream.write_all(b"A: b\r\n").is_ok() {
                thread::sleep(Duration::from_millis(50));
            }
            said.send(())
        });
    });
    let folder = tempfile::tempdir().unwrap();
    let mut once = download(&url, &folder.path().join("weights"));
    once.patience.connect = Duration::from_millis(200);
    once.patience.tries = 1;
    let error = run(&once).unwrap_err();
    assert!(matches!(error, DownloadError::Network { .. }), "{error}");
    heard.recv_timeout(Duration::from_secs(5)).expect("no connection that is read for ever");
}

#[test]
fn a_slow_server_is_given_up_after_the_whole_time_and_the_next_run_goes_on() {
    let (url, requests) = serve(|_, request, stream| {
        let (mut stream, request) = (stream.try_clone().unwrap(), request.to_owned());
        thread::spawn(move || {
            send_range(&mut stream, &request, "ETag: \"v1\"\r\n", 0);
            let start = request.lines().find_map(|line| line.strip_prefix("range: bytes="));
            let start: usize = start.map_or(0, |start| start.trim_end_matches('-').parse().unwrap());
            for piece in content()[start..].chunks(if start == 0 { 1000 } else { 300_000 }) {
                if stream.write_all(piece).is_err() {
                    return;
                }
                thread::sleep(Duration::from_millis(20));
            }
        });
    });
    let folder = tempfile::tempdir().unwrap();
    let to = folder.path().join("weights");
    let mut hasty = download(&url, &to);
    hasty.patience.total = Duration::from_millis(500);
    let error = run(&hasty).unwrap_err();
    assert!(error.to_string().contains("it took too long"), "{error}");
    let came = std::fs::metadata(part(folder.path())).unwrap().len();
    assert!(came > 0, "nothing was kept");
    run(&hasty).unwrap();
    assert_eq!(std::fs::read(&to).unwrap(), content());
    assert_eq!(names(folder.path()), ["weights"]);
    let last = requests.lock().unwrap().last().cloned().unwrap();
    assert!(last.contains(&format!("range: bytes={came}-")), "{last}");
}

#[test]
fn a_server_that_names_no_size_cannot_fill_the_disk() {
    let (url, _) = serve(|_, _, stream| {
        send(stream, "200 OK", "", b"");
        while stream.write_all(&[7; 100_000]).is_ok() {}
    });
    let folder = tempfile::tempdir().unwrap();
    let most = Cell::new(0);
    let began = Instant::now();
    let error = download(&url, &folder.path().join("weights"))
        .run(&|done, _| most.set(done), &|| began.elapsed() < Duration::from_secs(5))
        .unwrap_err();
    assert!(error.to_string().contains("more than 1048576 bytes"), "{error}");
    assert!(most.get() <= 1 << 20);
    assert_eq!(names(folder.path()), [""; 0]);
}

#[test]
fn a_size_beyond_the_limit_is_refused_before_the_bytes() {
    let (url, _) = serve(|_, _, stream| send(stream, "200 OK", "Content-Length: 99999999999\r\n", b"x"));
    let folder = tempfile::tempdir().unwrap();
    let error = run(&download(&url, &folder.path().join("weights"))).unwrap_err();
    assert!(error.to_string().contains("more than 1048576 bytes"), "{error}");
    assert_eq!(names(folder.path()), [""; 0]);
}

#[test]
fn two_downloads_at_once_both_end_with_the_right_file() {
    let (url, requests) = serve(|_, request, stream| {
        let (mut stream, request) = (stream.try_clone().unwrap(), request.to_owned());
        thread::spawn(move || {
            send_range(&mut stream, &request, "ETag: \"v1\"\r\n", 0);
            for piece in content().chunks(10_000) {
                if stream.write_all(piece).is_err() {
                    return;
                }
                thread::sleep(Duration::from_millis(5));
            }
        });
    });
    let folder = tempfile::tempdir().unwrap();
    let to = folder.path().join("weights");
    thread::scope(|scope| {
        let runs: Vec<_> = (0..3)
            .map(|_| {
                thread::sleep(Duration::from_millis(40));
                scope.spawn(|| run(&download(&url, &to)).map(|()| std::fs::read(&to).unwrap()))
            })
            .collect();
        for run in runs {
            assert_eq!(run.join().unwrap().unwrap(), content());
        }
    });
    assert_eq!(names(folder.path()), ["weights"]);
    assert!(requests.lock().unwrap().iter().all(|request| !request.contains("range:")), "parts were mixed");
}

#[test]
fn it_is_the_file_on_the_disk_that_is_checked_not_the_bytes_that_came() {
    let (url, _) = serve(|_, _, stream| send_whole(stream));
    let folder = tempfile::tempdir().unwrap();
    let to = folder.path().join("weights");
    let error = download(&url, &to)
        .run(
            &|done, _| {
                if done == 300_000 {
                    let part = std::fs::OpenOptions::new().write(true).open(part(folder.path()));
                    part.unwrap().write_all(b"other").unwrap();
                }
            },
            &|| true,
        )
        .unwrap_err();
    assert!(matches!(error, DownloadError::Damaged { .. }), "{error}");
    assert!(!to.exists());
}

#[test]
fn left_over_parts_go_once_the_file_is_there() {
    let (url, _) = serve(|_, _, stream| send_whole(stream));
    let folder = tempfile::tempdir().unwrap();
    for left in ["weights.part", "weights.abcdefABCDEF.part", "weights.abcdefABCDEG.part.etag", "other.part"]
    {
        std::fs::write(folder.path().join(left), "left").unwrap();
    }
    run(&download(&url, &folder.path().join("weights"))).unwrap();
    assert_eq!(names(folder.path()), ["other.part", "weights"]);
}

#[test]
fn a_part_that_was_whole_when_the_program_ended_is_not_fetched_again() {
    let (url, requests) = serve(|_, _, stream| send_whole(stream));
    let folder = tempfile::tempdir().unwrap();
    let to = folder.path().join("weights");
    std::fs::write(folder.path().join("weights.part"), content()).unwrap();
    run(&Download { size: Some(300_000), ..download(&url, &to) }).unwrap();
    assert_eq!(std::fs::read(&to).unwrap(), content());
    assert_eq!(requests.lock().unwrap().len(), 0);
}

#[test]
fn a_cancel_is_heard_at_once_while_the_server_is_silent() {
    let (url, _) = serve(|_, _, stream| stay_silent(stream));
    let folder = tempfile::tempdir().unwrap();
    let slow = Patience { stall: Duration::from_secs(30), ..Patience::default() };
    let download = Download { patience: slow, ..download(&url, &folder.path().join("weights")) };
    let began = Instant::now();
    let cancelled = Cell::new(None);
    let error = download
        .run(&|_, _| {}, &|| {
            if began.elapsed() < Duration::from_millis(200) {
                return true;
            }
            cancelled.set(cancelled.get().or(Some(Instant::now())));
            false
        })
        .unwrap_err();
    let cancelled = cancelled.get().unwrap();
    assert!(matches!(error, DownloadError::Cancelled), "{error}");
    assert!(cancelled.duration_since(began) < Duration::from_millis(400));
    assert!(cancelled.elapsed() < Duration::from_millis(100));
}
