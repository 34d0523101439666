// SPDX-License-Identifier: Apache-2.0
// Where result messages go. Owned by main, used by one thread.
#pragma once

#include <functional>
#include <string>

#include "base/file.hpp"

namespace andon::inspect {

class ResultSink {
 public:
  ResultSink() = default;
  ResultSink(const ResultSink&) = delete;
  ResultSink& operator=(const ResultSink&) = delete;
  virtual ~ResultSink() = default;

  // Has taken the message over when it returns; throws where it could not. After a crash the last
  // message may come once more.
  virtual void publish(const std::string& message) = 0;
};

// DIR/results.jsonl: one message a line, on disk before publish() returns. A message that equals
// the last line is not written again, and half a line left by a crash is taken back.
class JsonlSink final : public ResultSink {
 public:
  explicit JsonlSink(const base::fs::path& directory);
  void publish(const std::string& message) override;

 private:
  base::fs::path path_;
  base::UniqueFd file_;
  std::string last_;
};

}  // namespace andon::inspect
