// One kernel for everything between a Mamba mixer's outer projections, walked along a path:
//
//     x, z = xz;  x = silu(causal depthwise conv(x));  dt, B, C = x_proj x;  dt = softplus(dt_proj dt + bias)
//     h_t = exp(dt_t A) h_{t-1} + dt_t B_t x_t;        y_t = (C_t h_t + D x_t) silu(z_t)
//
// Specification: edgesr/models/mamba.py, Mamba._mix; the path is edgesr/scan/path.py, ScanPath.token.
// Whatever T is, all of it is computed in float32.
//
// A warp owns STEPS consecutive steps and all channels, LANE_CHANNELS of them a lane. A block owns
// one chunk, the steps of its warps. What a chunk does to the state of a channel is a pair: the sum
// of dt, whose decay is exp(A sum), and the state that the chunk leaves when it starts from zero.
// mixer_chain.cuh chains the pairs.
#pragma once

#include "mixer_chain.cuh"

namespace edgesr {

constexpr int TICKET_FLOATS = 4;  // in shared memory; keeps what follows aligned

template <int LANE_CHANNELS, int STATES>
struct Projection {
  static constexpr int WIDTH = LANE_CHANNELS + 2 * STATES;  // dt, B, C of a step, each filled up
  static constexpr int B = LANE_CHANNELS, C = B + STATES;

