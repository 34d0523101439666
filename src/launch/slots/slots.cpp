// SPDX-License-Identifier: Apache-2.0
#include "launch/slots/slots.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cinttypes>
#include <climits>
#include <cstdio>
#include <cstring>

namespace andon::launch {
namespace {

constexpr const char* kNames[] = {"base", "a", "b"};

bool parse_slot(const char* name, Slot& slot) {
  for (std::size_t i = 0; i < 3; ++i) {
    if (std::strcmp(name, kNames[i]) != 0) continue;
    slot = static_cast<Slot>(i);
    return true;
  }
  return false;
}

bool is_digest(const char* text) {
  return std::strlen(text) == kDigest && std::strspn(text, "0123456789abcdef") == kDigest;
}

bool parse_active(const char* line, Slots& slots) {
  char name[5];
  char digest[kDigest + 1];
  if (std::sscanf(line, "active %4s %64s", name, digest) != 2) return false;
  if (!parse_slot(name, slots.active)) return false;
  if (slots.active == Slot::base) return true;
  if (!is_digest(digest)) return false;
  std::memcpy(slots.active_digest, digest, sizeof digest);
  return true;
}

bool parse_trial(const char* line, Trial& trial) {
  char name[5];
  if (std::sscanf(line, "trial %4s %64s %" SCNd64 " %" SCNd64 " %" SCNd64 " %36s", name,
                  trial.digest, &trial.attempts, &trial.seconds, &trial.until, trial.boot) != 6) {
    return false;
  }
  constexpr std::int64_t kMost = 1'000'000'000;
  const auto is_sound = [](std::int64_t number) { return number >= 0 && number < kMost; };
  return parse_slot(name, trial.slot) && is_digest(trial.digest) && is_sound(trial.attempts) &&
         is_sound(trial.seconds) && is_sound(trial.until);
}

bool parse_line(const char* line, Slots& slots) {
  const auto begins = [line](const char* word) {
    return std::strncmp(line, word, std::strlen(word)) == 0;
  };
  if (begins("active ")) return parse_active(line, slots);
  if (begins("trial ")) return parse_trial(line, slots.trial);
  if (begins("base ")) {
    return std::sscanf(line, "base %" SCNd64 " %" SCNd64, &slots.base.size,
                       &slots.base.modified_ns) == 2;
  }
  if (begins("failed ")) {
    return std::sscanf(line, "failed %64s %500[^\n]", slots.failed, slots.why) >= 1 &&
           is_digest(slots.failed);
  }
  return true;
}

bool write_whole(int fd, const char* bytes, std::size_t size) {
  while (size > 0) {
    const ssize_t written = write(fd, bytes, size);
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return false;
    bytes += written;
    size -= static_cast<std::size_t>(written);
  }
  return true;
}

bool sync_path(const char* path, int flags) {
  const int fd = open(path, flags | O_CLOEXEC);
  if (fd < 0) return false;
  const bool is_synced = fsync(fd) == 0;
  close(fd);
  return is_synced;
}

}  // namespace

const char* name_of(Slot slot) {
  return kNames[static_cast<std::size_t>(slot)];
}

void give_up(Slots& slots, const char* why) {
  std::memcpy(slots.failed, slots.trial.digest, sizeof slots.failed);
  std::snprintf(slots.why, sizeof slots.why, "%s", why);
  for (char* at = slots.why; *at != '\0'; ++at) {
    if (static_cast<unsigned char>(*at) < ' ') *at = ' ';
  }
  slots.trial = {};
}

bool parse_slots(const char* bytes, std::size_t size, Slots& slots) {
  slots = {};
  Slots read;
  bool has_active = false;
  while (size > 0) {
    const void* const end = std::memchr(bytes, '\n', size);
    if (end == nullptr) break;  // cut off: what follows is missing as well
    const auto length = static_cast<std::size_t>(static_cast<const char*>(end) - bytes);
    char line[kReason + kDigest + 32];
    if (length < sizeof line && std::memchr(bytes, '\0', length) == nullptr) {
      std::memcpy(line, bytes, length);
      line[length] = '\0';
      if (!parse_line(line, read)) return false;
      has_active = has_active || std::strncmp(line, "active ", 7) == 0;
    }
    bytes += length + 1;
    size -= length + 1;
  }
  if (has_active) slots = read;
  return has_active;
}

bool read_slots(const char* directory, Slots& slots) {
  slots = {};
  char path[PATH_MAX];
  std::snprintf(path, sizeof path, "%s/slots", directory);
  const int fd = open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0) return false;
  char bytes[kMostSlotsBytes];
  const ssize_t got = read(fd, bytes, sizeof bytes);
  close(fd);
  if (got >= 0 && parse_slots(bytes, static_cast<std::size_t>(got), slots)) return true;
  errno = EINVAL;
  return false;
}

bool write_slots(const char* directory, const Slots& slots) {
  char bytes[kMostSlotsBytes];
  int length =
      std::snprintf(bytes, sizeof bytes, "active %s %s\nbase %" PRId64 " %" PRId64 "\n",
                    name_of(slots.active), slots.active == Slot::base ? "-" : slots.active_digest,
                    slots.base.size, slots.base.modified_ns);
  const auto add = [&bytes, &length](const char* format, auto... values) {
    length += std::snprintf(bytes + length, sizeof bytes - static_cast<std::size_t>(length), format,
                            values...);
  };
  if (slots.trial.slot != Slot::base) {
    add("trial %s %s %" PRId64 " %" PRId64 " %" PRId64 " %s\n", name_of(slots.trial.slot),
        slots.trial.digest, slots.trial.attempts, slots.trial.seconds, slots.trial.until,
        slots.trial.boot[0] == '\0' ? "-" : slots.trial.boot);
  }
  if (slots.failed[0] != '\0') add("failed %s %s\n", slots.failed, slots.why);
  char path[PATH_MAX];
  char fresh[PATH_MAX];
  std::snprintf(path, sizeof path, "%s/slots", directory);
  std::snprintf(fresh, sizeof fresh, "%s/slots.new", directory);
  const int fd = open(fresh, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  if (fd < 0) return false;
  const bool is_written =
      write_whole(fd, bytes, static_cast<std::size_t>(length)) && fsync(fd) == 0;
  close(fd);
  return is_written && rename(fresh, path) == 0 && sync_path(directory, O_RDONLY | O_DIRECTORY);
}

}  // namespace andon::launch
