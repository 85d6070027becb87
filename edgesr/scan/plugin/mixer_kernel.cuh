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
// The pairs are chained through global memory without a second launch (after Merrill and Garland,
// "Single-pass Parallel Prefix Scan with Decoupled Look-back", NVIDIA 2016) on two levels, so that
// no block waits for a long row of others: chunks within a group, and groups. Every sum has one
// order, whoever comes first, so that two runs give the same bits.
//
// A word of the workspace that was not written yet holds EMPTY, which no written word does; thus a
// word is its own flag and no fences are needed. Chunks are numbered in the order in which blocks
// start, so that a block waits only for blocks that run or have ended, however few fit the GPU.
//
// EDGESR_SHARED, EDGESR_PAUSE and EDGESR_LAUNCH are what a compiler of CUDA has its own syntax for.
#pragma once

namespace edgesr {

constexpr int WARP = 32;
constexpr unsigned ALL_LANES = 0xffffffffu;
constexpr unsigned EMPTY = 0xffffffffu;      // a NaN that no arithmetic gives
constexpr unsigned OTHER_NAN = 0x7fffffffu;  // what is written in its place
constexpr int TICKET_WORDS = 32;             // the counter of chunks has a cache line of its own
constexpr int TICKET_FLOATS = 4;             // in shared memory; keeps what follows aligned
constexpr float LOG2_E = 1.4426950408889634f;
constexpr float SOFTPLUS_LINEAR = 20.0f;  // beyond it softplus(v) is v, as in torch

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

template <typename T, int COUNT>
struct alignas(sizeof(T) * COUNT) Pack {
  T at[COUNT];
};

// What a pack of so many bytes is stored as; a struct would be stored piece by piece.
template <int BYTES>
struct Word;
template <>
struct Word<4> {
  using Type = unsigned;
};
template <>
struct Word<8> {
  using Type = uint2;
};
template <>
struct Word<16> {
  using Type = uint4;
};

__device__ __forceinline__ float to_float(float value) { return value; }
__device__ __forceinline__ float to_float(__half value) { return __half2float(value); }
__device__ __forceinline__ void from_float(float value, float& out) { out = value; }
__device__ __forceinline__ void from_float(float value, __half& out) { out = __float2half_rn(value); }

// 2^v; 0 for what is below the smallest normal number.
__device__ __forceinline__ float power_of_2(float v) {
#ifdef __CUDA_ARCH__
  float result;
  asm("ex2.approx.ftz.f32 %0, %1;" : "=f"(result) : "f"(v));
  return result;
#else
  return exp2f(v);
#endif
}

__device__ __forceinline__ float silu(float v) {
  return __fdividef(v, 1.0f + power_of_2(-LOG2_E * v));
}

__device__ __forceinline__ float softplus(float v) {
  return v > SOFTPLUS_LINEAR ? v : log1pf(expf(v));
}

// Values `first` to `first + COUNT` of a row of `width`; zeros beyond it. VECTOR: all at once.
template <bool VECTOR, int COUNT, typename T>
__device__ __forceinline__ void load_row(const T* row, int first, int width, float (&out)[COUNT]) {
  Pack<T, COUNT> values = {};
  if (VECTOR) {
    if (first < width) values = *reinterpret_cast<const Pack<T, COUNT>*>(row + first);
  } else {
#pragma unroll
    for (int c = 0; c < COUNT; ++c)
      if (first + c < width) values.at[c] = row[first + c];
  }
#pragma unroll
  for (int c = 0; c < COUNT; ++c) out[c] = to_float(values.at[c]);
}

template <bool VECTOR, int COUNT, typename T>
__device__ __forceinline__ void store_row(T* row, int first, int width, const float (&values)[COUNT]) {
  Pack<T, COUNT> out;
#pragma unroll
  for (int c = 0; c < COUNT; ++c) from_float(values[c], out.at[c]);
  if (VECTOR) {
    using Whole = typename Word<sizeof(out)>::Type;
    Whole word;
    memcpy(&word, &out, sizeof(out));
    if (first < width) __stcg(reinterpret_cast<Whole*>(row + first), word);
  } else {
#pragma unroll
    for (int c = 0; c < COUNT; ++c)
      if (first + c < width) row[first + c] = out.at[c];
  }
}

// Sums of VALUES numbers over the lanes of a warp: lane i gets that of number i / (WARP / VALUES).
template <int VALUES, int OFFSET>
struct LaneSums {
  static __device__ __forceinline__ float of(const float (&values)[VALUES], int lane) {
    constexpr int HALF = VALUES / 2;
    const bool upper = lane & OFFSET;
    float kept[HALF];
#pragma unroll
    for (int i = 0; i < HALF; ++i) {
      const float mine = upper ? values[i + HALF] : values[i];
      const float other = upper ? values[i] : values[i + HALF];
      kept[i] = mine + __shfl_xor_sync(ALL_LANES, other, OFFSET);
    }
    return LaneSums<HALF, OFFSET / 2>::of(kept, lane);
  }
};
template <int OFFSET>
struct LaneSums<1, OFFSET> {
  static __device__ __forceinline__ float of(const float (&values)[1], int lane) {
    const float sum[1] = {values[0] + __shfl_xor_sync(ALL_LANES, values[0], OFFSET)};
    return LaneSums<1, OFFSET / 2>::of(sum, lane);
  }
};
template <>
struct LaneSums<1, 0> {
  static __device__ __forceinline__ float of(const float (&values)[1], int) { return values[0]; }
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

// ---- pairs in the workspace -------------------------------------------------------------------

__device__ __forceinline__ void publish(unsigned* word, float value) {
  const unsigned bits = __float_as_uint(value);
  *reinterpret_cast<volatile unsigned*>(word) = bits == EMPTY ? OTHER_NAN : bits;
}

__device__ __forceinline__ unsigned peek(const unsigned* word) {
  return *reinterpret_cast<const volatile unsigned*>(word);
}

// The value of a word whose content was `seen` a moment ago, as soon as it is written.
__device__ __forceinline__ float await(const unsigned* word, unsigned seen) {
  while (seen == EMPTY) {
    EDGESR_PAUSE();
    seen = peek(word);
  }
  return __uint_as_float(seen);
}

// Where the pairs of one sequence lie: a row has E sums of dt, then N rows of E states.
template <int STATES>
struct Pairs {
  unsigned* words;   // (chunks, 1 + N, E), then (groups, 1 + N, E), then (groups, N, E)
  unsigned channels;
  unsigned groups;   // offset of the pairs of groups
  unsigned starts;   // offset of the states after groups, of the sequence from its start

