//! Which images the rows of a CSV are about, and when two rows are about one.

use super::*;

/// A shop in whose folder these images are, and whose rows they are.
fn shop_of(images: &[&str], rows: &str) -> Shop {
    let shop = Shop::new(&format!("path,print,sleeves\n{rows}"));
    for (n, image) in images.iter().enumerate() {
        std::fs::create_dir_all(shop.path(image).parent().unwrap()).unwrap();
        let pixels = crate::images::Rgb::from_pixel(8, 8, image::Rgb([n as u8, 9, 90]));
        pixels.save(shop.path(image)).unwrap();
    }
    shop
}

fn of_kind(dataset: &Dataset, kind: ProblemKind) -> Vec<String> {
    dataset.problems.iter().filter(|problem| problem.kind == kind).map(ToString::to_string).collect()
}

#[test]
fn a_detour_through_a_folder_is_the_same_image() {
    let dataset = shop_with("a.jpg,floral,short\nb/../a.jpg,solid,short\n../a.jpg,solid,long\nc/d/../../e.jpg,solid,\n/../x.jpg,solid,\n/x.jpg,solid,\n").open();
    assert_eq!(
        of_kind(&dataset, ProblemKind::Duplicate),
        [
            "line 3, column `path`: the same image as on line 2 by another name, `a.jpg`, but another label for `print`; this row is not used: keep the row that is right",
            "line 7, column `path`: the same image and labels as on line 6 by another name, `/../x.jpg`; this row is not used",
        ]
    );
}

#[cfg(unix)]
#[test]
fn a_detour_through_a_link_may_be_another_image() {
    let shop =
        shop_of(&["a.png", "far/a.png", "far/b/c.png"], "a.png,solid,short\nlink/../a.png,floral,long\n");
    std::os::unix::fs::symlink(shop.path("far/b"), shop.path("link")).unwrap();
    assert_eq!(of_kind(&shop.open(), ProblemKind::Duplicate), [""; 0]);
}

#[cfg(unix)]
#[test]
fn one_file_by_two_names_is_found_where_the_images_are_checked() {
    let rows = "a.png,solid,short,train\nlink.png,floral,short,validation\nhard.png,solid,short,train\nin/b.png,floral,long,test\nout/b.png,floral,long,train\nc.png,solid,long,validation\n";
    let shop = shop_of(&["a.png", "in/b.png", "c.png"], rows);
    let csv = std::fs::read_to_string(shop.path("shop.csv")).unwrap().replace("sleeves\n", "sleeves,split\n");
    std::fs::write(shop.path("shop.csv"), csv).unwrap();
    std::os::unix::fs::symlink("a.png", shop.path("link.png")).unwrap();
    std::fs::hard_link(shop.path("a.png"), shop.path("hard.png")).unwrap();
    std::os::unix::fs::symlink("in", shop.path("out")).unwrap();
    let mut dataset = shop.try_open("  split_column: split\n").unwrap();
    assert_eq!(of_kind(&dataset, ProblemKind::Duplicate), [""; 0]);
    let found = check_images(&dataset, Look::Header, &|_, _| true);
    dataset.apply(found);
    let expected = [
        "line 3, column `path`: the same image as on line 2 by another name, `a.png`, but another label for `print`; this row is not used: keep the row that is right",
        "line 4, column `path`: the same image and labels as on line 2 by another name, `a.png`; this row is not used",
        "line 6, column `path`: the same image and labels as on line 5 by another name, `in/b.png`; this row is not used",
    ];
    assert_eq!(of_kind(&dataset, ProblemKind::Duplicate), expected);
    assert_eq!((&*dataset.split.train, &*dataset.split.validation), (&[0][..], &[5][..]));
    // Also after labels were edited.
    let edited = dataset.with_edits(&[]);
    assert_eq!(
        (of_kind(&edited, ProblemKind::Duplicate), edited.split),
        (expected.map(str::to_owned).to_vec(), dataset.split)
    );
}

#[test]
fn a_label_in_another_unicode_form_is_the_label() {
    let text =
        "paths: {model_dataframe: shop.csv}\nmodel: {target_encoder: {print: [caf\u{e9}, the\u{301}]}}\n";
    let shop = Shop::new("path,print\n1.jpg,cafe\u{301}\n2.jpg,th\u{e9}\n3.jpg,caf\u{e9}\n4.jpg,cafe\n");
    let open = |text: &str| Config::parse(text, &shop.path("config.yml"));
    let dataset = Dataset::open(&open(text).unwrap()).unwrap();
    let labels: Vec<Option<u32>> = dataset.rows.iter().map(|row| row.labels[0].class()).collect();
    assert_eq!(labels, [Some(0), Some(1), Some(0), None]);
    let twice = open(&text.replace("the\u{301}", "cafe\u{301}")).unwrap_err().to_string();
    assert!(twice.contains("twice"), "{twice}");
    let proposal = propose::propose_config(&shop.path("shop.csv")).unwrap();
    assert_eq!(proposal.columns[1].labels.len(), 3, "{:?}", proposal.columns[1].labels);
}

#[test]
fn images_that_are_not_there_come_before_what_follows_from_it() {
    let rows = r"C:\me\0.png,solid,short
C:\me\1.png,floral,long
";
    let mut dataset = Shop::new(&format!("path,print,sleeves\n{rows}")).open();
    dataset.apply(check_images(&dataset, Look::Header, &|_, _| true));
    let messages = messages(&dataset);
    assert!(
        messages[0].starts_with("Error column `path`: 2 of 2 images cannot be used, such as line 2: `C:\\me\\0.png` is a Windows path"),
        "{messages:?}"
    );
    assert!(messages[1].contains("no label occurs"), "{messages:?}");
}

#[cfg(target_os = "linux")]
#[test]
fn an_image_that_is_found_by_a_guess_is_a_note_and_one_with_its_other_name() {
    let shop = shop_of(&["a.png", "b.png"], "A.PNG,solid,short\nb.png,floral,long\na.png,floral,short\n");
    let dataset = shop.open();
    assert_eq!(*dataset.rows[0].image, *shop.path("a.png"));
    let [note] = &of_kind(&dataset, ProblemKind::Image)[..] else { panic!("{:?}", dataset.problems) };
    assert!(
        note.starts_with("column `path`: 1 image is read from a file that has the name in different"),
        "{note}"
    );
    assert!(
        of_kind(&dataset, ProblemKind::Duplicate)[0]
            .starts_with("line 4, column `path`: the same image as on line 2 by")
    );
}
