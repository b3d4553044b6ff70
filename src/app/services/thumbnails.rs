//! Small pictures of files for lists and grids, decoded by a few threads and kept as textures.
//!
//! What was asked for last is decoded first, and what no frame asks for any more (it was scrolled
//! past) is not decoded at all; the least recently shown textures make room for new ones.

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use crossbeam_channel::{Receiver, Sender};
use egui::{ColorImage, TextureHandle, TextureOptions};
use tasklens_data::text::plain;
use tasklens_data::work::cores;
use tasklens_data::{images, panics};

/// So many textures are kept, and no more than so many bytes of them; those of the last frame always.
const KEEP: usize = 512;
const KEEP_BYTES: usize = 256 << 20;
/// The sides that pictures are decoded at, where what is shown can have any size.
const SIDES: [u32; 5] = [128, 256, 512, 1024, 2048];
/// A request that was not renewed for so many frames was scrolled past.
const STALE_FRAMES: u64 = 2;

/// What there is to show for a file.
pub enum Thumbnail {
    /// The picture; never stretch it, `size_vec2()` has its shape.
    Ready(TextureHandle),
    /// It is being decoded.
    Loading,
    /// There will be none; the message says why.
    Failed(String),
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct ThumbnailKey {
    path: PathBuf,
    side: u32,
}

struct CachedThumbnail {
    picture: Result<TextureHandle, String>,
    last_frame: u64,
}

impl CachedThumbnail {
    fn bytes(&self) -> usize {
        self.picture.as_ref().map_or(0, TextureHandle::byte_size)
    }
}

#[derive(Default)]
struct ThumbnailQueue {
    /// Renewed in each frame that shows the place where the picture goes; the last is decoded first.
    wanted: Vec<(ThumbnailKey, u64)>,
    in_hand: HashSet<ThumbnailKey>,
    frame: u64,
    closed: bool,
}

struct ThumbnailLoader {
    queue: Mutex<ThumbnailQueue>,
    wake: Condvar,
}

impl ThumbnailLoader {
    fn lock(&self) -> MutexGuard<'_, ThumbnailQueue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The newest request that a frame still wants; waits for one. `None` at the end.
    fn next(&self) -> Option<ThumbnailKey> {
        let mut queue = self.lock();
        loop {
            if queue.closed {
                return None;
            }
            let frame = queue.frame;
            queue.wanted.retain(|(_, asked)| asked + STALE_FRAMES >= frame);
            if let Some((key, _)) = queue.wanted.pop() {
                queue.in_hand.insert(key.clone());
                return Some(key);
            }
            queue = self.wake.wait(queue).unwrap_or_else(PoisonError::into_inner);
        }
    }
}

/// The cache and its threads; one per window.
pub struct Thumbnails {
    ctx: egui::Context,
    loader: Arc<ThumbnailLoader>,
    decoded: Receiver<(ThumbnailKey, Result<ColorImage, String>)>,
    entries: HashMap<ThumbnailKey, CachedThumbnail>,
    frame: u64,
}

impl Thumbnails {
    /// Starts the threads: a share of the cores, as training wants the others.
    pub fn new(ctx: &egui::Context) -> Self {
        let loader = Arc::new(ThumbnailLoader { queue: Mutex::default(), wake: Condvar::new() });
        let (sender, decoded) = crossbeam_channel::unbounded();
        let threads = cores().div_ceil(4).min(4);
        for index in 0..threads {
            let (loader, sender, ctx) = (Arc::clone(&loader), sender.clone(), ctx.clone());
            let thread = std::thread::Builder::new().name(format!("thumbnails {index}"));
            if let Err(error) = thread.spawn(move || decode_loop(&loader, &sender, &ctx)) {
                log::error!("no thread for thumbnails: {error}");
            }
        }
        Self { ctx: ctx.clone(), loader, decoded, entries: HashMap::new(), frame: 0 }
    }

    /// Takes in what was decoded since the last frame; the app calls it once a frame.
    pub fn begin_frame(&mut self) {
        self.frame += 1;
        self.loader.lock().frame = self.frame;
        // Uploading is a copy; a handful per frame keeps a fast scroll smooth.
        for (key, picture) in self.decoded.try_iter().take(16) {
            self.loader.lock().in_hand.remove(&key);
            let name = key.path.to_string_lossy().into_owned();
            let picture = picture.map(|image| self.ctx.load_texture(name, image, TextureOptions::LINEAR));
            self.entries.insert(key, CachedThumbnail { picture, last_frame: self.frame });
        }
        if !self.decoded.is_empty() {
            self.ctx.request_repaint();
        }
        self.make_room();
    }

