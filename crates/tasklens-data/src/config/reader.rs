//! Reads one value of a section as a number, switch, path or choice, and collects errors: reading continues with the
//! default, so that all errors are known at once.

use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};

use super::yaml::{Node, Value, YamlEntry, YamlPlace};
use super::{ConfigError, nearest, slips};

/// A group of keys, such as `model`.
#[derive(Clone, Copy)]
pub(super) struct Section<'a> {
    /// The dotted name; empty at the top.
    pub name: &'a str,
    pub place: Option<&'a YamlPlace>,
    pub entries: &'a [YamlEntry],
}

impl<'a> Section<'a> {
    pub fn get(&self, key: &str) -> Option<&'a Node> {
        self.entries.iter().find(|entry| entry.key == key).map(|entry| &entry.node)
    }

    /// The key with its section, for messages.
    pub fn full(&self, key: &str) -> String {
        if self.name.is_empty() { key.to_owned() } else { format!("{}.{key}", self.name) }
    }
}

/// An error in the file.
struct ConfigFault {
    place: Option<YamlPlace>,
    message: String,
}

/// Collects errors and notices while a config is read.
pub(super) struct ConfigReader {
    /// Folder of the file.
    pub own: PathBuf,
    /// Relative paths start here.
    pub folder: PathBuf,
    faults: Vec<ConfigFault>,
    pub notices: Vec<String>,
}

impl ConfigReader {
    pub fn new(file: &Path) -> Self {
        let file = std::path::absolute(file).unwrap_or_else(|_| file.to_path_buf());
        let own = file.parent().map(Path::to_path_buf).unwrap_or_default();
        Self { folder: own.clone(), own, faults: Vec::new(), notices: Vec::new() }
    }

    pub fn fault(&mut self, place: Option<&YamlPlace>, message: impl Into<String>) {
        self.faults.push(ConfigFault { place: place.cloned(), message: message.into() });
    }

    /// Reports a value that is invalid for its key.
    pub fn wrong(&mut self, full: &str, node: &Node, expected: &str) {
        self.fault(Some(&node.place), format!("`{full}` is {node}, expected {expected}"));
    }

    /// The first error by line, with the number of the others; `Ok` if there is none.
    pub fn finish(mut self, file: &Path) -> Result<Vec<String>, ConfigError> {
        self.faults.sort_by_key(|fault| match fault.place {
            Some(YamlPlace::Set(_)) => 0,
            Some(YamlPlace::Line(line)) => line,
            None => usize::MAX,
        });
        let others = self.faults.len().saturating_sub(1);
        let Some(first) = self.faults.into_iter().next() else { return Ok(self.notices) };
        let (line, mut message) = match first.place {
            Some(YamlPlace::Line(line)) => (Some(line), first.message),
            Some(YamlPlace::Set(argument)) => (None, format!("--set {argument}: {}", first.message)),
            None => (None, first.message),
        };
        if others > 0 {
            message.push_str(&format!(" (and {others} more)"));
        }
        Err(ConfigError { file: file.to_path_buf(), line, message })
    }

    /// Reports every key of `section` that is not in `known`, with the most similar one. `elsewhere` holds the keys
    /// of other sections.
    pub fn only_known(&mut self, section: &Section<'_>, known: &[&str], elsewhere: &[(&str, &[&str])]) {
        for entry in section.entries {
            let key = entry.key.as_str();
            if known.contains(&key) {
                continue;
            }
            let name = section.full(key);
            let message = if let Some((other, _)) = elsewhere.iter().find(|(_, keys)| keys.contains(&key)) {
                format!("`{name}` is unknown; `{key}` belongs in `{other}:`, as `{other}.{key}`")
            } else if let Some(near) = nearest(key, known.iter().copied()) {
                format!("`{name}` is unknown; did you mean `{near}`?")
            } else {
                format!("`{name}` is unknown; the keys here are {}", list(known.iter().copied()))
            };
            self.fault(Some(&entry.place), message);
        }
    }

