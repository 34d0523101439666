// SPDX-License-Identifier: Apache-2.0
// Where result messages go. Owned by main, used by one thread.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "base/os/file.hpp"

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

// DIR/results.csv: a row a detection, one without a box for an image that has none. The rows of a
// message are written at once and are on disk before publish() returns; rows of the same image and
// time that are last in the file are replaced, so that a crash leaves neither halves nor doubles.
class CsvSink final : public ResultSink {
 public:
  explicit CsvSink(const base::fs::path& directory);
  void publish(const std::string& message) override;

 private:
  base::fs::path path_;
  base::UniqueFd file_;
  std::string last_key_;  // timestamp and image of the last rows, as written
  std::uint64_t last_start_ = 0;
  std::uint64_t end_ = 0;
};

// The rows of a message, each with its newline. Pure. Throws data_corrupted for what is no message.
[[nodiscard]] std::string to_csv_rows(const std::string& message);

}  // namespace andon::inspect
