//! The browser's GPU. Adapter and device are asked for here, not by burn: what is missing is said before anything
//! is computed, and errors of the device, which the engine's runtime lets pass in silence (cubecl#1641), are heard.

use std::cell::RefCell;
use std::sync::Arc;

use burn::tensor::Device;
use burn_wgpu::{WgpuSetup, wgpu};
use wasm_bindgen::JsValue;

use crate::error::{Error, Result};

/// A limit of an adapter.
struct Limit {
    /// As the browser calls it.
    name: &'static str,
    /// Its value.
    of: fn(&wgpu::Limits) -> u64,
    /// The least that the engine works with.
    least: u64,
}

/// What the engine's kernels ask of an adapter: the least that WebGPU promises (W3C WebGPU, §3.6.2), and more than a
/// compatibility adapter has.
const LIMITS: [Limit; 4] = [
    Limit {
        name: "maxStorageBuffersPerShaderStage",
        of: |limits| u64::from(limits.max_storage_buffers_per_shader_stage),
        least: 8,
    },
    Limit {
        name: "maxComputeInvocationsPerWorkgroup",
        of: |limits| u64::from(limits.max_compute_invocations_per_workgroup),
        least: 256,
    },
    Limit {
        name: "maxComputeWorkgroupStorageSize",
        of: |limits| u64::from(limits.max_compute_workgroup_storage_size),
        least: 16_384,
    },
    Limit {
        name: "maxStorageBufferBindingSize",
        of: |limits| limits.max_storage_buffer_binding_size,
        least: 1 << 27,
    },
];

/// The GPU that the engine computes on.
struct Gpu {
    /// For burn.
    device: Device,
    /// The browser's.
    handle: wgpu::Device,
    /// Called once with the reason when the device is lost or refuses work.
    on_lost: js_sys::Function,
}

thread_local! {
    static GPU: RefCell<Option<Gpu>> = const { RefCell::new(None) };
}

/// Makes the GPU ready; exactly once, before a model is loaded on it. Gives the adapter's name, which may be empty.
/// `on_lost` is called with a message when the device is gone or an error of it was not caught.
///
/// **Errors** [`Error::Device`]: no adapter, a feature or limit that it lacks, no device.
pub async fn init(on_lost: js_sys::Function) -> Result<String> {
    let instance = wgpu::Instance::new(wgpu::InstanceDescriptor {
        backends: wgpu::Backends::BROWSER_WEBGPU,
        ..wgpu::InstanceDescriptor::new_without_display_handle()
    });
    let options = wgpu::RequestAdapterOptions {
        power_preference: wgpu::PowerPreference::HighPerformance,
        ..wgpu::RequestAdapterOptions::default()
    };
    let adapter = instance
        .request_adapter(&options)
        .await
        .map_err(|error| Error::Device(format!("no GPU adapter was found: {error}")))?;
    check(&adapter)?;
    let (handle, queue) = request_device(&adapter).await?;
    handle.on_uncaptured_error(Arc::new(|error| lost(&error.to_string())));
    handle.set_device_lost_callback(|_, message| lost(&message));
    let name = adapter.get_info().name;
    let backend = adapter.get_info().backend;
    let setup = WgpuSetup { instance, adapter, device: handle.clone(), queue, backend };
    let device =
        Device::wgpu_options().setup(setup).init().map_err(|error| Error::Device(error.to_string()))?;
    GPU.set(Some(Gpu { device, handle, on_lost }));
    Ok(name)
}

/// Refuses an adapter on which the engine would stop or compute nothing.
fn check(adapter: &wgpu::Adapter) -> Result<()> {
    // The engine's runtime measures with it and stops without (cubecl-wgpu 0.11.3).
    if !adapter.features().contains(wgpu::Features::TIMESTAMP_QUERY) {
        return Err(Error::Device("the GPU adapter lacks timestamp-query".into()));
    }
    let found = adapter.limits();
    match LIMITS.iter().find(|limit| (limit.of)(&found) < limit.least) {
        None => Ok(()),
        Some(Limit { name, of, least }) => Err(Error::Device(format!(
            "the GPU adapter's {name} is {}, expected at least {least}",
            of(&found)
        ))),
    }
}

/// A device with all that the adapter has, as the runtime expects of one that it did not ask for itself.
async fn request_device(adapter: &wgpu::Adapter) -> Result<(wgpu::Device, wgpu::Queue)> {
    let descriptor = wgpu::DeviceDescriptor {
        required_features: adapter.features().difference(wgpu::Features::MAPPABLE_PRIMARY_BUFFERS),
        required_limits: adapter.limits(),
        memory_hints: wgpu::MemoryHints::MemoryUsage,
        ..wgpu::DeviceDescriptor::default()
    };
    let device = adapter.request_device(&descriptor).await;
    device.map_err(|error| Error::Device(format!("the GPU adapter gives no device: {error}")))
}

/// Tells JavaScript that the device can no longer be trusted.
fn lost(message: &str) {
    let message = if message.is_empty() { "the GPU device was lost" } else { message };
    let on_lost = GPU.with_borrow(|gpu| gpu.as_ref().map(|gpu| gpu.on_lost.clone()));
    if let Some(on_lost) = on_lost {
        // What the listener throws is the listener's.
        let _ = on_lost.call1(&JsValue::UNDEFINED, &message.into());
    }
}

/// The device that [`init`] made ready.
///
/// **Errors** [`Error::Device`] before that.
pub fn device() -> Result<Device> {
    let device = GPU.with_borrow(|gpu| gpu.as_ref().map(|gpu| gpu.device.clone()));
    device.ok_or_else(|| Error::Device("the GPU is not ready: initGpu comes before a model".into()))
}

/// Makes the device fail, for tests: `shader` compiles one that is none, anything else destroys the device as a driver
/// reset would.
pub fn fail(how: &str) {
    let Some(device) = GPU.with_borrow(|gpu| gpu.as_ref().map(|gpu| gpu.handle.clone())) else { return };
    match how {
        "shader" => drop(device.create_shader_module(wgpu::ShaderModuleDescriptor {
            label: None,
            source: wgpu::ShaderSource::Wgsl("this is no shader".into()),
        })),
        _ => device.destroy(),
    }
}
