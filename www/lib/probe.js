// @ts-check
/** Whether WebGPU may be tried. */

/**
 * Why WebGPU cannot be tried here, or '', and what the browser tells of the GPU: asked before the engine is downloaded,
 * which asks again.
 * @param {import('./aligndraw.js').DeviceChoice} choice
 */
export async function probeGpu(choice) {
  const gpu = /** @type {any} */ (navigator).gpu;
  if (!gpu) return { obstacle: 'this browser has no WebGPU', name: '' };
  const adapter = await gpu.requestAdapter().catch(() => null);
  if (!adapter) return { obstacle: 'no GPU adapter was found', name: '' };
  const { vendor = '', architecture = '', isFallbackAdapter = adapter.isFallbackAdapter } = adapter.info ?? {};
  const name = `${vendor} ${architecture}`.trim();
  if (!adapter.features.has('timestamp-query')) return { obstacle: 'the GPU adapter lacks timestamp-query', name };
  return { obstacle: isFallbackAdapter && choice === 'auto' ? 'the only GPU adapter is software' : '', name };
}
