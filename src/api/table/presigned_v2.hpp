// SPDX-License-Identifier: Apache-2.0
// Whether a request is signed at all; and presigned URLs of S3 objects with Signature Version 2
// (HMAC-SHA1), which boto3 and the AWS CLI still make for `aws s3 presign` and
// generate_presigned_url in the older regions. It signs neither the host nor most of the query, so
// it is taken for single objects only. Pure. Source: AWS, "Signing and authenticating REST
// requests", query string request authentication.
#pragma once

#include <string>

#include "base/time/time.hpp"
#include "wire/http/http.hpp"

namespace andon::api {

// In its headers or its query, by any version of AWS's signatures; nothing is verified.
[[nodiscard]] bool is_signed(const wire::HttpRequest& request);
[[nodiscard]] bool is_presigned_v2(const wire::HttpRequest& request);

struct PresignedV2Claim {
  std::string access_key_id;
  std::string signature;  // base64
  base::Timestamp expires;
  std::string session_token;
};
// Throws AuthenticationError(malformed).
[[nodiscard]] PresignedV2Claim read_presigned_v2(const wire::HttpRequest& request);

// `resource`: "/<bucket>/<key>", percent-encoded as the client sent it.
[[nodiscard]] std::string presigned_v2_signature(const wire::HttpRequest& request,
                                                 const std::string& resource,
                                                 const std::string& secret_access_key);

}  // namespace andon::api
