//! YAML text -> a tree in which every key and value has its position in the file.
//!
//! Scalars stay text: what `True`, `.000001` or `1.0` means depends on the key.

use std::collections::HashMap;
use std::fmt;
use std::ops::Range;

use super::slips;
use saphyr_parser::{Event, Parser, ScalarStyle, ScanError, Span};

/// Aliases are copied; more nodes than this are an attack, not a config.
const MAX_NODES: usize = 200_000;
/// Deeper nesting than this is refused, so that no text can exhaust the stack.
const MAX_DEPTH: usize = 32;

/// Where something was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum YamlPlace {
    /// Line of the file, from 1.
    Line(usize),
    /// A `--set` argument, as `key=value`.
    Set(String),
}

/// A value and its position.
#[derive(Clone, Debug)]
pub(super) struct Node {
    pub place: YamlPlace,
    pub value: Value,
    /// Its bytes in the text; empty for `--set`. A group ends with its last value.
    pub span: Range<usize>,
    /// Whether it is a list or group in brackets.
    pub is_flow: bool,
}

/// The content of a [`Node`].
#[derive(Clone, Debug)]
pub(super) enum Value {
    /// Text, and whether it was written without quotes.
    Scalar {
        text: String,
        plain: bool,
    },
    List(Vec<Node>),
    Map(Vec<YamlEntry>),
}

/// One `key: value` of a map.
#[derive(Clone, Debug)]
pub(super) struct YamlEntry {
    pub key: String,
    pub place: YamlPlace,
    /// The key's bytes in the text.
    pub span: Range<usize>,
    pub node: Node,
}

/// A syntax error, with the line where the parser stopped.
#[derive(Debug)]
pub(super) struct YamlError {
    pub line: usize,
    pub message: String,
}

impl Node {
    /// The tree of an empty file, once `--set` adds something.
    pub fn empty_map() -> Self {
        Self::set(&YamlPlace::Line(1), Value::Map(Vec::new()))
    }

    /// A value that comes from `--set`.
    fn set(place: &YamlPlace, value: Value) -> Self {
        Self { place: place.clone(), value, span: 0..0, is_flow: false }
    }

    /// Whether nothing was written: `key:`, `~` or `null`.
    pub fn is_null(&self) -> bool {
        match &self.value {
            Value::Scalar { text, plain: true } => {
                matches!(text.as_str(), "" | "~" | "null" | "Null" | "NULL")
            }
            _ => false,
        }
    }

    /// The text of a scalar; `None` for null, lists and maps.
    pub fn text(&self) -> Option<&str> {
        match &self.value {
            Value::Scalar { text, .. } if !self.is_null() => Some(text.trim()),
            _ => None,
        }
    }
}

/// For messages: the text in backticks, or the kind of value.
impl fmt::Display for Node {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.value {
            _ if self.is_null() => f.write_str("empty"),
            Value::Scalar { text, .. } if text.trim().is_empty() => f.write_str("empty"),
            Value::Scalar { text, .. } => write!(f, "`{text}`"),
            Value::List(_) => f.write_str("a list"),
            Value::Map(_) => f.write_str("a group of keys"),
        }
    }
}

/// Parses the only document of `text`; `None` if it is empty.
pub(super) fn parse(text: &str) -> Result<Option<Node>, YamlError> {
    let whole = text;
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mark = whole.len() - text.len();
    let mut bytes: Vec<usize> = text.char_indices().map(|(at, _)| mark + at).collect();
    bytes.push(whole.len());
    let parser = Parser::new_from_str(text);
    let mut builder = Builder { text: whole, bytes, parser, anchors: HashMap::new(), nodes: 0, line: 1 };
    let mut root = None;
    while let Some((event, span)) = builder.next()? {
        match event {
            Event::StreamStart | Event::DocumentStart(_) | Event::DocumentEnd | Event::Nothing => {}
            Event::StreamEnd => break,
            _ if root.is_some() => {
                return Err(builder.error("a second document starts here; a config is a single document"));
            }
            event => root = Some(builder.node(event, span, 0)?),
        }
    }
    Ok(root.filter(|node| !node.is_null()))
}

struct Builder<'input> {
    text: &'input str,
    /// The byte at which each character begins, and the end: the parser counts characters.
    bytes: Vec<usize>,
    parser: Parser<'input, saphyr_parser::StrInput<'input>>,
    anchors: HashMap<usize, Node>,
    nodes: usize,
    line: usize,
}

impl<'input> Builder<'input> {
    fn next(&mut self) -> Result<Option<(Event<'input>, Span)>, YamlError> {
        match self.parser.next_event() {
            None => Ok(None),
            Some(Ok((event, span))) => {
                self.line = span.start.line().max(1);
                Ok(Some((event, span)))
            }
            Some(Err(error)) => Err(syntax_error(self.text, &error)),
        }
    }

