//! Options of the linker.

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    // A position-independent binary of Rust has tens of thousands of relocations, nearly all alike: packed (DT_RELR) they take
    // kilobytes instead of most of a megabyte.
    let target = |key: &str| std::env::var(format!("CARGO_CFG_TARGET_{key}")).unwrap_or_default();
    if target("OS") == "linux" && target("ENV") == "gnu" {
        println!("cargo::rustc-link-arg-bins=-Wl,-z,pack-relative-relocs");
    }
}
