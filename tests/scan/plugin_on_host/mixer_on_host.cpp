// The plugins' kernels on the CPU: every CUDA thread is a fibre, several blocks run at once.
//
// A fibre goes on until it waits (for its warp, its block, or a word that another block writes);
// then the next one has its turn. So the order of blocks is another one than on a GPU, barriers and
// waiting are real, and a missing barrier or a block that waits for a later one shows.
//
// A fibre is begun by setcontext and goes on by longjmp: swapcontext asks the system to keep and to set
// the signal mask at every turn, and there are millions. glibc's check of longjmp knows one stack only.
#undef _FORTIFY_SOURCE
#include <immintrin.h>
#include <setjmp.h>
#include <ucontext.h>

#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <memory>
#include <vector>

#define __device__
#define __global__
#define __forceinline__ inline
#define __launch_bounds__(...)
#define EDGESR_SHARED(name) float* const name = host::block_now->shared.data()
#define EDGESR_PAUSE() host::give_way()
#define EDGESR_LAUNCH(kernel, blocks, threads, shared_bytes, stream, argument) \
  ((void)(stream), host::run(blocks, threads, shared_bytes, [&] { kernel(argument); }))

struct Index {
  unsigned x;
};
static Index threadIdx, blockDim, blockIdx;

namespace host {

constexpr size_t STACK = 256 * 1024;
constexpr unsigned LANES = 32;

struct Barrier {
  unsigned arrived = 0, turn = 0;
};
struct Fibre {
  ucontext_t context;
  jmp_buf place;
  std::unique_ptr<char[]> stack;
  unsigned thread, shuffles = 0;
  bool begun = false, ended = false;
};
struct Block {
  unsigned number;
  std::vector<Fibre> fibres;
  std::vector<float> shared;
  std::vector<Barrier> warps;
  std::vector<float> values;  // two per lane: of this shuffle and of the next
  Barrier all;
};

static jmp_buf scheduler;
static Block* block_now;
static Fibre* fibre_now;
static const std::function<void()>* body;
static int resident = 3;  // blocks that run at once

inline void give_way() {
  if (_setjmp(fibre_now->place) == 0) _longjmp(scheduler, 1);
}

// Let a fibre run until it gives way.
__attribute__((noinline)) static void resume(Fibre& fibre) {
  if (_setjmp(scheduler) != 0) return;
  if (fibre.begun) _longjmp(fibre.place, 1);
  fibre.begun = true;
  setcontext(&fibre.context);
}

inline void wait(Barrier& barrier, unsigned expected) {
  const unsigned turn = barrier.turn;
  if (++barrier.arrived == expected) {
    barrier.arrived = 0;
    ++barrier.turn;
  }
  while (barrier.turn == turn) give_way();
}

inline float exchange(float value, unsigned from) {
  Fibre* const self = fibre_now;
  Block* const block = block_now;
  float* const values = block->values.data() + (self->shuffles++ % 2) * block->fibres.size();
  values[self->thread] = value;
  wait(block->warps[self->thread / LANES], LANES);
  return values[self->thread / LANES * LANES + from];
}

static void enter() {
  (*body)();
  fibre_now->ended = true;
  give_way();
}

inline std::unique_ptr<Block> started(unsigned number, unsigned threads, size_t shared_bytes) {
  std::unique_ptr<Block> block(new Block);
  block->number = number;
  block->fibres = std::vector<Fibre>(threads);
  block->shared.assign((shared_bytes + 3) / 4, NAN);
  block->warps.resize(threads / LANES);
  block->values.assign(2 * threads, NAN);
  for (unsigned i = 0; i < threads; ++i) {
    Fibre& fibre = block->fibres[i];
    fibre.thread = i;
    fibre.stack.reset(new char[STACK]);
    getcontext(&fibre.context);
    fibre.context.uc_stack.ss_sp = fibre.stack.get();
    fibre.context.uc_stack.ss_size = STACK;
    fibre.context.uc_link = nullptr;
    makecontext(&fibre.context, enter, 0);
  }
  return block;
}

inline void run(unsigned blocks, unsigned threads, size_t shared_bytes, const std::function<void()>& kernel) {
  body = &kernel;
  blockDim.x = threads;
  std::vector<std::unique_ptr<Block>> running;
  unsigned next = 0;
  while (next < blocks || !running.empty()) {
    while (next < blocks && running.size() < size_t(resident)) {
      running.push_back(started(next++, threads, shared_bytes));
    }
    // The last to start goes first: it meets its predecessors' words before they are written.
    for (size_t b = running.size(); b-- > 0;) {
      bool ended = true;
      for (Fibre& fibre : running[b]->fibres) {
        if (fibre.ended) continue;
        block_now = running[b].get();
        fibre_now = &fibre;
        threadIdx.x = fibre.thread;
        blockIdx.x = running[b]->number;
        resume(fibre);
        ended = ended && fibre.ended;
      }
      if (ended) running.erase(running.begin() + b);
    }
  }
}

}  // namespace host

// ---- the functions of CUDA that the kernel calls ------------------------------------------------

struct __half {
  uint16_t bits;
};
struct alignas(8) uint2 {
  unsigned x, y;
};
struct alignas(16) uint4 {
  unsigned x, y, z, w;
};
using std::memcpy;
inline float __half2float(__half value) { return _cvtsh_ss(value.bits); }
inline __half __float2half_rn(float value) { return __half{uint16_t(_cvtss_sh(value, 0))}; }
inline float __shfl_xor_sync(unsigned, float value, int mask) {
  return host::exchange(value, threadIdx.x % host::LANES ^ unsigned(mask));
}
inline int __shfl_sync(unsigned, int value, int lane) {
  float carried;
  std::memcpy(&carried, &value, 4);
  carried = host::exchange(carried, unsigned(lane));
  std::memcpy(&value, &carried, 4);
  return value;
}
inline void __syncwarp() { host::wait(host::block_now->warps[threadIdx.x / host::LANES], host::LANES); }
inline void __syncthreads() { host::wait(host::block_now->all, blockDim.x); }
inline unsigned atomicAdd(unsigned* word, unsigned value) { return (*word += value) - value; }
inline float __ldg(const float* value) { return *value; }
template <typename T>
inline void __stcg(T* place, T value) {
  *place = value;
}
inline float __fdividef(float a, float b) { return a / b; }
inline float rsqrtf(float value) { return 1.0f / std::sqrt(value); }
inline unsigned __float_as_uint(float value) {
  unsigned bits;
  std::memcpy(&bits, &value, 4);
  return bits;
}
inline float __uint_as_float(unsigned bits) {
  float value;
  std::memcpy(&value, &bits, 4);
  return value;
}
using cudaStream_t = void*;
enum cudaError_t { cudaSuccess = 0, cudaErrorInvalidValue = 1 };
inline cudaError_t cudaMemsetAsync(void* memory, int value, size_t bytes, cudaStream_t) {
  std::memset(memory, value, bytes);
  return cudaSuccess;
}
inline cudaError_t cudaPeekAtLastError() { return cudaSuccess; }

namespace edgesr {
constexpr int MAX_BLOCK = 256;
}

#include "c_symbols.cuh"

extern "C" void edgesr_host_resident(int blocks) { host::resident = blocks; }
