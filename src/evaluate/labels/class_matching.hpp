// SPDX-License-Identifier: Apache-2.0
// COCO's matching of findings with objects, class by class and picture by picture. Internal to
// evaluate; pure.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <vector>

#include "evaluate/labels/dataset.hpp"

namespace andon::evaluate {

// The objects and findings of one class in one picture.
struct Cell {
  std::size_t image = 0;
  std::vector<const Truth*> truths;
  std::vector<const Finding*> findings;  // best first; equal ones in their order
};

// By category, each in the order of the pictures; only cells that hold something. They point into
// the arguments, which have to outlive them. At most `max_detections` findings stay in each. Throws
// internal where the arguments do not fit together.
[[nodiscard]] std::vector<std::vector<Cell>> cells_by_category(
    const Dataset& dataset, const std::vector<Findings>& findings, std::size_t max_detections);
std::vector<std::vector<Cell>> cells_by_category(const Dataset&, std::vector<Findings>&&,
                                                 std::size_t) = delete;

// Overlaps of one cell, and who takes whom. Made once a cell, asked for each threshold.
class CellMatcher {
 public:
  // `is_ignored` says which objects do not count; what is matched with them does not either.
  CellMatcher(const Cell& cell, const std::function<bool(const Truth&)>& is_ignored);
  // The same cell, other objects left out: keeps the overlaps.
  void ignore(const std::function<bool(const Truth&)>& is_ignored);

  [[nodiscard]] std::size_t counted_truths() const { return counted_; }

  enum class Fate : std::uint8_t { alone, matched, ignored };
  // Each finding, best first, takes the free object that it overlaps best, if by at least
  // `threshold`; objects that count go before ignored ones, and a crowd can be taken again. Gives
  // one fate a finding. Valid until the next call.
  const std::vector<Fate>& match(double threshold);
  // After match(): for each finding the index of its object in the cell; else kNone.
  static constexpr std::size_t kNone = SIZE_MAX;
  [[nodiscard]] const std::vector<std::size_t>& partners() const { return partners_; }

 private:
  const Cell& cell_;
  std::vector<double> overlaps_;    // findings x truths, in the cell's order
  std::vector<std::size_t> order_;  // of truths: those that count first
  std::vector<bool> is_ignored_;    // in the cell's order
  std::size_t counted_ = 0;
  std::vector<bool> is_taken_;
  std::vector<Fate> fates_;
  std::vector<std::size_t> partners_;
};

}  // namespace andon::evaluate
