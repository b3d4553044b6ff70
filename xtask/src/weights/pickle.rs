//! State dicts as PyTorch before 1.6 saved them: five pickles, then the numbers. Read without running anything.
//!
//! A pickle is a program for a small stack machine that may import and call whatever it names. Here it gets the few
//! instructions that a dictionary of tensors needs and four names, which stand for themselves; all else is refused.
//! Layout: `torch/serialization.py`, `_legacy_load`; instructions: Python's `pickletools`.

use std::cell::{Ref, RefCell};
use std::collections::HashMap;
use std::rc::Rc;

use anyhow::{Context as _, Result, bail, ensure};

/// What `torch.save` began a file with: its magic number and the version of the layout, two pickles.
const BEGIN: [u8; 21] = [
    0x80, 2, 0x8a, 10, 0x6c, 0xfc, 0x9c, 0x46, 0xf9, 0x20, 0x6a, 0xa8, 0x50, 0x19, b'.', //
    0x80, 2, b'M', 0xe9, 0x03, b'.',
];
/// A network of 500 tensors needs 20,000.
const MOST_INSTRUCTIONS: usize = 500_000;
/// Tuples in tuples; tensors need two.
const DEEPEST: usize = 4;
/// Dimensions of a tensor.
const MOST_SIDES: usize = 8;

/// A tensor of float32 numbers, row by row.
#[derive(Debug, PartialEq)]
pub struct Tensor {
    pub name: String,
    pub shape: Vec<usize>,
    pub values: Vec<f32>,
}

/// The float32 tensors of a state dict, in its order. Counters, which are integers, are left out.
///
/// # Errors
/// It is no such file, is damaged, or asks for what no state dict needs.
pub fn read_state_dict(bytes: &[u8]) -> Result<Vec<Tensor>> {
    let mut rest = bytes.strip_prefix(BEGIN.as_slice()).context("it is no state dict of the old form")?;
    let system = unpickle(&mut rest)?;
    let is_little =
        |(name, value): &(Rc<str>, Value)| &**name == "little_endian" && matches!(value, Value::Bool(true));
    ensure!(dictionary(&system)?.iter().any(is_little), "its numbers are not little-endian");
    let tensors = unpickle(&mut rest)?;
    let tensors = dictionary(&tensors)?;
    let keys = unpickle(&mut rest)?;
    let storages = read_storages(&mut rest, &keys, &tensors)?;
    ensure!(rest.is_empty(), "{} bytes are left over", rest.len());
    let mut left = bytes.len() / 4;
    let mut found = Vec::new();
    for (name, value) in tensors.iter() {
        let Value::Tensor(tensor) = value else { bail!("`{name}` is no tensor") };
        if tensor.storage.kind == Kind::Float {
            let data = storages.get(&tensor.storage.key).context("a tensor has no numbers")?;
            let (shape, values) = tensor.values(data, &mut left).with_context(|| format!("`{name}`"))?;
            found.push(Tensor { name: name.to_string(), shape, values });
        }
    }
    Ok(found)
}

/// The numbers behind the pickles, by key, in the order of `keys`: how many, then these.
fn read_storages<'a>(
    rest: &mut &'a [u8],
    keys: &Value,
    tensors: &[(Rc<str>, Value)],
) -> Result<HashMap<Rc<str>, &'a [u8]>> {
    let Value::List(keys) = keys else { bail!("there is no list of what the file holds") };
    let known: HashMap<&str, &Storage> = tensors
        .iter()
        .filter_map(|(_, value)| match value {
            Value::Tensor(tensor) => Some((&*tensor.storage.key, &*tensor.storage)),
            _ => None,
        })
        .collect();
    let mut found = HashMap::new();
    for key in keys.borrow().iter() {
        let storage = known.get(&**key).with_context(|| format!("no tensor uses the numbers `{key}`"))?;
        let count = i64::from_le_bytes(take(rest, 8)?.try_into()?);
        ensure!(count == storage.count, "`{key}` has {count} numbers, expected {}", storage.count);
        let bytes = usize::try_from(count)?.checked_mul(storage.kind.bytes()).context("it is too large")?;
        found.insert(key.clone(), take(rest, bytes)?);
    }
    Ok(found)
}

