// SPDX-License-Identifier: Apache-2.0
#include "vision/onnxruntime.hpp"

#include <dlfcn.h>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <malloc.h>

#include <array>
#include <cstdlib>
#include <utility>

#include "base/error.hpp"
#include "vision/onnxruntime_abi.hpp"

namespace andon::vision {

using base::Error;
using base::ErrorCode;
namespace fs = base::fs;

namespace {

constexpr std::array<const char*, 2> kLibraryNames{"libonnxruntime.so.1", "libonnxruntime.so"};

// Where to look, in order; a path without a folder is looked for by the dynamic linker.
std::vector<fs::path> library_candidates(const fs::path& explicit_path) {
  std::vector<fs::path> candidates;
  const auto add_folder = [&](const fs::path& folder) {
    for (const char* name : kLibraryNames) candidates.push_back(folder / name);
  };
  if (!explicit_path.empty()) {
    if (!fs::is_directory(explicit_path)) return {explicit_path};
    add_folder(explicit_path);
    return candidates;
  }
  if (const char* root = std::getenv("ONNXRUNTIME_ROOT"); root != nullptr && *root != '\0') {
    add_folder(root);
    add_folder(fs::path(root) / "lib");
  }
  std::error_code ignored;
  const fs::path program = fs::read_symlink("/proc/self/exe", ignored);
  if (!program.empty()) {
    add_folder(program.parent_path());
    add_folder(program.parent_path().parent_path() / "lib");
  }
  for (const char* name : kLibraryNames) candidates.emplace_back(name);
  return candidates;
}

struct LibraryCloser {
  void operator()(void* handle) const { dlclose(handle); }
};
using Library = std::unique_ptr<void, LibraryCloser>;

struct OpenedLibrary {
  Library handle;
  fs::path path;
};

OpenedLibrary open_library(const fs::path& explicit_path) {
  std::string tried;
  for (const fs::path& candidate : library_candidates(explicit_path)) {
    if (candidate.has_parent_path() && !fs::exists(candidate)) {
      tried += fmt::format("\n  {}: not there", candidate.string());
      continue;
    }
    // Not unloaded at the end: it keeps global objects that it does not take down.
    constexpr int kFlags = RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE;
    if (void* handle = dlopen(candidate.c_str(), kFlags); handle != nullptr) {
      return {Library(handle), candidate};
    }
    const char* reason = dlerror();
    tried += fmt::format("\n  {}: {}", candidate.string(), reason == nullptr ? "?" : reason);
  }
  throw Error(ErrorCode::failed_precondition,
              fmt::format("ONNX Runtime (1.{} or newer) was not found; set ONNXRUNTIME_ROOT to the "
                          "folder of libonnxruntime.so.1, or run scripts/fetch-onnxruntime. "
                          "Tried:{}",
                          abi::kApiVersion, tried));
}

std::string_view element_type_name(abi::ElementType type) {
  constexpr std::array<std::string_view, 17> kNames{
      "undefined", "float32", "uint8",     "int8",       "uint16",  "int16",
      "int32",     "int64",   "string",    "bool",       "float16", "float64",
      "uint32",    "uint64",  "complex64", "complex128", "bfloat16"};
  const auto index = static_cast<std::size_t>(type);
  return index < kNames.size() ? kNames.at(index) : "unknown";
}

int level_of(SessionOptions::Optimization optimization) {
  switch (optimization) {
    case SessionOptions::Optimization::nothing:
      return abi::kOptimizeNothing;
    case SessionOptions::Optimization::basic:
      return abi::kOptimizeBasic;
    case SessionOptions::Optimization::extended:
      return abi::kOptimizeExtended;
    case SessionOptions::Optimization::all:
      break;
  }
  return abi::kOptimizeAll;
}

// The allocator that ONNX Runtime sees; `info` is released by the owner.
struct RegisteredAllocator : abi::OwnAllocator {
  TensorMemory memory;
  abi::MemoryInfo* memory_info = nullptr;

  RegisteredAllocator() : abi::OwnAllocator{abi::kApiVersion, take, put_back, describe, take} {}

