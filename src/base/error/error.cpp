// SPDX-License-Identifier: Apache-2.0
#include "base/error/error.hpp"

#include <array>
#include <cerrno>
#include <system_error>
#include <utility>

namespace andon::base {
namespace {

struct CodeRow {
  std::string_view name;
  int http_status;
  int exit_code;
};

constexpr std::array<CodeRow, 14> kCodes{{
    {"invalid_argument", 400, 3},
    {"unauthenticated", 403, 4},
    {"permission_denied", 403, 5},
    {"not_found", 404, 6},
    {"already_exists", 409, 7},
    {"conflict", 409, 8},
    {"failed_precondition", 412, 9},
    {"resource_exhausted", 429, 10},
    {"data_corrupted", 422, 11},
    {"deadline_exceeded", 504, 12},
    {"unavailable", 503, 13},
    {"cancelled", 499, 14},
    {"unsupported", 501, 15},
    {"internal", 500, 1},
}};

const CodeRow& row(ErrorCode code) {
  return kCodes.at(static_cast<std::size_t>(code));
}

ErrorCode code_of_errno(int error_number) {
  switch (error_number) {
    case ENOENT:
    case ENOTDIR:
      return ErrorCode::not_found;
    case EEXIST:
      return ErrorCode::already_exists;
    case EACCES:
    case EPERM:
    case EROFS:
      return ErrorCode::permission_denied;
    case ENOSPC:
    case EDQUOT:
    case EMFILE:
    case ENFILE:
    case ENOMEM:
      return ErrorCode::resource_exhausted;
    case ETIMEDOUT:
      return ErrorCode::deadline_exceeded;
    case ECONNREFUSED:
    case ECONNRESET:
    case EPIPE:
    case EADDRINUSE:
    case EAGAIN:
      return ErrorCode::unavailable;
    case EINVAL:
    case ENAMETOOLONG:
    case EISDIR:
      return ErrorCode::invalid_argument;
    default:
      return ErrorCode::internal;
  }
}

}  // namespace

std::string_view to_string(ErrorCode code) {
  return row(code).name;
}
int http_status(ErrorCode code) {
  return row(code).http_status;
}
int exit_code(ErrorCode code) {
  return row(code).exit_code;
}

Error::Error(ErrorCode code, std::string message) : code_(code), message_(std::move(message)) {}

Error& Error::with_context(std::string_view context) {
  message_ = std::string(context) + ": " + message_;
  return *this;
}

Error system_error(std::string_view what_failed, int error_number) {
  return {code_of_errno(error_number),
          std::string(what_failed) + ": " + std::generic_category().message(error_number)};
}

}  // namespace andon::base
