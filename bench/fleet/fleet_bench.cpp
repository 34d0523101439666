// SPDX-License-Identifier: Apache-2.0
// Thousands of simulated devices in one process and one thread, at low priority: what fleet.py
// measures a server with.
//   fleet_bench fill DATA DIRECTORY DEVICES       the tables of a server that is not running
//   fleet_bench run DATA DIRECTORY DEVICES [AT-ONCE]   until standard input ends; prints a line of
//                                                 JSON whenever something has changed
#include <arpa/inet.h>
#include <fmt/format.h>
#include <openssl/pem.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

#include "base/json/json.hpp"
#include "base/os/file.hpp"
#include "fill.hpp"
#include "simulated_device.hpp"

namespace fleet_bench {
namespace {

using namespace andon;
namespace json = base::json;
using Clock = std::chrono::steady_clock;

constexpr std::chrono::milliseconds kTick{50};
constexpr std::size_t kConnectsASecond = 400;

sockaddr_in local_port(std::int64_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  return address;
}

X509* read_certificate(const std::string& pem) {
  BIO* bio = BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size()));
  X509* certificate = PEM_read_bio_X509(bio, nullptr, nullptr, nullptr);
  BIO_free(bio);
  return certificate;
}

EVP_PKEY* read_key(const std::string& pem) {
  BIO* bio = BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size()));
  EVP_PKEY* key = PEM_read_bio_PrivateKey(bio, nullptr, nullptr, nullptr);
  BIO_free(bio);
  return key;
}

std::int64_t port_of_url(const json::value& url) {
  const std::string text(url.as_string());
  return std::atoi(text.c_str() + text.rfind(':') + 1);
}

World make_world(const std::string& data) {
  const json::value info = base::parse_json(base::read_file(data + "/server.json"), "server.json");
  World world;
  world.context = SSL_CTX_new(TLS_client_method());
  SSL_CTX_load_verify_locations(world.context, (data + "/ca/ca.crt").c_str(), nullptr);
  SSL_CTX_set_verify(world.context, SSL_VERIFY_PEER, nullptr);
  SSL_CTX_set_mode(world.context, SSL_MODE_ENABLE_PARTIAL_WRITE |
                                      SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
                                      SSL_MODE_RELEASE_BUFFERS);
  world.broker = local_port(info.at("mqtt").at("port").as_int64());
  world.data_plane = local_port(port_of_url(info.at("devicePlane")));
  world.epoll = epoll_create1(EPOLL_CLOEXEC);
  return world;
}

using Devices = std::vector<std::unique_ptr<SimulatedDevice>>;

std::string describe(const World& world, const Devices& devices) {
  std::size_t ready = 0;
  std::size_t jobs = 0;
  for (const auto& device : devices) {
    ready += device->is_ready() ? 1U : 0U;
    jobs += device->jobs_done();
  }
  std::string failures;
  for (const auto& [what, count] : world.failures) {
    failures += fmt::format("{}\"{}\":{}", failures.empty() ? "" : ",", what, count);
  }
  return fmt::format(R"({{"ready":{},"jobs":{},"failures":{{{}}}}})", ready, jobs, failures);
}

bool is_input_over() {
  pollfd input{STDIN_FILENO, POLLIN, 0};
  char byte = 0;
  return poll(&input, 1, 0) > 0 && read(STDIN_FILENO, &byte, 1) <= 0;
}

void run(const std::string& data, const std::string& directory, std::size_t count,
         std::size_t https_at_once) {
  World world = make_world(data);
  world.https_at_once = https_at_once;
  const Fleet fleet = read_fleet(directory);
  EVP_PKEY* key = read_key(fleet.key_pem);
  Devices devices;
  const Clock::time_point begin = Clock::now();
  for (std::size_t i = 0; i < std::min(count, fleet.certificates.size()); ++i) {
    devices.push_back(std::make_unique<SimulatedDevice>(
        world, i, Identity{read_certificate(fleet.certificates[i]), key}));
    devices.back()->begin_at(begin + std::chrono::milliseconds(i * 1000 / kConnectsASecond));
  }
  std::string said;
  Clock::time_point next_tick = begin;
  std::array<epoll_event, 512> events{};
  while (!is_input_over()) {
    const int found = epoll_wait(world.epoll, events.data(), static_cast<int>(events.size()),
                                 static_cast<int>(kTick.count()));
    Clock::time_point now = Clock::now();
    for (int i = 0; i < found; ++i) {
      static_cast<SimulatedDevice*>(events[static_cast<std::size_t>(i)].data.ptr)->step(now);
    }
    if (now < next_tick) continue;
    for (const auto& device : devices) device->step(now);
    if (const std::string text = describe(world, devices); text != said) {
      fmt::print("{}\n", text);
      (void)std::fflush(stdout);
      said = text;
    }
    next_tick = Clock::now() + kTick;
  }
}

}  // namespace
}  // namespace fleet_bench

int main(int count, char** arguments) {
  const std::vector<std::string> all(arguments, arguments + count);
  if (count < 5) {
    fmt::print(stderr, "usage: fleet_bench fill|run DATA DIRECTORY DEVICES [AT-ONCE]\n");
    return 2;
  }
  (void)std::signal(SIGPIPE, SIG_IGN);
  const auto devices = static_cast<std::size_t>(std::atoll(all[4].c_str()));
  try {
    if (all[1] == "fill") {
      fleet_bench::fill(all[2], all[3], devices);
    } else {
      (void)setpriority(PRIO_PROCESS, 0, 15);
      fleet_bench::run(all[2], all[3], devices,
                       count > 5 ? static_cast<std::size_t>(std::atoll(all[5].c_str())) : 200);
    }
  } catch (const std::exception& error) {
    fmt::print(stderr, "{}\n", error.what());
    return 1;
  }
  return 0;
}
