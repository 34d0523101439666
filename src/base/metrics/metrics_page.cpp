// SPDX-License-Identifier: Apache-2.0
#include "base/metrics/metrics_page.hpp"

namespace andon::base {

void MetricsPage::histogram(std::string_view name, std::string_view labels,
                            const Histogram& histogram) {
  const std::string bucket = std::string(name) + "_bucket";
  const std::string before = labels.empty() ? "" : std::string(labels) + ",";
  std::uint64_t below = 0;
  for (std::size_t i = 0; i < histogram.bounds().size(); ++i) {
    below += histogram.counts()[i];
    sample(bucket, fmt::format("{}le=\"{}\"", before, histogram.bounds()[i]), below);
  }
  below += histogram.counts().back();
  sample(bucket, before + "le=\"+Inf\"", below);
  sample(std::string(name) + "_sum", labels, histogram.sum());
  sample(std::string(name) + "_count", labels, below);
}

}  // namespace andon::base
