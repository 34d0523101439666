// SPDX-License-Identifier: Apache-2.0
// For tests: the one ONNX Runtime of the test program.
#pragma once

#include "vision/runtime/onnxruntime.hpp"

namespace andon::vision {

inline const OnnxRuntime& test_runtime() {
  static const OnnxRuntime loaded;
  return loaded;
}

}  // namespace andon::vision
