//! Chains, beyond their writing: who signs their heads, what a head looks like outside, and reading everything again.

pub mod head;
pub mod key;
pub mod signing;
pub mod verify;
