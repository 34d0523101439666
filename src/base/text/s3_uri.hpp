// SPDX-License-Identifier: Apache-2.0
// s3://BUCKET/KEY, as documents name objects, and s3://BUCKET/PREFIX. What a bucket's name or a key
// may hold says who takes it. Any thread.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace andon::base {

inline constexpr std::string_view kS3Scheme = "s3://";

struct S3Uri {
  std::string bucket;  // at least a character
  std::string key;     // or prefix; empty where there is none
};

// Nothing for what has another scheme, or no bucket.
[[nodiscard]] std::optional<S3Uri> parse_s3_uri(std::string_view uri);
// Of what stands behind the scheme: BUCKET/KEY.
[[nodiscard]] std::optional<S3Uri> split_bucket(std::string_view path);

}  // namespace andon::base
