// SPDX-License-Identifier: Apache-2.0
#include "vision/detect/model_file.hpp"

#include <fmt/format.h>

#include <array>
#include <utility>

#include "base/error/error.hpp"
#include "recipe/reader/json_or_yaml.hpp"
#include "trust/digests/digest.hpp"
#include "vision/detect/device_graph.hpp"
#include "vision/runtime/external_weights.hpp"

namespace andon::vision {
namespace {

using base::Error;
using base::ErrorCode;
namespace fs = base::fs;

constexpr std::size_t kMaxWeightsBytes = std::size_t{16} << 30U;
constexpr int kMostLinks = 40;  // as Linux has it

// The name that was given and, where it is a link, each name that it leads to.
std::vector<fs::path> names_of(const fs::path& path) {
  std::vector<fs::path> names{path};
  std::error_code error;
  while (fs::is_symlink(names.back(), error) && names.size() <= kMostLinks) {
    const fs::path target = fs::read_symlink(names.back(), error);
    if (error) break;
    names.push_back(names.back().parent_path() / target);
  }
  return names;
}

std::string read_model_bytes(const fs::path& path) {
  std::error_code ignored;
  if (fs::is_directory(path, ignored)) {
    throw Error(ErrorCode::invalid_argument,
                fmt::format("{} is a folder; name the .onnx file in it", path.string()));
  }
  try {
    return base::read_file(path, kMaxModelBytes);
  } catch (const Error& error) {
    if (error.code() != ErrorCode::resource_exhausted) throw;
    throw Error(ErrorCode::unsupported,
                fmt::format("{} is larger than 2 GB, the most that one ONNX file can be; keep its "
                            "weights in a file beside it (external data)",
                            path.string()));
  }
}

WeightsFile read_weights(const std::vector<fs::path>& names, const ExternalWeights& wanted) {
  WeightsFile file{wanted.location, {}, {}};
  for (const fs::path& name : names) {
    file.path = name.parent_path() / wanted.location;
    auto bytes = base::read_file_if_exists(file.path, kMaxWeightsBytes);
    if (!bytes) continue;
    file.bytes = std::move(*bytes);
    if (file.bytes.size() >= wanted.bytes) return file;
    throw Error(ErrorCode::invalid_argument,
                fmt::format("external data of '{}': '{}' has {} bytes, {} are needed",
                            wanted.tensor, file.path.string(), file.bytes.size(), wanted.bytes));
  }
  throw Error(ErrorCode::invalid_argument,
              fmt::format("its external data is missing: it keeps weights in '{}', which is not "
                          "in {}; put the file beside the model",
                          wanted.location,
                          names.front().has_parent_path() ? names.front().parent_path().string()
                                                          : "this folder"));
}

// The first that is there, of each name in turn.
void read_spec(const std::vector<fs::path>& names, ModelFile& file) {
  for (const fs::path& name : names) {
    for (const char* ending : {".yaml", ".yml"}) {
      fs::path path = name;
      path.replace_extension(ending);
      auto text = base::read_file_if_exists(path);
      if (!text) continue;
      if (!file.spec_path.empty()) {
        throw Error(ErrorCode::invalid_argument,
                    fmt::format("{} and {} both describe the model; remove one",
                                file.spec_path.string(), path.string()));
      }
      file.spec_path = path;
      file.spec_text = std::move(*text);
    }
    if (!file.spec_path.empty()) break;
  }
  if (file.spec_path.empty()) return;
  try {
    file.spec =
        parse_model_spec(recipe::parse_json_or_yaml(file.spec_text, file.spec_path.string()));
  } catch (Error& error) {
    if (error.message().starts_with(file.spec_path.string())) throw;
    throw error.with_context(file.spec_path.string());
  }
}

std::string digest_of(const ModelFile& file) {
  const std::string onnx = trust::sha256_hex(file.bytes);
  if (file.weights.empty() && file.spec_path.empty()) return onnx;
  std::string list = fmt::format("model {}\n", onnx);
  if (!file.spec_path.empty()) {
    list += fmt::format("description {}\n", trust::sha256_hex(file.spec_text));
  }
  for (const WeightsFile& it : file.weights) {
    list += fmt::format("weights {} {}\n", trust::sha256_hex(it.bytes), it.location);
  }
  return trust::sha256_hex(list);
}

}  // namespace

std::size_t ModelFile::total_bytes() const {
  std::size_t total = bytes.size();
  for (const WeightsFile& it : weights) total += it.bytes.size();
  return total;
}

std::vector<ModelFile::Part> ModelFile::parts() const {
  std::vector<Part> result{{path, name}};
  if (!spec_path.empty()) {
    // Beside a link it goes by the link's name.
    result.push_back({spec_path, fs::path(name).replace_extension(spec_path.extension()).string()});
  }
  for (const WeightsFile& it : weights) result.push_back({it.path, it.location});
  return result;
}

ModelFile open_model(const fs::path& path) {
  ModelFile file;
  file.path = path;
  file.name = path.filename().string();
  file.bytes = read_model_bytes(path);
  const std::vector<fs::path> names = names_of(path);
  read_spec(names, file);
  try {
    for (const ExternalWeights& wanted : external_weights(file.bytes)) {
      file.weights.push_back(read_weights(names, wanted));
    }
  } catch (Error& error) {
    throw error.with_context(path.string());
  }
  file.device_graph = find_device_graph(file.bytes).value_or("");
  file.sha256 = digest_of(file);
  return file;
}

ModelFile model_in_memory(std::string bytes, std::string name, ModelSpec spec) {
  ModelFile file;
  file.path = name;
  file.name = std::move(name);
  file.bytes = std::move(bytes);
  file.spec = std::move(spec);
  file.device_graph = find_device_graph(file.bytes).value_or("");
  file.sha256 = trust::sha256_hex(file.bytes);
  return file;
}

}  // namespace andon::vision
