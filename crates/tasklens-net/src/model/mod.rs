//! Backbones, heads, pretrained weights and the checkpoint file.
//!
//! A [`network::Network`] is one [`trunk::Trunk`], the backbone, and one linear head per task, over
//! named [`parameters::Parameters`]. Weights and statistics are float32 whatever it computes in.

pub mod backbone_file;
pub mod checkpoint;
pub mod conventions;
pub mod efficientnet_lite;
pub mod int8;
mod interpreter;
pub mod keras;
pub mod layers;
pub mod network;
pub mod parameters;
pub mod pretrained;
pub mod sketch;
pub mod tensor_file;
pub mod trunk;
pub mod xception;
