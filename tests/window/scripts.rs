//! Names in the scripts of the world: each is drawn whole, by a font that has it, and read in its own direction. A
//! character without a glyph fails these tests by itself.

use std::sync::Arc;

use egui::epaint::text::{FallbackRequest, FontInsert, FontPriority, FontProvider, InsertFontFamily};
use egui::{FontData, Key, Modifiers, Theme};
use egui_kittest::kittest::Queryable as _;
use tasklens::app::Start;
use tasklens::app::command::{AppCommand, Level, Notice};
use tasklens::app::place::Place;
use tasklens::app::services::project::ImageSource;

use crate::desk::Desk;
use crate::named_project::{self, Names};
use crate::pictures::picture_of;

/// Japanese and Arabic.
const TASKS: [&str; 2] = ["袖の長さ", "طول الكم"];
/// Chinese, Japanese, Korean, Hebrew, Devanagari, Thai and emoji.
const LABELS: [&str; 7] =
    ["长袖衬衫", "半袖シャツ", "긴팔 셔츠", "שרוול (ארוך) 12", "लंबी आस्तीन", "แขนยาว", "🎓 cap 👓"];
const SLEEVES: [&str; 2] = ["كم طويل", "بدون أكمام"];

fn image(number: usize) -> String {
    let names = ["写真", "사진", "صورة جميلة", "תמונה יפה", "लंबी", "ภาพ", "📷"];
    format!("{} {number:02}.png", names[number % names.len()])
}

/// Have the few characters of Chinese, Japanese and Korean and the emoji that are drawn here, as the fonts of a computer
/// would.
struct TestFonts;

impl FontProvider for TestFonts {
    fn font_for(&self, request: &FallbackRequest<'_>) -> Option<FontInsert> {
        let first = request.cluster.chars().next()?;
        let (name, bytes): (_, &[u8]) = match first {
            '\u{3000}'..'\u{e000}' => ("cjk", include_bytes!("../fonts/NotoSansCJK-test.otf")),
            '\u{1f300}'.. => ("emoji", include_bytes!("../fonts/NotoSansSymbols2-test.ttf")),
            _ => return None,
        };
        let family = InsertFontFamily { family: request.family.clone(), priority: FontPriority::Lowest };
        Some(FontInsert::new(name, FontData::from_static(bytes), vec![family]))
    }
}

fn desk() -> Desk {
    let mut desk = Desk::with(egui::vec2(1280.0, 800.0), |_| Start::default());
    desk.window.ctx.set_theme(Theme::Light);
    desk.window.ctx.set_font_providers(vec![Arc::new(TestFonts)]);
    let owned = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
    let names = Names {
        tasks: [(TASKS[0].to_owned(), owned(&LABELS)), (TASKS[1].to_owned(), owned(&SLEEVES))],
        image,
        runs: vec!["2026-11-23_14-02-11".to_owned()],
    };
    let config = named_project::write(desk.folder.path(), &names, 21);
    desk.window.state().commands().send(AppCommand::OpenPath(config));
    desk.wait_for("21 rows");
    desk.settle();
    desk
}

#[test]
fn names_in_every_script_are_drawn_in_data_and_label() {
    let mut desk = desk();
    assert!(desk.shows(&image(2)) && desk.shows("طول الكم"), "accessible names are as the user wrote them");
    picture_of(&mut desk, "scripts_data");
    desk.go_to(Place::Label);
    desk.wait_for("1 of 21");
    desk.wait_for(&format!("{}: {}", TASKS[0], LABELS[3]));
    picture_of(&mut desk, "scripts_label_one");
    desk.keys(Modifiers::NONE, Key::G);
    picture_of(&mut desk, "scripts_label_grid");
}

#[test]
fn names_in_every_script_are_drawn_in_predict() {
    let mut desk = desk();
    let shop = desk.folder.path().join("shop");
    let images = (0..7).map(|number| ImageSource::Path(shop.join(image(number)))).collect();
    let commands = desk.window.state().commands().clone();
    commands.send(AppCommand::UseModel(shop.join("runs/2026-11-23_14-02-11")));
    commands.send(AppCommand::OpenImages(images));
    desk.go_to(Place::Predict);
    desk.wait_until("the answer", |window| {
        window.query_all_by_label_contains(&format!("{}: {}", TASKS[0], LABELS[0])).next().is_some()
    });
    picture_of(&mut desk, "scripts_predict");
}

#[test]
fn a_sentence_with_a_right_to_left_name_reads_on_in_its_next_line() {
    let mut desk = desk();
    let name = "שרוול ארוך מאוד עם צווארון עגול";
    let message = format!("Done: the label {name} of print is now long. 12 rows of the CSV changed.");
    desk.window.state().commands().notify(Notice::new(Level::Error, message.clone()));
    desk.wait_for(&message);
    picture_of(&mut desk, "scripts_notice");
}
