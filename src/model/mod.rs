//! Backbones, heads, pretrained weights and the checkpoint file.
