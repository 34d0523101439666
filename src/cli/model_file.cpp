// SPDX-License-Identifier: Apache-2.0
#include "cli/model_file.hpp"

#include <fmt/format.h>

#include <charconv>
#include <string_view>

#include "base/error.hpp"
#include "trust/digest.hpp"

namespace andon::cli {
namespace {

constexpr std::size_t kMaxModelBytes = std::size_t{2} << 30U;
constexpr int kMaxSide = 16'384;

std::optional<int> side(std::string_view text) {
  int value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  if (value < 1 || value > kMaxSide) return std::nullopt;
  return value;
}

}  // namespace

std::string tool_name() {
  return "andon " ANDON_VERSION;
}

report::ModelFacts ModelFile::facts(const vision::ModelDescription& description) const {
  return {name, digest, bytes.size(), description.input, description.labels.size()};
}

ModelFile read_model_file(const base::fs::path& path) {
  ModelFile file{path, path.filename().string(), base::read_file(path, kMaxModelBytes), {}};
  file.digest = "sha256:" + trust::sha256_hex(file.bytes);
  return file;
}

std::optional<vision::Size> parse_input_size(const std::string& text) {
  if (text.empty()) return std::nullopt;
  const std::string_view all(text);
  const std::size_t cross = all.find('x');
  const auto width = side(all.substr(0, cross));
  const auto height = cross == std::string_view::npos ? width : side(all.substr(cross + 1));
  if (!width || !height) {
    throw base::Error(
        base::ErrorCode::invalid_argument,
        fmt::format("--input-size '{}' must be a side or WIDTHxHEIGHT, 1 to {}", text, kMaxSide));
  }
  return vision::Size{*width, *height};
}

}  // namespace andon::cli
