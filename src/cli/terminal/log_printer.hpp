// SPDX-License-Identifier: Apache-2.0
// Prints what stands in a log group, and what is new in it when it is asked again. One thread.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>

#include "base/json/json.hpp"

namespace andon::cli {

class LogPrinter {
 public:
  // An answer of FilterLogEvents.
  using Ask = std::function<base::json::object(const base::json::object& request)>;
  // A message as it is printed.
  using Show = std::function<std::string(const std::string& message)>;
  LogPrinter(Ask ask, Show show, base::json::object request)
      : ask_(std::move(ask)), show_(std::move(show)), request_(std::move(request)) {}

  // What has come since the last time.
  void print_new();
  // From time to time, until the program is ended.
  [[noreturn]] void follow();

 private:
  void print(const base::json::object& event);

  const Ask ask_;
  const Show show_;
  const base::json::object request_;
  std::int64_t newest_ = 0;
  std::map<std::string, std::int64_t> seen_;  // ids and times
};

}  // namespace andon::cli
