//! A state dict as it should be, and files that want to do harm.

use super::*;

fn text(text: &str) -> Vec<u8> {
    let length = u32::try_from(text.len()).unwrap();
    [b"X".as_slice(), &length.to_le_bytes(), text.as_bytes()].concat()
}

fn integer(value: i32) -> Vec<u8> {
    [b"J".as_slice(), &value.to_le_bytes()].concat()
}

fn integers(values: &[i32]) -> Vec<u8> {
    let values: Vec<u8> = values.iter().flat_map(|value| integer(*value)).collect();
    [b"(".as_slice(), &values, b"t"].concat()
}

const ORDERED_DICT: &[u8] = b"ccollections\nOrderedDict\n)R";

/// `name: _rebuild_tensor_v2(("storage", kind, key, "cpu", count, None), offset, shape, strides, False, {})`
fn tensor(name: &str, kind: &str, key: &str, count: i32, view: (i32, &[i32], &[i32])) -> Vec<u8> {
    let (offset, shape, strides) = view;
    [
        &text(name),
        b"ctorch._utils\n_rebuild_tensor_v2\n((".as_slice(),
        &text("storage"),
        format!("ctorch\n{kind}\n").as_bytes(),
        &text(key),
        &text("cpu"),
        &integer(count),
        b"NtQ",
        &integer(offset),
        &integers(shape),
        &integers(strides),
        b"\x89",
        ORDERED_DICT,
        b"tRs",
    ]
    .concat()
}

/// A file with this between the beginning and the end of the third pickle, and these numbers behind.
fn file(object: &[u8], storages: &[(&str, i64, Vec<u8>)]) -> Vec<u8> {
    let mut bytes = BEGIN.to_vec();
    bytes.extend([b"\x80\x02}".as_slice(), &text("little_endian"), b"\x88s."].concat());
    bytes.extend([b"\x80\x02".as_slice(), object, b"."].concat());
    let keys: Vec<u8> = storages.iter().flat_map(|(key, ..)| text(key)).collect();
    bytes.extend([b"\x80\x02](".as_slice(), &keys, b"e."].concat());
    for (_, count, data) in storages {
        bytes.extend(count.to_le_bytes());
        bytes.extend(data);
    }
    bytes
}

fn floats(values: &[f32]) -> Vec<u8> {
    values.iter().flat_map(|value| value.to_le_bytes()).collect()
}

/// A matrix that is stored by columns, as convolutions from TensorFlow are, and a counter.
fn state_dict() -> Vec<u8> {
    let object = [
        ORDERED_DICT,
        &tensor("a.weight", "FloatStorage", "7", 7, (1, &[2, 3], &[1, 2])),
        &tensor("a.num_batches_tracked", "LongStorage", "8", 1, (0, &[], &[])),
        b"}b",
    ]
    .concat();
    let numbers = floats(&[9.0, 1.0, 4.0, 2.0, 5.0, 3.0, 6.0]);
    file(&object, &[("7", 7, numbers), ("8", 1, 3_i64.to_le_bytes().to_vec())])
}

fn refusal(bytes: &[u8]) -> String {
    format!("{:#}", read_state_dict(bytes).unwrap_err())
}

#[test]
fn tensors_come_row_by_row_however_they_are_stored_and_counters_stay_out() {
    let expected =
        Tensor { name: "a.weight".to_owned(), shape: vec![2, 3], values: vec![1.0, 2.0, 3.0, 4.0, 5.0, 6.0] };
    assert_eq!(read_state_dict(&state_dict()).unwrap(), [expected]);
}

#[test]
fn a_file_that_is_cut_off_anywhere_is_an_error() {
    let whole = state_dict();
    for length in 0..whole.len() {
        assert!(read_state_dict(&whole[..length]).is_err(), "{length} bytes");
    }
    assert!(refusal(&[&whole[..], b"x"].concat()).contains("1 bytes are left over"));
}

#[test]
fn no_changed_byte_makes_it_panic() {
    let whole = state_dict();
    for at in 0..whole.len() {
        for value in [0, 1, b'.', b'R', b't', b'Q', 0x7f, 0x80, 0xff] {
            let mut changed = whole.clone();
            changed[at] = value;
            let _ = read_state_dict(&changed);
        }
    }
}

