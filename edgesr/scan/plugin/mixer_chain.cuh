// The chain between the blocks of a mixer: what chunks do to the state, through global memory.
//
// The pairs of chunks are chained without a second launch (after Merrill and Garland, "Single-pass
// Parallel Prefix Scan with Decoupled Look-back", NVIDIA 2016) on two levels, so that no block waits
// for a long row of others: chunks within a group, and groups. Every sum has one order, whoever
// comes first, so that two runs give the same bits.
//
// A word of the workspace that was not written yet holds EMPTY, which no written word does; thus a
// word is its own flag and no fences are needed. Chunks are numbered in the order in which blocks
// start, so that a block waits only for blocks that run or have ended, however few fit the GPU.
#pragma once

#include "mixer_arguments.cuh"

namespace edgesr {

constexpr unsigned EMPTY = 0xffffffffu;      // a NaN that no arithmetic gives
constexpr unsigned OTHER_NAN = 0x7fffffffu;  // what is written in its place
constexpr int TICKET_WORDS = 32;             // the counter of chunks has a cache line of its own

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

}  // namespace edgesr
