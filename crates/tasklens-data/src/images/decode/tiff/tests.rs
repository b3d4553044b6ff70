mod file;

use std::io::Cursor;

use super::*;
use file::{File, HEIGHT, WIDTH, as_they_are, deflate, grey, greys, lzw, pack_bits, picture, rgb, zstd};

#[test]
fn every_layout_of_a_picture_gives_the_same_pixels() {
    type Pack = (u64, fn(&[u8]) -> Vec<u8>);
    let packs: [Pack; 5] = [(1, as_they_are), (5, lzw), (8, deflate), (32773, pack_bits), (50000, zstd)];
    let expected = rgb();
    for choice in 0..64_u32 {
        let is = |bit: u32| choice >> bit & 1 == 1;
        for (compression, pack) in packs {
            let mut file = File::new((WIDTH, HEIGHT), Vec::new()).with(259, &[compression]);
            (file.is_big_endian, file.is_big_tiff) = (is(0), is(1));
            let predicts = is(5) && matches!(compression, 5 | 8 | 50000);
            picture(is(2), is(3), is(4), predicts, &mut file, pack);
            let picture = file.decode().unwrap();
            assert!(picture.rgb == expected && picture.note.is_none(), "{choice:06b}, {compression}");
        }
    }
}

#[test]
fn values_of_every_width_and_kind_reach_from_black_to_white() {
    let greys = |file: File| file.greys();
    assert_eq!(greys(grey(1, 4, &[0b0110_0000])), [0, 255, 255, 0]);
    assert_eq!(greys(grey(2, 4, &[0b0001_1011])), [0, 85, 170, 255]);
    assert_eq!(greys(grey(4, 3, &[0x05, 0xF0])), [0, 85, 255]);
    assert_eq!(greys(grey(10, 3, &[0, 0x3F, 0xF8, 0x00])), [0, 255, 128]);
    assert_eq!(greys(grey(12, 3, &[0x00, 0x0F, 0xFF, 0x80, 0x00])), [0, 255, 128]);
    assert_eq!(greys(grey(16, 2, &[0xFF, 0xFF, 0x00, 0x80])), [255, 128]);
    let wide = |values: &[u64], bytes: usize, form: u64| {
        let row: Vec<u8> = values.iter().flat_map(|value| value.to_le_bytes()[..bytes].to_vec()).collect();
        greys(grey(bytes as u64 * 8, values.len(), &row).with(339, &[form]))
    };
    assert_eq!(wide(&[0, 0xFFFF_FFFF, 0x8000_0000], 4, 1), [0, 255, 128]);
    assert_eq!(wide(&[0, u64::MAX, 1 << 63], 8, 1), [0, 255, 128]);
    assert_eq!(wide(&[0, 127, 64], 1, 2), [0, 255, 129]);
    assert_eq!(wide(&[0, 0x7FFF, 0x4000], 2, 2), [0, 255, 128]);
    assert_eq!(wide(&[0, 0x3C00, 0x3800], 2, 3), [0, 255, 128], "half floats");
    assert_eq!(wide(&[0.0_f32, 1.0, 0.5].map(|value| u64::from(value.to_bits())), 4, 3), [0, 255, 128]);
    assert_eq!(wide(&[0.0_f64, 1.0, 0.5].map(f64::to_bits), 8, 3), [0, 255, 128]);
}

#[test]
fn floats_with_their_predictor_are_put_together_again() {
    let values = [0.0_f32, 0.25, 1.0, 0.5];
    // The highest bytes of all values first, each the difference from the one before.
    let mut row: Vec<u8> = (0..4).flat_map(|part| values.map(|value| value.to_be_bytes()[part])).collect();
    for at in (1..row.len()).rev() {
        row[at] = row[at].wrapping_sub(row[at - 1]);
    }
    for is_big_endian in [false, true] {
        let mut file = grey(32, 4, &deflate(&row)).with(339, &[3]).with(259, &[8]).with(317, &[3]);
        file.is_big_endian = is_big_endian;
        assert_eq!(file.greys(), [0, 64, 255, 128]);
    }
}