    /// The picture of a file, at most `side` pixels on its longer side. Asking again in each frame
    /// keeps the request alive.
    pub fn get(&mut self, path: &Path, side: u32) -> Thumbnail {
        let key = ThumbnailKey { path: path.to_path_buf(), side };
        if let Some(entry) = self.entries.get_mut(&key) {
            entry.last_frame = self.frame;
            return match &entry.picture {
                Ok(texture) => Thumbnail::Ready(texture.clone()),
                Err(message) => Thumbnail::Failed(message.clone()),
            };
        }
        let mut queue = self.loader.lock();
        if !queue.in_hand.contains(&key) {
            match queue.wanted.iter_mut().find(|(wanted, _)| *wanted == key) {
                Some((_, asked)) => *asked = self.frame,
                None => {
                    queue.wanted.push((key, self.frame));
                    self.loader.wake.notify_one();
                }
            }
        }
        Thumbnail::Loading
    }

    /// The largest picture of a file that is at hand, to stand in for one on its way.
    pub fn at_hand(&mut self, path: &Path) -> Option<TextureHandle> {
        let mut key = ThumbnailKey { path: path.to_path_buf(), side: 0 };
        SIDES.into_iter().rev().find_map(|side| {
            key.side = side;
            let entry = self.entries.get_mut(&key)?;
            entry.last_frame = self.frame;
            entry.picture.as_ref().ok().cloned()
        })
    }

    /// Whether a picture is on its way.
    pub fn is_any_on_its_way(&self) -> bool {
        let queue = self.loader.lock();
        !queue.wanted.is_empty() || !queue.in_hand.is_empty() || !self.decoded.is_empty()
    }

    /// Forgets everything, such as when files changed on disk.
    pub fn clear(&mut self) {
        self.entries.clear();
    }

    fn make_room(&mut self) {
        let ages = self.entries.values().map(|entry| (entry.last_frame, entry.bytes()));
        let oldest_kept = oldest_to_keep(ages, KEEP, KEEP_BYTES).min(self.frame.saturating_sub(1));
        self.entries.retain(|_, entry| entry.last_frame >= oldest_kept);
    }
}

/// The first frame whose pictures stay, given the last frame and the bytes of each.
fn oldest_to_keep(ages: impl Iterator<Item = (u64, usize)>, count: usize, bytes: usize) -> u64 {
    let mut newest_first: Vec<(u64, usize)> = ages.collect();
    newest_first.sort_unstable_by(|a, b| b.cmp(a));
    let mut total = 0;
    let too_many = newest_first.iter().enumerate().find(|(at, (_, size))| {
        total += size;
        *at >= count || total > bytes
    });
    too_many.map_or(0, |(_, (frame, _))| frame + 1)
}

/// The side to decode at, in pixels, for a picture shown with `pixels` on its longer side: few sides, so
/// that other sizes of cells and windows do not decode everything anew.
pub fn side_for(pixels: f32) -> u32 {
    let largest = SIDES[SIDES.len() - 1];
    SIDES.into_iter().find(|side| *side as f32 >= pixels).unwrap_or(largest)
}

impl Drop for Thumbnails {
    fn drop(&mut self) {
        self.loader.lock().closed = true;
        self.loader.wake.notify_all();
    }
}

fn decode_loop(
    loader: &ThumbnailLoader,
    sender: &Sender<(ThumbnailKey, Result<ColorImage, String>)>,
    ctx: &egui::Context,
) {
    while let Some(key) = loader.next() {
        let picture = panics::catch(|| images::thumbnail::thumbnail(&key.path, key.side))
            .map_err(|what| format!("{} cannot be shown: {what}", key.path.display()))
            .and_then(|picture| picture.map_err(|error| plain(&error.to_string())))
            .map(|image| color_image(&image));
        if sender.send((key, picture)).is_err() {
            return;
        }
        ctx.request_repaint();
    }
}

/// RGB pixels as egui wants them.
pub fn color_image(image: &images::Rgb) -> ColorImage {
    let size = [image.width() as usize, image.height() as usize];
    ColorImage::from_rgb(size, image.as_raw())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_shown_longest_ago_makes_room_by_count_and_by_bytes() {
        let oldest = |ages: &[(u64, usize)], count, bytes| oldest_to_keep(ages.iter().copied(), count, bytes);
        assert_eq!(oldest(&[(1, 10), (2, 10), (3, 10)], 3, 100), 0);
        assert_eq!(oldest(&[(1, 10), (2, 10), (3, 10)], 2, 100), 2);
        assert_eq!(oldest(&[(5, 10), (2, 60), (9, 10)], 9, 70), 3);
        assert_eq!(oldest(&[], 2, 100), 0);
    }

    #[test]
    fn shown_sizes_share_few_decoded_ones() {
        assert_eq!([1.0, 128.0, 129.0, 700.0, 5000.0].map(side_for), [128, 128, 256, 1024, 2048]);
    }
}
