// SPDX-License-Identifier: Apache-2.0
// Room: metrics. What programs tell Prometheus: its page (exposition format 0.0.4) and histograms.
// Each program's own counters stand where it counts. Values; one thread at a time.
#pragma once

#include <fmt/format.h>

#include <iterator>
#include <string>
#include <string_view>
#include <utility>

#include "base/metrics/histogram.hpp"

namespace andon::base {

class MetricsPage {
 public:
  // Of Content-Type.
  static constexpr std::string_view kType = "text/plain; version=0.0.4; charset=utf-8";

  void start(std::string_view name, std::string_view type, std::string_view help) {
    fmt::format_to(out(), "# HELP {} {}\n# TYPE {} {}\n", name, help, name, type);
  }
  // `labels` as they stand between the braces; values of labels are escape_label's.
  template <typename Value>
  void sample(std::string_view name, std::string_view labels, Value value) {
    if (labels.empty()) {
      fmt::format_to(out(), "{} {}\n", name, value);
    } else {
      fmt::format_to(out(), "{}{{{}}} {}\n", name, labels, value);
    }
  }
  template <typename Value>
  void single(std::string_view name, std::string_view type, std::string_view help, Value value) {
    start(name, type, help);
    sample(name, "", value);
  }
  // The samples of one histogram; `start` comes before, once.
  void histogram(std::string_view name, std::string_view labels, const Histogram& histogram);

  [[nodiscard]] std::string take() { return std::move(text_); }

 private:
  std::back_insert_iterator<std::string> out() { return std::back_inserter(text_); }
  std::string text_;
};

}  // namespace andon::base
