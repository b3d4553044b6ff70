//! Configs as people lay them out: what does not change keeps its bytes.

use std::path::Path;

use super::*;

fn rename(from: &str, to: &str) -> VocabularyChange {
    VocabularyChange::RenameLabel { task: "print".to_owned(), from: from.to_owned(), to: to.to_owned() }
}

fn add(label: &str) -> VocabularyChange {
    VocabularyChange::AddLabel { task: "print".to_owned(), label: label.to_owned() }
}

fn remove(label: &str) -> VocabularyChange {
    VocabularyChange::RemoveLabel { task: "print".to_owned(), label: label.to_owned() }
}

fn rename_task() -> VocabularyChange {
    VocabularyChange::RenameTask { task: "print".to_owned(), to: "pattern".to_owned() }
}

fn remove_task(task: &str) -> VocabularyChange {
    VocabularyChange::RemoveTask { task: task.to_owned() }
}

fn add_task() -> VocabularyChange {
    VocabularyChange::AddTask { name: "neck".to_owned(), labels: vec!["v".to_owned(), "no".to_owned()] }
}

fn edited(text: &str, change: &VocabularyChange) -> Result<String, String> {
    let config = Config::parse(text, Path::new("shop.yml")).unwrap();
    edit_vocabulary(text, &config, change).map(|(text, _)| text)
}

/// Each pair: a part of the text before, and the same part after; the rest must be equal.
fn check(text: &str, change: &VocabularyChange, parts: &[(&str, &str)]) {
    let mut expected = text.to_owned();
    for (before, after) in parts {
        assert_eq!(expected.matches(before).count(), 1, "{before:?} in {expected}");
        expected = expected.replace(before, after);
    }
    assert_eq!(edited(text, change).unwrap(), expected, "{change}");
}

const BLOCK: &str = "\
# Our shop – größe, 你好
paths:
  model_dataframe: a.csv   # the table
model:
  learning_rate: .001
  target_encoder:   # what we ask
    print:   # of the cloth
      - solid   # one colour
      - 'floral'
      # stripes of any width
      - \"striped\"  # both ways

    sleeves: [short, long]  # ends of them
  target: [sleeves_encoded, print_encoded]  # in this order
  task_weights:
    print: 2   # harder
    sleeves: 1
  class_weights:
    print:
      striped: 3 # rare
  epochs: 3
";

