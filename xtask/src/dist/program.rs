//! The program itself: built, without what only a debugger reads, and looking for libtorch beside itself.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, ensure};

use super::tools::{output, succeed};
use crate::cargo;
use crate::libtorch::Libtorch;

/// Where a packed program looks for libtorch: in the folder beside it that [`super::contents`] fills.
const RUN_PATH: &str = "$ORIGIN/libtorch/lib";

/// A finished program in `work`, from `given` or built now.
pub fn prepare(libtorch: &Libtorch, given: Option<&Path>, work: &Path) -> Result<PathBuf> {
    let built = match given {
        Some(given) => given.canonicalize().with_context(|| format!("cannot find {}", given.display()))?,
        None => cargo::release(libtorch)?,
    };
    let said = output(built.to_str().context("the path of the program is no text")?, ["--version"])?;
    ensure!(
        said.trim() == format!("tasklens {}", super::VERSION),
        "{} is {}, and not tasklens {}",
        built.display(),
        said.trim(),
        super::VERSION
    );
    let program = work.join("tasklens");
    fs::copy(&built, &program).with_context(|| format!("cannot copy {}", built.display()))?;
    // The names of functions stay: a crash report without them helps nobody.
    succeed(Command::new("strip").arg("--strip-debug").arg(&program))?;
    succeed(Command::new("patchelf").args(["--set-rpath", RUN_PATH]).arg(&program))?;
    Ok(program)
}

/// The libraries in `folder` that `program` needs, and those that they need. What is not there is the system's.
pub fn needed(program: &Path, folder: &Path) -> Result<Vec<PathBuf>> {
    let mut found = BTreeSet::new();
    let mut open = vec![program.to_path_buf()];
    while let Some(file) = open.pop() {
        for name in needed_names(&dynamic_section(&file)?) {
            let library = folder.join(name);
            if library.is_file() && found.insert(library.clone()) {
                open.push(library);
            }
        }
    }
    Ok(found.into_iter().collect())
}

fn dynamic_section(file: &Path) -> Result<String> {
    output("readelf", ["--dynamic".as_ref(), "--wide".as_ref(), file.as_os_str()])
}

/// The names in lines such as `0x...01 (NEEDED)  Shared library: [libc10.so]`.
fn needed_names(section: &str) -> impl Iterator<Item = &str> {
    let lines = section.lines().filter(|line| line.contains("(NEEDED)"));
    lines.filter_map(|line| Some(line.rsplit_once('[')?.1.split_once(']')?.0))
}

/// Whether a file is a shared library, by its name.
pub fn is_library(file: &Path) -> bool {
    let name = file.file_name().unwrap_or_default().to_string_lossy();
    name.ends_with(".so") || name.contains(".so.")
}

/// The newest version of glibc that the files ask for, such as `2.35`.
pub fn needed_glibc(files: &[PathBuf]) -> Result<String> {
    let mut newest = (0, 0);
    for file in files {
        let text = output("readelf", ["--version-info".as_ref(), "--wide".as_ref(), file.as_os_str()])?;
        newest = newest.max(newest_glibc(&text));
    }
    Ok(format!("{}.{}", newest.0, newest.1))
}

fn newest_glibc(text: &str) -> (u32, u32) {
    let versions = text.split("GLIBC_").skip(1).filter_map(|rest| {
        let version = rest.split(|c: char| c != '.' && !c.is_ascii_digit()).next()?;
        let mut parts = version.split('.').map(|part| part.parse().ok());
        Some((parts.next()??, parts.next()??))
    });
    versions.max().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_needed_libraries_are_read_from_the_dynamic_section() {
        let section = " 0x1d (RUNPATH)  Library runpath: [/a/lib]\n 0x01 (NEEDED)  Shared library: [libc10.so]\n \
                       0x01 (NEEDED)  Shared library: [libgomp.so.1]\n 0x0e (SONAME)  Library soname: [libx.so]\n";
        assert_eq!(needed_names(section).collect::<Vec<_>>(), ["libc10.so", "libgomp.so.1"]);
    }

    #[test]
    fn versions_of_glibc_are_compared_as_numbers() {
        assert_eq!(
            newest_glibc("Name: GLIBC_2.9  Flags\nName: GLIBC_2.34 x GLIBC_2.4 GLIBC_PRIVATE"),
            (2, 34)
        );
        assert_eq!(newest_glibc("GLIBCXX_3.4.30"), (0, 0));
    }

    #[test]
    fn a_library_is_known_by_its_name() {
        for (name, is) in
            [("libc10.so", true), ("libgomp.so.1", true), ("tasklens", false), ("so.txt", false)]
        {
            assert_eq!(is_library(Path::new(name)), is, "{name}");
        }
    }
}