fn take<'a>(rest: &mut &'a [u8], count: usize) -> Result<&'a [u8]> {
    let (taken, behind) = rest.split_at_checked(count).context("the file is cut off")?;
    *rest = behind;
    Ok(taken)
}

fn dictionary(value: &Value) -> Result<Ref<'_, Entries>> {
    match value {
        Value::Dictionary(entries) => Ok(entries.borrow()),
        _ => bail!("a dictionary was expected"),
    }
}

/// The four names that a state dict needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Global {
    OrderedDict,
    RebuildTensor,
    Storage(Kind),
}

/// What numbers a storage holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Float,
    Long,
}

impl Kind {
    fn bytes(self) -> usize {
        match self {
            Self::Float => 4,
            Self::Long => 8,
        }
    }
}

impl Global {
    fn named(module: &str, name: &str) -> Result<Self> {
        Ok(match (module, name) {
            ("collections", "OrderedDict") => Self::OrderedDict,
            ("torch._utils", "_rebuild_tensor_v2") => Self::RebuildTensor,
            ("torch", "FloatStorage") => Self::Storage(Kind::Float),
            ("torch", "LongStorage") => Self::Storage(Kind::Long),
            _ => bail!("it asks for `{module}.{name}`, which no state dict needs"),
        })
    }
}

#[derive(Debug)]
struct Storage {
    kind: Kind,
    key: Rc<str>,
    count: i64,
}

/// A view on a storage.
#[derive(Debug)]
struct View {
    storage: Rc<Storage>,
    offset: i64,
    shape: Vec<i64>,
    strides: Vec<i64>,
}

impl View {
    /// Its shape and its numbers, row by row. `left` is how many may yet be read: views can share numbers.
    fn values(&self, data: &[u8], left: &mut usize) -> Result<(Vec<usize>, Vec<f32>)> {
        let shape = self.shape.iter().map(|&side| usize::try_from(side)).collect::<Result<Vec<_>, _>>()?;
        let strides =
            self.strides.iter().map(|&step| usize::try_from(step)).collect::<Result<Vec<_>, _>>()?;
        ensure!(shape.len() == strides.len() && shape.len() <= MOST_SIDES, "its shape is {shape:?}");
        let count = shape.iter().try_fold(1_usize, |count, &side| count.checked_mul(side));
        let count = count.filter(|count| count <= left).context("it is larger than its file")?;
        *left -= count;
        let mut values = Vec::with_capacity(count);
        let mut index = vec![0; shape.len()];
        for _ in 0..count {
            let steps =
                index.iter().zip(&strides).try_fold(usize::try_from(self.offset)?, |at, (i, step)| {
                    usize::checked_mul(*i, *step)?.checked_add(at)
                });
            let bytes = steps.and_then(|at| data.get(at.checked_mul(4)?..)?.first_chunk::<4>());
            values.push(f32::from_le_bytes(*bytes.context("it reaches beyond its numbers")?));
            for (i, side) in index.iter_mut().zip(&shape).rev() {
                *i += 1;
                if *i < *side {
                    break;
                }
                *i = 0;
            }
        }
        Ok((shape, values))
    }
}

/// A dictionary, in its order.
type Entries = Vec<(Rc<str>, Value)>;

/// What lies on the stack.
#[derive(Clone, Debug)]
enum Value {
    Mark,
    None,
    Bool(bool),
    Integer(i64),
    Text(Rc<str>),
    Global(Global),
    /// With how deep it is.
    Tuple(Rc<[Value]>, usize),
    Storage(Rc<Storage>),
    Tensor(Rc<View>),
    /// Lists hold text alone.
    List(Rc<RefCell<Vec<Rc<str>>>>),
    /// Neither lists nor dictionaries are within: nothing can hold itself.
    Dictionary(Rc<RefCell<Entries>>),
}

