//! tmp
use crate::config::{Backbone, Pretrained};
/// tmp
pub struct Resolved {
    /// p
    pub path: Option<std::path::PathBuf>,
    /// w
    pub why: String,
    /// w
    pub warning: bool,
}
/// tmp
pub fn resolve(
    _p: &Pretrained,
    _b: Backbone,
    _pr: &dyn Fn(u64, u64),
    _k: &dyn Fn() -> bool,
) -> anyhow::Result<Resolved> {
    Ok(Resolved { path: None, why: "x".into(), warning: false })
}