    /// The entries of a map; null is an empty one.
    pub fn map<'a>(&mut self, full: &str, node: &'a Node, expected: &str) -> &'a [YamlEntry] {
        match &node.value {
            Value::Map(entries) => entries,
            _ if node.is_null() => &[],
            _ => {
                match node.text().and_then(slips::lacks_space) {
                    Some((key, value)) => self.fault(
                        Some(&node.place),
                        format!(
                            "`{full}` is {node}: a space is missing after the colon; write `{key}: {value}`"
                        ),
                    ),
                    None => self.wrong(full, node, expected),
                }
                &[]
            }
        }
    }

    pub fn whole(
        &mut self,
        section: &Section<'_>,
        key: &str,
        range: RangeInclusive<u64>,
        default: u64,
    ) -> u64 {
        let Some(node) = section.get(key) else { return default };
        match node.text().and_then(whole_number).filter(|value| range.contains(value)) {
            Some(value) => value,
            None => {
                let expected = match (*range.start(), *range.end()) {
                    (0, u64::MAX) => "a whole number, 0 or more".to_owned(),
                    (low, high) => format!("a whole number from {low} to {high}"),
                };
                self.wrong(&section.full(key), node, &expected);
                default
            }
        }
    }

    pub fn count(
        &mut self,
        section: &Section<'_>,
        key: &str,
        range: RangeInclusive<u64>,
        default: u64,
    ) -> usize {
        usize::try_from(self.whole(section, key, range, default)).unwrap_or(usize::MAX)
    }

    /// A number that `fits`; `expected` says in words what fits.
    pub fn number(
        &mut self,
        section: &Section<'_>,
        key: &str,
        default: f64,
        expected: &str,
        fits: impl Fn(f64) -> bool,
    ) -> f64 {
        match section.get(key) {
            None => default,
            Some(node) => self.number_at(&section.full(key), node, default, expected, fits),
        }
    }

    pub fn number_at(
        &mut self,
        full: &str,
        node: &Node,
        default: f64,
        expected: &str,
        fits: impl Fn(f64) -> bool,
    ) -> f64 {
        match node.text().and_then(number).filter(|value| fits(*value)) {
            Some(value) => value,
            None => {
                self.wrong(full, node, expected);
                default
            }
        }
    }

    /// `[low, high]` within `range`, low first.
    pub fn range(
        &mut self,
        section: &Section<'_>,
        key: &str,
        default: (f32, f32),
        within: RangeInclusive<f32>,
    ) -> (f32, f32) {
        let Some(node) = section.get(key) else { return default };
        let values: Option<Vec<f32>> = match &node.value {
            Value::List(items) => items.iter().map(|item| item.text().and_then(small_number)).collect(),
            _ => None,
        };
        match values.as_deref() {
            Some(&[low, high]) if low <= high && within.contains(&low) && within.contains(&high) => {
                (low, high)
            }
            _ => {
                let (start, end) = (within.start(), within.end());
                let expected = format!("[low, high] with both from {start} to {end}, such as [0.8, 1]");
                self.wrong(&section.full(key), node, &expected);
                default
            }
        }
    }

    /// As in YAML 1.1, `True`, `yes` and `on` are true.
    pub fn switch(&mut self, section: &Section<'_>, key: &str, default: bool) -> bool {
        let Some(node) = section.get(key) else { return default };
        match node.text().map(str::to_ascii_lowercase).as_deref() {
            Some("true" | "yes" | "on") => true,
            Some("false" | "no" | "off") => false,
            _ => {
                self.wrong(&section.full(key), node, "true or false");
                default
            }
        }
    }

    /// One of `choices`, by name.
    pub fn choice<T: Copy>(
        &mut self,
        section: &Section<'_>,
        key: &str,
        choices: &[(&str, T)],
        default: T,
    ) -> T {
        let Some(node) = section.get(key) else { return default };
        let found = node.text().and_then(|text| choices.iter().find(|(name, _)| *name == text));
        if let Some((_, value)) = found {
            return *value;
        }
        let expected = any_of(choices.iter().map(|(name, _)| *name));
        self.wrong(&section.full(key), node, &expected);
        default
    }

    /// Text that is not empty; null counts as absent.
    pub fn text(&mut self, section: &Section<'_>, key: &str, expected: &str) -> Option<String> {
        let node = section.get(key).filter(|node| !node.is_null())?;
        match node.text().filter(|text| !text.is_empty()) {
            Some(text) => Some(text.to_owned()),
            None => {
                self.wrong(&section.full(key), node, expected);
                None
            }
        }
    }

    /// A path, made absolute; null counts as absent.
    pub fn path(&mut self, section: &Section<'_>, key: &str) -> Option<PathBuf> {
        let text = self.text(section, key, "a path")?;
        if cfg!(not(windows)) && is_of_windows(&text) {
            let full = section.full(key);
            let place = section.get(key).map(|node| &node.place);
            self.fault(
                place,
                format!("`{full}` is `{text}`, a Windows path; expected a path on this computer"),
            );
        }
        Some(self.absolute(&text))
    }

    /// A path from the folder that relative paths start at.
    pub fn absolute(&self, path: &str) -> PathBuf {
        let joined = under(&self.folder, path);
        std::path::absolute(&joined).unwrap_or(joined)
    }
}

/// A path from a folder. Where it was written on Windows, its `\` are `/` elsewhere, unless there is a file of just
/// that name.
pub(super) fn under(folder: &Path, path: &str) -> PathBuf {
    let joined = folder.join(path);
    if cfg!(not(windows)) && path.contains('\\') && !joined.exists() {
        return folder.join(path.replace('\\', "/"));
    }
    joined
}

/// `C:\data` or `\\server\share`.
fn is_of_windows(path: &str) -> bool {
    let drive = path.as_bytes();
    path.starts_with("\\\\")
        || (drive.len() > 2
            && drive[0].is_ascii_alphabetic()
            && drive[1] == b':'
            && matches!(drive[2], b'\\' | b'/'))
}

/// "`a`, `b` and `c`".
pub(super) fn list<'a>(names: impl Iterator<Item = &'a str>) -> String {
    joined(names, "and")
}

fn any_of<'a>(names: impl Iterator<Item = &'a str>) -> String {
    joined(names, "or")
}

fn joined<'a>(names: impl Iterator<Item = &'a str>, word: &str) -> String {
    let mut quoted: Vec<String> = names.map(|name| format!("`{name}`")).collect();
    match quoted.pop() {
        None => "none".to_owned(),
        Some(last) if quoted.is_empty() => last,
        Some(last) => format!("{} {word} {last}", quoted.join(", ")),
    }
}

/// Accepts `16`, `16.0` and `1e3`.
pub(super) fn whole_number(text: &str) -> Option<u64> {
    const EXACT: f64 = 9_007_199_254_740_992.0;
    text.parse().ok().or_else(|| {
        let value = number(text)?;
        // Beyond 2^53 a float does not identify a whole number.
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "whole and in range")]
        (value.fract() == 0.0 && (0.0..EXACT).contains(&value)).then_some(value as u64)
    })
}

/// Accepts `.000001`, `1e-4` and `+0.5`, but not infinities and NaN.
fn number(text: &str) -> Option<f64> {
    text.parse::<f64>().ok().filter(|value| value.is_finite())
}

fn small_number(text: &str) -> Option<f32> {
    text.parse::<f32>().ok().filter(|value| value.is_finite())
}
