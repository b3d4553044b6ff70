//! `tasklens train`: the run's events as a bar, as plain lines, or as JSON lines.

use anyhow::Context as _;
use tasklens_data::config::Config;
use tasklens_data::files;
use tasklens_data::text::{clock, whole_percent};
use tasklens_net::evaluation::verdict;
use tasklens_net::training::events::{
    Command, Concern, EpochMetrics, Event, Phase, Stage, Started, StopReason, Stopped,
};
use tasklens_net::training::ranks::Place;
use tasklens_net::training::{Request, Unsaved, outputs, run_folder, start_among};

use super::arguments::Train;
use super::progress::Bar;
use super::{interrupt, open_config, refuse_outside, stdout, unsaved_edits};

pub fn run(arguments: &Train) -> anyhow::Result<bool> {
    let place = Place::from_env()?;
    // Process 0 speaks for all; the others say what goes wrong.
    let follower = place.as_ref().map(|place| place.rank).filter(|rank| *rank > 0);
    let request = request(arguments, follower.is_some())?;
    let notices = request.config.notices.clone();
    let training = start_among(request, place, || {});
    let commands = training.commands.clone();
    let _flag = interrupt::listen(move || {
        // The channel is closed when the run is over anyway.
        let _ = commands.send(Command::Stop);
    })?;
    let mut printer = Printer::new(arguments.json, notices);
    let mut ended_well = false;
    for event in training.events {
        ended_well = matches!(event, Event::Stopped(_));
        match (follower, &event) {
            (None, event) => printer.print(event)?,
            (Some(rank), Event::Warning { message, .. }) => say!("process {rank}: warning: {message}"),
            (Some(rank), Event::Failed { error }) => say!("tasklens: process {rank}: {error}"),
            (Some(_), _) => {}
        }
        stdout::flush();
    }
    Ok(ended_well)
}

/// The request; one that `follows` another process writes nothing, and need not say what that one says.
fn request(arguments: &Train, follows: bool) -> anyhow::Result<Request> {
    let own = arguments.resume.as_ref().map(|run| run.join(run_folder::CONFIG));
    let file = arguments.config.clone().or(own).context("give a config.yml, or a run with --resume")?;
    let allow_outside = arguments.allow_outside;
    let config = open_config(&file, &arguments.changes, allow_outside)?;
    let resume = arguments.resume.is_some();
    let run = arguments.resume.clone().or_else(|| arguments.run.clone());
    let request = Request { config, run, resume, allow_outside, edits: Unsaved::default() };
    if follows {
        return Ok(request);
    }
    outputs::check(&request.config)?;
    if !allow_outside {
        refuse_outside(&request.config, &outputs::outside(&request))?;
    }
    warn_of_edits(&request.config)?;
    Ok(request)
}

/// A warning of a run as a line, with where to look for more.
pub fn warning(message: &str, about: Concern) -> String {
    match about {
        Concern::Run => format!("warning: {message}"),
        Concern::Data => format!("warning: {message}; `tasklens check` lists them"),
    }
}

/// Labels edited in the window may not be in the CSV yet: whoever trains here should know.
pub(super) fn warn_of_edits(config: &Config) -> anyhow::Result<()> {
    if let Some(told) = unsaved_edits(&config.paths.model_dataframe, "used for training")? {
        say!("warning: {told}");
    }
    Ok(())
}

/// Shows the events of a run as they come.
struct Printer {
    json: bool,
    /// Notices of the config, told when the run begins.
    notices: Vec<String>,
    bar: Bar,
    tasks: Vec<String>,
    epochs: usize,
    started: Option<Started>,
    /// The epochs of this run, those before it was resumed left out.
    done: Vec<EpochMetrics>,
    /// What was being prepared, so that a log without a bar names each step once.
    preparing: String,
}

impl Printer {
    fn new(json: bool, notices: Vec<String>) -> Self {
        Self {
            json,
            notices,
            bar: Bar::new("preparing"),
            tasks: Vec::new(),
            epochs: 0,
            started: None,
            done: Vec::new(),
            preparing: String::new(),
        }
    }

    fn print(&mut self, event: &Event) -> anyhow::Result<()> {
        if self.json {
            out!("{}", serde_json::to_string(event)?);
            return Ok(());
        }
        match event {
            Event::Preparing { what, done, of } => self.preparing(what, *done, *of),
            Event::Started(started) => self.started(started),
            Event::StageBegan { epoch, stage } => {
                let learns = match stage {
                    Stage::Heads => "the heads are trained",
                    Stage::All => "all layers are trained",
                };
                self.bar.result(&format!("from epoch {epoch} on {learns}"));
            }
            Event::Batch(batch) => {
                let phase = if batch.phase == Phase::Train { "train" } else { "validate" };
                let what = format!("epoch {}/{} {phase}", batch.epoch, self.epochs);
                let mut text = format!("loss {:.4}", batch.loss);
                if batch.is_timed() {
                    text = format!(
                        "{:.1} images/s  {text}  {} left, {} in all",
                        batch.images_per_sec,
                        clock(batch.phase_secs_left),
                        clock(batch.secs_left)
                    );
                }
                self.bar.set_text(&what, batch.done as u64, batch.of as u64, &text);
            }
            Event::Epoch(metrics) => {
                self.bar.result(&self.epoch_line(metrics));
                self.done.push(metrics.clone());
            }
            Event::LearningRateReduced { learning_rate, .. } => {
                self.bar.result(&format!("no progress: the learning rate is now {learning_rate:.2e}"));
            }
            Event::Checkpoint { .. } => {}
            // Opening the config printed its notices already.
            Event::Warning { message, .. } if self.notices.contains(message) => {}
            Event::Warning { message, about } => self.bar.line(&warning(message, *about)),
            Event::Paused => self.bar.line("paused"),
            Event::Resumed => self.bar.line("resumed"),
            Event::Stopped(stopped) => self.stopped(stopped),
            Event::Failed { error } => {
                self.bar.finish();
                say!("tasklens: {error}");
            }
        }
        Ok(())
    }

