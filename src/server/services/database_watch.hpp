// SPDX-License-Identifier: Apache-2.0
// Looks at every page of the server's databases, at start and once a day, for as long as that
// takes, when nothing else wants the processor. What is damaged is said in the log.
#pragma once

#include <stop_token>
#include <thread>

#include "base/os/file.hpp"

namespace andon::server {

class DatabaseWatch {
 public:
  // `data`: the server's data directory.
  explicit DatabaseWatch(base::fs::path data);

 private:
  void run(const std::stop_token& stop) const;

  base::fs::path data_;
  std::jthread thread_;
};

}  // namespace andon::server
