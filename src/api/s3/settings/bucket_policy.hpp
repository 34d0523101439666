// SPDX-License-Identifier: Apache-2.0
// The policy of a bucket: read with what S3 wants of one, and whether it makes the bucket public.
// Immutable; any thread.
#pragma once

#include <string>
#include <string_view>

#include "policy/language/document.hpp"

namespace andon::api {

class BucketPolicy {
 public:
  // Throws S3Error(MalformedPolicy, NotImplemented) naming the place.
  BucketPolicy(std::string_view text, std::string_view bucket);

  [[nodiscard]] const policy::Document& document() const { return document_; }
  // As AWS means it: some statement allows something to everybody, and no condition holds it to
  // fixed addresses, principals or accounts.
  [[nodiscard]] bool is_public() const { return is_public_; }

 private:
  policy::Document document_;
  bool is_public_ = false;
};

}  // namespace andon::api
