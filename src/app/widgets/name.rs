//! Names that users gave: of tasks, labels, files and runs. They may be long and in any script, so all of the window
//! shows them with this: in one line that ends in an ellipsis where there is no room, the whole in a tooltip, and
//! right-to-left words in the order in which they are read. What tells one path from another is its end, so a path
//! ([`Name::path`], [`shortened_path`]) is shortened at its start. Accessible names are what the user gave.

use std::borrow::Cow;
use std::sync::Arc;

use egui::text::{LayoutJob, TextFormat, TextWrapping};
use egui::{Button, Color32, ComboBox, FontId, Galley, Response, RichText, Role, Sense, Ui, WidgetInfo};

use crate::app::theme::{self, GRID, TEXT_BODY, TEXT_HEADING, TEXT_SMALL, Tokens, in_visual_order};
use crate::app::widgets::width_of;

/// A menu is no wider than this for the sake of a name.
const WIDEST_ENTRY: f32 = 90.0 * GRID;
/// A menu that is closed is about as wide as this, at the most, for the sake of the name that is chosen.
const WIDEST_CHOSEN: f32 = 46.0 * GRID;
const HIGHEST_MENU: f32 = 100.0 * GRID;

/// A name as a widget. See the module's docs.
#[must_use = "a name shows itself with `ui()`"]
pub struct Name<'a> {
    text: &'a str,
    font: FontId,
    color: Option<Color32>,
    sense: Sense,
    hint: Cow<'a, str>,
    most: f32,
    is_path: bool,
}

impl<'a> Name<'a> {
    /// In body text.
    pub fn new(text: &'a str) -> Self {
        Self {
            text,
            font: FontId::proportional(TEXT_BODY),
            color: None,
            sense: Sense::hover(),
            hint: Cow::Borrowed(""),
            most: f32::INFINITY,
            is_path: false,
        }
    }

    /// It is a path, an address or the name of a file: where there is no room, its start is left out.
    pub fn path(mut self) -> Self {
        self.is_path = true;
        self
    }

    /// In body text with weight.
    pub fn strong(text: &'a str) -> Self {
        Self { font: FontId::new(TEXT_BODY, theme::semibold()), ..Self::new(text) }
    }

    /// In the weight of buttons.
    pub fn medium(text: &'a str) -> Self {
        Self { font: FontId::new(TEXT_BODY, theme::medium()), ..Self::new(text) }
    }

    /// As a heading.
    pub fn heading(text: &'a str) -> Self {
        Self { font: FontId::new(TEXT_HEADING, theme::semibold()), ..Self::new(text) }
    }

    /// In small, weak text.
    pub fn caption(tokens: &Tokens, text: &'a str) -> Self {
        Self { font: FontId::proportional(TEXT_SMALL), color: Some(tokens.text_weak), ..Self::new(text) }
    }

    /// In another colour.
    pub fn color(mut self, color: Color32) -> Self {
        self.color = Some(color);
        self
    }

    /// What it responds to.
    pub fn sense(mut self, sense: Sense) -> Self {
        self.sense = sense;
        self
    }

    /// What the tooltip says in any case, below the name where that is shortened.
    pub fn hint(mut self, hint: impl Into<Cow<'a, str>>) -> Self {
        self.hint = hint.into();
        self
    }

    /// As wide as this at the most, in points, whatever room there is: for grids, whose columns are as wide as what is in
    /// them, and where something is to stand beside it.
    pub fn at_most(mut self, width: f32) -> Self {
        self.most = width;
        self
    }

    /// Shows it.
    pub fn ui(self, ui: &mut Ui) -> Response {
        let tokens = Tokens::of(ui.ctx());
        let room = match self.most {
            most if most.is_finite() => most,
            _ if ui.layout().main_wrap() => ui.max_rect().width(),
            _ => ui.available_width(),
        };
        let color = self.color.unwrap_or(tokens.text);
        let shortened = if self.is_path { shortened_path } else { shortened };
        let galley = shortened(ui, self.text, self.font, color, room);
        let (rect, response) = ui.allocate_exact_size(galley.size(), self.sense);
        let is_enabled = ui.is_enabled();
        response.widget_info(|| WidgetInfo::labeled(Role::Label, is_enabled, self.text));
        let is_shortened = galley.elided;
        let fade = if is_enabled { color } else { ui.visuals().disable(color) };
        ui.painter().galley_with_override_text_color(rect.min, galley, fade);
        match (is_shortened, self.hint.is_empty()) {
            (false, true) => response,
            (false, false) => response.on_hover_text(self.hint),
            (true, true) => response.on_hover_text(in_visual_order(self.text)),
            (true, false) => response.on_hover_text(format!("{}\n{}", in_visual_order(self.text), self.hint)),
        }
    }
}

