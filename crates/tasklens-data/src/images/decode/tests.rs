mod particulars;
#[cfg(target_os = "linux")]
mod reduced;

use std::path::PathBuf;

use super::*;
use image::Rgb as Pixel;
use image::{ColorType, ExtendedColorType, ImageEncoder as _};

/// Upper left, upper right, lower left, lower right of the fixtures, as they should look.
const QUADRANTS: [[u8; 3]; 4] = [[220, 30, 30], [30, 200, 40], [30, 40, 210], [230, 220, 40]];

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/images").join(name)
}

/// The colour in the middle of each quadrant.
fn quadrants(image: &Rgb) -> [[u8; 3]; 4] {
    let (width, height) = image.dimensions();
    [(1, 1), (3, 1), (1, 3), (3, 3)].map(|(x, y)| image.get_pixel(width * x / 4, height * y / 4).0)
}

fn assert_near(found: [[u8; 3]; 4], expected: [[u8; 3]; 4], tolerance: u8, name: &str) {
    for (found, expected) in found.iter().zip(&expected) {
        let off = found.iter().zip(expected).any(|(a, b)| a.abs_diff(*b) > tolerance);
        assert!(!off, "{name}: {found:?} instead of {expected:?}");
    }
}

fn encoded(image: &DynamicImage, format: ImageFormat) -> Vec<u8> {
    let mut bytes = Cursor::new(Vec::new());
    image.write_to(&mut bytes, format).unwrap();
    bytes.into_inner()
}

#[test]
fn every_kind_of_jpeg_shows_its_colours() {
    for name in ["progressive.jpg", "subsampled_optimised.jpg", "cmyk.jpg", "ycck.jpg"] {
        let path = fixture(name);
        let image = decode_file(&path).unwrap();
        assert_eq!(image.dimensions(), (32, 24), "{name}");
        assert_eq!(probe_file(&path).unwrap(), (32, 24), "{name}");
        assert_near(quadrants(&image), QUADRANTS, 6, name);
    }
    let grey = decode_file(&fixture("grey.jpg")).unwrap();
    let luma = QUADRANTS.map(|[r, g, b]| {
        [(0.299 * f32::from(r) + 0.587 * f32::from(g) + 0.114 * f32::from(b)).round() as u8; 3]
    });
    assert_near(quadrants(&grey), luma, 4, "grey.jpg");
}

#[test]
fn all_eight_exif_orientations_come_out_upright() {
    for orientation in 1..=8 {
        let path = fixture(&format!("exif_{orientation}.jpg"));
        let image = decode_file(&path).unwrap();
        assert_eq!(image.dimensions(), (32, 24), "orientation {orientation}");
        assert_near(quadrants(&image), QUADRANTS, 6, &format!("orientation {orientation}"));
        assert_eq!(probe_file(&path).unwrap(), (32, 24), "orientation {orientation}, from the header");
    }
}

#[test]
fn other_formats_show_their_colours() {
    let white = [255; 3];
    let [red, green, blue, yellow] = QUADRANTS;
    for (name, expected, tolerance) in [
        ("palette_lzw.tif", QUADRANTS, 0),
        ("two_frames.gif", QUADRANTS, 2),
        ("palette_transparent.png", [white, green, blue, yellow], 2),
        ("lossy_alpha.webp", [red, white, blue, white], 14),
    ] {
        let image = decode_file(&fixture(name)).unwrap();
        assert_eq!(image.dimensions(), (32, 24), "{name}");
        assert_eq!(probe_file(&fixture(name)).unwrap(), (32, 24), "{name}");
        assert_near(quadrants(&image), expected, tolerance, name);
    }
    let picture = Rgb::from_fn(9, 5, |x, y| Pixel([x as u8 * 20, y as u8 * 30, 77]));
    for format in [ImageFormat::Png, ImageFormat::Bmp, ImageFormat::WebP] {
        let bytes = encoded(&picture.clone().into(), format);
        assert_eq!(*decode_bytes(&bytes, "picture").unwrap(), picture, "{format:?}");
    }
}

#[test]
fn sixteen_bits_and_alpha_become_eight_over_white() {
    let deep = image::ImageBuffer::from_pixel(3, 2, image::Rgb([0xFFFFu16, 0x8080, 0x0000]));
    let bytes = encoded(&DynamicImage::ImageRgb16(deep), ImageFormat::Png);
    assert_eq!(decode_bytes(&bytes, "deep").unwrap().get_pixel(2, 1), &Pixel([255, 128, 0]));

    let veil = image::RgbaImage::from_fn(3, 1, |x, _| image::Rgba([200, 100, 0, [0, 51, 255][x as usize]]));
    let image = decode_bytes(&encoded(&veil.into(), ImageFormat::Png), "veil").unwrap();
    assert_eq!(image.as_raw()[..], [255, 255, 255, 244, 224, 204, 200, 100, 0]);

    let mut grey_alpha = Vec::new();
    image::codecs::png::PngEncoder::new(&mut grey_alpha)
        .write_image(&[40, 255, 40, 0], 2, 1, ExtendedColorType::from(ColorType::La8))
        .unwrap();
    assert_eq!(decode_bytes(&grey_alpha, "grey").unwrap().as_raw()[..], [40, 40, 40, 255, 255, 255]);
}

