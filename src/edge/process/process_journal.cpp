// SPDX-License-Identifier: Apache-2.0
#include "edge/process/process_journal.hpp"

#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include <cstdint>
#include <map>
#include <optional>
#include <system_error>

#include "base/error/error.hpp"
#include "base/log/log.hpp"
#include "base/os/process.hpp"
#include "base/text/id.hpp"
#include "base/text/number.hpp"

namespace andon::edge {
namespace {

namespace fs = base::fs;

struct Entry {
  std::uint64_t start_ticks = 0;
  std::string mark;
  std::string component;
};

// "<ticks> <mark> <component>"
std::optional<Entry> parse_entry(std::string_view text) {
  const std::size_t first = text.find(' ');
  const std::size_t second = first == text.npos ? text.npos : text.find(' ', first + 1);
  if (second == text.npos) return std::nullopt;
  const auto ticks = base::parse_integer<std::uint64_t>(text.substr(0, first));
  if (!ticks) return std::nullopt;
  return Entry{*ticks, std::string(text.substr(first + 1, second - first - 1)),
               std::string(text.substr(second + 1))};
}

bool carries_mark(pid_t pid, const std::string& mark) {
  try {
    const auto environment = base::read_file_if_exists("/proc/" + std::to_string(pid) + "/environ");
    const std::string wanted = std::string(kProcessMark) + '=' + mark;
    return environment && environment->find(wanted) != std::string::npos;
  } catch (const base::Error&) {
    return false;  // another user's process: not one of ours
  }
}

// Nobody can take it up: the keeper ends with its lock's file, and the process with its keeper.
void forget(const fs::path& directory, const std::string& why) {
  base::log_warning("what an earlier agent has left of a component cannot be taken up; it ends",
                    {{"component", directory.filename().string()}, {"why", why}});
  std::error_code gone;
  fs::remove_all(directory, gone);
}

}  // namespace

std::string new_process_mark() {
  return base::random_text(16, "abcdefghijklmnopqrstuvwxyz0123456789");
}

void ProcessJournal::kill_group(pid_t group, const std::string& mark) {
  if (group <= 1) return;
  std::error_code no_proc;
  for (const fs::directory_entry& process : fs::directory_iterator("/proc", no_proc)) {
    const auto pid = base::parse_integer<pid_t>(process.path().filename().string());
    if (!pid || getpgid(*pid) != group || !carries_mark(*pid, mark)) continue;
    kill(-group, SIGKILL);
    return;
  }
}

std::vector<KeptRecord> ProcessJournal::kept() const {
  constexpr std::size_t kMostRecord = 64U << 10U;
  std::vector<KeptRecord> records;
  const std::string boot = boot_id();
  std::error_code none;
  for (const fs::directory_entry& entry : fs::directory_iterator(directory_ / "kept", none)) {
    const KeptPlace place{entry.path()};
    try {
      const auto text = base::read_file_if_exists(place.record(), kMostRecord);
      if (!text) {
        forget(entry.path(), "it has no record");
        continue;
      }
      KeptRecord record = parse_kept_record(*text);
      if (record.component != entry.path().filename()) {
        forget(entry.path(), "its record is of " + record.component);
      } else if (record.boot != boot || !kept_state(place)) {
        // The machine has ended with it; or its keeper had not come to start it.
        std::error_code gone;
        fs::remove_all(entry.path(), gone);
      } else {
        records.push_back(std::move(record));
      }
    } catch (const base::Error& error) {
      forget(entry.path(), error.message());
    }
  }
  return records;
}

int ProcessJournal::kill_leftovers() {
  std::map<pid_t, Entry> entries;  // by process group
  for (const fs::directory_entry& file : fs::directory_iterator(directory_)) {
    if (file.is_directory()) continue;
    const auto group = base::parse_integer<pid_t>(file.path().filename().string());
    const auto text = base::read_file_if_exists(file.path(), 4096);
    const auto entry = text ? parse_entry(*text) : std::nullopt;
    if (group && *group > 1 && entry) entries.emplace(*group, *entry);
  }
  std::map<pid_t, const Entry*> to_kill;
  std::error_code no_proc;
  for (const fs::directory_entry& process : fs::directory_iterator("/proc", no_proc)) {
    const auto pid = base::parse_integer<pid_t>(process.path().filename().string());
    if (!pid) continue;
    const auto entry = entries.find(getpgid(*pid));
    if (entry == entries.end()) continue;
    const bool is_leader = *pid == entry->first;
    if ((is_leader && base::process_start_ticks(*pid) == entry->second.start_ticks) ||
        carries_mark(*pid, entry->second.mark)) {
      to_kill[entry->first] = &entry->second;
    }
  }
  for (const auto& [group, entry] : to_kill) {
    kill(-group, SIGKILL);
    base::log_warning("killed a process that an earlier agent left behind",
                      {{"component", entry->component}, {"process_group", group}});
  }
  for (const auto& [group, entry] : entries) remove(group);
  return static_cast<int>(to_kill.size());
}

void ProcessJournal::add(pid_t leader, std::string_view component, std::string_view mark) {
  const auto ticks = base::process_start_ticks(leader);
  if (!ticks) return;  // it has ended already
  const fs::path path = directory_ / std::to_string(leader);
  const base::UniqueFd file = base::open_file(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
  base::write_all(file.get(),
                  std::to_string(*ticks) + ' ' + std::string(mark) + ' ' + std::string(component),
                  path);
}

void ProcessJournal::remove(pid_t leader) {
  std::error_code gone;
  fs::remove(directory_ / std::to_string(leader), gone);
}

}  // namespace andon::edge
