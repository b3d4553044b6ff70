//! `tasklens compare`: one network for all tasks beside one for each, trained and measured.

use anyhow::{Context as _, bail, ensure};
use tasklens_data::config::OutputPath;
use tasklens_data::files::Output;
use tasklens_data::text::{clock, counted};
use tasklens_net::study::page::{page, points, with_interval};
use tasklens_net::study::report::StudyReport;
use tasklens_net::study::{self, Study, StudyEvent, StudyPlan, StudyRequest};
use tasklens_net::training::Unsaved;
use tasklens_net::training::events::{Event, Phase};
use tasklens_net::training::run_folder;

use super::arguments::Compare;
use super::progress::Bar;
use super::train::{warn_of_edits, warning};
use super::{interrupt, open_config, output, refuse_outside};

pub fn run(arguments: &Compare) -> anyhow::Result<bool> {
    // Before hours of training, not after.
    let html = arguments.html.as_ref().map(|file| output("--html", file)).transpose()?;
    let is_torn = arguments.json && html.as_ref().is_some_and(Output::is_standard);
    ensure!(!is_torn, "--json and --html cannot both go to standard output; name a file for --html");
    let config = open_config(&arguments.config, &arguments.changes, arguments.allow_outside)?;
    if !arguments.allow_outside {
        refuse_outside(&config, &config.outside(&[OutputPath::Runs]))?;
    }
    warn_of_edits(&config)?;
    let notices = config.notices.clone();
    let plan = StudyPlan::new(config, arguments.epochs, arguments.seeds, &arguments.name)?;
    let mut teller = Teller::new(&plan, notices);
    let allow_outside = arguments.allow_outside;
    let study = study::start(StudyRequest { plan, allow_outside, edits: Unsaved::default() }, || {});
    let stopper = study.stopper.clone();
    interrupt::listen(move || stopper.stop())?;
    let report = follow(&study, &mut teller);
    teller.bar.finish();
    let Some(report) = report? else {
        say!("stopped; the same command goes on from there");
        return Ok(false);
    };
    if let Some(output) = &html {
        let html = page(&report, &arguments.name);
        output.write(html.as_bytes()).with_context(|| format!("cannot write to {output}"))?;
        if let Output::File(file) = output {
            say!("the page is in {}", file.display());
        }
    }
    if arguments.json {
        out!("{}", serde_json::to_string(&report)?);
    } else if html.as_ref().is_none_or(|output| !output.is_standard()) {
        print(&report);
    }
    Ok(true)
}

/// Follows the study to its end; `None` where it was stopped.
fn follow(study: &Study, teller: &mut Teller) -> anyhow::Result<Option<StudyReport>> {
    for event in &study.events {
        match event {
            StudyEvent::Finished(report) => return Ok(Some(*report)),
            StudyEvent::Stopped => return Ok(None),
            StudyEvent::Failed { error } => bail!(error),
            StudyEvent::Run { index, is_over } => teller.tell_run(index, is_over),
            StudyEvent::Measuring { what, done, of } => teller.bar.set_with(what, done as u64, of as u64),
            StudyEvent::Training(event) => teller.tell(&event),
        }
    }
    bail!("the study ended without a word")
}

/// Says how far the study is.
struct Teller {
    bar: Bar,
    /// The names of all runs.
    names: Vec<String>,
    /// The run in hand, as `2 of 4, name`.
    run: String,
    /// Warnings that were printed: each network has the same of the CSV.
    told: Vec<String>,
}

impl Teller {
    fn new(plan: &StudyPlan, told: Vec<String>) -> Self {
        let names = plan.runs().iter().map(|run| run_folder::name(&run.folder)).collect();
        Self { bar: Bar::new("preparing"), names, run: String::new(), told }
    }

    fn tell_run(&mut self, index: usize, is_over: bool) {
        let name = self.names.get(index).map_or("", String::as_str);
        self.run = format!("{} of {}, {name}", index + 1, self.names.len());
        let state = if is_over { "trained before" } else { "trains" };
        self.bar.line(&format!("network {}: {state}", self.run));
    }

    fn tell(&mut self, event: &Event) {
        match event {
            Event::Preparing { what, done, of } => self.bar.set_with(what, *done, *of),
            Event::Batch(batch) => {
                let phase = if batch.phase == Phase::Train { "train" } else { "validate" };
                let mut text = format!("loss {:.4}", batch.loss);
                if batch.is_timed() {
                    text += &format!("  {} left of this network", clock(batch.secs_left));
                }
                let what = format!("{}, epoch {} {phase}", self.run, batch.epoch);
                self.bar.set_text(&what, batch.done as u64, batch.of as u64, &text);
            }
            Event::Warning { message, about } if !self.told.contains(message) => {
                self.bar.line(&warning(message, *about));
                self.told.push(message.clone());
            }
            _ => {}
        }
    }
}

fn print(report: &StudyReport) {
    let widest = report.tasks.iter().map(|task| task.task.chars().count()).max().unwrap_or(0).max(4);
    let networks = report.neighbours.iter().map(|row| row.network.chars().count()).max().unwrap_or(0).max(11);
    let seeds = report.seeds.len();
    out!(
        "accuracy on the images that validate, {}{}",
        counted(seeds, "seed"),
        if seeds == 1 { " (which tells nothing of the spread)" } else { ", with 95 % intervals over them" }
    );
    out!("{:widest$}  {:26}  {:26}  difference, points", "task", "all tasks in one", "alone");
    for task in &report.tasks {
        let (all, single) = (with_interval(&task.all), with_interval(&task.single));
        out!("{:widest$}  {all:26}  {single:26}  {}", task.task, points(&task.differences()));
    }
    for notice in &report.notices {
        out!("{notice}");
    }
    let times = report.times;
    out!("");
    out!(
        "one network is {:.2} times as fast as {} in batches of {} ({:.1} against {:.1} ms an image), and {:.2} times one \
         image at a time",
        times.ratio(),
        report.tasks.len(),
        times.batch,
        times.all * 1e3,
        times.single * 1e3,
        times.ratio_one_by_one()
    );
    out!("");
    out!("how often the nearest training image has the right label, by the features of each network");
    let heads: Vec<String> = report.tasks.iter().map(|task| format!("{:>12}", task.task)).collect();
    out!("{:networks$}  {}", "features of", heads.join("  "));
    for row in &report.neighbours {
        let cells: Vec<String> =
            row.accuracies.iter().map(|found| format!("{:>12}", share(*found))).collect();
        out!("{:networks$}  {}", row.network, cells.join("  "));
    }
}

fn share((right, of): (usize, usize)) -> String {
    if of == 0 { "-".to_owned() } else { format!("{:.1} %", 100.0 * right as f64 / of as f64) }
}
