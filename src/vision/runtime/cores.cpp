// SPDX-License-Identifier: Apache-2.0
#include "vision/runtime/cores.hpp"

#include <fmt/format.h>
#include <sched.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <utility>

#include "base/error/error.hpp"
#include "base/os/cores.hpp"

namespace andon::vision {

using base::Error;
using base::ErrorCode;

namespace {

// More than any kernel has.
constexpr int kMostCores = 1 << 16;

std::optional<std::int64_t> leading_number(std::string_view& text) {
  std::int64_t number = 0;
  const auto read = std::from_chars(text.data(), text.data() + text.size(), number);
  if (read.ec != std::errc{}) return std::nullopt;
  text.remove_prefix(static_cast<std::size_t>(read.ptr - text.data()));
  return number;
}

// An error number, or 0.
int set_cores(pthread_t thread, std::span<const int> cores) {
  const int highest = *std::max_element(cores.begin(), cores.end());
  std::vector<cpu_set_t> mask(static_cast<std::size_t>(highest) / CPU_SETSIZE + 1);
  const std::size_t bytes = mask.size() * sizeof(cpu_set_t);
  for (const int core : cores) CPU_SET_S(static_cast<std::size_t>(core), bytes, mask.data());
  return pthread_setaffinity_np(thread, bytes, mask.data());
}

Error no_core_list(std::string_view text) {
  return Error(ErrorCode::invalid_argument,
               fmt::format("'{}' is no list of cores; write numbers and ranges with commas between "
                           "them, as in 0,2-3",
                           text));
}

}  // namespace

std::vector<int> parse_core_list(std::string_view text) {
  std::vector<int> cores;
  std::string_view rest = text;
  while (true) {
    const auto first = leading_number(rest);
    auto last = first;
    if (first && rest.starts_with('-')) {
      rest.remove_prefix(1);
      last = leading_number(rest);
    }
    if (!first || !last || *first < 0 || *last < *first || *last >= kMostCores) {
      throw no_core_list(text);
    }
    for (auto core = static_cast<int>(*first); core <= *last; ++core) cores.push_back(core);
    if (rest.empty()) break;
    if (!rest.starts_with(',')) throw no_core_list(text);
    rest.remove_prefix(1);
  }
  std::vector<int> sorted = cores;
  std::sort(sorted.begin(), sorted.end());
  if (const auto twice = std::adjacent_find(sorted.begin(), sorted.end()); twice != sorted.end()) {
    throw Error(ErrorCode::invalid_argument, fmt::format("'{}' names core {} twice", text, *twice));
  }
  return cores;
}

std::string core_list(std::span<const int> cores) {
  std::string text;
  for (std::size_t i = 0; i < cores.size();) {
    std::size_t last = i;
    while (last + 1 < cores.size() && cores[last + 1] == cores[last] + 1) ++last;
    if (!text.empty()) text += ',';
    text += last == i ? fmt::format("{}", cores[i]) : fmt::format("{}-{}", cores[i], cores[last]);
    i = last + 1;
  }
  return text;
}

void check_cores(std::span<const int> cores, std::span<const int> allowed) {
  for (const int core : cores) {
    if (std::find(allowed.begin(), allowed.end(), core) != allowed.end()) continue;
    throw Error(
        ErrorCode::invalid_argument,
        fmt::format("core {} may not be used by this process; {} may", core, core_list(allowed)));
  }
}

void keep_on_core(pthread_t thread, int core) {
  if (const int error = set_cores(thread, {&core, 1}); error != 0) {
    throw base::system_error(fmt::format("cannot keep a thread on core {}", core), error);
  }
}

OnOneCore::OnOneCore(int core) : before_(base::allowed_cores()) {
  keep_on_core(pthread_self(), core);
}

OnOneCore::~OnOneCore() {
  // It may fail only where these cores have been taken from the process; then it stays.
  static_cast<void>(set_cores(pthread_self(), before_));
}

}  // namespace andon::vision
