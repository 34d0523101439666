// SPDX-License-Identifier: Apache-2.0
// Calls that are made for a stack, as whoever asked for it: operations of the table, and S3. What
// fails is a base::Error whose code says how (not_found, already_exists ...) and whose message
// begins with the operation, whatever service it was. One thread.
#pragma once

#include <chrono>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "api/s3/s3.hpp"
#include "api/table/internal_call.hpp"
#include "api/table/operation.hpp"
#include "base/error/error.hpp"

namespace andon::api {

namespace json = base::json;

struct S3Ask {
  std::string_view method;
  std::string bucket;
  std::string key = {};    // empty: the bucket
  std::string query = {};  // "policy"
  std::string body = {};
  std::vector<std::pair<std::string, std::string>> headers = {};
};

class StackCalls {
 public:
  // Both services must outlive it. `stop` ends what waits (pause()).
  StackCalls(const InternalCalls& calls, S3Service& s3, Caller caller, std::stop_token stop = {})
      : calls_(calls), s3_(s3), caller_(std::move(caller)), stop_(std::move(stop)) {}

  [[nodiscard]] const Caller& caller() const { return caller_; }
  [[nodiscard]] bool has(std::string_view service, std::string_view operation) const {
    return calls_.find(service, operation) != nullptr;
  }

  json::value call(std::string_view service, std::string_view operation,
                   const json::object& input) const;
  // Nothing for what is not there.
  [[nodiscard]] std::optional<json::value> find(std::string_view service,
                                                std::string_view operation,
                                                const json::object& input) const;
  // For what may be gone already.
  void call_unless_gone(std::string_view service, std::string_view operation,
                        const json::object& input) const;

  // Before something is looked at again. Throws cancelled where the server ends.
  void pause(std::chrono::milliseconds time) const;

  std::string s3(const S3Ask& ask) const;  // the body
  [[nodiscard]] std::optional<std::string> find_s3(const S3Ask& ask) const;

 private:
  // Of an operation that answers later: waits, up to half a minute.
  json::value call_later(const Operation& operation, const json::object& input) const;

  const InternalCalls& calls_;
  S3Service& s3_;
  Caller caller_;
  std::stop_token stop_;
};

}  // namespace andon::api
