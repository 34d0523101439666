// SPDX-License-Identifier: Apache-2.0
#include "inspect/outputs/line_outputs.hpp"

#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <iterator>

#include "base/error/error.hpp"
#include "base/log/log.hpp"
#include "base/text/escape.hpp"
#include "base/text/id.hpp"
#include "inspect/outputs/urgent_thread.hpp"

namespace andon::inspect {
namespace {

constexpr std::chrono::hours kIdle{1};
constexpr std::chrono::milliseconds kBetweenLooks{50};  // at lanes that are to end

Instant now() {
  return std::chrono::steady_clock::now();
}

double millis(std::chrono::microseconds time) {
  constexpr double kMicros = 1000;
  return static_cast<double>(time.count()) / kMicros;
}

}  // namespace

LineOutputs::LineOutputs(DriverTools tools, const base::Clock& clock)
    : tools_(std::move(tools)),
      clock_(clock),
      run_id_(base::random_text(8, "0123456789abcdef")),
      event_(std::make_shared<base::UniqueFd>(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK))),
      alive_(std::make_shared<std::atomic<std::size_t>>(0)) {
  if (!*event_) throw base::system_error("cannot wait for outputs", errno);
  thread_ = std::thread([this] { run(); });
}

LineOutputs::~LineOutputs() {
  stop();
  thread_.join();
}

std::shared_ptr<Lane> LineOutputs::make_lane(const OutputSettings& settings) {
  std::shared_ptr<DeadlineCounts>& counts = counts_[settings.name];
  if (!counts) counts = std::make_shared<DeadlineCounts>();
  return std::make_shared<Lane>(
      settings, [&] { return make_driver(settings, tools_); }, counts,
      [event = event_] {
        const std::uint64_t one = 1;
        [[maybe_unused]] const ssize_t written = write(event->get(), &one, sizeof one);
      });
}

void LineOutputs::configure(const std::vector<OutputSettings>& outputs, Judgement late) {
  const std::lock_guard lock(mutex_);
  Lanes lanes;
  for (const OutputSettings& settings : outputs) {
    const auto known = std::ranges::find_if(
        lanes_, [&](const auto& lane) { return lane->settings() == settings; });
    lanes.push_back(known != lanes_.end() ? *known : make_lane(settings));
  }
  late_ = late;
  for (const auto& lane : lanes_) {
    if (std::ranges::find(lanes, lane) == lanes.end()) retired_.push_back(lane);
  }
  lanes_ = std::move(lanes);
  std::erase_if(counts_, [&](const auto& entry) {
    return std::ranges::none_of(
        lanes_, [&](const auto& lane) { return lane->settings().name == entry.first; });
  });
  changed_.notify_one();
}

bool LineOutputs::is_on() const {
  const std::lock_guard lock(mutex_);
  return !lanes_.empty();
}

std::shared_ptr<Part> LineOutputs::begin(std::string id, Part::Begin begin, Instant triggered) {
  const auto before = std::chrono::duration_cast<base::Timestamp::duration>(now() - triggered);
  const base::Timestamp at = clock_.now() - before;
  const std::lock_guard lock(mutex_);
  if (is_stopping_ || *alive_ >= kMostParts) {
    ++refused_;
    return nullptr;
  }
  ++parts_;
  if (id.empty()) id = fmt::format("{}-{}", run_id_, parts_);
  ++*alive_;
  const std::shared_ptr<Part> part(new Part(std::move(id), begin, triggered, at),
                                   [alive = alive_](const Part* gone) {
                                     delete gone;
                                     --*alive;
                                   });
  part->lanes_ = lanes_;
  part->late_ = late_;
  if (lanes_.empty()) return part;  // nobody waits for its verdict
  part->decide_by_ = Instant::max();
  for (const auto& lane : lanes_) {
    const OutputSettings& settings = lane->settings();
    part->decide_by_ = std::min(part->decide_by_, triggered + settings.deadline - settings.lead);
  }
  undecided_.emplace(part->decide_by_, part);
  changed_.notify_one();
  return part;
}

Verdict LineOutputs::decide(const std::shared_ptr<Part>& part, const Verdict& verdict,
                            std::string_view image) {
  {
    const std::lock_guard lock(mutex_);
    const auto [first, last] = undecided_.equal_range(part->decide_by_);
    const auto entry =
        std::ranges::find(first, last, part, [](const auto& known) { return known.second; });
    if (entry != last) undecided_.erase(entry);
  }
  tell(part, verdict, false, image);
  return *part->verdict();
}

void LineOutputs::tell_late(const std::shared_ptr<Part>& part) {
  if (!tell(part, {part->late_, std::string(kLateRule)}, true, "")) return;
  base::log_warning("a part had no verdict in time: the line is told the fail-safe one",
                    {{"part", part->id()}, {"verdict", to_string(part->late_)}});
  const std::lock_guard lock(mutex_);
  ++fail_safe_;
}

