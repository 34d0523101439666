// SPDX-License-Identifier: Apache-2.0
#include "edge/layout.hpp"

namespace andon::edge {

Layout::Layout(const fs::path& root) : root_(fs::absolute(root).lexically_normal()) {
  if (!root_.has_filename()) root_ = root_.parent_path();
}

void Layout::make() const {
  base::make_directories(root_, 0755);
  base::make_directories(config(), 0700);
  for (const fs::path& path : {blobs(), partial_blobs(), artifacts(), unarchived(), recipes(),
                               staged(), root_ / "work", root_ / "logs", processes()}) {
    base::make_directories(path, 0755);
  }
}

fs::path Layout::artifacts_of(std::string_view component, std::string_view version) const {
  return artifacts() / component / version;
}

fs::path Layout::unarchived_of(std::string_view component, std::string_view version) const {
  return unarchived() / component / version;
}

fs::path Layout::work_of(std::string_view component) const {
  return root_ / "work" / component;
}

fs::path Layout::log_of(std::string_view component) const {
  return root_ / "logs" / (std::string(component) + ".log");
}

}  // namespace andon::edge