  // Row `place` of x_proj, filled up; null where there is none.
  static __device__ __forceinline__ const float* row(const Mixer& m, int place) {
    int k = -1;
    if (place < B) k = place < m.rank ? place : -1;
    else if (place < C) k = place - B < m.states ? m.rank + place - B : -1;
    else k = place - C < m.states ? m.rank + m.states + place - C : -1;
    return k < 0 ? nullptr : m.x_proj + k * m.channels;
  }
};

// Shared memory: the ticket, (warps, 1 + STATES, E) for `carry`, (warps, STEPS, Projection::WIDTH), floats.
// VECTOR: rows can be read LANE_CHANNELS values at a time.
template <typename T, int LANE_CHANNELS, int STATES, int TAPS, int STEPS, bool VECTOR, int MAX_THREADS>
__global__ void __launch_bounds__(MAX_THREADS, 1) mixer_kernel(const Mixer m) {
  using Rows = Projection<LANE_CHANNELS, STATES>;
  constexpr int AT_ONCE = STEPS <= 8 ? 4 : WARP / STEPS;         // rows of x_proj
  constexpr int BATCHES = (Rows::WIDTH + AT_ONCE - 1) / AT_ONCE;
  constexpr bool FEW = STATES <= 2 && BATCHES <= 2;               // weights that fit registers
  EDGESR_SHARED(shared);
  unsigned& ticket = *reinterpret_cast<unsigned*>(shared);
  const int lane = threadIdx.x % WARP, warp = threadIdx.x / WARP, warps = blockDim.x / WARP;
  const int E = m.channels, e0 = lane * LANE_CHANNELS;
  float* const ends = shared + TICKET_FLOATS;
  float* const projected = ends + warps * (1 + STATES) * E + warp * STEPS * Rows::WIDTH;

  if (threadIdx.x == 0) ticket = atomicAdd(m.workspace, 1u) + 1u;  // EMPTY + 1 is 0

  // Weights that every step needs; read while the ticket is on its way.
  float taps[TAPS][LANE_CHANNELS], dt_proj[LANE_CHANNELS][LANE_CHANNELS];
  float conv_bias[LANE_CHANNELS], dt_bias[LANE_CHANNELS], skip[LANE_CHANNELS];
  float few_rows[FEW ? BATCHES * AT_ONCE : 1][LANE_CHANNELS], few_rates[LANE_CHANNELS][FEW ? STATES : 1];
#pragma unroll
  for (int c = 0; c < LANE_CHANNELS; ++c) {
    const int e = e0 + c;
    const bool inside = e < E;
    conv_bias[c] = inside ? __ldg(m.conv_bias + e) : 0.0f;
    dt_bias[c] = inside ? __ldg(m.dt_bias + e) : 0.0f;
    skip[c] = inside ? __ldg(m.D + e) : 0.0f;
#pragma unroll
    for (int j = 0; j < TAPS; ++j) {
      const int tap = j - (TAPS - m.taps);
      taps[j][c] = inside && tap >= 0 ? __ldg(m.conv + e * m.taps + tap) : 0.0f;
    }
#pragma unroll
    for (int r = 0; r < LANE_CHANNELS; ++r)
      dt_proj[c][r] = inside && r < m.rank ? __ldg(m.dt_proj + e * m.rank + r) : 0.0f;
  }
  if (FEW) {
#pragma unroll
    for (int k = 0; k < Rows::WIDTH; ++k) {
      const float* row = Rows::row(m, k);
      load_row<VECTOR, LANE_CHANNELS>(row ? row : m.x_proj, e0, row ? E : 0, few_rows[FEW ? k : 0]);
    }
#pragma unroll
    for (int c = 0; c < LANE_CHANNELS; ++c)
#pragma unroll
      for (int n = 0; n < STATES; ++n) few_rates[c][FEW ? n : 0] = rate(m, e0 + c, n);
  }

  __syncthreads();
  const int chunk = int(ticket / m.batch), sequence = int(ticket % m.batch);
  const int length = m.height * m.width;
  const int chunk_count = (length + warps * STEPS - 1) / (warps * STEPS);
  const int first = (chunk * warps + warp) * STEPS;
  const T* const xz = static_cast<const T*>(m.xz) + size_t(sequence) * length * 2 * E;
  T* const y = static_cast<T*>(m.y) + size_t(sequence) * length * E;

  // Lane j stands for step first - (TAPS - 1) + j.
  const int my_token = token_of(m, first - (TAPS - 1) + lane);
  int tokens[STEPS];
  float x[STEPS][LANE_CHANNELS], z[STEPS][LANE_CHANNELS];
  {
    float rows[STEPS + TAPS - 1][LANE_CHANNELS];
#pragma unroll
    for (int j = 0; j < STEPS + TAPS - 1; ++j) {
      const int token = __shfl_sync(ALL_LANES, my_token, j);
      load_row<VECTOR, LANE_CHANNELS>(xz + (token < 0 ? 0 : token) * 2 * E, e0, token < 0 ? 0 : E, rows[j]);
      if (j >= TAPS - 1) tokens[j - TAPS + 1] = token;
    }
#pragma unroll
    for (int t = 0; t < STEPS; ++t)
      load_row<VECTOR, LANE_CHANNELS>(xz + (tokens[t] < 0 ? 0 : tokens[t]) * 2 * E + E, e0, tokens[t] < 0 ? 0 : E, z[t]);
#pragma unroll
    for (int t = 0; t < STEPS; ++t)
#pragma unroll
      for (int c = 0; c < LANE_CHANNELS; ++c) {
        float v = conv_bias[c];
#pragma unroll
        for (int j = 0; j < TAPS; ++j) v = fmaf(taps[j][c], rows[t + j][c], v);
        x[t][c] = silu(v);
      }
  }

#pragma unroll(FEW ? BATCHES : 1)
  for (int batch = 0; batch < BATCHES; ++batch) {
    float products[AT_ONCE * STEPS];
#pragma unroll
    for (int k = 0; k < AT_ONCE; ++k) {
      const int place = batch * AT_ONCE + k;
      float weights[LANE_CHANNELS] = {};
      if (FEW) {
#pragma unroll
        for (int c = 0; c < LANE_CHANNELS; ++c) weights[c] = place < Rows::WIDTH ? few_rows[FEW ? place : 0][c] : 0.0f;
      } else if (place < Rows::WIDTH) {
        const float* row = Rows::row(m, place);
        load_row<VECTOR, LANE_CHANNELS>(row ? row : m.x_proj, e0, row ? E : 0, weights);
      }
#pragma unroll
      for (int t = 0; t < STEPS; ++t) {
        float product = 0.0f;
#pragma unroll
        for (int c = 0; c < LANE_CHANNELS; ++c) product = fmaf(weights[c], x[t][c], product);
        products[k * STEPS + t] = product;
      }
    }
    const float sum = LaneSums<AT_ONCE * STEPS, WARP / 2>::of(products, lane);
    constexpr int LANES = WARP / (AT_ONCE * STEPS);
    const int number = lane / LANES, place = batch * AT_ONCE + number / STEPS;
    if (lane % LANES == 0 && place < Rows::WIDTH) projected[number % STEPS * Rows::WIDTH + place] = sum;
  }
  __syncwarp();

  float dt[STEPS][LANE_CHANNELS];
#pragma unroll
  for (int t = 0; t < STEPS; ++t)
#pragma unroll
    for (int c = 0; c < LANE_CHANNELS; ++c) {
      float v = dt_bias[c];
#pragma unroll
      for (int r = 0; r < LANE_CHANNELS; ++r) v = fmaf(dt_proj[c][r], projected[t * Rows::WIDTH + r], v);
      dt[t][c] = tokens[t] < 0 ? 0.0f : softplus(v);
    }

  float* const own_ends = ends + warp * (1 + STATES) * E;
#pragma unroll
  for (int c = 0; c < LANE_CHANNELS; ++c) {
    float sum = 0.0f;
#pragma unroll
    for (int t = 0; t < STEPS; ++t) sum += dt[t][c];
    if (e0 + c < E) own_ends[e0 + c] = sum;
  }
#pragma unroll(FEW ? STATES : 1)
  for (int n = 0; n < STATES; ++n) {
    float h[LANE_CHANNELS] = {}, rates[LANE_CHANNELS];
#pragma unroll
    for (int c = 0; c < LANE_CHANNELS; ++c) rates[c] = FEW ? few_rates[c][FEW ? n : 0] : rate(m, e0 + c, n);
#pragma unroll
    for (int t = 0; t < STEPS; ++t) {
      const float b = projected[t * Rows::WIDTH + Rows::B + n];
#pragma unroll
      for (int c = 0; c < LANE_CHANNELS; ++c)
        h[c] = fmaf(power_of_2(rates[c] * dt[t][c]), h[c], dt[t][c] * x[t][c] * b);
    }
#pragma unroll
    for (int c = 0; c < LANE_CHANNELS; ++c)
      if (e0 + c < E) own_ends[(1 + n) * E + e0 + c] = h[c];
  }
  __syncthreads();
  carry<STATES>(m, ends, chunk, chunk_count, sequence);
#pragma unroll
  for (int t = 0; t < STEPS; ++t)
#pragma unroll
    for (int c = 0; c < LANE_CHANNELS; ++c) z[t][c] = silu(z[t][c]);
  __syncthreads();

  float out[STEPS][LANE_CHANNELS];
#pragma unroll
  for (int t = 0; t < STEPS; ++t)
#pragma unroll
    for (int c = 0; c < LANE_CHANNELS; ++c) out[t][c] = skip[c] * x[t][c];
#pragma unroll(FEW ? STATES : 1)
  for (int n = 0; n < STATES; ++n) {
    float h[LANE_CHANNELS], rates[LANE_CHANNELS];
#pragma unroll
    for (int c = 0; c < LANE_CHANNELS; ++c) {
      rates[c] = FEW ? few_rates[c][FEW ? n : 0] : rate(m, e0 + c, n);
      h[c] = e0 + c < E ? own_ends[(1 + n) * E + e0 + c] : 0.0f;
    }
#pragma unroll
    for (int t = 0; t < STEPS; ++t) {
      const float* const row = projected + t * Rows::WIDTH;
#pragma unroll
      for (int c = 0; c < LANE_CHANNELS; ++c) {
        h[c] = fmaf(power_of_2(rates[c] * dt[t][c]), h[c], dt[t][c] * x[t][c] * row[Rows::B + n]);
        out[t][c] = fmaf(row[Rows::C + n], h[c], out[t][c]);
      }
    }
  }
#pragma unroll
  for (int t = 0; t < STEPS; ++t) {
#pragma unroll
    for (int c = 0; c < LANE_CHANNELS; ++c) out[t][c] *= z[t][c];
    if (tokens[t] >= 0) store_row<VECTOR, LANE_CHANNELS>(y + tokens[t] * E, e0, E, out[t]);
  }
}

}  // namespace edgesr