#[test]
fn the_content_decides_not_the_name() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("photo.jpg");
    let picture = Rgb::from_pixel(4, 3, Pixel([1, 2, 3]));
    std::fs::write(&path, encoded(&picture.clone().into(), ImageFormat::Png)).unwrap();
    assert_eq!(*decode_file(&path).unwrap(), picture);
    assert_eq!(probe_file(&path).unwrap(), (4, 3));
}

#[test]
fn a_declared_giant_is_refused_before_it_is_allocated() {
    // A BMP header that declares 60,000 x 60,000 pixels and holds none.
    let mut bmp = encoded(&Rgb::new(1, 1).into(), ImageFormat::Bmp);
    bmp[18..22].copy_from_slice(&60_000u32.to_le_bytes());
    bmp[22..26].copy_from_slice(&60_000u32.to_le_bytes());
    let mut png = encoded(&Rgb::new(1, 1).into(), ImageFormat::Png);
    png[16..20].copy_from_slice(&60_000u32.to_be_bytes());
    png[20..24].copy_from_slice(&60_000u32.to_be_bytes());
    let checksum = crc32(&png[12..29]);
    png[29..33].copy_from_slice(&checksum.to_be_bytes());
    let mut jpeg = std::fs::read(fixture("progressive.jpg")).unwrap();
    let frame = jpeg.windows(2).position(|pair| pair == [0xFF, 0xC2]).unwrap();
    jpeg[frame + 5..frame + 9].copy_from_slice(&[0xEA, 0x60, 0xEA, 0x60]);

    let folder = tempfile::tempdir().unwrap();
    for (name, bytes) in [("bmp", bmp), ("png", png), ("jpeg", jpeg)] {
        let path = folder.path().join(name);
        std::fs::write(&path, &bytes).unwrap();
        for error in [decode_bytes(&bytes, name).unwrap_err(), probe_file(&path).unwrap_err()] {
            assert!(
                matches!(error, ImageError::TooLarge { width: 60_000, height: 60_000, .. }),
                "{name}: {error}"
            );
        }
    }
}

/// PNG's checksum.
fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(u32::MAX, |crc, byte| {
        (0..8).fold(
            crc ^ u32::from(*byte),
            |crc, _| if crc & 1 == 1 { 0xEDB8_8320 ^ (crc >> 1) } else { crc >> 1 },
        )
    })
}

#[test]
fn what_cannot_be_read_says_why() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, bytes: &[u8]| {
        let path = folder.path().join(name);
        std::fs::write(&path, bytes).unwrap();
        path
    };
    let gone = folder.path().join("gone.jpg");
    assert!(matches!(decode_file(&gone), Err(ImageError::Missing { path }) if path == gone));
    assert!(matches!(probe_file(&gone), Err(ImageError::Missing { .. })));
    assert!(matches!(decode_file(folder.path()), Err(ImageError::Io { .. })));

    let said =
        |path: &Path| (decode_file(path).unwrap_err().to_string(), probe_file(path).unwrap_err().to_string());
    for (name, bytes, reason) in [
        ("empty.png", &b""[..], "the file is empty"),
        ("page.jpg", b"<!doctype html><title>404</title>", "holds a web page"),
        ("phone.jpg", b"\0\0\0\x1cftypavif\0\0\0\0avifmif1miaf", "holds an AVIF image"),
        ("pointer.png", b"version https://git-lfs.github.com/spec/v1\noid sha256:4d7a", "run `git lfs pull`"),
        ("start.jpg", b"\xff\xd8\xff\xe0", "its header is damaged or was cut off; copy or download it again"),
    ] {
        let path = write(name, bytes);
        let (decoding, probing) = said(&path);
        assert!(decoding.contains(reason) && decoding.contains(name), "{decoding}");
        assert!(probing.contains(reason), "{probing}");
    }
}

#[cfg(unix)]
#[test]
fn a_pipe_or_a_device_named_as_an_image_is_a_message_and_no_wait() {
    let folder = tempfile::tempdir().unwrap();
    let (pipe, zero) = (folder.path().join("pipe.png"), folder.path().join("zero.jpg"));
    assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    std::os::unix::fs::symlink("/dev/zero", &zero).unwrap();
    let (said, heard) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        for path in [pipe, zero] {
            said.send(decode_file(&path).unwrap_err().to_string()).unwrap();
            said.send(probe_file(&path).unwrap_err().to_string()).unwrap();
        }
    });
    for _ in 0..4 {
        let message = heard.recv_timeout(std::time::Duration::from_secs(10)).expect("no wait");
        assert!(message.ends_with("cannot be read: it is a pipe or a device, not a file"), "{message}");
    }
}

