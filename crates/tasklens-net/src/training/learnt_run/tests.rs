use tasklens_data::config::{Backbone, TaskBalancing};

use super::*;
use crate::inference::loader::Batching;
use crate::inference::{Predictor, features};
use crate::training::predictions;
use crate::training::run_folder::RunRecord;

const IMAGES: usize = 24;

/// A project of dark and light images in turn, and a backbone with drawn weights whose features are computed. Every
/// third image validates; the last four have no label.
struct Project {
    folder: tempfile::TempDir,
    base: PathBuf,
}

fn go_on(_: usize, _: usize) -> bool {
    true
}

/// The CSV; `change` gets an image's number, label and part.
fn csv(change: impl Fn(usize, &mut &'static str, &mut &'static str)) -> String {
    let mut csv = String::from("image,shade,split\n");
    for image in 0..IMAGES {
        let mut label = if image >= IMAGES - 4 { "" } else { ["dark", "light"][image % 2] };
        let mut part = if image % 3 == 0 { "validation" } else { "train" };
        change(image, &mut label, &mut part);
        csv += &format!("{image}.png,{label},{part}\n");
    }
    csv
}

impl Project {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        for image in 0..IMAGES {
            let shade = if image % 2 == 0 { 20 } else { 210 } + image as u8;
            image::RgbImage::from_pixel(32, 32, image::Rgb([shade, shade, 90]))
                .save(path(&format!("{image}.png")))
                .unwrap();
        }
        std::fs::write(path("data.csv"), csv(|_, _, _| {})).unwrap();
        let network = Network::new(Backbone::XceptionSmall, &[], 1, Device::Cpu).unwrap();
        let weights: Vec<_> = network.parameters().iter().map(|p| (p.name.clone(), &p.tensor)).collect();
        crate::model::tensor_file::write(&path("drawn.safetensors"), &weights, None).unwrap();
        let text = "paths: {model_dataframe: data.csv}\nmodel:\n  paths: image\n  \
                    target_encoder: {shade: [dark, light]}\n  split_column: split\n  backbone: xception_small\n  \
                    pretrained: drawn.safetensors\n  input_shape: [32, 32]\n  device: cpu\n  class_weights: balanced\n  task_balancing: uncertainty\n  \
                    precision: fp32\n";
        std::fs::write(path("config.yml"), text).unwrap();
        let config = Config::open(&path("config.yml")).unwrap();
        let base = base_network::prepare(&config, IMAGES, &|_| None, &|_, _| {}, &|| true).unwrap();
        let project = Self { folder, base };
        project.look(&project.base);
        project
    }

    fn config(&self) -> Config {
        Config::open(&self.folder.path().join("config.yml")).unwrap()
    }

    fn dataset(&self) -> Dataset {
        Dataset::open(&self.config()).unwrap()
    }

    /// Lets a network look at all images, and gives what it says.
    fn look(&self, model: &Path) -> crate::inference::outputs::Outputs {
        let dataset = self.dataset();
        let rows: Vec<usize> = (0..IMAGES).collect();
        let store = OutputStore::of(model).unwrap();
        let open = || Predictor::open(model, self.config().model.device);
        assert!(
            store
                .compute(open, &dataset.rows, &rows, Batching { size: 8, workers: 1 }, &mut go_on)
                .unwrap()
                .complete
        );
        store.load().unwrap()
    }

    fn save(&self, base: &Path) -> anyhow::Result<Option<SavedRun>> {
        save(&self.config(), &self.dataset(), base, &mut go_on)
    }

    fn change(&self, change: impl Fn(usize, &mut &'static str, &mut &'static str)) {
        std::fs::write(self.folder.path().join("data.csv"), csv(change)).unwrap();
    }

    fn runs(&self) -> Vec<PathBuf> {
        run_folder::list_runs(&self.folder.path().join("runs"))
    }
}