#[test]
fn a_block_list_keeps_its_comments() {
    check(BLOCK, &rename("solid", "plain"), &[("- solid ", "- plain ")]);
    check(BLOCK, &rename("floral", "it's"), &[("'floral'", "'it''s'")]);
    check(
        BLOCK,
        &rename("striped", "a \"b\""),
        &[("\"striped\"", r#""a \"b\"""#), ("striped: 3", r#""a \"b\"": 3"#)],
    );
    check(BLOCK, &add("Karo, groß"), &[("# both ways\n", "# both ways\n      - \"Karo, groß\"\n")]);
    check(BLOCK, &remove("floral"), &[("      - 'floral'\n", "")]);
    check(BLOCK, &remove("solid"), &[("      - solid   # one colour\n", "")]);
}

#[test]
fn weights_and_target_follow() {
    let merge = VocabularyChange::MergeLabels {
        task: "print".to_owned(),
        from: "striped".to_owned(),
        into: "solid".to_owned(),
    };
    let gone = "  class_weights:\n    print:\n      striped: 3 # rare\n";
    check(BLOCK, &merge, &[("      - \"striped\"  # both ways\n", ""), (gone, "")]);
    let names = [
        ("    print:   # of", "    pattern:   # of"),
        ("print_encoded", "pattern_encoded"),
        ("    print: 2", "    pattern: 2"),
        ("    print:\n", "    pattern:\n"),
    ];
    check(BLOCK, &rename_task(), &names);
    let from = BLOCK.find("    print:   #").unwrap();
    let to = BLOCK.find("\n    sleeves: [").unwrap();
    let text = edited(BLOCK, &remove_task("print")).unwrap();
    let expected = format!("{}{}", &BLOCK[..from], &BLOCK[to..]);
    let expected =
        expected.replace(", print_encoded", "").replace("    print: 2   # harder\n", "").replace(gone, "");
    assert_eq!(text, expected);
    check(
        BLOCK,
        &add_task(),
        &[
            ("# ends of them\n", "# ends of them\n    neck: [v, \"no\"]\n"),
            ("print_encoded]", "print_encoded, neck_encoded]"),
        ],
    );
}

#[test]
fn flow_lists_on_one_line_and_on_many() {
    let line = "{paths: {model_dataframe: a.csv}, model: {target_encoder: {print: [solid, 'floral' , striped, ], sleeves: [short, long]}, target: print}}";
    check(line, &rename("floral", "x"), &[("'floral' ", "'x' ")]);
    check(line, &add("x"), &[("striped, ]", "striped, x, ]")]);
    check(line, &remove("solid"), &[("solid, ", "")]);
    check(line, &remove("striped"), &[(" , striped", "")]);
    check(line, &rename_task(), &[("{print:", "{pattern:"), ("target: print", "target: pattern")]);
    check(
        line,
        &add_task(),
        &[("long]}", "long], neck: [v, \"no\"]}"), ("target: print", "target: [print, neck]")],
    );

    let many = "paths: {model_dataframe: a.csv}\nmodel:\n  target_encoder:\n    print: [\n      solid,  # one\n      floral, # two\n      striped # three\n    ]\n    sleeves: [short, long]";
    check(many, &add("x"), &[("striped # three", "striped, # three\n      x")]);
    check(many, &remove("solid"), &[("      solid,  # one\n", "")]);
    check(many, &remove("striped"), &[("      striped # three\n", "")]);
    check(
        many,
        &remove_task("print"),
        &[(&many[many.find("    print").unwrap()..many.find("    sleeves").unwrap()], "")],
    );
    check(many, &add_task(), &[("[short, long]", "[short, long]\n    neck: [v, \"no\"]")]);
}

#[test]
fn a_mark_and_windows_line_ends_stay() {
    let text = format!("\u{feff}{}", BLOCK.replace('\n', "\r\n"));
    check(&text, &rename("solid", "plain"), &[("- solid ", "- plain ")]);
    check(&text, &add("x"), &[("# both ways\r\n", "# both ways\r\n      - \"x\"\r\n")]);
    check(&text, &remove("floral"), &[("      - 'floral'\r\n", "")]);
}

#[test]
fn keys_in_quotes_and_lists_without_indentation() {
    let text = "paths:\n  model_dataframe: a.csv\nmodel:\n  target_encoder:\n    'print':\n    - solid\n    - floral\n    - striped\n    \"sleeves\":\n    - short\n    - long\n";
    check(text, &rename_task(), &[("'print'", "'pattern'")]);
    check(text, &add("x"), &[("- striped\n", "- striped\n    - x\n")]);
    check(text, &add_task(), &[("- long\n", "- long\n    neck:\n    - v\n    - \"no\"\n")]);
    check(text, &remove_task("print"), &[("    'print':\n    - solid\n    - floral\n    - striped\n", "")]);
}

#[test]
fn what_cannot_be_changed_safely_is_told_and_not_tried() {
    let shared = "paths: {model_dataframe: a.csv}\nmodel:\n  target_encoder:\n    print: &these [solid, floral, striped]\n    lining: *these\n";
    let error = edited(shared, &rename("solid", "plain")).unwrap_err();
    assert!(error.contains("shop.yml: this cannot be changed safely"), "{error}");
    assert!(error.ends_with("rename the label `solid` of `print` to `plain` by hand"), "{error}");
    let hidden = "paths: {model_dataframe: a.csv}\nmodel:\n  target_encoder: {print: [solid, floral], neck: [v, round]}\n  target: [print]\n";
    assert!(edited(hidden, &add_task()).unwrap_err().contains("`target` leaves it out"));
}
