// SPDX-License-Identifier: Apache-2.0
#include "edge/state/layout.hpp"

#include "base/os/sync_name.hpp"

namespace andon::edge {

Layout::Layout(const fs::path& root) : root_(fs::absolute(root).lexically_normal()) {
  if (!root_.has_filename()) root_ = root_.parent_path();
}

void Layout::make() const {
  base::make_directories(root_, 0755);
  // What only the agent needs; components see the other ones.
  for (const fs::path& path : {config(), blobs(), partial_blobs(), staged(), processes()}) {
    base::make_directories(path, 0700);
  }
  for (const fs::path& path :
       {artifacts(), unarchived(), recipes(), root_ / "work", root_ / "logs"}) {
    base::make_directories(path, 0755);
  }
  // What is kept in them later outlives a power cut only where they do.
  base::sync_name(root_);
  for (const fs::path& path : {root_, root_ / "packages", root_ / "packages" / "blobs"}) {
    base::sync_directory(path);
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
