// SPDX-License-Identifier: Apache-2.0
// ONNX Runtime, opened with dlopen so that one binary serves every version from 1.22 on.
// There is one OnnxRuntime at a time in a process; it outlives its sessions. A session belongs to
// one thread at a time. What the library reports becomes base::Error; its headers are not needed.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/file.hpp"
#include "vision/tensor_memory.hpp"

namespace andon::vision {

// Where the library was found: `explicit_path` if given (file or folder), then $ONNXRUNTIME_ROOT,
// $ONNXRUNTIME_ROOT/lib, the folder of this program, its ../lib, and the system's library path.
// Throws failed_precondition naming every place that was tried.
class OnnxRuntime {
 public:
  explicit OnnxRuntime(const base::fs::path& explicit_path = {});
  OnnxRuntime(const OnnxRuntime&) = delete;
  OnnxRuntime& operator=(const OnnxRuntime&) = delete;
  ~OnnxRuntime();

  [[nodiscard]] const std::string& version() const;  // "1.22.0"
  [[nodiscard]] const base::fs::path& path() const;

  [[nodiscard]] TensorMemory::Counts memory() const;
  // Sessions keep the memory that a run needs for the next one; this returns it to the system.
  void release_unused_memory() const;

 private:
  friend class Session;
  struct Implementation;
  std::unique_ptr<Implementation> implementation_;
};

enum class ElementType { float32, other };

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
  enum class Waiting { block, spin } waiting = Waiting::block;
  // `all` also chooses memory layouts for this machine; `nothing` runs the graph as it is written.
  enum class Optimization { nothing, basic, extended, all } optimization = Optimization::all;
  // Where given, the session writes `<prefix>_<time>.json` with the time of each operator when it
  // ends (Chrome's trace format).
  base::fs::path profile_prefix;
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
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;
  ~Session();

  [[nodiscard]] const std::vector<TensorInfo>& inputs() const;
  [[nodiscard]] const std::vector<TensorInfo>& outputs() const;
  [[nodiscard]] const std::map<std::string, std::string>& metadata() const;

  // For models with one float32 input. Sets the input's shape and returns its memory, which the
  // caller fills before each run(); call once, or whenever the shape changes.
  [[nodiscard]] std::span<float> bind_input(const std::vector<std::int64_t>& shape);

  struct Output {
    std::span<const float> values;  // valid until the next run()
    std::vector<std::int64_t> shape;
  };
  // Output `index`, which must be float32.
  [[nodiscard]] const Output& run(std::size_t index = 0);

  // For models of any inputs: runs once and gives the named outputs in the order asked for. The
  // views are valid until the next run_tensors() or the session's end. Throws unsupported for an
  // output that is not a tensor of numbers.
  [[nodiscard]] const std::vector<TensorView>& run_tensors(std::span<const NamedTensor> inputs,
                                                           std::span<const std::string> outputs);

 private:
  struct Implementation;
  std::unique_ptr<Implementation> implementation_;
};

}  // namespace andon::vision
