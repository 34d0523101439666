// SPDX-License-Identifier: Apache-2.0
// The one exception type of andon: what ends a request, a step or a run.
// The message is written for the person on the line: what failed, on what, why, and what to do.
// Thrown deep, given context on the way up, caught once where somebody can act.
#pragma once

#include <exception>
#include <string>
#include <string_view>

namespace andon::base {

// Each code maps one to one to an HTTP status and a process exit code.
enum class ErrorCode {
  invalid_argument,     // the input is wrong; the same input will fail again (400)
  unauthenticated,      // who asks is not known, or the signature is wrong (403, as AWS answers)
  permission_denied,    // who asks is known and may not (403)
  not_found,            // (404)
  already_exists,       // (409)
  conflict,             // the state has moved on, read again and retry (409)
  failed_precondition,  // the system is not in the state that this needs (412)
  resource_exhausted,   // a quota, a disk or a rate limit (429)
  data_corrupted,       // a digest, a signature or a stored record does not fit (422)
  deadline_exceeded,    // it took too long (504)
  unavailable,          // the other side cannot be reached or is busy; try again (503)
  cancelled,            // somebody asked for it to stop (499)
  unsupported,          // known, but not something that this build does (501)
  internal,             // a defect of andon itself (500)
};

[[nodiscard]] std::string_view to_string(ErrorCode code);
[[nodiscard]] int http_status(ErrorCode code);
// 0 is success and 2 is a usage error (by CLI11), so these start at 3; internal is 1.
[[nodiscard]] int exit_code(ErrorCode code);

class Error : public std::exception {
 public:
  Error(ErrorCode code, std::string message);

  [[nodiscard]] ErrorCode code() const { return code_; }
  [[nodiscard]] const std::string& message() const { return message_; }
  [[nodiscard]] const char* what() const noexcept override { return message_.c_str(); }

  // Puts `context` before the message ("context: message") and returns itself, for `throw
  // error.with_context(...)` on the way up.
  Error& with_context(std::string_view context);

 private:
  ErrorCode code_;
  std::string message_;
};

// For a failed system call: maps errno to a code and names it ("cannot open X: No such file ...").
[[nodiscard]] Error system_error(std::string_view what_failed, int error_number);

}  // namespace andon::base
