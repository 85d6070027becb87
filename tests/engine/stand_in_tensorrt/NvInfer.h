// A stand-in for TensorRT's header where there is none: what a plugin touches of it, no more.
//
// With it nvcc really compiles the plugin and ctypes really loads it; nothing is said about whether
// TensorRT takes it.
#pragma once

#include <cuda_runtime.h>

#include <cstddef>
#include <cstdint>

#include "NvInferVersion.h"

namespace nvinfer1 {

enum class DataType : int32_t { kFLOAT = 0, kHALF = 1 };
enum class TensorFormat : int32_t { kLINEAR = 0, kHWC8 = 2, kHWC = 8 };
enum class PluginFieldType : int32_t { kFLOAT32 = 1, kINT32 = 5 };

struct Dims {
  int32_t nbDims, d[8];
};
class IDimensionExpr {};
class IExprBuilder {
 public:
  virtual ~IExprBuilder() = default;
  virtual const IDimensionExpr* constant(int32_t) = 0;
};
struct DimsExprs {
  int32_t nbDims;
  const IDimensionExpr* d[8];
};
struct PluginTensorDesc {
  Dims dims;
  DataType type;
  TensorFormat format;
  float scale;
};
struct DynamicPluginTensorDesc {
  PluginTensorDesc desc;
  Dims min, max;
};
struct PluginField {
  const char* name = nullptr;
  const void* data = nullptr;
  PluginFieldType type = PluginFieldType::kINT32;
  int32_t length = 0;
  PluginField() = default;
  PluginField(const char* n, const void* d, PluginFieldType t, int32_t l) : name(n), data(d), type(t), length(l) {}
};
struct PluginFieldCollection {
  int32_t nbFields;
  const PluginField* fields;
};

class IPluginV2 {
 public:
  virtual ~IPluginV2() = default;
  virtual const char* getPluginType() const noexcept = 0;
  virtual const char* getPluginVersion() const noexcept = 0;
  virtual int32_t getNbOutputs() const noexcept = 0;
  virtual int32_t initialize() noexcept = 0;
  virtual void terminate() noexcept = 0;
  virtual size_t getSerializationSize() const noexcept = 0;
  virtual void serialize(void*) const noexcept = 0;
  virtual void destroy() noexcept = 0;
  virtual void setPluginNamespace(const char*) noexcept = 0;
  virtual const char* getPluginNamespace() const noexcept = 0;
  virtual DataType getOutputDataType(int32_t, const DataType*, int32_t) const noexcept = 0;
};

class IPluginV2DynamicExt : public IPluginV2 {
 public:
  virtual IPluginV2DynamicExt* clone() const noexcept = 0;
  virtual DimsExprs getOutputDimensions(int32_t, const DimsExprs*, int32_t, IExprBuilder&) noexcept = 0;
  virtual bool supportsFormatCombination(int32_t, const PluginTensorDesc*, int32_t, int32_t) noexcept = 0;
  virtual void configurePlugin(const DynamicPluginTensorDesc*, int32_t, const DynamicPluginTensorDesc*,
                               int32_t) noexcept = 0;
  virtual size_t getWorkspaceSize(const PluginTensorDesc*, int32_t, const PluginTensorDesc*,
                                  int32_t) const noexcept = 0;
  virtual int32_t enqueue(const PluginTensorDesc*, const PluginTensorDesc*, const void* const*, void* const*, void*,
                          cudaStream_t) noexcept = 0;
};

class IPluginCreator {
 public:
  virtual ~IPluginCreator() = default;
  virtual const char* getPluginName() const noexcept = 0;
  virtual const char* getPluginVersion() const noexcept = 0;
  virtual const PluginFieldCollection* getFieldNames() noexcept = 0;
  virtual IPluginV2* createPlugin(const char*, const PluginFieldCollection*) noexcept = 0;
  virtual IPluginV2* deserializePlugin(const char*, const void*, size_t) noexcept = 0;
  virtual void setPluginNamespace(const char*) noexcept = 0;
  virtual const char* getPluginNamespace() const noexcept = 0;
};

class IPluginRegistry {
 public:
  virtual bool registerCreator(IPluginCreator&, const char*) noexcept = 0;
};

}  // namespace nvinfer1
