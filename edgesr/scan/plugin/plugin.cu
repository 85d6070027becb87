// The library of TensorRT plugins, for TensorRT 8.5 to 11: `MambaMixer` and `TokenNorm`, version "2".
//
// The library is not linked to libnvinfer: it registers its plugins with the one that the process has
// loaded, so that one file serves `ctypes.CDLL`, `trtexec --plugins` and programs in C++.
#include <NvInfer.h>
#include <dlfcn.h>

#include <string>

#include "cuda.cuh"

#include "c_symbols.cuh"
#include "mixer_plugin.cuh"
#include "norm_plugin.cuh"

namespace edgesr {

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

// Whether TensorRT has the plugin, from now on or already.
template <typename Fields>
bool registered(IPluginRegistry& known) {
  static TokenCreator<Fields> creator;
  static bool done = false;
  if (!done) done = known.registerCreator(creator, "");
  return done;
}

bool register_once() {
  IPluginRegistry* const known = registry();
  return known != nullptr && registered<MixerFields>(*known) && registered<NormFields>(*known);
}

// At load, where TensorRT is there already; `edgesr_plugin_register` does it afterwards.
const bool registered_at_load = register_once();

}  // namespace edgesr

// 1: the plugins are known to TensorRT; 0: TensorRT is not loaded, or has others of their names.
extern "C" int edgesr_plugin_register() { return edgesr::register_once() ? 1 : 0; }
// Release of TensorRT that this library was compiled for, 10000 major + 100 minor + patch.
extern "C" int edgesr_plugin_tensorrt() {
  return NV_TENSORRT_MAJOR * 10000 + NV_TENSORRT_MINOR * 100 + NV_TENSORRT_PATCH;
}
