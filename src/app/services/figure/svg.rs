//! A chart drawn as SVG, in the colours of the light theme.

use egui::Color32;
use egui_plot::GridInput;
use svg::Document;
use svg::node::Text as TextNode;
use svg::node::element::{Circle, ClipPath, Definitions, Element, Group, Line, Polyline, Rectangle, Text};

use super::{Figure, FigureLine, Horizontal, LineLook, epoch_marks};
use crate::app::theme::{Tokens, on_paper};

const WIDTH: f64 = 800.0;
/// Height of the plot itself.
const PLOT: f64 = 320.0;
const LEFT: f64 = 64.0;
const RIGHT: f64 = 24.0;
/// Below the plot: the numbers and the name of the axis.
const FOOT: f64 = 48.0;
/// Above the legend.
const HEAD: f64 = 40.0;
/// Of a line of the legend.
const ROW: f64 = 20.0;
/// Between legend and plot: the names of the marks.
const MARKS: f64 = 24.0;
/// A line with more points has no dots.
const MOST_DOTS: usize = 60;
const FONTS: &str = "Inter, Helvetica, Arial, sans-serif";

/// The drawing. Times and tools are left out, so that the same chart is the same file.
pub(super) fn draw(figure: &Figure) -> String {
    let tokens = on_paper();
    let legend = Legend::of(figure);
    let top = HEAD + ROW * legend.rows as f64 + MARKS;
    let plot = Plot::of(figure, top);
    let height = top + PLOT + FOOT;
    let mut document = Document::new()
        .set("width", WIDTH)
        .set("height", height)
        .set("viewBox", (0.0, 0.0, WIDTH, height))
        .set("font-family", FONTS)
        .set("font-size", 12);
    document = document.add(titled(&format!("{} {}", figure.title, figure.subject)));
    document = document.add(rectangle((0.0, 0.0), (WIDTH, height)).set("fill", hex(tokens.field)));
    document = document.add(clip(&plot)).add(heading(figure, tokens));
    document = document.add(legend.drawn(tokens)).add(plot.axes(figure, tokens));
    document = document.add(plot.marks(figure));
    document = document.add(plot.lines(figure, tokens));
    document.to_string()
}

/// Where values lie in the drawing.
struct Plot {
    top: f64,
    x: (f64, f64),
    /// As the scale places them.
    y: (f64, f64),
}

impl Plot {
    fn of(figure: &Figure, top: f64) -> Self {
        let shown = figure.lines.iter().filter(|line| line.look != LineLook::Faint);
        let y = figure.scale.range(shown.flat_map(|line| &line.points).map(|point| point[1]));
        Self { top, x: figure.ends, y }
    }

    fn at(&self, [x, y]: [f64; 2]) -> (f64, f64) {
        let share = |value: f64, (low, high): (f64, f64)| (value - low) / (high - low).max(f64::MIN_POSITIVE);
        let width = WIDTH - LEFT - RIGHT;
        (rounded(LEFT + width * share(x, self.x)), rounded(self.top + PLOT * (1.0 - share(y, self.y))))
    }

    /// Grid, numbers and the name of the horizontal axis.
    fn axes(&self, figure: &Figure, tokens: &Tokens) -> Group {
        let mut group = Group::new();
        let (line, weak) = (hex(tokens.line), hex(tokens.text_weak));
        let bottom = self.top + PLOT;
        let ys = GridInput { bounds: self.y, base_step_size: (self.y.1 - self.y.0) / 10.0 };
        for mark in figure.scale.marks(&ys) {
            let (_, y) = self.at([0.0, mark.value]);
            group = group.add(segment((LEFT, y), (WIDTH - RIGHT, y)).set("stroke", line.as_str()));
            let number = figure.scale.axis_text(mark.value, mark.step_size);
            group = group.add(text(&number, (LEFT - 8.0, y + 4.0), "end").set("fill", weak.as_str()));
        }
        let xs = GridInput { bounds: self.x, base_step_size: (self.x.1 - self.x.0) / 14.0 };
        let (marks, scale, name) = match figure.horizontal {
            Horizontal::Epoch => (epoch_marks(&xs), super::Scale::Number, "epoch"),
            Horizontal::Confidence => (super::Scale::Share.marks(&xs), super::Scale::Share, "confidence"),
        };
        for mark in marks {
            let (x, _) = self.at([mark.value, 0.0]);
            group = group.add(segment((x, self.top), (x, bottom)).set("stroke", line.as_str()));
            let number = scale.axis_text(mark.value, mark.step_size);
            group = group.add(text(&number, (x, bottom + 18.0), "middle").set("fill", weak.as_str()));
        }
        let middle = (LEFT + WIDTH - RIGHT) / 2.0;
        group.add(text(name, (middle, bottom + 38.0), "middle").set("fill", weak.as_str()))
    }

