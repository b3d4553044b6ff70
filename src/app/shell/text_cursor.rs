//! The cursor of a text field blinks while somebody is there. Each blink costs a frame, so it stands still in a window
//! that is left alone: that one costs nothing.

use egui::Context;

/// It blinks for so long after the last key or movement, in seconds.
const BLINKS: f64 = 10.0;

/// See the module's documentation.
#[derive(Default)]
pub struct TextCursor {
    /// When something was pressed or moved last, in the time of egui.
    touched: f64,
}

impl TextCursor {
    /// Lets it blink or stand still; once a frame.
    pub fn follow(&mut self, ctx: &Context) {
        let (now, is_touched) = ctx.input(|input| (input.time, !input.raw.events.is_empty()));
        if is_touched {
            self.touched = now;
        }
        let blinks = now - self.touched < BLINKS;
        if ctx.global_style().visuals.text_cursor.blink != blinks {
            ctx.all_styles_mut(|style| style.visuals.text_cursor.blink = blinks);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    /// Draws a field that has the cursor, at a time and with some input; returns when the next frame is wanted.
    fn frame(ctx: &Context, cursor: &mut TextCursor, time: f64, events: Vec<egui::Event>) -> Duration {
        let input = egui::RawInput { time: Some(time), events, focused: true, ..Default::default() };
        let mut output = ctx.run_ui(input, |ui| {
            cursor.follow(ui.ctx());
            ui.text_edit_singleline(&mut String::new()).request_focus();
        });
        output.textures_delta.clear();
        output.viewport_output[&egui::ViewportId::ROOT].repaint_delay
    }

    #[test]
    fn a_window_that_is_left_alone_is_not_drawn_for_its_cursor() {
        let (ctx, mut cursor) = (Context::default(), TextCursor::default());
        let moved = || vec![egui::Event::PointerMoved(egui::pos2(1.0, 1.0))];
        let frames = |cursor: &mut TextCursor, from: f64, to: f64| {
            let count = ((to - from) / 0.5) as usize;
            (0..count).map(|step| frame(&ctx, cursor, from + 0.5 * step as f64, Vec::new())).last().unwrap()
        };
        assert!(frames(&mut cursor, 0.0, 9.0) <= Duration::from_secs(1), "it blinks");
        assert_eq!(frames(&mut cursor, 9.0, 14.0), Duration::MAX);
        // And again, as soon as something is touched.
        frame(&ctx, &mut cursor, 20.0, moved());
        assert!(frames(&mut cursor, 20.5, 25.0) <= Duration::from_secs(1));
        assert_eq!(frames(&mut cursor, 25.0, 34.0), Duration::MAX);
    }
}
