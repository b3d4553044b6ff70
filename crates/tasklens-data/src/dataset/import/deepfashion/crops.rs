//! The images cut to their boxes, on all cores: what is there and whole is kept, so that an import goes on where it
//! was stopped.

use std::fs::{self, File};
use std::io::{self, Read as _};
use std::num::NonZero;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;

use anyhow::bail;
use image::codecs::jpeg::JpegEncoder;
use image::{ExtendedColorType, GenericImageView as _};

use super::problems::What;
use crate::files;
use crate::images::comment::{BEGINNING, commented};
use crate::images::decode::{ImageError, decode_file, probe_file};

/// JPEG quality of the crops: a second compression that is hardly seen.
const QUALITY: u8 = 92;
/// In the JPEG of every crop, before the four numbers of its box.
const COMMENT: &str = "Cropped by Tasklens to";

/// What became of one.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum CropOutcome {
    Made(Option<String>),
    Kept,
}

/// Makes the crops of `count` jobs, each with its source, its place and its box; `done` hears of every one in the
/// order in which they are finished, and returns whether to go on.
///
/// # Errors
/// A cancel.
pub(super) fn make_all(
    count: usize,
    job: &(dyn Fn(usize) -> (PathBuf, PathBuf, [i32; 4]) + Sync),
    done: &mut dyn FnMut(usize, Result<CropOutcome, What>) -> bool,
) -> anyhow::Result<()> {
    let (next, stopped) = (AtomicUsize::new(0), AtomicBool::new(false));
    let (sender, receiver) = crossbeam_channel::bounded(256);
    let work = |sender: crossbeam_channel::Sender<(usize, Result<CropOutcome, What>)>| {
        while !stopped.load(Ordering::Relaxed) {
            let number = next.fetch_add(1, Ordering::Relaxed);
            if number >= count {
                return;
            }
            let (image, place, bbox) = job(number);
            if sender.send((number, make(&image, &place, bbox))).is_err() {
                return;
            }
        }
    };
    let mut is_cancelled = false;
    thread::scope(|scope| {
        for _ in 0..thread::available_parallelism().map_or(1, NonZero::get) {
            let sender = sender.clone();
            scope.spawn(|| work(sender));
        }
        drop(sender);
        for (number, made) in &receiver {
            is_cancelled |= !done(number, made);
            stopped.store(is_cancelled, Ordering::Relaxed);
        }
    });
    if is_cancelled {
        bail!("cancelled: the crops that are made stay, and the same import goes on from there");
    }
    Ok(())
}

/// Makes one, unless it is there.
fn make(image: &Path, place: &Path, bbox: [i32; 4]) -> Result<CropOutcome, What> {
    if !is_jpeg(place) {
        return Err(What::NoJpeg);
    }
    if is_kept(image, place, bbox)? {
        return Ok(CropOutcome::Kept);
    }
    let decoded = decode_file(image).map_err(|error| unread(&error))?;
    let note = decoded.note().map(str::to_owned);
    let (width, height) = decoded.dimensions();
    let [left, top, right, bottom] = clamped(bbox, (width, height))?;
    let part = decoded.view(left, top, right - left, bottom - top).to_image();
    let mut jpeg = Vec::with_capacity(64 * 1024);
    JpegEncoder::new_with_quality(&mut jpeg, QUALITY)
        .encode(part.as_raw(), part.width(), part.height(), ExtendedColorType::Rgb8)
        .map_err(|error| What::Unwritten(error.to_string().into()))?;
    let jpeg = commented(&jpeg, text_of(bbox).as_bytes());
    files::replace(place, &jpeg)
        .map_err(|error| What::Unwritten(format!("{}: {error}", place.display()).into()))?;
    Ok(CropOutcome::Made(note))
}

/// Whether the crop is there, whole and of this box. What the import did not make is kept where it can be its crop,
/// as those of the Python project, and else in the way: it is never replaced.
fn is_kept(image: &Path, place: &Path, bbox: [i32; 4]) -> Result<bool, What> {
    let in_the_way = || What::InTheWay(place.display().to_string().into());
    match fs::symlink_metadata(place) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
        Ok(found) if found.is_file() => {}
        _ => return Err(in_the_way()),
    }
    let mut beginning = Vec::new();
    File::open(place)
        .and_then(|file| file.take(BEGINNING).read_to_end(&mut beginning))
        .map_err(|_| in_the_way())?;
    let has = |text: &str| beginning.windows(text.len()).any(|bytes| bytes == text.as_bytes());
    if has(COMMENT) {
        return Ok(has(&text_of(bbox)) && decode_file(place).is_ok());
    }
    let is_one = same_file::is_same_file(image, place).unwrap_or(false);
    let size = probe_file(image).map_err(|error| unread(&error))?;
    let [left, top, right, bottom] = clamped(bbox, size)?;
    let is_its_crop =
        !is_one && decode_file(place).is_ok_and(|crop| crop.dimensions() == (right - left, bottom - top));
    if is_its_crop { Ok(true) } else { Err(in_the_way()) }
}

fn text_of([left, top, right, bottom]: [i32; 4]) -> String {
    format!("{COMMENT} {left} {top} {right} {bottom}.")
}

fn is_jpeg(place: &Path) -> bool {
    let ending = place.extension().unwrap_or_default();
    ending.eq_ignore_ascii_case("jpg") || ending.eq_ignore_ascii_case("jpeg")
}

fn unread(error: &ImageError) -> What {
    match error {
        ImageError::Missing { .. } => What::Missing,
        error => What::Image(error.to_string().into()),
    }
}

/// What of a box is in an image.
fn clamped(bbox: [i32; 4], (width, height): (u32, u32)) -> Result<[u32; 4], What> {
    let within = |place: i32, most: u32| u32::try_from(place).unwrap_or(0).min(most);
    let [left, top, right, bottom] = bbox;
    let inside = [within(left, width), within(top, height), within(right, width), within(bottom, height)];
    if inside[0] < inside[2] && inside[1] < inside[3] {
        Ok(inside)
    } else {
        Err(What::EmptyBox(bbox, (width, height)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_box_is_clamped_to_its_image_and_one_without_an_area_is_none() {
        assert_eq!(clamped([-5, 3, 400, 90], (100, 80)), Ok([0, 3, 100, 80]));
        assert_eq!(clamped([0, 0, 100, 80], (100, 80)), Ok([0, 0, 100, 80]));
        for empty in [[5, 5, 5, 9], [9, 5, 5, 9], [100, 0, 120, 9], [-9, 0, -1, 9], [0, 80, 9, 90]] {
            assert_eq!(clamped(empty, (100, 80)), Err(What::EmptyBox(empty, (100, 80))));
        }
    }
}
