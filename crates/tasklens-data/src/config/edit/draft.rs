//! Cuts and insertions in a YAML text, by the positions of its values. Everything between them stays.

use std::ops::Range;

use crate::config::write::scalar;
use crate::config::yaml::{Node, Value, YamlEntry};

/// A text and the changes to make in it.
pub(super) struct ConfigDraft<'a> {
    text: &'a str,
    cuts: Vec<(Range<usize>, String)>,
}

impl<'a> ConfigDraft<'a> {
    pub fn new(text: &'a str) -> Self {
        Self { text, cuts: Vec::new() }
    }

    /// The text with all changes. If two overlap, the result does not parse as intended, which the caller checks.
    pub fn finish(mut self) -> String {
        self.cuts.sort_by_key(|(range, _)| std::cmp::Reverse((range.start, range.end)));
        let mut text = self.text.to_owned();
        for (range, new) in self.cuts {
            if range.end <= text.len()
                && text.is_char_boundary(range.start)
                && text.is_char_boundary(range.end)
            {
                text.replace_range(range, &new);
            }
        }
        text
    }

    /// Replaces the text of a scalar and keeps its style of quotes.
    pub fn replace(&mut self, span: Range<usize>, new: &str) {
        let new = self.like(span.start, new);
        self.cuts.push((span, new));
    }

    /// Replaces a scalar by a list of two items.
    pub fn make_list(&mut self, node: &Node, item: &str) {
        let old = &self.text[node.span.clone()];
        self.cuts.push((node.span.clone(), format!("[{old}, {}]", scalar(item))));
    }

