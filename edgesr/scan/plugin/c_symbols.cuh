// The kernels for callers without TensorRT, through plain C symbols.
#pragma once

#include "mixer_launch.cuh"
#include "norm_kernel.cuh"

#ifndef EDGESR_PLUGIN_VERSION
#define EDGESR_PLUGIN_VERSION "unknown"
#endif

// What the sources were, as the builder of this library states it: a SHA-256 in hexadecimal digits.
extern "C" const char* edgesr_plugin_version() { return EDGESR_PLUGIN_VERSION; }

namespace edgesr {

// sizes: batch, height, width, E, N, R, W, columns, reverse, half (1: xz and y are float16).
inline Mixer from_sizes(const int* sizes) {
  Mixer m = {};
  m.batch = sizes[0], m.height = sizes[1], m.width = sizes[2], m.channels = sizes[3], m.states = sizes[4];
  m.rank = sizes[5], m.taps = sizes[6], m.columns = sizes[7], m.reverse = sizes[8];
  return m;
}

}  // namespace edgesr

// Bytes of workspace that a launch needs; 0: the kernel does not take these sizes.
extern "C" unsigned long long edgesr_mixer_workspace(const int* sizes, int warps, int group) {
  const edgesr::Mixer m = edgesr::from_sizes(sizes);
  return edgesr::fits(m) ? edgesr::plan(m, warps, group).workspace_bytes : 0;
}

// Enqueue the mixer on `stream`.
//
// tensors: device addresses of xz, conv, conv_bias, x_proj, dt_proj, dt_bias, A, D, y, workspace.
// warps of a block and chunks of a group: 0 for the usual. Returns an error code of CUDA, 0 for none.
extern "C" int edgesr_mixer_launch(void* const* tensors, const int* sizes, int warps, int group, void* stream) {
  edgesr::Mixer m = edgesr::from_sizes(sizes);
  if (!edgesr::fits(m)) return int(cudaErrorInvalidValue);
  m.xz = tensors[0];
  m.conv = static_cast<const float*>(tensors[1]), m.conv_bias = static_cast<const float*>(tensors[2]);
  m.x_proj = static_cast<const float*>(tensors[3]), m.dt_proj = static_cast<const float*>(tensors[4]);
  m.dt_bias = static_cast<const float*>(tensors[5]), m.A = static_cast<const float*>(tensors[6]);
  m.D = static_cast<const float*>(tensors[7]), m.y = tensors[8];
  m.workspace = static_cast<unsigned*>(tensors[9]);
  return int(edgesr::launch(m, edgesr::plan(m, warps, group), sizes[9] != 0, static_cast<cudaStream_t>(stream)));
}

// Enqueue the norm of `tokens` rows of `channels` values on `stream`; half: x and y are float16.
//
// tensors: device addresses of x, weight, bias, y. Returns an error code of CUDA, 0 for none.
extern "C" int edgesr_norm_launch(void* const* tensors, int tokens, int channels, float epsilon, int half,
                                  void* stream) {
  edgesr::Norm n = {};
  n.tokens = tokens, n.channels = channels, n.epsilon = epsilon;
  if (!edgesr::fits(n)) return int(cudaErrorInvalidValue);
  n.x = tensors[0], n.weight = static_cast<const float*>(tensors[1]);
  n.bias = static_cast<const float*>(tensors[2]), n.y = tensors[3];
  return int(edgesr::launch(n, half != 0, static_cast<cudaStream_t>(stream)));
}
