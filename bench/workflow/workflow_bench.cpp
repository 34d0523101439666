// SPDX-License-Identifier: Apache-2.0
// A load for servers of the Step Functions API: starts executions of one machine over many
// connections, or reads an execution's history in pages, and prints, as one JSON object, how long
// that took. Used by compare.py.
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <atomic>
#include <chrono>
#include <cmath>
#include <iostream>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "base/error/error.hpp"
#include "base/json/json.hpp"
#include "base/os/file.hpp"
#include "base/text/ascii.hpp"
#include "base/text/id.hpp"
#include "base/time/time.hpp"
#include "trust/digests/digest.hpp"
#include "wire/aws/sigv4.hpp"

namespace {

using namespace andon;
using Clock = std::chrono::steady_clock;
using Milliseconds = std::chrono::duration<double, std::milli>;

struct Options {
  std::string url;
  std::string key = "test";
  std::string secret = "test";
  std::string region = "us-east-1";
  std::string machine;
  std::string history;  // an execution's ARN: read instead of starting any
  std::string input = "{}";
  std::size_t count = 1000;
  std::size_t connections = 32;
  double rate = 0;  // a second; 0: as fast as it goes
  bool wait = false;
};

// HTTP/1.1 over one socket with as little work as can be: the load shares the cores with who is
// measured.
class Exchange {
 public:
  explicit Exchange(const std::string& url) {
    const std::string host_and_port = url.substr(url.find("://") + 3);
    const std::size_t colon = host_and_port.find(':');
    host_ = host_and_port.substr(0, colon);
    port_ = host_and_port.substr(colon + 1);
  }

  struct Response {
    int status = 0;
    std::string body;
  };
  Response send(const std::string& request) {
    // A server may have closed it after the answer before.
    for (int attempt = 0; attempt < 3; ++attempt) {
      if (!socket_) connect();
      if (write_all(request) && read_head()) return read_response();
      socket_.reset();
    }
    throw base::Error(base::ErrorCode::unavailable, "the server closes its connections");
  }

 private:
  void connect() {
    addrinfo hints{};
    hints.ai_socktype = SOCK_STREAM;
    addrinfo* found = nullptr;
    if (getaddrinfo(host_.c_str(), port_.c_str(), &hints, &found) != 0) {
      throw base::Error(base::ErrorCode::unavailable, "there is no host " + host_);
    }
    socket_ = base::UniqueFd(::socket(found->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0));
    const int result = ::connect(socket_.get(), found->ai_addr, found->ai_addrlen);
    freeaddrinfo(found);
    if (result != 0) throw base::system_error("cannot connect to port " + port_, errno);
    const int on = 1;
    setsockopt(socket_.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    buffer_.clear();
  }
  bool write_all(std::string_view rest) {
    while (!rest.empty()) {
      const ssize_t sent = ::send(socket_.get(), rest.data(), rest.size(), MSG_NOSIGNAL);
      if (sent <= 0) return false;
      rest.remove_prefix(static_cast<std::size_t>(sent));
    }
    return true;
  }
  bool read_more() {
    const std::size_t before = buffer_.size();
    buffer_.resize(before + kPiece);
    const ssize_t got = recv(socket_.get(), buffer_.data() + before, kPiece, 0);
    buffer_.resize(before + static_cast<std::size_t>(std::max<ssize_t>(got, 0)));
    return got > 0;
  }
  bool read_head() {
    while ((head_end_ = buffer_.find("\r\n\r\n")) == std::string::npos) {
      if (!read_more()) return false;
    }
    return true;
  }
  Response read_response() {
    const std::string head = base::to_lower(buffer_.substr(0, head_end_ + 2));
    const std::size_t at = head.find("\r\ncontent-length:");
    if (at == std::string::npos) {
      throw base::Error(base::ErrorCode::unavailable, "an answer without a length");
    }
    const auto length = static_cast<std::size_t>(std::atoll(head.c_str() + at + 17));
    const std::size_t begin = head_end_ + 4;
    while (buffer_.size() < begin + length) {
      if (!read_more()) throw base::Error(base::ErrorCode::unavailable, "half an answer");
    }
    Response response{std::atoi(head.c_str() + 9), buffer_.substr(begin, length)};
    buffer_.erase(0, begin + length);
    if (head.find("\r\nconnection: close") != std::string::npos) socket_.reset();
    return response;
  }

  static constexpr std::size_t kPiece = 65'536;
  std::string host_;
  std::string port_;
  base::UniqueFd socket_;
  std::string buffer_;
  std::size_t head_end_ = 0;
};

class Client {
 public:
  explicit Client(const Options& options) : options_(options), exchange_(options.url) {}

  // The answer's text.
  std::string call(const std::string& operation, const base::json::object& input) {
    const std::string body = base::to_text(input);
    wire::Headers headers;
    headers.add("Content-Type", "application/x-amz-json-1.0");
    headers.add("X-Amz-Target", "AWSStepFunctions." + operation);
    headers = wire::sign({.method = "POST",
                          .host = options_.url.substr(options_.url.find("://") + 3),
                          .target = "/",
                          .headers = headers,
                          .payload_sha256 = trust::sha256_hex(body)},
                         {options_.key, options_.secret, ""}, {options_.region, "states"},
                         base::SystemClock().now());
    std::string request = "POST / HTTP/1.1\r\n";
    for (const auto& [name, value] : headers.fields()) {
      request.append(name).append(": ").append(value).append("\r\n");
    }
    request += "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
    const Exchange::Response response = exchange_.send(request);
    if (response.status != 200) {
      throw base::Error(base::ErrorCode::unavailable,
                        operation + ": " + std::to_string(response.status) + " " + response.body);
    }
    return response.body;
  }