#[test]
fn a_file_without_an_end_is_refused_by_its_length_or_its_header() {
    let folder = tempfile::tempdir().unwrap();
    let said = |name: &str, start: &[u8], length: u64| {
        let path = folder.path().join(name);
        std::fs::write(&path, start).unwrap();
        // Sparse: it takes no disk.
        File::options().write(true).open(&path).unwrap().set_len(length).unwrap();
        decode_file(&path).unwrap_err().to_string()
    };
    let jpeg = std::fs::read(fixture("exif_1.jpg")).unwrap();
    assert!(said("long.jpg", &jpeg, 1 << 40).contains("larger than 512 MB"));
    assert!(said("long.tif", b"II*\0", 1 << 40).contains("larger than 2048 MB"));
    assert!(said("zeros.png", &[], 1 << 40).contains("holds only zeros"));
    let endless = said("endless.jpg", b"\xff\xd8\xff\xe0\0\x04ab", 500 << 20);
    assert!(endless.contains("is not a readable JPEG"), "{endless}");
}

#[test]
fn images_wait_for_one_another_where_the_memory_holds_only_one() {
    let folder = tempfile::tempdir().unwrap();
    let budget: &'static Budget = Box::leak(Box::new(Budget::new(MAX_HEADER_BYTES + 40 * 30 * 16)));
    let picture = Rgb::from_pixel(40, 30, Pixel([1, 2, 3]));
    for (name, format) in [("a.png", ImageFormat::Png), ("b.webp", ImageFormat::WebP)] {
        std::fs::write(folder.path().join(name), encoded(&picture.clone().into(), format)).unwrap();
    }
    let whole = encoded(&picture.into(), ImageFormat::Png);
    std::fs::write(folder.path().join("cut.png"), &whole[..60]).unwrap();
    let first = decode_file_within(&folder.path().join("a.png"), Detail::Full, budget).unwrap();
    assert_eq!(budget.free(), MAX_HEADER_BYTES + 40 * 30 * 10 - 40 * 32, "6 bytes a pixel while it is held");
    let (said, heard) = std::sync::mpsc::channel();
    let path = folder.path().join("b.webp");
    std::thread::spawn(move || {
        said.send(decode_file_within(&path, Detail::Full, budget).unwrap().dimensions())
    });
    assert!(heard.recv_timeout(std::time::Duration::from_millis(50)).is_err());
    drop(first);
    assert_eq!(heard.recv_timeout(std::time::Duration::from_secs(10)).unwrap(), (40, 30));
    decode_file_within(&folder.path().join("cut.png"), Detail::Full, budget).unwrap_err();
    let all = budget.take(u64::MAX);
    assert_eq!((budget.free(), all.bytes()), (0, MAX_HEADER_BYTES + 40 * 30 * 16), "all of it came back");
}

#[test]
fn a_jpeg_that_was_cut_off_is_an_error() {
    for name in ["progressive.jpg", "subsampled_optimised.jpg", "exif_6.jpg", "cmyk.jpg"] {
        let whole = std::fs::read(fixture(name)).unwrap();
        for kept in [whole.len() - 2, whole.len() - 20, whole.len() / 2, 40] {
            assert!(decode_bytes(&whole[..kept], name).is_err(), "{name} cut to {kept} bytes");
        }
        let mut followed = whole.clone();
        followed.extend_from_slice(b"trailing bytes, as phones write them");
        assert!(decode_bytes(&followed, name).is_ok(), "{name} with a tail");
    }
}

#[test]
fn a_decoder_that_panics_is_an_error_that_names_the_file() {
    let failed = without_panics("strange.tif", || -> Result<(), _> { panic!("attempt to\n subtract") });
    let said = failed.unwrap_err().to_string();
    assert!(said.starts_with("strange.tif cannot be read: it crashes its decoder"), "{said}");
    assert!(said.contains("save it again as PNG or JPEG (attempt to subtract at tests.rs:"), "{said}");
}

#[test]
fn damaged_bytes_are_errors_or_pictures_never_panics() {
    let mut random = 0x2545_F491_4F6C_DD1Du64;
    let mut next = move |end: usize| {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        (random % end as u64) as usize
    };
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/images");
    let names = [
        "progressive.jpg",
        "cmyk.jpg",
        "exif_5.jpg",
        "palette_transparent.png",
        "lossy_alpha.webp",
        "two_frames.gif",
        "palette_lzw.tif",
        "ycck.jpg",
        "subsampled_optimised.jpg",
    ];
    for name in names {
        let whole = std::fs::read(folder.join(name)).unwrap();
        for _ in 0..300 {
            let mut bytes = whole.clone();
            for _ in 0..=next(6) {
                let at = next(bytes.len());
                bytes[at] = next(256) as u8;
            }
            if next(4) == 0 {
                bytes.truncate(next(bytes.len()));
            }
            for detail in [Detail::Full, Detail::Stretched(2, 2)] {
                match decode_bytes_for(&bytes, name, detail) {
                    Ok(image) => assert!(image.width() > 0 && image.height() > 0),
                    Err(error) => assert!(!error.to_string().contains("it crashes its decoder"), "{error}"),
                }
            }
        }
    }
}
