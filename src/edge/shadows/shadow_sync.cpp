// SPDX-License-Identifier: Apache-2.0
#include "edge/shadows/shadow_sync.hpp"

#include <algorithm>
#include <set>
#include <utility>

#include "base/error/error.hpp"
#include "base/json/json_reader.hpp"
#include "base/log/log.hpp"
#include "fleet/names/topic.hpp"

namespace andon::edge {
namespace {

namespace json = base::json;

constexpr std::chrono::milliseconds kAnswerTimeout{10'000};
constexpr std::ptrdiff_t kAtOnce = 5;
// What a server's shadow may be with its metadata and delta.
constexpr base::JsonLimits kFromServer{.max_bytes = 256U << 10U, .max_depth = 16};

// "$aws/things/T/shadow[/name/N]/VERB/ANSWER", read.
struct ShadowAnswer {
  ShadowKey key;
  std::string verb;    // get, update, delete
  std::string answer;  // accepted, rejected, delta, documents
};
std::optional<ShadowAnswer> read_topic(const std::string& topic) {
  const std::size_t slash = topic.rfind('/');
  if (slash == std::string::npos) return std::nullopt;
  const auto asked = fleet::parse_device_topic(topic.substr(0, slash));
  if (!asked) return std::nullopt;
  using fleet::DeviceMessage;
  ShadowAnswer read{{asked->thing, asked->shadow}, {}, topic.substr(slash + 1)};
  if (asked->message == DeviceMessage::get_shadow) read.verb = "get";
  if (asked->message == DeviceMessage::update_shadow) read.verb = "update";
  if (asked->message == DeviceMessage::delete_shadow) read.verb = "delete";
  return read.verb.empty() ? std::nullopt : std::optional(read);
}

// Without the delta, which is no part of it.
json::object state_of(const base::JsonReader& document) {
  json::object state;
  const json::object* const given = document.optional_object("state");
  if (given == nullptr) return state;
  for (const char* section : {"desired", "reported"}) {
    const json::value* const found = given->if_contains(section);
    if (found != nullptr && found->is_object()) state[section] = *found;
  }
  return state;
}

}  // namespace

struct ShadowSync::Work {
  bool has_no_base = false;  // the server must be asked first
  SyncPlan plan;
  std::int64_t own_version = 0;
  std::int64_t server_version = 0;
  bool has_server = false;
  std::vector<std::pair<std::string, json::object>> told;  // on topics of this device
};

ShadowSync::ShadowSync(Parts parts) : parts_(std::move(parts)) {
  parts_.link.on_connection([this](bool connected) { on_connection(connected); });
}

ShadowSync::~ShadowSync() {
  *alive_ = false;
  parts_.loop.cancel(period_timer_);
  for (auto& [key, exchange] : exchanges_) parts_.loop.cancel(exchange.timer);
  for (const std::uint64_t id : subscriptions_) parts_.link.unsubscribe(id);
}

void ShadowSync::configure(const json::object* configuration) {
  SyncSettings settings;
  if (configuration != nullptr) {
    try {
      settings = read_sync_settings(*configuration, parts_.thing);
    } catch (const base::Error& error) {
      base::log_error(
          "shadows are not synchronized: the configuration of the shadow manager is "
          "wrong",
          {{"why", error.message()}});
    }
  }
  if (settings == settings_) return;
  settings_ = std::move(settings);
  for (const std::uint64_t id : subscriptions_) parts_.link.unsubscribe(id);
  subscriptions_.clear();
  std::erase_if(exchanges_, [&](const Entry& entry) {
    if (settings_.shadows.contains(entry.first)) return false;
    parts_.loop.cancel(entry.second.timer);
    return true;
  });
  std::set<std::string> things;
  for (const ShadowKey& key : settings_.shadows) {
    exchanges_.try_emplace(key);
    things.insert(key.first);
  }
  for (const std::string& thing : things) {
    for (const std::string& filter :
         {fleet::shadow_topic(thing, "") + "/+/+", fleet::shadow_topic(thing, "+") + "/+/+"}) {
      subscriptions_.push_back(parts_.link.subscribe(
          filter, wire::Qos::at_least_once, [this](const auto& message) { on_message(message); }));
    }
  }
  set_period();
  all_due();
}

void ShadowSync::set_period() {
  parts_.loop.cancel(std::exchange(period_timer_, 0));
  if (!settings_.period || settings_.shadows.empty()) return;
  period_timer_ = parts_.loop.after(*settings_.period, [this] {
    period_timer_ = 0;
    for (auto& [key, exchange] : exchanges_) {
      exchange.may_go = exchange.asks_server || exchange.is_due;
    }
    go_on();
    set_period();
  });
}

void ShadowSync::own_changed(const std::string& thing, const std::string& name) {
  const auto found = exchanges_.find({thing, name});
  if (found == exchanges_.end()) return;
  found->second.is_due = true;
  hurry(*found);
}

void ShadowSync::hurry(Entry& entry) {
  if (settings_.period) return;
  entry.second.may_go = true;
  start(entry);
}

void ShadowSync::on_connection(bool connected) {
  for (auto& [key, exchange] : exchanges_) {
    parts_.loop.cancel(std::exchange(exchange.timer, 0));
    // What works with the disk comes to its end by itself.
    if (exchange.step != Step::working) exchange.step = Step::idle;
    exchange.token.clear();
  }
  if (connected) all_due();
}

void ShadowSync::all_due() {
  for (auto& [key, exchange] : exchanges_) exchange.asks_server = exchange.may_go = true;
  go_on();
}

void ShadowSync::go_on() {
  for (Entry& entry : exchanges_) start(entry);
}

void ShadowSync::start(Entry& entry) {
  Exchange& exchange = entry.second;
  if (exchange.step != Step::idle || !parts_.link.is_connected()) return;
  if (!exchange.may_go || (!exchange.asks_server && !exchange.is_due)) return;
  const auto busy = std::ranges::count_if(
      exchanges_, [](const Entry& one) { return one.second.step != Step::idle; });
  if (busy >= kAtOnce) return;
  exchange.is_due = exchange.may_go = false;
  if (std::exchange(exchange.asks_server, false)) {
    ask(entry, Step::asking, "get", {});
  } else {
    work(entry, std::nullopt);
  }
}

void ShadowSync::ask(Entry& entry, Step step, const std::string& verb, json::object request) {
  Exchange& exchange = entry.second;
  exchange.step = step;
  exchange.token = "andon-sync-" + std::to_string(++last_token_);
  request["clientToken"] = exchange.token;
  parts_.link.publish({fleet::shadow_topic(entry.first.first, entry.first.second) + '/' + verb,
                       base::to_text(request)},
                      wire::Qos::at_least_once, {}, {});
  exchange.timer = parts_.loop.after(kAnswerTimeout, [this, key = entry.first] {
    const auto found = exchanges_.find(key);
    if (found == exchanges_.end()) return;
    found->second.timer = 0;
    found->second.asks_server = found->second.may_go = true;
    end(*found);
  });
}

void ShadowSync::on_message(const wire::MqttMessage& message) {
  const auto topic = read_topic(message.topic);
  if (!topic || (topic->answer != "accepted" && topic->answer != "rejected")) return;
  const auto found = exchanges_.find(topic->key);
  if (found == exchanges_.end()) return;
  Exchange& exchange = found->second;
  try {
    const json::value answer = base::parse_json(message.payload, "a shadow's answer", kFromServer);
    const base::JsonReader reader(answer, "answer");
    const bool is_own = !exchange.token.empty() &&
                        reader.optional_string("clientToken").value_or("") == exchange.token;
    if (!is_own) {
      // Somebody else has changed it.
      if (topic->verb == "get" || topic->answer == "rejected") return;
      exchange.asks_server = true;
      return hurry(*found);
    }
    parts_.loop.cancel(std::exchange(exchange.timer, 0));
    exchange.token.clear();
    if (topic->answer == "rejected") return refused(*found, reader.object());
    if (exchange.step == Step::asking) {
      work(*found, std::optional(ServerShadow{state_of(reader), reader.integer("version")}));
    } else if (exchange.step == Step::updating && exchange.after) {
      exchange.after->server_version = reader.integer("version");
      record(*found, std::exchange(exchange.after, std::nullopt));
    } else {
      record(*found, std::nullopt);
    }
  } catch (const base::Error& error) {
    base::log_error("an answer about a shadow cannot be read",
                    {{"topic", message.topic}, {"why", error.message()}});
    end(*found);
  }
}

void ShadowSync::refused(Entry& entry, const json::object& answer) {
  constexpr std::int64_t kNotFound = 404;
  constexpr std::int64_t kConflict = 409;
  const base::JsonReader reader(answer, "answer");
  const std::int64_t code = reader.optional_integer("code").value_or(0);
  const Step step = entry.second.step;
  if (code == kNotFound && step == Step::asking) {
    return work(entry, std::optional<ServerShadow>());
  }
  if (code == kNotFound && step == Step::deleting) return record(entry, std::nullopt);
  if (code == kConflict) {
    entry.second.asks_server = entry.second.may_go = true;  // it was changed in between
  } else {
    base::log_warning("the server does not take a shadow of this device",
                      {{"thing", entry.first.first},
                       {"shadow", entry.first.second},
                       {"code", code},
                       {"why", reader.optional_string("message").value_or("")}});
  }
  end(entry);
}

void ShadowSync::work(Entry& entry, std::optional<std::optional<ServerShadow>> server) {
  entry.second.step = Step::working;
  const auto work = std::make_shared<Work>();
  const std::int64_t now_s = base::to_epoch_millis(parts_.clock.now()) / 1000;
  parts_.writer.run(
      [work, key = entry.first, server = std::move(server), direction = settings_.direction,
       now_s](store::Transaction& transaction) {
        *work = {};
        const auto synced = read_synced(transaction, key);
        const auto own = read_shadow(transaction, key);
        std::optional<ServerShadow> theirs;
        if (server) {
          theirs = *server;
        } else if (synced) {
          theirs = ServerShadow{synced->state, synced->server_version};
        } else {
          work->has_no_base = true;
          return;
        }
        work->plan = plan_sync(synced, own, theirs, direction);
        work->has_server = theirs.has_value();
        work->server_version = theirs ? theirs->version : 0;
        work->own_version = own ? own->version : 0;
        const std::string topic = fleet::shadow_topic(key.first, key.second) + '/';
        const auto keep = [&](const fleet::ShadowStep& step, const char* verb) {
          write_shadow(transaction, key, step.shadow);
          work->own_version = step.shadow.version;
          work->told.emplace_back(topic + verb + "/accepted", step.accepted);
          for (const auto& [suffix, message] : step.told) {
            work->told.emplace_back(topic + suffix, message);
          }
        };
        if (work->plan.on_device == SyncPlan::Act::update) {
          keep(fleet::update_shadow(own.value_or(fleet::Shadow{}),
                                    {{"state", work->plan.device_patch}}, now_s),
               "update");
        } else if (work->plan.on_device == SyncPlan::Act::remove) {
          keep(fleet::delete_shadow(own, key.second, {}, now_s), "delete");
        }
        if (work->plan.on_server != SyncPlan::Act::nothing) return;
        std::optional<SyncedShadow> now_same;
        if (work->plan.state) {
          now_same = SyncedShadow{*work->plan.state, work->server_version, work->own_version};
        }
        write_synced(transaction, key, now_same);
      },
      [this, alive = alive_, key = entry.first, work](const std::exception_ptr& error) {
        if (!*alive) return;
        if (!error) return worked(key, *work);
        const auto found = exchanges_.find(key);
        if (found != exchanges_.end()) end(*found);
        std::rethrow_exception(error);
      });
}

void ShadowSync::worked(const ShadowKey& key, const Work& work) {
  for (const auto& [topic, message] : work.told) parts_.publish(topic, message);
  const auto found = exchanges_.find(key);
  if (found == exchanges_.end()) return;
  Exchange& exchange = found->second;
  if (work.has_no_base) exchange.asks_server = exchange.may_go = true;
  const SyncPlan& plan = work.plan;
  if (work.has_no_base || plan.on_server == SyncPlan::Act::nothing) return end(*found);
  if (!parts_.link.is_connected()) return end(*found);  // all is asked for when it is again
  if (plan.on_server == SyncPlan::Act::remove) return ask(*found, Step::deleting, "delete", {});
  exchange.after = SyncedShadow{plan.state.value_or(json::object{}), 0, work.own_version};
  json::object request{{"state", plan.server_patch}};
  if (work.has_server) request["version"] = work.server_version;
  ask(*found, Step::updating, "update", std::move(request));
}

void ShadowSync::record(Entry& entry, std::optional<SyncedShadow> synced) {
  entry.second.step = Step::working;
  parts_.writer.run(
      [key = entry.first, synced = std::move(synced)](store::Transaction& transaction) {
        write_synced(transaction, key, synced);
      },
      [this, alive = alive_, key = entry.first](const std::exception_ptr& error) {
        if (!*alive) return;
        const auto found = exchanges_.find(key);
        if (found != exchanges_.end()) end(*found);
        if (error) std::rethrow_exception(error);
      });
}

void ShadowSync::end(Entry& entry) {
  entry.second.step = Step::idle;
  entry.second.token.clear();
  // Whoever waited for a place, this one too.
  parts_.loop.post([this, alive = alive_] {
    if (*alive) go_on();
  });
}

}  // namespace andon::edge
