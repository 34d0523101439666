// SPDX-License-Identifier: Apache-2.0
#include "api/device/package_files.hpp"

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>

#include "api/s3/format/byte_range.hpp"
#include "base/error/error.hpp"
#include "base/os/tree_walk.hpp"
#include "base/text/ascii.hpp"
#include "base/text/encoding.hpp"

namespace andon::api {
namespace {

constexpr std::size_t kMaxNameBytes = 512;
constexpr std::ptrdiff_t kMaxSegments = 8;

bool is_segment(std::string_view segment) {
  return !segment.starts_with('.') && base::is_name_of(segment, "-._+~:");
}

}  // namespace

std::string package_file_name(std::string_view path) {
  if (path.size() > kMaxNameBytes) return {};
  std::string name = base::percent_decode(path).value_or("");
  if (std::ranges::count(name, '/') >= kMaxSegments) return {};
  for (std::size_t begin = 0; begin <= name.size();) {
    const std::size_t end = std::min(name.find('/', begin), name.size());
    if (!is_segment(std::string_view(name).substr(begin, end - begin))) return {};
    begin = end + 1;
  }
  return name;
}

wire::HttpResponse PackageFiles::answer(const wire::HttpRequest& request) const {
  const auto absent = [&request] {
    return base::Error(base::ErrorCode::not_found, "there is no file " + request.path);
  };
  if (request.method != "GET" && request.method != "HEAD") {
    throw base::Error(base::ErrorCode::invalid_argument,
                      "packages can only be read: GET or HEAD, not " + request.method);
  }
  const std::string name = package_file_name(std::string_view(request.path).substr(kPrefix.size()));
  if (name.empty()) throw absent();
  // A pipe does not hold anybody up.
  base::UniqueFd file = base::open_beneath(directory_, name, O_RDONLY | O_NONBLOCK);
  struct stat status {};
  if (!file || fstat(file.get(), &status) != 0 || !S_ISREG(status.st_mode)) throw absent();
  const std::string etag = std::to_string(status.st_ino) + "-" + std::to_string(status.st_size) +
                           "-" + std::to_string(status.st_mtim.tv_sec) + "." +
                           std::to_string(status.st_mtim.tv_nsec);
  return file_response(request, std::move(file), etag);
}

}  // namespace andon::api
