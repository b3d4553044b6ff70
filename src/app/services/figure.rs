//! Charts and tables as plain data, for what leaves the window: a picture on the clipboard or in a file, or values.
//!
//! Files have the colours of the light theme, whichever is in use: they are printed, and put beside text.

mod scale;
mod svg;
mod table;
#[cfg(test)]
mod tests;

use std::fmt;

use egui::{Color32, ColorImage};
use resvg::tiny_skia::{Pixmap, Transform};
use resvg::usvg;

use crate::app::theme;
pub use scale::{Scale, epoch_marks, short_rate};
pub use table::Table;

/// A point of a curve: the epoch, in parts of one where it is still going on, and the value.
pub type Point = [f64; 2];

/// Pixels of a picture per unit of the drawing: sharp on paper and on dense screens.
const PIXELS_PER_UNIT: f32 = 2.0;

/// How a line is drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LineLook {
    /// Of the training images, and of what has one line only.
    Solid,
    /// Of the validation images.
    Dashed,
    /// Of batches, smoothed.
    Thin,
    /// Single batches, behind all others. The axis need not show all of it.
    Faint,
    /// Of another run.
    Muted,
    /// As `Muted`, of the validation images.
    MutedDashed,
    /// To compare with, without values of its own: no column of the table.
    Reference,
}

/// A line with its name.
#[derive(Clone, Debug, PartialEq)]
pub struct FigureLine {
    /// What legend and table call it.
    pub name: String,
    /// As in the light theme.
    pub color: Color32,
    pub look: LineLook,
    /// In the order of their x.
    pub points: Vec<Point>,
}

/// A vertical line with its name, which stands above it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FigureMark {
    /// The epoch (from 1).
    pub epoch: usize,
    pub name: &'static str,
    /// As in the light theme.
    pub color: Color32,
}

/// What the horizontal axis shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Horizontal {
    /// Epochs.
    Epoch,
    /// The confidence, 0 to 1.
    Confidence,
}

/// A line chart.
#[derive(Clone, Debug, PartialEq)]
pub struct Figure {
    pub title: String,
    /// What it is of, such as the name of a run; may be empty.
    pub subject: String,
    pub horizontal: Horizontal,
    /// The ends of the horizontal axis.
    pub ends: (f64, f64),
    pub scale: Scale,
    /// The first ones are in front.
    pub lines: Vec<FigureLine>,
    pub marks: Vec<FigureMark>,
}

/// What can be copied or saved.
#[derive(Clone, PartialEq)]
pub enum Exhibit {
    /// A chart, as a picture or as values.
    Figure(Figure),
    /// Values alone.
    Table(Table),
}

impl fmt::Debug for Exhibit {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_tuple("Exhibit").field(&self.title()).finish()
    }
}

/// The form of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FigureForm {
    Png,
    Svg,
    Csv,
}

impl FigureForm {
    /// The ending of its files.
    pub fn ending(self) -> &'static str {
        match self {
            Self::Png => "png",
            Self::Svg => "svg",
            Self::Csv => "csv",
        }
    }

    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Png => "PNG",
            Self::Svg => "SVG",
            Self::Csv => "CSV",
        }
    }
}

/// What to do with an exhibit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FigureAction {
    CopyPicture,
    CopyValues,
    /// Asks where.
    Save(FigureForm),
}

impl Exhibit {
    /// What it is called.
    pub fn title(&self) -> &str {
        match self {
            Self::Figure(figure) => &figure.title,
            Self::Table(table) => &table.title,
        }
    }

    /// What it is of; may be empty.
    fn subject(&self) -> &str {
        match self {
            Self::Figure(figure) => &figure.subject,
            Self::Table(table) => &table.subject,
        }
    }

    /// The name that is offered for its file.
    pub fn file_name(&self, form: FigureForm) -> String {
        let words: Vec<&str> =
            [self.subject(), self.title()].into_iter().filter(|it| !it.is_empty()).collect();
        // A name of a task or a run may have what a file name must not.
        let is_safe = |letter: char| letter.is_alphanumeric() || "-_.() ".contains(letter);
        let stem: String =
            words.join(" ").chars().map(|letter| if is_safe(letter) { letter } else { '_' }).collect();
        format!("{}.{}", stem.trim_start_matches('.').to_lowercase(), form.ending())
    }

    /// The values as CSV: of a chart, a row per x and a column per line, to the last digit.
    ///
    /// # Errors
    /// The CSV cannot be made in memory.
    pub fn csv(&self) -> anyhow::Result<String> {
        match self {
            Self::Figure(figure) => Table::of(figure).csv(),
            Self::Table(table) => table.csv(),
        }
    }

    /// What a file of this form has in it. Takes up to a second for a picture: not for the UI thread.
    ///
    /// # Errors
    /// There is no picture of a table; or the picture cannot be drawn.
    pub fn bytes(&self, form: FigureForm) -> anyhow::Result<Vec<u8>> {
        Ok(match form {
            FigureForm::Csv => self.csv()?.into_bytes(),
            FigureForm::Svg => self.svg()?.into_bytes(),
            FigureForm::Png => self.pixels()?.encode_png()?,
        })
    }

    /// The picture, for the clipboard. Not for the UI thread.
    ///
    /// # Errors
    /// As of [`Self::bytes`].
    pub fn image(&self) -> anyhow::Result<ColorImage> {
        let pixels = self.pixels()?;
        let size = [pixels.width() as usize, pixels.height() as usize];
        Ok(ColorImage::from_rgba_premultiplied(size, pixels.data()))
    }

    fn svg(&self) -> anyhow::Result<String> {
        match self {
            Self::Figure(figure) => Ok(svg::draw(figure)),
            Self::Table(table) => anyhow::bail!("{} has no picture: save its values as CSV", table.title),
        }
    }

    fn pixels(&self) -> anyhow::Result<Pixmap> {
        let svg = self.svg()?;
        let mut options = usvg::Options { font_family: "Inter".to_owned(), ..usvg::Options::default() };
        let fonts = options.fontdb_mut();
        for font in theme::bundled_fonts() {
            fonts.load_font_data(font.to_vec());
        }
        // To list the fonts of a computer takes hundreds of milliseconds, and few charts need them.
        if svg.chars().any(|letter| letter > LAST_OF_INTER) {
            fonts.load_system_fonts();
        }
        let tree = usvg::Tree::from_str(&svg, &options)?;
        let size = tree.size().to_int_size().scale_by(PIXELS_PER_UNIT);
        let size = size.ok_or_else(|| anyhow::anyhow!("the picture has no size"))?;
        let mut pixels = Pixmap::new(size.width(), size.height())
            .ok_or_else(|| anyhow::anyhow!("there is no memory for the picture"))?;
        let transform = Transform::from_scale(PIXELS_PER_UNIT, PIXELS_PER_UNIT);
        resvg::render(&tree, transform, &mut pixels.as_mut());
        Ok(pixels)
    }
}

/// The last character of the scripts that Inter has as a whole: Latin, Greek and Cyrillic.
const LAST_OF_INTER: char = '\u{052f}';
