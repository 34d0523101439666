// SPDX-License-Identifier: Apache-2.0
#include "cli/model/file.hpp"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <string_view>

#include "base/text/number.hpp"
#include "options/choice.hpp"
#include "options/usage_error.hpp"

namespace andon::cli {
namespace {

constexpr int kMaxSide = 16'384;

}  // namespace

std::string tool_name() {
  return "andon " ANDON_VERSION;
}

report::ModelFacts facts_of(const vision::ModelFile& file,
                            const vision::ModelDescription& description) {
  return {file.name, "sha256:" + file.sha256, file.total_bytes(), description.input,
          description.labels.size()};
}

void add_split_option(CLI::App& command, std::string& split) {
  command.add_option("--split", split, "Which pictures of a data.yaml")
      ->check(options::one_of({"train", "val", "test"}))
      ->capture_default_str();
}

void add_recursive_flag(CLI::App& command, vision::Folders& folders) {
  command.add_flag_callback(
      "--recursive", [&folders] { folders = vision::Folders::all_below; },
      "Pictures of the folders below, too");
}

std::optional<vision::Size> parse_input_size(const std::string& text) {
  if (text.empty()) return std::nullopt;
  const std::string_view all(text);
  const std::size_t cross = all.find('x');
  const auto width = base::parse_integer<int>(all.substr(0, cross), 1, kMaxSide);
  const auto height = cross == std::string_view::npos
                          ? width
                          : base::parse_integer<int>(all.substr(cross + 1), 1, kMaxSide);
  if (!width || !height) {
    throw options::UsageError(
        fmt::format("--input-size '{}' must be a side or WIDTHxHEIGHT, 1 to {}", text, kMaxSide));
  }
  return vision::Size{*width, *height};
}

}  // namespace andon::cli
