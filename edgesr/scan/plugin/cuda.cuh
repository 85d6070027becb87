// What the kernels and their launches take from a compiler of CUDA.
#pragma once

#include <cuda_fp16.h>
#include <cuda_runtime.h>

#include <cstring>

#define EDGESR_SHARED(name) extern __shared__ float name[]

#define EDGESR_LAUNCH(kernel, blocks, threads, shared_bytes, stream, argument) \
  kernel<<<blocks, threads, shared_bytes, stream>>>(argument)

#if defined(__CUDA_ARCH__) && __CUDA_ARCH__ >= 700
#define EDGESR_PAUSE() __nanosleep(20)
#else
#define EDGESR_PAUSE()
#endif

#ifndef EDGESR_MAX_BLOCK
#define EDGESR_MAX_BLOCK 256
#endif

namespace edgesr {
constexpr int MAX_BLOCK = EDGESR_MAX_BLOCK;  // threads; as many registers as they leave are taken
}
