// SPDX-License-Identifier: Apache-2.0
#include "api/table/service_errors.hpp"

#include "fleet/names/reason.hpp"

namespace andon::api {
namespace {

using base::ErrorCode;

struct Wording {
  int status;
  const char* code;
};

// What a service says of each kind of failure.
struct Wordings {
  Wording wrong;   // invalid_argument, unsupported
  Wording denied;  // unauthenticated, permission_denied
  Wording not_found;
  Wording already_exists;
  Wording conflict;
  Wording failed_precondition;
  Wording exhausted;
  Wording unavailable;  // also deadline_exceeded, cancelled
  Wording internal;     // also data_corrupted
};

// The exceptions of model 2020-11-30; also for andon's own operations.
constexpr Wordings kGreengrass{.wrong = {400, "ValidationException"},
                               .denied = {403, "AccessDeniedException"},
                               .not_found = {404, "ResourceNotFoundException"},
                               .already_exists = {409, "ConflictException"},
                               .conflict = {409, "ConflictException"},
                               .failed_precondition = {409, "ConflictException"},
                               .exhausted = {429, "ThrottlingException"},
                               .unavailable = {503, "ServiceUnavailableException"},
                               .internal = {500, "InternalServerException"}};

// The exceptions of model 2015-05-28.
constexpr Wordings kIot{.wrong = {400, "InvalidRequestException"},
                        .denied = {401, "UnauthorizedException"},
                        .not_found = {404, "ResourceNotFoundException"},
                        .already_exists = {409, "ResourceAlreadyExistsException"},
                        .conflict = {409, "VersionConflictException"},
                        .failed_precondition = {400, "InvalidRequestException"},
                        .exhausted = {400, "ThrottlingException"},
                        .unavailable = {503, "ServiceUnavailableException"},
                        .internal = {500, "InternalFailureException"}};

// The exceptions of its data plane's model 2015-05-28; what is too much there is too large.
constexpr Wordings kIotData{.wrong = {400, "InvalidRequestException"},
                            .denied = {403, "ForbiddenException"},
                            .not_found = {404, "ResourceNotFoundException"},
                            .already_exists = {409, "ConflictException"},
                            .conflict = {409, "ConflictException"},
                            .failed_precondition = {400, "InvalidRequestException"},
                            .exhausted = {413, "RequestEntityTooLargeException"},
                            .unavailable = {503, "ServiceUnavailableException"},
                            .internal = {500, "InternalFailureException"}};

// What it answers for the Model Registry, where something that is not there (or there already) is a
// ValidationException too. Its own model lists only the Conflict and the Limit.
constexpr Wordings kSagemaker{.wrong = {400, "ValidationException"},
                              .denied = {400, "AccessDeniedException"},
                              .not_found = {400, "ValidationException"},
                              .already_exists = {400, "ValidationException"},
                              .conflict = {400, "ConflictException"},
                              .failed_precondition = {400, "ConflictException"},
                              .exhausted = {400, "ResourceLimitExceeded"},
                              .unavailable = {503, "ServiceUnavailable"},
                              .internal = {500, "InternalFailure"}};

// The exceptions of model 2020-07-01.
constexpr Wordings kFeatureRecords{.wrong = {400, "ValidationError"},
                                   .denied = {403, "AccessForbidden"},
                                   .not_found = {404, "ResourceNotFound"},
                                   .already_exists = {400, "ValidationError"},
                                   .conflict = {400, "ValidationError"},
                                   .failed_precondition = {400, "ValidationError"},
                                   .exhausted = {503, "ServiceUnavailable"},
                                   .unavailable = {503, "ServiceUnavailable"},
                                   .internal = {500, "InternalFailure"}};

// The exceptions of model 2017-05-18.
constexpr Wordings kAthena{.wrong = {400, "InvalidRequestException"},
                           .denied = {400, "AccessDeniedException"},
                           .not_found = {400, "InvalidRequestException"},
                           .already_exists = {400, "InvalidRequestException"},
                           .conflict = {400, "InvalidRequestException"},
                           .failed_precondition = {400, "InvalidRequestException"},
                           .exhausted = {400, "TooManyRequestsException"},
                           .unavailable = {500, "InternalServerException"},
                           .internal = {500, "InternalServerException"}};

// The exceptions of model 2017-03-31.
constexpr Wordings kGlue{.wrong = {400, "InvalidInputException"},
                         .denied = {400, "AccessDeniedException"},
                         .not_found = {400, "EntityNotFoundException"},
                         .already_exists = {400, "AlreadyExistsException"},
                         .conflict = {400, "ConcurrentModificationException"},
                         .failed_precondition = {400, "InvalidInputException"},
                         .exhausted = {400, "ResourceNumberLimitExceededException"},
                         .unavailable = {400, "OperationTimeoutException"},
                         .internal = {500, "InternalServiceException"}};

// What a Refusal has no name for.
constexpr Wordings kStates{.wrong = {400, "ValidationException"},
                           .denied = {400, "AccessDeniedException"},
                           .not_found = {400, "ResourceNotFound"},
                           .already_exists = {400, "ConflictException"},
                           .conflict = {400, "ConflictException"},
                           .failed_precondition = {400, "ValidationException"},
                           .exhausted = {503, "ServiceUnavailable"},
                           .unavailable = {503, "ServiceUnavailable"},
                           .internal = {500, "InternalFailure"}};

// The exceptions of model 2014-03-28.
constexpr Wordings kLogs{.wrong = {400, "InvalidParameterException"},
                         .denied = {400, "AccessDeniedException"},
                         .not_found = {400, "ResourceNotFoundException"},
                         .already_exists = {400, "ResourceAlreadyExistsException"},
                         .conflict = {400, "OperationAbortedException"},
                         .failed_precondition = {400, "InvalidParameterException"},
                         .exhausted = {400, "LimitExceededException"},
                         .unavailable = {503, "ServiceUnavailableException"},
                         .internal = {500, "InternalFailure"}};

// The exceptions of model 2015-10-07.
constexpr Wordings kEvents{.wrong = {400, "ValidationException"},
                           .denied = {400, "AccessDeniedException"},
                           .not_found = {400, "ResourceNotFoundException"},
                           .already_exists = {400, "ResourceAlreadyExistsException"},
                           .conflict = {400, "ConcurrentModificationException"},
                           .failed_precondition = {400, "ValidationException"},
                           .exhausted = {400, "LimitExceededException"},
                           .unavailable = {503, "ServiceUnavailable"},
                           .internal = {500, "InternalException"}};

// The exceptions of model 2014-11-06; a parameter that is there is told by NamedRefusal.
constexpr Wordings kSsm{.wrong = {400, "ValidationException"},
                        .denied = {400, "AccessDeniedException"},
                        .not_found = {400, "ParameterNotFound"},
                        .already_exists = {400, "ParameterAlreadyExists"},
                        .conflict = {400, "TooManyUpdates"},
                        .failed_precondition = {400, "ValidationException"},
                        .exhausted = {400, "ParameterLimitExceeded"},
                        .unavailable = {503, "ServiceUnavailable"},
                        .internal = {500, "InternalServerError"}};

// The exceptions of model 2017-10-17.
constexpr Wordings kSecretsManager{.wrong = {400, "InvalidParameterException"},
                                   .denied = {400, "AccessDeniedException"},
                                   .not_found = {400, "ResourceNotFoundException"},
                                   .already_exists = {400, "ResourceExistsException"},
                                   .conflict = {400, "InvalidRequestException"},
                                   .failed_precondition = {400, "InvalidRequestException"},
                                   .exhausted = {400, "LimitExceededException"},
                                   .unavailable = {503, "ServiceUnavailable"},
                                   .internal = {500, "InternalServiceError"}};
// The exceptions of model 2015-03-31.
constexpr Wordings kLambda{.wrong = {400, "InvalidParameterValueException"},
                           .denied = {403, "AccessDeniedException"},
                           .not_found = {404, "ResourceNotFoundException"},
                           .already_exists = {409, "ResourceConflictException"},
                           .conflict = {409, "ResourceConflictException"},
                           .failed_precondition = {412, "PreconditionFailedException"},
                           .exhausted = {429, "TooManyRequestsException"},
                           .unavailable = {503, "ServiceException"},
                           .internal = {500, "ServiceException"}};
// The exceptions of CodeBuild's model 2016-10-06.
constexpr Wordings kCodeBuild{.wrong = {400, "InvalidInputException"},
                              .denied = {400, "AccessDeniedException"},
                              .not_found = {400, "ResourceNotFoundException"},
                              .already_exists = {400, "ResourceAlreadyExistsException"},
                              .conflict = {400, "InvalidInputException"},
                              .failed_precondition = {400, "InvalidInputException"},
                              .exhausted = {400, "AccountLimitExceededException"},
                              .unavailable = {503, "ServiceUnavailable"},
                              .internal = {500, "InternalFailure"}};
// The exceptions of model 2021-06-30.
constexpr Wordings kScheduler{.wrong = {400, "ValidationException"},
                              .denied = {403, "AccessDeniedException"},
                              .not_found = {404, "ResourceNotFoundException"},
                              .already_exists = {409, "ConflictException"},
                              .conflict = {409, "ConflictException"},
                              .failed_precondition = {409, "ConflictException"},
                              .exhausted = {402, "ServiceQuotaExceededException"},
                              .unavailable = {503, "ServiceUnavailable"},
                              .internal = {500, "InternalServerException"}};

// The exceptions of model 2010-05-08; STS has a part of them.
constexpr Wordings kIam{.wrong = {400, "ValidationError"},
                        .denied = {403, "AccessDenied"},
                        .not_found = {404, "NoSuchEntity"},
                        .already_exists = {409, "EntityAlreadyExists"},
                        .conflict = {409, "ConcurrentModification"},
                        .failed_precondition = {409, "DeleteConflict"},
                        .exhausted = {409, "LimitExceeded"},
                        .unavailable = {503, "ServiceUnavailable"},
                        .internal = {500, "ServiceFailure"}};

// The errors of model 2010-05-15, whose own are told by ServiceError.
constexpr Wordings kCloudFormation{.wrong = {400, "ValidationError"},
                                   .denied = {403, "AccessDenied"},
                                   .not_found = {400, "ValidationError"},
                                   .already_exists = {400, "AlreadyExistsException"},
                                   .conflict = {400, "ValidationError"},
                                   .failed_precondition = {400, "ValidationError"},
                                   .exhausted = {400, "LimitExceededException"},
                                   .unavailable = {503, "ServiceUnavailable"},
                                   .internal = {500, "InternalFailure"}};

// The exceptions of model 2015-07-09; others of its own are told by ServiceError.
constexpr Wordings kCodePipeline{.wrong = {400, "ValidationException"},
                                 .denied = {400, "AccessDeniedException"},
                                 .not_found = {400, "PipelineNotFoundException"},
                                 .already_exists = {400, "ConflictException"},
                                 .conflict = {400, "ConflictException"},
                                 .failed_precondition = {400, "ConflictException"},
                                 .exhausted = {400, "LimitExceededException"},
                                 .unavailable = {503, "ServiceUnavailable"},
                                 .internal = {500, "InternalFailure"}};

const Wordings& wordings_of(std::string_view service) {
  if (service == "cloudformation") return kCloudFormation;
  if (service == "codepipeline") return kCodePipeline;
  if (service == "iam" || service == "sts") return kIam;
  if (service == "logs") return kLogs;
  if (service == "lambda") return kLambda;
  if (service == "codebuild") return kCodeBuild;
  if (service == "events") return kEvents;
  if (service == "ssm") return kSsm;
  if (service == "secretsmanager") return kSecretsManager;
  if (service == "scheduler") return kScheduler;
  if (service == "states") return kStates;
  if (service == "iot") return kIot;
  if (service == "iotdata") return kIotData;
  if (service == "sagemaker") return kSagemaker;
  if (service == "sagemaker-featurestore-runtime") return kFeatureRecords;
  if (service == "athena") return kAthena;
  if (service == "glue") return kGlue;
  return kGreengrass;
}

const Wording& wording(std::string_view service, ErrorCode code) {
  const Wordings& wordings = wordings_of(service);
  switch (code) {
    case ErrorCode::invalid_argument:
    case ErrorCode::unsupported:
      return wordings.wrong;
    case ErrorCode::unauthenticated:
    case ErrorCode::permission_denied:
      return wordings.denied;
    case ErrorCode::not_found:
      return wordings.not_found;
    case ErrorCode::already_exists:
      return wordings.already_exists;
    case ErrorCode::conflict:
      return wordings.conflict;
    case ErrorCode::failed_precondition:
      return wordings.failed_precondition;
    case ErrorCode::resource_exhausted:
      return wordings.exhausted;
    case ErrorCode::deadline_exceeded:
    case ErrorCode::unavailable:
    case ErrorCode::cancelled:
      return wordings.unavailable;
    case ErrorCode::data_corrupted:
    case ErrorCode::internal:
      break;
  }
  return wordings.internal;
}

}  // namespace

ServiceError translate(std::string_view service, const base::Error& error) {
  const Wording& words = wording(service, error.code());
  return {words.status, words.code, error.message(), std::string(fleet::reason_of(error))};
}

ServiceError translate_for_query(const AuthenticationError& error) {
  const auto code = [&] {
    switch (error.problem()) {
      case AuthenticationProblem::missing:
        return "MissingAuthenticationToken";
      case AuthenticationProblem::malformed:
        return "IncompleteSignature";
      case AuthenticationProblem::unknown_key:
      case AuthenticationProblem::wrong_token:
        return "InvalidClientTokenId";
      case AuthenticationProblem::expired_key:
        return "ExpiredToken";
      case AuthenticationProblem::wrong_signature:
      case AuthenticationProblem::clock_skew:
      case AuthenticationProblem::expired_url:
      case AuthenticationProblem::wrong_payload:
        break;
    }
    return "SignatureDoesNotMatch";
  }();
  return {403, code, error.what()};
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

ServiceError access_denied(Protocol protocol, const std::string& sentence) {
  if (protocol == Protocol::query) return {403, "AccessDenied", sentence};
  return {has_target(protocol) ? 400 : 403, "AccessDeniedException", sentence};
}

}  // namespace andon::api
