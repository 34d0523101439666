// SPDX-License-Identifier: Apache-2.0
#include "evaluate/labels/unreadable.hpp"

#include <fmt/format.h>

namespace andon::evaluate {
namespace {

constexpr std::size_t kNamesShown = 5;

}  // namespace

void UnreadablePictures::note(const base::fs::path& file, const base::Error& error) {
  if (++count_ > kNamesShown) return;
  reasons_ += fmt::format("\n  {}: {}", file.filename().string(), error.message());
}

void UnreadablePictures::throw_if_any(std::size_t all) const {
  if (count_ == 0) return;
  throw base::Error(base::ErrorCode::invalid_argument,
                    fmt::format("{} of {} pictures cannot be read:{}{}", count_, all, reasons_,
                                count_ > kNamesShown ? "\n  ..." : ""));
}

}  // namespace andon::evaluate
