//! Two things beside each other: two logs, or two attempts of a sendout. What both pages show is `parts/compare.rs`.

pub mod attempts;
pub mod logs;
