//! The results as an SVG with fixed colours, which are readable on a light and on a dark page.

use std::fmt::Write as _;

use super::table::Spread;
use super::{ORDERS, Outcome, ROUNDS};

/// Of one panel.
const WIDTH: f64 = 440.0;
const HEIGHT: f64 = 330.0;
const LEFT: f64 = 46.0;
/// Room for the names beside the lines.
const RIGHT: f64 = 112.0;
const TOP: f64 = 46.0;
const BOTTOM: f64 = 48.0;
/// As in `ORDERS`: grey, orange, blue.
const COLOURS: [&str; 3] = ["#7f7f7f", "#c96a12", "#2f81d0"];
const INK: &str = "#7f7f7f";
/// Numbers of labels below the axis.
const TICKS: [usize; 6] = [20, 50, 100, 200, 400, 800];
/// Least distance between two names.
const LINE: f64 = 15.0;

/// One panel per data set, side by side.
pub fn svg(outcomes: &[Outcome]) -> String {
    let width = WIDTH * outcomes.len() as f64;
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {HEIGHT}\" width=\"{width}\" height=\"{HEIGHT}\" \
         role=\"img\" font-family=\"system-ui, -apple-system, 'Segoe UI', Helvetica, Arial, sans-serif\" font-size=\"12\" \
         fill=\"{INK}\">\n<title>Accuracy on held-out images against the number of labelled images, by the order of \
         labelling</title>\n"
    );
    for (place, outcome) in outcomes.iter().enumerate() {
        let _ = writeln!(svg, "<g transform=\"translate({} 0)\">", WIDTH * place as f64);
        svg += &Panel::of(outcome).svg(outcome);
        svg += "</g>\n";
    }
    svg + "</svg>\n"
}

/// The ranges of both axes.
struct Panel {
    low: f64,
    high: f64,
    /// From one line across to the next.
    step: f64,
    everything: f64,
}

impl Panel {
    fn of(outcome: &Outcome) -> Self {
        let everything = Spread::of_means(&outcome.everything).mean;
        let (mut low, mut high) = (everything, everything);
        for order in 0..ORDERS.len() {
            for place in 0..ROUNDS.len() {
                let Spread { mean, deviation, .. } = outcome.within_repeats(order, place);
                low = low.min(mean - deviation);
                high = high.max(mean + deviation);
            }
        }
        let step = match high - low {
            span if span < 0.15 => 0.02,
            span if span < 0.4 => 0.05,
            _ => 0.1,
        };
        let [low, high] = [(low / step).floor() * step, ((high / step).ceil() * step).min(1.0)];
        Self { low, high, step, everything }
    }

    /// Twice the labels are as far everywhere: the first ones teach the most.
    fn x(labels: usize) -> f64 {
        let [labels, first, last] = [labels, ROUNDS[0], ROUNDS[ROUNDS.len() - 1]].map(|n| (n as f64).ln());
        LEFT + (labels - first) / (last - first) * (WIDTH - LEFT - RIGHT)
    }

    /// Of a band that reaches beyond all, the end.
    fn y(&self, accuracy: f64) -> f64 {
        TOP + (self.high - accuracy.min(self.high)) / (self.high - self.low) * (HEIGHT - TOP - BOTTOM)
    }

