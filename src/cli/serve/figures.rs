//! What `GET /metrics` tells, in the text format of Prometheus.

use std::sync::atomic::{AtomicI64, AtomicU64};

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::registry::{Registry, Unit};

use super::model::Model;

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct Status {
    status: u16,
}

/// The figures of a service.
pub struct Figures {
    registry: Registry,
    requests: Family<Status, Counter<u64, AtomicU64>>,
    images: Counter<u64, AtomicU64>,
    seconds: Histogram,
    batch: Histogram,
    waiting: Gauge<i64, AtomicI64>,
    loaded: Gauge<i64, AtomicI64>,
    epoch: Gauge<i64, AtomicI64>,
}

impl Figures {
    pub fn new(model: &Model) -> Self {
        let mut registry = Registry::with_prefix("tasklens");
        let figures = Self {
            requests: Family::default(),
            images: Counter::default(),
            seconds: Histogram::new(exponential_buckets(0.005, 2.0, 12)),
            batch: Histogram::new([1.0, 2.0, 4.0, 8.0, 16.0]),
            waiting: Gauge::default(),
            loaded: Gauge::default(),
            epoch: Gauge::default(),
            registry: Registry::default(),
        };
        registry.register(
            "requests",
            "Requests to /predict, by the status of their answer",
            figures.requests.clone(),
        );
        registry.register("images", "Images that were predicted", figures.images.clone());
        registry.register_with_unit(
            "request",
            "From the head of a request to /predict to its answer",
            Unit::Seconds,
            figures.seconds.clone(),
        );
        registry.register(
            "batch_images",
            "Images that went through the network together",
            figures.batch.clone(),
        );
        registry.register(
            "requests_in_progress",
            "Requests that are being answered",
            figures.waiting.clone(),
        );
        registry.register_with_unit(
            "model_loaded",
            "When the weights were loaded, since 1970",
            Unit::Seconds,
            figures.loaded.clone(),
        );
        registry.register("model_epoch", "Epochs that the model was trained for", figures.epoch.clone());
        figures.loaded(model);
        Self { registry, ..figures }
    }

    /// Other weights answer from now on.
    pub fn loaded(&self, model: &Model) {
        self.loaded.set(model.loaded());
        self.epoch.set(i64::try_from(model.epoch()).unwrap_or(i64::MAX));
    }

    /// A request has come.
    pub fn began(&self) {
        self.waiting.inc();
    }

    /// It was answered, or whoever asked has gone.
    pub fn ended(&self) {
        self.waiting.dec();
    }

    /// Requests that are being answered.
    pub fn in_progress(&self) -> i64 {
        self.waiting.get()
    }

    /// The answer to a request.
    pub fn answered(&self, status: u16, seconds: f64) {
        self.requests.get_or_create(&Status { status }).inc();
        self.seconds.observe(seconds);
    }

    /// An image was predicted, among so many.
    pub fn predicted(&self, batch: usize) {
        self.images.inc();
        self.batch.observe(batch as f64);
    }

    /// All of them.
    pub fn text(&self) -> String {
        let mut text = String::new();
        // Writing to a string does not fail.
        let _ = encode(&mut text, &self.registry);
        text
    }
}
