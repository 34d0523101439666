// SPDX-License-Identifier: Apache-2.0
// All outputs of the line, and the parts that are on their way to them. Each part is told exactly
// once, by the outputs that were configured when it began: the verdict that comes first, or the
// fail-safe one shortly before the first deadline, on a thread of this object, whatever the model,
// the camera and the disk do. Any thread, but configure() and stop(), which are main's.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "base/json/json.hpp"
#include "base/metrics/metrics_page.hpp"
#include "base/os/file.hpp"
#include "base/time/time.hpp"
#include "inspect/outputs/lane.hpp"

namespace andon::inspect {

class LineOutputs {
 public:
  LineOutputs(DriverTools tools, const base::Clock& clock);
  LineOutputs(const LineOutputs&) = delete;
  LineOutputs& operator=(const LineOutputs&) = delete;
  ~LineOutputs();  // stop()

  // From now on parts are told by these; `late` is the fail-safe verdict. What did not change goes
  // on as it is; parts that began before are told by the outputs before. Throws
  // failed_precondition, and nothing changes then.
  void configure(const std::vector<OutputSettings>& outputs, Judgement late);
  [[nodiscard]] bool is_on() const;

  // A part comes. Its deadlines count from `triggered`. Nothing where too many are on their way
  // (somebody holds them still), or it is stopping. Without an id it gets one that no other has.
  [[nodiscard]] std::shared_ptr<Part> begin(std::string id, Part::Begin begin, Instant triggered);

  // The verdict that counts: this one, or what the line was told before.
  Verdict decide(const std::shared_ptr<Part>& part, const Verdict& verdict, std::string_view image);

  // Readable when an output has told a part; take_events() makes it unreadable.
  [[nodiscard]] int fd() const { return event_->get(); }
  void take_events() const;

  // Tells each part that has no verdict the fail-safe one, and waits until all were told or are
  // late. No part begins after it.
  void stop();

  // {"parts", "fail_safe", "refused", "outputs": [{"name", "met", "late", "failed", "p50_ms",
  //  "p99_ms", "max_ms"}]}
  [[nodiscard]] base::json::object status() const;
  void add_to(base::MetricsPage& page) const;

  static constexpr std::size_t kMostParts = 256;

 private:
  using Lanes = std::vector<std::shared_ptr<Lane>>;

  void run();
  // False where it was told before.
  bool tell(const std::shared_ptr<Part>& part, const Verdict& verdict, bool is_fail_safe,
            std::string_view image);
  void tell_late(const std::shared_ptr<Part>& part);
  [[nodiscard]] std::shared_ptr<Lane> make_lane(const OutputSettings& settings);
  [[nodiscard]] Lanes take_unused();

  const DriverTools tools_;
  const base::Clock& clock_;
  const std::string run_id_;                     // of this run: ids of parts begin with it
  const std::shared_ptr<base::UniqueFd> event_;  // also of lanes that parts keep
  mutable std::mutex mutex_;                     // guards all below
  std::condition_variable changed_;
  Lanes lanes_;
  Lanes retired_;  // until the parts that began with them are told
  std::map<std::string, std::shared_ptr<DeadlineCounts>> counts_;
  Judgement late_ = Judgement::ng;
  const std::shared_ptr<std::atomic<std::size_t>> alive_;    // parts that somebody holds
  std::multimap<Instant, std::shared_ptr<Part>> undecided_;  // by when they get the fail-safe one
  std::uint64_t parts_ = 0;
  std::uint64_t fail_safe_ = 0;
  std::uint64_t refused_ = 0;
  bool is_stopping_ = false;
  std::thread thread_;
};

// For the result message: [{"name": "reject", "outcome": "met", "ms": 12.3}].
[[nodiscard]] base::json::array outcomes_json(const Part& part, Instant now);

}  // namespace andon::inspect
