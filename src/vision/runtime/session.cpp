// SPDX-License-Identifier: Apache-2.0
#include "vision/runtime/session.hpp"

#include <fmt/format.h>
#include <malloc.h>

#include <algorithm>
#include <array>
#include <utility>

#include "base/error/error.hpp"
#include "vision/runtime/onnxruntime_library.hpp"
#include "vision/runtime/providers.hpp"

namespace andon::vision {

using base::Error;
using base::ErrorCode;

namespace {

std::string_view element_type_name(abi::ElementType type) {
  constexpr std::array<std::string_view, 17> kNames{
      "undefined", "float32", "uint8",     "int8",       "uint16",  "int16",
      "int32",     "int64",   "string",    "bool",       "float16", "float64",
      "uint32",    "uint64",  "complex64", "complex128", "bfloat16"};
  const auto index = static_cast<std::size_t>(type);
  return index < kNames.size() ? kNames.at(index) : "unknown";
}

ElementType understood(abi::ElementType type) {
  switch (type) {
    case abi::ElementType::float32:
      return ElementType::float32;
    case abi::ElementType::uint8:
      return ElementType::uint8;
    case abi::ElementType::int64:
      return ElementType::int64;
    default:
      return ElementType::other;
  }
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

// As ONNX Runtime wants it: a core for each thread but the caller's, counted from one.
std::string pool_affinities(const SessionOptions& options) {
  std::string text;
  const std::vector<int>& cores = options.pool_cores;
  for (int i = 0; !cores.empty() && i + 1 < options.threads; ++i) {
    if (!text.empty()) text += ';';
    text += fmt::format("{}", cores[static_cast<std::size_t>(i) % cores.size()] + 1);
  }
  return text;
}

std::size_t element_count(const std::vector<std::int64_t>& shape) {
  std::size_t count = 1;
  for (const std::int64_t dimension : shape) count *= static_cast<std::size_t>(dimension);
  return count;
}

}  // namespace

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

// What siblings share. ONNX Runtime allows runs of one session on several threads at once.
struct Session::Loaded {
  const OnnxRuntime::Implementation& runtime;
  const abi::Api& api;
  std::string name;
  abi::Session* session = nullptr;
  abi::MemoryInfo* memory = nullptr;
  abi::Allocator* allocator = nullptr;  // the runtime's own, never released
  std::vector<TensorInfo> inputs;
  std::vector<TensorInfo> outputs;
  std::map<std::string, std::string> metadata;
  std::string provider = "CPU";
  std::vector<std::string> passed_over;

  Loaded(const OnnxRuntime::Implementation& owner, std::string_view model,
         std::string_view model_name, const SessionOptions& options)
      : runtime(owner), api(owner.api), name(model_name) {
    try {
      open(model, options);
    } catch (...) {
      close();
      throw;
    }
  }
  Loaded(const Loaded&) = delete;
  Loaded& operator=(const Loaded&) = delete;
  ~Loaded() { close(); }

  void close() {
    if (memory != nullptr) api.release_memory_info(memory);
    if (session != nullptr) api.release_session(session);
    memory = nullptr;
    session = nullptr;
  }

  void check(abi::Status* status, std::string_view what_failed,
             ErrorCode code = ErrorCode::internal) const {
    if (status != nullptr) {
      runtime.check(status, fmt::format("{}: {}", name, what_failed), code);
    }
  }

