// SPDX-License-Identifier: Apache-2.0
// ONNX Runtime, opened with dlopen so that one binary serves every version from 1.22 on.
// There is one OnnxRuntime at a time in a process; it outlives its sessions. Any thread. What the
// library reports becomes base::Error; its headers are not needed.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/os/file.hpp"
#include "vision/runtime/tensor_memory.hpp"

namespace andon::vision {

// Where the library was found: `explicit_path` if given (file or folder), then $ONNXRUNTIME_ROOT,
// the folder of this program, its ../lib, and the system's library path. In a folder that was named
// also in lib/, and where Python's packages have it. Throws failed_precondition naming every place
// that was tried.
class OnnxRuntime {
 public:
  struct Implementation;  // internal to vision/

  explicit OnnxRuntime(const base::fs::path& explicit_path = {});
  OnnxRuntime(const OnnxRuntime&) = delete;
  OnnxRuntime& operator=(const OnnxRuntime&) = delete;
  ~OnnxRuntime();

  [[nodiscard]] const std::string& version() const;  // "1.22.0"
  [[nodiscard]] const base::fs::path& path() const;
  // Its execution providers, best first, by ONNX Runtime's names: "CPUExecutionProvider", ...
  [[nodiscard]] const std::vector<std::string>& providers() const;

  [[nodiscard]] TensorMemory::Counts memory() const;
  // Sessions keep the memory that a run needs for the next one; this returns it to the system.
  void release_unused_memory() const;

 private:
  friend class Session;
  std::unique_ptr<Implementation> implementation_;
};

}  // namespace andon::vision
