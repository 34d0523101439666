// SPDX-License-Identifier: Apache-2.0
#include "base/text/s3_uri.hpp"

namespace andon::base {

std::optional<S3Uri> parse_s3_uri(std::string_view uri) {
  if (!uri.starts_with(kS3Scheme)) return std::nullopt;
  return split_bucket(uri.substr(kS3Scheme.size()));
}

std::optional<S3Uri> split_bucket(std::string_view path) {
  const std::size_t slash = path.find('/');
  if (path.empty() || slash == 0) return std::nullopt;
  return S3Uri{std::string(path.substr(0, slash)),
               slash == std::string_view::npos ? "" : std::string(path.substr(slash + 1))};
}

}  // namespace andon::base
