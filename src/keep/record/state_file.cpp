// SPDX-License-Identifier: Apache-2.0
#include "keep/record/state_file.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cinttypes>
#include <cstdio>
#include <cstring>

namespace andon::keep {
namespace {

constexpr std::size_t kNumbersAt = 2;
constexpr std::size_t kEndAt = 64;
constexpr std::size_t kWordsAt = 128;
constexpr std::size_t kSize = kWordsAt + kLastWords;

bool write_at(int fd, const char* bytes, std::size_t size, std::size_t place) {
  return pwrite(fd, bytes, size, static_cast<off_t>(place)) == static_cast<ssize_t>(size);
}

// A copy with an end, for sscanf.
template <std::size_t kBytes>
void take_line(const char* bytes, char (&line)[kBytes]) {
  std::memcpy(line, bytes, kBytes - 1);
  line[kBytes - 1] = '\0';
}

}  // namespace

bool create_state_file(const char* path, pid_t keeper, pid_t leader) {
  const int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  if (fd < 0) return false;
  char bytes[kSize];
  std::memset(bytes, ' ', sizeof bytes);
  bytes[0] = 'r';
  bytes[1] = '\n';
  char line[kEndAt - kNumbersAt];
  const int length = std::snprintf(line, sizeof line, "%d %d\n", keeper, leader);
  std::memcpy(bytes + kNumbersAt, line, static_cast<std::size_t>(length));
  const bool is_written = write_at(fd, bytes, sizeof bytes, 0);
  close(fd);
  return is_written;
}

bool write_end(const char* path, const KeptState& state) {
  const int fd = open(path, O_WRONLY | O_CLOEXEC);
  if (fd < 0) return false;
  char line[kWordsAt - kEndAt];
  const int length = std::snprintf(line, sizeof line, "%d %d %" PRId64 " %zu\n", state.code,
                                   state.signal, state.ended_ms, state.word_count);
  const bool is_written = write_at(fd, line, static_cast<std::size_t>(length), kEndAt) &&
                          write_at(fd, state.words, state.word_count, kWordsAt) &&
                          write_at(fd, "e", 1, 0);
  close(fd);
  return is_written;
}

bool parse_state(const char* bytes, std::size_t size, KeptState& state) {
  if (size != kSize || bytes[1] != '\n' || (bytes[0] != 'r' && bytes[0] != 'e')) return false;
  char numbers[kEndAt - kNumbersAt + 1];
  take_line(bytes + kNumbersAt, numbers);
  if (std::sscanf(numbers, "%d %d", &state.keeper, &state.leader) != 2 || state.keeper <= 1 ||
      state.leader <= 1) {
    return false;
  }
  state.has_ended = bytes[0] == 'e';
  if (!state.has_ended) return true;
  char end[kWordsAt - kEndAt + 1];
  take_line(bytes + kEndAt, end);
  if (std::sscanf(end, "%d %d %" SCNd64 " %zu", &state.code, &state.signal, &state.ended_ms,
                  &state.word_count) != 4 ||
      state.word_count > kLastWords || state.signal < 0) {
    return false;
  }
  std::memcpy(state.words, bytes + kWordsAt, state.word_count);
  return true;
}

bool read_state_file(const char* path, KeptState& state) {
  const int fd = open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0) return false;
  char bytes[kSize + 1];
  const ssize_t got = read(fd, bytes, sizeof bytes);
  close(fd);
  return got > 0 && parse_state(bytes, static_cast<std::size_t>(got), state);
}

}  // namespace andon::keep
