// SPDX-License-Identifier: Apache-2.0
// While it lives, somebody is told each event that goes to stderr: by the thread that logs, one at
// a time. There is one of it at most. Made and ended by one thread; what it calls must neither wait
// nor log.
#pragma once

#include <functional>
#include <initializer_list>
#include <string_view>

#include "base/log/log.hpp"

namespace andon::base {

class LogListener {
 public:
  using Told = std::function<void(LogLevel level, std::string_view event,
                                  std::initializer_list<LogField> fields)>;
  explicit LogListener(Told told);
  LogListener(const LogListener&) = delete;
  LogListener& operator=(const LogListener&) = delete;
  ~LogListener();
};

}  // namespace andon::base
