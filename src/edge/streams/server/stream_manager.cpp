// SPDX-License-Identifier: Apache-2.0
#include "edge/streams/server/stream_manager.hpp"

#include <fcntl.h>

#include <utility>

#include "base/error/error.hpp"
#include "base/log/log.hpp"
#include "base/text/number.hpp"
#include "edge/streams/exports/export_target.hpp"
#include "edge/streams/exports/waiting_publish.hpp"
#include "edge/streams/server/input_file.hpp"
#include "edge/streams/server/stream_server.hpp"

namespace andon::edge {
namespace {

constexpr std::chrono::seconds kTryAgain{5};

// Components that outlive their agent were told the port: where any will do, it is the one before.
base::UniqueFd listen_as_before(const Layout& layout, std::uint16_t wanted) {
  if (wanted != 0) return listen_on_loopback(wanted);
  const base::fs::path path = layout.root() / "run" / "stream-port";
  base::UniqueFd listener;
  const auto before = base::read_file_if_exists(path, 16);
  try {
    if (before)
      listener = listen_on_loopback(base::parse_integer<std::uint16_t>(*before).value_or(0));
  } catch (const base::Error&) {
    // Somebody else has it by now.
  }
  if (!listener) listener = listen_on_loopback(0);
  const base::UniqueFd file = base::open_file(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
  base::write_all(file.get(), std::to_string(port_of(listener)), path);
  return listener;
}

}  // namespace

StreamManager::StreamManager(Parts parts) : parts_(std::move(parts)) {}

StreamManager::~StreamManager() {
  *alive_ = false;
  parts_.loop.cancel(retry_);
}

std::optional<std::uint16_t> StreamManager::port() {
  refresh();
  if (!server_) return std::nullopt;
  return port_;
}

void StreamManager::refresh() {
  const base::json::object* const configuration = parts_.configuration();
  if (configuration == nullptr) {
    wanted_.reset();
    return end();
  }
  ReadStreamSettings read = read_stream_settings(*configuration, parts_.layout.root() / "streams");
  if (wanted_ == read.settings) return;
  end();
  for (const std::string& problem : read.problems) {
    base::log_warning("a setting of aws.greengrass.StreamManager is left at its default",
                      {{"why", problem}});
    parts_.note({NoteCode::configuration_not_used, problem});
  }
  wanted_ = std::move(read.settings);
  start(*wanted_);
}

void StreamManager::start(const StreamSettings& settings) {
  if (is_ending_ || server_) return;  // its end comes here again
  parts_.loop.cancel(std::exchange(retry_, 0));
  try {
    base::UniqueFd listener = listen_as_before(parts_.layout, settings.port);
    port_ = port_of(listener);
    StreamServer::Options options;
    options.root = settings.root;
    options.export_threads = settings.export_threads;
    options.world = make_world(settings);
    const std::uint64_t generation = ++generation_;
    options.on_failure = [this, generation, alive = alive_,
                          &loop = parts_.loop](const std::string& why) {
      loop.post([this, generation, alive, why] {
        if (*alive && generation == generation_) try_again(why);
      });
    };
    if (settings.authenticates) {
      options.authenticate = [this, generation, alive = alive_, &loop = parts_.loop](
                                 const std::string& token, std::function<void(bool)> answer) {
        loop.post([this, alive, token, generation, answer = std::move(answer)] {
          if (!*alive || !server_ || generation != generation_) return;
          server_->loop().post([answer, may = parts_.authenticate(token)] { answer(may); });
        });
      };
    } else {
      options.authenticate = [](const std::string&, const std::function<void(bool)>& answer) {
        answer(true);
      };
    }
    server_ = std::make_unique<StreamServer>(std::move(options), std::move(listener));
    parts_.note({});
    base::log_info("streams are served", {{"port", port_}, {"directory", settings.root.string()}});
  } catch (const base::Error& error) {
    try_again(error.message());
  }
}

void StreamManager::try_again(const std::string& why) {
  base::log_error("the stream manager cannot serve; trying again", {{"why", why}});
  parts_.note({NoteCode::streams_not_served, "streams are not served: " + why});
  parts_.loop.cancel(retry_);
  retry_ = parts_.loop.after(kTryAgain, [this] {
    retry_ = 0;
    if (!wanted_) return;
    end();
    start(*wanted_);
  });
}

// It waits for what is being exported: not here.
void StreamManager::end() {
  parts_.loop.cancel(std::exchange(retry_, 0));
  if (!server_) return;
  is_ending_ = true;
  ++generation_;
  if (!worker_) worker_ = std::make_unique<Worker>(parts_.loop);
  const auto ending = std::make_shared<std::unique_ptr<StreamServer>>(std::move(server_));
  worker_->run([ending] { ending->reset(); },
               [this](const std::exception_ptr&) {
                 is_ending_ = false;
                 if (wanted_) start(*wanted_);
               });
}

ExportWorld StreamManager::make_world(const StreamSettings& settings) {
  ExportWorld world;
  world.thing_name = parts_.device.thing_name;
  world.s3_endpoint = parts_.device.data_plane_url();
  world.region = parts_.device.region;
  world.ca_file = ca_file(parts_.layout).string();
  world.part_bytes = settings.part_bytes;
  world.broker = broker_options(parts_.device, parts_.layout);
  world.publish = [this](const wire::MqttMessage& message, wire::Qos qos, bool retain,
                         const std::atomic<bool>& cancelled) {
    return publish_and_wait(parts_.loop, parts_.link, parts_.require_topic, message, qos, retain,
                            cancelled);
  };
  world.open_input = [user = parts_.file_user](const fs::path& file) {
    return open_input_file(file, user);
  };
  world.credentials = std::make_shared<ExportCredentials>(parts_.fetch_credentials);
  parts_.budget.cap(LinkUse::exports, settings.bytes_per_second);
  world.await_budget = [&budget = parts_.budget](std::uint64_t bytes,
                                                 const std::atomic<bool>& cancelled) {
    budget.take(LinkUse::exports, bytes, cancelled);
  };
  world.waits_for_budget = [&budget = parts_.budget] { return budget.waits_for(LinkUse::exports); };
  return world;
}

}  // namespace andon::edge
