//! What can be changed, and what is told before it is.

use super::*;
use crate::dataset::edits::{AnnotationSource, State, Step};
use crate::dataset::table::Table;

const CONFIG: &str = "{paths: {model_dataframe: a.csv}, model: {paths: image, split_column: part, target_encoder: {print: [solid, floral, striped], sleeves: [short, long]}}}";
const CSV: &str = "image,part,print,sleeves,neck\na.jpg,train,solid,short,v\nb.jpg,train, floral ,long,\nc.jpg,train,plaid,,round\nd.jpg,,,,?\n";

fn project() -> (Config, Dataset) {
    let config = Config::parse(CONFIG, std::path::Path::new("shop.yml")).unwrap();
    let table = Table::from_bytes(CSV.into(), std::path::Path::new("a.csv")).unwrap();
    let dataset = Dataset::from_table(table, &config).unwrap();
    (config, dataset)
}

fn text(text: &str) -> String {
    text.to_owned()
}

fn rename(from: &str, to: &str) -> VocabularyChange {
    VocabularyChange::RenameLabel { task: text("print"), from: text(from), to: text(to) }
}

fn merge(from: &str, into: &str) -> VocabularyChange {
    VocabularyChange::MergeLabels { task: text("print"), from: text(from), into: text(into) }
}

fn add_task(name: &str, labels: &[&str]) -> VocabularyChange {
    VocabularyChange::AddTask { name: text(name), labels: labels.iter().map(|label| text(label)).collect() }
}

#[test]
fn what_cannot_be_is_refused_in_words() {
    let (config, dataset) = project();
    let of_sleeves =
        |label: &str| VocabularyChange::RemoveLabel { task: text("sleeves"), label: text(label) };
    let rename_task = |task: &str, to: &str| VocabularyChange::RenameTask { task: text(task), to: text(to) };
    let add = |task: &str, label: &str| VocabularyChange::AddLabel { task: text(task), label: text(label) };
    for (change, refusal) in [
        (rename("solid", "floral"), "the task `print` already has a label `floral`; merge the two instead"),
        (rename("solod", "x"), "the task `print` has no label `solod`; did you mean `solid`?"),
        (rename("solid", " "), "a label needs a name"),
        (rename("solid", "x "), "the label `x ` has surrounding spaces; remove them"),
        (
            add("print", "x\ny"),
            "the label \"x\\ny\" has a line break or another control character; remove it",
        ),
        (merge("solid", "solid"), "`solid` cannot be merged into itself; choose another label"),
        (
            merge("silk", "solid"),
            "the task `print` has no label `silk`; its labels are solid, floral, striped",
        ),
        (of_sleeves("short"), "the task `sleeves` has two labels and needs them; add another first"),
        (
            add("print", "n/a"),
            "`n/a` says that a task does not apply (key not_applicable); choose another label",
        ),
        (
            rename("solid", "n/a"),
            "`n/a` says that a task does not apply (key not_applicable); choose another label",
        ),
        (
            add_task("hem", &["x", "n/a"]),
            "`n/a` says that a task does not apply (key not_applicable); choose another label",
        ),
        (add("print", "solid"), "the task `print` already has a label `solid`"),
        (add("prints", "x"), "there is no task `prints`; did you mean `print`?"),
        (rename_task("print", "sleeves"), "there is already a task `sleeves`"),
        (
            rename_task("print", "part"),
            "the column `part` has another use in the config; choose another name",
        ),
        (rename_task("print", "neck"), "the CSV already has a column `neck`; choose another name"),
        (add_task("print", &["x", "y"]), "there is already a task `print`"),
        (
            add_task("image", &["x", "y"]),
            "the column `image` has another use in the config; choose another name",
        ),
        (add_task("hem", &["x"]), "give the task `hem` at least two labels"),
        (add_task("hem", &["x", "x"]), "the label `x` is given twice"),
    ] {
        assert_eq!(check(&config, &dataset, &change), Err(refusal.to_owned()), "{change}");
    }
    let fine = [
        rename("solid", "plain"),
        merge("solid", "floral"),
        merge("plaid", "striped"),
        add_task("hem", &["x", "y"]),
    ];
    for change in fine {
        assert_eq!(check(&config, &dataset, &change), Ok(()), "{change}");
    }
    let only = Config::parse(&CONFIG.replace(", sleeves: [short, long]", ""), &config.file).unwrap();
    let remove = VocabularyChange::RemoveTask { task: text("print") };
    assert_eq!(check(&only, &dataset, &remove), Err(text("`print` is the only task; add another first")));
}

#[test]
fn a_preview_counts_the_edits_that_wait() {
    let (_, dataset) = project();
    let mut state = State::default();
    let edits = vec![
        state.label_change(&dataset, 0, 0, Some("floral")),
        state.label_change(&dataset, 3, 0, Some("solid")),
    ];
    state.edit(Step::now(AnnotationSource::Hand, edits));
    let shown = |change: &VocabularyChange| {
        let preview = preview(&dataset, &state, change);
        assert_eq!(preview.images, preview.rows.len());
        let row = |row: PreviewRow| format!("{} {} {}", row.image, row.before, row.after.unwrap_or_default());
        (preview.rows.into_iter().map(row).collect::<Vec<_>>(), preview.notes)
    };
    assert_eq!(shown(&rename("solid", "plain")).0, ["d.jpg solid plain"]);
    assert_eq!(shown(&merge("floral", "striped")).0, ["a.jpg floral striped", "b.jpg floral striped"]);
    let remove = VocabularyChange::RemoveLabel { task: text("print"), label: text("floral") };
    assert_eq!(shown(&remove).0, ["a.jpg floral ", "b.jpg floral "]);
    let (rows, notes) = shown(&add_task("neck", &["v", "round"]));
    assert!(
        rows.is_empty() && notes[0].contains("2 of its cells have one of these labels, 1 have other text"),
        "{notes:?}"
    );
    let (_, notes) = shown(&VocabularyChange::AddLabel { task: text("print"), label: text("plaid") });
    assert_eq!(notes, ["1 image has the text `plaid` already and counts as labelled then."]);
}