/// One line of text that ends in an ellipsis where there is no room, to be painted. What is painted so needs a tooltip
/// of its own, with [`in_visual_order`].
pub fn shortened(ui: &Ui, text: &str, font: FontId, color: Color32, width: f32) -> Arc<Galley> {
    let layout = line_layout(ui, font, color, width);
    let whole = in_visual_order(text);
    let galley = layout(&whole);
    if matches!(whole, Cow::Borrowed(_)) || !galley.elided {
        return galley;
    }
    // What is left out is the end of what is read, not what stands at the right.
    let ends: Vec<usize> = text.char_indices().map(|(at, _)| at).collect();
    let beginning = |end: usize| format!("{}\u{2026}", &text[..end]);
    let fitting = ends.partition_point(|end| !layout(&in_visual_order(&beginning(*end))).elided);
    let end = fitting.checked_sub(1).and_then(|last| ends.get(last)).copied().unwrap_or(0);
    let mut short = layout(&in_visual_order(&beginning(end)));
    Arc::make_mut(&mut short).elided = true;
    short
}

/// As [`shortened`], for a path, an address or the name of a file: the ellipsis is at its start, where there is room in
/// front of a whole folder or file.
pub fn shortened_path(ui: &Ui, path: &str, font: FontId, color: Color32, width: f32) -> Arc<Galley> {
    let layout = line_layout(ui, font, color, width);
    let galley = layout(&in_visual_order(path));
    if !galley.elided {
        return galley;
    }
    let end = |start: usize| format!("{ELLIPSIS}{}", &path[start..]);
    let fits = |start: &usize| !layout(&in_visual_order(&end(*start))).elided;
    // The first is all of it, which does not fit.
    let starts: Vec<usize> = path.char_indices().map(|(at, _)| at).skip(1).collect();
    let first_fitting = starts.partition_point(|start| !fits(start));
    let fitting = starts.get(first_fitting..).unwrap_or_default();
    let is_whole = |start: &&usize| path[**start..].starts_with(['/', '\\']);
    let whole = fitting.iter().find(is_whole).filter(|start| **start + 1 < path.len());
    let mut short = match whole.or(fitting.first()) {
        Some(start) => layout(&in_visual_order(&end(*start))),
        None => layout(ELLIPSIS),
    };
    Arc::make_mut(&mut short).elided = true;
    short
}

const ELLIPSIS: &str = "\u{2026}";

/// How a text becomes one line that is cut at its end.
fn line_layout(ui: &Ui, font: FontId, color: Color32, width: f32) -> impl Fn(&str) -> Arc<Galley> {
    let format = TextFormat::simple(font, color);
    move |text| {
        let mut job = LayoutJob::single_section(text.to_owned(), format.clone());
        job.break_on_newline = false;
        job.wrap = TextWrapping::truncate_at_width(width.max(0.0));
        ui.painter().layout_job(job)
    }
}

/// An entry of a menu that is a name; `is_here` marks the one that is chosen.
pub fn entry_ui(ui: &mut Ui, is_here: bool, name: &str) -> Response {
    let text = entry_text(ui, name);
    let is_shortened = text.elided;
    named(ui.add(Button::selectable(is_here, text)), name, is_shortened)
}

/// As [`entry_ui`], with something short at its right.
pub fn counted_entry_ui(ui: &mut Ui, is_here: bool, name: &str, right: RichText) -> Response {
    let text = entry_text(ui, name);
    let is_shortened = text.elided;
    let whole = format!("{name} {}", right.text());
    named(ui.add(Button::selectable(is_here, text).right_text(right)), &whole, is_shortened)
}

/// As [`entry_ui`], to be checked and unchecked.
pub fn checkbox_ui(ui: &mut Ui, checked: &mut bool, name: &str) -> Response {
    let text = entry_text(ui, name);
    let is_shortened = text.elided;
    named(ui.checkbox(checked, text), name, is_shortened)
}

/// A menu that shows the name that is chosen; it is `width` wide, or a little wider for the sake of the name. Its entries
/// scroll where they do not fit in the window.
pub fn combo(ui: &Ui, id_salt: &str, chosen: &str, width: f32) -> ComboBox<'static> {
    let font = FontId::proportional(TEXT_BODY);
    let text = shortened(ui, chosen, font, Color32::PLACEHOLDER, width.max(WIDEST_CHOSEN));
    ComboBox::from_id_salt(id_salt).selected_text(text).width(width).height(menu_height(ui))
}

/// How high a menu may be so that it fits above or below what opens it, in points.
pub fn menu_height(ui: &Ui) -> f32 {
    let window = ui.ctx().content_rect();
    let opener = ui.cursor().top();
    let room = (window.bottom() - opener).max(opener - window.top());
    (room - 16.0 * GRID).clamp(24.0 * GRID, HIGHEST_MENU)
}

/// The most that a name in a menu is wide, in points.
pub fn widest_entry(ui: &Ui) -> f32 {
    (ui.ctx().content_rect().width() - 24.0 * GRID).min(WIDEST_ENTRY)
}

