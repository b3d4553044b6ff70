//! Bare CSVs, and the config that a newcomer is offered for them.

use super::*;
use crate::config::presets::PresetFacts;
use crate::config::{Backbone, Recipe};

/// What is proposed for a computer without a GPU that has the weights.
fn training(rows: usize) -> Proposed {
    let weights = Backbone::ALL.to_vec();
    Recipe::proposed(&PresetFacts { images: rows, labelled: rows, has_gpu: false, weights, aspect: None })
}

fn propose(csv: &str) -> (tempfile::TempDir, Proposal) {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("shop.csv");
    std::fs::write(&path, csv).unwrap();
    let proposal = propose_config(&path).unwrap();
    (dir, proposal)
}

fn roles(proposal: &Proposal) -> Vec<Role> {
    proposal.columns.iter().map(|column| column.role).collect()
}

/// Sixty rows: an index, a path, two tasks, a price, a remark that never repeats and a split.
fn shop() -> String {
    let mut csv = ",photo,print,size,price,remark,split\n".to_owned();
    for n in 0..60 {
        let print = ["solid", "floral", "striped"][n % 3];
        let size = if n % 4 == 0 { String::new() } else { format!("{}", [10, 9][n % 2]) };
        let part = if n % 5 == 0 { "validation" } else { "train" };
        csv.push_str(&format!("{n},img/{n}.JPG,{print},{size},{}.5,remark {n},{part}\n", n % 7));
    }
    csv
}

#[test]
fn each_column_gets_the_role_that_its_values_suggest() {
    let (_dir, proposal) = propose(&shop());
    use Role::{Ignore, Path, Split, Task};
    assert_eq!(roles(&proposal), [Ignore, Path, Task, Task, Ignore, Ignore, Split]);
    assert_eq!(proposal.rows, 60);
    let print = &proposal.columns[2];
    assert_eq!((print.distinct, print.empty), (3, 0));
    assert_eq!(print.labels, ["floral", "solid", "striped"]);
    assert_eq!(print.examples, ["solid", "floral", "striped"]);
    let size = &proposal.columns[3];
    assert_eq!((size.labels.clone(), size.empty), (vec!["9".to_owned(), "10".to_owned()], 15));
    assert_eq!(proposal.obstacle(), None);
}

#[test]
fn a_column_of_files_that_exist_is_the_path_even_without_extensions() {
    let (dir, _) = propose("a,b\n");
    for name in ["one", "two"] {
        std::fs::write(dir.path().join(name), "").unwrap();
    }
    std::fs::write(
        dir.path().join("shop.csv"),
        "url,file,kind\nhttp://x/1.jpg,one,a\nhttp://x/2.jpg,two,b\n",
    )
    .unwrap();
    let proposal = propose_config(&dir.path().join("shop.csv")).unwrap();
    assert_eq!(proposal.columns[1].role, Role::Path);
}

#[test]
fn the_config_of_a_proposal_says_what_the_user_sees() {
    let (dir, mut proposal) = propose(&shop());
    let file = dir.path().join("config.yml");
    proposal.set_role(3, Role::Ignore);
    let config = proposal.to_config(file.clone(), &training(60)).unwrap();
    assert_eq!(config.file, file);
    assert_eq!(config.paths.model_dataframe, dir.path().join("shop.csv"));
    assert_eq!(config.model.tasks.len(), 1);
    assert_eq!(config.model.tasks[0].labels, ["floral", "solid", "striped"]);
    assert_eq!(config.model.path_column, "photo");
    assert_eq!(config.model.split_column.as_deref(), Some("split"));
    let text = proposal.to_yaml(&file, &training(60));
    assert!(text.contains("  model_dataframe: shop.csv\n"), "{text}");
    let dataset = crate::dataset::Dataset::open(&config).unwrap();
    assert_eq!(*dataset.problems, []);
    // From another folder the CSV is named by its absolute path.
    let elsewhere = proposal.to_config(dir.path().join("deep").join("config.yml"), &training(60)).unwrap();
    assert_eq!(elsewhere.paths.model_dataframe, dir.path().join("shop.csv"));
}

