// SPDX-License-Identifier: Apache-2.0
#include "evaluate/score/average_precision.hpp"

#include <algorithm>
#include <limits>
#include <numeric>

#include "evaluate/labels/class_matching.hpp"

namespace andon::evaluate {
namespace {

using Fate = CellMatcher::Fate;

constexpr std::array<std::size_t, 2> kFewDetections{1, 10};

// As numpy's linspace(0.5, 0.95, 10) and linspace(0, 1, 101) round them: at a recall of exactly
// 0.07 the last bit decides.
constexpr std::array<double, kIouThresholds> iou_thresholds() {
  std::array<double, kIouThresholds> thresholds{};
  constexpr double kStep = (0.95 - 0.5) / 9;
  for (std::size_t i = 0; i < kIouThresholds; ++i) {
    thresholds[i] = static_cast<double>(i) * kStep + 0.5;
  }
  thresholds.back() = 0.95;
  return thresholds;
}
constexpr auto kThresholds = iou_thresholds();
constexpr std::size_t k50 = 0;
constexpr std::size_t k75 = 5;

double recall_point(std::size_t index) {
  return static_cast<double>(index) * (1.0 / 100);
}

struct AreaRange {
  double low;
  double high;
  [[nodiscard]] bool has(double area) const { return low <= area && area <= high; }
};
constexpr std::array<AreaRange, 4> kAreas{{{0, 1e10},  // all
                                           {0, 32 * 32},
                                           {32 * 32, 96 * 96},
                                           {96 * 96, 1e10}}};

struct Hit {
  double confidence;
  std::size_t rank;  // in its cell
  std::array<Fate, kIouThresholds> fates;
};

// All findings of a class, matched, with the objects of one range of areas.
struct MatchedClass {
  std::vector<Hit> hits;  // cell by cell
  std::size_t objects = 0;
};

using ClassMatches = std::array<MatchedClass, kAreas.size()>;

ClassMatches match_class(const std::vector<Cell>& cells) {
  ClassMatches matches;
  for (const Cell& cell : cells) {
    CellMatcher matcher(cell, [](const Truth&) { return false; });
    for (std::size_t a = 0; a < kAreas.size(); ++a) {
      matcher.ignore(
          [&](const Truth& truth) { return truth.is_crowd || !kAreas[a].has(truth.area); });
      matches[a].objects += matcher.counted_truths();
      std::vector<Hit>& hits = matches[a].hits;
      const std::size_t first = hits.size();
      for (std::size_t f = 0; f < cell.findings.size(); ++f) {
        hits.push_back({cell.findings[f]->confidence, f, {}});
      }
      for (std::size_t t = 0; t < kIouThresholds; ++t) {
        const std::vector<Fate>& fates = matcher.match(kThresholds[t]);
        for (std::size_t f = 0; f < fates.size(); ++f) {
          const bool is_of_other_size =
              fates[f] == Fate::alone && !kAreas[a].has(cell.findings[f]->box.area());
          hits[first + f].fates[t] = is_of_other_size ? Fate::ignored : fates[f];
        }
      }
    }
  }
  return matches;
}

// The order of all findings of a class: best first, equal ones by picture.
std::vector<std::size_t> best_first(const std::vector<Hit>& hits) {
  std::vector<std::size_t> order(hits.size());
  std::iota(order.begin(), order.end(), 0U);
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
    return hits[a].confidence > hits[b].confidence;
  });
  return order;
}

