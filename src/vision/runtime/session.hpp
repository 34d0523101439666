// SPDX-License-Identifier: Apache-2.0
// A model loaded into ONNX Runtime, its tensors and its runs. The loaded model can be shared: a
// sibling runs the same weights on another thread, with tensors of its own. Each Session belongs to
// one thread at a time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "vision/runtime/onnxruntime.hpp"

namespace andon::vision {

enum class ElementType { float32, int64, uint8, other };

struct TensorInfo {
  std::string name;
  ElementType type = ElementType::other;
  int element_type = 0;             // as in ONNX's TensorProto; 0 where it is not a tensor
  std::string type_name;            // "float32", "uint8", ..., "not a tensor"
  std::vector<std::int64_t> shape;  // -1 for a dimension that is not fixed
};
// "images float32 [1,3,320,320]"; '?' for a dimension that is not fixed.
[[nodiscard]] std::string to_string(const TensorInfo& info);

struct SessionOptions {
  int threads = 1;  // within one run; more than one spins only if `spin` says so
  int runs = 1;     // at once, by siblings: only some execution providers want to know
  enum class Waiting { block, spin } waiting = Waiting::block;
  // Where given: the cores that the threads beside the caller's stay on, in turn. The caller's own
  // is the caller's business.
  std::vector<int> pool_cores;
  // Execution providers to try, in order, by ONNX Runtime's names with or without the ending
  // "ExecutionProvider": "CUDA", "OpenVINO", "OpenVINO:device_type=GPU;num_streams=2" with options
  // of their own. Those that this runtime lacks or that cannot take the model are passed over, see
  // Session::passed_over(); the CPU is always the last resort.
  std::vector<std::string> providers;
  // `all` also chooses memory layouts for this machine; `nothing` runs the graph as it is written.
  enum class Optimization { nothing, basic, extended, all } optimization = Optimization::all;
  // Where given, the session writes `<prefix>_<time>.json` with the time of each operator when it
  // ends (Chrome's trace format).
  base::fs::path profile_prefix;
  // The files that the model keeps weights in, by the names that it has for them. Looked at while
  // the session is made; what is not given is not read.
  struct Weights {
    std::string location;
    std::string_view bytes;
  };
  std::vector<Weights> weights;
};

// A tensor of any type as its bytes, which belong to somebody else.
struct TensorView {
  int element_type = 0;  // as in ONNX's TensorProto: 1 float32, 2 uint8, 7 int64, ...
  std::vector<std::int64_t> shape;
  std::span<const std::byte> bytes;
  [[nodiscard]] std::span<const float> floats() const {
    return {reinterpret_cast<const float*>(bytes.data()), bytes.size() / sizeof(float)};
  }
};
// Bytes an element has, 0 for types that have no fixed size.
[[nodiscard]] std::size_t element_bytes(int element_type);

struct NamedTensor {
  std::string name;
  TensorView tensor;
};

class Session {
 public:
  // `model` may be freed afterwards. `name` is the file's name for error messages. Throws
  // invalid_argument for bytes that are not an ONNX model or that this runtime cannot run.
  Session(const OnnxRuntime& runtime, std::string_view model, std::string_view name,
          const SessionOptions& options = {});
  Session(Session&&) noexcept;
  Session& operator=(Session&&) noexcept;
  ~Session();

  // The same loaded model for another thread; costs the tensors only. Bind its inputs anew.
  [[nodiscard]] Session sibling() const;

  [[nodiscard]] const std::string& name() const;
  [[nodiscard]] const std::vector<TensorInfo>& inputs() const;
  [[nodiscard]] const std::vector<TensorInfo>& outputs() const;
  [[nodiscard]] const std::map<std::string, std::string>& metadata() const;
  // The provider that was asked for and taken, else "CPU"; and why others were not.
  [[nodiscard]] const std::string& provider() const;
  [[nodiscard]] const std::vector<std::string>& passed_over() const;

  // Sets an input's shape and returns its memory, zeroed, which the caller fills before each run;
  // call once, or whenever the shape changes. Every input must be bound before the first run.
  [[nodiscard]] std::span<float> bind_input(const std::vector<std::int64_t>& shape,
                                            std::size_t index = 0);
  [[nodiscard]] std::span<std::uint8_t> bind_bytes(const std::vector<std::int64_t>& shape,
                                                   std::size_t index = 0);
  [[nodiscard]] std::span<std::int64_t> bind_integers(const std::vector<std::int64_t>& shape,
                                                      std::size_t index);

  struct Output {
    std::span<const float> values;           // of float32; valid until the next run
    std::span<const std::int64_t> integers;  // of int64
    std::vector<std::int64_t> shape;
  };
  // Which outputs the next runs compute, float32 or int64; all others cost nothing.
  void select_outputs(const std::vector<std::size_t>& indices);
  // In the order selected (the first output alone, if none were). The memory of the outputs is
  // kept from run to run where their shapes stay.
  [[nodiscard]] std::span<const Output> run();

  // For models of any inputs: runs once and gives the named outputs in the order asked for. The
  // views are valid until the next run_tensors() or the session's end. Throws unsupported for an
  // output that is not a tensor of numbers.
  [[nodiscard]] const std::vector<TensorView>& run_tensors(std::span<const NamedTensor> inputs,
                                                           std::span<const std::string> outputs);

 private:
  struct Loaded;
  struct Tensors;
  explicit Session(std::shared_ptr<const Loaded> loaded);

  std::shared_ptr<const Loaded> loaded_;  // shared with siblings
  std::unique_ptr<Tensors> tensors_;
};

}  // namespace andon::vision
