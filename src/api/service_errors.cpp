// SPDX-License-Identifier: Apache-2.0
#include "api/service_errors.hpp"

namespace andon::api {
namespace {

using base::ErrorCode;

struct Wording {
  int status;
  const char* code;
};

// greengrass (and andon's own operations): the exceptions of model 2020-11-30.
Wording greengrass_wording(ErrorCode code) {
  switch (code) {
    case ErrorCode::invalid_argument:
    case ErrorCode::unsupported:
      return {400, "ValidationException"};
    case ErrorCode::unauthenticated:
    case ErrorCode::permission_denied:
      return {403, "AccessDeniedException"};
    case ErrorCode::not_found:
      return {404, "ResourceNotFoundException"};
    case ErrorCode::already_exists:
    case ErrorCode::conflict:
    case ErrorCode::failed_precondition:
      return {409, "ConflictException"};
    case ErrorCode::resource_exhausted:
      return {429, "ThrottlingException"};
    case ErrorCode::deadline_exceeded:
    case ErrorCode::unavailable:
    case ErrorCode::cancelled:
      return {503, "ServiceUnavailableException"};
    case ErrorCode::data_corrupted:
    case ErrorCode::internal:
      break;
  }
  return {500, "InternalServerException"};
}

// iot: the exceptions of model 2015-05-28.
Wording iot_wording(ErrorCode code) {
  switch (code) {
    case ErrorCode::invalid_argument:
    case ErrorCode::unsupported:
    case ErrorCode::failed_precondition:
      return {400, "InvalidRequestException"};
    case ErrorCode::unauthenticated:
    case ErrorCode::permission_denied:
      return {401, "UnauthorizedException"};
    case ErrorCode::not_found:
      return {404, "ResourceNotFoundException"};
    case ErrorCode::already_exists:
      return {409, "ResourceAlreadyExistsException"};
    case ErrorCode::conflict:
      return {409, "VersionConflictException"};
    case ErrorCode::resource_exhausted:
      return {400, "ThrottlingException"};
    case ErrorCode::deadline_exceeded:
    case ErrorCode::unavailable:
    case ErrorCode::cancelled:
      return {503, "ServiceUnavailableException"};
    case ErrorCode::data_corrupted:
    case ErrorCode::internal:
      break;
  }
  return {500, "InternalFailureException"};
}

// sagemaker: what it answers for the Model Registry, where something that is not there (or there
// already) is a ValidationException too. Its own model lists only the Conflict and the Limit.
Wording sagemaker_wording(ErrorCode code) {
  switch (code) {
    case ErrorCode::invalid_argument:
    case ErrorCode::unsupported:
    case ErrorCode::not_found:
    case ErrorCode::already_exists:
      return {400, "ValidationException"};
    case ErrorCode::unauthenticated:
    case ErrorCode::permission_denied:
      return {400, "AccessDeniedException"};
    case ErrorCode::conflict:
    case ErrorCode::failed_precondition:
      return {400, "ConflictException"};
    case ErrorCode::resource_exhausted:
      return {400, "ResourceLimitExceeded"};
    case ErrorCode::deadline_exceeded:
    case ErrorCode::unavailable:
    case ErrorCode::cancelled:
      return {503, "ServiceUnavailable"};
    case ErrorCode::data_corrupted:
    case ErrorCode::internal:
      break;
  }
  return {500, "InternalFailure"};
}

Wording wording(std::string_view service, ErrorCode code) {
  if (service == "iot" || service == "iotdata") return iot_wording(code);
  if (service == "sagemaker") return sagemaker_wording(code);
  return greengrass_wording(code);
}

}  // namespace

ServiceError translate(std::string_view service, const base::Error& error) {
  const Wording words = wording(service, error.code());
  return {words.status, words.code, error.message()};
}

ServiceError translate(const AuthenticationError& error) {
  const auto code = [&] {
    switch (error.problem()) {
      case AuthenticationProblem::missing:
        return "MissingAuthenticationTokenException";
      case AuthenticationProblem::malformed:
        return "IncompleteSignatureException";
      case AuthenticationProblem::unknown_key:
      case AuthenticationProblem::wrong_token:
        return "UnrecognizedClientException";
      case AuthenticationProblem::expired_key:
        return "ExpiredTokenException";
      case AuthenticationProblem::wrong_signature:
      case AuthenticationProblem::clock_skew:
      case AuthenticationProblem::expired_url:
      case AuthenticationProblem::wrong_payload:
        break;
    }
    return "InvalidSignatureException";
  }();
  return {403, code, error.what()};
}

}  // namespace andon::api
