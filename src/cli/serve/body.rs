//! The images of a request: its body, the files of a form, or URLs.

use axum::Json;
use axum::body::Bytes;
use axum::extract::multipart::MultipartError;
use axum::extract::rejection::JsonRejection;
use axum::extract::{FromRequest as _, Multipart, Request};
use axum::http::{StatusCode, header};
use serde::Deserialize;

use super::Limits;
use super::routes::Refusal;

/// Images of one request.
const MOST_IMAGES: usize = 64;

/// The images that a request brings.
pub enum Asked {
    /// One, answered by one object.
    One(Source),
    /// Answered by a list.
    Several(Vec<Source>),
}

/// One image.
pub enum Source {
    /// Its bytes, with the name of the file.
    File { name: String, bytes: Bytes },
    /// Where it is to be fetched.
    Address(String),
}

impl Source {
    /// What it is called.
    pub fn name(&self) -> &str {
        match self {
            Self::File { name, .. } => name,
            Self::Address(address) => address,
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, untagged)]
enum Addresses {
    One { url: String },
    Several { urls: Vec<String> },
}

/// Reads the body of `POST /predict`.
pub async fn read(request: Request, limits: Limits) -> Result<Asked, Refusal> {
    let kind =
        request.headers().get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    let kind = kind.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    match kind.as_str() {
        "multipart/form-data" => form(request, limits).await,
        "application/json" => addresses(request, limits).await,
        // `curl --data-binary` says that it is a form.
        _ => {
            let bytes = Bytes::from_request(request, &())
                .await
                .map_err(|error| refusal(error.status(), error.body_text(), limits))?;
            if bytes.is_empty() {
                return Err(Refusal::new(
                    StatusCode::BAD_REQUEST,
                    "the body is empty: send the bytes of an image, a form with files, or {\"url\": \"https://...\"} as \
                     application/json",
                ));
            }
            Ok(Asked::One(Source::File { name: "image".to_owned(), bytes }))
        }
    }
}

async fn form(request: Request, limits: Limits) -> Result<Asked, Refusal> {
    let mut form = Multipart::from_request(request, &())
        .await
        .map_err(|error| refusal(error.status(), error.body_text(), limits))?;
    let broken = |error: MultipartError| refusal(error.status(), error.body_text(), limits);
    let mut images = Vec::new();
    while let Some(field) = form.next_field().await.map_err(broken)? {
        let name = field.file_name().or(field.name()).unwrap_or("image").to_owned();
        let bytes = field.bytes().await.map_err(broken)?;
        check_number(images.len() + 1)?;
        images.push(Source::File { name, bytes });
    }
    if images.is_empty() {
        return Err(Refusal::new(StatusCode::BAD_REQUEST, "the form has no file"));
    }
    Ok(Asked::Several(images))
}

async fn addresses(request: Request, limits: Limits) -> Result<Asked, Refusal> {
    let expected = "expected {\"url\": \"https://...\"} or {\"urls\": [...]}";
    let Json(addresses) =
        Json::<Addresses>::from_request(request, &()).await.map_err(|error| match error {
            JsonRejection::JsonDataError(_) => Refusal::new(StatusCode::BAD_REQUEST, expected),
            JsonRejection::JsonSyntaxError(_) => {
                Refusal::new(StatusCode::BAD_REQUEST, format!("that is not JSON: {expected}"))
            }
            error => refusal(error.status(), error.body_text(), limits),
        })?;
    if !limits.addresses {
        let why = "this service fetches no URLs: send the image itself, or start it with --allow-urls";
        return Err(Refusal::new(StatusCode::FORBIDDEN, why));
    }
    match addresses {
        Addresses::One { url } => Ok(Asked::One(Source::Address(url))),
        Addresses::Several { urls } if urls.is_empty() => {
            Err(Refusal::new(StatusCode::BAD_REQUEST, format!("`urls` is empty: {expected}")))
        }
        Addresses::Several { urls } => {
            check_number(urls.len())?;
            Ok(Asked::Several(urls.into_iter().map(Source::Address).collect()))
        }
    }
}

/// A body that cannot be taken in.
fn refusal(status: StatusCode, why: String, limits: Limits) -> Refusal {
    if status != StatusCode::PAYLOAD_TOO_LARGE {
        return Refusal::new(status, why);
    }
    let most = limits.bytes / 1_000_000;
    let why = format!(
        "the request has more than {most} MB: send smaller images or fewer at once, or start the service with a larger \
         --max-mb"
    );
    Refusal::new(status, why)
}

fn check_number(images: usize) -> Result<(), Refusal> {
    if images <= MOST_IMAGES {
        return Ok(());
    }
    let why = format!("a request may have {MOST_IMAGES} images: send the others in another one");
    Err(Refusal::new(StatusCode::PAYLOAD_TOO_LARGE, why))
}
