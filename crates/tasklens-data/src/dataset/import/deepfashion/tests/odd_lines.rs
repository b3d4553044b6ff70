//! Annotations that are odd: what is read, what is left out, and what is refused.

use std::fs;

use super::*;
use crate::images::decode::decode_file;

#[test]
fn no_flag_of_a_group_is_no_label_and_two_are_a_problem() {
    let world = World::new();
    let flags = |set: &[usize]| {
        (0..26).map(|flag| if set.contains(&flag) { "1" } else { "0" }).collect::<Vec<_>>().join(" ")
    };
    world.edit_line("train_attr.txt", 1, &flags(&[2, 15]));
    world.edit_line("train_attr.txt", 2, &flags(&[0, 1, 7, 24]));
    world.edit_line("train_attr.txt", 3, &flags(&[8]).replacen('0', "2", 1));
    world.edit_line("train_attr.txt", 4, "1 0 1");
    assert_eq!(
        world.problems(),
        [
            "train_attr.txt:2: several attributes of the group print are set (floral, graphic): the row goes on without it",
            "train_attr.txt:3: flag 1 is `2`, expected 0 or 1: the row goes on without that group",
            "train_attr.txt:4: 3 flags, expected 26: the row goes on without attributes",
        ]
    );
    let table = world.table();
    let labels = |row: usize| {
        let groups = annotation::GROUPS.iter().map(|group| cell(&table, row, group).into_owned());
        groups.collect::<Vec<_>>().join(",")
    };
    assert_eq!(labels(0), "striped,,,square_neckline,,");
    assert_eq!(labels(1), ",long_sleeve,,,,loose");
    assert_eq!(labels(2), ",short_sleeve,,,,");
    assert_eq!(labels(3), ",,,,,");
    let report = fs::read_to_string(world.data().join("processed_subset.problems.txt")).unwrap();
    assert_eq!(report.lines().count(), 4, "{report}");
    assert!(report.starts_with("# What an import of DeepFashion left out: 3\n"), "{report}");
}

#[test]
fn rows_that_cannot_be_used_are_left_out_and_told() {
    let world = World::new();
    world.edit_line("train_cate.txt", 1, "7");
    world.edit_line("train_cate.txt", 2, "none");
    world.edit_line("train.txt", 3, "img/../../../away.jpg");
    world.edit_line("train.txt", 4, "other/Drawn_Robe/img_00000006.jpg");
    world.edit_line("train_bbox.txt", 5, "1 2 3");
    world.edit_line("train_bbox.txt", 7, "200 0 300 90");
    world.edit_line("train_bbox.txt", 8, "-20 10 1000 90");
    fs::remove_file(world.data().join("img/Drawn_Jeans/img_00000010.jpg")).unwrap();
    let cut = world.data().join("img/Drawn_Dress/img_00000011.jpg");
    let bytes = fs::read(&cut).unwrap();
    fs::write(&cut, &bytes[..bytes.len() / 2]).unwrap();
    world.edit_line("val.txt", 1, "img/Drawn_Blouse/img_00000013.png");
    let mut told = world.problems();
    let cut_off = told.iter().position(|problem| problem.starts_with("train.txt:11: ")).unwrap();
    let cut_off = told.remove(cut_off);
    assert!(cut_off.contains("img_00000011.jpg") && cut_off.ends_with(": the row is left out"), "{cut_off}");
    let again = format!(
        "train.txt:6: its crop would be that of {}:4: the row is left out",
        world.annotation("train.txt").display()
    )
    .replace(&format!("{}/", world.data().join("Anno_fine").display()), "");
    assert_eq!(
        told,
        [
            "train.txt:3: expected a path below the folder of the images, such as `img/Tee/1.jpg`: the row is left out",
            "train.txt:4: the image is missing: the row is left out",
            again.as_str(),
            "train.txt:7: nothing of the image (160 x 160 pixels) is in the box 200 0 300 90: the row is left out",
            "train.txt:10: the image is missing: the row is left out",
            "train_bbox.txt:5: `1 2 3`: expected the four numbers of a box, x1 y1 x2 y2: the row is left out",
            "train_cate.txt:1: `7` is the number of no category of the list: the row is left out",
            "train_cate.txt:2: `none` is the number of no category of the list: the row is left out",
            "val.txt:1: crops are JPEG files, expected a name that ends in .jpg: the row is left out",
        ]
    );
    let table = world.table();
    assert_eq!(table.row_count(), 18 - 10);
    assert!(!world.root().join("away.jpg").exists());
    let clamped = decode_file(&world.data().join("img_crop/Drawn_Tee/img_00000008.jpg")).unwrap();
    assert_eq!(clamped.dimensions(), (160, 80));
}

#[test]
fn files_that_do_not_belong_together_are_refused_with_the_line() {
    let refusal = |file: &str, change: &dyn Fn(String) -> String| {
        let world = World::new();
        world.edit(file, change);
        let said = world.import().unwrap_err().to_string();
        assert!(
            !world.data().join("img_crop").exists() && !world.data().join("full_dataset.parquet").exists()
        );
        said.replace(&format!("{}/", world.data().join("Anno_fine").display()), "")
    };
    let short =
        refusal("val_cate.txt", &|text| text.lines().take(2).map(|line| format!("{line}\n")).collect());
    assert!(short.starts_with("val_cate.txt:3: the file ends after 2 lines, and val.txt has 3: "), "{short}");
    let long = refusal("test_bbox.txt", &|text| format!("{text}1 2 3 4\n"));
    assert!(long.starts_with("test_bbox.txt:4: the file ends after 4 lines, and test.txt has 3: "), "{long}");
    let count = refusal("list_attr_cloth.txt", &|text| text.replacen("26", "27", 1));
    assert!(
        count.starts_with("list_attr_cloth.txt:1: it says that there are 27 attributes, and 26 follow"),
        "{count}"
    );
    let group = refusal("list_attr_cloth.txt", &|text| text.replacen(" 1\n", " 7\n", 1));
    assert!(
        group.starts_with("list_attr_cloth.txt:3: `floral") && group.contains("a number from 1 to 6"),
        "{group}"
    );
    let twice = refusal("list_category_cloth.txt", &|text| text.replace("Robe", "Tee "));
    assert_eq!(twice, "list_category_cloth.txt:8: `Tee` is listed for the second time");
}

#[test]
fn names_with_blanks_windows_line_ends_other_texts_and_blank_last_lines_are_read_and_told() {
    let world = World::new();
    world.edit("list_category_cloth.txt", |text| text.replace("Tank ", "Tank top "));
    world.edit("train_cate.txt", |text| text.replace('\n', "\r\n"));
    world.edit("val_attr.txt", |text| format!("{text}\n\n"));
    let mut paths = fs::read(world.annotation("test.txt")).unwrap();
    paths[5] = 0xff;
    fs::write(world.annotation("test.txt"), paths).unwrap();
    let imported = world.import().unwrap();
    let told: Vec<String> = imported.problems.iter().map(ToString::to_string).collect();
    let place = |file: &str| world.annotation(file).display().to_string();
    assert_eq!(told, [format!("{}:1: this is not UTF-8 text: the row is left out", place("test.txt"))]);
    assert_eq!(
        imported.notices,
        [
            format!("{}:1: lines end as on Windows (CR LF): read as they are meant", place("train_cate.txt")),
            format!("{}:4: 2 blank lines at the end: left out", place("val_attr.txt")),
        ]
    );
    assert_eq!(cell(&world.table(), 2, "category"), "Tank top");
    assert_eq!(imported.rows, [18, 17, 17]);
}
