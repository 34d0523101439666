// SPDX-License-Identifier: Apache-2.0
#include "inspect/list_source.hpp"

#include <fmt/format.h>

namespace andon::inspect {

using base::Error;
using base::ErrorCode;
namespace fs = base::fs;

namespace {

std::string_view trimmed(std::string_view line) {
  constexpr std::string_view kBlank = " \t\r";
  const std::size_t start = line.find_first_not_of(kBlank);
  if (start == std::string_view::npos) return {};
  return line.substr(start, line.find_last_not_of(kBlank) - start + 1);
}

}  // namespace

std::vector<fs::path> read_list(const fs::path& file) {
  return parse_list(base::read_file(file), file);
}

std::vector<fs::path> parse_list(std::string_view content, const fs::path& file) {
  if (content.find('\0') != std::string_view::npos) {
    throw Error(ErrorCode::invalid_argument,
                fmt::format("{} is not a list of images: it is not text", file.string()));
  }
  std::vector<fs::path> paths;
  for (std::string_view rest = content; !rest.empty();) {
    const std::size_t end = rest.find('\n');
    const std::string_view line = trimmed(rest.substr(0, end));
    rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
    if (line.empty() || line.front() == '#') continue;
    paths.push_back(file.parent_path() / fs::path(line));
  }
  if (paths.empty()) {
    throw Error(ErrorCode::invalid_argument,
                fmt::format("{} names no images; write one path a line", file.string()));
  }
  return paths;
}

ListSource::ListSource(const std::vector<fs::path>& files) : files_(files.begin(), files.end()) {}

std::optional<Frame> ListSource::take(base::Timestamp now, Frame&& spare) {
  if (files_.empty()) return again_.open_next(now, std::move(spare));
  const fs::path path = std::move(files_.front());
  files_.pop_front();
  ++counts_.given;
  if (auto frame = open_picture(path, std::move(spare))) return frame;
  Frame missing;
  missing.id = PictureId{path.string(), 0, 0, std::nullopt};
  missing.name = path.filename().string();
  missing.problem = Error(ErrorCode::not_found,
                          fmt::format("there is no image {}; the list names it", path.string()));
  return missing;
}

void ListSource::give_again(const Frame& frame, base::Timestamp when) {
  if (frame.id) again_.add(frame.id->path, when);
}

std::optional<base::Timestamp> ListSource::look_again_at(base::Timestamp now) const {
  if (!files_.empty()) return now;
  return again_.next_due();
}

}  // namespace andon::inspect
