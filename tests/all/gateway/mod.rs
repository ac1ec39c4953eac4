//! The recording gateway: what passes through it stays as it is, all of it is recorded, and whatever breaks, it goes on.

mod away;
mod command;
mod expect;
mod faults;
mod interim;
mod kill;
mod passing;
mod postgres;
mod recorded;
mod rig;
mod streams;
mod suite;
mod tail;
mod tls;
mod wire;
