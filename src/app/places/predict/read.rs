//! Where the pixels of an image come from: a file, bytes, the clipboard, or an address.

use std::sync::Arc;

use tasklens_data::images::decode::{Decoded, Detail, decode_bytes_for, decode_file_for};
use tasklens_data::images::{self, Rgb, input};

use crate::app::services::jobs::Progress;
use crate::app::services::project::ImageSource;

/// What a network with an input of `size` (height and width) sees of an image; blocks.
pub(super) fn input(source: &ImageSource, size: (u32, u32), progress: &Progress) -> anyhow::Result<Rgb> {
    let (image, _) = read(source, input::detail(size), progress)?;
    Ok(input::of_decoded(&image, size))
}

/// The pixels, and where to read them from the next time.
pub(super) fn read(
    source: &ImageSource,
    detail: Detail,
    progress: &Progress,
) -> anyhow::Result<(Decoded, ImageSource)> {
    Ok(match source {
        ImageSource::Path(path) => (decode_file_for(path, detail)?, source.clone()),
        ImageSource::Bytes { name, bytes } => (decode_bytes_for(bytes, name, detail)?, source.clone()),
        ImageSource::Pixels { image, .. } => (Decoded::copy_of(image), source.clone()),
        ImageSource::Url(url) => {
            let bytes = images::fetch::fetch(url, &|| progress.keep_going())?;
            let image = decode_bytes_for(&bytes, url, detail)?;
            (image, ImageSource::Bytes { name: url.clone(), bytes: Arc::new(bytes) })
        }
    })
}
