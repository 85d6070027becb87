// A registry as libnvinfer has one: keeps one creator a name, and tries what was registered.
#include "NvInfer.h"

#include <cstring>
#include <vector>

using namespace nvinfer1;

class Registry : public IPluginRegistry {
 public:
  bool registerCreator(IPluginCreator& creator, const char*) noexcept override {
    if (kept != nullptr) return false;
    kept = &creator;
    return true;
  }
  IPluginCreator* kept = nullptr;
};

static Registry registry;

extern "C" IPluginRegistry* getPluginRegistry() { return &registry; }
extern "C" const char* registered() { return registry.kept ? registry.kept->getPluginName() : ""; }

// Make a plugin for a path, write it out, read it again, and return whether it is written the same.
extern "C" int round_trip(const int* path) {
  const char* names[] = {"reverse", "width", "height", "columns"};
  const int* values[] = {path + 3, path + 1, path + 0, path + 2};
  PluginField fields[4];
  for (int i = 0; i < 4; ++i) fields[i] = PluginField(names[i], values[i], PluginFieldType::kINT32, 1);
  PluginFieldCollection given{4, fields};
  IPluginV2* first = registry.kept->createPlugin("scan", &given);
  if (first == nullptr) return -1;
  std::vector<char> written(first->getSerializationSize());
  first->serialize(written.data());
  if (registry.kept->deserializePlugin("scan", written.data(), written.size() - 1) != nullptr) return -2;
  IPluginV2* second = registry.kept->deserializePlugin("scan", written.data(), written.size());
  std::vector<char> again(second->getSerializationSize());
  second->serialize(again.data());
  const bool same = written == again && std::memcmp(written.data(), path, 4 * sizeof(int)) == 0;
  first->destroy();
  second->destroy();
  return same;
}
