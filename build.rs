//! Tells cargo what the binary embeds besides its code.

fn main() {
    println!("cargo:rerun-if-changed=migrations");
}
