//! Backbones, heads, pretrained weights and the checkpoint file.

pub mod pretrained;