    /// Adds an item at the end of a list.
    pub fn add_item(&mut self, list: &Node, item: &str) -> Result<(), &'static str> {
        let Value::List(items) = &list.value else { return Err("the labels are not a list") };
        let spans: Vec<&Range<usize>> = items.iter().map(|item| &item.span).collect();
        let Some(last) = spans.last() else { return Err("the list is empty") };
        // In the same quotes as its neighbours.
        let item = self.like(last.start, item);
        if list.is_flow {
            self.add_to_flow(&spans, &item);
            return Ok(());
        }
        let before = self.before(last.start);
        if before.trim() != "-" {
            return Err("the list has an unusual layout");
        }
        let line = format!("{before}{item}");
        self.add_lines(last.end, &line);
        Ok(())
    }

    /// Adds a task at the end of `target_encoder`, in the style of the last one.
    pub fn add_task(&mut self, encoder: &Node, name: &str, labels: &[String]) -> Result<(), &'static str> {
        let Value::Map(entries) = &encoder.value else {
            return Err("`target_encoder` is not a group of keys");
        };
        let Some(last) = entries.last() else { return Err("`target_encoder` is empty") };
        let labels: Vec<String> = labels.iter().map(|label| scalar(label)).collect();
        let in_line = format!("{}: [{}]", scalar(name), labels.join(", "));
        if encoder.is_flow {
            let spans: Vec<Range<usize>> =
                entries.iter().map(|entry| entry.span.start..entry.node.span.end).collect();
            self.add_to_flow(&spans.iter().collect::<Vec<_>>(), &in_line);
            return Ok(());
        }
        let indent = self.before(last.span.start);
        if !indent.trim().is_empty() {
            return Err("`target_encoder` has an unusual layout");
        }
        let lines = match &last.node.value {
            Value::List(items) if !last.node.is_flow => {
                let dash = items.first().map(|item| self.before(item.span.start)).unwrap_or_default();
                let mut lines = format!("{indent}{}:", scalar(name));
                for label in &labels {
                    lines.push_str(&format!("{}{dash}{label}", self.line_end()));
                }
                lines
            }
            _ => format!("{indent}{in_line}"),
        };
        self.add_lines(last.node.span.end, &lines);
        Ok(())
    }

    /// The lines of a key and its value in a block, from the first to the last that has something of it.
    pub fn lines_of(&self, entry: &YamlEntry) -> &'a str {
        &self.text[self.line_start(entry.span.start)..self.line_end_at(self.end_of(entry))]
    }

    /// Other lines for a key and its value in a block, indented as it is. The comment on its first line stays.
    pub fn replace_entry(&mut self, entry: &YamlEntry, lines: &str) -> Result<(), &'static str> {
        let old = self.lines_of(entry);
        let comment = old.lines().next().and_then(comment);
        let new = self.reindented(lines, self.before(entry.span.start), comment)?;
        let start = self.line_start(entry.span.start);
        self.cuts.push((start..start + old.len(), new));
        Ok(())
    }

    /// Lines of a further key and its value after the last of a block, indented as that is.
    pub fn add_entry(&mut self, group: &Node, lines: &str) -> Result<(), &'static str> {
        let Value::Map(entries) = &group.value else { return Err("there is no group of keys") };
        let last = entries.last().ok_or("the group of keys is empty")?;
        let lines = self.reindented(lines, self.before(last.span.start), None)?;
        self.add_lines(self.end_of(last), &lines);
        Ok(())
    }

    fn reindented(&self, lines: &str, indent: &str, comment: Option<&str>) -> Result<String, &'static str> {
        if !indent.trim().is_empty() {
            return Err("the layout is unusual");
        }
        let depth = lines.len() - lines.trim_start_matches(' ').len();
        let mut new = String::new();
        for (number, line) in lines.lines().enumerate() {
            if number > 0 {
                new.push_str(self.line_end());
            }
            new.push_str(indent);
            new.push_str(line.get(depth..).unwrap_or_default());
            if number == 0 {
                new.push_str(comment.unwrap_or_default());
            }
        }
        Ok(new)
    }

    /// The end of a value; of its key where it has none.
    fn end_of(&self, entry: &YamlEntry) -> usize {
        match self.text[entry.node.span.clone()].is_empty() {
            true => entry.span.end,
            false => entry.node.span.end,
        }
    }

    /// Removes an item from a list.
    pub fn remove_item(&mut self, list: &Node, item: &Node) -> Result<(), &'static str> {
        let Value::List(items) = &list.value else { return Err("there is no list") };
        let spans: Vec<Range<usize>> = items.iter().map(|item| item.span.clone()).collect();
        self.remove(&spans, &item.span, list.is_flow, "-")
    }

    /// Removes a key with its value from a group.
    pub fn remove_entry(&mut self, group: &YamlEntry, key: &str) -> Result<(), &'static str> {
        self.remove_from(&group.node, key)
    }

    /// As [`ConfigDraft::remove_entry`], by the name of the key.
    pub fn remove_from(&mut self, group: &Node, key: &str) -> Result<(), &'static str> {
        let Value::Map(entries) = &group.value else { return Err("there is no group of keys") };
        let span = |entry: &YamlEntry| entry.span.start..entry.node.span.end.max(entry.span.end);
        let spans: Vec<Range<usize>> = entries.iter().map(span).collect();
        let entry = entries.iter().find(|entry| entry.key.trim() == key).ok_or("a key is missing")?;
        self.remove(&spans, &span(entry), group.is_flow, "")
    }

    /// Removes one of `all`; `mark` is what precedes each on its line, outside brackets.
    fn remove(
        &mut self,
        all: &[Range<usize>],
        one: &Range<usize>,
        is_flow: bool,
        mark: &str,
    ) -> Result<(), &'static str> {
        let at = all.iter().position(|span| span == one).ok_or("it is missing")?;
        let line = self.line_start(one.start);
        if !is_flow {
            if self.before(one.start).trim() != mark {
                return Err("the layout is unusual");
            }
            self.cuts.push((line..self.next_line(one.end), String::new()));
            return Ok(());
        }
        let end = self.after_comma(one.end);
        let rest = self.text[end..self.line_end_at(end)].trim();
        let is_alone = self.before(one.start).trim().is_empty() && (rest.is_empty() || rest.starts_with('#'));
        let cut = match (at.checked_sub(1).and_then(|before| all.get(before)), all.get(at + 1)) {
            // A comma left after the previous item does no harm.
            _ if is_alone => line..self.next_line(end),
            (_, Some(next)) => one.start..next.start,
            (Some(before), None) if !self.text[before.end..one.start].contains('\n') => before.end..one.end,
            _ => one.start..one.end,
        };
        self.cuts.push((cut, String::new()));
        Ok(())
    }

    /// Within brackets: on a line of its own if the others are.
    fn add_to_flow(&mut self, all: &[&Range<usize>], new: &str) {
        let Some(last) = all.last() else { return };
        let before = self.before(last.start);
        if all.len() < 2 || !before.trim().is_empty() {
            self.cuts.push((last.end..last.end, format!(", {new}")));
            return;
        }
        let comma = self.after_comma(last.end);
        let line = format!("{}{before}{new}", self.line_end());
        let rest = self.text[comma..self.line_end_at(comma)].trim();
        if !rest.is_empty() && !rest.starts_with('#') {
            // The bracket closes on the line of the last one.
            self.cuts.push((last.end..last.end, format!(",{line}")));
            return;
        }
        let end = self.line_end_at(comma);
        if end == last.end {
            self.cuts.push((end..end, format!(",{line}")));
        } else if comma == last.end {
            self.cuts.push((last.end..last.end, ",".to_owned()));
            self.cuts.push((end..end, line));
        } else {
            self.cuts.push((end..end, line + ","));
        }
    }

    /// `new` with the quotes of the scalar at `at`.
    fn like(&self, at: usize, new: &str) -> String {
        match self.text[at..].chars().next() {
            Some('\'') => format!("'{}'", new.replace('\'', "''")),
            Some('"') => serde_json::Value::from(new).to_string(),
            _ => scalar(new),
        }
    }

    /// Inserts whole lines after the line of `at`.
    fn add_lines(&mut self, at: usize, lines: &str) {
        let end = self.line_end_at(at);
        self.cuts.push((end..end, format!("{}{lines}", self.line_end())));
    }

    /// What precedes `at` on its line.
    fn before(&self, at: usize) -> &'a str {
        &self.text[self.line_start(at)..at]
    }

    fn line_start(&self, at: usize) -> usize {
        let start = self.text[..at].rfind('\n').map_or(0, |at| at + 1);
        if start == 0 && self.text.starts_with('\u{feff}') { '\u{feff}'.len_utf8() } else { start }
    }

    /// The end of the line of `at`, before its line break.
    fn line_end_at(&self, at: usize) -> usize {
        let end = self.text[at..].find('\n').map_or(self.text.len(), |n| at + n);
        if end > at && self.text[..end].ends_with('\r') { end - 1 } else { end }
    }

    fn next_line(&self, at: usize) -> usize {
        self.text[at..].find('\n').map_or(self.text.len(), |n| at + n + 1)
    }

    /// The position after a comma that follows `at` on its line, else `at`.
    fn after_comma(&self, at: usize) -> usize {
        let rest = &self.text[at..];
        let blanks = rest.len() - rest.trim_start_matches([' ', '\t']).len();
        if rest[blanks..].starts_with(',') { at + blanks + 1 } else { at }
    }

    /// The file's line break.
    fn line_end(&self) -> &'static str {
        if self.text.contains("\r\n") { "\r\n" } else { "\n" }
    }
}

/// The comment at the end of a line, with the space before it.
fn comment(line: &str) -> Option<&str> {
    let mut quote = None;
    let mut space = None;
    for (index, character) in line.char_indices() {
        match (quote, character) {
            (Some(open), character) if open == character => quote = None,
            (None, '"' | '\'') => quote = Some(character),
            (None, '#') if space.is_some() => return space.and_then(|start| line.get(start..)),
            _ => {}
        }
        if character.is_whitespace() {
            space.get_or_insert(index);
        } else {
            space = None;
        }
    }
    None
}
