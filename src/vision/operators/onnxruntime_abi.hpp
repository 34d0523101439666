// SPDX-License-Identifier: Apache-2.0
// The few entries of ONNX Runtime's C interface that andon calls. OrtApi is a table of function
// pointers to which every release only appends, so an entry's place is fixed for ever; the places
// below are those of the public header onnxruntime_c_api.h, and the tests check them against the
// real library. Declared here because the official packages for Linux carry no headers.
// Internal to vision/.
#pragma once

#include <cstddef>
#include <cstdint>

namespace andon::vision::abi {

inline constexpr std::uint32_t kApiVersion = 22;
inline constexpr int kOptimizeNothing = 0;
inline constexpr int kOptimizeBasic = 1;
inline constexpr int kOptimizeExtended = 2;
inline constexpr int kOptimizeAll = 99;

struct Env;
struct Status;
struct Session;
struct SessionOptions;
struct RunOptions;
struct MemoryInfo;
struct Allocator;
struct Value;
struct TypeInfo;
struct TensorInfo;
struct ModelMetadata;
struct CudaOptions;
struct TensorRtOptions;
struct OperatorDomain;
struct KernelInfo;
struct KernelContext;

enum class ElementType : int {
  undefined = 0,
  float32 = 1,
  uint8 = 2,
  int8 = 3,
  int32 = 6,
  int64 = 7
};
enum class Arity : int { required = 0, optional = 1, variadic = 2 };
inline constexpr int kFail = 1;
inline constexpr int kInvalidArgument = 2;

struct ApiBase {
  const void* const* (*get_api)(std::uint32_t version);
  const char* (*get_version_string)();
};
using GetApiBase = const ApiBase* (*)();

// What ONNX Runtime calls for memory; it reads as many members as `version` has.
struct OwnAllocator {
  std::uint32_t version;
  void* (*allocate)(OwnAllocator*, std::size_t bytes);
  void (*give_back)(OwnAllocator*, void* block);
  const MemoryInfo* (*info)(const OwnAllocator*);
  void* (*reserve)(OwnAllocator*, std::size_t bytes);
};

// An operator that ONNX Runtime does not have: what it is called, what it takes, and how it is run.
// It reads as many members as `version` has; functions that may be null are left so.
struct Operator {
  std::uint32_t version;
  void* (*create_kernel_of_old)(const Operator*, const void* const* api, const KernelInfo*);
  const char* (*name)(const Operator*);
  const char* (*provider)(const Operator*);  // null: the CPU
  ElementType (*input_type)(const Operator*, std::size_t index);
  std::size_t (*input_count)(const Operator*);
  ElementType (*output_type)(const Operator*, std::size_t index);
  std::size_t (*output_count)(const Operator*);
  void (*run_of_old)(void* kernel, KernelContext*);
  void (*destroy_kernel)(void* kernel);
  Arity (*input_arity)(const Operator*, std::size_t index);
  Arity (*output_arity)(const Operator*, std::size_t index);
  int (*input_memory)(const Operator*, std::size_t index);
  int (*fewest_inputs)(const Operator*);  // of a variadic one
  int (*inputs_are_alike)(const Operator*);
  int (*fewest_outputs)(const Operator*);
  int (*outputs_are_alike)(const Operator*);
  Status* (*create_kernel)(const Operator*, const void* const* api, const KernelInfo*,
                           void** kernel);
  Status* (*run)(void* kernel, KernelContext*);
  Status* (*infer_shape)(const Operator*, void* context);
  int (*first_version)(const Operator*);
  int (*last_version)(const Operator*);
  // How many outputs may lie where an input lies, and which: arrays that the second one frees.
  std::size_t (*may_share)(int** inputs, int** outputs);
  void (*free_may_share)(int* inputs, int* outputs);
  std::size_t (*must_share)(int** inputs, int** outputs);
  void (*free_must_share)(int* inputs, int* outputs);
};

// A null Status is success; any other is released by the caller.
struct Api {
  Status* (*create_status)(int code, const char* message);
  const char* (*get_error_message)(const Status*);
  Status* (*create_env)(int log_level, const char* log_id, Env**);
  Status* (*create_session_from_array)(const Env*, const void* model, std::size_t bytes,
                                       const SessionOptions*, Session**);
  Status* (*run)(Session*, const RunOptions*, const char* const* input_names,
                 const Value* const* inputs, std::size_t input_count,
                 const char* const* output_names, std::size_t output_count, Value** outputs);
  Status* (*create_session_options)(SessionOptions**);
  Status* (*enable_profiling)(SessionOptions*, const char* file_prefix);
  Status* (*disable_cpu_arena)(SessionOptions*);
  Status* (*set_graph_optimization_level)(SessionOptions*, int level);
  Status* (*set_intra_op_threads)(SessionOptions*, int count);
  Status* (*set_inter_op_threads)(SessionOptions*, int count);
  Status* (*create_operator_domain)(const char* name, OperatorDomain**);
  Status* (*add_operator)(OperatorDomain*, const Operator*);  // kept, not copied
  Status* (*use_operator_domain)(SessionOptions*, OperatorDomain*);
  Status* (*session_input_count)(const Session*, std::size_t*);
  Status* (*session_output_count)(const Session*, std::size_t*);
  Status* (*session_input_type)(const Session*, std::size_t index, TypeInfo**);
  Status* (*session_output_type)(const Session*, std::size_t index, TypeInfo**);
  Status* (*session_input_name)(const Session*, std::size_t index, Allocator*, char**);
  Status* (*session_output_name)(const Session*, std::size_t index, Allocator*, char**);
  Status* (*create_tensor_with_data)(const MemoryInfo*, void* data, std::size_t bytes,
                                     const std::int64_t* shape, std::size_t rank, ElementType,
                                     Value**);
  Status* (*value_data)(Value*, void**);
  Status* (*type_as_tensor)(const TypeInfo*, const TensorInfo**);  // null for other types
  Status* (*tensor_element_type)(const TensorInfo*, ElementType*);
  Status* (*tensor_rank)(const TensorInfo*, std::size_t*);
  Status* (*tensor_shape)(const TensorInfo*, std::int64_t* dimensions, std::size_t rank);
  Status* (*tensor_elements)(const TensorInfo*, std::size_t*);
  Status* (*value_tensor_info)(const Value*, TensorInfo**);
  Status* (*create_cpu_memory_info)(int allocator_type, int memory_type, MemoryInfo**);
  Status* (*allocator_free)(Allocator*, void*);
  Status* (*get_default_allocator)(Allocator**);
  // With a null `text` only the size is given, the end mark included.
  Status* (*attribute_integer)(const KernelInfo*, const char* name, std::int64_t*);
  Status* (*attribute_text)(const KernelInfo*, const char* name, char* text, std::size_t* size);
  // With null `values` only how many there are is given.
  Status* (*attribute_integers)(const KernelInfo*, const char* name, std::int64_t* values,
                                std::size_t* count);
  Status* (*kernel_info_inputs)(const KernelInfo*, std::size_t*);  // how many the node has
  // Null where no initialiser gives that input.
  Status* (*constant_input)(const KernelInfo*, std::size_t index, int* is_constant, const Value**);
  Status* (*kernel_input_count)(const KernelContext*, std::size_t*);
  Status* (*kernel_input)(const KernelContext*, std::size_t index, const Value**);
  Status* (*kernel_output)(KernelContext*, std::size_t index, const std::int64_t* shape,
                           std::size_t rank, Value**);
  // Calls `work` for each number below `total`, on the session's threads; 0 batches: as it thinks.
  Status* (*kernel_share)(const KernelContext*, void (*work)(void* data, std::size_t index),
                          std::size_t total, std::size_t batches, void* data);
  void (*release_env)(Env*);
  void (*release_status)(Status*);
  void (*release_memory_info)(MemoryInfo*);
  void (*release_session)(Session*);
  void (*release_value)(Value*);
  void (*release_type_info)(TypeInfo*);
  void (*release_tensor_info)(TensorInfo*);
  void (*release_session_options)(SessionOptions*);
  void (*release_operator_domain)(OperatorDomain*);
  Status* (*session_metadata)(const Session*, ModelMetadata**);
  Status* (*metadata_value)(const ModelMetadata*, Allocator*, const char* key, char**);
  void (*release_metadata)(ModelMetadata*);
  Status* (*metadata_keys)(const ModelMetadata*, Allocator*, char*** keys, std::int64_t* count);
  Status* (*register_allocator)(Env*, OwnAllocator*);
  Status* (*unregister_allocator)(Env*, const MemoryInfo*);
  Status* (*add_session_config)(SessionOptions*, const char* key, const char* value);
  // Copies what it needs of them when the session is created.
  Status* (*add_external_weights)(SessionOptions*, const char* const* names, char* const* contents,
                                  const std::size_t* bytes, std::size_t count);
  Status* (*get_providers)(char*** names, int* count);
  Status* (*release_providers)(char** names, int count);
  Status* (*append_provider)(SessionOptions*, const char* name, const char* const* keys,
                             const char* const* values, std::size_t count);
  // CUDA and TensorRT are not among the providers that append_provider takes.
  Status* (*append_cuda)(SessionOptions*, const CudaOptions*);
  Status* (*create_cuda_options)(CudaOptions**);
  Status* (*update_cuda_options)(CudaOptions*, const char* const* keys, const char* const* values,
                                 std::size_t count);
  void (*release_cuda_options)(CudaOptions*);
  Status* (*append_tensorrt)(SessionOptions*, const TensorRtOptions*);
  Status* (*create_tensorrt_options)(TensorRtOptions**);
  Status* (*update_tensorrt_options)(TensorRtOptions*, const char* const* keys,
                                     const char* const* values, std::size_t count);
  void (*release_tensorrt_options)(TensorRtOptions*);
};

namespace detail {
template <typename Function>
void read(const void* const* slots, std::size_t place, Function& function) {
  function = reinterpret_cast<Function>(const_cast<void*>(slots[place]));
}
}  // namespace detail

inline Api read_api(const void* const* slots) {
  Api api{};
  detail::read(slots, 0, api.create_status);                  // CreateStatus
  detail::read(slots, 2, api.get_error_message);              // GetErrorMessage
  detail::read(slots, 3, api.create_env);                     // CreateEnv
  detail::read(slots, 8, api.create_session_from_array);      // CreateSessionFromArray
  detail::read(slots, 9, api.run);                            // Run
  detail::read(slots, 10, api.create_session_options);        // CreateSessionOptions
  detail::read(slots, 14, api.enable_profiling);              // EnableProfiling
  detail::read(slots, 19, api.disable_cpu_arena);             // DisableCpuMemArena
  detail::read(slots, 23, api.set_graph_optimization_level);  // SetSessionGraphOptimizationLevel
  detail::read(slots, 24, api.set_intra_op_threads);          // SetIntraOpNumThreads
  detail::read(slots, 25, api.set_inter_op_threads);          // SetInterOpNumThreads
  detail::read(slots, 26, api.create_operator_domain);        // CreateCustomOpDomain
  detail::read(slots, 27, api.add_operator);                  // CustomOpDomain_Add
  detail::read(slots, 28, api.use_operator_domain);           // AddCustomOpDomain
  detail::read(slots, 30, api.session_input_count);           // SessionGetInputCount
  detail::read(slots, 31, api.session_output_count);          // SessionGetOutputCount
  detail::read(slots, 33, api.session_input_type);            // SessionGetInputTypeInfo
  detail::read(slots, 34, api.session_output_type);           // SessionGetOutputTypeInfo
  detail::read(slots, 36, api.session_input_name);            // SessionGetInputName
  detail::read(slots, 37, api.session_output_name);           // SessionGetOutputName
  detail::read(slots, 49, api.create_tensor_with_data);       // CreateTensorWithDataAsOrtValue
  detail::read(slots, 51, api.value_data);                    // GetTensorMutableData
  detail::read(slots, 55, api.type_as_tensor);                // CastTypeInfoToTensorInfo
  detail::read(slots, 60, api.tensor_element_type);           // GetTensorElementType
  detail::read(slots, 61, api.tensor_rank);                   // GetDimensionsCount
  detail::read(slots, 62, api.tensor_shape);                  // GetDimensions
  detail::read(slots, 64, api.tensor_elements);               // GetTensorShapeElementCount
  detail::read(slots, 65, api.value_tensor_info);             // GetTensorTypeAndShape
  detail::read(slots, 69, api.create_cpu_memory_info);        // CreateCpuMemoryInfo
  detail::read(slots, 76, api.allocator_free);                // AllocatorFree
  detail::read(slots, 78, api.get_default_allocator);         // GetAllocatorWithDefaultOptions
  detail::read(slots, 86, api.attribute_integer);             // KernelInfoGetAttribute_int64
  detail::read(slots, 87, api.attribute_text);                // KernelInfoGetAttribute_string
  detail::read(slots, 88, api.kernel_input_count);            // KernelContext_GetInputCount
  detail::read(slots, 90, api.kernel_input);                  // KernelContext_GetInput
  detail::read(slots, 91, api.kernel_output);                 // KernelContext_GetOutput
  detail::read(slots, 92, api.release_env);                   // ReleaseEnv
  detail::read(slots, 93, api.release_status);                // ReleaseStatus
  detail::read(slots, 94, api.release_memory_info);           // ReleaseMemoryInfo
  detail::read(slots, 95, api.release_session);               // ReleaseSession
  detail::read(slots, 96, api.release_value);                 // ReleaseValue
  detail::read(slots, 98, api.release_type_info);             // ReleaseTypeInfo
  detail::read(slots, 99, api.release_tensor_info);           // ReleaseTensorTypeAndShapeInfo
  detail::read(slots, 100, api.release_session_options);      // ReleaseSessionOptions
  detail::read(slots, 101, api.release_operator_domain);      // ReleaseCustomOpDomain
  detail::read(slots, 111, api.session_metadata);             // SessionGetModelMetadata
  detail::read(slots, 116, api.metadata_value);      // ModelMetadataLookupCustomMetadataMap
  detail::read(slots, 118, api.release_metadata);    // ReleaseModelMetadata
  detail::read(slots, 123, api.metadata_keys);       // ModelMetadataGetCustomMetadataMapKeys
  detail::read(slots, 125, api.get_providers);       // GetAvailableProviders
  detail::read(slots, 126, api.release_providers);   // ReleaseAvailableProviders
  detail::read(slots, 130, api.add_session_config);  // AddSessionConfigEntry
  detail::read(slots, 163, api.attribute_integers);  // KernelInfoGetAttributeArray_int64
  detail::read(slots, 170,
               api.append_tensorrt);  // SessionOptionsAppendExecutionProvider_TensorRT_V2
  detail::read(slots, 171, api.create_tensorrt_options);   // CreateTensorRTProviderOptions
  detail::read(slots, 172, api.update_tensorrt_options);   // UpdateTensorRTProviderOptions
  detail::read(slots, 174, api.release_tensorrt_options);  // ReleaseTensorRTProviderOptions
  detail::read(slots, 176, api.register_allocator);        // RegisterAllocator
  detail::read(slots, 177, api.unregister_allocator);      // UnregisterAllocator
  detail::read(slots, 204, api.append_cuda);  // SessionOptionsAppendExecutionProvider_CUDA_V2
  detail::read(slots, 205, api.create_cuda_options);   // CreateCUDAProviderOptions
  detail::read(slots, 206, api.update_cuda_options);   // UpdateCUDAProviderOptions
  detail::read(slots, 208, api.release_cuda_options);  // ReleaseCUDAProviderOptions
  detail::read(slots, 216, api.append_provider);       // SessionOptionsAppendExecutionProvider
  detail::read(slots, 230, api.kernel_info_inputs);    // KernelInfo_GetInputCount
  detail::read(slots, 249, api.constant_input);        // KernelInfoGetConstantInput_tensor
  detail::read(slots, 274, api.kernel_share);          // KernelContext_ParallelFor
  detail::read(slots, 279, api.add_external_weights);  // AddExternalInitializersFromFilesInMemory
  return api;
}

}  // namespace andon::vision::abi
