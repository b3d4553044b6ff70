//! Fonts for the scripts that Inter lacks: bundled where they are small, else those of this computer,
//! which are looked for once a character is missing.

use std::collections::HashSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use crossbeam_channel::{Sender, unbounded};

use egui::epaint::text::{FallbackRequest, FontInsert, FontProvider};
use egui::{Context, FontFamily};
use egui_system_font_provider::SystemFontProvider;
use unicode_script::{Script, UnicodeScript as _};

/// The bundled fonts, by name.
pub(super) const BUNDLED: [(&str, &[u8]); 4] = [
    ("noto-arabic", include_bytes!("../../../assets/fonts/NotoSansArabic-Regular.ttf")),
    ("noto-devanagari", include_bytes!("../../../assets/fonts/NotoSansDevanagari-Regular.ttf")),
    ("noto-hebrew", include_bytes!("../../../assets/fonts/NotoSansHebrew-Regular.ttf")),
    ("noto-thai", include_bytes!("../../../assets/fonts/NotoSansThai-Regular.ttf")),
];

/// Draws the characters that no bundled font has with a font of this computer, and calls `tell` once per
/// script for which there is none, in a thread: fonts are asked for while the context is locked.
///
/// Listing the fonts of a computer takes hundreds of milliseconds, so it is done in a thread, and only
/// after the first such character; until then that character is a box.
pub fn use_system_fonts(ctx: &Context, tell: impl Fn(String) + Send + Sync + 'static) {
    let search = Search { ctx: ctx.clone(), has_begun: AtomicBool::new(false), tell: Arc::new(tell) };
    ctx.set_font_providers(vec![Arc::new(search)]);
}

/// What tells the user about a script without a font.
type Tell = Arc<dyn Fn(String) + Send + Sync>;

/// Has no font, but begins the search for those of the system when it is asked for one.
struct Search {
    ctx: Context,
    has_begun: AtomicBool,
    tell: Tell,
}

impl FontProvider for Search {
    fn font_for(&self, _request: &FallbackRequest<'_>) -> Option<FontInsert> {
        if self.has_begun.swap(true, Ordering::Relaxed) {
            return None;
        }
        let (ctx, tell) = (self.ctx.clone(), Arc::clone(&self.tell));
        let search = move || {
            let system = SystemFontProvider::new();
            // An answer of any kind means that the fonts are listed, so that no frame waits for them.
            let _ = system.font_for(&FallbackRequest { cluster: "a", family: &FontFamily::Proportional });
            let (found, lacking) = unbounded();
            let missing = Missing { told: Mutex::default(), found };
            ctx.set_font_providers(vec![Arc::new(system), Arc::new(missing)]);
            lacking.into_iter().for_each(|character| tell(no_font(character)));
        };
        if let Err(error) = std::thread::Builder::new().name("system fonts".to_owned()).spawn(search) {
            log::warn!("the fonts of the system cannot be listed: {error}");
        }
        None
    }
}

/// The last to be asked: has no font, and tells for which scripts there is none.
struct Missing {
    told: Mutex<HashSet<Script>>,
    /// Not told here: whoever tells may use the context, which is locked.
    found: Sender<char>,
}

impl FontProvider for Missing {
    fn font_for(&self, request: &FallbackRequest<'_>) -> Option<FontInsert> {
        let character = request.cluster.chars().next()?;
        if self.told.lock().unwrap_or_else(PoisonError::into_inner).insert(character.script()) {
            // The other end waits as long as this one is there.
            let _ = self.found.send(character);
        }
        None
    }
}

/// What is told when no font has a character.
fn no_font(character: char) -> String {
    let remedy = "install a font that has it, such as one of the Noto family, and start Tasklens again";
    match character.script() {
        Script::Common | Script::Inherited | Script::Unknown => {
            format!(
                "No font on this computer has the character U+{:04X}, so it is shown as a box: {remedy}",
                u32::from(character)
            )
        }
        script => format!(
            "No font on this computer has the character U+{:04X} ({}), so names with such characters are \
             shown as boxes: {remedy}",
            u32::from(character),
            script.full_name().replace('_', " ")
        ),
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use super::*;

    /// A character that no font has, as it is in no version of Unicode.
    const UNASSIGNED: char = '\u{5FFFD}';

    fn draw(ctx: &Context, text: &str) {
        ctx.run_ui(egui::RawInput::default(), |ui| {
            ui.label(text);
        })
        .drop_without_applying_deltas();
    }

    #[test]
    fn a_character_without_a_font_is_told_once_per_script() {
        let ctx = Context::default();
        ctx.set_missing_glyph_policy(egui::MissingGlyphPolicy::Tofu);
        super::super::install(&ctx);
        let told = Arc::new(Mutex::new(Vec::new()));
        let sink = Arc::clone(&told);
        let used = ctx.clone();
        use_system_fonts(&ctx, move |text| {
            // As a notice does.
            used.request_repaint();
            sink.lock().unwrap().push(text);
        });
        let count = || told.lock().unwrap().len();
        let deadline = Instant::now() + Duration::from_secs(60);
        while count() == 0 {
            draw(&ctx, &UNASSIGNED.to_string());
            assert!(Instant::now() < deadline, "nothing was told");
            std::thread::sleep(Duration::from_millis(5));
        }
        draw(&ctx, "\u{5FFFD}\u{5FFFC}");
        std::thread::sleep(Duration::from_millis(50));
        let told = told.lock().unwrap();
        assert_eq!(told.len(), 1, "{told:?}");
        assert!(told[0].contains("U+5FFFD") && told[0].contains("install a font"), "{told:?}");
    }

    #[test]
    fn the_script_is_named_where_there_is_one() {
        assert!(no_font('漢').contains("(Han)"), "{}", no_font('漢'));
        assert!(no_font('\u{1F9FF}').contains("the character U+1F9FF, so it"), "{}", no_font('\u{1F9FF}'));
    }

    /// Arabic, Hebrew, Devanagari and Thai on a computer without any font for them.
    #[test]
    fn the_bundled_fonts_draw_their_scripts() {
        let ctx = Context::default();
        ctx.set_missing_glyph_policy(egui::MissingGlyphPolicy::Panic);
        super::super::install(&ctx);
        draw(&ctx, "بدون أكمام · שרוול ארוך · लंबी आस्तीन · แขนยาว · Ärmellänge · длинный · μακρύ");
    }
}
