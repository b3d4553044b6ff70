//! Whether all that a screen shows can be reached: nothing is cut by an edge without a way to scroll to it.

use std::collections::HashMap;

use egui::accesskit::{Action, ActionRequest, NodeId, TreeId};
use egui::{Event, Modifiers, MouseWheelSource, MouseWheelUnit, Rect, TouchPhase, Vec2, vec2};
use egui_kittest::kittest::NodeT as _;

use crate::desk::Desk;

/// A widget may be cut by this much, in points: frames and round-off.
const SLACK: f32 = 2.0;

/// A widget as it was drawn last.
#[derive(Clone, Debug)]
struct Seen {
    id: egui::Id,
    what: String,
    rect: Rect,
    /// The part of it that no edge cuts off.
    visible: Rect,
}

impl Seen {
    /// Whether all of it is seen, or as much as there can be of something larger than the window.
    fn is_clear(&self) -> bool {
        let seen = |whole: f32, seen: f32, most: f32| seen + SLACK >= whole.min(most);
        let (whole, visible) = (self.rect.size(), self.visible.size());
        self.visible.is_positive()
            && seen(whole.x, visible.x, 48.0_f32.max(whole.x.min(160.0)))
            && seen(whole.y, visible.y, 48.0)
    }
}

/// What the accessibility tree names and what was drawn, on any layer.
fn seen(desk: &Desk) -> Vec<Seen> {
    let window = desk.window.ctx.content_rect();
    let named = desk.window.root().children_recursive().filter_map(|node| {
        let node = node.accesskit_node();
        let name = node.label().or_else(|| node.value()).filter(|name| !name.is_empty())?;
        Some((node.locate().0, format!("{:?} {name:?}", node.role())))
    });
    let named: HashMap<NodeId, String> = named.collect();
    desk.window.ctx.viewport(|viewport| {
        let widgets = viewport.prev_pass.widgets.layers().flat_map(|(_, widgets)| widgets);
        let seen = widgets.filter_map(|widget| {
            let what = named.get(&widget.id.accesskit_id())?.clone();
            let is_drawn = widget.visible && widget.rect.is_positive();
            is_drawn.then(|| Seen {
                id: widget.id,
                what,
                rect: widget.rect,
                visible: widget.interact_rect.intersect(window),
            })
        });
        seen.collect()
    })
}

/// Descriptions of what is cut off and cannot be brought into sight: neither as a screen reader does, nor with the wheel
/// of the mouse.
pub fn cut_off(desk: &mut Desk) -> Vec<String> {
    let all = seen(desk);
    assert!(!all.is_empty(), "the screen has names");
    let mut cut: Vec<Seen> = all.into_iter().filter(|widget| !widget.is_clear()).collect();
    cut.retain(|widget| {
        scroll_to(desk, widget);
        // What is gone as another thing came was of a list that scrolls.
        now(desk, widget).is_some_and(|widget| !widget.is_clear())
    });
    for at in [vec2(0.6, 0.6), vec2(0.6, 0.35), vec2(0.85, 0.75)] {
        turn_wheel(desk, at, &mut cut);
    }
    cut.iter().map(|widget| format!("{}: {:?} of {:?}", widget.what, widget.visible, widget.rect)).collect()
}

/// Descriptions of what lies over something else, or leaves the window, of what has its middle in this part of it.
pub fn crowded(desk: &Desk, part: Rect) -> Vec<String> {
    let window = desk.window.ctx.content_rect().expand(0.5);
    let mut there = seen(desk);
    there.retain(|widget| widget.visible.is_positive() && part.contains(widget.visible.center()));
    assert!(!there.is_empty(), "the part has names");
    let outside = there.iter().filter(|widget| !window.contains_rect(widget.rect));
    let outside = outside.map(|widget| format!("{} leaves the window: {:?}", widget.what, widget.rect));
    let pairs =
        there.iter().enumerate().flat_map(|(at, one)| there.iter().skip(at + 1).map(move |two| (one, two)));
    let over = pairs.filter(|(one, two)| one.visible.shrink(0.5).intersects(two.visible.shrink(0.5)));
    let over =
        over.map(|(one, two)| format!("{} lies over {}: {:?}, {:?}", one.what, two.what, one.rect, two.rect));
    outside.chain(over).collect()
}

/// Where the one widget with this in its name is, whatever cuts it off.
pub fn whole_rect(desk: &Desk, name: &str) -> Rect {
    let mut named = seen(desk).into_iter().filter(|widget| widget.what.contains(name));
    named.next().unwrap_or_else(|| panic!("{name} is there")).rect
}

/// Descriptions of what lies over a part of something else.
pub fn partly_over(desk: &Desk) -> Vec<String> {
    let mut there = seen(desk);
    // What scrolls may reach beyond its list.
    there.retain(|widget| widget.visible.is_positive() && !widget.what.starts_with("ListBox "));
    let mut found = Vec::new();
    for (at, one) in there.iter().enumerate() {
        for two in &there[at + 1..] {
            let (a, b) = (one.visible.shrink(1.0), two.visible.shrink(1.0));
            let is_within = |a: Rect, b: Rect| a.expand(2.0).contains_rect(b);
            if a.intersects(b) && !is_within(a, b) && !is_within(b, a) {
                found.push(format!("{} lies over {}: {a:?}, {b:?}", one.what, two.what));
            }
        }
    }
    found
}

fn now(desk: &Desk, widget: &Seen) -> Option<Seen> {
    seen(desk).into_iter().find(|other| other.id == widget.id)
}

fn scroll_to(desk: &mut Desk, widget: &Seen) {
    let request = ActionRequest {
        action: Action::ScrollIntoView,
        target_tree: TreeId::ROOT,
        target_node: widget.id.accesskit_id(),
        data: None,
    };
    desk.window.event(Event::AccessKitActionRequest(request));
    desk.window.run_steps(3);
}

/// Scrolls up and then down over a place, given in parts of the window, and takes from `cut` what comes into sight.
fn turn_wheel(desk: &mut Desk, at: Vec2, cut: &mut Vec<Seen>) {
    let size = desk.window.ctx.content_rect().size();
    for (turns, step) in [(40, 400.0), (120, -30.0)] {
        for _ in 0..turns {
            if cut.is_empty() {
                return;
            }
            desk.window.hover_at((size * at).to_pos2());
            desk.window.event(Event::MouseWheel {
                unit: MouseWheelUnit::Point,
                delta: vec2(0.0, step),
                phase: TouchPhase::Move,
                source: MouseWheelSource::Unknown,
                modifiers: Modifiers::NONE,
            });
            desk.window.run_steps(2);
            cut.retain(|widget| now(desk, widget).is_some_and(|widget| !widget.is_clear()));
        }
    }
}
