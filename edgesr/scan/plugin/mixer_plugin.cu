// The mixer as a TensorRT plugin, for TensorRT 8.5 to 11: `MambaMixer`, version "1".
//
// The library is not linked to libnvinfer: it registers its plugin with the one that the process has
// loaded, so that one file serves `ctypes.CDLL`, `trtexec --plugins` and programs in C++.
#include <NvInfer.h>
#include <dlfcn.h>

#include <cstdint>
#include <cstring>
#include <string>

#include "mixer_cuda.cuh"

#include "mixer_c.cuh"

namespace edgesr {

using namespace nvinfer1;

constexpr char NAME[] = "MambaMixer";
constexpr char VERSION[] = "1";
constexpr int INPUTS = 8;

// Attributes of the node, in the order in which they are serialised.
struct Path {
  int32_t height, width, columns, reverse;
};

class MixerPlugin final : public IPluginV2DynamicExt {
 public:
  explicit MixerPlugin(const Path& path) : path_(path) {}

  IPluginV2DynamicExt* clone() const noexcept override {
    auto* copy = new MixerPlugin(path_);
    copy->space_ = space_;
    return copy;
  }

  DimsExprs getOutputDimensions(int32_t, const DimsExprs* inputs, int32_t, IExprBuilder&) noexcept override {
    DimsExprs y = inputs[0];
    y.d[2] = inputs[1].d[0];
    return y;
  }

  bool supportsFormatCombination(int32_t place, const PluginTensorDesc* tensors, int32_t,
                                 int32_t) noexcept override {
    const PluginTensorDesc& tensor = tensors[place];
    if (tensor.format != TensorFormat::kLINEAR) return false;
    if (place == 0) return tensor.type == DataType::kFLOAT || tensor.type == DataType::kHALF;
    return tensor.type == (place == INPUTS ? tensors[0].type : DataType::kFLOAT);
  }

  void configurePlugin(const DynamicPluginTensorDesc*, int32_t, const DynamicPluginTensorDesc*,
                       int32_t) noexcept override {}

  size_t getWorkspaceSize(const PluginTensorDesc* inputs, int32_t, const PluginTensorDesc*,
                          int32_t) const noexcept override {
    const Mixer m = sizes(inputs);
    return fits(m) ? plan(m).workspace_bytes : 0;
  }

  int32_t enqueue(const PluginTensorDesc* inputs, const PluginTensorDesc*, const void* const* in, void* const* out,
                  void* workspace, cudaStream_t stream) noexcept override {
    Mixer m = sizes(inputs);
    if (!fits(m) || inputs[0].dims.d[1] != m.height * m.width || inputs[0].dims.d[2] != 2 * m.channels) return -1;
    m.xz = in[0];
    m.conv = static_cast<const float*>(in[1]), m.conv_bias = static_cast<const float*>(in[2]);
    m.x_proj = static_cast<const float*>(in[3]), m.dt_proj = static_cast<const float*>(in[4]);
    m.dt_bias = static_cast<const float*>(in[5]), m.A = static_cast<const float*>(in[6]);
    m.D = static_cast<const float*>(in[7]);
    m.y = out[0];
    m.workspace = static_cast<unsigned*>(workspace);
    return launch(m, plan(m), inputs[0].type == DataType::kHALF, stream) == cudaSuccess ? 0 : -1;
  }

  DataType getOutputDataType(int32_t, const DataType* inputs, int32_t) const noexcept override { return inputs[0]; }
  const char* getPluginType() const noexcept override { return NAME; }
  const char* getPluginVersion() const noexcept override { return VERSION; }
  int32_t getNbOutputs() const noexcept override { return 1; }
  int32_t initialize() noexcept override { return 0; }
  void terminate() noexcept override {}
  size_t getSerializationSize() const noexcept override { return sizeof(Path); }
  void serialize(void* buffer) const noexcept override { std::memcpy(buffer, &path_, sizeof(Path)); }
  void destroy() noexcept override { delete this; }
  void setPluginNamespace(const char* space) noexcept override { space_ = space; }
  const char* getPluginNamespace() const noexcept override { return space_.c_str(); }