#[test]
fn a_role_that_only_one_column_can_have_moves() {
    let (_dir, mut proposal) = propose(&shop());
    proposal.set_role(5, Path);
    proposal.set_role(2, Split);
    use Role::{Ignore, Path, Split, Task};
    assert_eq!(roles(&proposal), [Ignore, Ignore, Split, Task, Ignore, Path, Ignore]);
}

#[test]
fn what_stands_in_the_way_of_a_config_is_said() {
    let (dir, mut proposal) = propose("name,kind\na,x\nb,x\n");
    assert_eq!(proposal.obstacle().unwrap(), "Choose the column that holds the image paths.");
    proposal.set_role(0, Role::Path);
    assert_eq!(
        proposal.obstacle().unwrap(),
        "Choose at least one column as a task: a column with a few labels."
    );
    proposal.set_role(1, Role::Task);
    assert_eq!(proposal.obstacle().unwrap(), "The task `kind` needs at least two labels.");
    let file = dir.path().join("config.yml");
    let error = proposal.to_config(file.clone(), &training(2)).unwrap_err().to_string();
    assert_eq!(error, format!("{}: The task `kind` needs at least two labels.", file.display()));

    let ids: String = (0..2000).map(|n| format!("{n}.png,id{n}\n")).collect();
    let (_dir, mut proposal) = propose(&format!("path,id\n{ids}"));
    assert_eq!(proposal.columns[1].role, Role::Ignore);
    proposal.set_role(1, Role::Task);
    assert_eq!(proposal.obstacle().unwrap(), "`id` has too many different values to be a task.");
}

#[test]
fn a_table_without_rows_is_proposed_nothing() {
    let (_dir, proposal) = propose("path,print\n");
    assert_eq!(roles(&proposal), [Role::Ignore, Role::Ignore]);
}

#[test]
fn a_table_without_column_names_is_refused_with_what_to_do() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("shop.csv");
    std::fs::write(&path, "img/a.jpg,solid\nimg/b.jpg,floral\n").unwrap();
    assert_eq!(
        propose_config(&path).unwrap_err().to_string(),
        format!(
            "{}: the first line contains `img/a.jpg` and seems to be a row; add a line with the column names, such as `path,color`, above it",
            path.display()
        )
    );
}

#[test]
fn the_config_of_a_proposal_trains_by_the_proposed_recipe_and_says_so() {
    let (dir, proposal) = propose(&shop());
    let file = dir.path().join("config.yml");
    let lacking = Recipe::proposed(&PresetFacts { images: 60, labelled: 60, ..PresetFacts::default() });
    let mut written = vec![training(60), lacking];
    for has_gpu in [false, true] {
        for images in [60, 500, 9_000] {
            let facts = PresetFacts { images, has_gpu, ..PresetFacts::default() };
            let proposed = |recipe: Recipe| Proposed { recipe, keys: recipe.keys(&facts), lacks: None };
            written.extend(Recipe::ALL.map(proposed));
        }
    }
    for training in &written {
        let config = proposal.to_config(file.clone(), training).unwrap();
        assert_eq!(Recipe::of(&config.model), Some(training.recipe), "{}", proposal.to_yaml(&file, training));
        assert_eq!(config.notices, Vec::<String>::new());
        assert_eq!(crate::config::presets::Keys::of(&config.model), training.keys);
    }
    let text = proposal.to_yaml(&file, &written[0]);
    assert!(
        text.contains("# How it trains: Quick. ") && text.contains("  backbone: efficientnet_lite2 "),
        "{text}"
    );
    let text = proposal.to_yaml(&file, &written[1]);
    assert!(
        text.contains("# How it trains: From scratch. ") && text.contains("the set-up of Tasklens fetches"),
        "{text}"
    );
}