  static void* take(abi::OwnAllocator* self, std::size_t bytes) {
    return static_cast<RegisteredAllocator*>(self)->memory.allocate(bytes);
  }
  static void put_back(abi::OwnAllocator* self, void* block) {
    static_cast<RegisteredAllocator*>(self)->memory.give_back(block);
  }
  static const abi::MemoryInfo* describe(const abi::OwnAllocator* self) {
    return static_cast<const RegisteredAllocator*>(self)->memory_info;
  }
};

}  // namespace

struct OnnxRuntime::Implementation {
  OpenedLibrary library;
  std::string version;
  abi::Api api{};
  RegisteredAllocator allocator;
  abi::Env* env = nullptr;
  bool is_registered = false;

  explicit Implementation(const fs::path& explicit_path) : library(open_library(explicit_path)) {
    const auto get_base =
        reinterpret_cast<abi::GetApiBase>(dlsym(library.handle.get(), "OrtGetApiBase"));
    if (get_base == nullptr) {
      throw Error(
          ErrorCode::failed_precondition,
          fmt::format("{} is not ONNX Runtime: it has no OrtGetApiBase", library.path.string()));
    }
    const abi::ApiBase* base = get_base();
    version = base->get_version_string();
    const void* const* slots = base->get_api(abi::kApiVersion);
    if (slots == nullptr) {
      throw Error(ErrorCode::failed_precondition,
                  fmt::format("{} is ONNX Runtime {}; 1.{} or newer is needed",
                              library.path.string(), version, abi::kApiVersion));
    }
    api = abi::read_api(slots);
    constexpr int kErrorsOnly = 3;
    check(api.create_env(kErrorsOnly, "andon", &env), "cannot start ONNX Runtime");
    constexpr int kDeviceAllocator = 0;
    constexpr int kDefaultMemory = 0;
    check(api.create_cpu_memory_info(kDeviceAllocator, kDefaultMemory, &allocator.memory_info),
          "cannot describe memory");
    check(api.register_allocator(env, &allocator), "cannot give ONNX Runtime its memory");
    is_registered = true;
  }
  Implementation(const Implementation&) = delete;
  Implementation& operator=(const Implementation&) = delete;
  ~Implementation() {
    if (is_registered) {
      abi::Status* status = api.unregister_allocator(env, allocator.memory_info);
      if (status != nullptr) api.release_status(status);
    }
    if (env != nullptr) api.release_env(env);
    if (allocator.memory_info != nullptr) api.release_memory_info(allocator.memory_info);
  }

  void check(abi::Status* status, std::string_view what_failed,
             ErrorCode code = ErrorCode::internal) const {
    if (status == nullptr) return;
    const std::string reason = api.get_error_message(status);
    api.release_status(status);
    throw Error(code, fmt::format("{}: {}", what_failed, reason));
  }
};

OnnxRuntime::OnnxRuntime(const fs::path& explicit_path)
    : implementation_(std::make_unique<Implementation>(explicit_path)) {}
OnnxRuntime::~OnnxRuntime() = default;

const std::string& OnnxRuntime::version() const {
  return implementation_->version;
}
TensorMemory::Counts OnnxRuntime::memory() const {
  return implementation_->allocator.memory.counts();
}
void OnnxRuntime::release_unused_memory() const {
  implementation_->allocator.memory.release_unused();
  malloc_trim(0);
}
const fs::path& OnnxRuntime::path() const {
  return implementation_->library.path;
}

std::size_t element_bytes(int element_type) {
  // By ONNX's numbers: undefined, float32, uint8, int8, uint16, int16, int32, int64, string, bool,
  // float16, float64, uint32, uint64, complex64, complex128, bfloat16.
  constexpr std::array<std::size_t, 17> kBytes{0, 4, 1, 1, 2, 2, 4, 8, 0, 1, 2, 8, 4, 8, 8, 16, 2};
  const auto index = static_cast<std::size_t>(element_type);
  return index < kBytes.size() ? kBytes.at(index) : 0;
}

std::string to_string(const TensorInfo& info) {
  std::string dimensions;
  for (const std::int64_t dimension : info.shape) {
    if (!dimensions.empty()) dimensions += ',';
    dimensions += dimension < 0 ? "?" : fmt::format("{}", dimension);
  }
  return fmt::format("{} {} [{}]", info.name, info.type_name, dimensions);
}

struct Session::Implementation {
  const OnnxRuntime::Implementation& runtime;
  const abi::Api& api;
  std::string name;
  abi::Session* session = nullptr;
  abi::MemoryInfo* memory = nullptr;
  abi::Allocator* allocator = nullptr;  // the runtime's own, never released
  std::vector<TensorInfo> inputs;
  std::vector<TensorInfo> outputs;
  std::map<std::string, std::string> metadata;