#[test]
fn what_would_run_something_is_refused_by_name() {
    for (module, name) in [("os", "system"), ("posix", "system"), ("builtins", "eval"), ("torch", "load")] {
        let call = format!("c{module}\n{name}\n");
        let object = [call.as_bytes(), &text("echo"), b"\x85R"].concat();
        let error = refusal(&file(&object, &[]));
        assert!(error.contains(&format!("asks for `{module}.{name}`")), "{error}");
    }
    // INST, OBJ, NEWOBJ, STACK_GLOBAL, EXT1 and a persistent id as text.
    for code in [b'i', b'o', 0x81, 0x93, 0x82, b'P'] {
        let error = refusal(&file(&[code, b'\n'], &[]));
        assert!(error.contains(&format!("instruction {code:#04x}")), "{error}");
    }
}

#[test]
fn sizes_that_no_file_has_are_refused_before_anything_is_allocated() {
    let numbers = || vec![("7", 2, floats(&[1.0, 2.0]))];
    let of = |count, view| {
        file(&[ORDERED_DICT, &tensor("a", "FloatStorage", "7", count, view)].concat(), &numbers())
    };
    let large = i32::MAX;
    /// Numbers in the storage; offset, shape and strides of the view; the refusal.
    type Case<'a> = (i32, (i32, &'a [i32], &'a [i32]), &'a str);
    let cases: [Case<'_>; 8] = [
        (2, (0, &[large, large, large], &[0, 0, 0]), "larger than its file"),
        (2, (0, &[1_000_000], &[0]), "larger than its file"),
        (2, (1, &[2], &[1]), "beyond its numbers"),
        (2, (large, &[2], &[large]), "beyond its numbers"),
        (2, (-1, &[2], &[1]), "`a`"),
        (2, (0, &[-2], &[1]), "`a`"),
        (2, (0, &[2], &[1, 1]), "its shape is"),
        (large, (0, &[2], &[1]), "has 2 numbers, expected 2147483647"),
    ];
    for (count, view, expected) in cases {
        let error = refusal(&of(count, view));
        assert!(error.contains(expected), "{view:?}: {error}");
    }
    let object = [ORDERED_DICT, &tensor("a", "FloatStorage", "7", large, (0, &[2], &[1]))].concat();
    let error = refusal(&file(&object, &[("7", i64::from(large), floats(&[1.0]))]));
    assert!(error.contains("cut off"), "{error}");
    let text_of_4_gb = [b"X\xff\xff\xff\xff".as_slice(), b"abc"].concat();
    assert!(refusal(&file(&text_of_4_gb, &[])).contains("cut off"));
}

#[test]
fn endless_and_bottomless_pickles_are_refused() {
    let long = refusal(&file(&b"N".repeat(2 * MOST_INSTRUCTIONS), &[]));
    assert!(long.contains("longer than any"), "{long}");
    // As deep as this, only letting go of it would overflow the stack.
    let deep = refusal(&file(&[b"N".as_slice(), &b"\x85".repeat(400_000)].concat(), &[]));
    assert!(deep.contains("nests deeper"), "{deep}");
    let inward = [b"}".as_slice(), &text("a")].concat().repeat(150_000);
    let nested = refusal(&file(&[&inward, b"N".as_slice(), &b"s".repeat(150_000)].concat(), &[]));
    assert!(nested.contains("`a` is no tensor"), "{nested}");
    // A dictionary in itself.
    let own = [b"}q\x00".as_slice(), &text("a"), b"h\x00s"].concat();
    assert!(refusal(&file(&own, &[])).contains("`a` is no tensor"));
}

#[test]
fn a_state_dict_that_is_none_is_refused() {
    assert!(refusal(b"PK\x03\x04").contains("old form"), "as PyTorch saves them today");
    assert!(refusal(&file(b"N", &[])).contains("a dictionary was expected"));
    let mut bytes = state_dict();
    let at = bytes.windows(2).position(|pair| pair == [0x88, b's']).unwrap();
    bytes[at] = 0x89;
    assert!(refusal(&bytes).contains("little-endian"));
}
