//! What happens to an image before the network, as nodes: [`resize`](tasklens_data::images::resize) and
//! [`Network::normalise`](crate::model::network::Network::normalise).
//!
//! `Resize` with `antialias` of ONNX is not used: it weighs and rounds in another order, and several engines ignore the
//! attribute without a word. Two products of matrices are exact and run everywhere. The weights are computed from the
//! image's size as `fast_image_resize` computes them for bytes: a triangle, normalised, in steps of the power of two at
//! which the greatest still fits into 15 bits; rows first, and rounded to bytes after each.

use tasklens_data::config::networks::NetworkFacts;

use super::graph::{GraphBuilder, Setting};
use super::protobuf::data_type;

/// The finest step of weights is 2^-21.
const FINEST: i32 = 21;
/// What a weight in steps, rounded, must stay below.
const ABOVE_15_BITS: f32 = 32767.5;

/// Bytes `[N, H, W, 3]` of any size -> whole numbers 0 to 255 `[N, 3, height, width]`, float32.
pub(super) fn resize(graph: &mut GraphBuilder, image: &str, height: u32, width: u32) -> String {
    let (height, width) = (i64::from(height), i64::from(width));
    let shape = graph.node("Shape", "/resize/shape", &[image], &[]);
    let rows = weights(graph, &shape, &Axis { name: "rows", place: 1, cells: height, transposed: false });
    let columns = weights(graph, &shape, &Axis { name: "columns", place: 2, cells: width, transposed: true });

    let pixels = cast(graph, "/resize/pixels", image, data_type::FLOAT);
    let lines = graph.integers("/resize/lines", &[3], &[0, 0, -1]);
    let pixels = graph.node("Reshape", "/resize/in_lines", &[&pixels, &lines], &[]);
    let low = graph.node("MatMul", "/resize/low", &[&rows, &pixels], &[]);
    let low = round(graph, "/resize/low_bytes", &low);
    let sides = graph.integers("/resize/sides", &[4], &[0, height, -1, 3]);
    let low = graph.node("Reshape", "/resize/in_pixels", &[&low, &sides], &[]);
    let low = channels_first(graph, "/resize/channels", &low);
    let small = graph.node("MatMul", "/resize/small", &[&low, &columns], &[]);
    round(graph, "/resize/bytes", &small)
}

/// Bytes `[N, height, width, 3]` -> whole numbers 0 to 255 `[N, 3, height, width]`, float32.
pub(super) fn take(graph: &mut GraphBuilder, image: &str) -> String {
    let channels = channels_first(graph, "/image/channels", image);
    cast(graph, "/image/pixels", &channels, data_type::FLOAT)
}

/// 0 to 255 -> (pixel / 255 - mean) / deviation.
pub(super) fn normalise(graph: &mut GraphBuilder, pixels: &str, facts: &NetworkFacts) -> String {
    let factor = facts.std.map(|std| (255.0 * f64::from(std)) as f32);
    let shift = [0, 1, 2].map(|i| (f64::from(facts.mean[i]) / f64::from(facts.std[i])) as f32);
    let factor = graph.floats("/normalise/factor", &[1, 3, 1, 1], &factor);
    let shift = graph.floats("/normalise/shift", &[1, 3, 1, 1], &shift);
    let scaled = graph.node("Div", "/normalise/scaled", &[pixels, &factor], &[]);
    graph.node("Sub", "/normalise/shifted", &[&scaled, &shift], &[])
}

pub(super) fn cast(graph: &mut GraphBuilder, name: &str, value: &str, elements: i32) -> String {
    graph.node("Cast", name, &[value], &[Setting::Int("to", elements.into())])
}

fn channels_first(graph: &mut GraphBuilder, name: &str, value: &str) -> String {
    graph.node("Transpose", name, &[value], &[Setting::Ints("perm", &[0, 3, 1, 2])])
}

/// floor(x + 0.5): `Round` of ONNX would take halves to even numbers.
fn round(graph: &mut GraphBuilder, name: &str, value: &str) -> String {
    let half = graph.floats("/resize/half", &[], &[0.5]);
    let above = graph.node("Add", &format!("{name}_above"), &[value, &half], &[]);
    graph.node("Floor", name, &[&above], &[])
}

/// A side to resize.
struct Axis {
    name: &'static str,
    /// Which side of `[N, H, W, 3]`.
    place: i64,
    /// Its length afterwards.
    cells: i64,
    /// Whether the weights are `[from, to]` in place of `[to, from]`.
    transposed: bool,
}

