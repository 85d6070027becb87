// From the sizes of a mixer to a launch of its kernel: which variant, how many warps, how much memory.
#pragma once

#include "mixer_kernel.cuh"

namespace edgesr {

// Steps of a warp. More steps share the taps that overlap and shorten the chain of chunks, and take
// more registers; variants with many states take more, because a chunk's pair is large beside it.
#ifndef EDGESR_STEPS
#define EDGESR_STEPS 4
#endif
constexpr int SHARED_BYTES = 48 * 1024;  // what every GPU gives without asking
constexpr int MAX_CHANNELS = 128, MAX_STATES = 16, MAX_RANK = 4, USUAL_TAPS = 4, MAX_TAPS = 8;
constexpr int MAX_LENGTH = 65536;
constexpr int steps_of(int states) { return states >= 8 ? 8 : EDGESR_STEPS; }
constexpr int GENERAL_STEPS = 4;

// How a mixer is cut up.
struct Plan {
  int lane_channels, states, steps;        // of the variant
  bool vector;                             // as well
  int warps;                               // of a block
  int group;                               // chunks of a group
  int chunks;                              // of a sequence
  int shared_bytes;
  size_t workspace_bytes;
};

// Whether the kernel takes these sizes.
inline bool fits(const Mixer& m) {
  return m.batch > 0 && m.height > 0 && m.width > 0 && long(m.height) * m.width <= MAX_LENGTH && m.channels > 0 &&
         m.channels <= MAX_CHANNELS && m.states > 0 && m.states <= MAX_STATES && m.rank > 0 && m.rank <= MAX_RANK &&
         m.taps > 0 && m.taps <= MAX_TAPS;
}

// warps, group: 0 for what is best on the whole.
inline Plan plan(const Mixer& m, int warps = 0, int group = 0) {
  Plan p;
  // What is rare, long convolutions and odd widths, has one variant that takes everything.
  p.lane_channels = m.channels <= 2 * WARP && m.rank <= 2 ? 2 : 4;
  p.vector = m.taps <= USUAL_TAPS && m.channels % p.lane_channels == 0;
  if (p.vector) {
    p.states = m.states <= 2 ? m.states : m.states <= 4 ? 4 : m.states <= 8 ? 8 : 16;
    p.steps = steps_of(p.states);
  } else {
    p.lane_channels = MAX_RANK;
    p.states = MAX_STATES;
    p.steps = GENERAL_STEPS;
  }
  const int warp_bytes = 4 * ((1 + p.states) * m.channels + p.steps * (p.lane_channels + 2 * p.states));
  p.warps = warps > 0 ? warps : 8;
  while (p.warps > 1 && (p.warps * warp_bytes + 4 * TICKET_FLOATS > SHARED_BYTES || p.warps * WARP > MAX_BLOCK)) p.warps /= 2;
  p.group = group > 0 ? group : 8;
  const int length = m.height * m.width;
  p.chunks = (length + p.warps * p.steps - 1) / (p.warps * p.steps);
  const int groups = (p.chunks + p.group - 1) / p.group;
  p.shared_bytes = p.warps * warp_bytes + 4 * TICKET_FLOATS;
  p.workspace_bytes = 4 * (TICKET_WORDS + size_t(m.batch) * m.channels *
                           ((1 + p.states) * (p.chunks + groups) + p.states * groups));
  return p;
}

template <typename T, int LANE_CHANNELS, int STATES, int TAPS, int STEPS, bool VECTOR>
void start(const Mixer& m, const Plan& p, cudaStream_t stream) {
  EDGESR_LAUNCH((mixer_kernel<T, LANE_CHANNELS, STATES, TAPS, STEPS, VECTOR, MAX_BLOCK>), p.chunks * m.batch,
                p.warps * WARP, p.shared_bytes, stream, m);
}

template <typename T, int LANE_CHANNELS>
void start_vector(const Mixer& m, const Plan& p, cudaStream_t stream) {
  switch (p.states) {
    case 1: start<T, LANE_CHANNELS, 1, USUAL_TAPS, steps_of(1), true>(m, p, stream); break;
    case 2: start<T, LANE_CHANNELS, 2, USUAL_TAPS, steps_of(2), true>(m, p, stream); break;
    case 4: start<T, LANE_CHANNELS, 4, USUAL_TAPS, steps_of(4), true>(m, p, stream); break;
    case 8: start<T, LANE_CHANNELS, 8, USUAL_TAPS, steps_of(8), true>(m, p, stream); break;
    default: start<T, LANE_CHANNELS, 16, USUAL_TAPS, steps_of(16), true>(m, p, stream);
  }
}

template <typename T>
void start_type(const Mixer& m, const Plan& p, cudaStream_t stream) {
  if (!p.vector) start<T, MAX_RANK, MAX_STATES, MAX_TAPS, GENERAL_STEPS, false>(m, p, stream);
  else if (p.lane_channels == 2) start_vector<T, 2>(m, p, stream);
  else start_vector<T, 4>(m, p, stream);
}

// Enqueue the mixer; m.workspace holds p.workspace_bytes, whatever is in it. Every address is a
// multiple of 16, as those of CUDA's allocator and of TensorRT are.
inline cudaError_t launch(Mixer m, const Plan& p, bool half, cudaStream_t stream) {
  const cudaError_t cleared = cudaMemsetAsync(m.workspace, 0xff, p.workspace_bytes, stream);
  if (cleared != cudaSuccess) return cleared;
  m.group = p.group;
  if (half) start_type<__half>(m, p, stream);
  else start_type<float>(m, p, stream);
  return cudaPeekAtLastError();
}

}  // namespace edgesr