// Precision at each of the recall points: the highest at that recall or a higher one.
std::vector<double> precision_curve(const MatchedClass& matched,
                                    const std::vector<std::size_t>& order, std::size_t threshold) {
  std::vector<double> precision;
  std::vector<double> recall;
  precision.reserve(order.size());
  recall.reserve(order.size());
  double right = 0;
  double wrong = 0;
  for (const std::size_t index : order) {
    const Fate fate = matched.hits[index].fates[threshold];
    right += fate == Fate::matched ? 1 : 0;
    wrong += fate == Fate::alone ? 1 : 0;
    recall.push_back(right / static_cast<double>(matched.objects));
    precision.push_back(right / (wrong + right + std::numeric_limits<double>::epsilon()));
  }
  for (std::size_t i = precision.size(); i-- > 1;) {
    precision[i - 1] = std::max(precision[i - 1], precision[i]);
  }
  std::vector<double> curve(kRecallPoints, 0.0);
  std::size_t at = 0;
  for (std::size_t point = 0; point < kRecallPoints; ++point) {
    while (at < recall.size() && recall[at] < recall_point(point)) ++at;
    if (at == recall.size()) break;
    curve[point] = precision[at];
  }
  return curve;
}

double mean(const std::vector<double>& values) {
  return std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
}

// The share of the objects that the best `count` findings of each cell hit, over all thresholds.
double mean_recall(const MatchedClass& matched, std::size_t count) {
  std::size_t right = 0;
  for (const Hit& hit : matched.hits) {
    if (hit.rank >= count) continue;
    right +=
        static_cast<std::size_t>(std::count(hit.fates.begin(), hit.fates.end(), Fate::matched));
  }
  return static_cast<double>(right) / static_cast<double>(matched.objects * kIouThresholds);
}

// A mean of what there is.
class Mean {
 public:
  void add(double value) {
    sum_ += value;
    ++count_;
  }
  [[nodiscard]] std::optional<double> get() const {
    if (count_ == 0) return std::nullopt;
    return sum_ / static_cast<double>(count_);
  }

 private:
  double sum_ = 0;
  std::size_t count_ = 0;
};

struct AreaMeans {
  Mean precision;
  Mean recall;
};

}  // namespace

AveragePrecision average_precision(const Dataset& dataset, const std::vector<Findings>& findings,
                                   const AveragePrecisionOptions& options) {
  AveragePrecision result;
  Mean map50_95;
  Mean map50;
  Mean map75;
  std::array<Mean, 3> recalls;
  std::array<AreaMeans, kAreas.size()> areas;
  for (const std::vector<Cell>& cells :
       cells_by_category(dataset, findings, options.max_detections)) {
    const ClassMatches matches = match_class(cells);
    const std::vector<std::size_t> order = best_first(matches[0].hits);
    ClassPrecision& row = result.classes.emplace_back();
    row.objects = matches[0].objects;
    row.findings = matches[0].hits.size();
    for (std::size_t a = 0; a < kAreas.size(); ++a) {
      if (matches[a].objects == 0) continue;
      std::array<double, kIouThresholds> precisions{};
      for (std::size_t t = 0; t < kIouThresholds; ++t) {
        std::vector<double> curve = precision_curve(matches[a], order, t);
        precisions[t] = mean(curve);
        if (a == 0 && t == k50) row.precision_at_recall50 = std::move(curve);
      }
      const double average =
          std::accumulate(precisions.begin(), precisions.end(), 0.0) / kIouThresholds;
      const double recall = mean_recall(matches[a], options.max_detections);
      areas[a].precision.add(average);
      areas[a].recall.add(recall);
      if (a > 0) continue;
      row.map50_95 = average;
      row.map50 = precisions[k50];
      row.map75 = precisions[k75];
      row.recall = recall;
      map50_95.add(average);
      map50.add(precisions[k50]);
      map75.add(precisions[k75]);
      for (std::size_t i = 0; i < kFewDetections.size(); ++i) {
        recalls[i].add(mean_recall(matches[0], kFewDetections[i]));
      }
      recalls[2].add(recall);
    }
  }
  result.map50_95 = map50_95.get();
  result.map50 = map50.get();
  result.map75 = map75.get();
  for (std::size_t i = 0; i < recalls.size(); ++i) result.recall[i] = recalls[i].get();
  result.small = {areas[1].precision.get(), areas[1].recall.get()};
  result.medium = {areas[2].precision.get(), areas[2].recall.get()};
  result.large = {areas[3].precision.get(), areas[3].recall.get()};
  return result;
}

}  // namespace andon::evaluate
