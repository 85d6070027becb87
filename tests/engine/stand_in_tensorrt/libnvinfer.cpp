// A registry as libnvinfer has one: keeps one creator a name, and tries what was registered.
#include "NvInfer.h"

#include <cstring>
#include <map>
#include <string>
#include <vector>

using namespace nvinfer1;

class Registry : public IPluginRegistry {
 public:
  bool registerCreator(IPluginCreator& creator, const char*) noexcept override {
    return kept.emplace(creator.getPluginName(), &creator).second;
  }
  std::map<std::string, IPluginCreator*> kept;
};

static Registry registry;

extern "C" IPluginRegistry* getPluginRegistry() { return &registry; }
extern "C" const char* registered() {
  static std::string names;
  names.clear();
  for (const auto& entry : registry.kept) names += (names.empty() ? "" : ",") + entry.first;
  return names.c_str();
}

// Numbers and tensors for a mixer of E = 8, N = 1, R = 2, W = 4, or for a norm of 8 channels.
static const int E = 8;
static std::vector<float> numbers(int count) {
  std::vector<float> values(count);
  for (int i = 0; i < count; ++i) values[i] = 0.5f * float(i + count);
  return values;
}

// Make a plugin of a kind as a parser does, for a mixer's path (height, width, columns, reverse).
//
// short_field: name of a tensor that is given one value too few; absent: of a field that is not given.
static IPluginV2* made(const char* kind, const int* path, const char* short_field, const char* absent) {
  std::map<std::string, std::vector<float>> tensors;
  const bool mixer = std::strcmp(kind, "MambaMixer") == 0;
  if (mixer) {
    tensors = {{"conv", numbers(4 * E)}, {"conv_bias", numbers(E)}, {"x_proj", numbers(4 * E)},
               {"dt_proj", numbers(2 * E)}, {"dt_bias", numbers(E)}, {"A", numbers(E)}, {"D", numbers(E)}};
  } else {
    tensors = {{"weight", numbers(E)}, {"bias", numbers(E)}, {"epsilon", {1e-5f}}};
  }
  std::vector<PluginField> fields;
  if (mixer) {
    const char* names[] = {"reverse", "width", "height", "columns"};
    const int* values[] = {path + 3, path + 1, path + 0, path + 2};
    for (int i = 0; i < 4; ++i)
      if (std::strcmp(names[i], absent)) fields.emplace_back(names[i], values[i], PluginFieldType::kINT32, 1);
  }
  for (auto& entry : tensors) {
    if (entry.first == absent) continue;
    if (entry.first == short_field) entry.second.pop_back();
    const int length = int(entry.second.size());
    fields.emplace_back(entry.first.c_str(), entry.second.data(), PluginFieldType::kFLOAT32, length);
  }
  PluginFieldCollection given{int32_t(fields.size()), fields.data()};
  return registry.kept.at(kind)->createPlugin("scan", &given);
}

extern "C" int is_made(const char* kind, const int* path, const char* short_field, const char* absent) {
  IPluginV2* plugin = made(kind, path, short_field, absent);
  if (plugin != nullptr) plugin->destroy();
  return plugin != nullptr;
}

// The names that a parser asks for, in the order in which the plugin states them.
extern "C" const char* fields(const char* kind) {
  static std::string names;
  names.clear();
  const PluginFieldCollection* known = registry.kept.at(kind)->getFieldNames();
  for (int i = 0; i < known->nbFields; ++i) names += (i ? "," : "") + std::string(known->fields[i].name);
  return names.c_str();
}

// Write a plugin out, read it again, and return whether it is written the same.
extern "C" int round_trip(const char* kind, const int* path) {
  IPluginV2* first = made(kind, path, "", "");
  if (first == nullptr) return -1;
  std::vector<char> written(first->getSerializationSize());
  first->serialize(written.data());
  IPluginCreator* creator = registry.kept.at(kind);
  for (size_t length = 0; length < written.size(); ++length)
    if (creator->deserializePlugin("scan", written.data(), length) != nullptr) return -2;
  std::vector<char> longer(written);
  longer.push_back(0);
  if (creator->deserializePlugin("scan", longer.data(), longer.size()) != nullptr) return -3;
  IPluginV2* second = creator->deserializePlugin("scan", written.data(), written.size());
  std::vector<char> again(second->getSerializationSize());
  second->serialize(again.data());
  first->destroy();
  second->destroy();
  return written == again;
}

// Whether a plugin takes a type and a format in and the same out; axes: 3 for tokens, 4 for images.
extern "C" int takes(const char* kind, int axes, int channels, int type, int format) {
  const int path[] = {3, 5, 0, 0};
  auto* plugin = static_cast<IPluginV2DynamicExt*>(made(kind, path, "", ""));
  PluginTensorDesc tensors[2] = {};
  for (PluginTensorDesc& tensor : tensors) {
    tensor.dims.nbDims = axes;
    tensor.dims.d[0] = 1, tensor.dims.d[1] = channels, tensor.dims.d[2] = 3, tensor.dims.d[3] = 5;
    tensor.type = DataType(type), tensor.format = TensorFormat(format);
  }
  bool all = true;
  for (int place = 0; place < 2; ++place) all = all && plugin->supportsFormatCombination(place, tensors, 1, 1);
  tensors[1].type = DataType(1 - type);
  all = all && !plugin->supportsFormatCombination(1, tensors, 1, 1);
  plugin->destroy();
  return all;
}

class Number : public IDimensionExpr {
 public:
  explicit Number(int32_t v) : value(v) {}
  int32_t value;
};
class Numbers : public IExprBuilder {
 public:
  const IDimensionExpr* constant(int32_t value) override { return new Number(value); }
};

// Channels of the output for an input of (1, 15, channels) or (1, channels, 3, 5).
extern "C" int output_channels(const char* kind, int axes, int channels) {
  const int path[] = {3, 5, 0, 0};
  auto* plugin = static_cast<IPluginV2DynamicExt*>(made(kind, path, "", ""));
  Numbers builder;
  const int sizes[] = {1, axes == 4 ? channels : 15, axes == 4 ? 3 : channels, 5};
  DimsExprs given{axes, {}};
  for (int i = 0; i < axes; ++i) given.d[i] = builder.constant(sizes[i]);
  const DimsExprs y = plugin->getOutputDimensions(0, &given, 1, builder);
  plugin->destroy();
  const int axis = axes == 4 ? 1 : 2;
  for (int i = 0; i < axes; ++i)
    if (i != axis && static_cast<const Number*>(y.d[i])->value != sizes[i]) return -1;
  return y.nbDims == axes ? static_cast<const Number*>(y.d[axis])->value : -2;
}
