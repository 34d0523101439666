// SPDX-License-Identifier: Apache-2.0
// The failures of the States Language, its names for them and its limits of data. Pure; any thread.
#pragma once

#include <cstddef>
#include <exception>
#include <string>
#include <string_view>
#include <utility>

namespace andon::asl {

// What makes a state fail, in the terms of the States Language: an error name that Retry and Catch
// match ("States.Runtime") and a cause for people. Thrown by evaluation, caught by the engine.
class Failure : public std::exception {
 public:
  Failure(std::string error, std::string cause)
      : error_(std::move(error)), cause_(std::move(cause)) {}

  [[nodiscard]] const std::string& error() const { return error_; }
  [[nodiscard]] const std::string& cause() const { return cause_; }
  // Where a JSONata expression stands in its state ("Output/items[0]"); empty for other failures.
  [[nodiscard]] const std::string& location() const { return location_; }
  [[nodiscard]] Failure at(std::string location) const {
    Failure copy = *this;
    copy.location_ = std::move(location);
    return copy;
  }
  // A second name that Retry and Catch may match: a missing heartbeat is shown as States.Timeout.
  [[nodiscard]] const std::string& other_name() const { return other_name_; }
  [[nodiscard]] Failure also_named(std::string_view name) const {
    Failure copy = *this;
    copy.other_name_ = name;
    return copy;
  }
  [[nodiscard]] const char* what() const noexcept override { return cause_.c_str(); }

 private:
  std::string error_;
  std::string cause_;
  std::string location_;
  std::string other_name_;
};

inline constexpr std::string_view kRuntime = "States.Runtime";
inline constexpr std::string_view kTimeout = "States.Timeout";
inline constexpr std::string_view kHeartbeatTimeout = "States.HeartbeatTimeout";
inline constexpr std::string_view kTaskFailed = "States.TaskFailed";
inline constexpr std::string_view kDataLimitExceeded = "States.DataLimitExceeded";
inline constexpr std::string_view kQueryEvaluationError = "States.QueryEvaluationError";
inline constexpr std::string_view kIntrinsicFailure = "States.IntrinsicFailure";
inline constexpr std::string_view kResultPathMatchFailure = "States.ResultPathMatchFailure";
inline constexpr std::string_view kParameterPathFailure = "States.ParameterPathFailure";
inline constexpr std::string_view kNoChoiceMatched = "States.NoChoiceMatched";
inline constexpr std::string_view kExceedToleratedFailureThreshold =
    "States.ExceedToleratedFailureThreshold";
inline constexpr std::string_view kItemReaderFailed = "States.ItemReaderFailed";
inline constexpr std::string_view kResultWriterFailed = "States.ResultWriterFailed";
inline constexpr std::string_view kPermissions = "States.Permissions";
inline constexpr std::string_view kBranchFailed = "States.BranchFailed";

[[nodiscard]] inline Failure failure(std::string_view error, std::string cause) {
  return {std::string(error), std::move(cause)};
}

// Input, output and result of a state: 256 KiB of UTF-8.
inline constexpr std::size_t kMaxDataBytes = 262'144;
// Levels of lists and objects in them.
inline constexpr std::size_t kMaxDataDepth = 1000;
// All variables of an execution together.
inline constexpr std::size_t kMaxVariableBytes = std::size_t{10} << 20U;

}  // namespace andon::asl