    fn error(&self, message: impl Into<String>) -> YamlError {
        YamlError { line: self.line, message: message.into() }
    }

    fn node(&mut self, event: Event<'input>, span: Span, depth: usize) -> Result<Node, YamlError> {
        let line = span.start.line().max(1);
        self.count(1)?;
        if depth > MAX_DEPTH {
            return Err(self.error(format!("keys are nested more than {MAX_DEPTH} deep")));
        }
        let start = self.byte(span.start.index());
        let is_flow = self.text[start..].starts_with(['[', '{']);
        // A group without brackets ends with its last value: the parser reports its end only at the next token.
        let end = |last: Option<usize>, closing: usize| match is_flow {
            true => (closing + 1).max(start),
            false => last.unwrap_or(start),
        };
        let (value, anchor, end) = match event {
            Event::Scalar(text, style, anchor, _) => {
                let end = self.end_of_scalar(start, style, self.byte(span.end.index()));
                (Value::Scalar { text: text.into_owned(), plain: style == ScalarStyle::Plain }, anchor, end)
            }
            Event::SequenceStart(anchor, _) => {
                let (items, closing) = self.list(depth)?;
                let end = end(items.last().map(|item| item.span.end), closing);
                (Value::List(items), anchor, end)
            }
            Event::MappingStart(anchor, _) => {
                let (entries, closing) = self.map(depth)?;
                let end = end(entries.last().map(|entry| entry.node.span.end), closing);
                (Value::Map(entries), anchor, end)
            }
            Event::Alias(anchor) => {
                let node = self.anchors.get(&anchor).cloned();
                let node = node.ok_or_else(|| self.error("an alias refers to itself"))?;
                self.count(size(&node))?;
                (node.value, 0, self.byte(span.end.index()))
            }
            _ => return Err(self.error("unexpected end")),
        };
        let is_flow = is_flow && !matches!(value, Value::Scalar { .. });
        let node = Node { place: YamlPlace::Line(line), value, span: start..end.max(start), is_flow };
        if anchor != 0 {
            self.anchors.insert(anchor, node.clone());
        }
        Ok(node)
    }

    fn byte(&self, character: usize) -> usize {
        self.bytes.get(character).copied().unwrap_or(self.text.len())
    }

    /// The parser includes blanks and a comment after a quoted scalar.
    fn end_of_scalar(&self, start: usize, style: ScalarStyle, end: usize) -> usize {
        let text = &self.text[start..end.max(start)];
        let closing = match style {
            ScalarStyle::SingleQuoted => closing_quote(text, '\''),
            ScalarStyle::DoubleQuoted => closing_quote(text, '"'),
            _ => None,
        };
        start + closing.map_or(text.len(), |at| at + 1)
    }

    /// The items, and the byte at which the list is closed.
    fn list(&mut self, depth: usize) -> Result<(Vec<Node>, usize), YamlError> {
        let (mut items, mut closing) = (Vec::new(), 0);
        while let Some((event, span)) = self.next()? {
            if event == Event::SequenceEnd {
                closing = self.byte(span.start.index());
                break;
            }
            items.push(self.node(event, span, depth + 1)?);
        }
        Ok((items, closing))
    }

    /// The entries, and the byte at which the group is closed.
    fn map(&mut self, depth: usize) -> Result<(Vec<YamlEntry>, usize), YamlError> {
        let (mut entries, mut closing) = (Vec::<YamlEntry>::new(), 0);
        while let Some((event, span)) = self.next()? {
            if event == Event::MappingEnd {
                closing = self.byte(span.start.index());
                break;
            }
            let key = self.node(event, span, depth + 1)?;
            let Value::Scalar { text, .. } = key.value else {
                return Err(self.error("a key must be text, not a list or a group of keys"));
            };
            if let Some(YamlEntry { place: YamlPlace::Line(first), .. }) =
                entries.iter().find(|e| e.key == text)
            {
                return Err(self.error(format!("`{text}` is given twice (first on line {first})")));
            }
            let Some((event, span)) = self.next()? else { break };
            let node = self.node(event, span, depth + 1)?;
            entries.push(YamlEntry { key: text, place: key.place, span: key.span, node });
        }
        Ok((entries, closing))
    }

    fn count(&mut self, nodes: usize) -> Result<(), YamlError> {
        self.nodes += nodes;
        if self.nodes > MAX_NODES {
            return Err(self.error("this is too large for a config"));
        }
        Ok(())
    }
}

