//! Fetches an image by URL, limited in time and size, and checks that it is an image.

use std::time::Duration;

use anyhow::{Context as _, bail};

use super::content;
use crate::download::stream::{Broken, Get, Stream};

/// Maximum number of bytes.
pub const MAX_BYTES: u64 = 50 * 1024 * 1024;

/// Timeout for the whole download.
const TOTAL: Duration = Duration::from_secs(20);

/// Whether a text that is not a file is meant as a URL: it has a scheme, in any case.
pub fn is_address(text: &str) -> bool {
    // A single letter is a Windows drive.
    text.trim().split_once("://").is_some_and(|(scheme, _)| {
        scheme.len() > 1 && scheme.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.'))
    })
}

/// The message for `localhost:8000/a.png` and the like; `None` for anything else.
pub fn lacks_scheme(text: &str) -> Option<String> {
    let (host, port) = text.trim().split('/').next()?.rsplit_once(':')?;
    let is_host = !host.is_empty()
        && host.chars().all(|c| c.is_alphanumeric() || matches!(c, '.' | '-' | '[' | ']' | ':'));
    let is_port = port.parse::<u16>().is_ok();
    let shown = shorten(text.trim());
    (is_host && is_port).then(|| {
        format!("`{shown}` is not a file, and as a URL it lacks the scheme: write http://{shown} or https://{shown}")
    })
}

/// Downloads `url` (http, https, or a `data:` URL) and returns the bytes. `keep_going` is called between reads.
///
/// # Errors
/// A message with the URL and what to do: not a URL, timeout, HTTP status, not an image, too large, cancelled.
pub fn fetch(url: &str, keep_going: &dyn Fn() -> bool) -> anyhow::Result<Vec<u8>> {
    fetch_within(url, keep_going, TOTAL, MAX_BYTES)
}

fn fetch_within(
    url: &str,
    keep_going: &dyn Fn() -> bool,
    total: Duration,
    max_bytes: u64,
) -> anyhow::Result<Vec<u8>> {
    let url = url.trim();
    let shown = shorten(url);
    if let Some(why) = lacks_scheme(url) {
        bail!(why);
    }
    let parsed = match url::Url::parse(url) {
        Ok(parsed) => parsed,
        Err(url::ParseError::RelativeUrlWithoutBase) => {
            bail!("`{shown}` is not a URL: URLs start with https:// or http://")
        }
        Err(error) => bail!("`{shown}` is not a URL: {error}"),
    };
    let bytes = match parsed.scheme() {
        "http" | "https" => download(&parsed, keep_going, total, max_bytes).with_context(|| shown.clone())?,
        "data" => decode_data_url(url).with_context(|| format!("`{shown}` cannot be read"))?,
        other => {
            bail!("`{shown}`: `{other}:` URLs are not supported, only http and https")
        }
    };
    if let Err(other) = content::format_of(&bytes) {
        let remedy =
            if other.is_web_page() { "right-click the image and copy its address" } else { other.remedy };
        bail!("{shown} is {}, not a supported image: {remedy}", other.what);
    }
    Ok(bytes)
}

fn download(
    url: &url::Url,
    keep_going: &dyn Fn() -> bool,
    total: Duration,
    max_bytes: u64,
) -> anyhow::Result<Vec<u8>> {
    let say = |broken| match broken {
        Broken::Cancelled => anyhow::anyhow!("cancelled"),
        Broken::Network(why) => {
            anyhow::anyhow!("{why}. Try again, or save the image with a browser and predict the file")
        }
    };
    let get = Get {
        url: url.to_string(),
        headers: vec![("Accept", "image/*,*/*;q=0.5".to_owned())],
        redirects: 5,
        connect: total / 2,
        stall: total,
    };
    let stream = Stream::open(get, Some(total));
    let head = stream.head(keep_going).map_err(say)?;
    match head.status {
        200..=299 => {}
        404 | 410 => bail!("there is nothing at this URL (any more): check it for typing errors"),
        401 | 403 => bail!(
            "the server refused (status {}): save the image with a browser and predict the file",
            head.status
        ),
        status => bail!("the server answered status {status}: try again later"),
    }
    let too_large = || anyhow::anyhow!("it is larger than {} MB: scale it down first", max_bytes >> 20);
    let declared = head.header("content-length").and_then(|n| n.parse::<u64>().ok());
    if declared.is_some_and(|n| n > max_bytes) {
        return Err(too_large());
    }
    let mut bytes = Vec::new();
    while let Some(more) = stream.data(keep_going).map_err(say)? {
        bytes.extend(more);
        if bytes.len() as u64 > max_bytes {
            return Err(too_large());
        }
    }
    Ok(bytes)
}

/// Decodes `data:image/png;base64,...`.
fn decode_data_url(url: &str) -> anyhow::Result<Vec<u8>> {
    let (head, body) = url["data:".len()..].split_once(',').context("it has no comma")?;
    if !head.to_ascii_lowercase().ends_with(";base64") {
        bail!("only base64 data is read");
    }
    decode_base64(body).context("its base64 is damaged")
}

