// SPDX-License-Identifier: Apache-2.0
#include "evaluate/score/working_point.hpp"

#include <algorithm>
#include <iterator>
#include <map>
#include <tuple>

#include "evaluate/labels/class_matching.hpp"

namespace andon::evaluate {
namespace {

using Fate = CellMatcher::Fate;

constexpr std::size_t kCurvePoints = 100;
// More findings of a class than this in one picture are no detector's output.
constexpr std::size_t kMaxFindings = 10'000;

struct Scored {
  double confidence;
  bool is_right;
};

double share(std::size_t part, std::size_t whole) {
  return static_cast<double>(part) / static_cast<double>(whole);
}

// Sorted best first.
std::vector<CurvePoint> curve_of(const std::vector<Scored>& scored, std::size_t objects) {
  std::vector<CurvePoint> curve(kCurvePoints);
  std::size_t at = 0;
  Rates rates{0, 0, objects};
  for (std::size_t i = kCurvePoints; i-- > 0;) {
    const double confidence = static_cast<double>(i) / kCurvePoints;
    for (; at < scored.size() && scored[at].confidence > confidence; ++at) {
      ++(scored[at].is_right ? rates.right : rates.wrong);
    }
    rates.missed = objects - rates.right;
    curve[i] = {confidence, rates};
  }
  return curve;
}

// The confidence is put halfway to the next lower score, so that "above" and "at least" mean the
// same, and rounding on the way into a configuration changes nothing.
std::optional<CurvePoint> best_point(const std::vector<Scored>& scored, std::size_t objects) {
  std::optional<CurvePoint> best;
  Rates rates{0, 0, objects};
  for (std::size_t i = 0; i < scored.size(); ++i) {
    ++(scored[i].is_right ? rates.right : rates.wrong);
    rates.missed = objects - rates.right;
    const bool is_last = i + 1 == scored.size();
    if (!is_last && scored[i + 1].confidence == scored[i].confidence) continue;
    if (rates.right == 0) continue;
    if (best && *best->rates.f1() >= *rates.f1()) continue;
    const double next = is_last ? 0 : scored[i + 1].confidence;
    best = CurvePoint{(scored[i].confidence + next) / 2, rates};
  }
  return best;
}

void sort_best_first(std::vector<Scored>& scored) {
  std::stable_sort(scored.begin(), scored.end(),
                   [](const Scored& a, const Scored& b) { return a.confidence > b.confidence; });
}

// What of one picture found no partner of its own class.
struct Leftovers {
  std::vector<const Finding*> findings;
  std::vector<const Truth*> truths;
};

// The best overlaps first, each finding and object once: what was taken for what.
void count_confusions(Leftovers& left, double iou, ConfusionMatrix& matrix) {
  struct Pair {
    double iou;
    std::size_t finding;
    std::size_t truth;
  };
  std::vector<Pair> pairs;
  for (std::size_t f = 0; f < left.findings.size(); ++f) {
    for (std::size_t t = 0; t < left.truths.size(); ++t) {
      const double overlap = intersection_over_union(left.findings[f]->box, left.truths[t]->box);
      if (overlap >= iou) pairs.push_back({overlap, f, t});
    }
  }
  std::stable_sort(pairs.begin(), pairs.end(),
                   [](const Pair& a, const Pair& b) { return a.iou > b.iou; });
  const std::size_t side = matrix.classes + 1;
  for (const Pair& pair : pairs) {
    const Finding*& finding = left.findings[pair.finding];
    const Truth*& truth = left.truths[pair.truth];
    if (finding == nullptr || truth == nullptr) continue;
    ++matrix.counts[finding->category * side + truth->category];
    finding = nullptr;
    truth = nullptr;
  }
  for (const Finding* finding : left.findings) {
    if (finding != nullptr) ++matrix.counts[finding->category * side + matrix.classes];
  }
  for (const Truth* truth : left.truths) {
    if (truth != nullptr) ++matrix.counts[matrix.classes * side + truth->category];
  }
}

class Builder {
 public:
  Builder(const Dataset& dataset, const WorkingPointOptions& options) : dataset_(dataset) {
    point_.options = options;
    const std::size_t side = dataset.categories.size() + 1;
    point_.confusion = {side - 1, std::vector<std::size_t>(side * side, 0)};
    for (std::size_t i = 0; i < dataset.images.size(); ++i) point_.images.push_back({i, 0, 0, 0});
  }

