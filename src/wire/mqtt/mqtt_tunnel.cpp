// SPDX-License-Identifier: Apache-2.0
#include "wire/mqtt/mqtt_tunnel.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <memory>
#include <optional>
#include <utility>

#include "base/error/error.hpp"
#include "base/text/id.hpp"
#include "wire/curl/curl_handle.hpp"

namespace andon::wire {
namespace {

using base::Error;
using base::ErrorCode;
using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr char kSocksVersion = 5;
constexpr char kPasswordMethod = 2;
constexpr char kPasswordVersion = 1;
constexpr char kConnect = 1;
constexpr char kIpv4 = 1;
constexpr char kHostName = 3;
constexpr char kIpv6 = 4;
constexpr std::size_t kMostBuffered = 16'384;
constexpr std::string_view kAlphabet = "abcdefghijklmnopqrstuvwxyz0123456789";

// What ends a tunnel: the owner, or the other side.
struct Ended {};

// The client's side, and the owner's wish to stop.
class Client {
 public:
  Client(int socket, int stop, steady_clock::time_point deadline)
      : socket_(socket), stop_(stop), deadline_(deadline) {}

  std::string receive(std::size_t size) {
    std::string bytes;
    while (bytes.size() < size) {
      wait(POLLIN);
      std::array<char, 512> buffer;
      const ssize_t got =
          recv(socket_, buffer.data(), std::min(buffer.size(), size - bytes.size()), MSG_DONTWAIT);
      if (got < 0 && (errno == EAGAIN || errno == EINTR)) continue;
      if (got <= 0) throw Ended{};
      bytes.append(buffer.data(), static_cast<std::size_t>(got));
    }
    return bytes;
  }

