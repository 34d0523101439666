// SPDX-License-Identifier: Apache-2.0
#include "edge/shadows/shadow_operations.hpp"

#include <optional>
#include <utility>

#include "base/error/error.hpp"
#include "base/json/json_reader.hpp"
#include "base/text/encoding.hpp"
#include "edge/shadows/shadow_table.hpp"
#include "fleet/names/arn.hpp"
#include "fleet/names/topic.hpp"

namespace andon::edge {
namespace {

using fleet::is_shadow_name;
using fleet::Shadow;
using fleet::shadow_topic;
using fleet::ShadowStep;

constexpr std::int64_t kUsualPage = 25;
constexpr std::int64_t kLargestPage = 100;

IpcError missing(const std::string& topic) {
  return resource_not_found("shadow", topic, "there is no shadow " + topic + " on this device");
}

json::object with_payload(const json::object& document) {
  return {{"payload", base::to_base64(base::to_text(document))}};
}

}  // namespace

void ShadowOperations::add_to(IpcOperations& operations) {
  const auto add = [&](const char* name,
                       void (ShadowOperations::*handle)(const IpcCall&, IpcReply)) {
    operations[name] = {.after = StreamAfterAnswer::closes,
                        .handle_later = [this, handle](const IpcCall& call, IpcReply reply) {
                          (this->*handle)(call, std::move(reply));
                        }};
  };
  add("GetThingShadow", &ShadowOperations::get);
  add("UpdateThingShadow", &ShadowOperations::update);
  add("DeleteThingShadow", &ShadowOperations::remove);
  add("ListNamedShadowsForThing", &ShadowOperations::list);
}

std::int64_t ShadowOperations::now_s() const {
  return base::to_epoch_millis(parts_.clock.now()) / 1000;
}

ShadowOperations::Named ShadowOperations::require(const IpcCall& call) const {
  const base::JsonReader reader(call.request, call.operation + " request");
  Named shadow{reader.string("thingName"), reader.optional_string("shadowName").value_or("")};
  if (!fleet::is_thing_name(shadow.thing)) {
    throw invalid_arguments("thingName must be 1 to 128 of a-z A-Z 0-9 : _ -");
  }
  if (!is_shadow_name(shadow.name)) {
    throw invalid_arguments("shadowName must be at most 64 of a-z A-Z 0-9 : _ -");
  }
  const std::string operation = "aws.greengrass#" + call.operation;
  const std::string resource = call.operation == "ListNamedShadowsForThing"
                                   ? shadow.thing
                                   : shadow_topic(shadow.thing, shadow.name);
  parts_.policy.require(call.component, {kShadowManager, operation, resource});
  return shadow;
}

void ShadowOperations::run(const Named& shadow, const char* verb, Work work, IpcReply reply) {
  const auto told = std::make_shared<Told>();
  const std::string topic = shadow_topic(shadow.thing, shadow.name) + '/' + verb;
  parts_.writer.run(
      [told, work = std::move(work)](store::Transaction& transaction) {
        *told = work(transaction);
      },
      [this, alive = alive_, told, topic, shadow,
       reply = std::move(reply)](std::exception_ptr error) {
        if (!error) {
          reply(told->answer, nullptr);
          if (!*alive) return;
          for (const auto& [where, message] : told->messages) parts_.publish(where, message);
          if (told->is_changed && parts_.changed) parts_.changed(shadow.thing, shadow.name);
          return;
        }
        try {
          std::rethrow_exception(error);
        } catch (const base::Error& wrong) {
          if (*alive) {
            parts_.publish(topic + "/rejected", fleet::shadow_rejection(wrong, {}, now_s()));
          }
          if (wrong.code() == base::ErrorCode::not_found) {
            error = std::make_exception_ptr(missing(shadow_topic(shadow.thing, shadow.name)));
          }
          if (wrong.code() == base::ErrorCode::conflict) {
            error = std::make_exception_ptr(IpcError("ConflictError", wrong.message()));
          }
          if (wrong.code() == base::ErrorCode::resource_exhausted) {
            error = std::make_exception_ptr(invalid_arguments(wrong.message()));
          }
        }
        reply({}, error);
      });
}

void ShadowOperations::get(const IpcCall& call, IpcReply reply) {
  const Named shadow = require(call);
  run(
      shadow, "get",
      [shadow, now = now_s()](store::Transaction& transaction) {
        const std::string topic = shadow_topic(shadow.thing, shadow.name);
        const auto found = read_shadow(transaction, {shadow.thing, shadow.name});
        const json::object document = fleet::get_shadow(found, shadow.name, {}, now).accepted;
        return Told{with_payload(document), {{topic + "/get/accepted", document}}};
      },
      std::move(reply));
}

void ShadowOperations::update(const IpcCall& call, IpcReply reply) {
  const Named shadow = require(call);
  const auto payload = base::from_base64(
      base::JsonReader(call.request, "UpdateThingShadow request").string("payload"));
  if (!payload) throw invalid_arguments("payload must be base64");
  const json::object request = fleet::parse_shadow_request(*payload);
  run(
      shadow, "update",
      [shadow, request, now = now_s()](store::Transaction& transaction) {
        const std::string topic = shadow_topic(shadow.thing, shadow.name);
        const auto before = read_shadow(transaction, {shadow.thing, shadow.name});
        if (!before) {
          const auto count = transaction.query_one("SELECT count(*) FROM shadows").value();
          if (count.integer(0) >= kMostShadows) {
            throw base::Error(
                base::ErrorCode::resource_exhausted,
                "a device keeps at most " + std::to_string(kMostShadows) + " shadows");
          }
        }
        const ShadowStep done = fleet::update_shadow(before.value_or(Shadow{}), request, now);
        write_shadow(transaction, {shadow.thing, shadow.name}, done.shadow);
        Told told{with_payload(done.accepted), {{topic + "/update/accepted", done.accepted}}, true};
        for (const auto& [suffix, message] : done.told) {
          told.messages.emplace_back(topic + '/' + suffix, message);
        }
        return told;
      },
      std::move(reply));
}

void ShadowOperations::remove(const IpcCall& call, IpcReply reply) {
  const Named shadow = require(call);
  run(
      shadow, "delete",
      [shadow, now = now_s()](store::Transaction& transaction) {
        const std::string topic = shadow_topic(shadow.thing, shadow.name);
        const auto found = read_shadow(transaction, {shadow.thing, shadow.name});
        const ShadowStep done = fleet::delete_shadow(found, shadow.name, {}, now);
        write_shadow(transaction, {shadow.thing, shadow.name}, done.shadow);
        const json::object& gone = done.accepted;
        return Told{with_payload(gone), {{topic + "/delete/accepted", gone}}, true};
      },
      std::move(reply));
}

void ShadowOperations::list(const IpcCall& call, IpcReply reply) {
  const Named thing = require(call);
  const base::JsonReader reader(call.request, "ListNamedShadowsForThing request");
  const std::int64_t page = reader.optional_integer("pageSize").value_or(kUsualPage);
  if (page < 1 || page > kLargestPage) throw invalid_arguments("pageSize must be from 1 to 100");
  const std::string after = reader.optional_string("nextToken").value_or("");
  if (!is_shadow_name(after)) throw invalid_arguments("nextToken is none of this operation's");
  run(
      thing, "list",
      [thing = thing.thing, page, after, now = now_s()](store::Transaction& transaction) {
        json::array names;
        for (const store::Row& row : transaction.query(
                 "SELECT name FROM shadows WHERE thing = $1 AND name > $2 AND deleted = 0 "
                 "ORDER BY name LIMIT $3",
                 {thing, after, page + 1})) {
          names.emplace_back(row.text(0));
        }
        json::object answer{{"timestamp", static_cast<double>(now)}};
        if (std::ssize(names) > page) {
          names.pop_back();
          answer["nextToken"] = names.back();
        }
        answer["results"] = std::move(names);
        return Told{std::move(answer), {}};
      },
      std::move(reply));
}

}  // namespace andon::edge