  void add_class(const std::vector<Cell>& cells, std::size_t category) {
    ClassWorkingPoint& row = point_.classes.emplace_back();
    std::vector<Scored> scored;
    std::size_t objects = 0;
    for (const Cell& cell : cells) {
      CellMatcher matcher(cell, [](const Truth& truth) { return truth.is_crowd; });
      objects += matcher.counted_truths();
      const std::vector<Fate>& fates = matcher.match(point_.options.iou);
      std::vector<bool> is_found(cell.truths.size(), false);
      for (std::size_t f = 0; f < fates.size(); ++f) {
        if (fates[f] == Fate::ignored) continue;
        const Finding& finding = *cell.findings[f];
        const bool is_right = fates[f] == Fate::matched;
        scored.push_back({finding.confidence, is_right});
        if (!(finding.confidence > point_.options.confidence)) continue;
        if (is_right) {
          is_found[matcher.partners()[f]] = true;
          ++row.rates.right;
        } else {
          ++row.rates.wrong;
          note_wrong(cell.image, finding);
        }
      }
      for (std::size_t t = 0; t < cell.truths.size(); ++t) {
        if (is_found[t] || cell.truths[t]->is_crowd) continue;
        ++row.rates.missed;
        ++point_.images[cell.image].missed;
        leftovers_[cell.image].truths.push_back(cell.truths[t]);
      }
    }
    sort_best_first(scored);
    row.curve = curve_of(scored, objects);
    row.best = best_point(scored, objects);
    point_.rates += row.rates;
    point_.confusion.counts[category * (point_.confusion.classes + 1) + category] = row.rates.right;
    all_.insert(all_.end(), scored.begin(), scored.end());
    objects_ += objects;
  }

  WorkingPoint finish(const std::vector<Findings>& findings) {
    sort_best_first(all_);
    point_.curve = curve_of(all_, objects_);
    point_.best = best_point(all_, objects_);
    for (auto& [image, left] : leftovers_) {
      count_confusions(left, point_.options.iou, point_.confusion);
    }
    for (std::size_t i = 0; i < findings.size(); ++i) {
      if (!dataset_.images[i].truths.empty()) continue;
      ++point_.images_without_objects;
      if (point_.images[i].wrong > 0) ++point_.false_alarm_images;
    }
    return std::move(point_);
  }

 private:
  void note_wrong(std::size_t image, const Finding& finding) {
    ++point_.images[image].wrong;
    point_.images[image].confidence_in_wrong += finding.confidence;
    leftovers_[image].findings.push_back(&finding);
  }

  const Dataset& dataset_;
  WorkingPoint point_;
  std::vector<Scored> all_;
  std::size_t objects_ = 0;
  std::map<std::size_t, Leftovers> leftovers_;  // by picture
};

}  // namespace

std::optional<double> Rates::precision() const {
  if (right + wrong == 0) return std::nullopt;
  return share(right, right + wrong);
}

std::optional<double> Rates::recall() const {
  if (right + missed == 0) return std::nullopt;
  return share(right, right + missed);
}

std::optional<double> Rates::f1() const {
  if (right + wrong + missed == 0) return std::nullopt;
  return share(2 * right, 2 * right + wrong + missed);
}

Rates& Rates::operator+=(const Rates& other) {
  right += other.right;
  wrong += other.wrong;
  missed += other.missed;
  return *this;
}

WorkingPoint working_point(const Dataset& dataset, const std::vector<Findings>& findings,
                           const WorkingPointOptions& options) {
  Builder builder(dataset, options);
  const auto cells = cells_by_category(dataset, findings, kMaxFindings);
  for (std::size_t category = 0; category < cells.size(); ++category) {
    builder.add_class(cells[category], category);
  }
  return builder.finish(findings);
}

std::vector<ImageErrors> worst_images(const WorkingPoint& point, std::size_t count) {
  std::vector<ImageErrors> worst;
  std::copy_if(point.images.begin(), point.images.end(), std::back_inserter(worst),
               [](const ImageErrors& image) { return image.total() > 0; });
  std::stable_sort(worst.begin(), worst.end(), [](const ImageErrors& a, const ImageErrors& b) {
    return std::tuple(a.total(), a.confidence_in_wrong) >
           std::tuple(b.total(), b.confidence_in_wrong);
  });
  if (worst.size() > count) worst.resize(count);
  return worst;
}

ImageVerdict judge_image(const Dataset& dataset, std::size_t image, const Findings& findings,
                         const WorkingPointOptions& options) {
  Dataset single;
  single.categories = dataset.categories;
  single.images.push_back(dataset.images.at(image));
  const std::vector<Truth>& truths = single.images[0].truths;
  std::vector<Findings> above(1);
  std::copy_if(findings.begin(), findings.end(), std::back_inserter(above[0]),
               [&](const Finding& finding) { return finding.confidence > options.confidence; });
  ImageVerdict verdict;
  for (const Truth& truth : truths) verdict.is_found.push_back(truth.is_crowd);
  for (const std::vector<Cell>& cells : cells_by_category(single, above, kMaxFindings)) {
    for (const Cell& cell : cells) {
      CellMatcher matcher(cell, [](const Truth& truth) { return truth.is_crowd; });
      const std::vector<Fate>& fates = matcher.match(options.iou);
      for (std::size_t f = 0; f < fates.size(); ++f) {
        if (fates[f] == Fate::ignored) continue;
        verdict.findings.push_back(*cell.findings[f]);
        verdict.is_right.push_back(fates[f] == Fate::matched);
        if (fates[f] != Fate::matched) continue;
        const Truth* truth = cell.truths[matcher.partners()[f]];
        verdict.is_found[static_cast<std::size_t>(truth - truths.data())] = true;
      }
    }
  }
  return verdict;
}

}  // namespace andon::evaluate
