// SPDX-License-Identifier: Apache-2.0
#include "vision/tuning.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <exception>
#include <memory>
#include <optional>
#include <thread>

#include "base/error.hpp"
#include "base/json.hpp"
#include "base/log.hpp"
#include "trust/digest.hpp"
#include "vision/cores.hpp"

namespace andon::vision {
namespace {

namespace json = base::json;
using SteadyClock = std::chrono::steady_clock;
using Waiting = SessionOptions::Waiting;

constexpr std::size_t kMostRemembered = 64;
constexpr int kRounds = 3;
constexpr std::chrono::milliseconds kRound{150};

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

std::string key_of(const OnnxRuntime& runtime, std::string_view model,
                   const DetectorOptions& options, TuningGoal goal) {
  std::string key = fmt::format("{} on {}, {} cores, ONNX Runtime {}, {}", trust::sha256_hex(model),
                                processor_name(), usable_cores(), runtime.version(),
                                goal == TuningGoal::latency ? "latency" : "throughput");
  for (const std::string& provider : options.session.providers) key += ", " + provider;
  if (options.input_size) {
    key += fmt::format(", {}x{}", options.input_size->width, options.input_size->height);
  }
  return key;
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

std::optional<Tuning> remembered(const json::object& cache, const std::string& key) {
  const json::value* value = cache.if_contains(key);
  if (value == nullptr || !value->is_object()) return std::nullopt;
  try {
    const base::JsonReader reader(*value, "remembered tuning");
    Tuning tuning;
    const int cores = usable_cores();
    tuning.workers = std::clamp(static_cast<int>(reader.integer("workers")), 1, cores);
    tuning.threads = std::clamp(static_cast<int>(reader.integer("threads")), 1, cores);
    tuning.waiting = reader.optional_bool("spin").value_or(false) ? Waiting::spin : Waiting::block;
    tuning.pictures_per_second = reader.optional_number("picturesPerSecond").value_or(0);
    tuning.origin = Tuning::Origin::remembered;
    return tuning;
  } catch (const base::Error&) {
    return std::nullopt;
  }
}

void remember(const base::fs::path& cache, json::object entries, const std::string& key,
              const Tuning& tuning) {
  while (entries.size() >= kMostRemembered) entries.erase(entries.begin());
  entries[key] = json::object{{"workers", tuning.workers},
                              {"threads", tuning.threads},
                              {"spin", tuning.waiting == Waiting::spin},
                              {"picturesPerSecond", tuning.pictures_per_second}};
  try {
    base::write_file_atomically(cache, base::to_pretty_text(entries));
  } catch (const base::Error& error) {
    base::log_warning("the tuning cannot be remembered", {{"error", error.message()}});
  }
}

std::vector<Tuning> candidates(TuningGoal goal) {
  const int cores = usable_cores();
  std::vector<Tuning> result;
  for (int threads = 1; threads <= cores;
       threads = threads == cores ? cores + 1 : std::min(2 * threads, cores)) {
    Tuning tuning;
    tuning.threads = threads;
    tuning.workers = goal == TuningGoal::latency ? 1 : std::max(1, cores / threads);
    result.push_back(tuning);
    // Spinning threads of one worker take the processor from another.
    if (threads == 1 || tuning.workers > 1) continue;
    tuning.waiting = Waiting::spin;
    result.push_back(tuning);
  }
  return result;
}

// One candidate at work.
class Trial {
 public:
  Trial(const OnnxRuntime& runtime, std::string_view model, std::string_view name,
        DetectorOptions options, const Tuning& tuning) {
    options.session.threads = tuning.threads;
    options.session.waiting = tuning.waiting;
    detectors_.emplace_back(runtime, model, name, options);
    for (int i = 1; i < tuning.workers; ++i) detectors_.push_back(detectors_.front().sibling());
    picture_.size = detectors_.front().description().input;
    picture_.rgb.assign(picture_.row_bytes() * static_cast<std::size_t>(picture_.size.height), 99);
  }

  // Pictures a second over one round.
  double run() {
    const auto start = SteadyClock::now();
    std::atomic<int> done = 0;
    std::exception_ptr failure;
    const auto work = [&](Detector& detector) {
      do {
        (void)detector.detect(picture_);
        ++done;
      } while (SteadyClock::now() - start < kRound);
    };
    {
      std::vector<std::jthread> threads;
      for (std::size_t i = 1; i < detectors_.size(); ++i) {
        threads.emplace_back([&, i] {
          try {
            work(detectors_[i]);
          } catch (...) {
            failure = std::current_exception();
          }
        });
      }
      work(detectors_.front());
    }
    if (failure) std::rethrow_exception(failure);
    return done / std::chrono::duration<double>(SteadyClock::now() - start).count();
  }

 private:
  std::vector<Detector> detectors_;
  Image picture_;
};

Tuning measure(const OnnxRuntime& runtime, std::string_view model, std::string_view name,
               const DetectorOptions& options, TuningGoal goal) {
  std::vector<Tuning> tunings = candidates(goal);
  if (tunings.size() == 1) return tunings.front();
  std::vector<std::unique_ptr<Trial>> trials;
  for (const Tuning& tuning : tunings) {
    trials.push_back(std::make_unique<Trial>(runtime, model, name, options, tuning));
  }
  // In turns, and the best round of each: what else the machine does only ever slows one down.
  for (int round = 0; round < kRounds; ++round) {
    for (std::size_t i = 0; i < trials.size(); ++i) {
      tunings[i].pictures_per_second = std::max(tunings[i].pictures_per_second, trials[i]->run());
    }
  }
  trials.clear();
  runtime.release_unused_memory();
  return *std::max_element(tunings.begin(), tunings.end(), [](const Tuning& a, const Tuning& b) {
    return a.pictures_per_second < b.pictures_per_second;
  });
}

}  // namespace

Tuning tune(const OnnxRuntime& runtime, std::string_view model, std::string_view name,
            const DetectorOptions& options, TuningGoal goal, const base::fs::path& cache) {
  const std::string key = key_of(runtime, model, options, goal);
  json::object entries = read_cache(cache);
  if (const auto known = remembered(entries, key)) return *known;
  const Tuning tuning = measure(runtime, model, name, options, goal);
  remember(cache, std::move(entries), key, tuning);
  return tuning;
}

}  // namespace andon::vision