  void send(std::string_view bytes) {
    while (!bytes.empty()) {
      wait(POLLOUT);
      const ssize_t sent = ::send(socket_, bytes.data(), bytes.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
      if (sent < 0 && (errno == EAGAIN || errno == EINTR)) continue;
      if (sent <= 0) throw Ended{};
      bytes.remove_prefix(static_cast<std::size_t>(sent));
    }
  }

 private:
  void wait(short events) const {
    std::array<pollfd, 2> waiting{pollfd{socket_, events, 0}, pollfd{stop_, POLLIN, 0}};
    const auto left = std::chrono::ceil<milliseconds>(deadline_ - steady_clock::now()).count();
    if (left <= 0 || ::poll(waiting.data(), waiting.size(), static_cast<int>(left)) == 0 ||
        waiting[1].revents != 0) {
      throw Ended{};
    }
  }

  int socket_;
  int stop_;
  steady_clock::time_point deadline_;
};

// RFC 1928 and 1929, as a server that takes one user and knows one destination.
void greet(Client& client, const std::string& user, const std::string& password,
           const MqttEndpoint& broker) {
  const std::string hello = client.receive(2);
  const std::string methods = client.receive(static_cast<unsigned char>(hello[1]));
  if (hello[0] != kSocksVersion || methods.find(kPasswordMethod) == std::string::npos) {
    client.send(std::string{kSocksVersion, '\xff'});
    throw Ended{};
  }
  client.send(std::string{kSocksVersion, kPasswordMethod});
  const std::string name_head = client.receive(2);
  const std::string name = client.receive(static_cast<unsigned char>(name_head[1]));
  const std::string word = client.receive(static_cast<unsigned char>(client.receive(1)[0]));
  const bool is_ours = name_head[0] == kPasswordVersion && name == user && word == password;
  client.send(std::string{kPasswordVersion, static_cast<char>(is_ours ? 0 : 1)});
  if (!is_ours) throw Ended{};
  std::string request = client.receive(5);
  const char kind = request[3];
  const std::size_t rest = kind == kHostName ? static_cast<unsigned char>(request[4]) + 2U
                           : kind == kIpv4   ? 5U
                           : kind == kIpv6   ? 17U
                                             : 0U;
  if (rest == 0) throw Ended{};
  request += client.receive(rest);
  if (!is_socks_request_for(request, broker)) throw Ended{};
}

std::string reply(char code) {
  return std::string{kSocksVersion, code, 0, kIpv4, 0, 0, 0, 0, 0, 0};
}

template <typename Value>
void set(CURL* curl, CURLoption option, Value value) {
  set_option(curl, option, value, "the proxy cannot be used");
}

std::string url_of(const MqttEndpoint& broker) {
  const bool is_ipv6 = broker.host.find(':') != std::string::npos;
  return "http://" + (is_ipv6 ? '[' + broker.host + ']' : broker.host) + ':' +
         std::to_string(broker.port);
}

// Passes on what comes until one side has ended.
void relay(int client, CURL* curl, int stop) {
  curl_socket_t broker = CURL_SOCKET_BAD;
  curl_easy_getinfo(curl, CURLINFO_ACTIVESOCKET, &broker);
  std::string out;  // to the broker
  std::string in;   // to the client
  std::array<char, kMostBuffered> buffer;
  while (true) {
    std::array<pollfd, 3> waiting{
        pollfd{client, static_cast<short>((out.empty() ? POLLIN : 0) | (in.empty() ? 0 : POLLOUT)),
               0},
        pollfd{broker, static_cast<short>((in.empty() ? POLLIN : 0) | (out.empty() ? 0 : POLLOUT)),
               0},
        pollfd{stop, POLLIN, 0}};
    if (::poll(waiting.data(), waiting.size(), -1) < 0 && errno != EINTR) return;
    if (waiting[2].revents != 0) return;
    if (out.empty()) {
      const ssize_t got = recv(client, buffer.data(), buffer.size(), MSG_DONTWAIT);
      if (got == 0 || (got < 0 && errno != EAGAIN && errno != EINTR)) return;
      if (got > 0) out.assign(buffer.data(), static_cast<std::size_t>(got));
    }
    while (!out.empty()) {
      std::size_t sent = 0;
      const CURLcode code = curl_easy_send(curl, out.data(), out.size(), &sent);
      if (code == CURLE_AGAIN) break;
      if (code != CURLE_OK) return;
      out.erase(0, sent);
    }
    // Until there is no more: what TLS to a proxy has read already makes no socket readable.
    while (in.empty()) {
      std::size_t got = 0;
      const CURLcode code = curl_easy_recv(curl, buffer.data(), buffer.size(), &got);
      if (code == CURLE_AGAIN) break;
      if (code != CURLE_OK || got == 0) return;
      in.assign(buffer.data(), got);
      const ssize_t sent = ::send(client, in.data(), in.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
      if (sent < 0 && errno != EAGAIN && errno != EINTR) return;
      if (sent > 0) in.erase(0, static_cast<std::size_t>(sent));
    }
    if (!in.empty()) {
      const ssize_t sent = ::send(client, in.data(), in.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
      if (sent < 0 && errno != EAGAIN && errno != EINTR) return;
      if (sent > 0) in.erase(0, static_cast<std::size_t>(sent));
    }
  }
}

}  // namespace

bool is_socks_request_for(std::string_view bytes, const MqttEndpoint& wanted) {
  if (bytes.size() < 7 || bytes[0] != kSocksVersion || bytes[1] != kConnect) return false;
  std::string host;
  std::string_view port;
  if (bytes[3] == kHostName) {
    const std::size_t size = static_cast<unsigned char>(bytes[4]);
    if (bytes.size() != 5 + size + 2) return false;
    host = bytes.substr(5, size);
    port = bytes.substr(5 + size);
  } else if (bytes[3] == kIpv4 || bytes[3] == kIpv6) {
    const std::size_t size = bytes[3] == kIpv4 ? 4 : 16;
    if (bytes.size() != 4 + size + 2) return false;
    std::array<char, INET6_ADDRSTRLEN> text{};
    inet_ntop(bytes[3] == kIpv4 ? AF_INET : AF_INET6, bytes.data() + 4, text.data(), text.size());
    host = text.data();
    port = bytes.substr(4 + size);
  } else {
    return false;
  }
  const int number =
      static_cast<unsigned char>(port[0]) * 256 + static_cast<unsigned char>(port[1]);
  return host == wanted.host && number == wanted.port;
}

MqttTunnel::MqttTunnel(std::string proxy, std::string no_proxy, MqttEndpoint broker,
                       milliseconds connect_timeout)
    : proxy_(std::move(proxy)),
      no_proxy_(std::move(no_proxy)),
      broker_(std::move(broker)),
      connect_timeout_(connect_timeout),
      user_(base::random_text(16, kAlphabet)),
      password_(base::random_text(32, kAlphabet)),
      listener_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)),
      stop_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  auto* plain = static_cast<sockaddr*>(static_cast<void*>(&address));
  socklen_t size = sizeof address;
  if (!listener_ || !stop_ || bind(listener_.get(), plain, size) != 0 ||
      listen(listener_.get(), 1) != 0 || getsockname(listener_.get(), plain, &size) != 0) {
    throw base::system_error("cannot make a way through the proxy", errno);
  }
  port_ = ntohs(address.sin_port);
  thread_ = std::thread([this] { serve(); });
}

MqttTunnel::~MqttTunnel() {
  eventfd_write(stop_.get(), 1);
  thread_.join();
}

std::string MqttTunnel::problem() const {
  const std::lock_guard lock(mutex_);
  return problem_;
}

void MqttTunnel::set_problem(std::string problem) {
  const std::lock_guard lock(mutex_);
  problem_ = std::move(problem);
}

void MqttTunnel::serve() {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGPIPE);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  try {
    std::array<pollfd, 2> waiting{pollfd{listener_.get(), POLLIN, 0},
                                  pollfd{stop_.get(), POLLIN, 0}};
    ::poll(waiting.data(), waiting.size(), static_cast<int>(connect_timeout_.count()));
    if (waiting[0].revents == 0) return;
    const base::UniqueFd client(accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC));
    listener_.reset();
    if (!client) return;
    Client peer(client.get(), stop_.get(), steady_clock::now() + connect_timeout_);
    greet(peer, user_, password_, broker_);