    fn svg(&self, outcome: &Outcome) -> String {
        let mut svg = self.axes(outcome);
        let all = outcome.everything.first().map_or(0, |point| point.labels);
        let (right, level) = (WIDTH - RIGHT, self.y(self.everything));
        let _ = writeln!(
            svg,
            "<line x1=\"{LEFT}\" x2=\"{right}\" y1=\"{level:.1}\" y2=\"{level:.1}\" stroke=\"{INK}\" stroke-dasharray=\"2 4\"/>"
        );
        let mut names = vec![(level, INK, format!("all {}", thousands(all)))];
        // The band of every order lies below every line.
        let mut lines = String::new();
        for (order, (name, _)) in ORDERS.iter().enumerate() {
            let spreads: Vec<Spread> =
                (0..ROUNDS.len()).map(|place| outcome.within_repeats(order, place)).collect();
            let colour = COLOURS[order];
            let upper = spreads.iter().enumerate().map(|(place, s)| self.point(place, s.mean + s.deviation));
            let lower =
                spreads.iter().enumerate().rev().map(|(place, s)| self.point(place, s.mean - s.deviation));
            let band: Vec<String> = upper.chain(lower).collect();
            let _ = writeln!(
                svg,
                "<polygon points=\"{}\" fill=\"{colour}\" fill-opacity=\"0.16\"/>",
                band.join(" ")
            );
            let line: Vec<String> =
                spreads.iter().enumerate().map(|(place, s)| self.point(place, s.mean)).collect();
            let _ = writeln!(
                lines,
                "<polyline points=\"{}\" fill=\"none\" stroke=\"{colour}\" stroke-width=\"2\" stroke-linejoin=\"round\"/>",
                line.join(" ")
            );
            let end = spreads.last().map_or(self.low, |spread| spread.mean);
            names.push((self.y(end), colour, (*name).to_owned()));
        }
        svg + &lines + &self.names(names)
    }

    fn point(&self, place: usize, accuracy: f64) -> String {
        format!("{:.1},{:.1}", Self::x(ROUNDS[place]), self.y(accuracy))
    }

    fn axes(&self, outcome: &Outcome) -> String {
        let (right, bottom) = (WIDTH - RIGHT, HEIGHT - BOTTOM);
        let mut svg = format!(
            "<text x=\"{LEFT}\" y=\"16\" font-size=\"14\" font-weight=\"600\">{}</text>\n<text x=\"{LEFT}\" y=\"34\">accuracy, \
             mean of {}</text>\n",
            outcome.title,
            outcome.tasks.join(", ").replace('_', " ")
        );
        let mut level = self.low;
        while level <= self.high + 1e-9 {
            let y = self.y(level);
            let _ = writeln!(
                svg,
                "<line x1=\"{LEFT}\" x2=\"{right}\" y1=\"{y:.1}\" y2=\"{y:.1}\" stroke=\"{INK}\" stroke-opacity=\"0.25\"/>\
                 <text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"end\">{:.0} %</text>",
                LEFT - 6.0,
                y + 4.0,
                100.0 * level
            );
            level += self.step;
        }
        for labels in TICKS {
            let x = Self::x(labels);
            let _ = writeln!(
                svg,
                "<line x1=\"{x:.1}\" x2=\"{x:.1}\" y1=\"{bottom}\" y2=\"{:.1}\" stroke=\"{INK}\"/>\
                 <text x=\"{x:.1}\" y=\"{:.1}\" text-anchor=\"middle\">{}</text>",
                bottom + 4.0,
                bottom + 18.0,
                labels
            );
        }
        let _ = writeln!(
            svg,
            "<line x1=\"{LEFT}\" x2=\"{right}\" y1=\"{bottom}\" y2=\"{bottom}\" stroke=\"{INK}\"/>\
             <text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"middle\">labelled images</text>",
            f64::midpoint(LEFT, right),
            bottom + 37.0
        );
        svg
    }

    /// Names beside the ends of their lines, moved apart where they would overlap.
    fn names(&self, mut names: Vec<(f64, &str, String)>) -> String {
        names.sort_by(|a, b| a.0.total_cmp(&b.0));
        for next in 1..names.len() {
            names[next].0 = names[next].0.max(names[next - 1].0 + LINE);
        }
        let mut svg = String::new();
        for (y, colour, name) in names {
            let _ = writeln!(
                svg,
                "<text x=\"{:.1}\" y=\"{:.1}\" fill=\"{colour}\" font-weight=\"600\">{name}</text>",
                WIDTH - RIGHT + 8.0,
                y + 4.0
            );
        }
        svg
    }
}

fn thousands(number: usize) -> String {
    if number < 1000 { number.to_string() } else { format!("{},{:03}", number / 1000, number % 1000) }
}