    fn preparing(&mut self, what: &str, done: u64, of: u64) {
        if self.preparing != what {
            what.clone_into(&mut self.preparing);
            self.bar.result(what);
        }
        self.bar.set_with(what, done, of);
    }

    fn started(&mut self, started: &Started) {
        self.tasks.clone_from(&started.tasks);
        self.epochs = started.epochs;
        self.started = Some(started.clone());
        let batches = started.found_batch_size.map_or(String::new(), |size| format!(" · batches of {size}"));
        self.bar.result(&format!(
            "{} train, {} validation · {} · {}{batches} · {:.1} million weights · {}\nrun: {}",
            started.n_train,
            started.n_validation,
            started.device,
            started.precision,
            started.parameters as f64 / 1e6,
            started.weights,
            started.run.display()
        ));
    }

    /// `epoch 3/30  loss 1.2345  val_loss 1.1111  val accuracy: print 0.912  sleeves 0.990  (8 s, 61.0 images/s) best`
    fn epoch_line(&self, metrics: &EpochMetrics) -> String {
        format!(
            "epoch {}/{}  loss {:.4}  val_loss {:.4}  val accuracy: {}  ({}, {:.1} images/s){}",
            metrics.epoch,
            self.epochs,
            metrics.train.loss,
            metrics.validation.loss,
            accuracies(&self.tasks, metrics),
            clock(metrics.secs),
            metrics.images_per_sec,
            if metrics.best { "  best" } else { "" }
        )
    }

    fn stopped(&self, stopped: &Stopped) {
        self.bar.finish();
        let why = match stopped.why {
            StopReason::Finished => "all epochs are done",
            StopReason::EarlyStopping => "val_loss no longer improved",
            StopReason::Asked => "stopped by the user",
        };
        out!("{why} after {}", clock(stopped.secs));
        if let Some(best) = &stopped.best {
            out!("best epoch {}: {}", best.epoch, accuracies(&self.tasks, best));
        }
        if let Some(shares) = gradient_shares(&self.tasks, &self.done) {
            out!("{shares}");
        }
        if let Some(started) = &self.started {
            verdict::judge(started, &self.done, stopped)
                .iter()
                .for_each(|finding| out!("{}", finding.sentence()));
        }
        match &stopped.model {
            Some(model) => out!("model: {}", files::without_detours(model).display()),
            None => out!("no epoch was started: there is no model"),
        }
    }
}

/// `print 0.912  sleeves 0.990`; a task without labels in the validation rows shows a dash.
fn accuracies(tasks: &[String], metrics: &EpochMetrics) -> String {
    let pairs = tasks.iter().zip(&metrics.validation.task_accuracy);
    let text = |accuracy: f64| if accuracy.is_nan() { "-".to_owned() } else { format!("{accuracy:.3}") };
    pairs.map(|(task, accuracy)| format!("{task} {}", text(*accuracy))).collect::<Vec<_>>().join("  ")
}

/// `gradient share: print 62 %  sleeves 38 %`: the mean over the epochs that have shares, if any has.
fn gradient_shares(tasks: &[String], epochs: &[EpochMetrics]) -> Option<String> {
    let known: Vec<&[f64]> = epochs
        .iter()
        .map(|epoch| epoch.gradient_shares.as_slice())
        .filter(|shares| !shares.is_empty() && shares.len() == tasks.len())
        .collect();
    let mean = |task: usize| known.iter().map(|shares| shares[task]).sum::<f64>() / known.len() as f64;
    let text = |(number, task): (usize, &String)| format!("{task} {}", whole_percent(mean(number)));
    let texts: Vec<String> = tasks.iter().enumerate().map(text).collect();
    (!known.is_empty()).then(|| format!("gradient share: {}", texts.join("  ")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_are_the_mean_of_the_epochs_that_have_them() {
        let epoch = |shares: &[f64]| {
            let text = serde_json::json!({
                "epoch": 1, "learning_rate": 0.1, "secs": 1.0, "images_per_sec": 1.0, "best": false,
                "train": {"loss": 1.0, "task_loss": [], "task_accuracy": []},
                "validation": {"loss": 1.0, "task_loss": [], "task_accuracy": []},
                "gradient_shares": shares,
            });
            serde_json::from_value::<EpochMetrics>(text).unwrap()
        };
        let tasks = ["item", "sleeves", "worn on"].map(str::to_owned);
        let epochs = [epoch(&[0.5, 0.3, 0.2]), epoch(&[]), epoch(&[0.7, 0.298, 0.002])];
        assert_eq!(
            gradient_shares(&tasks, &epochs).unwrap(),
            "gradient share: item 60 %  sleeves 30 %  worn on 10 %"
        );
        assert_eq!(gradient_shares(&tasks, &[epoch(&[])]), None);
        assert_eq!(gradient_shares(&tasks[..1], &[]), None);
    }
}
