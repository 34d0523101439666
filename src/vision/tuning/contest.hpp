// SPDX-License-Identifier: Apache-2.0
// Which ways of using the processor are tried, in which order, and which wins, by the figures that
// somebody measures: ways to thread first, then pinning, then batches, each time beside what was
// best so far. Pure; belongs to one thread. Internal to vision/.
#pragma once

#include <chrono>
#include <optional>
#include <vector>

#include "vision/tuning/tuning.hpp"

namespace andon::vision {

class TuningContest {
 public:
  static constexpr std::size_t kMostPictures = 16;  // of a batch

  explicit TuningContest(const TuningRequest& request);

  // The number of the way to measure next, in turns; nothing where all is decided. A new phase has
  // new ways, under the same numbers.
  [[nodiscard]] std::optional<std::size_t> next();
  [[nodiscard]] int phase_number() const { return phase_number_; }
  [[nodiscard]] std::size_t size() const { return contestants_.size(); }
  [[nodiscard]] const Tuning& tuning(std::size_t number) const {
    return contestants_.at(number).tuning;
  }

  // What the model at work says: how many pictures a run takes at most, and how many it takes here.
  void set_batches(std::size_t number, std::size_t most_pictures, std::size_t batch);
  // What a round gave. Beyond two seconds of rounds one of each way is enough.
  void add_round(std::size_t number, double pictures_per_second,
                 std::chrono::duration<double> took);
  // A round that was interrupted.
  void add_time(std::chrono::duration<double> took) { spent_ += took; }

  // The usual way, or of those that are worth leaving it for the fastest.
  [[nodiscard]] const Tuning& winner() const { return best().tuning; }

 private:
  struct Contestant {
    Tuning tuning;
    std::vector<double> rates;  // pictures a second, of each round
  };
  enum class Phase { threads, pinning, batch, done };
  void start_phase(std::vector<Tuning> tunings);
  void start_next_phase();
  [[nodiscard]] bool has_all_rounds() const;
  [[nodiscard]] const Contestant& best() const;

  TuningRequest request_;
  std::vector<Contestant> contestants_;
  Phase phase_ = Phase::threads;
  int phase_number_ = 0;
  std::size_t most_pictures_ = 1;  // that a run of the model takes
  std::chrono::duration<double> spent_{};
};

}  // namespace andon::vision
