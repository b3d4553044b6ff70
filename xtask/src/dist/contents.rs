//! What is in the packages, and where.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, ensure};

use super::stage::{Content, Item};
use super::{Packages, VERSION, licences, program};
use crate::libtorch::{self, Libtorch};
use crate::platform::Platform;
use crate::setup::workspace;
use crate::{openvino, weights};

/// Files of ours that only packages have.
const DESKTOP_ENTRIES: [&str; 2] = ["tasklens.desktop", "tasklens-open.desktop"];

/// The folder of the program: the program, and what it looks for beside itself.
pub fn app(program: &Path, libtorch: &Libtorch, packages: &Packages) -> Result<Vec<Item>> {
    let mut items = vec![Item::new("tasklens", Content::Program(program.to_path_buf()))];
    for library in program::needed(program, &libtorch.root.join("lib"))? {
        items.push(Item::new(format!("libtorch/lib/{}", name(&library)?), Content::Copy(library)));
    }
    ensure!(items.len() > 1, "{} needs no library of libtorch: it was not packed", program.display());
    if packages.platform == Platform::LinuxX86 {
        let folder =
            openvino::found(packages.platform)?.context("OpenVINO is not there: run set-up again")?;
        items.extend(all_files(&folder.join("lib"), "openvino/lib")?);
    }
    if packages.gpu {
        // Where `device::cuda` looks: beside the folder of the CPU's half, in the order of folders that they know each other by.
        let folder = libtorch::gpu_folder(packages.platform)?;
        for part in ["torch", "nvidia"] {
            items.extend(all_files(&folder.join(part), &format!("libtorch-gpu/{part}"))?);
        }
    }
    for packed in weights::of_every_setup()? {
        items.push(Item::new(format!("weights/{}", name(&packed.file)?), Content::Copy(packed.file)));
    }
    Ok(items)
}

/// The manual, what is new, and all licences; `crates` is the list of those of the crates.
pub fn papers(libtorch: &Libtorch, packages: &Packages, crates: &str) -> Result<Vec<Item>> {
    let workspace = workspace()?;
    let mut items = Vec::new();
    for file in ["README.md", "CHANGELOG.md"] {
        items.push(Item::new(format!("doc/{file}"), Content::Copy(workspace.join(file))));
    }
    items.extend(all_files(&workspace.join("docs"), "doc/docs")?);
    items.push(Item::new("licences/README.txt", Content::Text(licences::overview(packages)?)));
    items.push(Item::new("licences/crates.txt", Content::Text(crates.to_owned())));
    for file in ["LICENSE-MIT", "LICENSE-APACHE"] {
        items.push(Item::new(format!("licences/tasklens/{file}"), Content::Copy(workspace.join(file))));
    }
    let mut fonts = all_files(&workspace.join("assets/fonts"), "licences/fonts")?;
    fonts.retain(|font| font.to.ends_with(".txt"));
    items.extend(fonts);
    items.extend(all_files(&libtorch.root.join("licenses"), "licences/libtorch")?);
    // The wheel of libtorch has them nowhere.
    items.extend(all_files(&ours()?.join("libgomp"), "licences/libgomp")?);
    // Its crate is under another licence than the C code in it.
    items.extend(all_files(&ours()?.join("libjpeg-turbo"), "licences/libjpeg-turbo")?);
    if packages.gpu {
        items.extend(all_files(&libtorch::gpu_folder(packages.platform)?.join("licenses"), "licences/cuda")?);
    }
    if let Some(folder) = openvino::found(packages.platform)? {
        items.extend(all_files(&folder.join("licenses"), "licences/openvino")?);
    }
    Ok(items)
}

/// All files of the archive, below its folder.
pub fn for_archive(app: &[Item], papers: &[Item], packages: &Packages) -> Result<Vec<Item>> {
    let mut items: Vec<_> = app.iter().chain(papers).cloned().collect();
    items.extend(of_desktop()?.iter().map(|item| item.within("share")));
    let ours = ours()?;
    items.push(Item::new("add-to-menu", Content::Program(ours.join("add-to-menu"))));
    let libraries: Vec<PathBuf> = app.iter().filter_map(elf).collect();
    let start = ours.join("README.txt");
    let start = fs::read_to_string(&start).with_context(|| format!("cannot read {}", start.display()))?;
    let glibc = program::needed_glibc(&libraries)?;
    let mut start = start.replace("@VERSION@", VERSION).replace("@GLIBC@", &glibc);
    if packages.gpu {
        start += "It uses an NVIDIA GPU with driver 580 or newer, and works without one, too.\n";
    }
    items.push(Item::new("README.txt", Content::Text(start)));
    Ok(items)
}

/// All files of the Debian package, below the root of the system.
pub fn for_debian(app: &[Item], papers: &[Item]) -> Result<Vec<Item>> {
    const DOC: &str = "usr/share/doc/tasklens";
    let mut items: Vec<_> = app.iter().map(|item| item.within("usr/lib/tasklens")).collect();
    items.push(Item::new("usr/bin/tasklens", Content::Link("../lib/tasklens/tasklens".to_owned())));
    items.extend(of_desktop()?.iter().map(|item| item.within("usr/share")));
    for paper in papers {
        let mut paper = paper.clone();
        // Where Debian looks for the licences.
        paper.to = match paper.to.as_str() {
            "licences/README.txt" => format!("{DOC}/copyright"),
            to => format!("{DOC}/{}", to.strip_prefix("doc/").unwrap_or(to)),
        };
        items.push(paper);
    }
    Ok(items)
}

/// What tells a desktop about the program, below its `share`.
fn of_desktop() -> Result<Vec<Item>> {
    let ours = ours()?;
    let mut items: Vec<_> = DESKTOP_ENTRIES
        .iter()
        .map(|name| Item::new(format!("applications/{name}"), Content::Copy(ours.join(name))))
        .collect();
    items.push(Item::new("mime/packages/tasklens.xml", Content::Copy(ours.join("tasklens.xml"))));
    let icon = workspace()?.join("assets/icon.png");
    items.push(Item::new("icons/hicolor/256x256/apps/tasklens.png", Content::Copy(icon)));
    Ok(items)
}

/// The folder of our files that only packages have.
fn ours() -> Result<PathBuf> {
    Ok(workspace()?.join("xtask").join("dist"))
}

/// The file, if it is a program or a library of the app.
fn elf(item: &Item) -> Option<PathBuf> {
    match &item.content {
        Content::Program(file) => Some(file.clone()),
        Content::Copy(file) if program::is_library(file) => Some(file.clone()),
        _ => None,
    }
}

/// All files in `from` and below, in `to`.
fn all_files(from: &Path, to: &str) -> Result<Vec<Item>> {
    let list = fs::read_dir(from).with_context(|| format!("cannot read {}", from.display()))?;
    let mut items = Vec::new();
    for file in list {
        let file = file?.path();
        let to = format!("{to}/{}", name(&file)?);
        if file.is_dir() {
            items.extend(all_files(&file, &to)?);
        } else {
            items.push(Item::new(to, Content::Copy(file)));
        }
    }
    Ok(items)
}

fn name(file: &Path) -> Result<&str> {
    file.file_name().and_then(|name| name.to_str()).with_context(|| format!("{} has no name", file.display()))
}