#[test]
fn every_model_of_colour_shows_its_colours() {
    let one = |pixel: &[u8], photometric: u64| {
        File::new((1, 1), pixel.to_vec()).with(262, &[photometric]).with(277, &[pixel.len() as u64])
    };
    let near = |file: File, [red, green, blue]: [u8; 3]| {
        let pixel = file.pixels()[0];
        let off = pixel.iter().zip([red, green, blue]).any(|(a, b)| a.abs_diff(b) > 1);
        assert!(!off, "{pixel:?} instead of {:?}", [red, green, blue]);
    };
    near(one(&[30], 0).with(258, &[8]), [225; 3]);
    near(one(&[30, 200, 90], 2), [30, 200, 90]);
    near(one(&[0, 51, 255, 102], 5).with(258, &[8; 4]), [153, 122, 0]);
    near(one(&[76, 85, 255], 6).with(530, &[1, 1]), [254, 0, 0]);
    // L*a*b* of red in D50: signed, and with 128 as zero.
    near(one(&[138, 81, 70], 8), [254, 0, 0]);
    near(one(&[138, 209, 198], 9), [254, 0, 0]);
    near(one(&[118, 216, 236], 8), [0, 127, 142]);
    near(one(&[118, 88, 168], 9), [41, 126, 33]);
    let colours: Vec<u64> = [[0, 10], [0, 20], [0, 30]].into_iter().flatten().collect();
    let indices = |values: Vec<u64>| one(&[0x40], 3).with(258, &[1]).with(320, &values);
    let mut two = indices(colours.iter().map(|value| value * 257).collect());
    two.size.0 = 2;
    assert_eq!(two.pixels(), [[0; 3], [10, 20, 30]]);
    let mut narrow = indices(colours);
    narrow.size.0 = 2;
    assert_eq!(narrow.pixels(), [[0; 3], [10, 20, 30]], "a palette of 8 bits");
}

#[test]
fn chroma_that_pixels_share_is_spread_over_them() {
    // Two by two pixels of luma, then blue and red; the picture is one pixel narrower and lower.
    let units = [[10, 20, 30, 40, 128, 128], [50, 60, 70, 80, 128, 128], [90, 100, 110, 120, 128, 128]];
    let units = [units.concat(), vec![130, 140, 150, 160, 128, 128]].concat();
    let file = File::new((3, 3), units).with(262, &[6]).with(530, &[2, 2]);
    assert_eq!(file.greys(), [10, 20, 50, 30, 40, 70, 90, 100, 130]);
}

#[test]
fn transparency_is_laid_over_white_whether_the_colours_have_it_in_them_or_not() {
    let of = |extra: Option<u64>, pixel: [u8; 4]| {
        let file = File::new((1, 1), pixel.to_vec()).with(277, &[4]).with(258, &[8; 4]);
        extra.map_or(file.clone(), |extra| file.with(338, &[extra])).pixels()[0]
    };
    assert_eq!(of(Some(2), [200, 100, 0, 51]), [244, 224, 204]);
    assert_eq!(of(Some(1), [40, 20, 0, 51]), [244, 224, 204], "multiplied already");
    assert_eq!(of(Some(0), [40, 20, 0, 51]), [40, 20, 0], "something else than transparency");
    assert_eq!(of(None, [200, 100, 0, 51]), [244, 224, 204]);
}

#[test]
fn values_that_do_not_reach_their_range_are_spread_and_told_of() {
    let row = |values: &[u16]| values.iter().flat_map(|value| value.to_le_bytes()).collect::<Vec<u8>>();
    let twelve = grey(16, 3, &row(&[0, 2048, 4000])).decode().unwrap();
    assert_eq!(greys(&twelve.rgb), [0, 128, 249]);
    let note = twelve.note.unwrap();
    assert!(note.contains("reach only 4000") && note.contains("0 (black) to 4095 (white)"), "{note}");
    let eight = grey(16, 3, &row(&[0, 100, 255])).decode().unwrap();
    assert_eq!(greys(&eight.rgb), [0, 100, 255]);
    assert!(grey(16, 2, &row(&[0, 0])).decode().unwrap().note.is_none(), "black is black");

    let floats = |values: &[f32]| {
        let row: Vec<u8> = values.iter().flat_map(|value| value.to_le_bytes()).collect();
        grey(32, values.len(), &row).with(339, &[3])
    };
    let bytes = floats(&[0.0, 100.0, 255.0]).decode().unwrap();
    assert_eq!(greys(&bytes.rgb), [0, 100, 255]);
    assert!(bytes.note.unwrap().contains("0 (black) to 255 (white)"));
    assert!(floats(&[0.0, 3.5]).error().contains("floating-point values up to 3.5"));
    assert!(floats(&[0.0, 1e9]).error().contains("floating-point values up to"));
    assert!(floats(&[-3.0, 0.5]).error().contains("negative values (down to -3)"));
    let holes = floats(&[0.5, f32::NAN]).decode().unwrap();
    assert_eq!(holes.rgb, [128, 128, 128, 255, 255, 255]);
    assert!(holes.note.unwrap().contains("not numbers became white"));
}

