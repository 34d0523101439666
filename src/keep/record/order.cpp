// SPDX-License-Identifier: Apache-2.0
#include "keep/record/order.hpp"

#include <cerrno>
#include <cstdlib>
#include <cstring>

namespace andon::keep {
namespace {

class Texts {
 public:
  Texts(char* bytes, std::size_t size) : at_(bytes), end_(bytes + size) {}

  // Null where there is none.
  char* next() {
    if (at_ == end_) return nullptr;
    char* const text = at_;
    at_ += std::strlen(text) + 1;
    return text;
  }
  // A number, and so many texts.
  bool list(std::size_t most, const char** places, std::size_t& count) {
    long long many = 0;
    if (!number(0, static_cast<long long>(most), many)) return false;
    count = static_cast<std::size_t>(many);
    for (std::size_t i = 0; i < count; ++i) {
      places[i] = next();
      if (places[i] == nullptr || *places[i] == '\0') return false;
    }
    return true;
  }
  bool number(long long smallest, long long largest, long long& value) {
    const char* const text = next();
    if (text == nullptr || *text == '\0') return false;
    char* stop = nullptr;
    errno = 0;
    value = std::strtoll(text, &stop, 10);
    return errno == 0 && *stop == '\0' && value >= smallest && value <= largest;
  }

 private:
  char* at_;
  char* end_;
};

constexpr long long kMostId = 0xFFFFFFFELL;
constexpr long long kMostLog = 1LL << 40;

}  // namespace

bool parse_order(char* bytes, std::size_t size, OrderView& order) {
  if (size == 0 || size > kMostOrderBytes || bytes[size - 1] != '\0') return false;
  Texts texts(bytes, size);
  long long log_bytes = 0;
  long long files = 0;
  long long rate = 0;
  long long sandbox = 0;
  long long user = 0;
  long long group = 0;
  long long groups = 0;
  order.script = texts.next();
  order.working_directory = texts.next();
  order.log_file = texts.next();
  if (order.log_file == nullptr || !texts.number(1, kMostLog, log_bytes) ||
      !texts.number(0, 100, files) || !texts.number(0, kMostLog, rate)) {
    return false;
  }
  order.state_file = texts.next();
  if (order.state_file == nullptr || !texts.number(kOwn, kMostId, user) ||
      !texts.number(kOwn, kMostId, group) ||
      !texts.number(0, static_cast<long long>(kMostGroups), groups)) {
    return false;
  }
  order.log_bytes = static_cast<std::uint64_t>(log_bytes);
  order.log_files_kept = static_cast<int>(files);
  order.log_bytes_per_second = static_cast<std::uint64_t>(rate);
  order.user = static_cast<long>(user);
  order.group = static_cast<long>(group);
  order.group_count = static_cast<std::size_t>(groups);
  for (std::size_t i = 0; i < order.group_count; ++i) {
    long long one = 0;
    if (!texts.number(0, kMostId, one)) return false;
    order.groups[i] = static_cast<gid_t>(one);
  }
  if (!texts.list(kMostCgroups, order.cgroups, order.cgroup_count) ||
      !texts.number(0, kGuarded | kOwnTmp | kOffline, sandbox) ||
      !texts.list(kMostPlaces, order.places, order.place_count)) {
    return false;
  }
  order.sandbox = static_cast<int>(sandbox);
  std::size_t count = 0;
  while (char* const variable = texts.next()) {
    if (count == kMostVariables) return false;
    order.environment[count++] = variable;
  }
  order.environment[count] = nullptr;
  return true;
}

}  // namespace andon::keep