/// The machine.
#[derive(Default)]
struct Machine {
    stack: Vec<Value>,
    memo: HashMap<u32, Value>,
}

/// Reads one pickle, up to and with its STOP.
fn unpickle(rest: &mut &[u8]) -> Result<Value> {
    let mut machine = Machine::default();
    ensure!(take(rest, 2)? == [0x80, 2], "it is no pickle of protocol 2");
    for _ in 0..MOST_INSTRUCTIONS {
        let code = take(rest, 1)?[0];
        if code == b'.' {
            return machine.pop();
        }
        machine.step(code, rest)?;
    }
    bail!("the pickle is longer than any of a state dict")
}

impl Machine {
    fn step(&mut self, code: u8, rest: &mut &[u8]) -> Result<()> {
        let value = match code {
            b'(' => Value::Mark,
            b'N' => Value::None,
            0x88 => Value::Bool(true),
            0x89 => Value::Bool(false),
            b'K' => Value::Integer(i64::from(take(rest, 1)?[0])),
            b'M' => Value::Integer(i64::from(u16::from_le_bytes(take(rest, 2)?.try_into()?))),
            b'J' => Value::Integer(i64::from(i32::from_le_bytes(take(rest, 4)?.try_into()?))),
            b'X' => {
                let length = u32::from_le_bytes(take(rest, 4)?.try_into()?);
                Value::Text(std::str::from_utf8(take(rest, usize::try_from(length)?)?)?.into())
            }
            b'c' => Value::Global(Global::named(line(rest)?, line(rest)?)?),
            b'}' => Value::Dictionary(Rc::default()),
            b']' => Value::List(Rc::default()),
            b')' => Value::Tuple(Rc::new([]), 1),
            0x85 => tuple(vec![self.pop()?])?,
            0x86 => {
                let second = self.pop()?;
                tuple(vec![self.pop()?, second])?
            }
            b't' => tuple(self.pop_to_mark()?)?,
            b'Q' => storage(&self.pop()?)?,
            b'R' => {
                let arguments = self.pop()?;
                call(&self.pop()?, &arguments)?
            }
            b'h' => self.recall(u32::from(take(rest, 1)?[0]))?,
            b'j' => self.recall(u32::from_le_bytes(take(rest, 4)?.try_into()?))?,
            b'q' => return self.remember(u32::from(take(rest, 1)?[0])),
            b'r' => return self.remember(u32::from_le_bytes(take(rest, 4)?.try_into()?)),
            b's' => {
                let value = self.pop()?;
                let key = self.pop()?;
                return self.set(vec![key, value]);
            }
            b'u' => {
                let items = self.pop_to_mark()?;
                return self.set(items);
            }
            b'e' => return self.extend(),
            // A state dict's attributes are versions of layers, which say nothing to us.
            b'b' => return self.pop().map(drop),
            _ => bail!("it has the instruction {code:#04x}, which no state dict needs"),
        };
        self.stack.push(value);
        Ok(())
    }

    fn pop(&mut self) -> Result<Value> {
        self.stack.pop().context("the pickle takes what is not there")
    }

    /// All above the last mark, which goes, too.
    fn pop_to_mark(&mut self) -> Result<Vec<Value>> {
        let mark = self.stack.iter().rposition(|value| matches!(value, Value::Mark));
        let above = self.stack.split_off(mark.context("the pickle lacks a mark")?);
        Ok(above.into_iter().skip(1).collect())
    }

    fn remember(&mut self, place: u32) -> Result<()> {
        let top = self.stack.last().context("the pickle keeps what is not there")?;
        self.memo.insert(place, top.clone());
        Ok(())
    }

