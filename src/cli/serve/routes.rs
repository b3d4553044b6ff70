//! What can be asked, and how it is answered.

use std::sync::Arc;
use std::time::Instant;

use axum::extract::{DefaultBodyLimit, Request, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use serde_json::{Map, Value, json};
use tasklens_data::images::fetch;
use tasklens_data::images::input::{self, Input};
use tasklens_data::panics;
use tokio::sync::OwnedSemaphorePermit;

use super::Service;
use super::body::{self, Asked, Source};
use super::model::Model;
use crate::cli::predict::tasks_json;

/// Why a request gets no answer.
#[derive(Debug)]
pub struct Refusal {
    status: StatusCode,
    why: String,
}

impl Refusal {
    pub fn new(status: StatusCode, why: impl Into<String>) -> Self {
        Self { status, why: why.into() }
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let mut response = (self.status, Json(json!({"error": self.why}))).into_response();
        if self.status == StatusCode::SERVICE_UNAVAILABLE {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
        }
        response
    }
}

pub fn router(service: Arc<Service>) -> Router {
    Router::new()
        .route("/", get(|| async { page("text/html; charset=utf-8", include_str!("page.html")) }))
        .route("/page.js", get(|| async { page("text/javascript; charset=utf-8", include_str!("page.js")) }))
        .route("/page.css", get(|| async { page("text/css; charset=utf-8", include_str!("page.css")) }))
        .route("/health", get(|| async { Json(json!({"status": "ok"})) }))
        .route("/model", get(model))
        .route("/metrics", get(metrics))
        .route("/predict", post(predict))
        .fallback(|| async {
            let why = "there is POST /predict, GET /model, /health, /metrics, and a page at /";
            Refusal::new(StatusCode::NOT_FOUND, why)
        })
        .method_not_allowed_fallback(|| async {
            let why = "/predict is asked with POST, everything else with GET";
            Refusal::new(StatusCode::METHOD_NOT_ALLOWED, why)
        })
        .layer(DefaultBodyLimit::max(service.limits.bytes))
        .layer(middleware::from_fn_with_state(Arc::clone(&service), only_this_computer))
        .with_state(service)
}

/// A page of the web may have its name point to this computer, to read answers in a browser here (DNS rebinding): a
/// service for this computer alone answers to the names of this computer alone.
async fn only_this_computer(State(service): State<Arc<Service>>, request: Request, next: Next) -> Response {
    let host = request.headers().get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
    if service.is_local && !host.is_empty() && !is_this_computer(host) {
        let why = format!("this service answers at localhost and 127.0.0.1, not at {host}: see --host");
        return Refusal::new(StatusCode::FORBIDDEN, why).into_response();
    }
    next.run(request).await
}

/// Whether a `Host` header means this computer.
fn is_this_computer(host: &str) -> bool {
    let Ok(url) = url::Url::parse(&format!("http://{host}/")) else { return false };
    match url.host() {
        Some(url::Host::Ipv4(address)) => address.is_loopback(),
        Some(url::Host::Ipv6(address)) => address.is_loopback(),
        Some(url::Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        None => false,
    }
}

fn page(kind: &'static str, text: &'static str) -> Response {
    let policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src blob:; connect-src 'self'";
    let headers = [
        (header::CONTENT_TYPE, kind),
        (header::CONTENT_SECURITY_POLICY, policy),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::CACHE_CONTROL, "no-cache"),
    ];
    (headers, text).into_response()
}

async fn model(State(service): State<Arc<Service>>) -> Json<Value> {
    Json(service.current.get().json())
}

async fn metrics(State(service): State<Arc<Service>>) -> Response {
    let kind = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    ([(header::CONTENT_TYPE, kind)], service.figures.text()).into_response()
}

/// Counts a request as being answered, also if whoever asked goes away.
struct InProgress(Arc<Service>);

impl InProgress {
    fn new(service: &Arc<Service>) -> Self {
        service.figures.began();
        Self(Arc::clone(service))
    }
}

impl Drop for InProgress {
    fn drop(&mut self) {
        self.0.figures.ended();
    }
}

async fn predict(State(service): State<Arc<Service>>, request: Request) -> Response {
    let began = Instant::now();
    let _in_progress = InProgress::new(&service);
    let response = match Arc::clone(&service.room).try_acquire_owned() {
        Err(_) => Refusal::new(StatusCode::SERVICE_UNAVAILABLE, "too many requests at once: try again")
            .into_response(),
        Ok(room) => {
            let answer = answer(&service, request, Arc::new(room));
            match tokio::time::timeout(service.limits.time, answer).await {
                Ok(answer) => answer.into_response(),
                Err(_) => {
                    let why = format!("it took longer than {} seconds", service.limits.time.as_secs());
                    Refusal::new(StatusCode::REQUEST_TIMEOUT, why).into_response()
                }
            }
        }
    };
    service.figures.answered(response.status().as_u16(), began.elapsed().as_secs_f64());
    response
}

async fn answer(
    service: &Arc<Service>,
    request: Request,
    room: Arc<OwnedSemaphorePermit>,
) -> Result<Json<Value>, Refusal> {
    let asked = body::read(request, service.limits).await?;
    // All images of a request by the same weights.
    let model = service.current.get();
    match asked {
        Asked::One(source) => match image(service, &model, source, &room).await? {
            Ok(answer) => Ok(Json(answer)),
            Err(Unreadable { why, .. }) => Err(Refusal::new(StatusCode::UNPROCESSABLE_ENTITY, why)),
        },
        Asked::Several(sources) => {
            let several = sources.into_iter().map(|source| {
                let (service, model, room) = (Arc::clone(service), Arc::clone(&model), Arc::clone(&room));
                tokio::spawn(async move { image(&service, &model, source, &room).await })
            });
            let mut images = Vec::new();
            let mut has_answer = false;
            for image in several.collect::<Vec<_>>() {
                let failed = |error| Refusal::new(StatusCode::INTERNAL_SERVER_ERROR, format!("{error}"));
                images.push(match image.await.map_err(failed)?? {
                    Ok(answer) => {
                        has_answer = true;
                        answer
                    }
                    Err(Unreadable { name, why }) => json!({"image": name, "error": why}),
                });
            }
            if has_answer {
                return Ok(Json(json!({"images": images})));
            }
            let why =
                images.iter().filter_map(|image| image["error"].as_str()).collect::<Vec<_>>().join("; ");
            Err(Refusal::new(StatusCode::UNPROCESSABLE_ENTITY, why))
        }
    }
}

/// An image that cannot be read, which costs the others nothing.
struct Unreadable {
    name: String,
    why: String,
}

/// One image, as `tasklens predict --json` answers it.
async fn image(
    service: &Arc<Service>,
    model: &Arc<Model>,
    source: Source,
    room: &Arc<OwnedSemaphorePermit>,
) -> Result<Result<Value, Unreadable>, Refusal> {
    let failed = |why: String| {
        log::error!("a request cannot be answered: {why}");
        Refusal::new(StatusCode::INTERNAL_SERVER_ERROR, why)
    };
    let name = source.name().to_owned();
    let size = model.predictor.input_size();
    // Held until the work has ended, even if nobody waits for it any more.
    let held = Arc::clone(room);
    let bytes = match source {
        Source::File { bytes, .. } => bytes,
        Source::Address(address) => {
            let fetched = tokio::task::spawn_blocking(move || {
                let _held = held;
                panics::catch(|| fetch::fetch(&address, &|| true))
                    .unwrap_or_else(|why| Err(anyhow::Error::msg(why)))
            });
            match fetched.await.map_err(|error| failed(error.to_string()))? {
                Ok(bytes) => bytes.into(),
                Err(error) => return Ok(Err(Unreadable { name, why: format!("{error:#}") })),
            }
        }
    };
    let turn =
        Arc::clone(&service.decoders).acquire_owned().await.map_err(|error| failed(error.to_string()))?;
    let (held, called) = (Arc::clone(room), name.clone());
    let decoded = tokio::task::spawn_blocking(move || {
        let _held = (held, turn);
        panics::catch(|| input::of_bytes(&bytes, &called, size).map_err(anyhow::Error::from))
            .unwrap_or_else(|why| Err(anyhow::Error::msg(why)))
    });
    let Input { pixels, note } = match decoded.await.map_err(|error| failed(error.to_string()))? {
        Ok(decoded) => decoded,
        Err(error) => return Ok(Err(Unreadable { name, why: format!("{error:#}") })),
    };
    let answered = service.queue.predict(Arc::clone(model), pixels.into_raw()).await;
    let answered = answered.map_err(|error| failed(format!("{error:#}")))?;
    service.figures.predicted(answered.batch);
    let mut answer = Map::new();
    answer.insert("image".to_owned(), name.into());
    answer.insert("tasks".to_owned(), tasks_json(model.predictor.tasks(), &answered.prediction));
    if let Some(note) = note {
        answer.insert("note".to_owned(), note.into());
    }
    Ok(Ok(Value::Object(answer)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_this_computer() {
        for host in
            ["localhost", "localhost:8900", "127.0.0.1:8900", "[::1]:8900", "LOCALHOST", "a.localhost"]
        {
            assert!(is_this_computer(host), "{host}");
        }
        for host in ["example.org", "127.0.0.1.example.org:8900", "localhost.example.org", "10.0.0.1", "a b"]
        {
            assert!(!is_this_computer(host), "{host}");
        }
    }
}
