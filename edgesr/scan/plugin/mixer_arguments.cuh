// What a mixer is given, and the path that its scan takes.
//
// EMPTY is in every word of the workspace that was not written yet; see mixer_kernel.cuh.
#pragma once

#include "values.cuh"

namespace edgesr {

// Arguments of the kernel; E channels, N states, rank R, W taps, L steps. Weights are float32.
struct Mixer {
  const void* xz;         // (batch, L, 2E)
  const float* conv;      // (E, W), the last tap for the present step
  const float* conv_bias; // (E)
  const float* x_proj;    // (R + 2N, E), rows of dt, B, C
  const float* dt_proj;   // (E, R)
  const float* dt_bias;   // (E)
  const float* A;         // (E, N), negative
  const float* D;         // (E)
  void* y;                // (batch, L, E)
  unsigned* workspace;    // every word EMPTY
  int batch, height, width, channels, states, rank, taps;
  int columns, reverse;   // Direction of the path, 0 or 1
  int group;              // chunks of a group
};

// ScanPath.token: the token that a step reads and writes; -1 for a step outside the path.
__device__ __forceinline__ int token_of(const Mixer& m, int step) {
  const int length = m.height * m.width;
  if (step < 0 || step >= length) return -1;
  const int place = m.reverse ? length - 1 - step : step;
  if (!m.columns) return place;
  const int column = place / m.height;
  return (place - column * m.height) * m.width + column;
}

// A decay's exponent for base 2; a state that only fills up N decays, from zero to zero.
__device__ __forceinline__ float rate(const Mixer& m, int e, int n) {
  return e < m.channels && n < m.states ? __ldg(m.A + e * m.states + n) * LOG2_E : -1.0f;
}

}  // namespace edgesr
