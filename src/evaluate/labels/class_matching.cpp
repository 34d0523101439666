// SPDX-License-Identifier: Apache-2.0
#include "evaluate/labels/class_matching.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/error/error.hpp"

namespace andon::evaluate {
namespace {

using base::Error;
using base::ErrorCode;

// A crowd has no outline of its own, so that only how much of the finding lies in it counts.
double overlap(const Finding& finding, const Truth& truth) {
  return truth.is_crowd ? share_inside(finding.box, truth.box)
                        : intersection_over_union(finding.box, truth.box);
}

}  // namespace

std::vector<std::vector<Cell>> cells_by_category(const Dataset& dataset,
                                                 const std::vector<Findings>& findings,
                                                 std::size_t max_detections) {
  if (findings.size() != dataset.images.size()) {
    throw Error(ErrorCode::internal,
                fmt::format("findings of {} pictures were given for a dataset of {}",
                            findings.size(), dataset.images.size()));
  }
  std::vector<std::vector<Cell>> cells(dataset.categories.size());
  const auto cell_of = [&](std::size_t category, std::size_t image) -> Cell& {
    std::vector<Cell>& row = cells.at(category);
    if (row.empty() || row.back().image != image) row.push_back({image, {}, {}});
    return row.back();
  };
  for (std::size_t i = 0; i < dataset.images.size(); ++i) {
    for (const Truth& truth : dataset.images[i].truths) {
      cell_of(truth.category, i).truths.push_back(&truth);
    }
    for (const Finding& finding : findings[i]) {
      cell_of(finding.category, i).findings.push_back(&finding);
    }
  }
  for (std::vector<Cell>& row : cells) {
    for (Cell& cell : row) {
      std::stable_sort(
          cell.findings.begin(), cell.findings.end(),
          [](const Finding* a, const Finding* b) { return a->confidence > b->confidence; });
      if (cell.findings.size() > max_detections) cell.findings.resize(max_detections);
    }
  }
  return cells;
}

CellMatcher::CellMatcher(const Cell& cell, const std::function<bool(const Truth&)>& is_ignored)
    : cell_(cell) {
  overlaps_.reserve(cell.findings.size() * cell.truths.size());
  for (const Finding* finding : cell.findings) {
    for (const Truth* truth : cell.truths) overlaps_.push_back(overlap(*finding, *truth));
  }
  ignore(is_ignored);
}

void CellMatcher::ignore(const std::function<bool(const Truth&)>& is_ignored) {
  const std::size_t truths = cell_.truths.size();
  is_ignored_.assign(truths, false);
  order_.clear();
  for (std::size_t t = 0; t < truths; ++t) {
    is_ignored_[t] = is_ignored(*cell_.truths[t]);
    if (!is_ignored_[t]) order_.push_back(t);
  }
  counted_ = order_.size();
  for (std::size_t t = 0; t < truths; ++t) {
    if (is_ignored_[t]) order_.push_back(t);
  }
}

const std::vector<CellMatcher::Fate>& CellMatcher::match(double threshold) {
  const std::size_t truths = cell_.truths.size();
  is_taken_.assign(truths, false);
  fates_.assign(cell_.findings.size(), Fate::alone);
  partners_.assign(cell_.findings.size(), kNone);
  for (std::size_t f = 0; f < cell_.findings.size(); ++f) {
    const double* overlaps = overlaps_.data() + f * truths;
    double best = std::min(threshold, 1 - 1e-10);
    std::size_t partner = kNone;
    for (const std::size_t t : order_) {
      if (is_taken_[t] && !cell_.truths[t]->is_crowd) continue;
      if (partner != kNone && !is_ignored_[partner] && is_ignored_[t]) break;
      if (overlaps[t] < best) continue;
      best = overlaps[t];
      partner = t;
    }
    if (partner == kNone) continue;
    is_taken_[partner] = true;
    partners_[f] = partner;
    fates_[f] = is_ignored_[partner] ? Fate::ignored : Fate::matched;
  }
  return fates_;
}

}  // namespace andon::evaluate
