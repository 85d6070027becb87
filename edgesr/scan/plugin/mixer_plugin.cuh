// The mixer as a TensorRT plugin, `MambaMixer`: (B, L, 2E) -> (B, L, E), or images of them.
#pragma once

#include "mixer_launch.cuh"
#include "token_plugin.cuh"

namespace edgesr {

struct MixerFields {
  int32_t height = 0, width = 0, columns = 0, reverse = 0;
  std::vector<float> conv, conv_bias, x_proj, dt_proj, dt_bias, A, D;

  static const char* name() { return "MambaMixer"; }

  template <typename Visitor>
  void each(Visitor& visitor) {
    visitor.number("height", height), visitor.number("width", width);
    visitor.number("columns", columns), visitor.number("reverse", reverse);
    visitor.tensor("conv", conv), visitor.tensor("conv_bias", conv_bias);
    visitor.tensor("x_proj", x_proj), visitor.tensor("dt_proj", dt_proj), visitor.tensor("dt_bias", dt_bias);
    visitor.tensor("A", A), visitor.tensor("D", D);
  }

  // What the lengths and the attributes say; batch and addresses are left open.
  Mixer sizes() const {
    Mixer m = {};
    const size_t E = D.size();
    if (E == 0) return m;
    m.height = height, m.width = width, m.columns = columns, m.reverse = reverse;
    m.channels = int(E), m.taps = int(conv.size() / E), m.rank = int(dt_proj.size() / E), m.states = int(A.size() / E);
    return m;
  }

  bool valid() const {
    Mixer m = sizes();
    m.batch = 1;
    const size_t E = D.size();
    return fits(m) && conv.size() == E * m.taps && conv_bias.size() == E && dt_proj.size() == E * m.rank &&
           dt_bias.size() == E && A.size() == E * m.states && x_proj.size() == E * (m.rank + 2 * m.states);
  }

  int32_t output_channels() const { return int32_t(D.size()); }

  bool takes(const Tokens& tokens) const {
    return tokens.batch > 0 && tokens.length == height * width && tokens.channels == 2 * output_channels();
  }

  size_t workspace(const Tokens& tokens) const { return plan(of(tokens)).workspace_bytes; }

  cudaError_t launch(const Tokens& tokens, bool half, const void* in, const Weights& weights, void* out,
                     void* workspace, cudaStream_t stream) const {
    Mixer m = of(tokens);
    m.xz = in;
    m.conv = weights[0], m.conv_bias = weights[1], m.x_proj = weights[2], m.dt_proj = weights[3];
    m.dt_bias = weights[4], m.A = weights[5], m.D = weights[6];
    m.y = out;
    m.workspace = static_cast<unsigned*>(workspace);
    return edgesr::launch(m, plan(m), half, stream);
  }

 private:
  Mixer of(const Tokens& tokens) const {
    Mixer m = sizes();
    m.batch = tokens.batch;
    return m;
  }
};

}  // namespace edgesr