    const CurlHandle curl(curl_easy_init());
    if (!curl) throw Error(ErrorCode::internal, "libcurl cannot be used");
    set(curl.get(), CURLOPT_URL, url_of(broker_).c_str());
    set(curl.get(), CURLOPT_CONNECT_ONLY, 1L);
    set(curl.get(), CURLOPT_HTTPPROXYTUNNEL, 1L);
    set(curl.get(), CURLOPT_PROXY, proxy_.c_str());
    set(curl.get(), CURLOPT_PROXYAUTH, static_cast<long>(CURLAUTH_ANY));
    set(curl.get(), CURLOPT_NOPROXY, no_proxy_.c_str());
    set(curl.get(), CURLOPT_NOSIGNAL, 1L);
    set(curl.get(), CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(connect_timeout_.count()));
    std::array<char, CURL_ERROR_SIZE> why{};
    set(curl.get(), CURLOPT_ERRORBUFFER, why.data());
    const CURLcode code = curl_easy_perform(curl.get());
    if (code != CURLE_OK) {
      set_problem("no connection through the proxy: " +
                  std::string(why[0] != '\0' ? why.data() : curl_easy_strerror(code)));
      peer.send(reply(1));
      return;
    }
    peer.send(reply(0));
    relay(client.get(), curl.get(), stop_.get());
  } catch (const Ended&) {
    return;
  } catch (const std::exception& error) {
    set_problem(error.what());
  }
}

}  // namespace andon::wire