/// Compression, options of Group 3, and the rows below as libtiff packs them.
const FAXES: [(u64, u64, &str); 4] = [
    (2, 0, "98a098a01d0e8743a1d0e8743a3505c0776dc0"),
    (3, 0, "00198a003314004743a1d0e8743a1d0e8004d417001776dc"),
    (3, 1, "001cc500160031d0e8743a1d0e8743a00121111111800dddb7"),
    (4, 0, "331723a23a0450e50e50e50e12a1111111865d85001001"),
];

#[test]
fn fax_of_every_kind_is_black_on_white() {
    let rows =
        ["........########", "........########", ".#.#.#.#.#.#.#.#", "################", "..####....####.."];
    let expected: Vec<u8> = rows.concat().chars().map(|c| if c == '#' { 0 } else { 255 }).collect();
    for (compression, options, data) in FAXES {
        let data: Vec<u8> = (0..data.len() / 2)
            .map(|at| u8::from_str_radix(&data[at * 2..at * 2 + 2], 16).unwrap())
            .collect();
        let reversed = data.iter().map(|byte| byte.reverse_bits()).collect();
        for (order, data) in [(1, data), (2, reversed)] {
            let file = File::new((16, 5), data).with(258, &[1]).with(277, &[1]).with(262, &[0]);
            let file = file.with(259, &[compression]).with(292, &[options]).with(266, &[order]);
            assert_eq!(file.greys(), expected, "{compression}, {options}, {order}");
        }
    }
}

#[test]
fn a_jpeg_in_a_tiff_is_read_new_and_old() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/images");
    let jpeg = std::fs::read(folder.join("subsampled_optimised.jpg")).unwrap();
    let upper_left = |file: File| file.pixels()[32 * 6 + 8];
    let near_red = |[red, green, blue]: [u8; 3]| red > 210 && green < 45 && blue < 45;
    let file = File::new((32, 24), jpeg.clone()).with(262, &[6]).with(530, &[2, 2]);
    assert!(near_red(upper_left(file.clone().with(259, &[7]))));
    let length = jpeg.len() as u64;
    // The first bytes of the file are its header, of 8 bytes.
    assert!(near_red(upper_left(file.with(259, &[6]).with(513, &[8]).with(514, &[length]))));
}

#[test]
fn a_damaged_part_is_grey_and_told_of() {
    let strip = |grey: u8| deflate(&[grey; 30]);
    let mut file = File::new((10, 3), Vec::new()).with(259, &[8]).with(278, &[1]);
    file.chunks = vec![strip(10), vec![0x55; 20], strip(30)];
    let picture = file.decode().unwrap();
    assert_eq!([0, 30, 60].map(|at| picture.rgb[at]), [10, 128, 30]);
    assert!(picture.note.unwrap().starts_with("1 of its 3 parts are damaged"));
    file.chunks[0] = vec![0x55; 20];
    assert!(matches!(file.decode(), Err(TiffFault::Damaged(_))), "more than half of it");
}

#[test]
fn a_file_that_was_cut_off_is_an_error() {
    let mut file = File::new((10, 3), vec![7; 90]).with(278, &[1]);
    file.chunks = vec![vec![7; 30]; 3];
    let whole = file.bytes();
    let open = |bytes: &[u8]| Tiff::open(Cursor::new(bytes.to_vec()), bytes.len() as u64)?.decode();
    assert!(open(&whole).is_ok());
    assert_eq!(open(&whole[..whole.len() - 20]).err(), Some(TiffFault::CutOff), "in the directory");
    // A directory before the data, as most write it: its last strip is beyond the end.
    let beyond = file.with(273, &[8, 38, whole.len() as u64 - 10]);
    assert_eq!(beyond.decode().err(), Some(TiffFault::CutOff));
}