/// A button with a name in it, and what stands behind the name in any case; the caller gives it its accessible name.
pub fn button_ui(ui: &mut Ui, name: &str, behind: &str) -> Response {
    let font = FontId::proportional(TEXT_BODY);
    let color = ui.visuals().widgets.inactive.text_color();
    let width_behind = width_of(ui, behind, font.clone());
    let padding = ui.spacing().button_padding.x;
    let room = (ui.max_rect().width() - 2.0 * padding - width_behind).min(WIDEST_ENTRY);
    let text = shortened(ui, name, font, color, room);
    let is_shortened = text.elided;
    ui.spacing_mut().icon_spacing = 0.0;
    let button = ui.add(Button::new((text, behind.to_owned())));
    if is_shortened { button.on_hover_text(in_visual_order(name)) } else { button }
}

fn entry_text(ui: &Ui, name: &str) -> Arc<Galley> {
    shortened(ui, name, FontId::proportional(TEXT_BODY), Color32::PLACEHOLDER, widest_entry(ui))
}

fn named(response: Response, name: &str, is_shortened: bool) -> Response {
    let response = response.accessible_name(name);
    if is_shortened { response.on_hover_text(in_visual_order(name)) } else { response }
}

/// A dot in the colour of a task, and its name.
pub fn task_ui(ui: &mut Ui, tokens: &Tokens, index: usize, name: &str) -> Response {
    ui.horizontal(|ui| {
        super::dot_ui(ui, tokens, index);
        Name::strong(name).ui(ui)
    })
    .inner
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The least that is shown: an ellipsis.
    const LEAST: f32 = 12.0;

    /// What is left of a text in so much room, and whether that is all of it.
    fn shown(text: &str, width: f32) -> (String, bool) {
        shown_by(shortened, text, width)
    }

    fn shown_by(
        shortened: fn(&Ui, &str, FontId, Color32, f32) -> Arc<Galley>,
        text: &str,
        width: f32,
    ) -> (String, bool) {
        let ctx = egui::Context::default();
        theme::install(&ctx);
        let mut shown = None;
        let input = || egui::RawInput::default();
        ctx.run_ui(input(), |ui| {
            let galley = shortened(ui, text, FontId::proportional(TEXT_BODY), Color32::PLACEHOLDER, width);
            assert!(galley.size().x <= width.max(LEAST), "{} points of {width}", galley.size().x);
            shown = Some((galley.job.text.clone(), galley.elided));
        })
        .drop_without_applying_deltas();
        shown.unwrap()
    }

    #[test]
    fn a_name_with_room_is_shown_as_it_is_read() {
        assert_eq!(shown("long sleeve", 400.0), ("long sleeve".to_owned(), false));
        assert_eq!(shown("שרוול ארוך", 400.0), ("ארוך שרוול".to_owned(), false));
    }

    #[test]
    fn what_is_left_out_of_a_right_to_left_name_is_its_end() {
        let (text, is_shortened) = shown("שרוול ארוך מאוד ויפה", 90.0);
        assert!(is_shortened);
        // Letters and the ellipsis behind them are one piece that egui draws from right to left.
        let last = text.split(' ').next().unwrap();
        assert!(last.ends_with('\u{2026}') && text.ends_with("שרוול"), "{text}");
    }

    #[test]
    fn what_is_left_out_of_a_path_is_its_start() {
        let short = |path: &str, width: f32| shown_by(shortened_path, path, width);
        let path = "data/img_crop/Sheer_Pleated_Blouse/dress_0012.jpg";
        assert_eq!(short(path, 600.0), (path.to_owned(), false));
        assert_eq!(short(path, 120.0), ("\u{2026}/dress_0012.jpg".to_owned(), true));
        let folder = short(path, 280.0).0;
        assert_eq!(folder, "\u{2026}/Sheer_Pleated_Blouse/dress_0012.jpg");
        // No folder fits: as much of the file as there is room for.
        let (file, is_shortened) = short("dress_of_a_very_long_name_0012.jpg", 90.0);
        assert!(is_shortened && file.starts_with("\u{2026}") && file.ends_with("_0012.jpg"), "{file}");
        assert!(!short("photos/", 30.0).0.ends_with("\u{2026}/"), "a folder is more than its slash");
        assert_eq!(short("C:\\images\\of_garments\\dress_0012.jpg", 120.0).0, "\u{2026}\\dress_0012.jpg");
    }

    #[test]
    fn a_name_without_any_room_does_no_harm() {
        for text in ["long sleeve", "שרוול ארוך", "\u{1F455}"] {
            assert!(shown(text, 0.0).1 || text.chars().count() == 1, "{text}");
            let path = shown_by(shortened_path, text, 0.0);
            assert!(path.1 || text.chars().count() == 1, "{text}");
        }
    }
}
