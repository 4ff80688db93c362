//! What a build has of the crate, and options of the linker.

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    has_parts();
    // A position-independent binary of Rust has tens of thousands of relocations, nearly all alike: packed (DT_RELR) they take
    // kilobytes instead of most of a megabyte.
    let target = |key: &str| std::env::var(format!("CARGO_CFG_TARGET_{key}")).unwrap_or_default();
    if target("OS") == "linux" && target("ENV") == "gnu" {
        println!("cargo::rustc-link-arg-bins=-Wl,-z,pack-relative-relocs");
    }
}

/// Natively all is there; an engine of the browser has what draws (in fused passes, in burn's tensors, or both), or what
/// looks at pictures.
fn has_parts() {
    let native = std::env::var("CARGO_CFG_TARGET_FAMILY").is_ok_and(|family| family != "wasm");
    let feature = |name: &str| std::env::var_os(format!("CARGO_FEATURE_{name}")).is_some();
    let (describe, flex, gpu) = (feature("DESCRIBE"), feature("FLEX"), feature("WGPU"));
    println!("cargo::rustc-check-cfg=cfg(native, paints, fused, tensors, looks)");
    for (name, has) in [
        ("native", native),
        ("paints", native || !describe),
        ("fused", native || !describe && !flex),
        ("tensors", native || !describe && (flex || gpu)),
        ("looks", native || describe),
    ] {
        if has {
            println!("cargo::rustc-cfg={name}");
        }
    }
}
