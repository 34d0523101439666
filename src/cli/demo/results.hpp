// SPDX-License-Identifier: Apache-2.0
// The result messages of the demo: taken from MQTT, one kept for each image, shown as a table and
// written to <out>/results.jsonl and <out>/annotated/. receive() may be called on any thread; the
// rest on one.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <fstream>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "base/json/fwd.hpp"
#include "base/os/file.hpp"

namespace andon::cli {

class DemoResults {
 public:
  // Results of images in `images` are drawn; <out>/results.jsonl is begun anew.
  DemoResults(base::fs::path images, base::fs::path out);

  void receive(std::string payload);
  // Waits up to `timeout` for messages and takes in all that have come.
  void process(std::chrono::milliseconds timeout);

  [[nodiscard]] bool has(const std::string& image) const { return seen_.contains(image); }
  [[nodiscard]] std::size_t count() const { return seen_.size(); }
  [[nodiscard]] std::size_t with_detections() const { return with_detections_; }
  [[nodiscard]] std::size_t failed() const { return failed_; }
  [[nodiscard]] std::size_t repeated() const { return repeated_; }

 private:
  void take(const std::string& payload);
  void print_row(const base::json::value& result);
  void draw(const base::json::value& result, const std::string& image) const;

  base::fs::path images_;
  base::fs::path out_;
  std::ofstream file_;
  std::set<std::string> seen_;
  std::size_t with_detections_ = 0;
  std::size_t failed_ = 0;
  std::size_t repeated_ = 0;
  bool header_printed_ = false;

  std::mutex mutex_;
  std::condition_variable arrived_;
  std::deque<std::string> queue_;
};

}  // namespace andon::cli