 private:
  const Options& options_;
  Exchange exchange_;
};

std::string text_at(const std::string& answer, std::string_view key) {
  return std::string(base::parse_json(answer, "the answer").at(key).as_string());
}

double percentile(std::vector<double>& sorted, double share) {
  if (sorted.empty()) return 0;
  const auto at = static_cast<std::size_t>(std::ceil(share * static_cast<double>(sorted.size())));
  return sorted[std::min(sorted.size() - 1, at == 0 ? 0 : at - 1)];
}

base::json::object run(const Options& options) {
  std::mutex mutex;
  std::vector<double> took;
  std::string problem;
  std::atomic<std::size_t> next{0};
  // Named by the client: moto does not name them.
  const std::string names = base::random_uuid() + "-";
  const Clock::time_point begin = Clock::now();
  const auto work = [&] {
    Client client(options);
    std::vector<double> own;
    std::vector<std::string> own_arns;
    try {
      while (true) {
        const std::size_t number = next++;
        if (number >= options.count) break;
        Clock::time_point due = Clock::now();
        if (options.rate > 0) {
          // The time at which it was to be sent counts, also where the server holds it up.
          due = begin + std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(
                            static_cast<double>(number) / options.rate));
          std::this_thread::sleep_until(due);
        }
        const std::string answer =
            client.call("StartExecution", {{"stateMachineArn", options.machine},
                                           {"name", names + std::to_string(number)},
                                           {"input", options.input}});
        own.push_back(Milliseconds(Clock::now() - due).count());
        if (options.wait) own_arns.push_back(text_at(answer, "executionArn"));
      }
      // Until the last of them has ended.
      for (const std::string& arn : own_arns) {
        while (text_at(client.call("DescribeExecution", {{"executionArn", arn}}), "status") ==
               "RUNNING") {
          std::this_thread::sleep_for(std::chrono::milliseconds(2));
        }
      }
    } catch (const base::Error& error) {
      const std::lock_guard lock(mutex);
      problem = error.message();
    }
    const std::lock_guard lock(mutex);
    took.insert(took.end(), own.begin(), own.end());
  };
  std::vector<std::thread> threads;
  for (std::size_t i = 0; i < options.connections; ++i) threads.emplace_back(work);
  for (std::thread& thread : threads) thread.join();
  const double seconds = std::chrono::duration<double>(Clock::now() - begin).count();
  if (!problem.empty()) throw base::Error(base::ErrorCode::unavailable, problem);
  std::ranges::sort(took);
  return {{"executions", took.size()},
          {"seconds", seconds},
          {"executionsPerSecond", static_cast<double>(took.size()) / seconds},
          {"startP50Ms", percentile(took, 0.5)},
          {"startP99Ms", percentile(took, 0.99)}};
}

// In pages of 1000, several times. What the client takes to read the answers is not counted.
base::json::object read_history(const Options& options) {
  constexpr int kRounds = 9;
  Client client(options);
  std::vector<double> rounds;
  std::vector<double> pages;
  std::size_t events = 0;
  for (int round = 0; round < kRounds; ++round) {
    events = 0;
    double took = 0;
    base::json::object request{{"executionArn", options.history}, {"maxResults", 1000}};
    while (true) {
      const Clock::time_point asked = Clock::now();
      const std::string answer = client.call("GetExecutionHistory", request);
      pages.push_back(Milliseconds(Clock::now() - asked).count());
      took += pages.back();
      const auto page = base::parse_json(answer, "the answer", {.max_bytes = 64U << 20U});
      events += page.at("events").as_array().size();
      const auto* next = page.as_object().if_contains("nextToken");
      if (next == nullptr) break;
      request["nextToken"] = *next;
    }
    rounds.push_back(took);
  }
  std::ranges::sort(rounds);
  std::ranges::sort(pages);
  return {{"events", events},
          {"pages", pages.size() / kRounds},
          {"ms", percentile(rounds, 0.5)},
          {"slowestPageMs", pages.back()}};
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("Starts executions and measures.");
  Options options;
  app.add_option("--url", options.url)->required();
  app.add_option("--key", options.key);
  app.add_option("--secret", options.secret);
  app.add_option("--region", options.region);
  auto* machine = app.add_option("--machine", options.machine, "Its ARN");
  app.add_option("--history", options.history, "An execution's ARN: reads its history instead")
      ->excludes(machine);
  app.add_option("--input", options.input);
  app.add_option("--count", options.count);
  app.add_option("--connections", options.connections);
  app.add_option("--rate", options.rate, "Starts a second; 0: as fast as it goes");
  app.add_flag("--wait", options.wait, "Until each has ended");
  CLI11_PARSE(app, argc, argv);
  try {
    const auto told = options.history.empty() ? run(options) : read_history(options);
    std::cout << base::to_text(told) << '\n';
    return 0;
  } catch (const std::exception& error) {
    std::cerr << error.what() << '\n';
    return 1;
  }
}
