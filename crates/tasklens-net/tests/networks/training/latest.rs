//! What the events of a run say of its latest batches.

use super::*;

#[test]
fn the_losses_of_the_batches_add_up_to_that_of_the_epoch() {
    let project = Project::new();
    let events = project.train("run", false, &[("model.epochs", "2"), ("model.label_smoothing", "0.1")]);
    let (mut sum, mut done, mut batches, mut epochs) = (0.0, 0, 0, 0);
    for event in &events {
        match event {
            Event::Batch(progress) if progress.phase == Phase::Validation => {
                assert_eq!(progress.latest, None, "nothing is learnt from them");
            }
            Event::Batch(progress) => {
                let latest = progress.latest.as_ref().expect("each batch has labels");
                sum += latest.loss * (progress.done - done) as f64;
                (done, batches) = (progress.done, batches + latest.batches);
            }
            Event::Epoch(epoch) => {
                assert_eq!((done, batches), (18, 3));
                // A third of the images have no label for the second task.
                let (of_batches, of_epoch) = (sum / 18.0, epoch.train.loss);
                assert!((of_batches - of_epoch).abs() < 1e-9, "{of_batches} {of_epoch}");
                (sum, done, batches, epochs) = (0.0, 0, 0, epochs + 1);
            }
            _ => {}
        }
    }
    assert_eq!(epochs, 2);
}
