// SPDX-License-Identifier: Apache-2.0
#include "edge/process/kept_record.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>

#include "base/error/error.hpp"
#include "base/json/json.hpp"
#include "base/json/json_reader.hpp"
#include "base/text/split.hpp"

namespace andon::edge {
namespace {

namespace json = base::json;
using std::chrono::duration_cast;
using std::chrono::milliseconds;

constexpr std::string_view kWhat = "record of a kept process";

std::int64_t in_ms(LoopClock::Instant instant) {
  return duration_cast<milliseconds>(instant.time_since_epoch()).count();
}

}  // namespace

KeptRecord parse_kept_record(std::string_view text) {
  try {
    const json::value document = base::parse_json(text, kWhat);
    const base::JsonReader reader(document, std::string(kWhat));
    KeptRecord record;
    record.component = reader.string("component");
    record.version = reader.string("version");
    record.identity = reader.string("identity");
    record.step = reader.string("step") == "startup" ? ServiceStep::startup : ServiceStep::run;
    record.mark = reader.string("mark");
    record.token = reader.string("token");
    record.errors = static_cast<int>(reader.integer("errors"));
    record.said_running = reader.optional_bool("saidRunning").value_or(false);
    record.has_client = reader.optional_bool("hasClient").value_or(false);
    record.cgroups = reader.strings("cgroups");
    record.boot = reader.string("boot");
    record.started = LoopClock::Instant(milliseconds(reader.integer("startedMs")));
    if (const auto deadline = reader.optional_integer("deadlineMs")) {
      record.deadline = LoopClock::Instant(milliseconds(*deadline));
    }
    return record;
  } catch (const base::Error& error) {
    throw base::Error(base::ErrorCode::data_corrupted, error.message());
  }
}

std::string to_text(const KeptRecord& record) {
  json::object document{{"component", record.component},
                        {"version", record.version},
                        {"identity", record.identity},
                        {"step", record.step == ServiceStep::startup ? "startup" : "run"},
                        {"mark", record.mark},
                        {"token", record.token},
                        {"errors", record.errors},
                        {"saidRunning", record.said_running},
                        {"hasClient", record.has_client},
                        {"cgroups", json::array(record.cgroups.begin(), record.cgroups.end())},
                        {"boot", record.boot},
                        {"startedMs", in_ms(record.started)}};
  if (record.deadline) document["deadlineMs"] = in_ms(*record.deadline);
  return base::to_text(document);
}

void write_kept_record(const base::fs::path& directory, const KeptRecord& record) {
  const base::fs::path path = KeptPlace{directory}.record();
  const base::fs::path beside = path.string() + ".new";
  {
    const base::UniqueFd file = base::open_file(beside, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    base::write_all(file.get(), to_text(record), beside);
  }
  if (rename(beside.c_str(), path.c_str()) != 0) {
    throw base::system_error("cannot write " + path.string(), errno);
  }
}

std::string boot_id() {
  const auto text = base::read_file_if_exists("/proc/sys/kernel/random/boot_id", 128);
  return text ? std::string(base::trim(*text, " \n")) : std::string();
}

std::optional<keep::KeptState> kept_state(const KeptPlace& place) {
  keep::KeptState state;
  if (!keep::read_state_file(place.state().c_str(), state)) return std::nullopt;
  return state;
}

bool has_keeper(const KeptPlace& place) {
  const base::UniqueFd file(open(place.lock().c_str(), O_RDWR | O_CLOEXEC));
  return file && flock(file.get(), LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK;
}

}  // namespace andon::edge
