//! Where a run computes.

use anyhow::Result;
use clap::ValueEnum;

use super::args::{Args, Switch};
use crate::train::Compute;

/// A device name and, for GPUs, which of them.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum DeviceName {
    Cpu,
    Wgpu,
    Vulkan,
}

/// The devices and threads that the flags name.
pub fn compute(args: &Args) -> Result<Compute> {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    match args.device {
        DeviceName::Cpu => {
            let devices = vec![burn::tensor::Device::flex()];
            let fused_threads = (args.fused == Switch::On).then(|| args.threads.unwrap_or(cores));
            Ok(Compute { devices, fused_threads })
        }
        DeviceName::Wgpu => gpu::devices(&args.devices, false),
        DeviceName::Vulkan => gpu::devices(&args.devices, true),
    }
}

#[cfg(feature = "wgpu")]
mod gpu {
    use anyhow::Result;

    use super::Compute;
    use burn::tensor::{Device, DeviceKind};

    pub fn devices(indices: &[usize], vulkan: bool) -> Result<Compute> {
        let device = |&index: &usize| {
            let kind = DeviceKind::DiscreteGpu(index);
            #[cfg(feature = "vulkan")]
            if vulkan {
                return Device::vulkan(kind);
            }
            Device::wgpu(kind)
        };
        if vulkan && !cfg!(feature = "vulkan") {
            anyhow::bail!("this binary has no Vulkan: build with `cargo build --release --features vulkan`");
        }
        Ok(Compute { devices: indices.iter().map(device).collect(), fused_threads: None })
    }
}

#[cfg(not(feature = "wgpu"))]
mod gpu {
    use anyhow::Result;

    use super::Compute;

    pub fn devices(_: &[usize], vulkan: bool) -> Result<Compute> {
        let feature = if vulkan { "vulkan" } else { "wgpu" };
        anyhow::bail!(
            "this binary computes on the CPU alone: build with `cargo build --release --features {feature}`"
        )
    }
}