#[test]
fn what_is_not_read_is_named() {
    let file = |tag, values: &[u64]| File::new((2, 1), vec![0; 24]).with(tag, values);
    assert_eq!(file(259, &[34925]).error(), "LZMA compression");
    assert_eq!(file(259, &[34887]).error(), "LERC compression");
    assert!(file(259, &[12345]).error().contains("unknown compression (12345)"));
    assert_eq!(file(258, &[5, 6, 5]).error(), "different bits for the values of a pixel");
    assert_eq!(file(339, &[6, 6, 6]).error(), "complex numbers");
    assert_eq!(file(262, &[32803]).error(), "raw camera sensor data");
    assert!(file(262, &[1]).error().contains("3 channels without a declared colour model"));
    assert!(file(277, &[65535]).error().contains("65535 values for each pixel"));
    assert_eq!(file(262, &[5]).with(277, &[4]).with(332, &[2]).error(), "inks other than CMYK");
}

#[test]
fn a_small_file_cannot_ask_for_much_memory() {
    let tiles = |side: u64| File::new((2, 1), vec![0; 24]).with(322, &[side]).with(323, &[side]);
    assert!(tiles(1 << 20).open().is_err());
    assert!(tiles(0).open().is_err());
    let many = File::new((2, 1), vec![0; 6]);
    let mut bytes = many.bytes();
    // The count of a tag's values.
    let at = bytes.windows(4).position(|tag| tag == [0x11, 1, 4, 0]).unwrap() + 4;
    bytes[at..at + 4].copy_from_slice(&[0xFF; 4]);
    let length = bytes.len() as u64;
    assert!(Tiff::open(Cursor::new(bytes), length).is_err());
    let deep = File::new((1000, 1000), Vec::new()).with(258, &[16; 3]);
    assert!(deep.open().unwrap().cost() < 1000 * 1000 * 4, "no copy of 16 bits");
    let planes = deep.with(284, &[2]).open().unwrap();
    assert!(planes.cost() >= 1000 * 1000 * 9, "the planes of a strip are in memory together");
}

#[test]
fn damaged_bytes_are_faults_or_pictures_never_panics() {
    let mut random = 0x2545_F491_4F6C_DD1D_u64;
    let mut next = move |end: usize| {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        (random % end as u64) as usize
    };
    let fax = |kind: u64| {
        let data = (0..40).map(|at| (at * 37) as u8).collect();
        File::new((16, 5), data).with(258, &[1]).with(277, &[1]).with(262, &[0]).with(259, &[kind])
    };
    let mut files = vec![fax(2), fax(3), fax(3).with(292, &[1]), fax(4)];
    for (compression, pack) in
        [(1, as_they_are as fn(&[u8]) -> Vec<u8>), (5, lzw), (8, deflate), (32773, pack_bits)]
    {
        for choice in 0..8 {
            let mut file = File::new((WIDTH, HEIGHT), Vec::new()).with(259, &[compression]);
            file.is_big_tiff = choice & 1 == 1;
            picture(choice & 1 == 1, choice & 2 == 2, choice & 4 == 4, compression > 1, &mut file, pack);
            files.push(file);
        }
    }
    files.push(grey(12, 9, &[7; 14]));
    files.push(File::new((8, 8), vec![90; 96]).with(262, &[6]).with(530, &[2, 2]));
    for file in &files {
        let whole = file.bytes();
        for _ in 0..200 {
            let mut bytes = whole.clone();
            for _ in 0..=next(4) {
                // Mostly in the directory, at the end.
                let at = if next(3) == 0 {
                    next(bytes.len())
                } else {
                    bytes.len() - 1 - next(bytes.len().min(220))
                };
                bytes[at] = next(256) as u8;
            }
            if next(6) == 0 {
                bytes.truncate(next(bytes.len()) + 1);
            }
            let length = bytes.len() as u64;
            let Ok(tiff) = Tiff::open(Cursor::new(bytes), length) else { continue };
            if tiff.cost() < 64 << 20 {
                let _ = tiff.decode();
            }
        }
    }
}
