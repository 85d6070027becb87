// LayerNorm of tokens: y = (x - mean) / sqrt(variance + epsilon) * weight + bias over the last axis.
//
// The mean of the squares of x - mean is the variance, as in torch; whatever T is, all of it is
// computed in float32. LANES lanes share a token, a warp holds WARP / LANES of them, and a lane has
// PER_LANE values in registers, in packs of PACK that lie next to each other.
#pragma once

#include "values.cuh"

namespace edgesr {

// Arguments of the kernel. Weights are float32.
struct Norm {
  const void* x;        // (tokens, C)
  const float* weight;  // (C)
  const float* bias;    // (C)
  void* y;              // (tokens, C)
  int tokens, channels;
  float epsilon;
};

constexpr int PACK = 4;
constexpr int NORM_BLOCK = 128;  // threads
constexpr int MAX_NORM_CHANNELS = 1024;

// The sum of a value over the LANES lanes that share a token; each gets it.
template <int LANES>
__device__ __forceinline__ float sum_of_token(float value) {
#pragma unroll
  for (int offset = LANES / 2; offset > 0; offset /= 2) value += __shfl_xor_sync(ALL_LANES, value, offset);
  return value;
}

// VECTOR: rows can be read PACK values at a time.
template <typename T, int LANES, int PER_LANE, bool VECTOR>
__global__ void __launch_bounds__(NORM_BLOCK) norm_kernel(const Norm n) {
  constexpr int PACKS = PER_LANE / PACK;
  const int token = int(blockIdx.x * (NORM_BLOCK / LANES) + threadIdx.x / LANES);
  const int first = int(threadIdx.x % LANES) * PACK, width = token < n.tokens ? n.channels : 0;
  const size_t row = width > 0 ? size_t(token) * n.channels : 0;
  const T* const x = static_cast<const T*>(n.x) + row;

  float values[PACKS][PACK], sum = 0.0f;
#pragma unroll
  for (int p = 0; p < PACKS; ++p) {
    load_row<VECTOR, PACK>(x, first + p * LANES * PACK, width, values[p]);
#pragma unroll
    for (int c = 0; c < PACK; ++c) sum += values[p][c];
  }
  const float mean = sum_of_token<LANES>(sum) / float(n.channels);
  float squares = 0.0f;
#pragma unroll
  for (int p = 0; p < PACKS; ++p)
#pragma unroll
    for (int c = 0; c < PACK; ++c) {
      const float apart = first + p * LANES * PACK + c < width ? values[p][c] - mean : 0.0f;
      values[p][c] = apart;
      squares = fmaf(apart, apart, squares);
    }
  const float scale = rsqrtf(sum_of_token<LANES>(squares) / float(n.channels) + n.epsilon);
  T* const y = static_cast<T*>(n.y) + row;
#pragma unroll
  for (int p = 0; p < PACKS; ++p) {
    float weight[PACK], bias[PACK];
    load_row<VECTOR, PACK>(n.weight, first + p * LANES * PACK, width, weight);
    load_row<VECTOR, PACK>(n.bias, first + p * LANES * PACK, width, bias);
#pragma unroll
    for (int c = 0; c < PACK; ++c) values[p][c] = fmaf(values[p][c] * scale, weight[c], bias[c]);
    store_row<VECTOR, PACK>(y, first + p * LANES * PACK, width, values[p]);
  }
}

// ---- its launch --------------------------------------------------------------------------------

inline bool fits(const Norm& n) {
  return n.tokens > 0 && n.channels > 0 && n.channels <= MAX_NORM_CHANNELS && n.epsilon > 0.0f;
}

template <typename T, int LANES, int PER_LANE, bool VECTOR>
void start_norm(const Norm& n, cudaStream_t stream) {
  constexpr int TOKENS = NORM_BLOCK / LANES;  // of a block
  EDGESR_LAUNCH((norm_kernel<T, LANES, PER_LANE, VECTOR>), (n.tokens + TOKENS - 1) / TOKENS, NORM_BLOCK, 0, stream, n);
}

template <typename T, bool VECTOR>
void start_norm_width(const Norm& n, cudaStream_t stream) {
  if (n.channels <= 32) start_norm<T, 8, 4, VECTOR>(n, stream);
  else if (n.channels <= 64) start_norm<T, 16, 4, VECTOR>(n, stream);
  else if (n.channels <= 128) start_norm<T, 32, 4, VECTOR>(n, stream);
  else start_norm<T, 32, 32, VECTOR>(n, stream);
}

template <typename T>
void start_norm_type(const Norm& n, cudaStream_t stream) {
  if (n.channels % PACK == 0) start_norm_width<T, true>(n, stream);
  else start_norm_width<T, false>(n, stream);
}

// Enqueue the norm. Every address is a multiple of 16, as those of CUDA's allocator are.
inline cudaError_t launch(const Norm& n, bool half, cudaStream_t stream) {
  if (half) start_norm_type<__half>(n, stream);
  else start_norm_type<float>(n, stream);
  return cudaPeekAtLastError();
}

}  // namespace edgesr
