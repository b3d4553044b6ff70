//! `tasklens evaluate`: every number and list that Inspect shows, as text, JSON or a page.

mod text;

use std::path::Path;

use anyhow::{Context as _, bail, ensure};
use tasklens_data::config::{Config, Task};
use tasklens_data::dataset::split::Part;
use tasklens_data::dataset::table::Table;
use tasklens_data::dataset::{Dataset, Row, images_of_project, problems};
use tasklens_data::files::{self, Output};
use tasklens_data::text::counted;
use tasklens_data::work::cores;
use tasklens_net::evaluation::agreement::{self, Disagreement};
use tasklens_net::evaluation::findings::{self, Search, labelled_tasks};
use tasklens_net::evaluation::inspection::Inspection;
use tasklens_net::evaluation::page::page;
use tasklens_net::evaluation::report::{EvaluationReport, TaskReport};
use tasklens_net::evaluation::run_comparison::RunComparison;
use tasklens_net::inference::Predictor;
use tasklens_net::inference::loader::Batching;
use tasklens_net::inference::outputs::OutputStore;
use tasklens_net::training::run_folder::{CONFIG, SPLIT};
use tasklens_net::training::seen::{self, Seen};
use tasklens_net::training::split_file;

use super::arguments::Evaluate;
use super::progress::Bar;
use super::{interrupt, open_config, output, unsaved_edits};

/// How many problems, mistakes or label errors of a kind are listed.
const MOST_OF_KIND: usize = 5;

pub fn run(arguments: &Evaluate) -> anyhow::Result<bool> {
    // Before hours of prediction, not after.
    let html = arguments.html.as_ref().map(|file| output("--html", file)).transpose()?;
    let is_torn = arguments.json && html.as_ref().is_some_and(Output::is_standard);
    ensure!(!is_torn, "--json and --html cannot both go to standard output; name a file for --html");
    let predictor = Predictor::open(&arguments.run, arguments.device)?;
    let mut config = config_of(arguments, &predictor)?;
    ensure!(
        config.model.tasks == predictor.tasks(),
        "the tasks of {} are not those of the model {}",
        config.file.display(),
        predictor.path().display()
    );
    let csv = &files::without_detours(&config.paths.model_dataframe);
    let table = Table::open(csv).with_context(|| match arguments.csv.is_none() && !csv.exists() {
        true => "the CSV of the run is missing; if its project was moved, give its path: `tasklens evaluate RUN CSV`",
        false => "the CSV cannot be evaluated",
    })?;
    let not_evaluated =
        if arguments.csv.is_some() { take_out_tasks(&mut config, &table)? } else { Vec::new() };
    let dataset = Dataset::from_table(table, &config)?;
    let found = match arguments.csv {
        Some(_) => [problems::unmeasured(&dataset, &not_evaluated), problems::of_measured(&dataset)].concat(),
        None => dataset.problems.to_vec(),
    };
    for line in problems::lines(&found, MOST_OF_KIND, super::check::told) {
        say!("{line}");
    }
    let parts = parts(arguments, &dataset)?;
    check_labelled(&dataset, &parts)?;
    let stop = interrupt::flag()?;
    let found = inspect(&arguments.run, &predictor, &config, &dataset, &parts, &stop)?;
    let Some((inspection, store, failures)) = found else {
        return Ok(false);
    };
    let tasks =
        labelled_tasks(&inspection).map(|task| TaskReport::new(&dataset, &inspection, task)).collect();
    let mut report = EvaluationReport {
        model: arguments.run.clone(),
        images: inspection.len(),
        failures,
        tasks,
        not_evaluated,
        disagreements: Vec::new(),
        duplicates: None,
        comparison: None,
    };
    // Another CSV has other rows.
    if arguments.csv.is_none() {
        report.disagreements = disagreements_with(&arguments.run, &predictor, &dataset, &inspection);
    }
    if let Some(other) = &arguments.compare {
        let predictor = Predictor::open(other, arguments.device)?;
        let Some((before, ..)) = inspect(other, &predictor, &config, &dataset, &parts, &stop)? else {
            return Ok(false);
        };
        let trained = trained_on(other, &dataset)?;
        report.comparison = Some(RunComparison::new(&dataset, &inspection, other.clone(), &before, &trained));
    }
    if !arguments.quick {
        look_for_errors(&mut report, &dataset, &inspection, &store, &config, &stop)?;
    }
    if let Some(output) = &html {
        write_page(&report, output, &stop)?;
    }
    if arguments.json {
        out!("{}", serde_json::to_string(&report)?);
    } else {
        text::print(&report);
    }
    Ok(report.failures.is_empty() && !stop.is_set())
}

