// LayerNorm over the channels as a TensorRT plugin, `TokenNorm`: (B, L, C) -> the same, or images.
#pragma once

#include "norm_kernel.cuh"
#include "token_plugin.cuh"

namespace edgesr {

struct NormFields {
  float epsilon = 0.0f;
  std::vector<float> weight, bias;

  static const char* name() { return "TokenNorm"; }

  template <typename Visitor>
  void each(Visitor& visitor) {
    visitor.number("epsilon", epsilon);
    visitor.tensor("weight", weight), visitor.tensor("bias", bias);
  }

  bool valid() const { return bias.size() == weight.size() && fits(of(1)); }
  int32_t output_channels() const { return int32_t(weight.size()); }
  bool takes(const Tokens& tokens) const {
    return tokens.batch > 0 && tokens.length > 0 && tokens.channels == output_channels();
  }
  size_t workspace(const Tokens&) const { return 0; }

  cudaError_t launch(const Tokens& tokens, bool half, const void* in, const Weights& weights, void* out, void*,
                     cudaStream_t stream) const {
    Norm n = of(tokens.batch * tokens.length);
    n.x = in, n.weight = weights[0], n.bias = weights[1], n.y = out;
    return edgesr::launch(n, half, stream);
  }

 private:
  Norm of(int32_t tokens) const {
    Norm n = {};
    n.tokens = tokens, n.channels = output_channels(), n.epsilon = epsilon;
    return n;
  }
};

}  // namespace edgesr
