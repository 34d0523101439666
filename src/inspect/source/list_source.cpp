// SPDX-License-Identifier: Apache-2.0
#include "inspect/source/list_source.hpp"

#include <fmt/format.h>

#include "base/text/split.hpp"

namespace andon::inspect {

using base::Error;
using base::ErrorCode;
namespace fs = base::fs;

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
    const std::string_view line = base::trim(base::take_part(rest, '\n'), " \t\r");
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
  missing.id = PictureId{.path = path.string()};
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
