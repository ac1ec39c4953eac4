//! Tells cargo about the folders that macros read, so that a new file in one is seen.

fn main() {
    println!("cargo:rerun-if-changed=migrations");
    // A debug build reads dist/ when it runs; only a release of the server carries it inside.
    let release = std::env::var("PROFILE").is_ok_and(|profile| profile == "release");
    if release && std::env::var_os("CARGO_FEATURE_SSR").is_some() {
        println!("cargo:rerun-if-changed=dist");
    }
}