/// The end of a quoted scalar, whose first character is the quote.
fn closing_quote(text: &str, quote: char) -> Option<usize> {
    let mut characters = text.char_indices().skip(1).peekable();
    while let Some((at, c)) = characters.next() {
        if c == '\\' && quote == '"' {
            characters.next();
        } else if c == quote {
            if quote == '"' || characters.peek().is_none_or(|(_, next)| *next != quote) {
                return Some(at);
            }
            characters.next();
        }
    }
    None
}

fn size(node: &Node) -> usize {
    1 + match &node.value {
        Value::Scalar { .. } => 0,
        Value::List(items) => items.iter().map(size).sum(),
        Value::Map(entries) => entries.iter().map(|entry| size(&entry.node)).sum(),
    }
}

fn syntax_error(text: &str, error: &ScanError) -> YamlError {
    let (line, column) = (error.marker().line().max(1), error.marker().col() + 1);
    if let Some((line, slip)) = slips::find(text, line) {
        return YamlError { line, message: format!("this is not valid YAML: {slip}") };
    }
    let advice = advice(error.info()).map(|advice| format!("; {advice}")).unwrap_or_default();
    let message = format!("this is not valid YAML: {} (column {column}){advice}", error.info());
    YamlError { line, message }
}

/// What the parser's messages most often mean in a config; the first match counts.
fn advice(info: &str) -> Option<&'static str> {
    const ADVICE: &[(&str, &str)] = &[
        ("tabs", "indent with spaces"),
        ("unknown escape", "put a path in single quotes, or write it with `/`"),
        ("quoted scalar", "look for a quote that is not closed"),
        (
            "mapping values are not allowed",
            "look for a missing `:` in the line before, or put text that has a `:` in quotes",
        ),
        ("did not find expected key", "the keys of a group must be indented alike"),
        ("':' indicator", "look for a `[` or `{` that is not closed"),
        ("unexpected character", "put the text in quotes"),
    ];
    ADVICE.iter().find(|(term, _)| info.contains(term)).map(|(_, advice)| *advice)
}

/// Sets `value` at a dotted `key` such as `model.epochs` and creates missing groups.
///
/// # Errors
/// The value is not YAML, or a part of the key is not a group of keys; the message says which.
pub(super) fn set(root: &mut Node, key: &str, value: &str) -> Result<(), String> {
    let argument = format!("{key}={value}");
    let place = YamlPlace::Set(argument.clone());
    let node = match parse(value) {
        Ok(Some(node)) => relocate(node, &place),
        Ok(None) => Node::set(&place, Value::Scalar { text: String::new(), plain: true }),
        Err(error) => return Err(format!("--set {argument}: {}", error.message)),
    };
    let mut parts: Vec<&str> = key.split('.').collect();
    let Some(last) = parts.pop().filter(|last| !last.is_empty()) else {
        return Err(format!("--set {argument}: write it as section.key=value, such as model.epochs=3"));
    };
    let mut group = root;
    for part in parts {
        let empty = Node::set(&place, Value::Map(Vec::new()));
        let Some(entries) = entries_of(group) else { return Err(no_group(&argument, part)) };
        let index = entry_index(entries, part, &place, empty);
        group = &mut entries[index].node;
    }
    let Some(entries) = entries_of(group) else { return Err(no_group(&argument, last)) };
    let index = entry_index(entries, last, &place, node.clone());
    entries[index] = YamlEntry { key: last.to_owned(), place, span: 0..0, node };
    Ok(())
}

fn no_group(argument: &str, part: &str) -> String {
    format!(
        "--set {argument}: `{part}` cannot be set there, because its parent is a value, not a group of keys"
    )
}

/// The entries of a map; a null becomes an empty map first.
fn entries_of(node: &mut Node) -> Option<&mut Vec<YamlEntry>> {
    if node.is_null() {
        node.value = Value::Map(Vec::new());
    }
    match &mut node.value {
        Value::Map(entries) => Some(entries),
        _ => None,
    }
}

fn entry_index(entries: &mut Vec<YamlEntry>, key: &str, place: &YamlPlace, node: Node) -> usize {
    entries.iter().position(|entry| entry.key == key).unwrap_or_else(|| {
        entries.push(YamlEntry { key: key.to_owned(), place: place.clone(), span: 0..0, node });
        entries.len() - 1
    })
}

fn relocate(node: Node, place: &YamlPlace) -> Node {
    let value = match node.value {
        Value::List(items) => Value::List(items.into_iter().map(|item| relocate(item, place)).collect()),
        Value::Map(entries) => Value::Map(
            entries
                .into_iter()
                .map(|e| YamlEntry { node: relocate(e.node, place), place: place.clone(), ..e })
                .collect(),
        ),
        scalar @ Value::Scalar { .. } => scalar,
    };
    Node::set(place, value)
}