  __device__ __forceinline__ Pairs(const Mixer& m, int sequence, int chunk_count) : channels(m.channels) {
    const unsigned group_count = (chunk_count + m.group - 1) / m.group;
    groups = chunk_count * (1 + STATES) * channels;
    starts = groups + group_count * (1 + STATES) * channels;
    words = m.workspace + TICKET_WORDS + sequence * size_t(starts + group_count * STATES * channels);
  }
  __device__ __forceinline__ unsigned chunk(int chunk) const { return chunk * (1 + STATES) * channels; }
  __device__ __forceinline__ unsigned group(int group) const { return groups + chunk(group); }
  __device__ __forceinline__ unsigned* sum(unsigned pair, int e) const { return words + (pair + e); }
  __device__ __forceinline__ unsigned* state(unsigned pair, int e, int n) const {
    return words + (pair + (1 + n) * channels + e);
  }
  __device__ __forceinline__ unsigned* start(int group, int e, int n) const {
    return words + (starts + (group * STATES + n) * channels + e);
  }
};

// Chain `count` pairs from `pair` on, of channel e, states n to n + COUNT, onto (sum, h).
template <int STATES, int COUNT>
__device__ __forceinline__ void chain(const Pairs<STATES>& pairs, unsigned pair, int count, int e, int n,
                                      const float (&rates)[COUNT], float& sum, float (&h)[COUNT]) {
  constexpr int AHEAD = COUNT == 1 ? 8 : 4;  // pairs that are read at once
  const unsigned row = (1 + STATES) * pairs.channels;
  for (; count > 0; count -= AHEAD, pair += AHEAD * row) {
    unsigned sums[AHEAD], states[AHEAD][COUNT];
#pragma unroll
    for (int j = 0; j < AHEAD; ++j) {
      if (j < count) {
        sums[j] = peek(pairs.sum(pair + j * row, e));
#pragma unroll
        for (int k = 0; k < COUNT; ++k) states[j][k] = peek(pairs.state(pair + j * row, e, n + k));
      }
    }
#pragma unroll
    for (int j = 0; j < AHEAD; ++j) {
      if (j < count) {
        const float added = await(pairs.sum(pair + j * row, e), sums[j]);
#pragma unroll
        for (int k = 0; k < COUNT; ++k) {
          const float state = await(pairs.state(pair + j * row, e, n + k), states[j][k]);
          h[k] = fmaf(power_of_2(rates[k] * added), h[k], state);
        }
        sum += added;
      }
    }
  }
}

// The state before a group: from the nearest group whose state is known, over the pairs between.
template <int STATES, int COUNT>
__device__ __forceinline__ void state_before_group(const Pairs<STATES>& pairs, int group, int e, int n,
                                                   const float (&rates)[COUNT], float (&h)[COUNT]) {
  constexpr int AHEAD = COUNT == 1 ? 8 : 4;
  int known = group;  // the state before this group is known
  bool found = false;
  while (known > 0 && !found) {
    unsigned states[AHEAD][COUNT];
#pragma unroll
    for (int j = 0; j < AHEAD; ++j)
#pragma unroll
      for (int k = 0; k < COUNT; ++k)
        states[j][k] = peek(pairs.start(known - 1 - j > 0 ? known - 1 - j : 0, e, n + k));
    const int from = known;
    known = from > AHEAD ? from - AHEAD : 0;
#pragma unroll
    for (int j = AHEAD - 1; j >= 0; --j) {
      bool written = from - j > 0;
#pragma unroll
      for (int k = 0; k < COUNT; ++k) written = written && states[j][k] != EMPTY;
      if (!written) continue;
      found = true;
      known = from - j;
#pragma unroll
      for (int k = 0; k < COUNT; ++k) h[k] = __uint_as_float(states[j][k]);
    }
  }
  float sum = 0.0f;
  chain<STATES, COUNT>(pairs, pairs.group(known), group - known, e, n, rates, sum, h);
}

// ---- the kernel -------------------------------------------------------------------------------

// Turn the states that the block's warps leave, starting from zero, into those they start from.
//
// ends: (warps, 1 + STATES, E) in shared memory; row 0 of a warp is its sum of dt.
template <int STATES>
__device__ __forceinline__ void carry(const Mixer& m, float* ends, int chunk, int chunk_count, int sequence) {
  constexpr int COUNT = STATES < 4 ? STATES : 4;  // states of one channel that a thread carries
  const int warps = blockDim.x / WARP;
  const int row = m.channels, rows = (1 + STATES) * m.channels;
  const int items = m.channels * (STATES / COUNT);
  const Pairs<STATES> pairs(m, sequence, chunk_count);
  const int group = chunk / m.group;
  const int first_of_group = group * m.group;
  const bool ends_group = chunk == first_of_group + m.group - 1;

  for (int item = threadIdx.x; item < items; item += blockDim.x) {
    const int n = item / m.channels * COUNT, e = item % m.channels;
    float rates[COUNT], own[COUNT] = {}, sum = 0.0f;
#pragma unroll
    for (int k = 0; k < COUNT; ++k) rates[k] = rate(m, e, n + k);
    for (int w = 0; w < warps; ++w) {
      const float added = ends[w * rows + e];
#pragma unroll
      for (int k = 0; k < COUNT; ++k)
        own[k] = fmaf(power_of_2(rates[k] * added), own[k], ends[w * rows + (1 + n + k) * row + e]);
      sum += added;
    }
    if (chunk + 1 < chunk_count) {
      if (n == 0) publish(pairs.sum(pairs.chunk(chunk), e), sum);
#pragma unroll
      for (int k = 0; k < COUNT; ++k) publish(pairs.state(pairs.chunk(chunk), e, n + k), own[k]);
    }

    float h[COUNT] = {}, passed = 0.0f;  // first: what the chunks before this one in its group do
    chain<STATES, COUNT>(pairs, pairs.chunk(first_of_group), chunk - first_of_group, e, n, rates, passed, h);
    float group_end[COUNT] = {};
    if (ends_group) {
      if (n == 0) publish(pairs.sum(pairs.group(group), e), passed + sum);
#pragma unroll
      for (int k = 0; k < COUNT; ++k) {
        group_end[k] = fmaf(power_of_2(rates[k] * sum), h[k], own[k]);
        publish(pairs.state(pairs.group(group), e, n + k), group_end[k]);
      }
    }
    if (group > 0) {
      float before[COUNT] = {};
      state_before_group<STATES, COUNT>(pairs, group, e, n, rates, before);
#pragma unroll
      for (int k = 0; k < COUNT; ++k) {
        if (ends_group)
          publish(pairs.start(group, e, n + k),
                  fmaf(power_of_2(rates[k] * (passed + sum)), before[k], group_end[k]));
        h[k] = fmaf(power_of_2(rates[k] * passed), before[k], h[k]);
      }
    } else if (ends_group) {
#pragma unroll
      for (int k = 0; k < COUNT; ++k) publish(pairs.start(group, e, n + k), group_end[k]);
    }
    for (int w = 0; w < warps; ++w) {
      const float added = ends[w * rows + e];
#pragma unroll
      for (int k = 0; k < COUNT; ++k) {
        float& end = ends[w * rows + (1 + n + k) * row + e];
        const float start = h[k];
        h[k] = fmaf(power_of_2(rates[k] * added), h[k], end);
        end = start;
      }
    }
  }
}

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
