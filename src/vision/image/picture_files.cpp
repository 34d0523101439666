// SPDX-License-Identifier: Apache-2.0
#include "vision/image/picture_files.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/error/error.hpp"
#include "vision/image/decode.hpp"

namespace andon::vision {
namespace {

using base::Error;
using base::ErrorCode;
namespace fs = base::fs;

class Lister {
 public:
  explicit Lister(Folders folders) : folders_(folders) {}

  // Why it could not be read; nothing where it was.
  std::error_code read(const fs::path& directory) {
    std::error_code error;
    fs::directory_iterator entry(directory, error);
    if (error) return error;
    way_.push_back(fs::canonical(directory, error));
    std::vector<fs::path> below;
    for (const fs::directory_iterator end; !error && entry != end; entry.increment(error)) {
      const fs::path& path = entry->path();
      std::error_code ignored;
      if (entry->is_directory(ignored)) {
        if (!path.filename().string().starts_with('.')) below.push_back(path);
      } else if (is_image_name(path.filename().string()) && entry->is_regular_file(ignored)) {
        files_.push_back(path);
      }
    }
    has_folders_ = has_folders_ || !below.empty();
    if (folders_ == Folders::all_below) {
      for (const fs::path& path : below) enter(path);
    }
    way_.pop_back();
    return {};
  }

  [[nodiscard]] std::vector<fs::path> files() { return std::move(files_); }
  [[nodiscard]] bool has_folders() const { return has_folders_; }

 private:
  void enter(const fs::path& path) {
    std::error_code error;
    const fs::path place = fs::canonical(path, error);
    if (error || std::ranges::find(way_, place) != way_.end()) return;  // it leads back
    if (way_.size() > kMostLevels) {
      throw Error(ErrorCode::invalid_argument,
                  fmt::format("{}: more than {} folders deep", path.string(), kMostLevels));
    }
    if (const std::error_code problem = read(path)) {
      throw Error(ErrorCode::permission_denied,
                  fmt::format("cannot read the folder {}: {}", path.string(), problem.message()));
    }
  }

  Folders folders_;
  bool has_folders_ = false;
  std::vector<fs::path> files_;
  std::vector<fs::path> way_;  // from the first folder to this one
};

}  // namespace

std::vector<fs::path> picture_files(const fs::path& directory, Folders folders, std::size_t limit) {
  Lister lister(folders);
  if (const std::error_code problem = lister.read(directory)) {
    throw Error(ErrorCode::not_found, fmt::format("cannot read the directory of pictures {}: {}",
                                                  directory.string(), problem.message()));
  }
  std::vector<fs::path> files = lister.files();
  if (files.empty()) {
    const bool may_be_below = folders == Folders::this_one && lister.has_folders();
    throw Error(ErrorCode::not_found,
                fmt::format("{} holds no pictures (.jpg, .png, .bmp, .tif){}", directory.string(),
                            may_be_below ? "; --recursive looks into its folders, too" : ""));
  }
  std::sort(files.begin(), files.end());
  if (files.size() > limit) files.resize(limit);
  return files;
}

}  // namespace andon::vision
