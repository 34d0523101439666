// SPDX-License-Identifier: Apache-2.0
// Execution providers of ONNX Runtime by name. Internal to vision/.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "vision/runtime/onnxruntime_library.hpp"

namespace andon::vision {

struct ProviderChoice {
  std::string name;  // short: "CUDA"
  std::vector<std::string> keys;
  std::vector<std::string> values;
};

// "CUDAExecutionProvider" and "cuda" are "CUDA"; a name that is not known stays as it is. Its own
// options may follow: "OpenVINO:device_type=GPU;num_streams=2". Throws invalid_argument for options
// that are not of this form.
[[nodiscard]] ProviderChoice parse_provider(std::string_view text);

// Fills in what a provider must be told to serve `runs` runs at once with `threads` threads each:
// OpenVINO, which does not go by ONNX Runtime's threads. What was chosen stays.
void add_parallelism(ProviderChoice& choice, int threads, int runs);

// Puts a provider in front of the CPU; the reason where it cannot be had.
[[nodiscard]] std::optional<std::string> append_provider(const OnnxRuntime::Implementation& runtime,
                                                         abi::SessionOptions* options,
                                                         const ProviderChoice& choice);

}  // namespace andon::vision
