// SPDX-License-Identifier: Apache-2.0
// Execution providers of ONNX Runtime by name. Internal to vision/.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "vision/onnxruntime_library.hpp"

namespace andon::vision {

// "CUDAExecutionProvider" and "cuda" are "CUDA"; a name that is not known stays as it is.
[[nodiscard]] std::string short_provider_name(std::string_view name);

// Puts a provider (short name) in front of the CPU; the reason where it cannot be had.
[[nodiscard]] std::optional<std::string> append_provider(const OnnxRuntime::Implementation& runtime,
                                                         abi::SessionOptions* options,
                                                         const std::string& name);

}  // namespace andon::vision
