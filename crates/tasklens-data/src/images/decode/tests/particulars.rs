//! What single formats have of their own.

use super::*;

#[test]
fn a_jpeg_that_is_damaged_in_the_middle_is_shown_and_told_of() {
    for name in ["exif_1.jpg", "subsampled_optimised.jpg", "cmyk.jpg"] {
        let whole = std::fs::read(fixture(name)).unwrap();
        assert_eq!(decode_bytes(&whole, name).unwrap().note(), None, "{name}");
        let mut damaged = whole.clone();
        let middle = whole.len() - 60;
        // Ones alone are no code.
        damaged[middle..middle + 30].as_chunks_mut().0.fill([0xFF, 0x00]);
        let image = decode_bytes(&damaged, name).unwrap();
        assert_eq!(image.dimensions(), (32, 24), "{name}");
        let note = image.note().expect(name);
        assert!(note.contains(name) && note.contains("damaged and may be partly wrong"), "{note}");
    }
}

#[test]
fn what_a_jpeg_has_that_is_not_read_is_named() {
    let whole = std::fs::read(fixture("exif_1.jpg")).unwrap();
    let frame = whole.windows(4).position(|part| part == [0xFF, 0xC0, 0, 17]).unwrap();
    let said = |at: usize, byte: u8| {
        let mut changed = whole.clone();
        changed[at] = byte;
        decode_bytes(&changed, "x.jpg").unwrap_err().to_string()
    };
    for (at, byte, what) in [
        (frame + 4, 12, "JPEG with more than 8 bits, which is not supported"),
        (frame + 1, 0xC3, "JPEG with lossless compression, which is not supported"),
        (frame + 1, 0xC9, "JPEG with arithmetic coding, which is not supported"),
    ] {
        let said = said(at, byte);
        assert!(said.contains(what) && said.contains("save it as PNG"), "{said}");
    }
}

#[test]
fn a_webp_is_upright_whether_its_exif_begins_as_in_a_jpeg_or_not() {
    let picture = Rgb::from_fn(4, 3, |x, y| Pixel([x as u8 * 60, y as u8 * 80, 9]));
    let plain = encoded(&picture.clone().into(), ImageFormat::WebP);
    // Orientation 6: a quarter to the right.
    let exif = b"II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0\x06\0\0\0\0\0\0\0".to_vec();
    for exif in [exif.clone(), [b"Exif\0\0".to_vec(), exif].concat()] {
        let part = |name: &[u8], content: &[u8]| {
            let mut part = [name, &(content.len() as u32).to_le_bytes(), content].concat();
            part.resize(part.len().next_multiple_of(2), 0);
            part
        };
        let parts = [
            b"WEBP".to_vec(),
            part(b"VP8X", &[0x08, 0, 0, 0, 3, 0, 0, 2, 0, 0]),
            plain[12..].to_vec(),
            part(b"EXIF", &exif),
        ];
        let webp = part(b"RIFF", &parts.concat());
        let image = decode_bytes(&webp, "turned.webp").unwrap();
        assert_eq!(image.dimensions(), (3, 4));
        assert_eq!(image.get_pixel(2, 0), picture.get_pixel(0, 0));
    }
}

#[test]
fn a_bmp_whose_transparency_means_nothing_is_opaque() {
    // A header of the fourth version, with masks for 1, 5, 5 and 5 bits of 16.
    let bmp = |pixels: [u16; 2]| {
        let mut header: Vec<u32> =
            vec![108, 2, 1, 1 | 16 << 16, 3, 4, 0, 0, 0, 0, 0x7C00, 0x3E0, 0x1F, 0x8000];
        header.resize(108 / 4, 0);
        let mut bmp = b"BM".to_vec();
        bmp.extend([14 + 108 + 4, 0, 14 + 108].into_iter().flat_map(u32::to_le_bytes));
        bmp.extend(header.into_iter().flat_map(u32::to_le_bytes));
        bmp.extend(pixels.into_iter().flat_map(u16::to_le_bytes));
        let image = decode_bytes(&bmp, "old.bmp").unwrap();
        [image.get_pixel(0, 0).0, image.get_pixel(1, 0).0]
    };
    assert_eq!(bmp([0x7C00, 0x001F]), [[255, 0, 0], [0, 0, 255]]);
    assert_eq!(
        bmp([0x7C00, 0x801F]),
        [[255; 3], [0, 0, 255]],
        "where some of it is opaque, it means something"
    );
}

#[test]
fn low_values_of_sixteen_bits_are_spread_and_told_of() {
    let png = |values: [u16; 3]| {
        let image = image::ImageBuffer::<image::Luma<u16>, _>::from_raw(3, 1, values.to_vec()).unwrap();
        decode_bytes(&encoded(&image.into(), ImageFormat::Png), "cells.png").unwrap()
    };
    let greys = |image: &Decoded| [0, 1, 2].map(|x| image.get_pixel(x, 0).0[0]);
    let twelve = png([0, 2048, 4095]);
    assert_eq!(greys(&twelve), [0, 128, 255]);
    assert!(twelve.note().unwrap().starts_with("cells.png: its values of 16 bits reach only 4095"));
    assert_eq!(greys(&png([0, 100, 255])), [0, 100, 255]);
    let full = png([0, 2048, 4096]);
    assert_eq!((greys(&full), full.note()), ([0, 8, 16], None));
}
