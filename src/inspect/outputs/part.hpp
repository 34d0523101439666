// SPDX-License-Identifier: Apache-2.0
// One part on the line, from its trigger (or its picture) until each output was given. It has one
// verdict: the first that is decided, the model's or the fail-safe one, and no other ever. Shared
// by the frame, the clock of deadlines and the outputs; any thread.
#pragma once

#include <chrono>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/time/time.hpp"
#include "inspect/fieldbus/modbus.hpp"
#include "inspect/verdict/verdict.hpp"

namespace andon::inspect {

class Lane;

// What became of one output for one part: told in time, told or given up after the deadline, not
// told for a fault of the other side, or not known yet.
enum class Outcome { open, met, late, failed };
[[nodiscard]] std::string_view to_string(Outcome outcome);

struct OutputOutcome {
  std::string name;
  Outcome outcome = Outcome::open;
  std::optional<std::chrono::microseconds> took;  // from the trigger until it was told
};

// What an output tells.
struct PartVerdict {
  std::string part;
  std::string image;  // empty where there was none yet
  Verdict verdict;
  bool is_fail_safe = false;
  base::Timestamp triggered_at;
  Instant triggered;
};

// The rule that the fail-safe verdict names.
inline constexpr std::string_view kLateRule = "late";

class Part {
 public:
  enum class Begin { triggered, pictured };

  Part(std::string id, Begin begin, Instant triggered, base::Timestamp triggered_at)
      : id_(std::move(id)), begin_(begin), triggered_(triggered), triggered_at_(triggered_at) {}
  Part(const Part&) = delete;
  Part& operator=(const Part&) = delete;

  [[nodiscard]] const std::string& id() const { return id_; }
  [[nodiscard]] bool is_triggered() const { return begin_ == Begin::triggered; }
  [[nodiscard]] Instant triggered() const { return triggered_; }
  [[nodiscard]] base::Timestamp triggered_at() const { return triggered_at_; }

  // What the line was told, or is being told.
  [[nodiscard]] std::optional<Verdict> verdict() const;
  [[nodiscard]] bool is_fail_safe() const;
  // Of the outputs that are given for its verdict; what is open when it is not told any more is
  // late.
  [[nodiscard]] std::vector<OutputOutcome> outcomes(Instant now) const;
  [[nodiscard]] bool is_settled(Instant now) const;
  // When it is settled at the latest; nothing before it has a verdict.
  [[nodiscard]] std::optional<Instant> settled_by() const;

 private:
  friend class LineOutputs;
  friend class Lane;

  struct Given {
    std::string name;
    Instant until;  // then it is not told any more
    Outcome outcome = Outcome::open;
    std::optional<std::chrono::microseconds> took;
  };

  const std::string id_;
  const Begin begin_;
  const Instant triggered_;
  const base::Timestamp triggered_at_;
  // Set before it is shared.
  std::vector<std::shared_ptr<Lane>> lanes_;
  Instant decide_by_{};
  Judgement late_ = Judgement::ng;
  mutable std::mutex mutex_;  // guards the next
  std::optional<Verdict> verdict_;
  bool is_fail_safe_ = false;
  std::vector<Given> given_;
};

}  // namespace andon::inspect
