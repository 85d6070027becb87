// What the plugins of this library have in common: tokens in, tokens out, weights as fields.
//
// Tokens are (B, L, C), or an image (B, C, H, W) with its channels last in memory, which is the same
// memory: kHWC8 of float16, whose channels are then a multiple of 8, or kHWC of float32. So what
// TensorRT convolves is given and taken without being turned.
#pragma once

#include <NvInfer.h>

#include <cstring>
#include <string>
#include <utility>
#include <vector>

#include "weights.cuh"

namespace edgesr {

using namespace nvinfer1;

constexpr char VERSION[] = "2";
constexpr int32_t HWC8_CHANNELS = 8;

// Sizes of tokens, read off either form.
struct Tokens {
  int32_t batch, length, channels;

  explicit Tokens(const Dims& dims)
      : batch(int32_t(dims.d[0])),
        length(int32_t(dims.nbDims == 4 ? dims.d[2] * dims.d[3] : dims.d[1])),
        channels(int32_t(dims.nbDims == 4 ? dims.d[1] : dims.d[2])) {}
};

// A plugin described by `Fields`, which has
//   static const char* name();          the plugin's type, which is that of its ONNX node
//   void each(Visitor&);                gives every field to `number(name, int32_t or float)` or
//                                       `tensor(name, std::vector<float>)`, always in one order
//   bool valid() const;                 whether the fields agree with each other
//   int32_t output_channels() const;
//   bool takes(const Tokens&) const;    whether they are of the sizes that the fields ask for
//   size_t workspace(const Tokens&) const;
//   cudaError_t launch(const Tokens&, bool half, const void* in, const Weights&, void* out, void* workspace,
//                      cudaStream_t) const;
template <typename Fields>
class TokenPlugin final : public IPluginV2DynamicExt {
 public:
  explicit TokenPlugin(const Fields& fields) : fields_(fields) {
    std::vector<std::vector<float>> tensors;
    Collector collector{tensors};
    fields_.each(collector);
    weights_ = Weights(tensors);
  }

  IPluginV2DynamicExt* clone() const noexcept override { return new TokenPlugin(*this); }

  DimsExprs getOutputDimensions(int32_t, const DimsExprs* inputs, int32_t, IExprBuilder& builder) noexcept override {
    DimsExprs y = inputs[0];
    const int axis = y.nbDims == 4 ? 1 : 2;
    y.d[axis] = builder.constant(fields_.output_channels());
    return y;
  }

  bool supportsFormatCombination(int32_t place, const PluginTensorDesc* tensors, int32_t,
                                 int32_t) noexcept override {
    const PluginTensorDesc& tensor = tensors[place];
    if (place > 0) return tensor.type == tensors[0].type && tensor.format == tensors[0].format;
    if (tensor.type != DataType::kFLOAT && tensor.type != DataType::kHALF) return false;
    if (tensor.dims.nbDims == 3) return tensor.format == TensorFormat::kLINEAR;
    if (tensor.type == DataType::kFLOAT) return tensor.format == TensorFormat::kHWC;
    const int32_t in = int32_t(tensor.dims.d[1]), out = fields_.output_channels();
    return tensor.format == TensorFormat::kHWC8 && in % HWC8_CHANNELS == 0 && out % HWC8_CHANNELS == 0;
  }

  void configurePlugin(const DynamicPluginTensorDesc*, int32_t, const DynamicPluginTensorDesc*,
                       int32_t) noexcept override {}

  size_t getWorkspaceSize(const PluginTensorDesc* inputs, int32_t, const PluginTensorDesc*,
                          int32_t) const noexcept override {
    const Tokens tokens(inputs[0].dims);
    return fields_.takes(tokens) ? fields_.workspace(tokens) : 0;
  }

  int32_t enqueue(const PluginTensorDesc* inputs, const PluginTensorDesc*, const void* const* in, void* const* out,
                  void* workspace, cudaStream_t stream) noexcept override {
    const Tokens tokens(inputs[0].dims);
    if (!fields_.takes(tokens) || weights_[0] == nullptr) return -1;
    const bool half = inputs[0].type == DataType::kHALF;
    return fields_.launch(tokens, half, in[0], weights_, out[0], workspace, stream) == cudaSuccess ? 0 : -1;
  }

