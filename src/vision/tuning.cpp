// SPDX-License-Identifier: Apache-2.0
#include "vision/tuning.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <exception>
#include <mutex>
#include <thread>

#include "base/error.hpp"
#include "base/json.hpp"
#include "base/log.hpp"
#include "vision/annotate.hpp"
#include "vision/cores.hpp"
#include "vision/decode.hpp"

namespace andon::vision {
namespace {

namespace json = base::json;
using SteadyClock = std::chrono::steady_clock;
using Seconds = std::chrono::duration<double>;
using Waiting = SessionOptions::Waiting;
using Pinning = TuningRequest::Pinning;

constexpr std::size_t kMostRemembered = 64;
constexpr std::size_t kRounds = 5;
constexpr Seconds kRound{0.08};
constexpr Seconds kBudget{2};  // then one round of each is enough
constexpr std::size_t kMostPictures = 16;
// Loaded more than once at a time where this is not too much.
constexpr std::size_t kMostModelBytes = 256U << 20U;
// What is out of the ordinary must be worth it, and more so where there was time for one round
// only.
constexpr double kWorthIt = 1.03;
constexpr double kWorthItAtOnce = 1.15;

// /proc/cpuinfo's first "model name" (x86) or "CPU part" (ARM).
std::string processor_name() {
  std::string text;
  try {
    text = base::read_file("/proc/cpuinfo");
  } catch (const base::Error&) {
    return "unknown";
  }
  for (const std::string_view key : {"model name", "CPU part"}) {
    const std::size_t at = text.find(key);
    if (at == std::string::npos) continue;
    const std::size_t from = text.find(':', at);
    if (from != std::string::npos) return text.substr(from + 2, text.find('\n', at) - from - 2);
  }
  return "unknown";
}

int core_count(const TuningRequest& request) {
  return request.cores.empty() ? usable_cores() : static_cast<int>(request.cores.size());
}

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

json::object read_cache(const base::fs::path& cache) {
  if (!base::fs::exists(cache)) return {};
  try {
    json::value value = base::parse_json(base::read_file(cache), "remembered tuning");
    if (value.is_object()) return value.as_object();
  } catch (const base::Error& error) {
    base::log_warning("remembered tuning cannot be read", {{"error", error.message()}});
  }
  return {};
}

// A picture that is not plain, as a JPEG: what workers decode side by side counts, too.
std::string sample_picture(Size size) {
  Image picture{size, {}};
  picture.rgb.resize(picture.row_bytes() * static_cast<std::size_t>(size.height));
  for (std::size_t i = 0; i < picture.rgb.size(); ++i) {
    picture.rgb[i] = static_cast<std::uint8_t>(99 + (i * 7919 >> 7U) % 41);
  }
  return encode_jpeg(picture);
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

bool has_choice(const TuningRequest& request) {
  return ways_to_thread(request).size() > 1 || request.pinning == Pinning::measured ||
         !request.batch;
}

std::vector<int> pool_cores(const std::vector<int>& cores, int workers) {
  std::vector<int> result = cores;
  if (result.empty()) return result;
  const auto first =
      static_cast<std::ptrdiff_t>(workers) % static_cast<std::ptrdiff_t>(cores.size());
  std::rotate(result.begin(), result.begin() + first, result.end());
  return result;
}

// One way at work.
class Tuner::Trial {
 public:
  Trial(const OnnxRuntime& runtime, std::string_view model, std::string_view name,
        DetectorOptions options, const Tuning& tuning, const std::vector<int>& cores) {
    options.session.threads = tuning.threads;
    options.session.waiting = tuning.waiting;
    options.session.runs = tuning.workers;
    options.session.pool_cores.clear();
    options.max_batch = kMostPictures;
    if (tuning.is_pinned) {
      cores_ = cores.empty() ? allowed_cores() : cores;
      options.session.pool_cores = pool_cores(cores_, tuning.workers);
    }
    detectors_.emplace_back(runtime, model, name, options);
    for (int i = 1; i < tuning.workers; ++i) detectors_.push_back(detectors_.front().sibling());
    jpeg_ = sample_picture(detectors_.front().description().input);
    // A model whose batch is fixed runs all of it at any rate.
    const bool is_fixed = most_pictures() < kMostPictures;
    batch_ = is_fixed ? most_pictures() : tuning.batch;
  }

  [[nodiscard]] std::size_t most_pictures() const {
    return detectors_.front().description().max_batch;
  }

  [[nodiscard]] std::size_t batch() const { return batch_; }

  // Pictures a second over one round; nothing where it was interrupted.
  std::optional<double> run(const IsInterrupted& is_interrupted) {
    const auto start = SteadyClock::now();
    std::atomic<std::size_t> done = 0;
    std::atomic<bool> is_cut_short = false;
    std::mutex mutex;
    std::exception_ptr failure;
    const auto work = [&](std::size_t worker) {
      try {
        if (!cores_.empty()) keep_on_core(pthread_self(), cores_[worker % cores_.size()]);
        ImageDecoder decoder;
        do {
          const Image* picture = nullptr;
          for (std::size_t i = 0; i < batch_; ++i) picture = &decoder.decode(jpeg_, "sample");
          (void)detectors_[worker].detect(std::vector<const Image*>(batch_, picture));
          done += batch_;
          if (is_interrupted()) is_cut_short = true;
        } while (!is_cut_short && SteadyClock::now() - start < kRound);
      } catch (...) {
        const std::lock_guard lock(mutex);
        failure = std::current_exception();
      }
    };
    {
      std::vector<std::jthread> threads;
      for (std::size_t i = 0; i < detectors_.size(); ++i) {
        threads.emplace_back([&work, i] { work(i); });
      }
    }
    if (failure) std::rethrow_exception(failure);
    if (is_cut_short) return std::nullopt;
    return static_cast<double>(done) / Seconds(SteadyClock::now() - start).count();
  }

 private:
  std::vector<int> cores_;
  std::vector<Detector> detectors_;
  std::string jpeg_;
  std::size_t batch_ = 1;
};

struct Tuner::Contestant {
  Tuning tuning;
  std::vector<double> rates;  // pictures a second, of each round
  std::unique_ptr<Trial> trial;
};

Tuner::Tuner(const OnnxRuntime& runtime, std::string model, std::string name,
             DetectorOptions options, TuningRequest request)
    : runtime_(runtime),
      model_(std::move(model)),
      name_(std::move(name)),
      options_(std::move(options)),
      request_(std::move(request)) {
  start_phase(ways_to_thread(request_));
}
Tuner::Tuner(Tuner&& other) noexcept = default;
Tuner::~Tuner() = default;

void Tuner::start_phase(std::vector<Tuning> tunings) {
  contestants_.clear();
  for (Tuning& tuning : tunings) {
    tuning.pictures_per_second = 0;
    contestants_.push_back({tuning, {}, nullptr});
  }
}

// The usual way, or of those that are worth leaving it for the fastest.
const Tuner::Contestant& Tuner::best() const {
  const Contestant& usual = contestants_.front();
  const Contestant* best = &usual;
  for (const Contestant& other : contestants_) {
    if (!is_worth_it(other.rates, usual.rates)) continue;
    if (best == &usual || middle(other.rates) > middle(best->rates)) best = &other;
  }
  return *best;
}

// In turns. False where it was interrupted.
bool Tuner::go_round(const IsInterrupted& is_interrupted) {
  const auto next = std::min_element(
      contestants_.begin(), contestants_.end(),
      [](const Contestant& a, const Contestant& b) { return a.rates.size() < b.rates.size(); });
  if (!next->trial) {
    if (model_.size() * contestants_.size() > kMostModelBytes) {
      for (Contestant& other : contestants_) other.trial.reset();
    }
    next->trial =
        std::make_unique<Trial>(runtime_, model_, name_, options_, next->tuning, request_.cores);
    most_pictures_ = next->trial->most_pictures();
    next->tuning.batch = next->trial->batch();
  }
  if (is_interrupted()) return false;
  const auto start = SteadyClock::now();
  const auto rate = next->trial->run(is_interrupted);
  spent_ += SteadyClock::now() - start;
  if (!rate) return false;
  next->rates.push_back(*rate);
  next->tuning.pictures_per_second = std::max(next->tuning.pictures_per_second, *rate);
  return true;
}

// False where everything was tried. What was best so far runs beside what may be better.
bool Tuner::start_next_phase() {
  const Tuning winner = best().tuning;
  const bool has_time = spent_ < kBudget;
  if (phase_ == Phase::threads) {
    phase_ = Phase::pinning;
    if (request_.pinning == Pinning::measured && has_time) {
      Tuning pinned = winner;
      pinned.is_pinned = true;
      start_phase({winner, pinned});
      return true;
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
    return true;
  }
  phase_ = Phase::done;
  return false;
}

std::optional<Tuning> Tuner::measure(const IsInterrupted& is_interrupted) {
  const auto is_missing = [this](const Contestant& contestant) {
    return contestant.rates.size() < (spent_ < kBudget ? kRounds : 1);
  };
  while (phase_ != Phase::done) {
    if (std::none_of(contestants_.begin(), contestants_.end(), is_missing)) {
      (void)start_next_phase();
      continue;
    }
    if (go_round(is_interrupted)) continue;
    for (Contestant& contestant : contestants_) contestant.trial.reset();
    runtime_.release_unused_memory();
    return std::nullopt;
  }
  for (Contestant& contestant : contestants_) contestant.trial.reset();
  runtime_.release_unused_memory();
  return best().tuning;
}

std::string tuning_key(const OnnxRuntime& runtime, std::string_view model_sha256,
                       const DetectorOptions& options, const TuningRequest& request) {
  std::string key = fmt::format("{} on {}, {} cores, ONNX Runtime {}, {}", model_sha256,
                                processor_name(), core_count(request), runtime.version(),
                                request.goal == TuningGoal::latency ? "latency" : "throughput");
  for (const std::string& provider : options.session.providers) key += ", " + provider;
  const auto size = options.input_size ? options.input_size : options.spec.input_size;
  if (size) key += fmt::format(", {}x{}", size->width, size->height);
  if (request.workers) key += fmt::format(", {} workers", *request.workers);
  if (request.threads) key += fmt::format(", {} threads", *request.threads);
  if (request.batch) key += fmt::format(", batch {}", *request.batch);
  if (request.pinning == Pinning::measured) key += ", pinned or not";
  if (!request.cores.empty()) key += fmt::format(", cores {}", core_list(request.cores));
  return key;
}

std::optional<Tuning> remembered_tuning(const base::fs::path& cache, const std::string& key) {
  const json::object entries = read_cache(cache);
  const json::value* value = entries.if_contains(key);
  if (value == nullptr || !value->is_object()) return std::nullopt;
  try {
    constexpr std::int64_t kMost = 256;  // as the command line has it
    const base::JsonReader reader(*value, "remembered tuning");
    const auto count = [&](std::string_view name) {
      return std::clamp<std::int64_t>(reader.integer(name), 1, kMost);
    };
    Tuning tuning;
    tuning.workers = static_cast<int>(count("workers"));
    tuning.threads = static_cast<int>(count("threads"));
    tuning.batch = static_cast<std::size_t>(count("batch"));
    tuning.waiting = reader.optional_bool("spin").value_or(false) ? Waiting::spin : Waiting::block;
    tuning.is_pinned = reader.optional_bool("pinned").value_or(false);
    tuning.pictures_per_second = reader.optional_number("picturesPerSecond").value_or(0);
    tuning.origin = Tuning::Origin::remembered;
    return tuning;
  } catch (const base::Error&) {
    return std::nullopt;
  }
}

void remember_tuning(const base::fs::path& cache, const std::string& key, const Tuning& tuning) {
  json::object entries = read_cache(cache);
  while (entries.size() >= kMostRemembered) entries.erase(entries.begin());
  entries[key] =
      json::object{{"workers", tuning.workers},  {"threads", tuning.threads},
                   {"batch", tuning.batch},      {"spin", tuning.waiting == Waiting::spin},
                   {"pinned", tuning.is_pinned}, {"picturesPerSecond", tuning.pictures_per_second}};
  try {
    base::write_file_atomically(cache, base::to_pretty_text(entries));
  } catch (const base::Error& error) {
    base::log_warning("the tuning cannot be remembered", {{"error", error.message()}});
  }
}

}  // namespace andon::vision
