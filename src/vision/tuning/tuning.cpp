// SPDX-License-Identifier: Apache-2.0
#include "vision/tuning/tuning.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <optional>

#include "base/error/error.hpp"
#include "base/json/json_reader.hpp"
#include "base/log/log.hpp"
#include "base/os/cores.hpp"
#include "base/parallel/parallel.hpp"
#include "vision/draw/annotate.hpp"
#include "vision/image/decode.hpp"
#include "vision/runtime/cores.hpp"
#include "vision/tuning/contest.hpp"

namespace andon::vision {
namespace {

namespace json = base::json;
using SteadyClock = std::chrono::steady_clock;
using Seconds = std::chrono::duration<double>;
using Waiting = SessionOptions::Waiting;
using Pinning = TuningRequest::Pinning;

constexpr std::size_t kMostRemembered = 64;
constexpr Seconds kRound{0.08};
constexpr std::size_t kMostPictures = TuningContest::kMostPictures;
// Loaded more than once at a time where this is not too much.
constexpr std::size_t kMostModelBytes = 256U << 20U;

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

}  // namespace

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
  Trial(const OnnxRuntime& runtime, const ModelFile& model, DetectorOptions options,
        const Tuning& tuning, const std::vector<int>& cores) {
    options.session.threads = tuning.threads;
    options.session.waiting = tuning.waiting;
    options.session.runs = tuning.workers;
    options.session.pool_cores.clear();
    options.max_batch = kMostPictures;
    if (tuning.is_pinned) {
      cores_ = cores.empty() ? base::allowed_cores() : cores;
      options.session.pool_cores = pool_cores(cores_, tuning.workers);
    }
    detectors_.emplace_back(runtime, model, options);
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
    base::run_side_by_side(detectors_.size(), [&](std::size_t worker) {
      std::optional<OnOneCore> pinned;
      if (!cores_.empty()) pinned.emplace(cores_[worker % cores_.size()]);
      ImageDecoder decoder;
      do {
        const Image* picture = nullptr;
        for (std::size_t i = 0; i < batch_; ++i) picture = &decoder.decode(jpeg_, "sample");
        (void)detectors_[worker].detect(std::vector<const Image*>(batch_, picture));
        done += batch_;
        if (is_interrupted()) is_cut_short = true;
      } while (!is_cut_short && SteadyClock::now() - start < kRound);
    });
    if (is_cut_short) return std::nullopt;
    return static_cast<double>(done) / Seconds(SteadyClock::now() - start).count();
  }

 private:
  std::vector<int> cores_;
  std::vector<Detector> detectors_;
  std::string jpeg_;
  std::size_t batch_ = 1;
};

struct Tuner::State {
  TuningContest contest;
  int phase_number = 0;
  std::vector<std::unique_ptr<Trial>> trials;  // of the contest's phase
};

Tuner::Tuner(const OnnxRuntime& runtime, ModelFile model, DetectorOptions options,
             TuningRequest request)
    : runtime_(runtime),
      model_(std::move(model)),
      options_(std::move(options)),
      request_(std::move(request)),
      state_(std::make_unique<State>(State{TuningContest(request_), 0, {}})) {}
Tuner::Tuner(Tuner&& other) noexcept = default;
Tuner::~Tuner() = default;

Tuner::Trial& Tuner::trial(std::size_t number) {
  auto& [contest, phase_number, trials] = *state_;
  if (phase_number != contest.phase_number() || trials.empty()) {
    phase_number = contest.phase_number();
    trials.clear();
    trials.resize(contest.size());
  }
  if (trials.at(number)) return *trials[number];
  if (model_.total_bytes() * trials.size() > kMostModelBytes) {
    for (std::unique_ptr<Trial>& other : trials) other.reset();
  }
  trials[number] =
      std::make_unique<Trial>(runtime_, model_, options_, contest.tuning(number), request_.cores);
  contest.set_batches(number, trials[number]->most_pictures(), trials[number]->batch());
  return *trials[number];
}

std::optional<Tuning> Tuner::measure(const IsInterrupted& is_interrupted) {
  TuningContest& contest = state_->contest;
  bool is_done = false;
  while (true) {
    const auto number = contest.next();
    is_done = !number;
    if (is_done) break;
    Trial& way = trial(*number);
    if (is_interrupted()) break;
    const auto start = SteadyClock::now();
    const auto rate = way.run(is_interrupted);
    const Seconds took = SteadyClock::now() - start;
    if (!rate) {
      contest.add_time(took);
      break;
    }
    contest.add_round(*number, *rate, took);
  }
  state_->trials.clear();
  runtime_.release_unused_memory();
  return is_done ? std::optional(contest.winner()) : std::nullopt;
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