#[test]
fn what_was_learnt_is_a_run_that_predicts_and_says_what_it_learnt_from() {
    let project = Project::new();
    let features_before = features_in(&project);
    let saved = project.save(&project.base).unwrap().unwrap();
    assert_eq!((saved.trained, saved.validated, saved.left_out), (13, 7, 0));
    assert_eq!(saved.scores, [("shade".to_owned(), 7, 7)]);
    assert!(saved.told().contains("trained on 13 images. Correct on validation images: shade 7 of 7"));

    let record = RunRecord::open(&saved.run).unwrap();
    let kept = record.kept_epoch().unwrap();
    assert_eq!((record.epochs.len(), kept.validation.task_accuracy[0]), (1, 1.0));
    assert!(record.stopped.is_some() && record.best.is_some());
    let config = Config::open(&saved.run.join(CONFIG)).unwrap();
    assert!(config.model.freeze_convolutional_layers);
    assert_eq!(config.model.class_weights, ClassWeights::None, "nothing was balanced");
    assert_eq!(config.model.task_balancing, TaskBalancing::Fixed, "nothing was balanced");
    let seen = seen::of_run(&saved.run, &project.dataset()).unwrap().unwrap();
    assert_eq!([0, 1, 23].map(|row| seen.parts[row]), [Some(Part::Validation), Some(Part::Train), None]);
    let recorded = predictions::read(&saved.run.join(PREDICTIONS), &config.model.tasks).unwrap();
    assert_eq!(recorded.len(), 7);

    // The images that were never labelled are known, too, and none was looked at again for that.
    let said = project.look(&saved.run);
    assert_eq!(features_in(&project), features_before);
    for (image, said) in said.images.iter().zip(said.probabilities[0].chunks(2)) {
        let number: usize = image.file_stem().unwrap().to_str().unwrap().parse().unwrap();
        assert_eq!(usize::from(said[1] > said[0]), number % 2, "{image:?} {said:?}");
    }
}

/// Files of features in the project.
fn features_in(project: &Project) -> usize {
    let stores = std::fs::read_dir(project.folder.path().join("runs").join(features::FOLDER)).unwrap();
    stores.map(|store| std::fs::read_dir(store.unwrap().path()).unwrap().count()).sum()
}

#[test]
fn images_kept_aside_teach_nothing() {
    let project = Project::new();
    let first = project.save(&project.base).unwrap().unwrap();
    project.change(|image, label, part| {
        if *part == "validation" && !label.is_empty() {
            *label = ["light", "dark"][image % 2];
        }
    });
    let second = project.save(&project.base).unwrap().unwrap();
    assert_eq!(second.scores, [("shade".to_owned(), 0, 7)]);
    let heads = |run: &Path| {
        let network = checkpoint::load(&run.join(BEST), Device::Cpu).unwrap().network;
        network.parameters().get("heads.shade.weight").unwrap().copy()
    };
    assert!(heads(&first.run).equal(&heads(&second.run)));
}

#[test]
fn what_the_network_below_has_trained_on_measures_nothing() {
    let project = Project::new();
    let first = project.save(&project.base).unwrap().unwrap();
    project.look(&first.run);
    // Image 1 trained, and is kept aside now.
    project.change(|image, _, part| {
        if image == 1 {
            *part = "validation";
        }
    });
    let second = project.save(&first.run).unwrap().unwrap();
    assert_eq!((second.trained, second.validated), (13, 7));
    std::fs::remove_file(first.run.join(run_folder::SPLIT)).unwrap();
    let error = project.save(&first.run).unwrap_err().to_string();
    assert!(error.contains("does not tell which images it was trained on"), "{error}");
}

#[test]
fn labelled_images_without_features_are_told() {
    let project = Project::new();
    std::fs::copy(project.folder.path().join("1.png"), project.folder.path().join("new.png")).unwrap();
    let more = csv(|_, _, _| {}) + "new.png,light,train\n";
    std::fs::write(project.folder.path().join("data.csv"), more).unwrap();
    let saved = project.save(&project.base).unwrap().unwrap();
    assert_eq!((saved.trained, saved.left_out), (13, 1));
    assert!(saved.told().contains("1 labelled image not used: it has no features yet"), "{}", saved.told());
    let events = std::fs::read_to_string(saved.run.join(EVENTS)).unwrap();
    assert!(events.contains("not used"), "{events}");
}

#[test]
fn without_images_to_measure_with_or_when_cancelled_nothing_is_written() {
    let project = Project::new();
    assert!(save(&project.config(), &project.dataset(), &project.base, &mut |_, _| false).unwrap().is_none());
    project.change(|_, _, part| *part = "train");
    let error = project.save(&project.base).unwrap_err().to_string();
    assert!(error.contains("no labelled image is left to validate with"), "{error}");
    let mut config = project.config();
    config.paths.runs = project.folder.path().join("../elsewhere");
    let error = save(&config, &project.dataset(), &project.base, &mut go_on).unwrap_err().to_string();
    assert!(error.contains("outside the project's folder"), "{error}");
    assert_eq!(project.runs(), [] as [PathBuf; 0]);
}