  DataType getOutputDataType(int32_t, const DataType* inputs, int32_t) const noexcept override { return inputs[0]; }
  const char* getPluginType() const noexcept override { return Fields::name(); }
  const char* getPluginVersion() const noexcept override { return VERSION; }
  int32_t getNbOutputs() const noexcept override { return 1; }
  int32_t initialize() noexcept override { return weights_.upload() ? 0 : -1; }
  void terminate() noexcept override { weights_.forget(); }
  size_t getSerializationSize() const noexcept override { return written().size(); }
  void serialize(void* buffer) const noexcept override {
    const std::vector<char> bytes = written();
    std::memcpy(buffer, bytes.data(), bytes.size());
  }
  void destroy() noexcept override { delete this; }
  void setPluginNamespace(const char* space) noexcept override { space_ = space; }
  const char* getPluginNamespace() const noexcept override { return space_.c_str(); }

 private:
  struct Collector {
    std::vector<std::vector<float>>& tensors;
    template <typename T>
    void number(const char*, T&) {}
    void tensor(const char*, std::vector<float>& values) { tensors.push_back(values); }
  };
  struct Serializer {
    Writer writer;
    template <typename T>
    void number(const char*, T& value) {
      writer.number(value);
    }
    void tensor(const char*, std::vector<float>& values) { writer.tensor(values); }
  };

  std::vector<char> written() const {
    Serializer serializer;
    Fields copy = fields_;
    copy.each(serializer);
    return serializer.writer.written();
  }

  Fields fields_;
  Weights weights_;
  std::string space_;
};

template <typename Fields>
class TokenCreator final : public IPluginCreator {
 public:
  TokenCreator() {
    Lister lister{fields_};
    Fields fields;
    fields.each(lister);
    collection_.nbFields = int32_t(fields_.size());
    collection_.fields = fields_.data();
  }

  const char* getPluginName() const noexcept override { return Fields::name(); }
  const char* getPluginVersion() const noexcept override { return VERSION; }
  const PluginFieldCollection* getFieldNames() noexcept override { return &collection_; }

  IPluginV2* createPlugin(const char*, const PluginFieldCollection* given) noexcept override {
    Filler filler{*given};
    Fields fields;
    fields.each(filler);
    return made(fields, filler.complete);
  }

  IPluginV2* deserializePlugin(const char*, const void* data, size_t length) noexcept override {
    Deserializer deserializer{Reader(data, length)};
    Fields fields;
    fields.each(deserializer);
    return made(fields, deserializer.reader.complete());
  }

  void setPluginNamespace(const char* space) noexcept override { space_ = space; }
  const char* getPluginNamespace() const noexcept override { return space_.c_str(); }

 private:
  static PluginFieldType type_of(int32_t) { return PluginFieldType::kINT32; }
  static PluginFieldType type_of(float) { return PluginFieldType::kFLOAT32; }

  struct Lister {
    std::vector<PluginField>& fields;
    template <typename T>
    void number(const char* name, T& value) {
      fields.emplace_back(name, nullptr, type_of(value), 1);
    }
    void tensor(const char* name, std::vector<float>&) {
      fields.emplace_back(name, nullptr, PluginFieldType::kFLOAT32, 1);
    }
  };
  // Takes what a parser read off a node; every field must be there, of its type.
  struct Filler {
    const PluginFieldCollection& given;
    bool complete = true;
    explicit Filler(const PluginFieldCollection& collection) : given(collection) {}

    const PluginField* find(const char* name, PluginFieldType type) {
      for (int32_t i = 0; i < given.nbFields; ++i) {
        const PluginField& field = given.fields[i];
        if (std::strcmp(field.name, name) == 0 && field.data != nullptr && field.type == type && field.length > 0)
          return &field;
      }
      complete = false;
      return nullptr;
    }
    template <typename T>
    void number(const char* name, T& value) {
      if (const PluginField* field = find(name, type_of(value))) std::memcpy(&value, field->data, sizeof(T));
    }
    void tensor(const char* name, std::vector<float>& values) {
      if (const PluginField* field = find(name, PluginFieldType::kFLOAT32)) {
        values.resize(size_t(field->length));
        std::memcpy(values.data(), field->data, values.size() * sizeof(float));
      }
    }
  };
  struct Deserializer {
    Reader reader;
    template <typename T>
    void number(const char*, T& value) {
      reader.number(value);
    }
    void tensor(const char*, std::vector<float>& values) { reader.tensor(values); }
  };

  IPluginV2* made(const Fields& fields, bool complete) const {
    if (!complete || !fields.valid()) return nullptr;
    auto* plugin = new TokenPlugin<Fields>(fields);
    plugin->setPluginNamespace(space_.c_str());
    return plugin;
  }

  std::vector<PluginField> fields_;
  PluginFieldCollection collection_;
  std::string space_;
};

}  // namespace edgesr
