// SPDX-License-Identifier: Apache-2.0
// A host's side of stored executions, in memory: for tests and benchmarks. One thread.
#pragma once

#include <map>
#include <memory>
#include <string>

#include "asl/execution/execution.hpp"

namespace andon::asl {

class MemoryRecords : public RecordSource {
 public:
  [[nodiscard]] std::optional<std::string> read(std::string_view key) const override {
    const auto found = records.find(key);
    if (found == records.end()) return std::nullopt;
    ++reads;
    return found->second;
  }
  void apply(const Changes& changes) {
    for (const std::string& prefix : changes.erase) {
      auto at = records.lower_bound(prefix);
      while (at != records.end() && at->first.starts_with(prefix)) at = records.erase(at);
    }
    for (const auto& [key, text] : changes.put) {
      bytes_written += key.size() + text.size();
      records[key] = text;
    }
  }

  std::map<std::string, std::string, std::less<>> records;
  mutable std::size_t reads = 0;
  std::size_t bytes_written = 0;
};

// For LocalRunOptions::between: stores what each step changed, and goes on with the state that it
// has (warm) or with one that is loaded anew (cold). Copies share the records.
class StoreBetweenSteps {
 public:
  enum class Mode { warm, cold };
  explicit StoreBetweenSteps(Mode mode) : mode_(mode) {}

  ExecutionState operator()(ExecutionState state) const {
    auto& records = (*executions_)[state.arn];
    if (records == nullptr) records = std::make_shared<MemoryRecords>();
    records->apply(state.take_changes());
    if (mode_ == Mode::cold) return load_execution(records);
    state.attach(records);
    return state;
  }
  // By ARN: the main one, and child executions of distributed Maps.
  [[nodiscard]] const std::map<std::string, std::shared_ptr<MemoryRecords>>& executions() const {
    return *executions_;
  }

 private:
  Mode mode_;
  std::shared_ptr<std::map<std::string, std::shared_ptr<MemoryRecords>>> executions_ =
      std::make_shared<std::map<std::string, std::shared_ptr<MemoryRecords>>>();
};

}  // namespace andon::asl
