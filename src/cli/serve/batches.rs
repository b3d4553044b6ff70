//! Images that arrive together go through the network together.

use std::sync::Arc;

use anyhow::anyhow;
use crossbeam_channel::{Receiver, Sender, unbounded};
use tasklens_data::panics;
use tasklens_net::inference::Prediction;
use tokio::sync::oneshot;

use super::model::Model;

/// The most images of a batch: those that come while it is computed have to wait for it.
const MOST: usize = 16;

/// One image, `[H, W, 3]` bytes of the size of its model.
struct Asked {
    model: Arc<Model>,
    pixels: Vec<u8>,
    answer: oneshot::Sender<Result<Answered, String>>,
}

/// The answer to one image.
pub struct Answered {
    pub prediction: Prediction,
    /// Images that went through the network with it.
    pub batch: usize,
}

/// Where images wait for the network. How many there are at most is the number of requests that are let in.
pub struct Queue(Sender<Asked>);

impl Queue {
    /// With a thread that predicts until nobody can ask any more.
    pub fn start() -> std::io::Result<Self> {
        let (sender, receiver) = unbounded();
        std::thread::Builder::new().name("predict".to_owned()).spawn(move || work(&receiver))?;
        Ok(Self(sender))
    }

    /// Predicts one image, `[H, W, 3]` bytes of the model's size.
    ///
    /// # Errors
    /// The device ran out of memory or failed.
    pub async fn predict(&self, model: Arc<Model>, pixels: Vec<u8>) -> anyhow::Result<Answered> {
        let (answer, answered) = oneshot::channel();
        self.0.send(Asked { model, pixels, answer }).map_err(|_| anyhow!("nothing predicts any more"))?;
        answered.await?.map_err(anyhow::Error::msg)
    }
}

fn work(receiver: &Receiver<Asked>) {
    let mut next = None;
    while let Some(first) = next.take().or_else(|| receiver.recv().ok()) {
        let mut batch = vec![first];
        while batch.len() < MOST {
            match receiver.try_recv() {
                Ok(asked) if Arc::ptr_eq(&asked.model, &batch[0].model) => batch.push(asked),
                // Better weights have come: those wait for the next batch.
                Ok(other) => {
                    next = Some(other);
                    break;
                }
                Err(_) => break,
            }
        }
        // Whoever has gone needs no answer.
        batch.retain(|asked| !asked.answer.is_closed());
        answer(batch);
    }
}

fn answer(batch: Vec<Asked>) {
    let Some(first) = batch.first() else { return };
    let model = Arc::clone(&first.model);
    let (images, mut all) = (batch.len(), Vec::new());
    let mut answers = Vec::with_capacity(images);
    for Asked { pixels, answer, .. } in batch {
        all.extend(pixels);
        answers.push(answer);
    }
    let predicted = panics::catch(|| model.predictor.predict_pixels(&all, images))
        .unwrap_or_else(|message| Err(anyhow::Error::msg(message)));
    match predicted {
        Ok(predictions) => {
            for (answer, prediction) in answers.into_iter().zip(predictions) {
                // Whoever has gone needs no answer.
                let _ = answer.send(Ok(Answered { prediction, batch: images }));
            }
        }
        Err(error) => {
            for answer in answers {
                let _ = answer.send(Err(format!("{error:#}")));
            }
        }
    }
}
