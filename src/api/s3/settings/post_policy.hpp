// SPDX-License-Identifier: Apache-2.0
// The policy of a form that a browser may post: what its signer allows. Pure; any thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "api/s3/settings/form_data.hpp"
#include "base/time/time.hpp"

namespace andon::api {

class PostPolicy {
 public:
  // `encoded` is base64 of the JSON document. Throws S3Error(InvalidPolicyDocument).
  explicit PostPolicy(std::string_view encoded);

  // Every field must be allowed by a condition, and every condition be met. Throws
  // S3Error(AccessDenied, EntityTooSmall, EntityTooLarge).
  void check(const FormData& form, std::string_view bucket, base::Timestamp now) const;

 private:
  enum class Kind : std::uint8_t { equal, starts_with };
  struct Condition {
    Kind kind = Kind::equal;
    std::string field;  // in lower case
    std::string value;
  };

  base::Timestamp expires_;
  std::vector<Condition> conditions_;
  std::uint64_t least_bytes_ = 0;
  std::uint64_t most_bytes_ = UINT64_MAX;
};

}  // namespace andon::api
