// SPDX-License-Identifier: Apache-2.0
// The canonical form of a request, which SigV4 signs. Pure; internal to wire.
// Source: AWS, "Create a signed AWS API request", step 1.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "wire/http/http.hpp"

namespace andon::wire {

// How a path becomes canonical: S3 signs it as it is, everybody else normalises it and encodes it
// once more.
enum class PathRule { s3, normalised };
[[nodiscard]] PathRule path_rule_of(std::string_view service);

struct CanonicalInput {
  std::string_view method;
  std::string_view target;  // as sent
  const Headers& headers;
  const std::vector<std::string>& signed_headers;  // lower case, sorted
  std::string_view payload_sha256;
  PathRule path_rule;
};
// X-Amz-Signature is left out of the query. Nothing where the target is malformed.
[[nodiscard]] std::optional<std::string> canonical_request(const CanonicalInput& input);

}  // namespace andon::wire