  std::vector<float> input;
  abi::Value* input_value = nullptr;
  // Made by the first run after bind_input(), then reused: runs do not allocate.
  abi::Value* output_value = nullptr;
  std::size_t output_index = 0;
  Output output;
  // Of the last run_tensors().
  std::vector<abi::Value*> tensor_values;
  std::vector<TensorView> tensor_views;

  Implementation(const OnnxRuntime::Implementation& owner, std::string_view model,
                 std::string_view model_name, const SessionOptions& options)
      : runtime(owner), api(owner.api), name(model_name) {
    try {
      open(model, options);
    } catch (...) {
      close();
      throw;
    }
  }
  Implementation(const Implementation&) = delete;
  Implementation& operator=(const Implementation&) = delete;
  ~Implementation() { close(); }

  void close() {
    drop_values();
    drop_tensors();
    if (memory != nullptr) api.release_memory_info(memory);
    if (session != nullptr) api.release_session(session);
    memory = nullptr;
    session = nullptr;
  }

  void drop_values() {
    if (input_value != nullptr) api.release_value(input_value);
    if (output_value != nullptr) api.release_value(output_value);
    input_value = nullptr;
    output_value = nullptr;
  }

  void drop_tensors() {
    tensor_views.clear();
    for (abi::Value* value : tensor_values) {
      if (value != nullptr) api.release_value(value);
    }
    tensor_values.clear();
  }

  void check(abi::Status* status, std::string_view what_failed,
             ErrorCode code = ErrorCode::internal) const {
    if (status != nullptr) {
      runtime.check(status, fmt::format("{}: {}", name, what_failed), code);
    }
  }

  void open(std::string_view model, const SessionOptions& options) {
    abi::SessionOptions* raw = nullptr;
    check(api.create_session_options(&raw), "cannot make session options");
    const auto release = [this](abi::SessionOptions* it) { api.release_session_options(it); };
    const std::unique_ptr<abi::SessionOptions, decltype(release)> settings(raw, release);
    check(api.set_intra_op_threads(raw, options.threads), "cannot set threads");
    check(api.set_inter_op_threads(raw, 1), "cannot set threads");
    check(api.set_graph_optimization_level(raw, level_of(options.optimization)),
          "cannot set optimisation");
    if (!options.profile_prefix.empty()) {
      check(api.enable_profiling(raw, options.profile_prefix.c_str()), "cannot turn profiling on");
    }
    check(api.disable_cpu_arena(raw), "cannot turn the arena off");
    check(api.add_session_config(raw, "session.use_env_allocators", "1"), "cannot set its memory");
    const char* spinning = options.waiting == SessionOptions::Waiting::spin ? "1" : "0";
    check(api.add_session_config(raw, "session.intra_op.allow_spinning", spinning),
          "cannot set spinning");
    check(api.add_session_config(raw, "session.inter_op.allow_spinning", spinning),
          "cannot set spinning");
    check(api.create_session_from_array(runtime.env, model.data(), model.size(), raw, &session),
          "ONNX Runtime cannot load it as a model", ErrorCode::invalid_argument);
    check(api.get_default_allocator(&allocator), "cannot get an allocator");
    constexpr int kDeviceAllocator = 0;
    constexpr int kDefaultMemory = 0;
    check(api.create_cpu_memory_info(kDeviceAllocator, kDefaultMemory, &memory),
          "cannot describe memory");
    read_tensors();
    read_metadata();
    // Loading leaves about as much free memory behind as the model is large.
    malloc_trim(0);
  }

  std::string take_text(char* text) const {
    std::string result = text == nullptr ? "" : text;
    if (text != nullptr) check(api.allocator_free(allocator, text), "cannot free a text");
    return result;
  }

