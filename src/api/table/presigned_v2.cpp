// SPDX-License-Identifier: Apache-2.0
#include "api/table/presigned_v2.hpp"

#include <algorithm>
#include <array>
#include <map>

#include "api/table/authenticator.hpp"
#include "base/text/ascii.hpp"
#include "base/text/encoding.hpp"
#include "base/text/number.hpp"
#include "trust/digests/digest.hpp"

namespace andon::api {
namespace {

constexpr std::int64_t kLatestSeconds = 253'402'300'799;  // the end of the year 9999
constexpr std::string_view kTokenField = "x-amz-security-token";

// Query parameters that are part of the resource. Every one that s3.cpp's table looks at for an
// object must be here.
constexpr std::array<std::string_view, 12> kSignedParameters{"acl",
                                                             "partNumber",
                                                             "response-cache-control",
                                                             "response-content-disposition",
                                                             "response-content-encoding",
                                                             "response-content-language",
                                                             "response-content-type",
                                                             "response-expires",
                                                             "tagging",
                                                             "uploadId",
                                                             "uploads",
                                                             "versionId"};

// A field of the header or, as presigned URLs carry some, of the query.
std::string field(const wire::HttpRequest& request, std::string_view name) {
  if (const auto value = request.headers.find(name)) return std::string(*value);
  return request.query_value(name).value_or("");
}

std::map<std::string, std::string> amz_fields(const wire::HttpRequest& request) {
  std::map<std::string, std::string> fields;
  const auto add = [&](const auto& pairs) {
    for (const auto& [name, value] : pairs) {
      const std::string lowered = base::to_lower(name);
      if (lowered.starts_with("x-amz-")) fields.emplace(lowered, value);
    }
  };
  add(request.headers.fields());
  add(request.query);
  return fields;
}

std::string signed_resource(const wire::HttpRequest& request, const std::string& resource) {
  std::map<std::string, std::string> parameters;
  for (const auto& [name, value] : request.query) {
    if (std::ranges::find(kSignedParameters, name) != kSignedParameters.end()) {
      parameters.emplace(name, value);
    }
  }
  std::string text = resource;
  char separator = '?';
  for (const auto& [name, value] : parameters) {
    text += separator + name + (value.empty() ? "" : "=" + value);
    separator = '&';
  }
  return text;
}

}  // namespace

bool is_signed(const wire::HttpRequest& request) {
  constexpr std::array<std::string_view, 5> kParameters{
      "X-Amz-Signature", "X-Amz-Credential", "X-Amz-Algorithm", "AWSAccessKeyId", "Signature"};
  return request.headers.find("Authorization") ||
         std::ranges::any_of(kParameters, [&](std::string_view name) {
           return request.query_value(name).has_value();
         });
}

bool is_presigned_v2(const wire::HttpRequest& request) {
  return request.query_value("AWSAccessKeyId") && request.query_value("Signature");
}

PresignedV2Claim read_presigned_v2(const wire::HttpRequest& request) {
  const std::string expires = request.query_value("Expires").value_or("");
  const auto seconds = base::parse_integer<std::int64_t>(expires, 0, kLatestSeconds);
  if (!seconds) {
    throw AuthenticationError(AuthenticationProblem::malformed,
                              "Expires of the presigned URL is not a time in seconds");
  }
  return {.access_key_id = request.query_value("AWSAccessKeyId").value_or(""),
          .signature = request.query_value("Signature").value_or(""),
          .expires = base::from_epoch_millis(*seconds * 1000),
          .session_token = request.query_value(kTokenField).value_or("")};
}

std::string presigned_v2_signature(const wire::HttpRequest& request, const std::string& resource,
                                   const std::string& secret_access_key) {
  std::string text = request.method + "\n" + field(request, "content-md5") + "\n" +
                     field(request, "content-type") + "\n" +
                     request.query_value("Expires").value_or("") + "\n";
  for (const auto& [name, value] : amz_fields(request)) text.append(name + ":" + value + "\n");
  text += signed_resource(request, resource);
  const trust::Sha1 signature = trust::hmac_sha1(secret_access_key, text);
  return base::to_base64({reinterpret_cast<const char*>(signature.data()), signature.size()});
}

}  // namespace andon::api
