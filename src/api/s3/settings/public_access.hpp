// SPDX-License-Identifier: Apache-2.0
// Whether a bucket may be public at all. Values; any thread.
#pragma once

#include <optional>
#include <string>

#include "api/s3/format/xml.hpp"

namespace andon::api {

// Of a bucket that nobody has said anything about, as of AWS's new ones: nothing is public.
struct PublicAccessBlock {
  bool block_public_acls = true;
  bool ignore_public_acls = true;
  bool block_public_policy = true;      // a policy that makes it public is refused
  bool restrict_public_buckets = true;  // a public policy lets in nobody but the account's own

  // Throws S3Error(MalformedXML).
  [[nodiscard]] static PublicAccessBlock read(const XmlElement& root);
  [[nodiscard]] std::string document() const;
  // Of a bucket's setting, a document or kNoBlock; none: the default.
  [[nodiscard]] static PublicAccessBlock of(const std::optional<std::string>& setting);
};

// The setting of a bucket whose block was deleted.
inline constexpr const char* kNoBlock = "none";

}  // namespace andon::api