bool LineOutputs::tell(const std::shared_ptr<Part>& part, const Verdict& verdict, bool is_fail_safe,
                       std::string_view image) {
  std::vector<std::shared_ptr<Lane>> lanes;
  {
    const std::lock_guard lock(part->mutex_);
    if (part->verdict_) return false;
    part->verdict_ = verdict;
    part->is_fail_safe_ = is_fail_safe;
    for (const auto& lane : part->lanes_) {
      if (!lane->takes(verdict.judgement)) continue;
      const auto kind =
          is_fail_safe ? OutputSettings::Kind::fail_safe : OutputSettings::Kind::of_the_model;
      part->given_.push_back({.name = lane->settings().name,
                              .until = part->triggered_ + lane->settings().told_until(kind)});
      lanes.push_back(lane);
    }
  }
  for (std::size_t i = 0; i < lanes.size(); ++i) {
    lanes[i]->give(part, i,
                   {.part = part->id_,
                    .image = std::string(image),
                    .verdict = verdict,
                    .is_fail_safe = is_fail_safe,
                    .triggered_at = part->triggered_at_,
                    .triggered = part->triggered_});
  }
  return true;
}

void LineOutputs::take_events() const {
  std::uint64_t count = 0;
  [[maybe_unused]] const ssize_t taken = read(event_->get(), &count, sizeof count);
}

// Lanes that nothing needs any more. They end where they are let go, which may take a while.
LineOutputs::Lanes LineOutputs::take_unused() {
  const auto unused = std::partition(retired_.begin(), retired_.end(), [](const auto& lane) {
    return lane.use_count() > 1 || !lane->is_idle();
  });
  Lanes taken(std::make_move_iterator(unused), std::make_move_iterator(retired_.end()));
  retired_.erase(unused, retired_.end());
  return taken;
}

void LineOutputs::run() {
  be_urgent("deadlines");
  std::unique_lock lock(mutex_);
  while (!is_stopping_) {
    const Instant at = now();
    if (!undecided_.empty() && undecided_.begin()->first <= at) {
      const std::shared_ptr<Part> part = undecided_.extract(undecided_.begin()).mapped();
      lock.unlock();
      tell_late(part);
      lock.lock();
      continue;
    }
    {
      const Lanes unused = take_unused();
      lock.unlock();
    }
    lock.lock();
    if (is_stopping_) return;
    Instant wake = at + (retired_.empty() ? std::chrono::milliseconds(kIdle) : kBetweenLooks);
    if (!undecided_.empty()) wake = std::min(wake, undecided_.begin()->first);
    changed_.wait_until(lock, wake);
  }
}

void LineOutputs::stop() {
  std::multimap<Instant, std::shared_ptr<Part>> rest;
  Lanes lanes;
  {
    const std::lock_guard lock(mutex_);
    is_stopping_ = true;
    rest.swap(undecided_);
    lanes = lanes_;
    lanes.insert(lanes.end(), retired_.begin(), retired_.end());
    changed_.notify_one();
  }
  for (const auto& [by, part] : rest) tell_late(part);
  for (const auto& lane : lanes) lane->wait_until_idle();
}

base::json::object LineOutputs::status() const {
  const std::lock_guard lock(mutex_);
  base::json::array outputs;
  for (const auto& lane : lanes_) {
    const DeadlineFigures figures = lane->counts().figures();
    outputs.push_back({{"name", lane->settings().name},
                       {"met", figures.met},
                       {"late", figures.late},
                       {"failed", figures.failed},
                       {"p50_ms", millis(figures.p50)},
                       {"p99_ms", millis(figures.p99)},
                       {"max_ms", millis(figures.max)}});
  }
  return {{"parts", parts_},
          {"fail_safe", fail_safe_},
          {"refused", refused_},
          {"outputs", std::move(outputs)}};
}

void LineOutputs::add_to(base::MetricsPage& page) const {
  const std::lock_guard lock(mutex_);
  page.single("andon_inspect_parts_total", "counter", "Parts that came.", parts_);
  page.single("andon_inspect_parts_fail_safe_total", "counter",
              "Parts that had no verdict in time, of which the line was told the fail-safe one.",
              fail_safe_);
  page.single("andon_inspect_parts_refused_total", "counter",
              "Triggers for which there was no room.", refused_);
  page.start("andon_inspect_output_parts_total", "counter",
             "Parts that an output told in time (met), late, or not at all (failed).");
  for (const auto& [name, counts] : counts_) {
    const DeadlineFigures figures = counts->figures();
    const std::string label = base::escape_label(name);
    for (const auto& [outcome, count] : {std::pair{Outcome::met, figures.met},
                                         {Outcome::late, figures.late},
                                         {Outcome::failed, figures.failed}}) {
      page.sample("andon_inspect_output_parts_total",
                  fmt::format("output=\"{}\",outcome=\"{}\"", label, to_string(outcome)), count);
    }
  }
  page.start("andon_inspect_output_seconds", "histogram",
             "From the trigger of a part until an output had told the line.");
  for (const auto& [name, counts] : counts_) {
    page.histogram("andon_inspect_output_seconds",
                   fmt::format("output=\"{}\"", base::escape_label(name)), counts->histogram());
  }
}

base::json::array outcomes_json(const Part& part, Instant at) {
  base::json::array outcomes;
  for (const OutputOutcome& outcome : part.outcomes(at)) {
    base::json::object entry{{"name", outcome.name}, {"outcome", to_string(outcome.outcome)}};
    if (outcome.took) entry.emplace("ms", millis(*outcome.took));
    outcomes.push_back(std::move(entry));
  }
  return outcomes;
}

}  // namespace andon::inspect
