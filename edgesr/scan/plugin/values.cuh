// Numbers of a warp: rows of a tensor read and written at once, activations, sums over the lanes.
//
// EDGESR_SHARED, EDGESR_PAUSE and EDGESR_LAUNCH are what a compiler of CUDA has its own syntax for.
#pragma once

namespace edgesr {

constexpr int WARP = 32;
constexpr unsigned ALL_LANES = 0xffffffffu;
constexpr float LOG2_E = 1.4426950408889634f;
constexpr float SOFTPLUS_LINEAR = 20.0f;  // beyond it softplus(v) is v, as in torch

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

}  // namespace edgesr