  void read_tensors() {
    std::size_t count = 0;
    check(api.session_input_count(session, &count), "cannot count inputs");
    for (std::size_t i = 0; i < count; ++i) {
      char* text = nullptr;
      abi::TypeInfo* type = nullptr;
      check(api.session_input_name(session, i, allocator, &text), "cannot read an input's name");
      check(api.session_input_type(session, i, &type), "cannot read an input's type");
      inputs.push_back(describe(take_text(text), type));
    }
    check(api.session_output_count(session, &count), "cannot count outputs");
    for (std::size_t i = 0; i < count; ++i) {
      char* text = nullptr;
      abi::TypeInfo* type = nullptr;
      check(api.session_output_name(session, i, allocator, &text), "cannot read an output's name");
      check(api.session_output_type(session, i, &type), "cannot read an output's type");
      outputs.push_back(describe(take_text(text), type));
    }
  }

  TensorInfo describe(std::string tensor_name, abi::TypeInfo* raw) const {
    const auto release = [this](abi::TypeInfo* it) { api.release_type_info(it); };
    const std::unique_ptr<abi::TypeInfo, decltype(release)> type(raw, release);
    TensorInfo info;
    info.name = std::move(tensor_name);
    const abi::TensorInfo* tensor = nullptr;
    check(api.type_as_tensor(raw, &tensor), "cannot read a type");
    if (tensor == nullptr) {
      info.type_name = "not a tensor";
      return info;
    }
    read_shape(tensor, info);
    return info;
  }

  void read_shape(const abi::TensorInfo* tensor, TensorInfo& info) const {
    abi::ElementType type{};
    check(api.tensor_element_type(tensor, &type), "cannot read an element type");
    info.type = type == abi::ElementType::float32 ? ElementType::float32 : ElementType::other;
    info.element_type = static_cast<int>(type);
    info.type_name = element_type_name(type);
    std::size_t rank = 0;
    check(api.tensor_rank(tensor, &rank), "cannot read a rank");
    info.shape.resize(rank);
    check(api.tensor_shape(tensor, info.shape.data(), rank), "cannot read a shape");
  }

  void read_metadata() {
    abi::ModelMetadata* raw = nullptr;
    check(api.session_metadata(session, &raw), "cannot read metadata");
    const auto release = [this](abi::ModelMetadata* it) { api.release_metadata(it); };
    const std::unique_ptr<abi::ModelMetadata, decltype(release)> map(raw, release);
    char** keys = nullptr;
    std::int64_t count = 0;
    check(api.metadata_keys(raw, allocator, &keys, &count), "cannot read metadata");
    for (std::int64_t i = 0; i < count; ++i) {
      char* value = nullptr;
      check(api.metadata_value(raw, allocator, keys[i], &value), "cannot read metadata");
      std::string key = take_text(keys[i]);
      metadata.emplace(std::move(key), take_text(value));
    }
    if (keys != nullptr) check(api.allocator_free(allocator, keys), "cannot free metadata");
  }

  std::span<float> bind_input(const std::vector<std::int64_t>& shape) {
    drop_values();
    std::size_t count = 1;
    for (const std::int64_t dimension : shape) count *= static_cast<std::size_t>(dimension);
    input.assign(count, 0.0F);
    check(api.create_tensor_with_data(memory, input.data(), count * sizeof(float), shape.data(),
                                      shape.size(), abi::ElementType::float32, &input_value),
          "cannot make the input tensor");
    return input;
  }

  const Output& run(std::size_t index) {
    if (output_value != nullptr && index != output_index) {
      api.release_value(output_value);
      output_value = nullptr;
    }
    const bool is_first = output_value == nullptr;
    output_index = index;
    const char* input_name = inputs.at(0).name.c_str();
    const char* output_name = outputs.at(index).name.c_str();
    const abi::Value* const values[] = {input_value};
    check(api.run(session, nullptr, &input_name, values, 1, &output_name, 1, &output_value),
          "running the model failed", ErrorCode::invalid_argument);
    if (is_first) read_output();
    return output;
  }

