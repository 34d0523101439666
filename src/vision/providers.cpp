// SPDX-License-Identifier: Apache-2.0
#include "vision/providers.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>

namespace andon::vision {
namespace {

constexpr std::string_view kEnding = "ExecutionProvider";
constexpr std::array<std::string_view, 10> kKnown{"CPU",     "CUDA",  "Tensorrt", "OpenVINO",
                                                  "ROCM",    "QNN",   "XNNPACK",  "MIGraphX",
                                                  "VitisAI", "WebGPU"};

char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

bool same_but_for_case(std::string_view a, std::string_view b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](char x, char y) { return lower(x) == lower(y); });
}

}  // namespace

std::string short_provider_name(std::string_view name) {
  if (name.ends_with(kEnding)) name.remove_suffix(kEnding.size());
  for (const std::string_view known : kKnown) {
    if (same_but_for_case(name, known)) return std::string(known);
  }
  return std::string(name);
}

std::optional<std::string> append_provider(const OnnxRuntime::Implementation& runtime,
                                           abi::SessionOptions* options, const std::string& name) {
  if (name == "CPU") return std::nullopt;
  const std::string full = name + std::string(kEnding);
  if (std::find(runtime.providers.begin(), runtime.providers.end(), full) ==
      runtime.providers.end()) {
    return fmt::format("ONNX Runtime {} at {} does not have it; it has {}", runtime.version,
                       runtime.library.path.string(), fmt::join(runtime.providers, ", "));
  }
  const abi::Api& api = runtime.api;
  abi::Status* status = nullptr;
  if (name == "CUDA") {
    abi::CudaOptions* own = nullptr;
    status = api.create_cuda_options(&own);
    if (status == nullptr) status = api.append_cuda(options, own);
    if (own != nullptr) api.release_cuda_options(own);
  } else if (name == "Tensorrt") {
    abi::TensorRtOptions* own = nullptr;
    status = api.create_tensorrt_options(&own);
    if (status == nullptr) status = api.append_tensorrt(options, own);
    if (own != nullptr) api.release_tensorrt_options(own);
  } else {
    status = api.append_provider(options, name.c_str(), nullptr, nullptr, 0);
  }
  if (status == nullptr) return std::nullopt;
  return runtime.take_reason(status);
}

}  // namespace andon::vision