    /// Vertical lines behind the data, with their names above the plot.
    fn marks(&self, figure: &Figure) -> Group {
        let mut group = Group::new();
        let mut free = f64::NEG_INFINITY;
        for mark in &figure.marks {
            let (x, _) = self.at([mark.epoch as f64, 0.0]);
            let line = segment((x, self.top - 4.0), (x, self.top + PLOT)).set("stroke", hex(mark.color));
            group = group.add(line.set("stroke-opacity", 0.5).set("stroke-dasharray", "2 3"));
            let half = width_of(mark.name) / 2.0;
            // Two names on top of each other say nothing; the lines remain.
            if x - half > free {
                group =
                    group.add(text(mark.name, (x, self.top - 8.0), "middle").set("fill", hex(mark.color)));
                free = x + half + 4.0;
            }
        }
        group
    }

    fn lines(&self, figure: &Figure, tokens: &Tokens) -> Group {
        let group = Group::new().set("clip-path", "url(#plot)").set("fill", "none");
        // What is drawn last is in front.
        let looks = |line: &&FigureLine| match line.look {
            LineLook::Faint => 0,
            LineLook::Reference | LineLook::Muted | LineLook::MutedDashed => 1,
            LineLook::Thin => 2,
            LineLook::Solid | LineLook::Dashed => 3,
        };
        let mut lines: Vec<&FigureLine> = figure.lines.iter().rev().collect();
        lines.sort_by_key(looks);
        lines.into_iter().fold(group, |group, line| group.add(self.line(figure, tokens, line)))
    }

    fn line(&self, figure: &Figure, tokens: &Tokens, line: &FigureLine) -> Group {
        let placed = figure.scale.line(&line.points);
        let points: Vec<String> = placed.into_iter().map(|point| pair(self.at(point))).collect();
        let mut group = Group::new().add(titled(&line.name));
        group = group.add(styled(Polyline::new().set("points", points.join(" ")), line));
        let has_dots = matches!(line.look, LineLook::Solid | LineLook::Dashed)
            && line.points.len() <= MOST_DOTS
            && figure.scale != super::Scale::Log;
        if !has_dots {
            return group;
        }
        let fill = if line.look == LineLook::Dashed { tokens.field } else { line.color };
        line.points.iter().fold(group, |group, &[x, y]| {
            let (x, y) = self.at([x, figure.scale.place(y)]);
            let dot = Circle::new().set("cx", x).set("cy", y).set("r", 3).set("fill", hex(fill));
            group.add(dot.set("stroke", hex(line.color)).set("stroke-width", 1.5))
        })
    }
}

/// The names of the lines, in rows that fit.
struct Legend<'a> {
    /// Each with its place.
    entries: Vec<(&'a FigureLine, f64, f64)>,
    rows: usize,
}

impl<'a> Legend<'a> {
    fn of(figure: &'a Figure) -> Self {
        let (mut x, mut row) = (LEFT, 0);
        let mut entries = Vec::new();
        for line in &figure.lines {
            let width = 44.0 + width_of(&line.name);
            if x + width > WIDTH - RIGHT && x > LEFT {
                (x, row) = (LEFT, row + 1);
            }
            entries.push((line, x, HEAD + ROW * (f64::from(row) + 0.5)));
            x += width;
        }
        let rows = if entries.is_empty() { 0 } else { row as usize + 1 };
        Self { entries, rows }
    }

