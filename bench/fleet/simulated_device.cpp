// SPDX-License-Identifier: Apache-2.0
// MQTT 3.1.1 (OASIS, sections 3.1 to 3.12), as much of it as a device needs here.
#include "simulated_device.hpp"

#include <fmt/format.h>
#include <sys/epoll.h>

#include <charconv>
#include <random>

#include "base/json/json.hpp"
#include "base/text/encoding.hpp"
#include "fill.hpp"

namespace fleet_bench {

using namespace andon;
namespace json = base::json;

namespace {

constexpr std::string_view kSuffix = "namespace-aws-gg-deployment";
constexpr std::uint16_t kKeepAliveSeconds = 600;
constexpr std::chrono::seconds kPing{150};
constexpr std::chrono::seconds kAskAgain{5};
constexpr std::chrono::seconds kReportAgain{20};

std::string with_length(const std::string& text) {
  return {static_cast<char>(text.size() >> 8U), static_cast<char>(text.size() & 0xFFU)};
}
std::string field(const std::string& text) {
  return with_length(text) + text;
}
std::string two_bytes(std::uint16_t number) {
  return {static_cast<char>(number >> 8U), static_cast<char>(number & 0xFFU)};
}
std::string packet(unsigned first, const std::string& body) {
  std::string bytes(1, static_cast<char>(first));
  std::size_t length = body.size();
  do {
    auto byte = static_cast<unsigned>(length % 128);
    length /= 128;
    if (length > 0) byte |= 128U;
    bytes += static_cast<char>(byte);
  } while (length > 0);
  return bytes + body;
}

struct Packet {
  unsigned first = 0;
  std::string body;
};
std::optional<Packet> take_packet(std::string& input) {
  std::size_t length = 0;
  std::size_t at = 1;
  for (unsigned shift = 0;; shift += 7) {
    if (at >= input.size()) return std::nullopt;
    const auto byte = static_cast<unsigned char>(input[at++]);
    length |= static_cast<std::size_t>(byte & 127U) << shift;
    if ((byte & 128U) == 0) break;
  }
  if (input.size() < at + length) return std::nullopt;
  Packet found{static_cast<unsigned char>(input[0]), input.substr(at, length)};
  input.erase(0, at + length);
  return found;
}

std::string text_at(const json::value& value, std::string_view key) {
  const auto* object = value.if_object();
  const auto* member = object == nullptr ? nullptr : object->if_contains(key);
  return member == nullptr || !member->is_string() ? "" : std::string(member->get_string());
}

}  // namespace

SimulatedDevice::SimulatedDevice(World& world, std::size_t number, const Identity& identity)
    : world_(world), number_(number), identity_(identity), name_(name_of(number)) {}

void SimulatedDevice::watch(TlsStream& stream, std::uint32_t& watched) {
  const std::uint32_t wanted =
      static_cast<std::uint32_t>(EPOLLIN) |
      (stream.wants_to_write() ? static_cast<std::uint32_t>(EPOLLOUT) : 0U);
  if (watched == wanted) return;
  epoll_event event{};
  event.events = wanted;
  event.data.ptr = this;
  epoll_ctl(world_.epoll, watched == 0 ? EPOLL_CTL_ADD : EPOLL_CTL_MOD, stream.fd(), &event);
  watched = wanted;
}

void SimulatedDevice::connect(Time now) {
  mqtt_ = std::make_unique<TlsStream>(world_.context, world_.broker, identity_);
  mqtt_watched_ = 0;
  has_said_hello_ = false;
  asked_ = {};
  last_ping_ = now;
}

void SimulatedDevice::lose(const std::string& why, Time now) {
  ++world_.failures[why];
  mqtt_.reset();
  is_ready_ = false;
  static std::minstd_rand random(7);
  next_ = now + std::chrono::milliseconds(std::uniform_int_distribution<>(200, 3000)(random));
}

void SimulatedDevice::step(Time now) {
  if (!mqtt_) {
    if (now < next_) return;
    connect(now);
  }
  if (!mqtt_->pump()) {
    take_packets(now);
    if (mqtt_) lose(mqtt_->is_open() ? "broken connections" : "refused connections", now);
    return;
  }
  if (mqtt_->is_open() && !has_said_hello_) {
    has_said_hello_ = true;
    mqtt_->send(packet(0x10, field("MQTT") + std::string("\x04\x02", 2) +
                                 two_bytes(kKeepAliveSeconds) + field(name_)));
  }
  take_packets(now);
  if (!mqtt_) return;
  if (has_said_hello_ && now - last_ping_ > kPing) {
    last_ping_ = now;
    mqtt_->send(packet(0xC0, ""));
  }
  // The server may not be at a new broker yet.
  if (!is_ready_ && asked_ != Time{} && now - asked_ > kAskAgain) ask_for_job(now);
  // What is not answered is said again, as devices do.
  if (!reported_.empty() && now - reported_at_ > kReportAgain) report(reported_.c_str(), now);
  work(now);
  if (mqtt_ && !mqtt_->pump()) return lose("broken connections", now);
  watch(*mqtt_, mqtt_watched_);
}

void SimulatedDevice::take_packets(Time now) {
  while (mqtt_) {
    const auto found = take_packet(mqtt_->input());
    if (!found) return;
    switch (found->first >> 4U) {
      case 2:  // CONNACK
        if (found->body.size() < 2 || found->body[1] != 0) {
          return lose("refusals of the broker", now);
        }
        subscribe();
        break;
      case 9:  // SUBACK
        ask_for_job(now);
        break;
      case 3: {  // PUBLISH
        const std::size_t length = static_cast<unsigned char>(found->body.at(0)) * 256U +
                                   static_cast<unsigned char>(found->body.at(1));
        const std::string topic = found->body.substr(2, length);
        std::size_t at = 2 + length;
        if ((found->first & 6U) != 0) {
          mqtt_->send(packet(0x40, found->body.substr(at, 2)));
          at += 2;
        }
        take_message(topic, found->body.substr(at), now);
        break;
      }
      default:
        break;
    }
  }
}

void SimulatedDevice::ask_for_job(Time now) {
  asked_ = now;
  publish(fmt::format("$aws/things/{}/jobs/$next/{}/get", name_, kSuffix),
          R"({"clientToken":"get"})");
}

void SimulatedDevice::subscribe() {
  std::string body = two_bytes(++packet_);
  for (const std::string& filter :
       {fmt::format("$aws/things/{}/jobs/notify-next-{}", name_, kSuffix),
        fmt::format("$aws/things/{}/jobs/$next/{}/get/+", name_, kSuffix),
        fmt::format("$aws/things/{}/jobs/+/{}/update/+", name_, kSuffix)}) {
    body += field(filter) + '\x01';
  }
  mqtt_->send(packet(0x82, body));
}

void SimulatedDevice::publish(const std::string& topic, const std::string& payload) {
  if (!mqtt_) return;
  if (++packet_ == 0) ++packet_;
  mqtt_->send(packet(0x32, field(topic) + two_bytes(packet_) + payload));
}

void SimulatedDevice::report(const char* status, Time now) {
  reported_ = status;
  reported_at_ = now;
  publish(fmt::format("$aws/things/{}/jobs/{}/{}/update", name_, job_, kSuffix),
          fmt::format(R"({{"status":"{0}","clientToken":"{0}"}})", status));
}

void SimulatedDevice::take_message(const std::string& topic, const std::string& payload, Time now) {
  const json::value message = base::parse_json(payload, topic);
  if (topic.ends_with("/get/accepted")) is_ready_ = true;
  if (topic.ends_with("/get/rejected")) ++world_.failures["refused questions for a job"];
  if (topic.ends_with("/update/rejected")) ++world_.failures["refused reports"];
  if (topic.ends_with("/update/accepted")) {
    const std::string token = text_at(message, "clientToken");
    if (token == reported_) reported_.clear();
    if (token == "IN_PROGRESS" && step_ == Step::none && !job_.empty()) step_ = Step::waiting;
    if (token == "SUCCEEDED" && !job_.empty()) {
      last_job_ = job_;
      job_.clear();
      ++jobs_done_;
      last_done_ = now;
    }
    return;
  }
  const auto* object = message.if_object();
  const auto* execution = object == nullptr ? nullptr : object->if_contains("execution");
  if (execution == nullptr) return;
  const std::string id = text_at(*execution, "jobId");
  if (id.empty() || id == job_ || id == last_job_) return;
  const auto* document = execution->as_object().if_contains("jobDocument");
  if (document == nullptr) return;
  const auto& components = document->at("components").as_object();
  if (components.empty()) return;
  component_ = std::string(components.begin()->key());
  begin_job(id, now);
}

void SimulatedDevice::begin_job(const std::string& id, Time now) {
  if (step_ != Step::none) finish_https();
  job_ = id;
  step_ = Step::none;
  report("IN_PROGRESS", now);
}

void SimulatedDevice::work(Time now) {
  if (step_ == Step::waiting && world_.https_open < world_.https_at_once) {
    ++world_.https_open;
    https_ = std::make_unique<TlsStream>(world_.context, world_.data_plane, identity_);
    https_watched_ = 0;
    step_ = Step::groups;
    ask("GET", fmt::format("/greengrass/v2/coreDevices/{}/thingGroups", name_));
  }
  if (!https_) return;
  const bool goes_on = https_->pump();
  std::string& input = https_->input();
  const std::size_t head = input.find("\r\n\r\n");
  if (head != std::string::npos) {
    const std::size_t at = input.find("Content-Length: ");
    std::size_t length = 0;
    if (at < head) std::from_chars(input.data() + at + 16, input.data() + head, length);
    if (input.size() >= head + 4 + length) {
      int status = 0;
      std::from_chars(input.data() + 9, input.data() + 12, status);
      const std::string body = input.substr(head + 4, length);
      input.clear();
      take_answer(status, body, now);
      if (https_) https_->pump();
    }
  }
  if (https_ && !goes_on && https_->input().empty()) {
    ++world_.failures["broken connections to the data plane"];
    finish_https();
    step_ = Step::waiting;
    return;
  }
  if (https_) watch(*https_, https_watched_);
}

void SimulatedDevice::ask(const std::string& method, const std::string& path,
                          const std::string& body) {
  https_->send(fmt::format(
      "{} {} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nContent-Length: "
      "{}\r\n\r\n{}",
      method, path, body.size(), body));
}

void SimulatedDevice::take_answer(int status, const std::string& body, Time now) {
  if (status / 100 != 2) {
    ++world_.failures[fmt::format("answers with status {}", status)];
    finish_https();
    step_ = Step::waiting;
    return;
  }
  switch (step_) {
    case Step::groups:
      step_ = Step::resolve;
      return ask("POST", "/greengrass/v2/resolveComponentCandidates",
                 fmt::format(R"({{"componentCandidates":[{{"componentName":"{}",)"
                             R"("versionRequirements":{{"all":">=1.0.0"}}}}],)"
                             R"("platform":{{"attributes":{{"os":"linux"}}}}}})",
                             component_));
    case Step::resolve: {
      const json::value answer = base::parse_json(body, "resolve");
      const json::value& found = answer.at("resolvedComponentVersions").at(0);
      step_ = Step::artifact;
      return ask("GET", fmt::format("/greengrass/v2/components/{}/artifacts/weights.bin",
                                    base::percent_encode(text_at(found, "arn"))));
    }
    case Step::artifact: {
      const std::string url = text_at(base::parse_json(body, "artifact"), "preSignedUrl");
      step_ = Step::blob;
      return ask("GET", url.substr(url.find('/', url.find("//") + 2)));
    }
    case Step::blob:
      finish_https();
      publish(fmt::format("$aws/things/{}/greengrassv2/health/json", name_),
              fmt::format(R"({{"ggcVersion":"1.0.0","platform":"linux","architecture":"amd64",)"
                          R"("thing":"{}","sequenceNumber":{},"timestamp":{},)"
                          R"("messageType":"COMPLETE","trigger":"NUCLEUS_LAUNCH",)"
                          R"("overallDeviceStatus":"HEALTHY","components":[{{)"
                          R"("componentName":"{}","version":"1.0.0","isRoot":true,)"
                          R"("status":"RUNNING"}}]}})",
                          name_, world_.sequence, 1'795'343'912'000 + world_.sequence, component_));
      return report("SUCCEEDED", now);
    case Step::none:
    case Step::waiting:
      break;
  }
}

void SimulatedDevice::finish_https() {
  if (https_) --world_.https_open;
  https_.reset();
  step_ = Step::none;
}

}  // namespace fleet_bench
