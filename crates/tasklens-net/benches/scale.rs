//! How long what looks at all images takes with a hundred thousand or a million of them:
//! `cargo bench -p tasklens-net --bench scale [-- NAME ...]` with names as they are printed, such as `scores`.

#![allow(clippy::print_stdout, reason = "a bench prints, and makes files of its own")]

#[path = "scale/features.rs"]
mod features;

use std::path::Path;
use std::time::Instant;

use anyhow::{Context as _, ensure};
use rand::{RngExt as _, SeedableRng as _};
use rand_distr::{Distribution as _, StandardNormal};
use rand_pcg::Pcg64Mcg;
use tasklens_data::config::{Config, Task};
use tasklens_data::dataset::table::Table;
use tasklens_data::dataset::{Dataset, RowLabel};
use tasklens_data::images::{Rgb, resize};
use tasklens_net::evaluation::{label_issues, scores, wrong_labels};
use tasklens_net::inference::features::{Features, MINIATURE_BYTES};
use tasklens_net::inference::outputs::Outputs;
use tasklens_net::inference::{diverse, duplicates, neighbours, projection};
use tasklens_net::labelling::order::{self, LabellingOrder, Question, Uncertainty};
use tasklens_net::labelling::suggestions::Suggestions;
use tasklens_net::training::heads::fit_heads;
use tasklens_net::training::out_of_sample::{self, Settings};

