// SPDX-License-Identifier: Apache-2.0
#include "inspect/program/spread.hpp"

#include "base/error/error.hpp"
#include "base/log/log.hpp"
#include "vision/runtime/cores.hpp"

namespace andon::inspect {
namespace {

using Tune = SpreadOptions::Tune;

base::fs::path cache_of(const Options& options) {
  return options.state / "tuning.json";
}

std::string_view origin(const SpreadOptions& options, const std::optional<vision::Tuning>& tuning) {
  if (tuning) {
    return tuning->origin == vision::Tuning::Origin::measured ? "measured now" : "remembered";
  }
  const bool is_by_hand =
      options.workers > 0 || options.threads > 0 || options.batch > 0 || options.names_cores();
  return is_by_hand ? "by hand" : "as usual";
}

void report(const Parallelism& parallelism, std::string_view origin) {
  base::log_info(
      "work is spread over the processor",
      {{"workers", parallelism.workers},
       {"threads", parallelism.threads},
       {"batch", parallelism.batch},
       {"cores", parallelism.cores.empty() ? "any" : vision::core_list(parallelism.cores)},
       {"chosen", origin}});
}

}  // namespace

Spread::Spread(const vision::OnnxRuntime& runtime, const Options& options, SourceKind kind)
    : runtime_(runtime),
      options_(options),
      processor_(Processor::here()),
      request_(tuning_request(options.spread, kind, processor_)),
      parallelism_(usual_parallelism(options.spread, processor_)) {}

ModelOptions Spread::model_options() const {
  ModelOptions result;
  result.detector.session.providers = options_.providers;
  result.component = options_.model_component;
  const std::lock_guard lock(mutex_);
  result.parallelism = parallelism_;
  return result;
}

void Spread::spread(const vision::Tuning& tuning) {
  const std::lock_guard lock(mutex_);
  parallelism_ = tuned_parallelism(options_.spread, processor_, tuning);
}

void Spread::remember(const vision::Tuning& tuning) const {
  base::make_directories(options_.state);
  vision::remember_tuning(cache_of(options_), key_, tuning);
}

std::shared_ptr<const Model> Spread::load_first(const base::fs::path& path) {
  OpenedModel opened = open_model(path);
  const vision::ModelFile& file = opened.file;
  first_sha256_ = file.sha256;
  vision::DetectorOptions detector = model_options().detector;
  detector.spec = file.spec;
  key_ = vision::tuning_key(runtime_, file.sha256, detector, request_);
  const Tune tune = options_.spread.tune;
  const bool may_tune = tune != Tune::off && vision::has_choice(request_);
  std::optional<vision::Tuning> tuning;
  if (may_tune && tune == Tune::automatic) {
    tuning = vision::remembered_tuning(cache_of(options_), key_);
  }
  if (may_tune && tune == Tune::now) {
    tuning = make_tuner(runtime_, file, model_options(), request_).measure([] { return false; });
    remember(*tuning);
  }
  if (tuning) spread(*tuning);
  auto model = load_model(runtime_, file, model_options(), std::move(opened.files));
  report(model->parallelism, origin(options_.spread, tuning));
  // With --once everything may be over before it is measured: it goes on as usual.
  if (may_tune && !tuning && !options_.is_once) tune_when_idle(path);
  return model;
}

std::shared_ptr<const Model> Spread::load(const base::fs::path& path) const {
  OpenedModel opened = open_model(path);
  return load_model(runtime_, opened.file, model_options(), std::move(opened.files));
}

void Spread::tune_when_idle(const base::fs::path& path) {
  tuner_.emplace([this, path, tuner = std::shared_ptr<vision::Tuner>()](
                     const vision::Tuner::IsInterrupted& is_interrupted) mutable {
    if (!tuner) {
      vision::ModelFile file = vision::open_model(path);
      if (file.sha256 != first_sha256_) {
        throw base::Error(base::ErrorCode::conflict, "it was replaced; the next start will");
      }
      tuner = std::make_shared<vision::Tuner>(
          make_tuner(runtime_, std::move(file), model_options(), request_));
    }
    auto tuning = tuner->measure(is_interrupted);
    if (tuning) tuner.reset();  // with the model's bytes
    return tuning;
  });
}

bool Spread::take_over(const vision::Tuning& tuning, const Model& in_use) {
  remember(tuning);
  const Parallelism tuned = tuned_parallelism(options_.spread, processor_, tuning);
  report(tuned, origin(options_.spread, tuning));
  // Where a newer model has come meanwhile, it is tuned at the next start.
  if (in_use.sha256 != first_sha256_ || tuned == in_use.parallelism) return false;
  spread(tuning);
  return true;
}

}  // namespace andon::inspect
