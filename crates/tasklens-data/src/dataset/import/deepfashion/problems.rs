//! What an import leaves out, row by row, small enough to keep for every row.

use std::fmt;
use std::path::Path;
use std::sync::Arc;

/// Something that is left out, and where it stands.
#[derive(Clone, Debug)]
pub struct ImportProblem {
    /// The file of the annotation.
    pub file: Arc<Path>,
    /// Its line, from 1.
    pub line: u32,
    /// What is wrong, and what becomes of the row.
    pub what: What,
}

/// What is wrong with a line, and what becomes of its row.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum What {
    /// A line that is not UTF-8.
    NotText,
    /// A path that is empty or leads out of the folder of the images.
    Path,
    /// No number of a category.
    Category(Box<str>),
    /// Not as many flags as attributes: how many.
    FlagCount(usize, usize),
    /// A flag that is neither 0 nor 1, from 1.
    Flag(usize, Box<str>),
    /// Several attributes of one group.
    Several(&'static str, Box<str>),
    /// Not four numbers.
    Box(Box<str>),
    /// The box has nothing of the image in it.
    EmptyBox([i32; 4], (u32, u32)),
    /// The image, or its crop, is that of an earlier row: its file and line.
    Again(Arc<Path>, u32),
    /// There is no image.
    Missing,
    /// The image cannot be read.
    Image(Box<str>),
    /// It was read, with a reserve.
    Reserve(Box<str>),
    /// Crops are JPEG files.
    NoJpeg,
    /// Something that the import did not make is where the crop belongs.
    InTheWay(Box<str>),
    /// The crop cannot be written.
    Unwritten(Box<str>),
}

impl What {
    /// The kind in words: problems of a kind are counted together.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::NotText => "no UTF-8 text",
            Self::Path => "no path of an image",
            Self::Category(_) => "unknown category",
            Self::FlagCount(..) | Self::Flag(..) => "flags that are none",
            Self::Several(..) => "several attributes of one group",
            Self::Box(_) | Self::EmptyBox(..) => "box without an area",
            Self::Again(..) => "image of an earlier row",
            Self::Missing => "missing image",
            Self::Image(_) => "image that cannot be read",
            Self::Reserve(_) => "image read with a reserve",
            Self::NoJpeg => "no JPEG",
            Self::InTheWay(_) => "file in the way of a crop",
            Self::Unwritten(_) => "crop that cannot be written",
        }
    }
}

impl fmt::Display for What {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotText => f.write_str("this is not UTF-8 text: the row is left out"),
            Self::Path => {
                f.write_str("expected a path below the folder of the images, such as `img/Tee/1.jpg`: the row is left out")
            }
            Self::Category(text) => {
                write!(f, "`{text}` is the number of no category of the list: the row is left out")
            }
            Self::FlagCount(found, expected) => {
                write!(f, "{found} flags, expected {expected}: the row goes on without attributes")
            }
            Self::Flag(flag, text) => {
                write!(f, "flag {flag} is `{text}`, expected 0 or 1: the row goes on without that group")
            }
            Self::Several(group, names) => {
                write!(f, "several attributes of the group {group} are set ({names}): the row goes on without it")
            }
            Self::Box(text) => {
                write!(f, "`{text}`: expected the four numbers of a box, x1 y1 x2 y2: the row is left out")
            }
            Self::EmptyBox([x1, y1, x2, y2], (width, height)) => write!(
                f,
                "nothing of the image ({width} x {height} pixels) is in the box {x1} {y1} {x2} {y2}: the row is left out"
            ),
            Self::Again(file, line) => {
                write!(f, "its crop would be that of {}:{line}: the row is left out", file.display())
            }
            Self::Missing => f.write_str("the image is missing: the row is left out"),
            Self::Image(why) => write!(f, "{why}: the row is left out"),
            Self::Reserve(note) => f.write_str(note),
            Self::NoJpeg => f.write_str("crops are JPEG files, expected a name that ends in .jpg: the row is left out"),
            Self::InTheWay(path) => write!(
                f,
                "{path} is there already and is no crop of this image: it stays, and the row is left out; move it away to \
                 have the crop made"
            ),
            Self::Unwritten(why) => write!(f, "{why}: the row is left out"),
        }
    }
}

impl fmt::Display for ImportProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.file.display(), self.line, self.what)
    }
}