  void open(std::string_view model, const SessionOptions& options) {
    for (const std::string& wanted : options.providers) {
      if (open_with(wanted, model, options)) break;
    }
    if (session == nullptr) (void)open_with("CPU", model, options);
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

  // False, with the reason noted, where that provider cannot be had.
  bool open_with(std::string_view wanted, std::string_view model, const SessionOptions& options) {
    abi::SessionOptions* raw = nullptr;
    check(api.create_session_options(&raw), "cannot make session options");
    const auto release = [this](abi::SessionOptions* it) { api.release_session_options(it); };
    const std::unique_ptr<abi::SessionOptions, decltype(release)> settings(raw, release);
    set_options(raw, options);
    ProviderChoice choice = parse_provider(wanted);
    add_parallelism(choice, options.threads, options.runs);
    const std::string& provider_name = choice.name;
    if (auto problem = append_provider(runtime, raw, choice)) {
      passed_over.push_back(fmt::format("{}: {}", provider_name, *problem));
      return false;
    }
    abi::Status* status =
        api.create_session_from_array(runtime.env, model.data(), model.size(), raw, &session);
    if (status != nullptr && provider_name != "CPU") {
      passed_over.push_back(fmt::format("{}: {}", provider_name, runtime.take_reason(status)));
      return false;
    }
    check(status, "ONNX Runtime cannot load it as a model", ErrorCode::invalid_argument);
    provider = provider_name;
    return true;
  }

  void set_options(abi::SessionOptions* raw, const SessionOptions& options) const {
    check(api.set_intra_op_threads(raw, options.threads), "cannot set threads");
    check(api.set_inter_op_threads(raw, 1), "cannot set threads");
    check(api.set_graph_optimization_level(raw, level_of(options.optimization)),
          "cannot set optimisation");
    if (!options.profile_prefix.empty()) {
      check(api.enable_profiling(raw, options.profile_prefix.c_str()), "cannot turn profiling on");
    }
    check(api.use_operator_domain(raw, runtime.operators->domain()), "cannot add operators");
    give_weights(raw, options.weights);
    check(api.disable_cpu_arena(raw), "cannot turn the arena off");
    check(api.add_session_config(raw, "session.use_env_allocators", "1"), "cannot set its memory");
    const char* spinning = options.waiting == SessionOptions::Waiting::spin ? "1" : "0";
    check(api.add_session_config(raw, "session.intra_op.allow_spinning", spinning),
          "cannot set spinning");
    check(api.add_session_config(raw, "session.inter_op.allow_spinning", spinning),
          "cannot set spinning");
    if (const std::string cores = pool_affinities(options); !cores.empty()) {
      check(api.add_session_config(raw, "session.intra_op_thread_affinities", cores.c_str()),
            "cannot keep its threads on their cores");
    }
  }

  void give_weights(abi::SessionOptions* raw,
                    const std::vector<SessionOptions::Weights>& weights) const {
    if (weights.empty()) return;
    std::vector<const char*> names;
    std::vector<char*> contents;
    std::vector<std::size_t> sizes;
    for (const SessionOptions::Weights& it : weights) {
      names.push_back(it.location.c_str());
      contents.push_back(const_cast<char*>(it.bytes.data()));  // it only reads them
      sizes.push_back(it.bytes.size());
    }
    check(api.add_external_weights(raw, names.data(), contents.data(), sizes.data(), names.size()),
          "cannot give it the weights beside it");
  }

  std::string take_text(char* text) const {
    std::string result = text == nullptr ? "" : text;
    if (text != nullptr) check(api.allocator_free(allocator, text), "cannot free a text");
    return result;
  }

  void read_tensors() {
    inputs = describe_all("input", api.session_input_count, api.session_input_name,
                          api.session_input_type);
    outputs = describe_all("output", api.session_output_count, api.session_output_name,
                           api.session_output_type);
  }

  // Of all inputs, or of all outputs: `kind` says which in an error.
  template <typename Count, typename Name, typename Type>
  std::vector<TensorInfo> describe_all(std::string_view kind, Count count_of, Name name_of,
                                       Type type_of) const {
    std::vector<TensorInfo> tensors;
    std::size_t count = 0;
    check(count_of(session, &count), fmt::format("cannot count {}s", kind));
    for (std::size_t i = 0; i < count; ++i) {
      char* text = nullptr;
      abi::TypeInfo* type = nullptr;
      check(name_of(session, i, allocator, &text), fmt::format("cannot read an {}'s name", kind));
      check(type_of(session, i, &type), fmt::format("cannot read an {}'s type", kind));
      tensors.push_back(describe(take_text(text), type));
    }
    return tensors;
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
    info.type = understood(type);
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
};

// What belongs to one thread.
struct Session::Tensors {
  const Loaded& loaded;
  const abi::Api& api;

  struct Input {
    std::vector<float> floats;
    std::vector<std::int64_t> integers;
    std::vector<std::uint8_t> bytes;
  };
  std::vector<Input> inputs;
  std::vector<abi::Value*> input_values;
  std::vector<const char*> input_names;

  std::vector<std::size_t> selected;
  std::vector<const char*> output_names;
  // Made by the first run after a change of shapes, then reused: later runs do not allocate them.
  std::vector<abi::Value*> output_values;
  std::vector<Output> outputs;
  bool has_outputs = false;
  // Of the last run_tensors().
  std::vector<abi::Value*> tensor_values;
  std::vector<TensorView> tensor_views;
  bool keeps_outputs = true;  // false: their shapes change from run to run

  explicit Tensors(const Loaded& owner)
      : loaded(owner),
        api(owner.api),
        inputs(owner.inputs.size()),
        input_values(owner.inputs.size(), nullptr) {
    for (const TensorInfo& info : loaded.inputs) input_names.push_back(info.name.c_str());
  }
  Tensors(const Tensors&) = delete;
  Tensors& operator=(const Tensors&) = delete;
  ~Tensors() {
    drop_outputs();
    drop_tensors();
    for (abi::Value* value : input_values) {
      if (value != nullptr) api.release_value(value);
    }
  }

  void drop_outputs() {
    for (abi::Value*& value : output_values) {
      if (value != nullptr) api.release_value(value);
      value = nullptr;
    }
    has_outputs = false;
  }

  void drop_tensors() {
    tensor_views.clear();
    for (abi::Value* value : tensor_values) {
      if (value != nullptr) api.release_value(value);
    }
    tensor_values.clear();
  }

  void bind(std::size_t index, void* data, std::size_t bytes,
            const std::vector<std::int64_t>& shape, abi::ElementType type) {
    drop_outputs();
    abi::Value*& value = input_values.at(index);
    if (value != nullptr) api.release_value(value);
    value = nullptr;
    loaded.check(api.create_tensor_with_data(loaded.memory, data, bytes, shape.data(), shape.size(),
                                             type, &value),
                 "cannot make an input tensor");
  }

  void select(const std::vector<std::size_t>& indices) {
    drop_outputs();
    selected = indices;
    output_names.clear();
    for (const std::size_t index : indices) {
      output_names.push_back(loaded.outputs.at(index).name.c_str());
    }
    output_values.assign(indices.size(), nullptr);
    outputs.assign(indices.size(), {});
    keeps_outputs = true;
  }

  std::span<const Output> run() {
    if (selected.empty()) select({0});
    if (has_outputs && !keeps_outputs) drop_outputs();
    const bool is_repeated = has_outputs;
    abi::Status* status = run_once();
    if (status != nullptr && is_repeated) {
      // The outputs of the run before may have been of another shape.
      api.release_status(status);
      drop_outputs();
      status = run_once();
      keeps_outputs = status != nullptr;
    }
    loaded.check(status, "running the model failed", ErrorCode::invalid_argument);
    if (!has_outputs) {
      for (std::size_t i = 0; i < outputs.size(); ++i) read_output(i);
      has_outputs = true;
    }
    return outputs;
  }

  abi::Status* run_once() {
    return api.run(loaded.session, nullptr, input_names.data(), input_values.data(),
                   input_values.size(), output_names.data(), output_names.size(),
                   output_values.data());
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
      loaded.check(api.create_tensor_with_data(
                       loaded.memory, data, it.tensor.bytes.size(), it.tensor.shape.data(),
                       it.tensor.shape.size(),
                       static_cast<abi::ElementType>(it.tensor.element_type), &value),
                   "cannot make an input tensor");
      owned.emplace_back(value, release);
      values.push_back(value);
      given_names.push_back(it.name.c_str());
    }
    std::vector<const char*> wanted_names;
    for (const std::string& it : wanted) wanted_names.push_back(it.c_str());
    tensor_values.assign(wanted.size(), nullptr);
    loaded.check(api.run(loaded.session, nullptr, given_names.data(), values.data(), values.size(),
                         wanted_names.data(), wanted_names.size(), tensor_values.data()),
                 "running the model failed", ErrorCode::invalid_argument);
    for (std::size_t i = 0; i < wanted.size(); ++i) {
      tensor_views.push_back(view(tensor_values[i], wanted[i]));
    }
    return tensor_views;
  }

  TensorView view(abi::Value* value, const std::string& tensor_name) const {
    abi::TensorInfo* raw = nullptr;
    loaded.check(api.value_tensor_info(value, &raw), fmt::format("{} is not a tensor", tensor_name),
                 ErrorCode::unsupported);
    const auto release = [this](abi::TensorInfo* it) { api.release_tensor_info(it); };
    const std::unique_ptr<abi::TensorInfo, decltype(release)> info(raw, release);
    TensorInfo description;
    loaded.read_shape(raw, description);
    const std::size_t bytes = element_bytes(description.element_type);
    if (bytes == 0) {
      throw Error(ErrorCode::unsupported, fmt::format("{}: {} is a tensor of {}", loaded.name,
                                                      tensor_name, description.type_name));
    }
    void* data = nullptr;
    loaded.check(api.value_data(value, &data), "cannot read an output");
    return {description.element_type,
            description.shape,
            {static_cast<const std::byte*>(data), bytes * element_count(description.shape)}};
  }

  void read_output(std::size_t i) {
    const std::string& tensor_name = loaded.outputs[selected[i]].name;
    abi::TensorInfo* raw = nullptr;
    loaded.check(api.value_tensor_info(output_values[i], &raw),
                 fmt::format("its output {} is not a tensor", tensor_name),
                 ErrorCode::invalid_argument);
    const auto release = [this](abi::TensorInfo* it) { api.release_tensor_info(it); };
    const std::unique_ptr<abi::TensorInfo, decltype(release)> info(raw, release);
    TensorInfo description;
    loaded.read_shape(raw, description);
    if (description.type != ElementType::float32 && description.type != ElementType::int64) {
      throw Error(ErrorCode::invalid_argument,
                  fmt::format("{}: its output {} is {}, not float32 or int64", loaded.name,
                              tensor_name, description.type_name));
    }
    void* data = nullptr;
    loaded.check(api.value_data(output_values[i], &data), "cannot read an output");
    const std::size_t count = element_count(description.shape);
    Output& output = outputs[i];
    output = {};
    if (description.type == ElementType::float32) {
      output.values = {static_cast<const float*>(data), count};
    } else {
      output.integers = {static_cast<const std::int64_t*>(data), count};
    }
    output.shape = std::move(description.shape);
  }
};

Session::Session(const OnnxRuntime& runtime, std::string_view model, std::string_view name,
                 const SessionOptions& options)
    : Session(std::make_shared<const Loaded>(*runtime.implementation_, model, name, options)) {}
Session::Session(std::shared_ptr<const Loaded> loaded)
    : loaded_(std::move(loaded)), tensors_(std::make_unique<Tensors>(*loaded_)) {}
Session::Session(Session&&) noexcept = default;
Session& Session::operator=(Session&& other) noexcept {
  tensors_ = std::move(other.tensors_);  // before what they refer to
  loaded_ = std::move(other.loaded_);
  return *this;
}
Session::~Session() = default;

Session Session::sibling() const {
  return Session(loaded_);
}

const std::string& Session::name() const {
  return loaded_->name;
}
const std::vector<TensorInfo>& Session::inputs() const {
  return loaded_->inputs;
}
const std::vector<TensorInfo>& Session::outputs() const {
  return loaded_->outputs;
}
const std::map<std::string, std::string>& Session::metadata() const {
  return loaded_->metadata;
}
const std::string& Session::provider() const {
  return loaded_->provider;
}
const std::vector<std::string>& Session::passed_over() const {
  return loaded_->passed_over;
}

std::span<float> Session::bind_input(const std::vector<std::int64_t>& shape, std::size_t index) {
  std::vector<float>& memory = tensors_->inputs.at(index).floats;
  memory.assign(element_count(shape), 0.0F);
  tensors_->bind(index, memory.data(), memory.size() * sizeof(float), shape,
                 abi::ElementType::float32);
  return memory;
}

std::span<std::uint8_t> Session::bind_bytes(const std::vector<std::int64_t>& shape,
                                            std::size_t index) {
  std::vector<std::uint8_t>& memory = tensors_->inputs.at(index).bytes;
  memory.assign(element_count(shape), 0);
  tensors_->bind(index, memory.data(), memory.size(), shape, abi::ElementType::uint8);
  return memory;
}

std::span<std::int64_t> Session::bind_integers(const std::vector<std::int64_t>& shape,
                                               std::size_t index) {
  std::vector<std::int64_t>& memory = tensors_->inputs.at(index).integers;
  memory.assign(element_count(shape), 0);
  tensors_->bind(index, memory.data(), memory.size() * sizeof(std::int64_t), shape,
                 abi::ElementType::int64);
  return memory;
}

void Session::select_outputs(const std::vector<std::size_t>& indices) {
  tensors_->select(indices);
}
std::span<const Session::Output> Session::run() {
  return tensors_->run();
}

const std::vector<TensorView>& Session::run_tensors(std::span<const NamedTensor> inputs,
                                                    std::span<const std::string> outputs) {
  return tensors_->run_tensors(inputs, outputs);
}

}  // namespace andon::vision
