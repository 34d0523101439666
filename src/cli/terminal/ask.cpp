// SPDX-License-Identifier: Apache-2.0
#include "cli/terminal/ask.hpp"

#include <fmt/format.h>
#include <termios.h>
#include <unistd.h>

#include <iostream>

#include "options/usage_error.hpp"

namespace andon::cli {
namespace {

// What is typed is not shown for the life of the object.
class NoEcho {
 public:
  NoEcho() {
    if (tcgetattr(STDIN_FILENO, &before_) != 0) return;
    termios silent = before_;
    silent.c_lflag &= ~static_cast<tcflag_t>(ECHO);
    is_changed_ = tcsetattr(STDIN_FILENO, TCSAFLUSH, &silent) == 0;
  }
  NoEcho(const NoEcho&) = delete;
  NoEcho& operator=(const NoEcho&) = delete;
  ~NoEcho() {
    if (!is_changed_) return;
    tcsetattr(STDIN_FILENO, TCSAFLUSH, &before_);
    std::cerr << '\n';
  }

 private:
  termios before_{};
  bool is_changed_ = false;
};

}  // namespace

std::string ask(std::string_view what, std::string_view hint) {
  if (isatty(STDIN_FILENO) != 0) std::cerr << what << ": " << std::flush;
  std::string line;
  std::getline(std::cin, line);
  if (!line.empty() && line.back() == '\r') line.pop_back();
  if (line.empty()) throw options::UsageError(fmt::format("there is no {}: {}", what, hint));
  return line;
}

std::string ask_silently(std::string_view what, std::string_view hint) {
  const NoEcho silent;
  return ask(what, hint);
}

}  // namespace andon::cli
