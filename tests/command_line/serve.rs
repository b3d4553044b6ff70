//! `tasklens serve`: asked as other programs ask.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::{err, out, sample, tasklens};

/// A service that ends with the test.
struct Service {
    process: Child,
    address: String,
}

impl Service {
    fn start(folder: &Path, arguments: &[&str]) -> Self {
        let mut process = Command::new(env!("CARGO_BIN_EXE_tasklens"))
            .current_dir(folder)
            .env("TASKLENS_OFFLINE", "1")
            .env("XDG_DATA_HOME", env!("CARGO_TARGET_TMPDIR"))
            .args(["serve", "--port", "0", "--device", "cpu"])
            .args(arguments)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the program starts");
        let mut lines = BufReader::new(process.stdout.take().expect("a pipe")).lines();
        let first = lines.next().expect("a line").expect("UTF-8");
        let address = first.split("http://").nth(1).unwrap_or_else(|| panic!("{first}"));
        let address = address.trim_end_matches('/').to_owned();
        for line in lines.by_ref() {
            if line.expect("UTF-8").contains("Ctrl-C") {
                break;
            }
        }
        Self { process, address }
    }

    /// Status and body of an answer.
    fn ask(&self, request: &str, headers: &str, body: &[u8]) -> (u16, String) {
        let mut stream = TcpStream::connect(&self.address).expect("it listens");
        stream.set_read_timeout(Some(Duration::from_secs(60))).expect("a timeout");
        let host =
            if headers.contains("Host:") { String::new() } else { format!("Host: {}\r\n", self.address) };
        let head = format!(
            "{request} HTTP/1.1\r\n{host}Connection: close\r\nContent-Length: {}\r\n{headers}\r\n",
            body.len()
        );
        stream.write_all(head.as_bytes()).expect("written");
        // A body that is refused is not read to its end.
        let _ = stream.write_all(body);
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer);
        let answer = String::from_utf8_lossy(&answer).into_owned();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap_or_else(|| panic!("no answer: {answer}"));
        let status = head.split(' ').nth(1).expect("a status").parse().expect("a number");
        (status, body.to_owned())
    }

    fn json(&self, request: &str, headers: &str, body: &[u8]) -> (u16, Value) {
        let (status, body) = self.ask(request, headers, body);
        (status, serde_json::from_str(&body).unwrap_or_else(|error| panic!("{error}: {body}")))
    }

    fn predict(&self, body: &[u8]) -> (u16, Value) {
        self.json("POST /predict", "", body)
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// A sample with a trained run in `run`.
pub fn trained() -> tempfile::TempDir {
    let (folder, config) = sample();
    train(folder.path(), config.to_str().expect("UTF-8"), "run", "1");
    folder
}

fn train(folder: &Path, config: &str, run: &str, seed: &str) {
    let seed = format!("model.random_seed={seed}");
    let changes =
        ["--set", "model.epochs=1", "--set", "model.input_shape=[48, 48]", "--set", "model.device=cpu"];
    let train = ["train", config, "--run", run, "--set", &seed];
    let train = tasklens(folder, &[&train[..], &changes[..]].concat());
    assert!(train.status.success(), "{}", err(&train));
}

fn form(files: &[(&str, &[u8])]) -> (String, Vec<u8>) {
    let mut body = Vec::new();
    for (name, bytes) in files {
        body.extend(
            format!("--line\r\nContent-Disposition: form-data; name=\"image\"; filename=\"{name}\"\r\n\r\n")
                .bytes(),
        );
        body.extend(*bytes);
        body.extend(b"\r\n");
    }
    body.extend(b"--line--\r\n");
    ("Content-Type: multipart/form-data; boundary=line\r\n".to_owned(), body)
}

#[test]
fn it_answers_as_predict_does_and_refuses_with_a_reason() {
    let folder = trained();
    let service = Service::start(folder.path(), &["run", "--max-mb", "1"]);
    let file = "s/garments/00001.jpg";
    let bytes = std::fs::read(folder.path().join(file)).expect("an image");

    let (status, answer) = service.predict(&bytes);
    assert_eq!(status, 200, "{answer}");
    let predicted = out(&tasklens(folder.path(), &["predict", "run", file, "--json", "--device", "cpu"]));
    let predicted: Value = serde_json::from_str(predicted.trim()).expect("JSON");
    same(&answer["tasks"], &predicted["tasks"]);

    // Several at once, one of which is none: the others are answered.
    let (kind, body) = form(&[("a.jpg", &bytes), ("b.jpg", b"no image"), ("c.jpg", &bytes)]);
    let (status, several) = service.json("POST /predict", &kind, &body);
    assert_eq!((status, several["images"].as_array().map(Vec::len)), (200, Some(3)), "{several}");
    same(&several["images"][0]["tasks"], &predicted["tasks"]);
    same(&several["images"][2]["tasks"], &predicted["tasks"]);
    assert_eq!(several["images"][1]["image"], "b.jpg");
    assert!(several["images"][1]["error"].as_str().is_some_and(|why| why.contains("text")), "{several}");

    let kind = "Content-Type: application/json\r\n";
    let data = format!("data:image/jpeg;base64,{}", base64(&bytes));
    let (status, answer) = service.json("POST /predict", kind, format!("{{\"url\": \"{data}\"}}").as_bytes());
    assert_eq!(status, 200, "{answer}");
    same(&answer["tasks"], &predicted["tasks"]);

    let refused = |expected: u16, word: &str, (status, answer): (u16, Value)| {
        let why = answer["error"].as_str().unwrap_or_default();
        assert!(
            status == expected && why.contains(word),
            "{status}, expected {expected} with {word}: {answer}"
        );
    };
    refused(422, "text", service.predict(b"no image"));
    refused(422, "", service.predict(&bytes[..bytes.len() / 2]));
    refused(400, "empty", service.predict(b""));
    let large = vec![0; 1_000_001];
    refused(413, "--max-mb", service.predict(&large));
    refused(413, "--max-mb", service.json("POST /predict", kind, &large));
    refused(413, "--max-mb", service.json("POST /predict", &form(&[]).0, &form(&[("a.jpg", &large)]).1));
    refused(400, "expected {\"url", service.json("POST /predict", kind, b"{\"uri\": 1}"));
    refused(400, "not JSON: expected", service.json("POST /predict", kind, b"{"));
    refused(422, "URL", service.json("POST /predict", kind, b"{\"url\": \"ftp://a/b\"}"));
    refused(400, "no file", service.json("POST /predict", &form(&[]).0, &form(&[]).1));
    refused(405, "POST", service.json("GET /predict", "", b""));
    refused(404, "/health", service.json("GET /nothing", "", b""));
    refused(403, "example.org", service.json("GET /model", "Host: example.org\r\n", b""));

    assert_eq!(service.json("GET /health", "", b"").1["status"], "ok");
    let model = service.json("GET /model", "", b"").1;
    assert_eq!((&model["name"], &model["input"]["height"]), (&"run".into(), &48.into()), "{model}");
    assert!(
        model["tasks"]["sleeves"]["labels"].as_array().is_some_and(|labels| labels.len() == 3),
        "{model}"
    );
    assert!(service.ask("GET /", "", b"").1.contains("Drop images here"));
    let figures = service.ask("GET /metrics", "", b"").1;
    assert!(figures.contains("tasklens_images_total 4"), "{figures}");
    assert!(figures.contains("tasklens_requests_total{status=\"422\"} 3"), "{figures}");
    assert!(figures.contains("tasklens_requests_in_progress 0"), "{figures}");
}

/// The labels are those, and the probabilities are so up to the rounding of bf16: few images are predicted by libtorch, and
/// the service uses OpenVINO where it is there.
fn same(one: &Value, other: &Value) {
    let tasks = other.as_object().expect("tasks");
    assert_eq!(one.as_object().map(serde_json::Map::len), Some(tasks.len()), "{one}");
    for (task, answer) in tasks {
        assert_eq!(one[task]["label"], answer["label"]);
        for (label, probability) in answer["probabilities"].as_object().expect("labels") {
            let here = one[task]["probabilities"][label].as_f64().expect("a number");
            let there = probability.as_f64().expect("a number");
            assert!((here - there).abs() < 2e-2, "{task} {label}: {here}, {there}");
        }
    }
}

fn base64(bytes: &[u8]) -> String {
    const LETTERS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for three in bytes.chunks(3) {
        let bits =
            three.iter().fold(0_u32, |bits, byte| bits << 8 | u32::from(*byte)) << (8 * (3 - three.len()));
        for place in 0..4 {
            let letter = LETTERS[(bits >> (18 - 6 * place) & 63) as usize] as char;
            text.push(if place <= three.len() { letter } else { '=' });
        }
    }
    text
}

#[test]
fn too_many_at_once_are_told_to_try_again() {
    let folder = trained();
    let service = Service::start(folder.path(), &["run", "--queue", "1", "--timeout", "2"]);
    // It has begun, and its body never ends.
    let mut slow = TcpStream::connect(&service.address).expect("it listens");
    let head =
        format!("POST /predict HTTP/1.1\r\nHost: {}\r\nContent-Length: 1000\r\n\r\nabc", service.address);
    slow.write_all(head.as_bytes()).expect("written");
    let until = Instant::now() + Duration::from_secs(20);
    while !service.ask("GET /metrics", "", b"").1.contains("tasklens_requests_in_progress 1") {
        assert!(Instant::now() < until, "the request does not begin");
    }
    let bytes = std::fs::read(folder.path().join("s/garments/00001.jpg")).expect("an image");
    let (status, answer) = service.predict(&bytes);
    assert!(
        status == 503 && answer["error"].as_str().is_some_and(|why| why.contains("try again")),
        "{answer}"
    );
    // The slow one is given up, and makes room.
    let mut answer = String::new();
    slow.set_read_timeout(Some(Duration::from_secs(20))).expect("a timeout");
    let _ = slow.read_to_string(&mut answer);
    assert!(answer.starts_with("HTTP/1.1 408"), "{answer}");
    assert_eq!(service.predict(&bytes).0, 200);
}

#[test]
fn other_computers_cannot_make_it_fetch() {
    let folder = trained();
    let mut service = Service::start(folder.path(), &["run", "--host", "0.0.0.0"]);
    service.address = service.address.replace("0.0.0.0", "127.0.0.1");
    let kind = "Host: shop.example\r\nContent-Type: application/json\r\n";
    let body = b"{\"url\": \"http://127.0.0.1/secret.png\"}";
    let is_refused = |(status, answer): (u16, Value)| {
        assert!(
            status == 403 && answer["error"].as_str().is_some_and(|why| why.contains("--allow-urls")),
            "{answer}"
        );
    };
    is_refused(service.json("POST /predict", kind, body));
    // Through a web server on this computer, others look like this computer.
    let service = Service::start(folder.path(), &["run", "--no-urls"]);
    is_refused(service.json("POST /predict", "Content-Type: application/json\r\n", body));
}

#[test]
fn better_weights_are_loaded_and_other_tasks_are_not() {
    let folder = trained();
    let service = Service::start(folder.path(), &["run"]);
    let bytes = std::fs::read(folder.path().join("s/garments/00001.jpg")).expect("an image");
    let before = service.predict(&bytes).1;
    train(folder.path(), "s/config.yml", "better", "2");
    replace(&folder.path().join("better/best.safetensors"), &folder.path().join("run/best.safetensors"));
    let until = Instant::now() + Duration::from_secs(60);
    while service.predict(&bytes).1 == before {
        assert!(Instant::now() < until, "the weights are not loaded");
        std::thread::sleep(Duration::from_millis(200));
    }
    // Damaged, or gone: the model of before goes on.
    let now = service.predict(&bytes).1;
    std::fs::write(folder.path().join("damaged"), "no checkpoint").expect("written");
    replace(&folder.path().join("damaged"), &folder.path().join("run/best.safetensors"));
    std::thread::sleep(Duration::from_secs(5));
    assert_eq!(service.predict(&bytes), (200, now));
}

fn replace(new: &Path, old: &Path) {
    let beside = old.with_extension("new");
    std::fs::copy(new, &beside).expect("copied");
    std::fs::rename(beside, old).expect("renamed");
}

#[cfg(unix)]
#[test]
fn ctrl_c_ends_it_after_the_requests_in_hand() {
    let folder = trained();
    let mut service = Service::start(folder.path(), &["run"]);
    let bytes = std::fs::read(folder.path().join("s/garments/00001.jpg")).expect("an image");
    // One whose body comes in two parts, with Ctrl-C in between.
    let mut stream = TcpStream::connect(&service.address).expect("it listens");
    let head = format!(
        "POST /predict HTTP/1.1\r\nHost: {}\r\nConnection: close\r\nContent-Length: {}\r\n\r\n",
        service.address,
        bytes.len()
    );
    stream.write_all(head.as_bytes()).expect("written");
    stream.write_all(&bytes[..100]).expect("written");
    let until = Instant::now() + Duration::from_secs(20);
    while !service.ask("GET /metrics", "", b"").1.contains("tasklens_requests_in_progress 1") {
        assert!(Instant::now() < until, "the request does not begin");
    }
    let interrupted = Command::new("kill").args(["-INT", &service.process.id().to_string()]).status();
    assert!(interrupted.expect("kill").success());
    std::thread::sleep(Duration::from_millis(500));
    stream.write_all(&bytes[100..]).expect("written");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("an answer");
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    assert!(service.process.wait().expect("it ends").success());
}

/// A connection holds a file of the process. Browsers open some in advance, and leave them open.
#[cfg(target_os = "linux")]
#[test]
fn connections_on_which_nothing_is_asked_hold_nobody_up() {
    let folder = trained();
    let mut service = Service::start(folder.path(), &["run"]);
    let mut silent: Vec<TcpStream> =
        (0..2).map(|_| TcpStream::connect(&service.address).expect("it listens")).collect();
    silent[1].write_all(b"POST /pred").expect("written");
    assert_eq!(service.json("GET /health", "", b"").1["status"], "ok");
    let began = Instant::now();
    let mut rest = Vec::new();
    silent[0].set_read_timeout(Some(Duration::from_secs(60))).expect("a timeout");
    silent[0].read_to_end(&mut rest).expect("it is closed");
    assert!(began.elapsed() < Duration::from_secs(45), "{:?}", began.elapsed());
    // Ctrl-C does not wait for one that has not begun to ask.
    let mut half = TcpStream::connect(&service.address).expect("it listens");
    half.write_all(b"POST /pred").expect("written");
    assert_eq!(service.json("GET /health", "", b"").1["status"], "ok");
    let began = Instant::now();
    let interrupted = Command::new("kill").args(["-INT", &service.process.id().to_string()]).status();
    assert!(interrupted.expect("kill").success());
    assert!(service.process.wait().expect("it ends").success());
    assert!(began.elapsed() < Duration::from_secs(6), "{:?}", began.elapsed());
}

#[test]
fn what_it_cannot_do_is_told() {
    let folder = trained();
    let service = Service::start(folder.path(), &["run"]);
    let port = service.address.rsplit(':').next().expect("a port").to_owned();
    let taken = tasklens(folder.path(), &["serve", "run", "--port", &port]);
    assert!(taken.status.code() == Some(1) && err(&taken).contains("another --port"), "{}", err(&taken));
    let none = tasklens(folder.path(), &["serve", "nothing", "--port", "0"]);
    assert!(none.status.code() == Some(1) && err(&none).contains("is not a model"), "{}", err(&none));
}
