// SPDX-License-Identifier: Apache-2.0
// For tests and measurements: a controller that speaks Modbus TCP. It listens on the loopback port
// that it is given (0: any), takes each connection, and tells on its standard output what it does:
//   listening PORT
//   coil ADDRESS VALUE NANOSECONDS       (written; the monotonic clock)
//   register ADDRESS VALUE NANOSECONDS
// Lines on its standard input set what can be read: "input ADDRESS VALUE", "coil ADDRESS VALUE".
// It ends with its standard input.
#include <arpa/inet.h>
#include <modbus/modbus.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <iostream>
#include <sstream>
#include <string>
#include <vector>

namespace {

constexpr int kBits = 1024;
constexpr std::size_t kFunction = 7;
constexpr std::size_t kAddress = 8;
constexpr std::size_t kValue = 10;
constexpr int kWriteCoil = 5;
constexpr int kWriteRegister = 6;

int listen_on(std::uint16_t port) {
  const int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const int yes = 1;
  setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  void* const generic = &address;
  if (bind(listener, static_cast<sockaddr*>(generic), size) != 0 || listen(listener, 16) != 0) {
    std::perror("cannot listen");
    std::exit(1);
  }
  getsockname(listener, static_cast<sockaddr*>(generic), &size);
  std::printf("listening %d\n", ntohs(address.sin_port));
  return listener;
}

int word(const std::uint8_t* query, std::size_t at) {
  return query[at] << 8 | query[at + 1];
}

void tell(const std::uint8_t* query) {
  const int function = query[kFunction];
  if (function != kWriteCoil && function != kWriteRegister) return;
  const int value = word(query, kValue);
  const auto now = std::chrono::steady_clock::now().time_since_epoch();
  std::printf(
      "%s %d %d %lld\n", function == kWriteCoil ? "coil" : "register", word(query, kAddress),
      function == kWriteCoil ? (value != 0 ? 1 : 0) : value,
      static_cast<long long>(std::chrono::duration_cast<std::chrono::nanoseconds>(now).count()));
}

void obey(const std::string& line, modbus_mapping_t* mapping) {
  std::istringstream words(line);
  std::string what;
  int address = 0;
  int value = 0;
  words >> what >> address >> value;
  if (address < 0 || address >= kBits) return;
  std::uint8_t* bits = what == "coil" ? mapping->tab_bits : mapping->tab_input_bits;
  bits[address] = static_cast<std::uint8_t>(value);
}

// False where the connection has ended.
bool answer(modbus_t* context, int connection, modbus_mapping_t* mapping) {
  std::array<std::uint8_t, MODBUS_TCP_MAX_ADU_LENGTH> query{};
  modbus_set_socket(context, connection);
  const int length = modbus_receive(context, query.data());
  if (length < 0) return false;
  if (length == 0) return true;
  if (modbus_reply(context, query.data(), length, mapping) > 0) tell(query.data());
  return true;
}

}  // namespace

int main(int argc, char** argv) {
  std::setvbuf(stdout, nullptr, _IOLBF, 0);
  const int listener = listen_on(static_cast<std::uint16_t>(argc > 1 ? std::atoi(argv[1]) : 0));
  modbus_t* context = modbus_new_tcp("127.0.0.1", 0);
  modbus_mapping_t* mapping = modbus_mapping_new(kBits, kBits, kBits, kBits);
  std::vector<pollfd> polled{{STDIN_FILENO, POLLIN, 0}, {listener, POLLIN, 0}};
  std::string unread;
  while (poll(polled.data(), polled.size(), -1) >= 0) {
    if (polled[0].revents != 0) {
      std::array<char, 512> buffer{};
      const ssize_t count = read(STDIN_FILENO, buffer.data(), buffer.size());
      if (count <= 0) return 0;
      unread.append(buffer.data(), static_cast<std::size_t>(count));
      for (std::size_t end = 0; (end = unread.find('\n')) != std::string::npos;) {
        obey(unread.substr(0, end), mapping);
        unread.erase(0, end + 1);
      }
    }
    if (polled[1].revents != 0) {
      const int connection = accept4(listener, nullptr, nullptr, SOCK_CLOEXEC);
      const int yes = 1;
      setsockopt(connection, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
      if (connection >= 0) polled.push_back({connection, POLLIN, 0});
    }
    for (std::size_t i = 2; i < polled.size();) {
      if (polled[i].revents != 0 && !answer(context, polled[i].fd, mapping)) {
        close(polled[i].fd);
        polled.erase(polled.begin() + static_cast<std::ptrdiff_t>(i));
      } else {
        ++i;
      }
    }
  }
}