  const std::vector<TensorView>& run_tensors(std::span<const NamedTensor> given,
                                             std::span<const std::string> wanted) {
    drop_tensors();
    const auto release = [this](abi::Value* it) { api.release_value(it); };
    std::vector<std::unique_ptr<abi::Value, decltype(release)>> owned;
    std::vector<const abi::Value*> values;
    std::vector<const char*> given_names;
    for (const NamedTensor& it : given) {
      abi::Value* value = nullptr;
      // ONNX Runtime takes memory that may be written, but does not write to inputs.
      auto* data = const_cast<std::byte*>(it.tensor.bytes.data());
      check(api.create_tensor_with_data(memory, data, it.tensor.bytes.size(),
                                        it.tensor.shape.data(), it.tensor.shape.size(),
                                        static_cast<abi::ElementType>(it.tensor.element_type),
                                        &value),
            "cannot make an input tensor");
      owned.emplace_back(value, release);
      values.push_back(value);
      given_names.push_back(it.name.c_str());
    }
    std::vector<const char*> wanted_names;
    for (const std::string& it : wanted) wanted_names.push_back(it.c_str());
    tensor_values.assign(wanted.size(), nullptr);
    check(api.run(session, nullptr, given_names.data(), values.data(), values.size(),
                  wanted_names.data(), wanted_names.size(), tensor_values.data()),
          "running the model failed", ErrorCode::invalid_argument);
    for (std::size_t i = 0; i < wanted.size(); ++i) {
      tensor_views.push_back(view(tensor_values[i], wanted[i]));
    }
    return tensor_views;
  }

  TensorView view(abi::Value* value, const std::string& tensor_name) const {
    abi::TensorInfo* raw = nullptr;
    check(api.value_tensor_info(value, &raw), fmt::format("{} is not a tensor", tensor_name),
          ErrorCode::unsupported);
    const auto release = [this](abi::TensorInfo* it) { api.release_tensor_info(it); };
    const std::unique_ptr<abi::TensorInfo, decltype(release)> info(raw, release);
    TensorInfo description;
    read_shape(raw, description);
    std::size_t bytes = element_bytes(description.element_type);
    if (bytes == 0) {
      throw Error(ErrorCode::unsupported, fmt::format("{}: {} is a tensor of {}", name, tensor_name,
                                                      description.type_name));
    }
    for (const std::int64_t dimension : description.shape) {
      bytes *= static_cast<std::size_t>(dimension);
    }
    void* data = nullptr;
    check(api.value_data(value, &data), "cannot read an output");
    return {
        description.element_type, description.shape, {static_cast<const std::byte*>(data), bytes}};
  }

  void read_output() {
    abi::TensorInfo* raw = nullptr;
    check(api.value_tensor_info(output_value, &raw), "its output is not a tensor",
          ErrorCode::invalid_argument);
    const auto release = [this](abi::TensorInfo* it) { api.release_tensor_info(it); };
    const std::unique_ptr<abi::TensorInfo, decltype(release)> info(raw, release);
    TensorInfo description;
    read_shape(raw, description);
    if (description.type != ElementType::float32) {
      throw Error(ErrorCode::invalid_argument,
                  fmt::format("{}: its output is {}, not float32", name, description.type_name));
    }
    std::size_t count = 1;
    for (const std::int64_t dimension : description.shape) {
      count *= static_cast<std::size_t>(dimension);
    }
    void* data = nullptr;
    check(api.value_data(output_value, &data), "cannot read its output");
    output = {{static_cast<const float*>(data), count}, description.shape};
  }
};

Session::Session(const OnnxRuntime& runtime, std::string_view model, std::string_view name,
                 const SessionOptions& options)
    : implementation_(
          std::make_unique<Implementation>(*runtime.implementation_, model, name, options)) {}
Session::~Session() = default;

const std::vector<TensorInfo>& Session::inputs() const {
  return implementation_->inputs;
}
const std::vector<TensorInfo>& Session::outputs() const {
  return implementation_->outputs;
}
const std::map<std::string, std::string>& Session::metadata() const {
  return implementation_->metadata;
}
std::span<float> Session::bind_input(const std::vector<std::int64_t>& shape) {
  return implementation_->bind_input(shape);
}
const Session::Output& Session::run(std::size_t index) {
  return implementation_->run(index);
}
const std::vector<TensorView>& Session::run_tensors(std::span<const NamedTensor> inputs,
                                                    std::span<const std::string> outputs) {
  return implementation_->run_tensors(inputs, outputs);
}

}  // namespace andon::vision