/// Says which labels are not measured because they are not in the CSV yet; an error if no row has one that is.
fn check_labelled(dataset: &Dataset, parts: &[Option<Part>]) -> anyhow::Result<()> {
    let csv = &dataset.table.path;
    // That these cannot be read is no reason to measure nothing.
    let edits = unsaved_edits(csv, "measured").unwrap_or_else(|error| Some(format!("{error:#}")));
    if parts.iter().any(Option::is_some) {
        if let Some(told) = edits {
            say!("warning: {told}");
        }
        return Ok(());
    }
    let edits = edits.map(|told| format!("; {told}")).unwrap_or_default();
    bail!("{} has no labelled row{edits}", csv.display())
}

/// Where the accuracies are not those that the run recorded. That nothing can be read of these is no reason to fail.
fn disagreements_with(
    run: &Path,
    predictor: &Predictor,
    dataset: &Dataset,
    inspection: &Inspection,
) -> Vec<Disagreement> {
    match agreement::Record::open(run, predictor.tasks()) {
        Ok(record) => agreement::disagreements(&record, dataset, inspection, predictor.precision()),
        Err(error) => {
            say!("warning: the scores are not compared with those that the run recorded: {error:#}");
            Vec::new()
        }
    }
}

/// The outputs of a run, those that are missing predicted now, and what could not be read; `None` where the
/// user stopped it.
fn inspect(
    run: &Path,
    predictor: &Predictor,
    config: &Config,
    dataset: &Dataset,
    parts: &[Option<Part>],
    stop: &interrupt::Flag,
) -> anyhow::Result<Option<(Inspection, OutputStore, Vec<String>)>> {
    let which: Vec<usize> = (0..parts.len()).filter(|row| parts[*row].is_some()).collect();
    let store = writable(OutputStore::of(run)?)?;
    let mut bar = Bar::new("predicting");
    let workers = cores();
    let batching = Batching { size: config.model.batch_size, workers };
    let pass = store.compute(|| Ok(predictor), &dataset.rows, &which, batching, &mut |done, of| {
        bar.set(done as u64, of as u64);
        !stop.is_set()
    })?;
    bar.finish();
    let csv = dataset.table.path.display();
    for (row, note) in &pass.notes {
        say!("warning: {csv}, line {}: {note}", dataset.table.line_of_row(*row));
    }
    let explained = pass.failures.into_iter();
    let explained = explained.map(|(row, message)| format!("{csv}, {}", dataset.image_problem(row, message)));
    let failures: Vec<String> = explained.collect();
    for failure in &failures {
        say!("warning: {failure}");
    }
    if stop.is_set() {
        say!("stopped; the predictions so far are kept, and the same command continues from there");
        return Ok(None);
    }
    let inspection = Inspection::new(dataset, parts, &store.load()?);
    Ok(Some((inspection, store, failures)))
}

/// Takes the tasks out that the CSV has no column of, and returns their names.
fn take_out_tasks(config: &mut Config, table: &Table) -> anyhow::Result<Vec<String>> {
    let tasks = std::mem::take(&mut config.model.tasks);
    let (there, gone): (Vec<Task>, Vec<Task>) =
        tasks.into_iter().partition(|task| table.column(&task.name).is_some());
    let gone: Vec<String> = gone.into_iter().map(|task| task.name).collect();
    ensure!(
        !there.is_empty(),
        "{} has no column of any task of the network, which are {}; its columns are {}",
        table.path.display(),
        gone.join(", "),
        table.headers.join(", ")
    );
    config.model.tasks = there;
    Ok(gone)
}

/// The rows of a CSV that is named are a test, but for images that the run used; the run's own rows are what they
/// were when it began, whatever the CSV holds by now.
fn parts(arguments: &Evaluate, dataset: &Dataset) -> anyhow::Result<Vec<Option<Part>>> {
    if arguments.csv.is_some() {
        let seen = seen::of_run(&arguments.run, dataset)?;
        let parts = seen.as_ref().map_or_else(|| vec![None; dataset.rows.len()], |seen| seen.parts.clone());
        let test = |(row, part): (&Row, Option<Part>)| row.usable.then(|| part.unwrap_or(Part::Test));
        let parts: Vec<Option<Part>> = dataset.rows.iter().zip(parts).map(test).collect();
        say_what_was_seen(&arguments.run, dataset, seen.as_ref(), &parts);
        return Ok(parts);
    }
    let mut parts = split_file::parts(&arguments.run, dataset)?;
    if arguments.quick {
        parts.iter_mut().for_each(|part| *part = part.filter(|part| *part == Part::Validation));
    }
    Ok(parts)
}