/// Standard and URL-safe base64 (RFC 4648); padding and white space are ignored.
fn decode_base64(text: &str) -> Option<Vec<u8>> {
    let (mut bits, mut n_bits) = (0_u32, 0);
    let mut bytes = Vec::with_capacity(text.len() * 3 / 4);
    for c in text.trim_end_matches('=').bytes().filter(|c| !c.is_ascii_whitespace()) {
        let value = match c {
            b'A'..=b'Z' => c - b'A',
            b'a'..=b'z' => c - b'a' + 26,
            b'0'..=b'9' => c - b'0' + 52,
            b'+' | b'-' => 62,
            b'/' | b'_' => 63,
            _ => return None,
        };
        bits = bits << 6 | u32::from(value);
        n_bits += 6;
        if n_bits >= 8 {
            n_bits -= 8;
            bytes.push((bits >> n_bits) as u8);
        }
    }
    Some(bytes)
}

/// A URL shortened for messages: `data:` URLs can have megabytes.
fn shorten(url: &str) -> String {
    match url.char_indices().nth(200) {
        Some((end, _)) => format!("{}...", &url[..end]),
        None => url.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Read as _, Write as _};
    use std::net::TcpListener;
    use std::thread;

    use super::*;

    const PNG: &[u8] = b"\x89PNG\r\n\x1a\nrest";

    /// Answers each request with `answer`, then waits `pause` before it hangs up.
    fn serve(answer: Vec<u8>, pause: Duration) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/picture", listener.local_addr().unwrap());
        thread::spawn(move || {
            for stream in listener.incoming() {
                let mut stream = stream.unwrap();
                drop(stream.read(&mut [0; 4096]));
                drop(stream.write_all(&answer));
                thread::sleep(pause);
            }
        });
        url
    }

    fn answer(status: &str, body: &[u8]) -> Vec<u8> {
        let head =
            format!("HTTP/1.1 {status}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n", body.len());
        [head.as_bytes(), body].concat()
    }

    fn error(url: &str) -> String {
        format!("{:#}", fetch(url, &|| true).unwrap_err())
    }

    #[test]
    fn an_image_arrives_whole() {
        let url = serve(answer("200 OK", PNG), Duration::ZERO);
        assert_eq!(fetch(&format!(" {url}\n"), &|| true).unwrap(), PNG);
        let loud = url.replace("http", "HTTP");
        assert!(is_address(&loud) && is_address("HTTPS://x/a.png") && is_address("ftp://x/a.png"));
        assert!(!is_address("c://a.png") && !is_address("a.png") && !is_address("a b://c"));
        assert_eq!(fetch(&loud, &|| true).unwrap(), PNG);
    }

    #[test]
    fn a_web_page_is_told_from_an_image() {
        let url = serve(answer("200 OK", b"<!DOCTYPE html><html>"), Duration::ZERO);
        assert!(error(&url).contains("copy its address"));
    }

    #[test]
    fn a_wrong_address_is_explained() {
        assert!(error("dress.jpg").contains("not a URL"));
        assert!(error("file:///etc/passwd").contains("only http and https"));
        for lacking in ["localhost:8000/a.png", "127.0.0.1:80", "[::1]:8000/a.png"] {
            assert!(
                error(lacking).contains(&format!("write http://{lacking} or https://")),
                "{}",
                error(lacking)
            );
        }
        assert_eq!(lacks_scheme("a:b.png"), None);
        let url = serve(answer("404 Not Found", b""), Duration::ZERO);
        assert!(error(&url).contains("nothing at this URL"));
    }

    #[test]
    fn too_many_bytes_are_refused_declared_or_not() {
        let declared = serve(answer("200 OK", &[0; 3000]), Duration::ZERO);
        let undeclared = [b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n".as_slice(), &[0; 3000]].concat();
        for url in [declared, serve(undeclared, Duration::ZERO)] {
            let error = fetch_within(&url, &|| true, TOTAL, 2000).unwrap_err();
            assert!(format!("{error:#}").contains("larger than"), "{error:#}");
        }
    }

    #[test]
    fn a_silent_server_does_not_hold_us_up() {
        let url = serve(Vec::new(), Duration::from_secs(60));
        let began = std::time::Instant::now();
        fetch_within(&url, &|| true, Duration::from_millis(300), MAX_BYTES).unwrap_err();
        let asked = fetch_within(&url, &|| false, TOTAL, MAX_BYTES).unwrap_err();
        assert!(format!("{asked:#}").contains("cancelled"));
        assert!(began.elapsed() < Duration::from_secs(3));
    }

    #[test]
    fn a_data_url_is_decoded() {
        for head in ["data:image/png;base64", "DATA:image/png;BASE64"] {
            assert_eq!(fetch(&format!("{head},iVBORw0KGgpyZXN0"), &|| true).unwrap(), PNG);
        }
        assert!(error("data:image/png;base64,***").contains("damaged"));
    }
}
