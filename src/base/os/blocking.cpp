// SPDX-License-Identifier: Apache-2.0
#include "base/os/blocking.hpp"

#include <atomic>
#include <exception>

#include "base/log/log.hpp"

namespace andon::base {
namespace {

// A defect on a path that is taken often must not fill the log.
constexpr std::uint64_t kLogged = 20;

std::atomic<std::uint64_t> count{0};

}  // namespace

void blocking::report(const char* what) noexcept {
  if (count.fetch_add(1) >= kLogged) return;
  try {
    log_error("a thread that must not wait was about to; please report this", {{"for", what}});
  } catch (const std::exception&) {
    return;  // the count tells
  }
}

std::uint64_t forbidden_blocks() noexcept {
  return count;
}

}  // namespace andon::base
