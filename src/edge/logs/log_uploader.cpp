// SPDX-License-Identifier: Apache-2.0
#include "edge/logs/log_uploader.hpp"

#include <algorithm>
#include <exception>
#include <utility>
#include <vector>

#include "base/error/error.hpp"
#include "base/json/json_reader.hpp"
#include "base/log/log.hpp"
#include "base/text/utf8.hpp"
#include "base/time/time.hpp"
#include "edge/logs/log_destination.hpp"
#include "edge/logs/own_log_files.hpp"
#include "edge/streams/exports/waiting_publish.hpp"
#include "query/regex/regex.hpp"

namespace andon::edge {
namespace {

namespace json = base::json;
using std::chrono::milliseconds;

constexpr std::size_t kMostPlacesBytes = 4U << 20U;
// Answers have whole seconds: a right clock seems a little ahead or behind, and lines would change
// their order.
constexpr milliseconds kWrongClock{60'000};
constexpr milliseconds kFirst{1'000};
// After a failure, where that is sooner.
constexpr milliseconds kAgain{30'000};

// By component; of files that a component writes by itself by component, '#' and inode.
using Places = std::map<std::string, LogPlace>;

std::string_view component_of(std::string_view key) {
  return key.substr(0, key.find('#'));
}

std::string key_of(const std::string& component, const OwnLogFile& file) {
  return component + '#' + std::to_string(file.begin.inode);
}

// Whether a message begins with the line.
class MessageStart {
 public:
  explicit MessageStart(const std::string& pattern) {
    if (!pattern.empty()) pattern_.emplace(pattern, query::Regex::Options{});
  }

  [[nodiscard]] bool operator()(std::string_view line) const {
    if (!pattern_) return line.front() != ' ' && line.front() != '\t';
    try {
      return pattern_->search(line).has_value();
    } catch (const base::Error&) {
      return true;  // it would take too long to find out
    }
  }

 private:
  std::optional<query::Regex> pattern_;
};

fs::path places_file(const Layout& layout) {
  return layout.config() / "log-places.json";
}

Places load_places(const Layout& layout) {
  Places places;
  try {
    const auto text = base::read_file_if_exists(places_file(layout), kMostPlacesBytes);
    if (!text) return places;
    const json::value document = base::parse_json(*text, "log-places.json");
    const base::JsonReader reader(document, "log-places.json:");
    for (const auto& member : reader.object()) {
      const base::JsonReader place = reader.child(member.key());
      places[std::string(member.key())] = {static_cast<std::uint64_t>(place.integer("inode")),
                                           place.integer("bornNs"),
                                           static_cast<std::uint64_t>(place.integer("offset"))};
    }
  } catch (const base::Error& error) {
    base::log_warning("how far logs were uploaded is not known: what is there is uploaded anew",
                      {{"why", error.message()}});
    places.clear();
  }
  return places;
}

void save_places(const Layout& layout, const Places& places) {
  json::object document;
  for (const auto& [component, place] : places) {
    document[component] = json::object{{"inode", static_cast<std::int64_t>(place.inode)},
                                       {"bornNs", place.born_ns},
                                       {"offset", static_cast<std::int64_t>(place.offset)}};
  }
  base::write_file_atomically(places_file(layout), base::to_text(document), 0600);
}

// Messages of one line or more. The time that a message begins with counts, else that of the one
// before it.
std::vector<fleet::DeviceLogLine> lines_of(const LogChunk& chunk, const LogRule& rule,
                                           milliseconds ahead) {
  const MessageStart begins(rule.start_pattern);
  std::vector<fleet::DeviceLogLine> lines;
  std::int64_t time = base::to_epoch_millis(chunk.changed);
  bool is_wanted = true;
  bool has_message = false;
  for (std::string_view rest = chunk.lines; !rest.empty();) {
    std::string_view line = rest.substr(0, rest.find('\n'));
    rest.remove_prefix(std::min(line.size() + 1, rest.size()));
    while (line.ends_with('\r')) line.remove_suffix(1);
    if (line.empty()) continue;
    if (has_message && !begins(line)) {
      if (is_wanted) lines.back().text += '\n' + base::to_valid_utf8(line);
      continue;
    }
    has_message = true;
    const std::string_view word = line.substr(0, line.find(' '));
    if (const auto own = base::parse_iso8601(word)) time = base::to_epoch_millis(*own);
    // What says no level belongs to what was before it.
    if (const auto level = level_of(line)) is_wanted = *level >= rule.least;
    if (!is_wanted) continue;
    lines.push_back({std::max<std::int64_t>(0, time - ahead.count()), base::to_valid_utf8(line)});
  }
  std::ranges::stable_sort(lines, {}, &fleet::DeviceLogLine::time_ms);
  return lines;
}

struct Pass {
  DeviceConfig device;
  Layout layout;
  LogSettings settings;
  milliseconds ahead;
  std::string user;  // with whose rights components' own files are read
  ExportWorld world;
  std::shared_ptr<std::atomic<bool>> cancelled;

  void run() const {
    Places places = load_places(layout);
    std::erase_if(places, [&](const auto& one) {
      const auto rule = settings.components.find(component_of(one.first));
      if (rule == settings.components.end()) return true;
      return rule->second.directory.empty() == (one.first.find('#') != std::string::npos);
    });
    // Components that go to the same place share its connections.
    std::map<std::string, std::unique_ptr<LogDestination>> destinations;
    std::exception_ptr first_failure;
    for (const auto& [component, rule] : settings.components) {
      try {
        auto& destination = destinations[rule.destination];
        if (!destination) {
          destination = make_log_destination(rule.destination, world, device, layout);
        }
        if (rule.directory.empty()) {
          upload(component, rule, places, *destination);
        } else {
          upload_own(component, rule, places, *destination);
        }
      } catch (const base::Error&) {
        if (!first_failure) first_failure = std::current_exception();
      }
      if (!rule.directory.empty()) continue;
      const auto place = places.find(component);
      remove_old_logs(layout.log_of(component),
                      place == places.end() ? std::nullopt : std::optional(place->second),
                      rule.deletes, rule.space_bytes);
    }
    if (first_failure) std::rethrow_exception(first_failure);
  }

  void upload(const std::string& component, const LogRule& rule, Places& places,
              LogDestination& destination) const {
    put_all(component, rule, places, component, destination, [&](const auto& from) {
      return read_log(layout.log_of(component), from, destination.batch_bytes());
    });
  }

  void upload_own(const std::string& component, const LogRule& rule, Places& places,
                  LogDestination& destination) const {
    const auto files = open_own_logs(rule, user, base::SystemClock().now());
    std::erase_if(places, [&](const auto& one) {
      return component_of(one.first) == component &&
             std::ranges::none_of(files, [&](const OwnLogFile& file) {
               return key_of(component, file) == one.first;
             });
    });
    std::vector<std::uint64_t> read;
    for (const OwnLogFile& file : files) {
      const std::string key = key_of(component, file);
      put_all(component, rule, places, key, destination, [&](const auto& from) {
        return read_log_file(file.file, from, destination.batch_bytes(), file.is_over);
      });
      const auto place = places.find(key);
      read.push_back(place == places.end() ? 0 : place->second.offset);
    }
    if (!*cancelled) remove_own_logs(rule, user, files, read);
  }

  // What `read` gives from the place of `key` on, and from behind that, until there is no more.
  template <typename Read>
  void put_all(const std::string& component, const LogRule& rule, Places& places,
               const std::string& key, LogDestination& destination, const Read& read) const {
    while (!*cancelled) {
      const auto place = places.find(key);
      const auto from = place == places.end() ? std::nullopt : std::optional(place->second);
      const std::optional<LogChunk> chunk = read(from);
      if (!chunk) return;
      LogBatch batch{component, lines_of(*chunk, rule, ahead), chunk->next};
      batch.begin.offset -= chunk->lines.size();
      if (!batch.lines.empty()) destination.put(std::move(batch), *cancelled);
      if (*cancelled) return;
      places[key] = chunk->next;
      save_places(layout, places);
    }
  }
};

}  // namespace

LogUploader::LogUploader(Parts parts)
    : parts_(std::move(parts)),
      credentials_(std::make_shared<ExportCredentials>(parts_.fetch_credentials)) {}

LogUploader::~LogUploader() {
  *cancelled_ = true;
  parts_.loop.cancel(timer_);
}

void LogUploader::refresh() {
  const json::object* const configuration = parts_.configuration();
  std::optional<ReadLogSettings> read;
  if (configuration != nullptr) read = read_log_settings(*configuration);
  if (read ? wanted_ == read->settings : !wanted_) return;
  *cancelled_ = true;
  cancelled_ = std::make_shared<std::atomic<bool>>(false);
  parts_.loop.cancel(std::exchange(timer_, 0));
  wanted_.reset();
  problems_.clear();
  if (read) {
    for (const std::string& problem : read->problems) {
      base::log_warning("left out of the configuration of aws.greengrass.LogManager",
                        {{"why", problem}});
      problems_ += (problems_.empty() ? "" : "; ") + problem;
    }
    wanted_ = std::move(read->settings);
  }
  parts_.note({NoteCode::configuration_not_used, problems_});
  if (wanted_ && !is_running_) run_after(kFirst);
}

void LogUploader::run_after(milliseconds wait) {
  timer_ = parts_.loop.after(wait, [this] {
    timer_ = 0;
    run();
  });
}

ExportWorld LogUploader::make_world() {
  ExportWorld world;
  world.thing_name = parts_.device.thing_name;
  world.s3_endpoint = parts_.device.data_plane_url();
  world.region = parts_.device.region;
  world.ca_file = ca_file(parts_.layout).string();
  world.broker = broker_options(parts_.device, parts_.layout);
  // Whoever configures this component says where to; the broker has the last word.
  world.publish = [&loop = parts_.loop, &link = parts_.link](const wire::MqttMessage& message,
                                                             wire::Qos qos, bool retain,
                                                             const std::atomic<bool>& cancelled) {
    return publish_and_wait(
        loop, link, [](const std::string&) {}, message, qos, retain, cancelled);
  };
  world.credentials = credentials_;
  world.await_budget = [&budget = parts_.budget](std::uint64_t bytes,
                                                 const std::atomic<bool>& cancelled) {
    budget.take(LinkUse::logs, bytes, cancelled);
  };
  return world;
}

void LogUploader::run() {
  if (!wanted_ || wanted_->components.empty()) return;
  if (!worker_) worker_ = std::make_unique<Worker>(parts_.loop);
  is_running_ = true;
  milliseconds ahead = parts_.ahead();
  if (std::chrono::abs(ahead) < kWrongClock) ahead = milliseconds{0};
  worker_->run([pass = Pass{parts_.device, parts_.layout, *wanted_, ahead, parts_.file_user,
                            make_world(), cancelled_}] { pass.run(); },
               [this](const std::exception_ptr& failure) {
                 is_running_ = false;
                 milliseconds wait = wanted_ ? milliseconds(wanted_->interval) : milliseconds{0};
                 ComponentNote note{NoteCode::configuration_not_used, problems_};
                 try {
                   if (failure) std::rethrow_exception(failure);
                 } catch (const std::exception& error) {
                   note = {NoteCode::logs_not_sent, std::string("logs wait: ") + error.what()};
                   wait = std::min(wait, kAgain);
                 }
                 parts_.note(std::move(note));
                 if (wanted_ && timer_ == 0) run_after(wait);
               });
}

}  // namespace andon::edge
