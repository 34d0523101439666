// SPDX-License-Identifier: Apache-2.0
// What a keeper tells of the process that it keeps, to agents that come later: a small file of a
// fixed size, whose blocks are taken when it is made, so that an end can be written down on a full
// disk, too. Not fsynced: after a power cut there is no process to tell of. The keeper writes it,
// with the C library alone; whoever reads it in the middle of a change finds the state before. An
// agent of another version may be the next to read it: the layout stays as it is.
//
//   0 "r\n" or "e\n": runs, or has ended; written last
//   2 "KEEPER LEADER\n": process numbers; blanks up to 64
//   64 "CODE SIGNAL ENDED_MS WORDS\n": the exit, when (CLOCK_MONOTONIC), how many last words
//   128 the last bytes of its output
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <cstdint>

namespace andon::keep {

inline constexpr std::size_t kLastWords = 1000;

struct KeptState {
  pid_t keeper = 0;
  pid_t leader = 0;
  bool has_ended = false;
  int code = 0;
  int signal = 0;  // the one that ended it, or 0
  std::int64_t ended_ms = 0;
  std::size_t word_count = 0;
  char words[kLastWords] = {};
};

// Each says whether it could; errno has the reason.
[[nodiscard]] bool create_state_file(const char* path, pid_t keeper, pid_t leader);
[[nodiscard]] bool write_end(const char* path, const KeptState& state);
// False also for what is no whole state.
[[nodiscard]] bool read_state_file(const char* path, KeptState& state);
// The parser of it, for any bytes.
[[nodiscard]] bool parse_state(const char* bytes, std::size_t size, KeptState& state);

}  // namespace andon::keep
