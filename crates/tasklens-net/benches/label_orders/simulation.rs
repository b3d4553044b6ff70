//! Someone who labels, simulated: the labels are known, and given out as they are asked for.

use std::time::Instant;
use tasklens_data::dataset::RowLabel;

use rand::SeedableRng as _;
use rand::seq::SliceRandom as _;
use rand_pcg::Pcg64;
use tasklens_net::labelling::order::{Arranged, LabellingOrder, Question, Uncertainty, arrange};
use tasklens_net::labelling::suggestions::Suggestions;

use super::subject::Subject;
use super::{Point, ROUNDS};

/// `[task][row]`.
type Labels = Vec<Vec<Option<u32>>>;

/// One repeat.
pub struct Simulation<'a> {
    subject: &'a Subject,
    /// The features of all images.
    unlearnt: &'a Suggestions,
    /// The rows that may be labelled, shuffled; the first of them are labelled to begin with.
    shuffled: Vec<usize>,
    seed: u64,
}

impl<'a> Simulation<'a> {
    pub fn new(subject: &'a Subject, unlearnt: &'a Suggestions, seed: u64) -> Self {
        let mut shuffled = subject.dataset.split.train.clone();
        shuffled.shuffle(&mut Pcg64::seed_from_u64(seed));
        Self { subject, unlearnt, shuffled, seed }
    }

    /// Labels in rounds, by an order or at random.
    pub fn run(&self, order: Option<LabellingOrder>) -> Vec<Point> {
        let mut labels = self.unlabelled();
        let mut open = self.shuffled.clone();
        let mut said = self.unlearnt.clone();
        let mut points: Vec<Point> = Vec::new();
        for round in ROUNDS {
            if let Some(order) = order.filter(|_| !points.is_empty()) {
                open = self.arranged(order, open, &labels, &said);
            }
            let labelled = self.shuffled.len() - open.len();
            let rest = open.split_off(round.min(self.shuffled.len()) - labelled);
            self.label(&mut labels, &open);
            open = rest;
            let (updated, point) = self.learnt(&labels, round);
            said = updated;
            points.push(point);
        }
        points
    }

    /// All that the labels of the training rows can teach heads on these features.
    pub fn with_everything(&self) -> Point {
        let mut labels = self.unlabelled();
        self.label(&mut labels, &self.shuffled);
        self.learnt(&labels, self.shuffled.len()).1
    }

    fn unlabelled(&self) -> Labels {
        vec![vec![None; self.subject.dataset.rows.len()]; self.subject.dataset.tasks.len()]
    }

    fn label(&self, labels: &mut Labels, rows: &[usize]) {
        for (task, labels) in labels.iter_mut().enumerate() {
            rows.iter().for_each(|row| labels[*row] = self.subject.dataset.rows[*row].labels[task].class());
        }
    }

    fn arranged(
        &self,
        order: LabellingOrder,
        mut open: Vec<usize>,
        labels: &Labels,
        said: &Suggestions,
    ) -> Vec<usize> {
        open.sort_unstable();
        let tasks = self.complete_tasks();
        let labels: Vec<Vec<RowLabel>> =
            labels.iter().map(|labels| labels.iter().copied().map(RowLabel::from).collect()).collect();
        let question = Question {
            order,
            uncertainty: Uncertainty::Margin,
            tasks: &tasks,
            labels: &labels,
            rows: &open,
            suggestions: Some(said),
        };
        let Arranged { rows, .. } = arrange(&question, &mut |_, _| true).expect("not cancelled");
        rows
    }

    /// Tasks for which every row has a label: a task that some rows cannot answer is labelled along.
    fn complete_tasks(&self) -> Vec<usize> {
        let dataset = &self.subject.dataset;
        let is_complete = |task: &usize| dataset.rows.iter().all(|row| row.labels[*task].class().is_some());
        (0..dataset.tasks.len()).filter(is_complete).collect()
    }

    /// What heads say that have learnt these labels, as the window fits them, and how good that is.
    fn learnt(&self, labels: &Labels, count: usize) -> (Suggestions, Point) {
        let began = Instant::now();
        let updated = self.unlearnt.updated(&self.subject.dataset.tasks, labels, self.seed, &mut |_, _| true);
        let said = updated.expect("heads").expect("not cancelled");
        let secs = began.elapsed().as_secs_f64();
        let accuracy =
            (0..labels.len()).map(|task| self.accuracy(&said, task, most_frequent(&labels[task]))).collect();
        (said, Point { labels: count, accuracy, secs })
    }

    /// The share of the held-out rows with a label that are predicted right, by `otherwise` while heads are not
    /// fitted to so few labels.
    fn accuracy(&self, said: &Suggestions, task: usize, otherwise: Option<u32>) -> f64 {
        let (mut right, mut of) = (0_u32, 0_u32);
        for row in &self.subject.dataset.split.validation {
            if let Some(label) = self.subject.dataset.rows[*row].labels[task].class() {
                let answer = said.top(task, *row).map_or(otherwise, |(label, _)| Some(label));
                of += 1;
                right += u32::from(answer == Some(label));
            }
        }
        f64::from(right) / f64::from(of.max(1))
    }
}

fn most_frequent(labels: &[Option<u32>]) -> Option<u32> {
    let count = |wanted: u32| labels.iter().flatten().filter(|label| **label == wanted).count();
    let highest = labels.iter().flatten().max()?;
    (0..=*highest).max_by_key(|label| count(*label))
}