    fn drawn(&self, tokens: &Tokens) -> Group {
        self.entries.iter().fold(Group::new(), |group, (line, x, y)| {
            let sample = Polyline::new().set("points", [pair((*x, *y)), pair((x + 22.0, *y))].join(" "));
            let name = text(&line.name, (x + 28.0, y + 4.0), "start").set("fill", hex(tokens.text));
            group.add(styled(sample, line)).add(name)
        })
    }
}

fn styled(shape: Polyline, line: &FigureLine) -> Polyline {
    let (width, opacity, dashes) = match line.look {
        LineLook::Solid => (2.0, 1.0, None),
        LineLook::Dashed => (2.0, 1.0, Some("6 4")),
        LineLook::Thin => (1.0, 0.9, None),
        LineLook::Faint => (0.75, 0.3, None),
        LineLook::Muted => (1.0, 0.45, None),
        LineLook::MutedDashed => (1.0, 0.45, Some("6 4")),
        LineLook::Reference => (1.0, 0.8, Some("5 3")),
    };
    let shape = shape
        .set("fill", "none")
        .set("stroke", hex(line.color))
        .set("stroke-width", width)
        .set("stroke-opacity", opacity)
        .set("stroke-linejoin", "round");
    match dashes {
        Some(dashes) => shape.set("stroke-dasharray", dashes),
        None => shape,
    }
}

fn heading(figure: &Figure, tokens: &Tokens) -> Group {
    let title = text(&figure.title, (LEFT, 26.0), "start").set("fill", hex(tokens.text));
    let title = title.set("font-size", 16).set("font-weight", 600);
    let from = LEFT + width_of(&figure.title) * 1.4 + 16.0;
    let subject = text(&figure.subject, (from, 26.0), "start").set("fill", hex(tokens.text_weak));
    Group::new().add(title).add(subject)
}

fn clip(plot: &Plot) -> Definitions {
    // Dots at the edges are whole.
    let area = rectangle((LEFT - 4.0, plot.top - 4.0), (WIDTH - LEFT - RIGHT + 8.0, PLOT + 8.0));
    Definitions::new().add(ClipPath::new().set("id", "plot").add(area))
}

fn rectangle((x, y): (f64, f64), (width, height): (f64, f64)) -> Rectangle {
    Rectangle::new().set("x", x).set("y", y).set("width", width).set("height", height)
}

fn segment((x1, y1): (f64, f64), (x2, y2): (f64, f64)) -> Line {
    Line::new().set("x1", x1).set("y1", y1).set("x2", x2).set("y2", y2)
}

fn text(content: &str, (x, y): (f64, f64), anchor: &str) -> Text {
    Text::new(readable(content)).set("x", rounded(x)).set("y", rounded(y)).set("text-anchor", anchor)
}

/// What a viewer shows under the pointer, and reads out.
fn titled(content: &str) -> Element {
    let mut title = Element::new("title");
    svg::Node::append(&mut title, TextNode::new(readable(content.trim())));
    title
}

/// XML has no control characters, not even as numbers.
fn readable(content: &str) -> String {
    content.chars().filter(|letter| !letter.is_control()).collect()
}

/// About how wide a text of 12 units is; wide scripts fill their square.
fn width_of(content: &str) -> f64 {
    content.chars().map(|letter| if letter >= '\u{2e80}' { 12.0 } else { 6.8 }).sum()
}

fn pair((x, y): (f64, f64)) -> String {
    format!("{x},{y}")
}

/// To hundredths of a unit: nobody sees less.
fn rounded(value: f64) -> f64 {
    (value * 100.0).round() / 100.0
}

pub(super) fn hex(color: Color32) -> String {
    format!("#{:02x}{:02x}{:02x}", color.r(), color.g(), color.b())
}
