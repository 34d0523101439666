// SPDX-License-Identifier: Apache-2.0
#include "edge/deploy/progress_reporter.hpp"

#include <utility>

namespace andon::edge {

ProgressReporter::ProgressReporter(EventLoop& loop, std::function<Now()> look,
                                   std::function<void(const Now&)> send)
    : loop_(loop), look_(std::move(look)), send_(std::move(send)) {}

void ProgressReporter::start() {
  if (timer_ != 0) return;
  timer_ = loop_.after(kFirst, [this] { tick(); });
}

void ProgressReporter::tick() {
  timer_ = 0;
  const Now now = look_();
  if (now.job_id.empty()) return told_.clear();
  std::string text = now.job_id + ' ' + fleet::describe(now.progress);
  if (text != told_) {
    told_ = std::move(text);
    send_(now);
  }
  timer_ = loop_.after(kAgain, [this] { tick(); });
}

}  // namespace andon::edge
