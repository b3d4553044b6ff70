use std::fs;

use tasklens_data::dataset::table::Table;

use super::*;

/// A project in `shop` with three images, a run of it, and what the run says of the rows of a CSV.
struct Shop {
    dir: tempfile::TempDir,
}

const TASKS: &str = "model: {target_encoder: {print: [plain, dotted]}}";

impl Shop {
    fn new() -> Self {
        let shop = Self { dir: tempfile::tempdir().unwrap() };
        fs::create_dir_all(shop.path("shop/run")).unwrap();
        fs::create_dir_all(shop.path("other")).unwrap();
        for image in ["shop/1.jpg", "shop/2.jpg", "shop/3.jpg", "other/1.jpg"] {
            fs::write(shop.path(image), "an image").unwrap();
        }
        fs::write(shop.path("shop/shop.csv"), "path,print\n1.jpg,plain\n2.jpg,dotted\n3.jpg,plain\n")
            .unwrap();
        fs::write(
            shop.path("shop/run/config.yml"),
            format!("paths: {{model_dataframe: ../shop.csv}}\n{TASKS}"),
        )
        .unwrap();
        fs::write(shop.path("shop/run/split.csv"), "image_path,split\n1.jpg,train\n2.jpg,validation\n")
            .unwrap();
        shop
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn seen(&self, run: &str, csv: &str) -> Option<Seen> {
        let csv = self.path(csv);
        let config = format!("paths: {{model_dataframe: {}}}\n{TASKS}", csv.display());
        let config = Config::parse(&config, &csv.with_file_name("config.yml")).unwrap();
        let dataset = Dataset::from_table(Table::open(&csv).unwrap(), &config).unwrap();
        of_run(&self.path(run), &dataset).unwrap()
    }
}

#[test]
fn the_runs_own_csv_is_known_by_its_cells_though_an_image_is_gone() {
    let shop = Shop::new();
    fs::remove_file(shop.path("shop/1.jpg")).unwrap();
    let seen = shop.seen("shop/run", "shop/shop.csv").unwrap();
    assert_eq!(seen.parts, [Some(Part::Train), Some(Part::Validation), None]);
}

#[test]
fn images_of_another_csv_are_known_by_their_files_and_not_by_their_names() {
    let shop = Shop::new();
    fs::write(
        shop.path("other/o.csv"),
        "path,print\n1.jpg,plain\n../shop/1.jpg,plain\n../shop/./2.jpg,plain\n",
    )
    .unwrap();
    let seen = shop.seen("shop/run", "other/o.csv").unwrap();
    assert_eq!(seen.parts, [None, Some(Part::Train), Some(Part::Validation)]);
    assert_eq!(seen.lost, 0);
    fs::remove_file(shop.path("shop/2.jpg")).unwrap();
    assert_eq!(shop.seen("shop/run", "other/o.csv").unwrap().lost, 1);
}

#[cfg(unix)]
#[test]
fn a_link_to_an_image_is_the_image() {
    let shop = Shop::new();
    std::os::unix::fs::symlink(shop.path("shop/1.jpg"), shop.path("other/link.jpg")).unwrap();
    fs::hard_link(shop.path("shop/2.jpg"), shop.path("other/hard.jpg")).unwrap();
    fs::write(shop.path("other/o.csv"), "path,print\nlink.jpg,plain\nhard.jpg,plain\n").unwrap();
    let seen = shop.seen("shop/run", "other/o.csv").unwrap();
    assert_eq!(seen.parts, [Some(Part::Train), Some(Part::Validation)]);
}

#[test]
fn a_checkpoint_tells_as_much_as_the_run_around_it() {
    let shop = Shop::new();
    fs::write(shop.path("shop/run/best.safetensors"), "").unwrap();
    fs::write(shop.path("other/best.safetensors"), "").unwrap();
    let parts = shop.seen("shop/run/best.safetensors", "shop/shop.csv").unwrap().parts;
    assert_eq!(parts[0], Some(Part::Train));
    assert!(shop.seen("other/best.safetensors", "shop/shop.csv").is_none());
}