    fn recall(&self, place: u32) -> Result<Value> {
        self.memo.get(&place).cloned().context("the pickle recalls what it never kept")
    }

    /// Pairs of key and value go into the dictionary on top.
    fn set(&mut self, items: Vec<Value>) -> Result<()> {
        let Some(Value::Dictionary(entries)) = self.stack.last() else {
            bail!("the pickle fills what is no dictionary");
        };
        let mut items = items.into_iter();
        while let (Some(key), Some(value)) = (items.next(), items.next()) {
            let Value::Text(key) = key else { bail!("a key is no text") };
            let value = match value {
                Value::Dictionary(_) | Value::List(_) | Value::Tuple(..) => Value::None,
                other => other,
            };
            entries.borrow_mut().push((key, value));
        }
        Ok(())
    }

    /// Text goes into the list below the mark.
    fn extend(&mut self) -> Result<()> {
        let items = self.pop_to_mark()?;
        let Some(Value::List(list)) = self.stack.last() else { bail!("the pickle fills what is no list") };
        for item in items {
            let Value::Text(text) = item else { bail!("a list holds what is no text") };
            list.borrow_mut().push(text);
        }
        Ok(())
    }
}

fn line<'a>(rest: &mut &'a [u8]) -> Result<&'a str> {
    let end = rest.iter().position(|&byte| byte == b'\n').context("the file is cut off")?;
    let line = take(rest, end)?;
    take(rest, 1)?;
    Ok(std::str::from_utf8(line)?)
}

fn tuple(items: Vec<Value>) -> Result<Value> {
    let inner = items.iter().map(|item| if let Value::Tuple(_, depth) = item { *depth } else { 0 }).max();
    let depth = inner.unwrap_or(0) + 1;
    ensure!(depth <= DEEPEST, "the pickle nests deeper than any state dict");
    Ok(Value::Tuple(items.into(), depth))
}

/// `("storage", kind, key, location, count, None)`, PyTorch's name for numbers that stand elsewhere.
fn storage(value: &Value) -> Result<Value> {
    let Value::Tuple(parts, _) = value else { bail!("it refers to what is no storage") };
    match &**parts {
        [
            Value::Text(tag),
            Value::Global(Global::Storage(kind)),
            Value::Text(key),
            Value::Text(_),
            Value::Integer(count),
            Value::None,
        ] if &**tag == "storage" => {
            Ok(Value::Storage(Rc::new(Storage { kind: *kind, key: key.clone(), count: *count })))
        }
        _ => bail!("it refers to what is no storage"),
    }
}

/// `OrderedDict()`, or `_rebuild_tensor_v2(storage, offset, shape, strides, requires_grad, hooks)`.
fn call(function: &Value, arguments: &Value) -> Result<Value> {
    let (Value::Global(function), Value::Tuple(arguments, _)) = (function, arguments) else {
        bail!("it calls what is no function");
    };
    match (function, &**arguments) {
        (Global::OrderedDict, []) => Ok(Value::Dictionary(Rc::default())),
        (
            Global::RebuildTensor,
            [
                Value::Storage(storage),
                Value::Integer(offset),
                Value::Tuple(shape, _),
                Value::Tuple(strides, _),
                Value::Bool(_),
                Value::Dictionary(_),
            ],
        ) => Ok(Value::Tensor(Rc::new(View {
            storage: storage.clone(),
            offset: *offset,
            shape: integers(shape)?,
            strides: integers(strides)?,
        }))),
        _ => bail!("it calls {function:?} in a way that no state dict does"),
    }
}

fn integers(values: &[Value]) -> Result<Vec<i64>> {
    let integer = |value: &Value| match value {
        Value::Integer(integer) => Ok(*integer),
        _ => bail!("a size is no number"),
    };
    values.iter().map(integer).collect()
}

#[cfg(test)]
mod tests;
