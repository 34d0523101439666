// SPDX-License-Identifier: Apache-2.0
#include "vision/runtime/providers.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>

#include "base/error/error.hpp"
#include "base/text/ascii.hpp"
#include "base/text/split.hpp"

namespace andon::vision {
namespace {

constexpr std::string_view kEnding = "ExecutionProvider";
constexpr std::array<std::string_view, 10> kKnown{"CPU",     "CUDA",  "Tensorrt", "OpenVINO",
                                                  "ROCM",    "QNN",   "XNNPACK",  "MIGraphX",
                                                  "VitisAI", "WebGPU"};

std::string short_name(std::string_view name) {
  if (name.ends_with(kEnding)) name.remove_suffix(kEnding.size());
  for (const std::string_view known : kKnown) {
    if (base::equal_ignoring_case(name, known)) return std::string(known);
  }
  return std::string(name);
}

std::vector<const char*> pointers(const std::vector<std::string>& texts) {
  std::vector<const char*> result;
  result.reserve(texts.size());
  for (const std::string& text : texts) result.push_back(text.c_str());
  return result;
}

}  // namespace

ProviderChoice parse_provider(std::string_view text) {
  const std::size_t colon = text.find(':');
  ProviderChoice choice{short_name(text.substr(0, colon)), {}, {}};
  if (colon == std::string_view::npos) return choice;
  for (std::string_view rest = text.substr(colon + 1); !rest.empty();) {
    const std::string_view option = base::take_part(rest, ';');
    const std::size_t equals = option.find('=');
    if (equals == 0 || equals == std::string_view::npos) {
      throw base::Error(base::ErrorCode::invalid_argument,
                        fmt::format("execution provider '{}': '{}' is not KEY=VALUE; several are "
                                    "written as NAME:KEY=VALUE;KEY=VALUE",
                                    text, option));
    }
    choice.keys.emplace_back(option.substr(0, equals));
    choice.values.emplace_back(option.substr(equals + 1));
  }
  return choice;
}

void add_parallelism(ProviderChoice& choice, int threads, int runs) {
  if (choice.name != "OpenVINO") return;
  const auto add = [&](const char* key, int value) {
    if (std::find(choice.keys.begin(), choice.keys.end(), key) != choice.keys.end()) return;
    choice.keys.emplace_back(key);
    choice.values.push_back(fmt::format("{}", value));
  };
  add("num_of_threads", threads * runs);
  add("num_streams", runs);
}

std::optional<std::string> append_provider(const OnnxRuntime::Implementation& runtime,
                                           abi::SessionOptions* options,
                                           const ProviderChoice& choice) {
  if (choice.name == "CPU") return std::nullopt;
  const std::string full = choice.name + std::string(kEnding);
  if (std::find(runtime.providers.begin(), runtime.providers.end(), full) ==
      runtime.providers.end()) {
    return fmt::format("ONNX Runtime {} at {} does not have it; it has {}", runtime.version,
                       runtime.library.path.string(), fmt::join(runtime.providers, ", "));
  }
  const abi::Api& api = runtime.api;
  const std::vector<const char*> keys = pointers(choice.keys);
  const std::vector<const char*> values = pointers(choice.values);
  abi::Status* status = nullptr;
  if (choice.name == "CUDA") {
    abi::CudaOptions* own = nullptr;
    status = api.create_cuda_options(&own);
    // Also without options: unlike what follows, it tells which library could not be loaded.
    if (status == nullptr) {
      status = api.update_cuda_options(own, keys.data(), values.data(), keys.size());
    }
    if (status == nullptr) status = api.append_cuda(options, own);
    if (own != nullptr) api.release_cuda_options(own);
  } else if (choice.name == "Tensorrt") {
    abi::TensorRtOptions* own = nullptr;
    status = api.create_tensorrt_options(&own);
    if (status == nullptr) {
      status = api.update_tensorrt_options(own, keys.data(), values.data(), keys.size());
    }
    if (status == nullptr) status = api.append_tensorrt(options, own);
    if (own != nullptr) api.release_tensorrt_options(own);
  } else {
    status =
        api.append_provider(options, choice.name.c_str(), keys.data(), values.data(), keys.size());
  }
  if (status == nullptr) return std::nullopt;
  return runtime.take_reason(status);
}

}  // namespace andon::vision
