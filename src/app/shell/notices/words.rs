//! The window speaks of its own places and buttons, not of the command line.

/// Whether a text names a command of the command line, a flag of one, or the set-up by its command: who has a package
/// of the program cannot run that.
pub fn names_command_line(text: &str) -> bool {
    let names =
        |part: &str| part.starts_with("tasklens ") || part.starts_with("--") || part.starts_with("cargo ");
    // What is quoted stands at odd places.
    text.split('`').skip(1).step_by(2).any(names)
}

#[cfg(test)]
mod tests {
    use std::path::{Path, PathBuf};

    use super::*;

    #[test]
    fn commands_and_flags_are_told_from_other_words() {
        for text in [
            "see `tasklens check`",
            "`a` or `tasklens labels CONFIG merge a b`",
            "resume with `--resume`",
            "`cargo xtask setup --gpu` fetches it",
        ] {
            assert!(names_command_line(text), "{text}");
        }
        for text in ["tasklens is a program", "the set-up of Tasklens fetches it", "`print`: `-` is a label"]
        {
            assert!(!names_command_line(text), "{text}");
        }
    }

    /// What no window shows: why there is none, or what only a command line can ask for.
    const ELSEWHERE: &[(&str, &str)] = &[
        ("src/app/mod.rs", "line (`tasklens --help`)"),
        ("tasklens-data/src/config/reader.rs", "--set {argument}: {}"),
        ("tasklens-data/src/config/yaml.rs", "--set {argument}: "),
    ];

    /// The lines of a source file without comments and tests.
    fn code(text: &str) -> impl Iterator<Item = (usize, &str)> {
        let lines =
            text.lines().enumerate().take_while(|(_, line)| !line.trim_start().starts_with("#[cfg(test)]"));
        lines.filter(|(_, line)| !line.trim_start().starts_with("//"))
    }

    fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let is_test = path.file_stem().is_some_and(|name| name == "tests");
            if path.is_dir() && !is_test {
                sources(&path, found);
            } else if path.extension().is_some_and(|ending| ending == "rs") && !is_test {
                found.push(path);
            }
        }
    }

    #[test]
    fn no_text_that_the_window_can_show_names_a_command_of_the_command_line() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let mut files = Vec::new();
        for folder in ["src/app", "crates/tasklens-data/src", "crates/tasklens-net/src"] {
            sources(&root.join(folder), &mut files);
        }
        assert!(files.len() > 300, "the sources are elsewhere: {}", files.len());
        let commands = crate::cli::command_names();
        assert!(commands.iter().any(|command| command == "check"), "{commands:?}");
        let mut named = Vec::new();
        for file in files {
            let text = std::fs::read_to_string(&file).unwrap();
            for (number, line) in code(&text) {
                let names = |command: &String| line.contains(&format!("tasklens {command}"));
                let has_flag = line.contains("`--") || line.contains("\"--") && !line.contains("starts_with");
                let is_elsewhere =
                    ELSEWHERE.iter().any(|(at, what)| file.ends_with(at) && line.contains(what));
                let has_program = line.contains("`tasklens ") || line.contains("cargo xtask");
                if (commands.iter().any(names) || has_flag || has_program) && !is_elsewhere {
                    named.push(format!("{}:{}: {}", file.display(), number + 1, line.trim()));
                }
            }
        }
        assert!(named.is_empty(), "the window speaks of its own places:\n{}", named.join("\n"));
    }
}
