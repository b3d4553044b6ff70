//! What becomes of a download that is as it should be.

use std::fs;

use parquet::file::reader::{FileReader as _, SerializedFileReader};
use parquet::record::RowAccessor as _;

use super::*;
use crate::config::Config;
use crate::dataset::Dataset;
use crate::images::decode::decode_file;

#[test]
fn a_download_becomes_a_project_that_opens() {
    let world = World::new();
    let imported = world.import().unwrap();
    assert_eq!((imported.rows, imported.kept), ([18, 18, 18], 0));
    assert!(imported.problems.is_empty() && imported.notices.is_empty() && imported.report.is_none());
    let table = world.table();
    let headers =
        "file,category,print,sleeves,length,neckline,fabric,fit,top_level_category,processed_path,split";
    assert_eq!(table.headers, headers.split(',').collect::<Vec<_>>());
    let row = |row: usize| {
        table.headers.iter().map(|name| cell(&table, row, name).into_owned()).collect::<Vec<_>>()
    };
    let first = row(0);
    assert_eq!((&*first[0], &*first[1]), ("img/Drawn_Blouse/img_00000001.jpg", "Blouse"));
    assert_eq!((&*first[4], &*first[6], &*first[7]), ("mini_length", "", ""), "each label in its own column");
    assert_eq!(first[8..], ["upper_body", "img_crop/Drawn_Blouse/img_00000001.jpg", "train"]);
    assert_eq!((&*row(2)[4], &*row(2)[6]), ("", "cotton"));
    let splits: Vec<_> = (0..18).map(|row| cell(&table, row, "split").into_owned()).collect();
    assert_eq!(
        splits.join(" "),
        format!("{}{}{}", "train ".repeat(12), "validation ".repeat(3), "test test test")
    );

    let config = Config::open(&imported.config).unwrap();
    assert_eq!(imported.config, world.data().join("config.yml"));
    assert_eq!(Recipe::of(&config.model), Some(Recipe::Scratch));
    let tasks: Vec<&str> = config.model.tasks.iter().map(|task| task.name.as_str()).collect();
    assert_eq!(tasks, ["print", "sleeves", "length", "neckline", "category"], "those with two labels");
    assert_eq!(config.model.tasks[2].labels, ["mini_length", "no_dress"]);
    let dataset = Dataset::open(&config).unwrap();
    assert_eq!((dataset.split.train.len(), dataset.split.validation.len()), (12, 3));
    for (number, row) in dataset.rows.iter().enumerate() {
        let [left, top, right, bottom] = drawn::box_of(number).map(|side| u32::try_from(side).unwrap());
        let crop = decode_file(&row.image).unwrap();
        assert_eq!(crop.dimensions(), (right - left, bottom - top));
        let image = decode_file(&world.data().join(&*cell(&table, number, "file"))).unwrap();
        let middle = (image.get_pixel(80, 80).0, crop.get_pixel(80 - left, 80 - top).0);
        let apart = middle.0.iter().zip(middle.1).map(|(a, b)| a.abs_diff(b)).max().unwrap();
        assert!(apart < 24, "{middle:?}");
    }
}

#[test]
fn the_tables_on_the_way_are_parquet_with_the_columns_of_the_python_project() {
    let world = World::new();
    world.edit_line("train_attr.txt", 2, &["0"; 26].join(" "));
    world.edit_line("train_bbox.txt", 3, "none");
    world.import().unwrap();
    let read =
        |name: &str| SerializedFileReader::new(fs::File::open(world.data().join(name)).unwrap()).unwrap();
    let full = read("full_dataset.parquet");
    let columns = |reader: &SerializedFileReader<fs::File>| {
        let schema = reader.metadata().file_metadata().schema().get_fields().to_vec();
        schema.iter().map(|field| field.name().to_owned()).collect::<Vec<_>>().join(",")
    };
    assert_eq!(columns(&full), "file,category,bbox,print,sleeves,length,neckline,fabric,fit,split");
    let rows: Vec<_> = full.get_row_iter(None).unwrap().map(Result::unwrap).collect();
    assert_eq!(rows.len(), 18);
    assert_eq!(rows[0].get_string(0).unwrap(), "img/Drawn_Blouse/img_00000001.jpg");
    assert_eq!(rows[0].get_list(2).unwrap().elements().len(), 4);
    assert_eq!(rows[0].get_string(5).unwrap(), "mini_length");
    assert!((3..9).all(|column| rows[1].get_string(column).is_err()), "no label is no value");
    assert!(rows[2].get_list(2).is_err() && rows[3].get_list(2).is_ok());
    let subset = read("model_subset.parquet");
    assert_eq!(
        columns(&subset),
        "file,category,bbox,print,sleeves,length,neckline,fabric,fit,top_level_category,split"
    );
    assert_eq!(
        subset.get_row_iter(None).unwrap().next().unwrap().unwrap().get_string(9).unwrap(),
        "upper_body"
    );
}
