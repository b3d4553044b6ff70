//! Data sets whose labels are known, for benches that give them out as someone who labels would.

use std::path::{Path, PathBuf};

use tasklens_data::config::Config;
use tasklens_data::dataset::{Dataset, sample};

/// A data set to label in simulation.
pub struct Subject {
    pub name: &'static str,
    pub title: &'static str,
    pub folder: PathBuf,
    pub config: Config,
    pub dataset: Dataset,
}

/// The sample, and the photographs where they are; what is made of each is kept in a folder within `folder`.
pub fn all(root: &Path, folder: &Path) -> Vec<Subject> {
    let mut all = vec![drawn(folder.join("sample"))];
    let photographs = std::env::var_os("TASKLENS_PHOTOGRAPHS")
        .map_or_else(|| root.join("../shared/data/clothing"), PathBuf::from);
    let csv = photographs.join("clothing.csv");
    if csv.is_file() {
        all.push(of_photographs(&csv, folder.join("photographs")));
    } else {
        eprintln!(
            "{} is not there: without the photographs; name their folder in TASKLENS_PHOTOGRAPHS",
            csv.display()
        );
    }
    all
}

fn drawn(folder: PathBuf) -> Subject {
    let images = folder.join("images");
    // Pictures that are drawn anew count as other pictures, whose features are not known.
    if !images.join("garments.csv").is_file() {
        sample::write_sample(&images, sample::IMAGES, sample::SEED, &mut |_, _| true).expect("the sample");
    }
    let config = Config::open(&images.join("config.yml")).expect("a config");
    let dataset = Dataset::open(&config).expect("rows");
    Subject { name: "sample", title: "The built-in sample: drawn garments", folder, config, dataset }
}

fn of_photographs(csv: &Path, folder: PathBuf) -> Subject {
    let config = format!(
        "{{paths: {{model_dataframe: '{}'}}, model: {{paths: image_path, split_column: split, target_encoder: {{item: [t_shirt, \
         longsleeve, shirt, outwear, dress, pants, shorts, skirt, shoes, hat], sleeves: [long_sleeve, short_sleeve], \
         worn_on: [upper_body, lower_body, whole_body, feet, head]}}}}}}",
        csv.display()
    );
    let config = Config::parse(&config, &folder.join("config.yml")).expect("a config");
    let dataset = Dataset::open(&config).expect("rows");
    Subject { name: "photographs", title: "Photographs of clothes", folder, config, dataset }
}
