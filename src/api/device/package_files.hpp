// SPDX-License-Identifier: Apache-2.0
// The files of a repository of Debian packages, below /packages/ of the device plane. Who installs
// its first package has no certificate yet, so anybody may read them; what apt takes for true is
// signed. Read-only; any thread. Files may come, change and go meanwhile.
#pragma once

#include <string>
#include <string_view>
#include <utility>

#include "base/os/file.hpp"
#include "wire/http/http.hpp"

namespace andon::api {

class PackageFiles {
 public:
  // Empty: there are none. The directory need not be there yet.
  explicit PackageFiles(base::fs::path directory) : directory_(std::move(directory)) {}

  [[nodiscard]] bool has(std::string_view path) const {
    return !directory_.empty() && path.starts_with(kPrefix);
  }
  // A whole file or a range of it. Throws not_found for what is no regular file below the
  // directory; a link is none, wherever it leads, nor is what begins with a dot.
  [[nodiscard]] wire::HttpResponse answer(const wire::HttpRequest& request) const;

 private:
  static constexpr std::string_view kPrefix = "/packages/";

  base::fs::path directory_;
};

// "/packages/a%2bb/x.deb" without its prefix -> "a+b/x.deb"; empty for what names no file of a
// repository: a segment that is empty, begins with a dot or has other letters than those of
// packages' names and versions, more than 8 segments or 512 bytes.
[[nodiscard]] std::string package_file_name(std::string_view path);

}  // namespace andon::api