 private:
  // What the shapes and the attributes say; addresses are left open.
  Mixer sizes(const PluginTensorDesc* inputs) const noexcept {
    Mixer m = {};
    m.batch = int(inputs[0].dims.d[0]);
    m.height = path_.height, m.width = path_.width, m.columns = path_.columns, m.reverse = path_.reverse;
    m.channels = int(inputs[1].dims.d[0]), m.taps = int(inputs[1].dims.d[1]);
    m.rank = int(inputs[4].dims.d[1]), m.states = int(inputs[6].dims.d[1]);
    return m;
  }

  Path path_;
  std::string space_;
};

class MixerCreator final : public IPluginCreator {
 public:
  MixerCreator() {
    const char* names[] = {"height", "width", "columns", "reverse"};
    for (int i = 0; i < 4; ++i) fields_[i] = PluginField(names[i], nullptr, PluginFieldType::kINT32, 1);
    collection_.nbFields = 4;
    collection_.fields = fields_;
  }

  const char* getPluginName() const noexcept override { return NAME; }
  const char* getPluginVersion() const noexcept override { return VERSION; }
  const PluginFieldCollection* getFieldNames() noexcept override { return &collection_; }

  IPluginV2* createPlugin(const char*, const PluginFieldCollection* given) noexcept override {
    Path path = {};
    int32_t* const values[] = {&path.height, &path.width, &path.columns, &path.reverse};
    for (int32_t i = 0; i < given->nbFields; ++i)
      for (int k = 0; k < 4; ++k)
        if (std::strcmp(given->fields[i].name, fields_[k].name) == 0 && given->fields[i].data != nullptr)
          *values[k] = *static_cast<const int32_t*>(given->fields[i].data);
    return path.height > 0 && path.width > 0 ? made(path) : nullptr;
  }

  IPluginV2* deserializePlugin(const char*, const void* data, size_t length) noexcept override {
    if (length != sizeof(Path)) return nullptr;
    Path path;
    std::memcpy(&path, data, sizeof(Path));
    return made(path);
  }

  void setPluginNamespace(const char* space) noexcept override { space_ = space; }
  const char* getPluginNamespace() const noexcept override { return space_.c_str(); }

 private:
  IPluginV2* made(const Path& path) const {
    auto* plugin = new MixerPlugin(path);
    plugin->setPluginNamespace(space_.c_str());
    return plugin;
  }

  PluginField fields_[4];
  PluginFieldCollection collection_;
  std::string space_;
};

using GetRegistry = IPluginRegistry* (*)();

// TensorRT's registry; null where the process has not loaded the TensorRT of our headers.
IPluginRegistry* registry() {
  void* symbol = nullptr;
  // By its name first: another release could lie in the global scope.
  const std::string file = "libnvinfer.so." + std::to_string(NV_TENSORRT_MAJOR);
  if (void* library = dlopen(file.c_str(), RTLD_LAZY | RTLD_NOLOAD)) symbol = dlsym(library, "getPluginRegistry");
  if (symbol == nullptr) symbol = dlsym(RTLD_DEFAULT, "getPluginRegistry");
  return symbol == nullptr ? nullptr : reinterpret_cast<GetRegistry>(symbol)();
}

bool register_once() {
  static MixerCreator creator;
  static bool done = false;
  if (!done)
    if (IPluginRegistry* const known = registry()) done = known->registerCreator(creator, "");
  return done;
}

// At load, where TensorRT is there already; `edgesr_mixer_register` does it afterwards.
const bool registered_at_load = register_once();

}  // namespace edgesr

// 1: the plugin is known to TensorRT; 0: TensorRT is not loaded, or has another MambaMixer.
extern "C" int edgesr_mixer_register() { return edgesr::register_once() ? 1 : 0; }
// Release of TensorRT that this library was compiled for, 10000 major + 100 minor + patch.
extern "C" int edgesr_mixer_tensorrt() {
  return NV_TENSORRT_MAJOR * 10000 + NV_TENSORRT_MINOR * 100 + NV_TENSORRT_PATCH;
}