/// A name and what it measures.
type Measure = (&'static str, fn() -> anyhow::Result<()>);

const MEASURES: [Measure; 9] = [
    ("scores", of_scores),
    ("label_issues", of_label_issues),
    ("wrong_labels", of_wrong_labels),
    ("heads", of_heads),
    ("order", of_order),
    ("maps", of_maps),
    ("neighbours", of_neighbours),
    ("diverse", of_diverse),
    ("duplicates", of_duplicates),
];

fn main() -> anyhow::Result<()> {
    let wanted: Vec<String> =
        std::env::args().skip(1).filter(|argument| !argument.starts_with('-')).collect();
    let known = |wanted: &String| MEASURES.iter().any(|(name, _)| wanted == name);
    if let Some(other) = wanted.iter().find(|wanted| !known(wanted)) {
        anyhow::bail!("{other}: expected some of {}", MEASURES.map(|(name, _)| name).join(", "));
    }
    for (name, measure) in MEASURES {
        if wanted.is_empty() || wanted.iter().any(|wanted| wanted == name) {
            println!("{name}");
            measure()?;
        }
    }
    Ok(())
}

fn go_on(_: usize, _: usize) -> bool {
    true
}

/// Says how long `work` takes.
fn timed<T>(what: &str, work: impl FnOnce() -> T) -> T {
    let began = Instant::now();
    let result = work();
    println!("  {what}: {:.3} s", began.elapsed().as_secs_f64());
    result
}

/// `count` vectors, `draw(item, dimension)`, with grey miniatures.
fn drawn(count: usize, dimensions: usize, draw: impl FnMut(usize, usize) -> f32) -> anyhow::Result<Features> {
    features::of_miniatures(&vec![128; count * MINIATURE_BYTES], dimensions, draw)
}

/// Labels of which one in ten is wrong, and probabilities of a fair model.
fn made_up(rows: usize, classes: usize) -> (Vec<Option<u32>>, Vec<f32>) {
    let mut random = Pcg64Mcg::seed_from_u64(1);
    let mut probabilities = Vec::with_capacity(rows * classes);
    let mut labels = Vec::with_capacity(rows);
    for _ in 0..rows {
        let truth = random.random_range(0..classes);
        let wrong = random.random_range(0..10) == 0;
        labels.push(Some(if wrong { random.random_range(0..classes) } else { truth } as u32));
        let mut row: Vec<f32> = (0..classes).map(|_| random.random_range(0.0..3.0f32).exp()).collect();
        row[truth] *= 20.0;
        let sum: f32 = row.iter().sum();
        probabilities.extend(row.iter().map(|p| p / sum));
    }
    (labels, probabilities)
}

fn of_scores() -> anyhow::Result<()> {
    for classes in [10, 100] {
        let (labels, probabilities) = made_up(100_000, classes);
        let what = format!("100,000 rows, {classes} labels");
        let scores = timed(&what, || scores::score(&labels, &probabilities, classes));
        println!("  accuracy {:?}", scores.accuracy);
    }
    Ok(())
}

fn of_label_issues() -> anyhow::Result<()> {
    for classes in [20, 100] {
        let (labels, probabilities) = made_up(100_000, classes);
        let what = format!("100,000 rows, {classes} labels");
        let found = timed(&what, || label_issues::find(&labels, &probabilities, classes));
        println!("  {} issues", found.issues.len());
    }
    Ok(())
}

fn of_wrong_labels() -> anyhow::Result<()> {
    let (labels, probabilities) = made_up(1_000_000, 4);
    let found = timed("1,000,000 rows", || wrong_labels::estimate(&labels, &probabilities, 4));
    println!("  {}", found.sentence());
    Ok(())
}

fn of_heads() -> anyhow::Result<()> {
    let mut random = Pcg64Mcg::seed_from_u64(7);
    let features = drawn(100_000, 2048, |item, i| {
        let own = i % 8 == 0 && (i / 8) % 5 == item % 5;
        let normal: f32 = StandardNormal.sample(&mut random);
        5.0 + if own { 0.3 } else { 0.0 } + normal
    })?;
    let labels: Vec<Vec<Option<u32>>> =
        (0..3).map(|task| (0..100_000).map(|item| Some((item + task * (item % 7)) % 5)).collect()).collect();
    let task = |name: &str| Task { name: name.to_owned(), labels: (0..5).map(|n| n.to_string()).collect() };
    let tasks = [task("a"), task("b"), task("c")];
    timed("100,000 images, cross-validated", || {
        out_of_sample::cross_validate(&features, &labels, &tasks, Settings::default(), &mut go_on)
    })?;
    timed("100,000 images, heads fitted", || fit_heads(&features, &labels, &tasks, 1, &mut go_on))?;
    Ok(())
}

fn of_order() -> anyhow::Result<()> {
    let rows = 1_000_000;
    let config =
        "{paths: {model_dataframe: x.csv}, model: {target_encoder: {two: [a, b], three: [a, b, c]}}}";
    let config = Config::parse(config, Path::new("/config.yml"))?;
    let lines: String = (0..rows).map(|row| format!("{row}.jpg,,\n")).collect();
    let table = Table::from_bytes(format!("path,two,three\n{lines}").into(), Path::new("/x.csv"))?;
    let dataset = Dataset::from_table(table, &config)?;
    let two = (0..rows).flat_map(|row| [row as f32 / 1e6, 1.0 - row as f32 / 1e6]).collect();
    let outputs = Outputs {
        tasks: dataset.tasks.clone(),
        images: (0..rows).map(|row| format!("/{row}.jpg").into()).collect(),
        probabilities: vec![two, [0.3, 0.3, 0.4].repeat(rows)],
        features: Features::default(),
    };
    let said = Suggestions::of_outputs(&dataset, &outputs);
    let label = |row: usize| RowLabel::from(row.is_multiple_of(3).then_some(1));
    let labels: Vec<Vec<RowLabel>> = vec![(0..rows).map(label).collect(); 2];
    let rows: Vec<usize> = (0..rows).collect();
    for order in [LabellingOrder::Unlabelled, LabellingOrder::Uncertain, LabellingOrder::Disagreement] {
        let question = Question {
            order,
            uncertainty: Uncertainty::Margin,
            tasks: &[0, 1],
            labels: &labels,
            rows: &rows,
            suggestions: Some(&said),
        };
        let arranged = timed(&format!("1,000,000 rows, {order:?}"), || order::arrange(&question, &mut go_on));
        println!("  {} rows lead", arranged.context("it went on")?.leading);
    }
    Ok(())
}

fn of_maps() -> anyhow::Result<()> {
    for count in [20_000, 100_000] {
        let mut random = Pcg64Mcg::seed_from_u64(2);
        let features = drawn(count, 512, |item, i| {
            f32::from(u8::from(i % 20 == item % 20)) + random.random_range(0.0..1.0_f32)
        })?;
        timed(&format!("{count} images, principal components"), || {
            projection::pca(&features, 1, &mut go_on)
        })?;
        timed(&format!("{count} images, map"), || {
            projection::neighbour_preserving(&features, 1, &mut go_on)
        })?;
    }
    Ok(())
}

/// A hundred thousand vectors that have little to do with each other.
fn strangers() -> anyhow::Result<Features> {
    drawn(100_000, 2048, |item, i| ((item * 131 + i * 17) % 1009) as f32 / 1009.0)
}

fn of_neighbours() -> anyhow::Result<()> {
    let features = strangers()?;
    let query = features.gather(&[77_777]);
    let seconds = |work: &dyn Fn()| {
        let began = Instant::now();
        work();
        began.elapsed().as_secs_f64()
    };
    let scalar = || {
        let products = (0..features.len())
            .map(|item| features.half(item).iter().zip(&query).map(|(a, b)| a.to_f32() * b).sum::<f32>());
        assert!(products.fold(0.0, f32::max) > 0.0, "all are zero");
    };
    for _ in 0..5 {
        let ours = seconds(&|| {
            assert!(neighbours::nearest(&features, &query, 20, &mut go_on).is_some(), "it stopped");
        });
        println!(
            "  100,000 images: {:.4} s; one scalar loop takes {:.1} times as long",
            ours,
            seconds(&scalar) / ours
        );
    }
    Ok(())
}

fn of_diverse() -> anyhow::Result<()> {
    let features = strangers()?;
    let centres: Vec<usize> = (0..1000).collect();
    let choose = |centres: &[usize], k: usize| diverse::k_centre_greedy(&features, centres, k, &mut go_on);
    let chosen = timed("200 of 100,000 images chosen", || choose(&[], 200));
    ensure!(chosen.is_some_and(|chosen| chosen.len() == 200), "another number was chosen");
    timed("100,000 images compared with 1000 centres", || choose(&centres, 0)).context("it went on")?;
    Ok(())
}

fn of_duplicates() -> anyhow::Result<()> {
    let mut random = Pcg64Mcg::seed_from_u64(6);
    let miniatures: Vec<u8> = (0..100_000)
        .flat_map(|_| {
            let coarse = Rgb::from_fn(4, 4, |_, _| image::Rgb(random.random::<[u8; 3]>()));
            resize::resize(&coarse, 12, 12).into_raw()
        })
        .collect();
    let features = features::of_miniatures(&miniatures, 1, |_, _| 0.0)?;
    let all: Vec<usize> = (0..100_000).collect();
    let found = timed("20,000 images against 80,000", || {
        let (first, second) = all.split_at(20_000);
        duplicates::across(&features, first, second, duplicates::SAME_PHOTOGRAPH, &mut go_on)
    })?;
    println!("  {} pairs", found.map_or(0, |found| found.len()));
    Ok(())
}
