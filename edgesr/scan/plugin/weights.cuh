// Weights of a plugin: what an engine is written with, and their copy in device memory.
#pragma once

#include <cuda_runtime.h>

#include <cstdint>
#include <cstring>
#include <memory>
#include <vector>

namespace edgesr {

// Several float32 tensors in one piece of memory; copies share it.
class Weights {
 public:
  Weights() = default;
  explicit Weights(const std::vector<std::vector<float>>& tensors) {
    std::vector<float> values;
    for (const auto& tensor : tensors) {
      starts_.push_back(values.size());
      values.insert(values.end(), tensor.begin(), tensor.end());
      values.resize((values.size() + ALIGNED - 1) / ALIGNED * ALIGNED);
    }
    host_ = std::make_shared<const std::vector<float>>(std::move(values));
  }

  // Copy them to the current device, unless another copy of this object has; whether they are there.
  bool upload() {
    if (device_) return true;
    void* memory = nullptr;
    const size_t bytes = host_->size() * sizeof(float);
    if (cudaMalloc(&memory, bytes) != cudaSuccess) return false;
    device_ = std::shared_ptr<float>(static_cast<float*>(memory), [](float* p) { cudaFree(p); });
    if (cudaMemcpy(memory, host_->data(), bytes, cudaMemcpyHostToDevice) != cudaSuccess) device_.reset();
    return bool(device_);
  }
  void forget() { device_.reset(); }

  // Device address of a tensor; null before `upload`.
  const float* operator[](size_t number) const { return device_ ? device_.get() + starts_[number] : nullptr; }

 private:
  static constexpr size_t ALIGNED = 4;  // 16 bytes, which the kernels read at once
  std::vector<size_t> starts_;
  std::shared_ptr<const std::vector<float>> host_;
  std::shared_ptr<float> device_;
};

// Writes and reads what an engine keeps of a plugin: numbers, and tensors behind their lengths.
class Writer {
 public:
  template <typename T>
  void number(T value) {
    const char* const bytes = reinterpret_cast<const char*>(&value);
    written_.insert(written_.end(), bytes, bytes + sizeof(T));
  }
  void tensor(const std::vector<float>& values) {
    number(int32_t(values.size()));
    const char* const bytes = reinterpret_cast<const char*>(values.data());
    written_.insert(written_.end(), bytes, bytes + values.size() * sizeof(float));
  }
  const std::vector<char>& written() const { return written_; }

 private:
  std::vector<char> written_;
};

class Reader {
 public:
  Reader(const void* data, size_t length) : next_(static_cast<const char*>(data)), left_(length) {}

  template <typename T>
  void number(T& value) {
    take(&value, sizeof(T));
  }
  void tensor(std::vector<float>& values) {
    int32_t count = 0;
    number(count);
    if (count < 0 || size_t(count) > left_ / sizeof(float)) {
      failed_ = true;
      return;
    }
    values.resize(size_t(count));
    take(values.data(), values.size() * sizeof(float));
  }
  // Whether everything was there, and nothing is left.
  bool complete() const { return !failed_ && left_ == 0; }

 private:
  void take(void* target, size_t bytes) {
    failed_ = failed_ || bytes > left_;
    if (failed_) return;
    if (bytes > 0) std::memcpy(target, next_, bytes);
    next_ += bytes;
    left_ -= bytes;
  }
  const char* next_;
  size_t left_;
  bool failed_ = false;
};

}  // namespace edgesr