/// The weights of a side's pixels in each of its cells.
///
/// With `s` pixels and `c` cells, the middles of pixel `j` and cell `i` are (2j + 1)c and (2i + 1)s in units of 1 / 2c
/// of a pixel, and the triangle is 2 max(s, c) wide to each side: whole numbers, so that nothing is lost before the
/// division.
fn weights(graph: &mut GraphBuilder, shape: &str, axis: &Axis) -> String {
    let named = |what: &str| format!("/resize/{}/{what}", axis.name);
    let scalar = |graph: &mut GraphBuilder, what: &str, value| graph.integers(&named(what), &[], &[value]);
    let place = scalar(graph, "place", axis.place);
    let size = graph.node("Gather", &named("size"), &[shape, &place], &[Setting::Int("axis", 0)]);
    let [zero, one, two] = [0, 1, 2].map(|number| scalar(graph, "number", number));
    let cells = scalar(graph, "cells", axis.cells);

    // The middles of the pixels along one side of the matrix, those of the cells along the other.
    let pixels = graph.node("Range", &named("pixels"), &[&zero, &size, &one], &[]);
    let pixels = graph.node("Mul", &named("pixels_doubled"), &[&pixels, &two], &[]);
    let pixels = graph.node("Add", &named("pixel_middles"), &[&pixels, &one], &[]);
    let pixels = graph.node("Mul", &named("pixel_middles_scaled"), &[&pixels, &cells], &[]);
    let (across, along, sum_over) =
        if axis.transposed { ([-1, 1], [1, axis.cells], 0) } else { ([1, -1], [axis.cells, 1], 1) };
    let across = graph.integers(&named("across"), &[2], &across);
    let pixels = graph.node("Reshape", &named("pixel_matrix"), &[&pixels, &across], &[]);
    let middles: Vec<i64> = (0..axis.cells).map(|cell| 2 * cell + 1).collect();
    let middles = graph.integers(&named("cell_middles"), &along, &middles);
    let middles = graph.node("Mul", &named("cell_middles_scaled"), &[&middles, &size], &[]);

    let apart = graph.node("Sub", &named("apart"), &[&middles, &pixels], &[]);
    let distance = graph.node("Abs", &named("distance"), &[&apart], &[]);
    let radius = graph.node("Max", &named("larger"), &[&size, &cells], &[]);
    let radius = graph.node("Mul", &named("radius"), &[&radius, &two], &[]);
    let inside = graph.node("Sub", &named("inside"), &[&radius, &distance], &[]);
    let inside = cast(graph, &named("inside_float"), &inside, data_type::FLOAT);
    let triangle = graph.node("Relu", &named("triangle"), &[&inside], &[]);
    let over = graph.integers(&named("over"), &[1], &[sum_over]);
    let sum = graph.node("ReduceSum", &named("sum"), &[&triangle, &over], &[Setting::Int("keepdims", 1)]);
    let weights = graph.node("Div", &named("shares"), &[&triangle, &sum], &[]);
    in_steps(graph, axis, &weights)
}

/// Rounds weights as those for bytes are rounded.
fn in_steps(graph: &mut GraphBuilder, axis: &Axis, weights: &str) -> String {
    let named = |what: &str| format!("/resize/{}/{what}", axis.name);
    let flat = [Setting::Int("keepdims", 0)];
    let powers: Vec<f32> = (0..=FINEST).map(|exponent| 2_f32.powi(exponent)).collect();
    let powers = graph.floats(&named("powers"), &[powers.len() as i64], &powers);
    let limit = graph.floats(&named("limit"), &[], &[ABOVE_15_BITS]);
    let greatest = graph.node("ReduceMax", &named("greatest"), &[weights], &flat);
    let stretched = graph.node("Mul", &named("greatest_stretched"), &[&greatest, &powers], &[]);
    let fits = graph.node("Less", &named("fits"), &[&stretched, &limit], &[]);
    let fits = cast(graph, &named("fits_float"), &fits, data_type::FLOAT);
    let fitting = graph.node("Mul", &named("fitting"), &[&fits, &powers], &[]);
    let steps = graph.node("ReduceMax", &named("steps"), &[&fitting], &flat);
    let stretched = graph.node("Mul", &named("stretched"), &[weights, &steps], &[]);
    let whole = round(graph, &named("whole"), &stretched);
    graph.node("Div", &named("weights"), &[&whole, &steps], &[])
}
