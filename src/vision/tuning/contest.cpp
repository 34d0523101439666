// SPDX-License-Identifier: Apache-2.0
#include "vision/tuning/contest.hpp"

#include <algorithm>

#include "base/os/cores.hpp"
#include "vision/runtime/cores.hpp"

namespace andon::vision {
namespace {

using Seconds = std::chrono::duration<double>;
using Waiting = SessionOptions::Waiting;
using Pinning = TuningRequest::Pinning;

constexpr std::size_t kRounds = 5;
constexpr Seconds kBudget{2};  // then one round of each is enough
// What is out of the ordinary must be worth it, and more so where there was time for one round
// only.
constexpr double kWorthIt = 1.03;
constexpr double kWorthItAtOnce = 1.15;

// The usual one first: it is left only for one that is clearly better.
std::vector<Tuning> ways_to_thread(const TuningRequest& request) {
  const int cores = core_count(request);
  const bool is_latency = request.goal == TuningGoal::latency;
  std::vector<int> threads;
  if (request.threads) {
    threads = {*request.threads};
  } else {
    for (int count = 1; count < cores; count *= 2) threads.push_back(count);
    threads.push_back(cores);
  }
  std::vector<Tuning> result;
  for (const int count : threads) {
    Tuning tuning;
    tuning.threads = count;
    tuning.workers = request.workers.value_or(is_latency ? 1 : std::max(1, cores / count));
    tuning.batch = request.batch.value_or(1);
    tuning.is_pinned = request.pinning == Pinning::always;
    result.push_back(tuning);
    // Spinning threads of one worker take the processor from another.
    if (count == 1 || tuning.workers > 1) continue;
    tuning.waiting = Waiting::spin;
    result.push_back(tuning);
  }
  if (is_latency) std::rotate(result.begin(), result.end() - 1, result.end());
  return result;
}

double middle(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

// By round: what else the machine does slows down both of a round alike. It must win them all.
bool is_worth_it(const std::vector<double>& challenger, const std::vector<double>& champion) {
  std::vector<double> ratios;
  for (std::size_t i = 0; i < std::min(challenger.size(), champion.size()); ++i) {
    ratios.push_back(challenger[i] / champion[i]);
  }
  if (ratios.empty()) return false;
  if (ratios.size() == 1) return ratios.front() > kWorthItAtOnce;
  return *std::min_element(ratios.begin(), ratios.end()) > 1 && middle(ratios) > kWorthIt;
}

}  // namespace

int core_count(const TuningRequest& request) {
  return request.cores.empty() ? base::usable_cores() : static_cast<int>(request.cores.size());
}

bool has_choice(const TuningRequest& request) {
  return ways_to_thread(request).size() > 1 || request.pinning == Pinning::measured ||
         !request.batch;
}

TuningContest::TuningContest(const TuningRequest& request) : request_(request) {
  start_phase(ways_to_thread(request_));
}

void TuningContest::start_phase(std::vector<Tuning> tunings) {
  ++phase_number_;
  contestants_.clear();
  for (Tuning& tuning : tunings) {
    tuning.pictures_per_second = 0;
    contestants_.push_back({tuning, {}});
  }
}

const TuningContest::Contestant& TuningContest::best() const {
  const Contestant& usual = contestants_.front();
  const Contestant* best = &usual;
  for (const Contestant& other : contestants_) {
    if (!is_worth_it(other.rates, usual.rates)) continue;
    if (best == &usual || middle(other.rates) > middle(best->rates)) best = &other;
  }
  return *best;
}

bool TuningContest::has_all_rounds() const {
  const std::size_t rounds = spent_ < kBudget ? kRounds : 1;
  return std::all_of(contestants_.begin(), contestants_.end(),
                     [&](const Contestant& it) { return it.rates.size() >= rounds; });
}

std::optional<std::size_t> TuningContest::next() {
  while (phase_ != Phase::done && has_all_rounds()) start_next_phase();
  if (phase_ == Phase::done) return std::nullopt;
  const auto fewest = std::min_element(
      contestants_.begin(), contestants_.end(),
      [](const Contestant& a, const Contestant& b) { return a.rates.size() < b.rates.size(); });
  return static_cast<std::size_t>(fewest - contestants_.begin());
}

void TuningContest::set_batches(std::size_t number, std::size_t most_pictures, std::size_t batch) {
  most_pictures_ = most_pictures;
  contestants_.at(number).tuning.batch = batch;
}

void TuningContest::add_round(std::size_t number, double pictures_per_second, Seconds took) {
  spent_ += took;
  Contestant& contestant = contestants_.at(number);
  contestant.rates.push_back(pictures_per_second);
  contestant.tuning.pictures_per_second =
      std::max(contestant.tuning.pictures_per_second, pictures_per_second);
}

// What was best so far runs beside what may be better.
void TuningContest::start_next_phase() {
  const Tuning winner = best().tuning;
  const bool has_time = spent_ < kBudget;
  if (phase_ == Phase::threads) {
    phase_ = Phase::pinning;
    if (request_.pinning == Pinning::measured && has_time) {
      Tuning pinned = winner;
      pinned.is_pinned = true;
      start_phase({winner, pinned});
      return;
    }
  }
  const bool is_larger_better = phase_ != Phase::batch || &best() != &contestants_.front();
  phase_ = Phase::batch;
  const bool may_grow = !request_.batch && request_.goal == TuningGoal::throughput &&
                        most_pictures_ >= kMostPictures && winner.batch < kMostPictures;
  if (may_grow && is_larger_better && has_time) {
    Tuning larger = winner;
    larger.batch *= 2;
    start_phase({winner, larger});
    return;
  }
  phase_ = Phase::done;
}

}  // namespace andon::vision
