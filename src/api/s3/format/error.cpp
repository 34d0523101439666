// SPDX-License-Identifier: Apache-2.0
#include "api/s3/format/error.hpp"

#include "api/s3/format/xml.hpp"

namespace andon::api {

S3Error translate_for_s3(const base::Error& error) {
  using base::ErrorCode;
  switch (error.code()) {
    case ErrorCode::invalid_argument:
      return invalid_argument(error.message());
    case ErrorCode::unauthenticated:
    case ErrorCode::permission_denied:
      return {403, "AccessDenied", error.message()};
    case ErrorCode::not_found:
      return {404, "NoSuchKey", error.message()};
    case ErrorCode::already_exists:
      return {409, "BucketAlreadyOwnedByYou", error.message()};
    case ErrorCode::conflict:
    case ErrorCode::failed_precondition:
      return {409, "OperationAborted", error.message()};
    case ErrorCode::unsupported:
      return {501, "NotImplemented", error.message()};
    case ErrorCode::resource_exhausted:
      return {403, "QuotaExceeded", error.message()};
    case ErrorCode::deadline_exceeded:
    case ErrorCode::unavailable:
    case ErrorCode::cancelled:
      return {503, "ServiceUnavailable", error.message()};
    case ErrorCode::data_corrupted:
    case ErrorCode::internal:
      break;
  }
  return {500, "InternalError", error.message()};
}

S3Error translate_for_s3(const AuthenticationError& error) {
  switch (error.problem()) {
    case AuthenticationProblem::missing:
    case AuthenticationProblem::expired_url:
      return {403, "AccessDenied", error.what()};
    case AuthenticationProblem::malformed:
      return {403, "AuthorizationHeaderMalformed", error.what()};
    case AuthenticationProblem::unknown_key:
      return {403, "InvalidAccessKeyId", error.what()};
    case AuthenticationProblem::wrong_token:
      return {403, "InvalidToken", error.what()};
    case AuthenticationProblem::expired_key:
      return {400, "ExpiredToken", error.what()};
    case AuthenticationProblem::clock_skew:
      return {403, "RequestTimeTooSkewed", error.what()};
    case AuthenticationProblem::wrong_payload:
      return {400, "XAmzContentSHA256Mismatch", error.what()};
    case AuthenticationProblem::wrong_signature:
      break;
  }
  return {403, "SignatureDoesNotMatch", error.what()};
}

S3Error no_such_bucket(const std::string& bucket) {
  return {404, "NoSuchBucket", "there is no bucket '" + bucket + "'"};
}

S3Error no_such_key(const std::string& key) {
  return {404, "NoSuchKey", "there is no object '" + key + "' in this bucket"};
}

S3Error no_such_version(const std::string& key, const std::string& version_id) {
  if (version_id.empty()) return no_such_key(key);
  return {404, "NoSuchVersion",
          "object '" + key + "' has no version '" + version_id.substr(0, 64) + "'"};
}

S3Error malformed_xml(const std::string& what) {
  return {400, "MalformedXML", what};
}

S3Error invalid_argument(const std::string& what) {
  return {400, "InvalidArgument", what};
}

S3Error no_access_lists() {
  return {400, "AccessControlListNotSupported",
          "The bucket does not allow ACLs: there is one owner, who may do everything, and policies "
          "say what others may"};
}

S3Error not_implemented(const std::string& what) {
  return {501, "NotImplemented", what};
}

wire::HttpResponse s3_error_response(const S3Error& error, const std::string& path,
                                     const std::string& request_id) {
  XmlWriter xml("Error");
  xml.text("Code", error.code()).text("Message", error.what()).text("Resource", path);
  xml.text("RequestId", request_id);
  wire::HttpResponse response{.status = error.status(), .headers = error.headers()};
  response.headers.set("Content-Type", "application/xml");
  response.body = xml.finish();
  return response;
}

}  // namespace andon::api