/// What has to be known of the scores of a CSV: they are too good where the network has seen its images.
fn say_what_was_seen(run: &Path, dataset: &Dataset, seen: Option<&Seen>, parts: &[Option<Part>]) {
    let (run, csv) = (run.display(), dataset.table.path.display());
    let Some(seen) = seen else {
        say!(
            "note: {run} does not tell which images it used (it has no {SPLIT}); if any of {csv} are among them, the \
             scores are too good"
        );
        return;
    };
    let count = |part| parts.iter().filter(|other| **other == Some(part)).count();
    let (train, validation, test) = (count(Part::Train), count(Part::Validation), count(Part::Test));
    let of = counted(train + validation + test, "labelled image");
    if train + validation > 0 {
        let unseen =
            if test == 0 { "It has no image that is new to the network" } else { "The others are `test`" };
        say!(
            "warning: of the {of} of {csv}, {run} was trained on {train} and chose its weights by {validation}: they are \
             scored separately, as `train` and `validation`, which says little about new images. {unseen}"
        );
    }
    if seen.lost > 0 && test > 0 {
        say!(
            "warning: {} that {run} used are missing; if any of {csv} are the same, they count as `test` \
             and make its scores too good",
            counted(seen.lost, "image")
        );
    }
}

/// Which rows a run that is compared with trained on, as far as it tells.
fn trained_on(run: &Path, dataset: &Dataset) -> anyhow::Result<Vec<bool>> {
    let parts = match seen::of_run(run, dataset)? {
        Some(seen) => seen.parts,
        None => {
            say!(
                "note: {} does not tell which images it used (it has no {SPLIT}); its scores are too good on those that it was trained on",
                run.display()
            );
            Vec::new()
        }
    };
    Ok(parts.into_iter().map(|part| part == Some(Part::Train)).collect())
}

/// Adds the labels that are probably wrong and the near-duplicates.
fn look_for_errors(
    report: &mut EvaluationReport,
    dataset: &Dataset,
    inspection: &Inspection,
    store: &OutputStore,
    config: &Config,
    stop: &interrupt::Flag,
) -> anyhow::Result<()> {
    let mut bar: Option<(Search, Bar)> = None;
    let mut keep_going = |search: Search, done: usize, of: usize| {
        if bar.as_ref().is_none_or(|(shown, _)| *shown != search)
            && let Some((_, before)) = bar.replace((search, Bar::new(search.title())))
        {
            before.finish();
        }
        if let Some((_, bar)) = &mut bar {
            bar.set(done as u64, of as u64);
        }
        !stop.is_set()
    };
    let added = findings::add(report, dataset, inspection, store, config, &mut keep_going);
    if let Some((_, bar)) = bar {
        bar.finish();
    }
    added
}

/// Beside the run, so that the next evaluation and the window need not predict again; else nowhere for long.
fn writable(store: OutputStore) -> anyhow::Result<OutputStore> {
    match std::fs::create_dir_all(store.folder()) {
        Ok(()) => Ok(store),
        Err(error) => {
            say!("the predictions are not stored: {} cannot be written: {error}", store.folder().display());
            store.temporary()
        }
    }
}

fn write_page(report: &EvaluationReport, output: &Output, stop: &interrupt::Flag) -> anyhow::Result<()> {
    let mut bar = Bar::new("reading the images of the page");
    let html = page(report, &mut |done, of| {
        bar.set(done as u64, of as u64);
        !stop.is_set()
    });
    bar.finish();
    output.write(html.as_bytes()).with_context(|| format!("cannot write to {output}"))?;
    if let Output::File(file) = output {
        say!("the report is in {}", file.display());
    }
    Ok(())
}

/// The config that the model was trained with, reading the CSV that is to be measured.
fn config_of(arguments: &Evaluate, predictor: &Predictor) -> anyhow::Result<Config> {
    let mut changes = Vec::new();
    if let Some(csv) = &arguments.csv {
        let csv = std::path::absolute(csv).with_context(|| format!("cannot find {}", csv.display()))?;
        // Its images are beside it or where its own project says, never those of the training by chance.
        let trained_with = Config::parse(&predictor.description().config, &csv).ok();
        let images = images_of_project(&csv, trained_with.as_ref());
        let images = images.or_else(|| csv.parent().map(Path::to_path_buf)).unwrap_or_default();
        for (key, path) in [("paths.model_dataframe", &csv), ("paths.images", &images)] {
            let path =
                path.to_str().with_context(|| format!("{} is not UTF-8: rename it", path.display()))?;
            changes.push((key.to_owned(), serde_json::to_string(path)?));
        }
        // Its rows need not say train or validation.
        changes.push(("model.split_column".to_owned(), "null".to_owned()));
    }
    let file = arguments.run.join(CONFIG);
    if file.is_file() {
        return open_config(&file, &changes, false);
    }
    // A checkpoint by itself holds the config as used.
    let text = &predictor.description().config;
    let folder = tempfile::tempdir().context("cannot create a temporary folder")?;
    let file = folder.path().join(CONFIG);
    files::replace(&file, text.as_bytes()).with_context(|| format!("cannot write {}", file.display()))?;
    open_config(&file, &changes, false)
}
