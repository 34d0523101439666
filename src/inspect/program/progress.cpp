// SPDX-License-Identifier: Apache-2.0
#include "inspect/program/progress.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <cmath>
#include <cstdio>

#include "base/json/json.hpp"

namespace andon::inspect {
namespace {

constexpr std::chrono::milliseconds kBetweenUpdates{200};

double rate(std::uint64_t frames, double seconds) {
  return seconds > 0 ? static_cast<double>(frames) / seconds : 0;
}

double rounded(double value) {
  constexpr double kSteps = 1'000;
  return std::round(value * kSteps) / kSteps;
}

}  // namespace

Progress::Progress(const Metrics& metrics)
    : metrics_(metrics), is_terminal_(isatty(STDERR_FILENO) == 1) {}

Progress::~Progress() {
  if (is_terminal_ && written_ != std::chrono::steady_clock::time_point{}) {
    std::fputc('\n', stderr);
  }
}

double Progress::seconds() const {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count();
}

void Progress::update() {
  const auto now = std::chrono::steady_clock::now();
  if (!is_terminal_ || now - written_ < kBetweenUpdates) return;
  written_ = now;
  const Metrics::Totals totals = metrics_.totals();
  fmt::print(stderr, "\r{} images  {:.1f}/s  {} detections  {} unreadable ", totals.frames,
             rate(totals.frames, seconds()), totals.detections, totals.errors);
}

std::string Progress::summary_json(const Service::Counts& counts, const LineOutputs& line) const {
  const Metrics::Totals totals = metrics_.totals();
  base::json::object summary{{"images", counts.inspected},
                             {"known", counts.known},
                             {"errors", totals.errors},
                             {"detections", totals.detections},
                             {"dropped", totals.source.dropped},
                             {"incomplete", totals.source.incomplete},
                             {"reconnects", totals.source.reconnects},
                             {"model_changes", totals.model_changes},
                             {"seconds", rounded(seconds())},
                             {"images_per_second", rounded(rate(counts.inspected, seconds()))}};
  if (line.is_on()) summary.emplace("line", line.status());
  return base::to_text(summary);
}

std::string Progress::summary(const Service::Counts& counts) const {
  const Metrics::Totals totals = metrics_.totals();
  std::string text =
      fmt::format("{} images in {:.1f} s ({:.1f}/s), {} detections", counts.inspected, seconds(),
                  rate(counts.inspected, seconds()), totals.detections);
  if (totals.errors > 0) text += fmt::format(", {} unreadable", totals.errors);
  if (counts.known > 0) text += fmt::format(", {} had their result already", counts.known);
  if (totals.source.dropped > 0) {
    text += fmt::format(", {} frames dropped", totals.source.dropped);
  }
  if (totals.source.incomplete > 0) {
    text += fmt::format(", {} frames incomplete", totals.source.incomplete);
  }
  return text;
}

}  // namespace andon::inspect
